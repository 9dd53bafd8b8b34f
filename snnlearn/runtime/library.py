"""The compiled simulation as a set of C functions."""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import BuildError
from snnlearn.runtime import cache
from snnlearn.runtime.compiler import find_compiler

_log = logging.getLogger("snnlearn")
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "snn_create": (ctypes.c_void_p, [ctypes.c_uint, ctypes.c_int]),
    "snn_threads": (ctypes.c_uint, [ctypes.c_void_p]),
    "snn_destroy": (None, [ctypes.c_void_p]),
    "snn_bind": (None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]),
    "snn_configure": (None, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int]),
    "snn_initialise": (None, [ctypes.c_void_p]),
    "snn_timestep": (ctypes.c_uint64, [ctypes.c_void_p]),
    "snn_set_timestep": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "snn_run": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "snn_flush": (None, [ctypes.c_void_p]),
    "snn_custom_update": (None, [ctypes.c_void_p, ctypes.c_uint]),
    "snn_timers": (None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)]),
}


def build_library(source: str, portable: bool = False) -> Path:
    """Compile a source, for this CPU or for any of its architecture, or find it in the cache.

    Raises
    ------
    CompilerNotFoundError, BuildError
    """
    return cache.build(source, find_compiler(portable))


class Library:
    """One simulation inside a compiled library. Python's global lock is free while it runs."""

    def __init__(self, path: Path, source: str, threads: int, flush_denormals: bool, portable: bool = False) -> None:
        self._functions = _load(path, source, portable)
        self._handle = self._functions.snn_create(threads, flush_denormals)
        self._process = os.getpid()
        self.threads = int(self._functions.snn_threads(self._handle))
        if self.threads < threads:
            _log.warning("the operating system gives %d of the %d threads asked for", self.threads, threads)

    @property
    def usable(self) -> bool:
        """Whether its threads are there: a fork of the process has memory, but no thread beside its own."""
        return self.threads == 1 or self._process == os.getpid()

    def bind(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Tell where the arrays are; they are kept alive as long as the simulation, which may work on them unseen."""
        self._arrays = list(arrays)
        pointers = (ctypes.c_void_p * max(len(arrays), 1))(*(a.ctypes.data for a in arrays))
        self._functions.snn_bind(self._handle, pointers)

    def configure(self, seed: int, recording_timesteps: int, timing: bool) -> None:
        """Set what is not compiled in."""
        self._functions.snn_configure(self._handle, seed, recording_timesteps, timing)

    def initialise(self) -> None:
        """Make the first values of all variables that have an initialiser."""
        self._functions.snn_initialise(self._handle)

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""
        return int(self._functions.snn_timestep(self._handle))

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        self._functions.snn_set_timestep(self._handle, timestep)

    def run(self, timesteps: int) -> None:
        """Run timesteps."""
        self._functions.snn_run(self._handle, timesteps)

    def flush(self) -> None:
        """Bring every array up to date."""
        self._functions.snn_flush(self._handle)

    def custom_update(self, group: int) -> None:
        """Run a group of custom updates, by number."""
        self._functions.snn_custom_update(self._handle, group)

    def timers(self, number: int) -> list[float]:
        """Return the first timers [s]."""
        seconds = np.zeros(max(number, 1))
        self._functions.snn_timers(self._handle, seconds.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        return [float(s) for s in seconds[:number]]

    def close(self) -> None:
        """Free the simulation; nothing may be called after."""
        handle, self._handle = self._handle, None
        if handle and self.usable:
            self._functions.snn_destroy(handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.close()


def _load(path: Path, source: str, portable: bool) -> ctypes.CDLL:
    try:
        functions = ctypes.CDLL(str(path))
    except OSError:
        # A stored file can be damaged (a full disk, a copied cache): compile once more.
        path = cache.build(source, find_compiler(portable), force=True)
        try:
            functions = ctypes.CDLL(str(path))
        except OSError as error:
            raise BuildError(
                f"the compiled simulation cannot be loaded: {error}; does CXX name a C++ compiler, not one for C?"
            ) from error
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(functions, name)
        function.restype, function.argtypes = result, arguments
    return functions
