"""The parts of arrays that are each neuron's own: whether they are in the array, and ascend.

Code takes an element for a time of the neuron's wherever ``begin`` and ``end`` are. What is loaded and pushed is looked
at before the next timestep runs: then all that belongs together is there, in whatever order it was pushed. What code
itself writes to ``begin`` and ``end`` is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import ArrayPart
from snnlearn.errors import NetworkError
from snnlearn.genn.arrays import ExtraGlobalParameter, Variable
from snnlearn.genn.protocols import GroupOfArrays, GroupOfParts
from snnlearn.network import Location
from snnlearn.runtime import Simulation


class PartCheck:
    """The check of one array's parts, for as long as a model is loaded.

    Parameters
    ----------
    group : NeuronGroup
    part : ArrayPart
    simulation : Simulation
        Just loaded: its initial values are checked here.

    Raises
    ------
    NetworkError
        For a neuron whose part is not in the array, or does not ascend.
    """

    def __init__(self, group: GroupOfArrays, part: ArrayPart, simulation: Simulation) -> None:
        self.group, self.part, self.simulation = group, part, simulation
        self.begin, self.end = (Location(group._key, "own", name) for name in (part.begin, part.end))
        self.array = Location(group._key, "egp", part.array)
        # What is on the device, where that is known; and what was found to be right, the last time.
        self._known: dict[Location, NDArray[Any]] = {}
        self._right: dict[Location, NDArray[Any]] = {}
        self._look_at_array(simulation.read(self.array))
        self.check(simulation.read)

    def note(self, at: Location, values: NDArray[Any]) -> None:
        """Have what was pushed checked before the next timestep."""
        if at == self.array:
            self._look_at_array(values)
        elif at in (self.begin, self.end):
            self._known[at] = values.copy()
            # A source that is rewound gets what it had.
            other = self.end if at == self.begin else self.begin
            if not self._moves(other) and np.array_equal(values, self._right.get(at, ())):
                return
        else:
            return
        self.simulation.check_before_running(self.check)

    def note_all(self) -> None:
        """Have everything checked before the next timestep: a state has been put back."""
        self._known.clear()
        self.simulation.check_before_running(self.check)

    def check(self, read: Callable[[Location], NDArray[Any]]) -> None:
        """Raise NetworkError for the first neuron with a part that is none."""
        self._check_places(self._places(self.begin, read), self._places(self.end, read))
        self._right = dict(self._known)
        for at in (self.begin, self.end):
            if self._moves(at):
                del self._known[at]

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise NetworkError where a part would be none in a state that is about to be put back."""
        begin, end = (self._shaped(at, state[at.key]) for at in (self.begin, self.end))
        self._check_places(begin, end)

    def _check_places(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        begin, end = np.broadcast_arrays(begin, end)
        inside = (begin <= end) & (end <= self._size) & (begin >= 0)
        if not inside.all():
            raise self._error(begin, end, ~inside, f"is not in the array, which has {self._size} element(s)")
        missing = self._missing[begin] < self._missing[end]
        if missing.any():
            raise self._error(begin, end, missing, "holds NaN")
        falls = self._falls[begin] < self._falls[np.maximum(end - 1, begin)]
        if falls.any():
            raise self._error(begin, end, falls, "does not ascend: sort it")

    def _moves(self, at: Location) -> bool:
        """Whether code writes to a variable."""
        return self.simulation.writes(at)

    def _look_at_array(self, values: NDArray[Any]) -> None:
        """Count, for each place of an array and the one behind it, the places before at which it does not ascend."""
        self._size = values.size
        self._falls = np.zeros(values.size + 1, np.int64)
        np.cumsum(~(values[1:] >= values[:-1]), out=self._falls[1:-1] if values.size else None)
        self._falls[-1] = self._falls[-2] if values.size else 0
        self._missing = np.append(0, np.cumsum(values != values))

    def _places(self, at: Location, read: Callable[[Location], NDArray[Any]]) -> NDArray[np.int64]:
        """Return where parts begin or end, shape (copies, neurons or 1)."""
        if at not in self._known:
            self._known[at] = read(at).copy()
        return self._shaped(at, self._known[at])

    def _shaped(self, at: Location, values: NDArray[Any]) -> NDArray[np.int64]:
        return values.astype(np.int64).reshape(-1, self.simulation.network.variables[at].size)

    def _error(
        self, begin: NDArray[np.int64], end: NDArray[np.int64], wrong: NDArray[np.bool_], why: str
    ) -> NetworkError:
        copy, neuron = np.argwhere(wrong)[0]
        part = f"'{self.part.array}[{begin[copy, neuron]}:{end[copy, neuron]}]'"
        return NetworkError(
            f"neuron population '{self.group.name}': neuron {neuron}'s part of an array, {part} by its "
            f"'{self.part.begin}' and '{self.part.end}', {why}"
        )


class PartVariable(Variable):
    """A variable that says where neurons' parts of an array begin or end."""

    group: GroupOfParts

    def push_to_device(self) -> None:
        """Copy from host to device; checked before the next timestep runs."""
        super().push_to_device()
        _note(self)


class PartArray(ExtraGlobalParameter):
    """An array of which neurons have parts of their own."""

    group: GroupOfParts

    def push_to_device(self) -> None:
        """Copy from host to device; checked before the next timestep runs."""
        super().push_to_device()
        _note(self)


def _note(array: PartVariable | PartArray) -> None:
    array.group._note_pushed(array.location, array._loaded().reshape(-1))
