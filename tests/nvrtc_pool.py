"""NVRTC in processes beside the tests: where it crashes it takes none of them along, and what it was given is known."""

from __future__ import annotations

import multiprocessing
import os
import zlib
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import local

from snnlearn.errors import BuildError
from snnlearn.runtime.cuda import nvrtc

CAPABILITIES = 70, 80, 90
# Warnings that point at a mistake: unreachable code, loops that never begin, comparisons that are always true,
# variables without a value, functions that return none.
_MISTAKES = "--diag-error=111,128,186,549,940"


class NvrtcPool:
    """As many processes as there are cores.

    Attributes
    ----------
    targets : tuple of str
        What it compiles for: three generations of GPUs, those of them that this NVRTC knows.

    Raises
    ------
    CompilerNotFoundError
        Where there is no NVRTC.
    """

    def __init__(self) -> None:
        known = nvrtc.find_nvrtc().capabilities
        self.targets = tuple(f"sm_{capability}" for capability in CAPABILITIES if capability in known)
        self._threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
        self._own = local()
        self._processes: list[ProcessPoolExecutor] = []

    def submit(self, source: str) -> dict[str, Future[str | None]]:
        """Have a source compiled for each target; what comes of it is None, or the first error."""
        return {target: self._threads.submit(self._compile, source, target) for target in self.targets}

    def submit_for_one(self, source: str) -> dict[str, Future[str | None]]:
        """Have a source compiled for one of the targets, which depends on the source; as `submit`."""
        target = self.targets[zlib.crc32(source.encode()) % len(self.targets)]
        return {target: self._threads.submit(self._compile, source, target)}

    def errors(self, source: str) -> list[str]:
        """Compile a source for each target and return what went wrong."""
        return [f"{target}: {error}" for target, found in self.submit(source).items() if (error := found.result())]

    def close(self) -> None:
        """End all processes; what has not begun yet is left."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.shutdown()

    def _compile(self, source: str, target: str) -> str | None:
        if getattr(self._own, "process", None) is None:
            self._own.process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
            self._processes.append(self._own.process)
        try:
            return self._own.process.submit(compile_one, source, target).result()  # type: ignore[no-any-return]
        except BrokenProcessPool:
            self._own.process = None
            return "NVRTC crashed"


def compile_one(source: str, target: str) -> str | None:
    """Return what NVRTC says against a source, with the options of real builds, if anything."""
    if _MISTAKES not in nvrtc._OPTIONS:
        nvrtc._OPTIONS = (*nvrtc._OPTIONS, _MISTAKES)
    try:
        nvrtc.find_nvrtc().compile(source, target, flush_denormals=True)
    except BuildError as error:
        return str(error)
    return None
