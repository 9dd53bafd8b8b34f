"""An array on a device."""

from __future__ import annotations

from copy import copy
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.runtime.cuda.device import Device


class Buffer:
    """Zeros on a device, to begin with.

    Attributes
    ----------
    array : array of the device, shape (size,)
    pointer : int
        Its address, which an empty one has too: a read through no address at all ends everything that the process has
        on the device.
    """

    def __init__(self, device: Device, size: int, dtype: str) -> None:
        memory = device.zeros(max(size, 1), dtype)
        self.array: Any = memory[:size]
        self.pointer = device.pointer(memory)
        self._device, self._size, self._dtype = device, size, dtype

    def moved_to(self, memory: Any) -> Buffer:
        """Return a buffer of the same size and type in other memory of the device."""
        moved = copy(self)
        moved.array, moved.pointer = memory, self._device.pointer(memory)
        return moved

    def __len__(self) -> int:
        return self._size

    def write(self, values: NDArray[Any]) -> None:
        """Replace all values by as many others."""
        if self._size:
            self._device.write(self.array, np.ascontiguousarray(values, self._dtype))

    def read(self) -> NDArray[Any]:
        """Return a copy; synchronises."""
        return self._device.read(self.array) if self._size else np.empty(0, self._dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.read().astype(dtype or self._dtype, copy=False)

    def __setitem__(self, every: EllipsisType, values: NDArray[Any]) -> None:
        self.write(values)
