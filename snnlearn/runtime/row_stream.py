"""Rows of a recorder that go to a file before the ring comes round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from snnlearn.io.rows import TIMES, RowFile
from snnlearn.network import Location, Record


class Ring(Protocol):
    """A recorder, as its stream sees it."""

    record: Record

    @property
    def count(self) -> int:
        """How many timesteps it has recorded; below zero before its first."""

    @property
    def rows_written(self) -> int:
        """How many rows have been begun."""

    def timesteps(self, counts: range) -> Iterator[int]:
        """Yield the timesteps that these counts were."""

    def rows(self, at: Location, counts: range, settled: bool = True) -> NDArray[Any]:
        """Return copies of the rows of an array that belong to these counts."""


class RowStream:
    """Copies each row to a file once, in order.

    Parameters
    ----------
    recorder : Ring
    file : RowFile
    tracks : mapping of str to Location
        What to copy, by its name in the file.
    dt : float
        Timestep [ms].
    """

    def __init__(self, recorder: Ring, file: RowFile, tracks: Mapping[str, Location], dt: float) -> None:
        self._recorder, self._file, self._tracks, self._dt = recorder, file, dict(tracks), dt
        self._next = recorder.rows_written  # the first row that is not in the file
        self.rows = 0

    def room(self) -> int:
        """Return for how many timesteps there is room, after rows have been copied where there was none."""
        left = self._left()
        if left <= 0:
            self.drain()
            left = self._left()
        return left

    def _left(self) -> int:
        recorder = self._recorder
        return (self._next + recorder.record.rows) * recorder.record.every - recorder.count

    def drain(self) -> None:
        """Copy the rows that are not in the file yet."""
        recorder, every = self._recorder, self._recorder.record.every
        end = recorder.rows_written
        if end <= self._next:
            return
        counts = range(self._next * every, (end - 1) * every + 1)
        rows = {name: recorder.rows(at, counts, settled=False) for name, at in self._tracks.items()}
        times = self._dt * np.array([*recorder.timesteps(counts)][::every], float)
        # Ctrl-C may come within: `close` then adds the same rows at the same place.
        self._file.append({**rows, TIMES: times}, self.rows)
        self.rows, self._next = self.rows + end - self._next, end

    def follow(self) -> None:
        """Go on with the rows that the recorder writes from now on, wherever it is."""
        self._next = self._recorder.rows_written

    def close(self) -> None:
        """Copy what is left and close the file."""
        try:
            self.drain()
        finally:
            self._file.close()
