"""The numbers that say which rows a timestep writes and plays: the host sets them, compiled code reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import LifecycleError
from snnlearn.network import Location, Network
from snnlearn.network.keys import called

_WRAP = 1 << 64  # the numbers are unsigned, and differences of timesteps wrap around
NO_LIMIT = _WRAP - 1


def signed(number: int) -> int:
    """Return a difference of timesteps, which may be below zero."""
    number %= _WRAP
    return number - _WRAP if number >= _WRAP // 2 else number


class WithRows(Protocol):
    """A simulation, as its recorders and players see it."""

    network: Network

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded."""

    def read(self, at: Location) -> NDArray[Any]:
        """Return an array's values, which are not to be changed."""

    def name_of(self, at: Location) -> str:
        """Return the name that the plan knows an array by."""

    def memory(self, name: str) -> Any:
        """Return an array of the plan on the device."""

    def held(self, at: Location) -> NDArray[Any]:
        """Return what an array holds now, within a run too; what is put off stays so."""

    def write(self, at: Location, values: NDArray[Any]) -> None:
        """Replace all values of an array by as many others."""

    def set_extra_global_params(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        """Replace arrays by others of any length."""

    def share(self, at: Location, source: Any, there: Location) -> None:
        """Have an array be another simulation's."""

    def settle(self, why: str) -> None:
        """Wait until nothing is at work on its arrays; LifecycleError where another thread runs it."""


class RowNumbers:
    """A few numbers of a simulation that compiled code reads."""

    def __init__(self, simulation: WithRows, at: Location) -> None:
        self._of = ref(simulation)
        self._at = at
        self._last: tuple[int, ...] = ()

    @property
    def simulation(self) -> WithRows:
        """The simulation; LifecycleError where it is gone."""
        found = self._of()
        if found is None or found.closed:
            raise LifecycleError(
                f"the model of '{called(self._at.group)}' has been unloaded, and what it recorded went with it"
            )
        return found

    def write(self, *numbers: int) -> None:
        """Replace the numbers."""
        if numbers != self._last:
            self.simulation.write(self._at, np.array([number % _WRAP for number in numbers], np.uint64))
            self._last = numbers
