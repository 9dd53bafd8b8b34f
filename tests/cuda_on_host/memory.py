"""Arrays between guards: what a kernel writes just outside one is found."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuda_on_host.errors import LaunchError
from cuda_on_host.scheduler import scheduler

_GUARD = 256  # bytes before and behind each array; a multiple of any alignment


class GuardedMemory:
    """A device's memory.

    Parameters
    ----------
    size : int
        Bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._arrays: dict[int, tuple[int, Any]] = {}  # by address: the length in bytes, and a reference to keep
        self._guards: NDArray[np.uint64] | None = None  # of all arrays, each an address and a length

    def free(self) -> int:
        """Return how many bytes are left."""
        return self._size - sum(length for length, _ in self._arrays.values())

    def zeros(self, size: int, dtype: str) -> NDArray[Any]:
        """Return a new array, aligned as CUDA does.

        Raises
        ------
        MemoryError
            As CuPy does, in its own way.
        """
        length = size * np.dtype(dtype).itemsize
        if length > self.free():
            raise MemoryError(f"{length} bytes are asked for, and {self.free()} are free")
        room = np.empty(length + 3 * _GUARD, np.uint8)
        scheduler().snn_host_fill(room.ctypes.data, room.nbytes)
        start = -room.ctypes.data % _GUARD + _GUARD
        room[start : start + length] = 0
        address = room.ctypes.data + start
        # All views of the array keep `room` alive, but not the array that is returned.
        self._arrays[address] = length, weakref.ref(room, lambda _: self._forget(address))
        self._guards = None
        array: NDArray[Any] = np.ndarray(size, dtype, room, start)
        return array

    def check(self, moment: str) -> None:
        """See whether the memory around all arrays is as it was.

        Raises
        ------
        LaunchError
        """
        if self._guards is None:
            rows = [
                row
                for address, (length, _) in self._arrays.items()
                for row in [(address - _GUARD, _GUARD), (address + length, _GUARD)]
            ]
            self._guards = np.array(rows, np.uint64).reshape(-1, 2)
        guards = self._guards
        damaged = scheduler().snn_host_damaged(guards.ctypes.data, len(guards))
        if damaged >= 0:
            side, address = ("behind", guards[damaged - 1]) if damaged % 2 else ("before", guards[damaged])
            start = int(address[0]) + _GUARD
            self._guards = None
            length, _ = self._arrays.pop(start)  # say it once
            raise LaunchError(f"{moment}: memory {side} an array, of {length} bytes at {start:#x}, was written")

    def _forget(self, address: int) -> None:
        self._arrays.pop(address, None)
        self._guards = None
