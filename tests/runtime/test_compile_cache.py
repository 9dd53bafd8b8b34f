"""The cache of compiled simulations: found by content, safe with many processes, whole or not at all."""

from __future__ import annotations

import ctypes
import gc
import platform
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from small_networks import network
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import build_plan
from snnlearn.errors import BuildError
from snnlearn.runtime import CpuSimulation, cache, processor
from snnlearn.runtime.compiler import Compiler, find_compiler
from snnlearn.runtime.library import build_library

SOURCE = 'extern "C" __attribute__((visibility("default"))) int answer() { return 42; }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "snnlearn"


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_follows_the_xdg_standard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for relative in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert cache.cache_dir() == tmp_path / ".cache" / "snnlearn"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.cache_dir() == Path("/elsewhere/snnlearn")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(BuildError, match=r"no place for compiled simulations \(Could not .*set XDG_CACHE_HOME"):
        cache.cache_dir()


def test_a_source_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler, calls = find_compiler(), []
    real = Compiler.compile
    monkeypatch.setattr(Compiler, "compile", lambda *args: (calls.append(args), real(*args)))
    first = cache.build(SOURCE, compiler)
    assert cache.build(SOURCE, compiler) == first
    assert len(calls) == 1
    assert stored(folder) == [first.name], "no scratch is left"
    cache.build(SOURCE, compiler, force=True)
    assert len(calls) == 2
    cache.build(SOURCE + "// other\n", compiler)
    cache.build(SOURCE, Compiler(compiler.command, "another version"))
    assert len(calls) == 4


@pytest.mark.parametrize("damage", [b"", b"no library", None], ids=["empty", "text", "cut short"])
def test_a_damaged_file_is_compiled_again(folder: Path, damage: bytes | None) -> None:
    plan = build_plan(network())
    source = emit_cpp(plan)
    path = build_library(source)
    whole = path.read_bytes()
    path.unlink()  # written anew, so that a library in use by this process keeps its own
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    simulation = CpuSimulation(network(), plan, source, build_library(source), recording_timesteps=2)
    simulation.run(2)
    simulation.close()


def test_a_file_damaged_between_build_and_load(folder: Path) -> None:
    plan = build_plan(network())
    source = emit_cpp(plan)
    path = build_library(source)
    path.unlink()
    path.write_text("no library")
    CpuSimulation(network(), plan, source, path, recording_timesteps=2).close()


SUPPORT = "int half() { return 21; }\n"
WITH_SUPPORT = 'int half(); extern "C" __attribute__((visibility("default"))) int answer() { return 2 * half(); }\n'


def answer(path: Path) -> int:
    return int(ctypes.CDLL(str(path)).answer())


def test_support_is_compiled_once_for_many_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler, calls = find_compiler(), []
    real = Compiler.compile_object
    monkeypatch.setattr(Compiler, "compile_object", lambda self, *paths: (calls.append(paths), real(self, *paths)))
    first = cache.build(WITH_SUPPORT, compiler, support=SUPPORT)
    assert (answer(first), len(calls)) == (42, 2)
    second = cache.build(WITH_SUPPORT + "// other\n", compiler, support=SUPPORT)
    assert (answer(second), len(calls)) == (42, 3)
    assert cache.build(WITH_SUPPORT, compiler, support=SUPPORT) == first
    assert len(calls) == 3
    third = cache.build(WITH_SUPPORT, compiler, support=SUPPORT.replace("21", "4"))
    assert (answer(third), len(calls)) == (8, 5), "other support makes another library"


def test_support_that_is_being_compiled_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler, ready = find_compiler(), Future[Path]()
    Timer(0.3, lambda: ready.set_result(cache.build_object(SUPPORT, compiler))).start()
    monkeypatch.setattr(cache, "ThreadPoolExecutor", _NoneNeeded)
    assert answer(cache.build(WITH_SUPPORT, compiler, support=SUPPORT, compiled=ready)) == 42


class _NoneNeeded(ThreadPoolExecutor):
    def submit(self, *_: Any) -> Any:
        raise AssertionError("support is compiled twice")


@pytest.mark.parametrize("damage", [b"", b"no object", None], ids=["empty", "text", "cut short"])
def test_damaged_support_is_compiled_again(folder: Path, damage: bytes | None) -> None:
    compiler = find_compiler()
    path = cache.build_object(SUPPORT, compiler)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert answer(cache.build(WITH_SUPPORT, compiler, support=SUPPORT)) == 42
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("source", "support"), [("int main( {", SUPPORT), (WITH_SUPPORT, "int main( {"), (WITH_SUPPORT + "#error", SUPPORT)]
)
def test_a_failing_compiler_with_support(folder: Path, source: str, support: str) -> None:
    with pytest.raises(BuildError, match=r"the C\+\+ compiler .* failed: .*simulation\.cpp.*error"):
        cache.build(source, find_compiler(), support=support)
    assert not [name for name in stored(folder) if not name.endswith(".o")]


