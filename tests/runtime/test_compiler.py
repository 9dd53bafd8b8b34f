"""Finding a C++ compiler, and saying what to do where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from snnlearn.errors import BuildError, CompilerNotFoundError
from snnlearn.runtime import compiler as module
from snnlearn.runtime.compiler import Compiler, find_compiler


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
