"""A simulation on the CPU: NumPy arrays, and the compiled library that works on them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.reports import TORN, describe
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.network import Location, Network
from snnlearn.runtime.library import Library
from snnlearn.runtime.simulation import Simulation
from snnlearn.runtime.sizes import check_recorded, check_room, first_size, placed
from snnlearn.runtime.waiting_signals import waiting_signals

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_LARGE = 1 << 24  # bytes


class CpuSimulation(Simulation):
    """A network in the CPU's memory.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    source : str
        What the plan was emitted as.
    library : Path
        What the source was compiled to.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    threads : int
    flush_denormals : bool
    timing : bool
    portable : bool
        Whether the library was compiled for any CPU of the architecture.
    """

    _turn = 1
    _turn_is_timed = True
    _reentrant = True  # Python code comes between compiled functions, never into one

    def __init__(
        self,
        network: Network,
        plan: Plan,
        source: str,
        library: Path,
        *,
        seed: int = 0,
        recording_timesteps: int = 0,
        threads: int = 1,
        flush_denormals: bool = True,
        timing: bool = False,
        portable: bool = False,
    ) -> None:
        super().__init__(network, plan, recording_timesteps)
        self._column_numbers = {name: number for number, name in enumerate(plan.column_indexing)}
        check_recorded(plan, network)
        self._arrays = {a.name: self._allocate(a) for a in plan.arrays}
        self._library: Library | None = Library(library, source, threads, flush_denormals, portable)
        self._bind()
        self._take_calls(self._library)
        self._signals = waiting_signals()
        self._open().watch(self._signals)
        self._open().configure(seed, recording_timesteps, timing)
        self._start(seed)

    def _allocate(self, array: Array) -> NDArray[Any]:
        size = first_size(array, self.network, self.recording_timesteps)
        dtype = array.type.dtype_for(self.plan.precision)
        try:
            values = aligned_zeros(size + 1, dtype)[:size]  # code may look at the first element of an empty one
            if array.location.space.startswith("recorded"):
                values[:] = 0  # the system gives memory when it is first written to: not while timesteps run
            return values
        except (MemoryError, ValueError, OverflowError):
            needed = size * np.dtype(dtype).itemsize
            raise NetworkError(f"there is no memory for {array.location}: it takes {needed:,} bytes") from None

    def _bind(self) -> None:
        self._open().bind([self._arrays[a.name] for a in self.plan.arrays])

    def _take_calls(self, library: Library) -> None:
        self._step, self._run = library.step, library.run
        self.updates = {name: library.custom_update(n) for n, name in enumerate(self.plan.custom_updates)}
        deferred = any(kernel.deferral is not None for kernel in self.plan.step)
        self._flush = library.flush if deferred else None

    def _attend(self) -> None:
        self._signals.attend()

    def need_whole(self) -> None:
        """Raise NetworkError where a run was given up in the midst of a timestep."""
        if self._open().torn:
            raise NetworkError(describe(TORN, "the simulation", 0, 0))

    def _heal(self) -> None:
        self._open().heal()

    def _refuse(self, why: str) -> None:
        """Have every later call raise LifecycleError, for this reason."""
        refuse = partial(_raise, why)
        self._why_unusable: str = why
        self._step = self._run = self._flush = refuse
        self.updates = dict.fromkeys(self.updates, refuse)

    def _live(self, at: Location) -> NDArray[Any]:
        self._flush_and_check()
        array: NDArray[Any] = self._arrays[self._by_location[at].name]
        return array

    def _read(self, at: Location) -> NDArray[Any]:
        return self._live(at)

    def _copy(self, at: Location) -> NDArray[Any]:
        copy: NDArray[Any] = self._live(at).copy()
        return copy

    def _write(self, at: Location, values: NDArray[Any]) -> None:
        self._live(at)[:] = values

    def _device_array(self, at: Location) -> NDArray[Any]:
        return self._live(at)

    def _replace(self, given: Iterable[tuple[Array, NDArray[Any]]]) -> None:
        self._flush_and_check()
        for array, values in given:
            # One element more, so that an empty array has an address.
            fresh = aligned_zeros(len(values) + 1, array.type.dtype_for(self.plan.precision))[: len(values)]
            fresh[:] = values
            self._arrays[array.name] = fresh
        self._bind()

    def _adopt(self, name: str, memory: Any) -> None:
        array = np.from_dlpack(memory)
        # NumPy before 2.1 takes what comes this way for read-only.
        self._arrays[name] = (array if array.flags.writeable else np.asarray(memory)).reshape(-1)

    def _settle(self) -> None:
        self._open()

    def memory(self, name: str) -> NDArray[Any]:
        """Return an array of the plan."""
        array: NDArray[Any] = self._arrays[name]
        return array

    def held(self, at: Location) -> NDArray[Any]:
        """Return what an array holds now."""
        array: NDArray[Any] = self._arrays[self._by_location[at].name]
        return array

    def gather(self, names: tuple[str, ...]) -> NDArray[Any]:
        """Put arrays next to each other, each on a cache line of its own, and return their memory as bytes."""
        places = placed([self._arrays[name].nbytes for name in names])
        pool = aligned_zeros(places[-1], "uint8")
        for name, place in zip(names, places, strict=False):
            old = self._arrays[name]
            self._arrays[name] = pool[place : place + old.nbytes].view(old.dtype)
            self._arrays[name][:] = old
        self._bind()
        return pool

    def new_bytes(self, number: int, what: str) -> NDArray[Any]:
        """Return new memory."""
        check_room(number, what)
        values = aligned_zeros(number, "uint8")
        values[:] = 0  # as in `_allocate`
        return values

    def copy_of(self, memory: NDArray[Any], what: str) -> NDArray[Any]:
        """Return a copy of memory, which need not be aligned."""
        if memory.nbytes > _LARGE:  # the system is not asked for each of many small ones
            check_room(memory.nbytes, what)
        copy: NDArray[Any] = memory.reshape(-1).view("uint8").copy()
        return copy

    def copy_bytes(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        """Copy memory."""
        target[...] = source

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded, or stayed behind in another process."""
        return self._library is None or not self._library.usable

    def _connect(self) -> None:
        self._open().connect()

    def _index_columns(self, group: str) -> None:
        self._open().index_columns(self._column_numbers[group])

    def _initialise(self) -> None:
        self._open().initialise()

    def _bind_host(self) -> None:
        self._open().bind_host(list(self._host_arrays.values()))

    def _time(self) -> int:
        # The compiled code keeps it: an interrupted run cannot part the two.
        return self._open().timestep

    def _set_time(self, timestep: int) -> None:
        self._open().timestep = timestep

    def _reports(self) -> tuple[str | None, str | None]:
        library = self._open()
        return library.error(), library.warning()

    def _timers(self) -> dict[str, float]:
        library = self._open()
        self._flush_and_check()
        return dict(zip(self.plan.timers, library.timers(len(self.plan.timers)), strict=True))

    def _close(self) -> None:
        library, self._library = self._library, None
        if library is not None:
            self._refuse("the simulation has been unloaded")
            library.close()
        self._arrays = {}

    def _forked(self, torn: bool) -> None:
        super()._forked(torn)
        library = self._library
        if library is None or not (torn or library.threads > 1):
            return
        what = "another thread was at work on it" if torn else "its threads stayed behind"
        self._refuse(f"the simulation was loaded before this process was forked, and {what}: {_AFTER_FORK[torn]}")
        library.abandon()

    def _flush_and_check(self) -> None:
        """Flush deferred kernels, and report the errors and warnings of their code."""
        self._open()
        if self._flush is not None and self._flush():
            self._check()

    def _open(self) -> Library:
        if self._library is None or not self._library.usable:
            raise LifecycleError(self._why_unusable)
        return self._library


_AFTER_FORK = {False: "load it in this process, or with threads=1", True: "load it in this process"}


def _raise(why: str, *_: object) -> NoReturn:
    raise LifecycleError(why)


def aligned_zeros(size: int, dtype: str) -> NDArray[Any]:
    """Return zeros of shape (size,) that start on a cache line."""
    nbytes = size * np.dtype(dtype).itemsize
    memory = np.zeros(nbytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + nbytes].view(dtype)