@pytest.mark.parametrize("source", ["int main( {", "#error stop here\n"])
def test_a_failing_compiler(folder: Path, source: str) -> None:
    with pytest.raises(BuildError, match=r"the C\+\+ compiler .* failed: .*simulation\.cpp.*error"):
        cache.build(source, find_compiler())
    assert stored(folder) == []


def test_a_compiler_that_has_vanished(folder: Path) -> None:
    with pytest.raises(BuildError, match=r"/no/such/compiler cannot be run: No such file"):
        cache.build(SOURCE, Compiler(("/no/such/compiler",), "1.0"))


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A file in the way stops even a superuser, whom permissions do not.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        BuildError, match=r"cannot write the cache .*/file/snnlearn: Not a directory; set XDG_CACHE_HOME"
    ):
        cache.build(SOURCE, find_compiler())


BUILD_TWICE = """
import sys
from snnlearn.runtime import cache
from snnlearn.runtime.compiler import find_compiler

for _ in range(2):
    print(cache.build(sys.argv[1], find_compiler(), support=sys.argv[2]))
"""


@pytest.mark.usefixtures("full_optimisation")
def test_many_processes_at_once(folder: Path) -> None:
    command = [sys.executable, "-c", BUILD_TWICE, WITH_SUPPORT + "// shared\n", SUPPORT]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    paths = {line for process in processes for line in process.communicate(timeout=60)[0].splitlines()}
    assert not any(process.returncode for process in processes)
    assert sorted([*(Path(path).name for path in paths), cache.build_object(SUPPORT, find_compiler()).name]) == stored(
        folder
    )
    assert cache.build(WITH_SUPPORT + "// shared\n", find_compiler(), support=SUPPORT) == Path(paths.pop())


CPU = "vendor_id : A\ncpu family : 6\nmodel : 1\nflags : sse2 avx2 fma\nbogomips : {}\n"


def key_with(monkeypatch: pytest.MonkeyPatch, cpu_info: Path, text: str | None, compiler: Compiler) -> tuple[str, ...]:
    """The content that keys are made of, on a machine whose system tells this about its CPU, or nothing."""
    if text is not None:
        cpu_info.write_text(text)
    else:
        cpu_info.unlink(missing_ok=True)
    monkeypatch.setattr(processor, "_CPU_INFO", cpu_info)
    processor.processor.cache_clear()
    key = tuple(cache._content(SOURCE, compiler))
    processor.processor.cache_clear()
    return key


def test_the_key_tells_cpus_apart_by_their_instructions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = Compiler(("c++",), "1")
    keys = [
        key_with(monkeypatch, tmp_path / "cpuinfo", text, compiler)
        for text in (CPU.format(1), CPU.format(2), CPU.replace("avx2", "avx2 avx512f"), CPU.replace("A", "B"), None)
    ]
    assert keys[0] == keys[1], "how fast it is does not matter"
    assert len(set(keys)) == 4


def test_a_cpu_that_cannot_be_told_is_only_like_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler, keys = Compiler(("c++",), "1"), []
    for machine in ("one", "two"):
        monkeypatch.setattr(platform, "node", lambda name=machine: name)
        keys.append(key_with(monkeypatch, tmp_path / "cpuinfo", None, compiler))
    assert keys[0] != keys[1]


def test_portable_code_has_keys_of_its_own_for_all_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    native, portable = Compiler(("c++",), "1"), Compiler(("c++",), "1", portable=True)
    texts = (CPU, CPU.replace("avx2", "avx512f"))
    keys = {key_with(monkeypatch, tmp_path / "cpuinfo", text, portable) for text in texts}
    assert len(keys) == 1
    assert key_with(monkeypatch, tmp_path / "cpuinfo", CPU, native) not in keys


def test_a_library_for_another_cpu_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler: Any = find_compiler()
    first = cache.build(SOURCE, compiler)
    monkeypatch.setattr(cache, "processor", lambda: "another CPU")
    assert cache.build(SOURCE, compiler) != first


@pytest.mark.skipif(sys.platform != "linux", reason="what is loaded is read from /proc")
def test_a_library_goes_with_its_last_model(folder: Path) -> None:
    plan = build_plan(network())
    source = emit_cpp(plan)
    path = build_library(source)

    def mapped() -> bool:
        return str(path) in Path("/proc/self/maps").read_text()

    first, second = (CpuSimulation(network(), plan, source, path, recording_timesteps=2) for _ in range(2))
    first.run(2)
    first.close()
    assert mapped()
    second.run(2)
    second.close()
    assert not mapped()
    third = CpuSimulation(network(), plan, source, path, recording_timesteps=2)
    third.run(2)
    del third, first, second
    gc.collect()
    assert not mapped()
