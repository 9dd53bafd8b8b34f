"""CUDA sources as shared libraries for the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from snnlearn.runtime.cache import build
from snnlearn.runtime.compiler import Compiler, find_compiler

_HERE = Path(__file__).parent
_SCHEDULER = ("interface.h", "fibers.h", "memory.h", "threads.h", "blocks.h", "signals.h", "scheduler.cpp")
# As for the CPU engine where values depend on it. A GPU's compiler does not mind how a piece of memory was written.
_VALUES = ("-std=c++17", "-ffp-contract=off", "-fwrapv", "-fno-math-errno", "-fno-strict-aliasing")
_REST = (
    "-fPIC",
    "-shared",
    "-pthread",
    "-fvisibility=hidden",
    "-fno-semantic-interposition",
    "-U_FORTIFY_SOURCE",
    "-w",
)


@dataclass(frozen=True)
class HostCompiler(Compiler):
    """The host's compiler, told what CUDA programs need."""

    optimise: str = "-O1"

    @property
    def flags(self) -> tuple[str, ...]:
        return (*_VALUES, *_REST, self.optimise)


def scheduler() -> Path:
    """Return the library that runs threads, the same for all programs."""
    return build(_read(*_SCHEDULER), _compiler("-O2"))


def program(source: str, flush_denormals: bool) -> Path:
    """Return a CUDA source as a library; lines in messages are those of the source.

    Raises
    ------
    BuildError
    """
    head = f"#define SNN_HOST_FLUSH {int(flush_denormals)}\n" + _read("interface.h", "shim.h")
    return build(f'{head}#line 1 "program.cu"\n{source}', _compiler("-O1"))


@cache
def _compiler(optimise: str) -> HostCompiler:
    found = find_compiler(portable=True)
    return HostCompiler(found.command, found.version, portable=True, optimise=optimise)


@cache
def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
