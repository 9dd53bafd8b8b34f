"""A simulation whose arrays are NumPy's, whatever works on them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.errors import NetworkError
from snnlearn.network import Location, Network
from snnlearn.runtime.simulation import Simulation
from snnlearn.runtime.sizes import check_recorded, check_room, first_size, placed

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_LARGE = 1 << 24  # bytes


class HostSimulation(Simulation):
    """A network in the memory of this process.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    """

    def __init__(self, network: Network, plan: Plan, recording_timesteps: int) -> None:
        super().__init__(network, plan, recording_timesteps)
        check_recorded(plan, network)
        self._arrays: dict[str, NDArray[Any]] = {a.name: self._allocate(a) for a in plan.arrays}

    @abstractmethod
    def _flush_and_check(self) -> None:
        """Flush deferred kernels, and report the errors and warnings of their code; LifecycleError once unloaded."""

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


def aligned_zeros(size: int, dtype: str) -> NDArray[Any]:
    """Return zeros of shape (size,) that start on a cache line."""
    nbytes = size * np.dtype(dtype).itemsize
    memory = np.zeros(nbytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + nbytes].view(dtype)
