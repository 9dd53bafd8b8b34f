"""Finding and running a C++ compiler."""

from __future__ import annotations

import errno
import importlib.util
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from snnlearn.errors import BuildError, CompilerNotFoundError

_log = logging.getLogger("snnlearn")
_NATIVE = "-march=native"
_NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})  # whatever was to be run

# Results must not depend on the machine: no contraction to fused multiply-add, nothing of -ffast-math that changes a
# value, and signed integers that wrap. What else is off no code string can see: errno, floating-point traps, and jump
# threading, whose paths around tested conditions keep loops over neurons from becoming loops of vectors.
FLAGS = (
    "-std=c++17",
    "-O3",
    _NATIVE,
    "-ffp-contract=off",
    "-fwrapv",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-thread-jumps",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fvisibility=hidden",
)
# Without these code is slower and the results are the same.
_DISPENSABLE = (_NATIVE, "-fno-math-errno", "-fno-trapping-math", "-fno-thread-jumps")


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler that can be run.

    Attributes
    ----------
    command : tuple of str
        The program and any leading arguments.
    version : str
        The first line of what it says of itself.
    portable : bool
        Whether its libraries are for any CPU of the architecture, not only for one like that at hand.
    """

    command: tuple[str, ...]
    version: str
    portable: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """What it is told beside the files."""
        return tuple(flag for flag in FLAGS if not (self.portable and flag == _NATIVE))

    def compile(self, source: Path, target: Path) -> None:
        """Compile one C++ file into a shared library.

        Raises
        ------
        BuildError
            If the compiler fails: its first error, and all that it printed as the attribute ``output``.
        """
        self._make(self.flags, [source], target)

    def compile_object(self, source: Path, target: Path) -> None:
        """Compile one C++ file into an object file, to be linked; raises as `compile`."""
        self._make((*(flag for flag in self.flags if flag != "-shared"), "-c"), [source], target)

    def link(self, objects: Sequence[Path], target: Path) -> None:
        """Link object files into a shared library; raises as `compile`."""
        self._make(self.flags, objects, target)

    def _make(self, flags: tuple[str, ...], sources: Sequence[Path], target: Path) -> None:
        files = [*map(str, sources), "-o", str(target)]
        done = self._run([*flags, *files])
        unknown = [flag for flag in flags if flag in _DISPENSABLE and flag.split("=")[0] in done.stderr]
        if done.returncode != 0 and unknown:
            _log.warning("%s does not know %s: compiling without", shlex.join(self.command), " ".join(unknown))
            flags = tuple(flag for flag in flags if flag not in unknown)
            done = self._run([*flags, *files])
        if done.returncode != 0 or not target.is_file():
            output = (done.stderr.strip() or done.stdout.strip()).splitlines()
            first = next((line for line in output if "error" in line.lower()), output[0] if output else "no message")
            if done.returncode == 0:
                first = "it wrote no library; is it a C++ compiler?"
            raise BuildError(f"the C++ compiler {shlex.join(self.command)} failed: {first}", "\n".join(output))

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        command = [*self.command, *arguments]
        try:
            # A session of its own: a compiler is several processes, which are to end together.
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise BuildError(f"{shlex.join(self.command)} cannot be run: {error.strerror or error}") from error
        with process:
            _running.add(process)
            try:
                output, errors = process.communicate()
            except BaseException:
                _end(process)
                process.wait()  # `with` does not, after Ctrl-C
                raise
            finally:
                _running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


_running: set[subprocess.Popen[str]] = set()


def stop_compilers() -> None:
    """End all compilers that this process runs, in whichever thread; who waits for one gets a BuildError."""
    for process in tuple(_running):
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Have a compiler remove its temporary files, and end."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()


def find_compiler(portable: bool = False) -> Compiler:
    """Return the C++ compiler to use: ``$CXX``, else ``c++``, ``g++`` or ``clang++``, else the ziglang wheel's.

    Parameters
    ----------
    portable : bool
        Whether its libraries are to run on any CPU of the architecture.

    Raises
    ------
    CompilerNotFoundError
        If there is none, or ``$CXX`` names none; says what to install.
    BuildError
        If the system gives no process or file to run one.
    """
    requested = os.environ.get("CXX", "").strip()
    if requested:
        compiler = _try(_split(requested))
        if compiler is None:
            raise CompilerNotFoundError(f"the environment variable CXX names no C++ compiler that runs: {requested!r}")
        return replace(compiler, portable=portable)
    candidates: list[tuple[str, ...]] = [(name,) for name in ("c++", "g++", "clang++")]
    if importlib.util.find_spec("ziglang") is not None:
        candidates.append((sys.executable, "-m", "ziglang", "c++"))
    for command in candidates:
        compiler = _try(command)
        if compiler is not None:
            return replace(compiler, portable=portable)
    raise CompilerNotFoundError(
        f'no C++ compiler found; install one ({_package()}), or a compiler as a wheel: pip install "snnlearn[compiler]"'
    )


def _split(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:  # an open quotation mark
        return (command,)


def _package() -> str:
    if sys.platform == "darwin":
        return "xcode-select --install"
    if sys.platform == "win32":
        return "LLVM, which has clang++"
    return "package g++: apt install g++, or dnf install gcc-c++"


def _try(command: tuple[str, ...]) -> Compiler | None:
    path = shutil.which(command[0])
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, *command[1:], "--version"], capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        if error.errno in _NOTHING_LEFT:
            raise BuildError(f"{shlex.join(command)} cannot be run: {error.strerror}") from None
        return None
    lines = done.stdout.strip().splitlines()
    return Compiler((path, *command[1:]), lines[0]) if done.returncode == 0 and lines else None
