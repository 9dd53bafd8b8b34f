"""Shrinking and stretching: each new pixel is the average of the area that it covers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MOST_WEIGHTS = 1 << 22  # of one matrix: 32 MB


class Averaging:
    """The weights with which old pixels make up new ones, along one edge of a picture.

    Parameters
    ----------
    size, new_size : int
        How many pixels the edge has, and is to have.
    step : int
        How many old pixels are wanted at a time at most.
    """

    def __init__(self, size: int, new_size: int, step: int) -> None:
        self.size, self.new_size = size, new_size
        self._whole: NDArray[np.float64] | None = None
        self.step = min(step, size)
        if size * new_size <= _MOST_WEIGHTS:
            self._whole = self._overlap(0, size, 0, new_size)
            self._whole /= self._whole.sum(axis=1, keepdims=True)
        else:
            # A band of the matrix: as many new pixels as so many old ones have a share in.
            self.step = max(1, min(self.step, math.isqrt(_MOST_WEIGHTS * size // max(size, new_size))))

    def parts(self) -> Iterator[tuple[slice, slice, NDArray[np.float64]]]:
        """Yield stretches of old pixels, the new pixels that they have a share in, and the weights, (new, old)."""
        for start in range(0, self.size, self.step):
            stop = min(start + self.step, self.size)
            old = slice(start, stop)
            if self._whole is not None:
                yield old, slice(None), self._whole[:, old]
                continue
            first = start * self.new_size // self.size
            end = min(-(-stop * self.new_size // self.size), self.new_size)
            yield old, slice(first, end), self._overlap(start, stop, first, end) / (self.size / self.new_size)

    def _overlap(self, start: int, stop: int, first: int, end: int) -> NDArray[np.float64]:
        """Return how much of each old pixel lies in each new one."""
        edges = np.linspace(0.0, self.size, self.new_size + 1)[first : end + 1]
        old = np.arange(start, stop)
        overlap: NDArray[np.float64] = np.minimum(edges[1:, None], old + 1.0)
        overlap -= np.maximum(edges[:-1, None], old)
        return np.clip(overlap, 0.0, None, out=overlap)
