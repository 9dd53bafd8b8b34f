"""The compiled simulation as a set of C functions."""

from __future__ import annotations

import _ctypes  # here, as nothing can be imported once Python ends
import ctypes
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.cpp import support_source
from snnlearn.errors import BuildError
from snnlearn.runtime import cache
from snnlearn.runtime.cache_folder import is_whole
from snnlearn.runtime.compiler import find_compiler, stop_compilers
from snnlearn.runtime.waiting_signals import WaitingSignals

_log = logging.getLogger("snnlearn")
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "snn_watch": (None, [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_uint64)]),
    "snn_torn": (ctypes.c_int, [ctypes.c_void_p]),
    "snn_heal": (None, [ctypes.c_void_p]),
    "snn_create": (ctypes.c_void_p, [ctypes.c_uint, ctypes.c_int]),
    "snn_threads": (ctypes.c_uint, [ctypes.c_void_p]),
    "snn_destroy": (None, [ctypes.c_void_p]),
    "snn_bind": (None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]),
    "snn_configure": (None, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int]),
    "snn_connect": (None, [ctypes.c_void_p]),
    "snn_index_columns": (None, [ctypes.c_void_p, ctypes.c_int]),
    "snn_bind_host": (None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]),
    "snn_error": (ctypes.c_char_p, [ctypes.c_void_p]),
    "snn_warning": (ctypes.c_char_p, [ctypes.c_void_p]),
    "snn_initialise": (None, [ctypes.c_void_p]),
    "snn_timestep": (ctypes.POINTER(ctypes.c_uint64), [ctypes.c_void_p]),
    "snn_set_timestep": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "snn_run": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint64]),
    "snn_flush": (ctypes.c_int, [ctypes.c_void_p]),
    "snn_custom_update": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint]),
    "snn_timers": (None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)]),
}


class Preparation:
    """What a build needs whatever the model: the compiler, and what is the same in every simulation, compiled.

    It runs in threads of its own, beside code generation; errors are raised when the result is read.
    """

    def __init__(self, portable: bool = False) -> None:
        source = support_source()
        self._threads = ThreadPoolExecutor(2)
        self.compiler = self._threads.submit(find_compiler, portable)
        self.support = self._threads.submit(lambda: cache.build_object(source, self.compiler.result()))
        self._threads.shutdown(wait=False)

    def finish(self) -> None:
        """Wait until its threads have ended."""
        self._threads.shutdown()


def build_library(source: str, portable: bool = False, preparation: Preparation | None = None) -> Path:
    """Compile a source, for this CPU or for any of its architecture, or find it in the cache.

    Raises
    ------
    CompilerNotFoundError, BuildError
    """
    ready = preparation or Preparation(portable)
    try:
        return cache.build(source, ready.compiler.result(), support=support_source(), compiled=ready.support)
    except KeyboardInterrupt:
        stop_compilers()  # or `finish` waits for what is compiled beside it
        raise
    finally:
        ready.finish()


