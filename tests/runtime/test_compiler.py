"""Finding a C++ compiler, and saying what to do where there is none."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from snnlearn.errors import BuildError, CompilerNotFoundError
from snnlearn.runtime import compiler as module
from snnlearn.runtime.compiler import Compiler, find_compiler, stop_compilers


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without compilers; programs can be put into the folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    return folder


def test_the_order_of_preference(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("clang++", "g++", "c++"):
        script(bare / name, f'echo "{name} 1.0"; echo "second line"')
        assert (find_compiler().command, find_compiler().version) == ((str(bare / name),), f"{name} 1.0")
    monkeypatch.setenv("CXX", "clang++ -stdlib=libc++")
    assert find_compiler().command == (str(bare / "clang++"), "-stdlib=libc++")
    monkeypatch.setenv("CXX", "  ")
    assert find_compiler().command == (str(bare / "c++"),)


def test_a_compiler_that_does_not_work_is_passed_over(bare: Path) -> None:
    script(bare / "c++", "exit 1")
    (bare / "g++").write_text("no program")
    (bare / "g++").chmod(0o755)
    script(bare / "clang++", "echo works")
    assert find_compiler().command == (str(bare / "clang++"),)


@pytest.mark.parametrize(
    ("platform", "advice"),
    [("linux", "apt install g.., or dnf install gcc-c"), ("darwin", "xcode-select --install"), ("win32", "LLVM")],
)
def test_none_at_all(bare: Path, monkeypatch: pytest.MonkeyPatch, platform: str, advice: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    # On "win32", which() calls Windows.
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(
        CompilerNotFoundError, match=rf'no C\+\+ compiler found.*{advice}.*pip install "snnlearn\[compiler\]"'
    ):
        find_compiler()


@pytest.mark.parametrize("requested", ["no-such-compiler", "'open quotation", "/"])
def test_a_wrong_cxx(bare: Path, monkeypatch: pytest.MonkeyPatch, requested: str) -> None:
    script(bare / "c++", "echo would work, but was not asked for")
    monkeypatch.setenv("CXX", requested)
    with pytest.raises(CompilerNotFoundError, match=r"environment variable CXX names no C\+\+ compiler that runs"):
        find_compiler()


def test_the_wheel_is_the_last_resort(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = script(bare / "python", 'echo "$@"')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: object())
    found = find_compiler()
    assert (found.command, found.version) == ((str(python), "-m", "ziglang", "c++"), "-m ziglang c++ --version")
    script(bare / "c++", "echo first")
    assert find_compiler().command == (str(bare / "c++"),)


@pytest.mark.parametrize("flag", ["-march=native", "-fno-trapping-math"])
def test_a_compiler_without_a_flag_that_is_for_speed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, flag: str
) -> None:
    compiler = ignorant(tmp_path, flag)
    compiler.compile(tmp_path / "a.cpp", tmp_path / "a.so")
    assert (tmp_path / "a.so").is_file()
    (line,) = caplog.messages
    assert line.endswith(f"does not know {flag}: compiling without")


def test_a_compiler_without_a_flag_that_results_depend_on(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="error: unknown option -ffp-contract=off"):
        ignorant(tmp_path, "-ffp-contract=off").compile(tmp_path / "a.cpp", tmp_path / "a.so")
    assert not (tmp_path / "a.so").exists()


def ignorant(folder: Path, flag: str) -> Compiler:
    """A compiler that does not know a flag."""
    program = script(
        folder / "c++",
        f'case "$*" in *{flag}*) echo "error: unknown option {flag}" >&2; exit 1;; esac\n'
        f'exec {find_compiler().command[0]} "$@"',
    )
    (folder / "a.cpp").write_text("extern int a; int a = 1;")
    return Compiler((str(program),), "1")


def test_portable_code_is_not_for_this_cpu_alone(bare: Path) -> None:
    script(bare / "c++", "echo 1.0")
    assert "-march=native" in find_compiler().flags
    assert set(find_compiler().flags) - set(find_compiler(portable=True).flags) == {"-march=native"}


# ---- compilers that are ended ----

SLOW = """case "$*" in *--version*) echo slow; exit 0;; esac
trap 'rm {folder}/cc.s; exit 1' TERM
sleep 100 &
echo $! >{folder}/pid.new
touch {folder}/cc.s
mv {folder}/pid.new {folder}/pid
wait
"""


def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """Return a compiler that takes long, in a process of its own, and has a temporary file."""
    monkeypatch.setenv("CXX", str(script(tmp_path / "slow", SLOW.format(folder=tmp_path))))
    return find_compiler()


def check_ended(tmp_path: Path) -> None:
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
    assert not (tmp_path / "cc.s").exists()


def when_it_runs(tmp_path: Path, work: Callable[[], object]) -> None:
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)
    work()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_ctrl_c_ends_a_compiler_with_all_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler, before = slow(tmp_path, monkeypatch), signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt = partial(os.kill, os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=when_it_runs, args=(tmp_path, interrupt))
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            compiler.compile(tmp_path / "a.cpp", tmp_path / "a.so")
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    check_ended(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_compilers_of_other_threads_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = slow(tmp_path, monkeypatch)
    thread = threading.Thread(target=when_it_runs, args=(tmp_path, stop_compilers))
    thread.start()
    with pytest.raises(BuildError, match="failed"):
        compiler.compile(tmp_path / "a.cpp", tmp_path / "a.so")
    thread.join()
    check_ended(tmp_path)
