"""Variables and extra global parameters as a user sees them: a host copy, and the way to and from the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.network import Location
from snnlearn.runtime import Simulation


class HostArray:
    """What variables and extra global parameters share.

    A value changes sides only by `push_to_device` and `pull_from_device`.
    """

    def __init__(self, location: Location, simulation: Callable[[], Simulation]) -> None:
        self.location = location
        self._simulation = simulation
        self._view: NDArray[Any] | None = None

    @property
    def name(self) -> str:
        """The variable's name."""
        return self.location.name

    @property
    def view(self) -> NDArray[Any]:
        """The host copy itself, shape (size,); synapses row-major. Changes reach the device with `push_to_device`.

        Raises
        ------
        LifecycleError
            Before ``load`` and after ``unload``.
        """
        if self._view is None:
            raise LifecycleError(f"{self.location} has no values until the model is loaded")
        return self._view

    @view.setter
    def view(self, values: ArrayLike) -> None:
        # For `variable.view[:] += x`, which assigns the view to itself.
        if values is not self._view:
            self.values = values

    @property
    def values(self) -> NDArray[Any]:
        """A copy of the host copy; assigning replaces what the host copy holds."""
        copy: NDArray[Any] = self.view.copy()
        return copy

    @values.setter
    def values(self, values: ArrayLike) -> None:
        array = np.asarray(values)
        if array.shape not in ((), self.view.shape):
            raise NetworkError(f"{self.location} has shape {self.view.shape}; got values of shape {array.shape}")
        self.view[:] = array

    current_view = view
    current_values = values

    def push_to_device(self) -> None:
        """Copy from host to device."""
        self._simulation().array(self.location)[:] = self.view

    def pull_from_device(self) -> None:
        """Copy from device to host."""
        self.view[:] = self._simulation().array(self.location)

    def _load(self) -> None:
        self._view = self._simulation().array(self.location).copy()

    def _unload(self) -> None:
        self._view = None


class Variable(HostArray):
    """A variable: one value for each neuron or synapse."""


class ExtraGlobalParameter(HostArray):
    """An array of any length, shared by a population."""

    def __init__(
        self, location: Location, simulation: Callable[[], Simulation], set_spec: Callable[[str, ArrayLike], None]
    ) -> None:
        super().__init__(location, simulation)
        self._set_spec = set_spec

    def set_init_values(self, values: ArrayLike) -> None:
        """Give the array that the simulation starts with.

        Parameters
        ----------
        values : array_like, one dimension

        Raises
        ------
        NetworkError
            For another shape, NaN, or values that the type cannot hold.
        LifecycleError
            Once the model is loaded.
        """
        if self._view is not None:
            raise LifecycleError(f"{self.location}: the model is loaded; change `view` and push it to the device")
        self._set_spec(self.name, values)
