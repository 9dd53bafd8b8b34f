"""The folder of compiled simulations: no one else's files run, nothing is left behind, and it is bounded."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from snnlearn.errors import BuildError
from snnlearn.runtime import cache, cache_folder, locks
from snnlearn.runtime.compiler import find_compiler

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such owners and modes")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "snnlearn"


def store(text: str = "made", **more: bool) -> Path:
    return cache.stored([text], ".so", lambda target: target.write_text(text), **more)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_only_the_user_has_access(folder: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        path = store()
        assert (mode(folder), mode(path)) == (0o700, 0o600)
    finally:
        os.umask(before)


def test_a_folder_that_others_could_read_is_closed(folder: Path) -> None:
    path = store()
    folder.chmod(0o755)
    assert store() == path
    assert mode(folder) == 0o700


def test_a_folder_that_others_could_write_to_is_emptied(folder: Path) -> None:
    path = store()
    planted = cache_folder.entries(folder)[0].path.with_name(f"{'0' * 32}-{'1' * 16}.so")
    planted.write_text("planted")
    folder.chmod(0o777)
    assert store() == path
    assert mode(folder) == 0o700
    assert not planted.exists()


def test_a_folder_whose_mode_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store()
    folder.chmod(0o777)
    monkeypatch.setattr(os, "chmod", lambda *_: None)  # a file system without modes
    with pytest.raises(BuildError, match=r"others can write to the cache .*/snnlearn, and their code would run here"):
        store()


def test_another_users_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store()
    monkeypatch.setattr(cache_folder, "_OWN", os.geteuid() + 1)
    with pytest.raises(
        BuildError, match=r"belongs to another user \(number \d+\), whose code would run here; set XDG_"
    ):
        store()


def fifo(path: Path, text: str) -> None:
    os.mkfifo(path)


def link(path: Path, text: str) -> None:
    target = path.with_name("elsewhere")
    target.write_text(text)
    path.symlink_to(target)


def writable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o666)


def a_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "file").write_text("")


def unreadable(path: Path, text: str) -> None:
    path.write_text("cannot be known")
    path.chmod(0)


@pytest.mark.parametrize("plant", [fifo, link, writable, a_folder, unreadable])
def test_what_is_planted_is_made_anew(folder: Path, plant: Callable[[Path, str], None]) -> None:
    path = store()
    path.unlink()
    plant(path, "made")
    assert store() == path
    assert path.read_text() == "made"
    assert path.is_file()
    assert not path.is_symlink()
    assert mode(path) == 0o600


def test_an_entry_of_another_user_is_made_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = store(), os.fstat
    before = path.stat().st_ino

    def foreign(file: int) -> os.stat_result:
        found = list(real(file))
        found[stat.ST_UID] += found[stat.ST_INO] == before
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", foreign)
    assert not cache_folder.is_whole(path)
    monkeypatch.undo()
    assert cache_folder.is_whole(path)


def test_what_ended_processes_left_behind_goes(folder: Path) -> None:
    store()
    key, other = "0" * 32, "1" * 32
    (folder / f"build-{key}-abc").mkdir()
    (folder / f"build-{key}-abc" / "simulation.cpp").write_text("")
    (folder / f"{key}.lock").write_text("")
    (folder / "build-old").mkdir()  # as earlier versions named them
    os.utime(folder / "build-old", (0, 0))
    (folder / "build-new").mkdir()
    (folder / "notes.txt").write_text("the user's own")
    busy = folder / f"build-{other}-abc"
    busy.mkdir()
    held = locks.take(folder / f"{other}.lock")
    assert held is not None
    store("another")
    left = {path.name for path in folder.iterdir()} - {entry.path.name for entry in cache_folder.entries(folder)}
    assert left == {"notes.txt", "build-new", busy.name, f"{other}.lock"}
    locks.release(held, folder / f"{other}.lock")
    assert cache.clear() == 2
    assert {path.name for path in folder.iterdir()} == {"notes.txt", "build-new"}


def test_what_another_process_may_be_making_stays_where_there_are_no_locks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    path = store()
    key = path.name.partition("-")[0]
    path.unlink()
    busy = folder / f"build-{key}-abc"
    busy.mkdir()
    assert store() == path
    assert busy.is_dir()
    os.utime(busy, (0, 0))
    store("another")
    assert not busy.exists()


def test_nothing_is_known_of_a_file_that_cannot_be_opened_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store()

    def digest(_: Path) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(cache_folder, "digest", digest)
    with pytest.raises(BuildError, match="Too many open files"):
        store()
    assert path.exists()


def test_the_least_recently_used_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [letter * 1000 for letter in "abcd"]
    paths = [store(text) for text in texts[:3]]
    now = time.time()
    for age, path in zip([3, 2, 1], paths, strict=True):
        os.utime(path, (now - age * 1e5, now - age * 1e5))
    store(texts[0])  # which is used now
    monkeypatch.setenv("SNNLEARN_CACHE_MB", "0.0025")
    kept = store(texts[3])
    assert {entry.path for entry in cache_folder.entries(folder)} == {paths[0], kept}
    monkeypatch.setenv("SNNLEARN_CACHE_MB", "0")
    newest = store("e")
    assert [entry.path for entry in cache_folder.entries(folder)] == [newest], "what is wanted now stays"


@pytest.mark.parametrize("text", ["-1", "many", "nan", "1e99"])
def test_a_limit_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SNNLEARN_CACHE_MB", text)
    with pytest.raises(BuildError, match=f"SNNLEARN_CACHE_MB must be a number of megabytes from 0 on, not '{text}'"):
        store()


BUILD = """
import ctypes
import sys
from snnlearn.runtime import cache
from snnlearn.runtime.compiler import find_compiler

path = cache.build(sys.argv[1], find_compiler(), support=sys.argv[2])
print(path, ctypes.CDLL(str(path)).answer())
"""
SOURCE = 'int half(); extern "C" __attribute__((visibility("default"))) int answer() { return 2 * half(); }\n'
COMPILER = '#!/bin/sh\n[ "$1" = --version ] || echo "$@" >> {log}\nexec {real} "$@"\n'


@pytest.mark.parametrize("processes", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_one_process_compiles_and_all_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    compiler, log = tmp_path / "c++", tmp_path / "log"
    compiler.write_text(COMPILER.format(log=log, real=find_compiler().command[0]))
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    command = [sys.executable, "-c", BUILD, SOURCE, "int half() { return 21; }\n"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    found = {process.communicate(timeout=120)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0] * processes
    assert len(found) == 1
    assert found.pop().endswith(" 42")
    assert len(log.read_text().splitlines()) == 3, "the source, the support, and both together"
    assert len(list(folder.iterdir())) == 2
