"""A plan's arrays as emitted Python sees them: plain sequences of numbers, for one copy of a batch and one timestep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.plan.history import words_of
from snnlearn.codegen.reports import REPORT_KINDS, describe
from snnlearn.declare.types import limits
from snnlearn.runtime.reference.numbers import OPERATIONS

_KINDS = {kind.name: number for number, kind in enumerate(REPORT_KINDS)}
_WRAP = 1 << 64


def _view(values: Any) -> memoryview:
    """Return an array as a sequence of Python's numbers."""
    return memoryview(values)


class Memory:
    """The arrays of a simulation, and what its code reports.

    Parameters
    ----------
    plan : Plan
    arrays, host_arrays : mapping of str to ndarray
        By the plan's names: the device's, and the host's copies.
    recording_timesteps : int
    """

    def __init__(
        self,
        plan: Plan,
        arrays: Mapping[str, NDArray[Any]],
        host_arrays: Mapping[str, NDArray[Any]],
        recording_timesteps: int,
    ) -> None:
        self.plan, self.arrays, self.host_arrays = plan, arrays, host_arrays
        self.recording_timesteps = recording_timesteps
        self.error: str | None = None
        self.warning: str | None = None
        self.warned = False

    # ---- elements ----

    def copy(self, name: str, batch: int) -> memoryview:
        """Return all that one copy of a batch has of an array."""
        array, values = self.plan.array(name), _view(self.arrays[name])
        if array.size is None or not array.batched or self.plan.batch_size == 1:
            return values
        number = array.size * array.slots
        return values[batch * number : (batch + 1) * number]

    def slots(self, name: str, batch: int) -> list[memoryview]:
        """Return an array at each time that is kept of it, the newest first."""
        array, values = self.plan.array(name), self.copy(name, batch)
        if array.size is None or array.slots == 1:
            return [values]
        newest = self._newest(array)
        places = [(newest - ago) % array.slots * array.size for ago in range(array.slots)]
        return [values[place : place + array.size] for place in places]

    def slot(self, name: str, batch: int = 0, ago: int = 0) -> memoryview:
        """Return an array as it was some timesteps ago."""
        return self.slots(name, batch)[ago]

    def _newest(self, array: Array) -> int:
        assert array.queue is not None
        return int(self.arrays[array.queue][0])

    def advance(self, queue: str, slots: int) -> None:
        """Let the oldest slot of some arrays become the newest."""
        self.arrays[queue][0] = (int(self.arrays[queue][0]) + 1) % slots

    def host(self, name: str) -> memoryview:
        """Return the host's copy of an array."""
        return _view(self.host_arrays[name])

    def transfer(self, name: str, to_device: bool, count: int) -> None:
        """Copy elements from the host to the device, or back."""
        source, target = self.host_arrays[name], self.arrays[name]
        if not to_device:
            source, target = target, source
        target[:count] = source[:count]

    def fill(self, name: str, value: float) -> None:
        """Set all elements of an array."""
        self.arrays[name][:] = value

    # ---- spikes and rows ----

    def list_spikes(
        self,
        spikes: str,
        count: str,
        recording: str | None,
        batch: int,
        spiking: Sequence[int],
        size: int,
        timestep: int,
    ) -> None:
        """Note which neurons have spiked in this timestep."""
        listed = self.slot(spikes, batch)
        for number, neuron in enumerate(spiking):
            listed[number] = neuron
        self.slot(count, batch)[0] = len(spiking)
        if recording is not None:
            words = self.arrays[recording].reshape(self.recording_timesteps, -1, words_of(size))
            row = words[timestep % self.recording_timesteps, batch]
            row[:] = 0
            for neuron in spiking:
                row[neuron // 32] |= np.uint32(1 << (neuron % 32))

    def recorded_row(self, numbers: str, timestep: int, every: int, batch: int) -> int | None:
        """Return which row of recorded values a timestep writes, if any."""
        base, limit, rows = (int(x) for x in self.arrays[numbers])
        count = (timestep - base) % _WRAP
        if count >= limit or count % every != 0:
            return None
        return (count // every) % rows * self.plan.batch_size + batch

    def write_row(self, rows: str, row: int, values: Any) -> None:
        """Put values into a row."""
        found = np.asarray(values, self.arrays[rows].dtype)
        self.arrays[rows][row * found.size : (row + 1) * found.size] = found

    def played_row(
        self, numbers: str, rows: str, batch: int, size: int, timestep: int, *, every: int, reverse: bool, bits: bool
    ) -> memoryview:
        """Return the row of values that a timestep takes: that of zeros, behind the others, where there is none."""
        begin, held, first, number = (int(x) for x in self.arrays[numbers])
        age, width = (timestep - begin) % _WRAP, words_of(size) if bits else size
        row = number
        if age < held:
            steps = age // every
            row = (first + (number - steps if reverse else steps)) % _WRAP
            row = row if row < number else row - number
        start = (row * self.plan.batch_size + batch) * width
        return _view(self.arrays[rows])[start : start + width]

    # ---- connectivity ----

    def rows(
        self,
        row_length: str,
        ind: str,
        kernel_ind: str | None,
        moved: tuple[str, ...],
        pre: int,
        post: int,
        stride: int,
        title: str,
    ) -> Rows:
        """Return the rows of sparse connectivity, to be made or changed."""
        return Rows(self, row_length, ind, kernel_ind, moved, pre, post, stride, title)

    def index_columns(
        self, row_length: str, ind: str, start: str, synapses: str, pre: int, post: int, stride: int
    ) -> None:
        """List each postsynaptic neuron's synapses, in the order of the presynaptic neurons."""
        columns: list[list[int]] = [[] for _ in range(post)]
        for i in range(pre):
            for s in range(i * stride, i * stride + int(self.arrays[row_length][i])):
                columns[int(self.arrays[ind][s])].append(s)
        begin = 0
        for j, column in enumerate(columns):
            self.arrays[start][j] = begin
            self.arrays[synapses][begin : begin + len(column)] = column
            begin += len(column)
        self.arrays[start][post] = begin

    # ---- reports ----

    def check(self, fine: bool, kind: str, where: str, a: float = 0, b: int = 0) -> bool:
        """Return whether all is well; what goes wrong first is kept for whoever asks."""
        if not fine and self.error is None:
            self.error = describe(_KINDS[kind], where, a, b)
        return fine

    def fit(self, value: Any, dtype: str, where: str) -> Any:
        """Return a number as one of another type; where that has no place for it, zero, and a report."""
        low, high = limits(np.dtype(dtype))
        kind = np.dtype(dtype).kind
        if kind == "f":
            rounded = float(np.float32(value)) if abs(value) <= high or not np.isfinite(value) else None
            fine = rounded is not None
        else:
            fine = value == value and (low <= value <= high if kind == "b" else low - 1 < value < high + 1)
            rounded = None if not fine else bool(value) if kind == "b" else int(value)
        return rounded if self.check(fine, "BEYOND_THE_TYPE", where, value) else 0

    def delay(self, steps: int, slots: int, around: int, where: str) -> int:
        """Return a number of timesteps that a queue has room for; of another one, what is left after going around."""
        if 0 <= steps < slots:
            return int(steps)
        if not self.warned:
            self.warned, self.warning = True, describe(_KINDS["BEYOND_THE_QUEUE"], where, steps, around)
        return int(steps) % (1 << 32) % around

    def checked_index(self, index: Any, length: int, where: str) -> Any:
        """Return an index, or zero and a report where there is no such element."""
        return index if self.check(0 <= index < length, "BEYOND_THE_ARRAY", where, index, length) else 0

    def checked_count(self, count: Any, length: int, where: str) -> Any:
        """Return a number of elements, or zero and a report where there are fewer."""
        return count if self.check(0 <= count <= length, "BEYOND_THE_ARRAY", where, count, length) else 0

    def checked(self, op: str, a: int, b: int, dtype: str, where: str) -> int:
        """Return the result of a division or a shift, or zero and a report where there is none."""
        low = limits(np.dtype(dtype))[0]
        if op in ("/", "%"):
            fine = self.check(b != 0 and not (low < 0 and b == -1 and a == low), "NO_QUOTIENT", where, a, b)
        else:
            width = np.dtype(dtype).itemsize * 8
            fine = self.check(0 <= b < width, "BEYOND_THE_BITS", where, b, width)
        return int(OPERATIONS[op](a, b)) if fine else 0


class Rows:
    """The synapses of sparse connectivity, row by row, while code makes or changes them; see `Memory.rows`."""

    def __init__(
        self,
        memory: Memory,
        row_length: str,
        ind: str,
        kernel_ind: str | None,
        moved: tuple[str, ...],
        pre: int,
        post: int,
        stride: int,
        title: str,
    ) -> None:
        self._memory, self._title = memory, title
        self._pre, self._post, self._stride = pre, post, stride
        self._lengths, self._ind = memory.arrays[row_length], memory.arrays[ind]
        self._kernel_ind = None if kernel_ind is None else memory.arrays[kernel_ind]
        copies = range(memory.plan.batch_size)
        self._values = {
            name: [memory.copy(name, n) for n in copies if n == 0 or memory.plan.array(name).batched] for name in moved
        }
        self._at: list[int] = []  # the places in their rows of the loops that go on

    def clear(self) -> None:
        """Empty all rows."""
        self._lengths[:] = 0

    def synapses(self, i: int) -> Iterator[tuple[int, int]]:
        """Yield the synapses of a row and their postsynaptic neurons; one that takes a removed one's place is next."""
        at = len(self._at)
        self._at.append(0)
        try:
            while self._at[at] < self._lengths[i]:
                s = i * self._stride + self._at[at]
                yield s, int(self._ind[s])
                self._at[at] += 1
        finally:
            del self._at[at:]

    def connect(self, i: int, j: int, kernel: int) -> None:
        """Append a synapse to a row that is being made."""
        check, title = self._memory.check, self._title
        if not check(i < self._pre and j < self._post, "NO_SUCH_NEURON", title, i, j):
            return
        # Beyond the end of the row synapses are counted: that many there must be room for.
        n = int(self._lengths[i])
        self._lengths[i] += 1
        if not check(n < self._stride, "ROW_IS_FULL", title, i, self._stride):
            return
        self._ind[i * self._stride + n] = j
        if self._kernel_ind is not None:
            self._kernel_ind[i * self._stride + n] = kernel

    def add(self, i: int, j: int, values: Sequence[tuple[str, Any]]) -> None:
        """Append a synapse with its values to a row; its other variables are zero."""
        check, n, title = self._memory.check, int(self._lengths[i]), self._title
        if not check(j < self._post, "NO_SUCH_NEURON", title, i, j):
            return
        if not check(n < self._stride, "ROW_IS_FULL", title, i, self._stride):
            return
        s = i * self._stride + n
        self._lengths[i] += 1
        self._ind[s] = j
        for name, value in [*((name, 0) for name in self._values), *values]:
            for copy in self._values[name]:
                copy[s] = value

    def remove(self, i: int, s: int) -> None:
        """Let a row's last synapse take the place of one that is removed."""
        if self._lengths[i] == 0:
            return  # removed twice
        self._lengths[i] -= 1
        last = i * self._stride + int(self._lengths[i])
        self._ind[s] = self._ind[last]
        for copies in self._values.values():
            for copy in copies:
                copy[s] = copy[last]
        self._at[-1] -= 1