class Library:
    """One simulation inside a compiled library. Python's global lock is free while it runs.

    Attributes
    ----------
    threads : int
    step, run, flush : callable
        Run one timestep, or as many; bring every array up to date. They return whether there is an error or a
        warning to read, and are not to be called after `close`.
    """

    def __init__(self, path: Path, source: str, threads: int, flush_denormals: bool, portable: bool = False) -> None:
        functions = self._functions = _load(path, source, portable)
        self._handle = functions.snn_create(threads, flush_denormals)
        self._timestep = functions.snn_timestep(self._handle).contents
        # Nothing is looked up or converted when they are called: that would take longer than a small timestep.
        this = self._this = ctypes.c_void_p(self._handle)
        self.step: Callable[[], int] = partial(functions.snn_run, this, ctypes.c_uint64(1))
        self.run: Callable[[int], int] = partial(functions.snn_run, this)
        self.flush: Callable[[], int] = partial(functions.snn_flush, this)
        self.threads = int(functions.snn_threads(self._handle))
        if self.threads < threads:
            _log.warning("the operating system gives %d of the %d threads asked for", self.threads, threads)

    def watch(self, signals: WaitingSignals) -> None:
        """Give up a timestep that takes long when one of these signals waits."""
        self._signals = signals  # kept alive, as compiled code reads from it
        self._functions.snn_watch(self._handle, signals.file, ctypes.byref(signals.fatal))

    @property
    def torn(self) -> bool:
        """Whether a timestep was given up."""
        return bool(self._functions.snn_torn(self._handle))

    def heal(self) -> None:
        """Be whole after a timestep that was given up: another state is about to be put back."""
        self._functions.snn_heal(self._handle)

    def custom_update(self, number: int) -> Callable[[], int]:
        """Return what runs a group of custom updates, as `step` runs a timestep."""
        return partial(self._functions.snn_custom_update, self._this, ctypes.c_uint(number))

    @property
    def usable(self) -> bool:
        """Whether it has been neither closed nor abandoned."""
        return bool(self._handle)

    def bind(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Tell where the arrays are; they are kept alive as long as the simulation, which may work on them unseen."""
        self._arrays = list(arrays)
        pointers = (ctypes.c_void_p * max(len(arrays), 1))(*(a.ctypes.data for a in arrays))
        self._functions.snn_bind(self._handle, pointers)

    def configure(self, seed: int, recording_timesteps: int, timing: bool) -> None:
        """Set what is not compiled in."""
        self._functions.snn_configure(self._handle, seed, recording_timesteps, timing)

    def bind_host(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Tell where the host's copies are on which code works."""
        self._host_arrays = list(arrays)
        pointers = (ctypes.c_void_p * max(len(arrays), 1))(*(a.ctypes.data for a in arrays))
        self._functions.snn_bind_host(self._handle, pointers)

    def connect(self) -> None:
        """Make connectivity, where code does that."""
        self._functions.snn_connect(self._handle)

    def index_columns(self, connection: int) -> None:
        """List the columns of a connection anew, by number."""
        self._functions.snn_index_columns(self._handle, connection)

    def error(self) -> str | None:
        """Return what went wrong since this was asked last, if anything did."""
        text = self._functions.snn_error(self._handle)
        return text.decode() if text is not None else None

    def warning(self) -> str | None:
        """Return what may not be meant, once."""
        text = self._functions.snn_warning(self._handle)
        return text.decode() if text is not None else None

    def initialise(self) -> None:
        """Make the initial values of all variables that have an initialiser."""
        self._functions.snn_initialise(self._handle)

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""
        timestep: int = self._timestep.value
        return timestep

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        self._functions.snn_set_timestep(self._handle, timestep)

    def timers(self, number: int) -> list[float]:
        """Return the first timers [s]."""
        seconds = np.zeros(max(number, 1))
        self._functions.snn_timers(self._handle, seconds.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        return [float(s) for s in seconds[:number]]

    def close(self) -> None:
        """Free the simulation; nothing may be called after."""
        handle, self._handle = self._handle, None
        if handle:
            self._functions.snn_destroy(handle)
            _unload(self._functions)

    def abandon(self) -> None:
        """Leave the simulation as it is: in a fork of the process, which has memory, but no thread beside its own."""
        self._handle = None

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.close()


def _unload(functions: ctypes.CDLL) -> None:
    """Take a library out of memory, unless another simulation runs in it: the system counts who has loaded it."""
    unload = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)
    if unload is not None:
        unload(functions._handle)


def _load(path: Path, source: str, portable: bool) -> ctypes.CDLL:
    try:
        # Looked at once more: what has been cut short since it was built would end the process.
        if not is_whole(path):
            raise OSError("the stored file is damaged")
        functions = ctypes.CDLL(str(path))
    except OSError:
        # A full disk, a copied or emptied cache: compile once more.
        path = cache.build(source, find_compiler(portable), support=support_source(), force=True)
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
