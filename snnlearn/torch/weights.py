"""Parameters of a module as memory of an engine, and what a pass back gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container
from typing import Any

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from snnlearn.errors import TorchError
from snnlearn.genn import GeNNModel
from snnlearn.genn.adjoint_network import AdjointNetwork
from snnlearn.grad.synapses import gradient_of
from snnlearn.network import Location
from snnlearn.runtime import Simulation


class Weights(ABC):
    """A parameter.

    Parameters
    ----------
    simulation : Simulation
    at : Location
    shape : tuple of int
        Of the parameter.
    """

    def __init__(self, simulation: Simulation, at: Location, shape: tuple[int, ...]) -> None:
        self.simulation, self.at, self.shape = simulation, at, shape

    def memory(self) -> Tensor:
        """Return the engine's array, without a copy, flat."""
        return from_dlpack(self.simulation.memory(self.simulation.name_of(self.at)))

    @abstractmethod
    def first(self) -> Tensor:
        """Return the values that the engine has, as a new tensor."""

    @abstractmethod
    def take(self, values: Tensor, *, lasting: bool) -> None:
        """Have the engine use values; ``lasting`` where what timesteps change is another run's already."""

    @abstractmethod
    def gradient(self, network: AdjointNetwork) -> Tensor:
        """Return what a pass gave, in the parameter's shape, as a new tensor."""


class SharedWeights(Weights):
    """Variables that timesteps only read, stored without gaps: the parameter's memory is the engine's."""

    def first(self) -> Tensor:
        """Return the values that the engine has."""
        return self.memory().clone().reshape(self.shape)

    def take(self, values: Tensor, *, lasting: bool) -> None:
        """Have the engine's memory be that of the values, unless they are not stored one after the other."""
        values = values.contiguous()  # a copy, for a view of the memory in another order
        if self.memory().data_ptr() != values.data_ptr():
            self.simulation.adopt(self.at, values.reshape(-1))


class DenseWeights(SharedWeights):
    """Weights of synapses from all to all neurons, or elements of a kernel."""

    def gradient(self, network: AdjointNetwork) -> Tensor:
        """Return what a pass gave."""
        c = network.parts.connections.get(self.at.group)
        if c is None:
            return torch.zeros_like(self.memory()).reshape(self.shape)
        if not network.rows[self.at.group].dense:
            return _like(self.memory(), -network.gradient(self.at.group, self.at.name), self.shape)
        summed = network.synapses[self.at.group].vars[gradient_of(self.at.name, c.wrt)].device_array
        copies = from_dlpack(summed).reshape(-1, *self.shape)
        return copies.sum(0).neg_()


class SparseWeights(Weights):
    """Weights of sparse connectivity, which the engine stores with gaps at the ends of rows: they are copied.

    Parameters
    ----------
    simulation : Simulation
    at : Location
    places : Tensor of int64, shape (synapses,)
        Where in memory each is.
    """

    def __init__(self, simulation: Simulation, at: Location, places: Tensor) -> None:
        super().__init__(simulation, at, (len(places),))
        self._places = places

    def first(self) -> Tensor:
        """Return the values that the engine has."""
        return self.memory()[self._places]

    def take(self, values: Tensor, *, lasting: bool) -> None:
        """Copy values."""
        self.memory()[self._places] = values

    def gradient(self, network: AdjointNetwork) -> Tensor:
        """Return what a pass gave."""
        if self.at.group not in network.parts.connections:
            return self.memory().new_zeros(self.shape)
        return _like(self.memory(), -network.gradient(self.at.group, self.at.name), self.shape)


class NeuronWeights(SharedWeights):
    """Variables of neurons that nothing writes."""

    def gradient(self, network: AdjointNetwork) -> Tensor:
        """Return what a pass gave, summed over the copies of a batch that share a value."""
        reversal = network.parts.neurons.get(self.at.group)
        if reversal is None or self.at.name not in reversal.states:
            return self.memory().new_zeros(self.shape)
        group = network.neurons[self.at.group]
        found = from_dlpack(group.vars[reversal.states[self.at.name]].device_array)
        return found.reshape(-1, *self.shape).sum(0)


class FirstValues(NeuronWeights):
    """What variables of neurons start with: a run changes them, so they are copied.

    Parameters
    ----------
    simulation : Simulation
    at : Location
    shape : tuple of int
    slots : int
        How many timesteps of them are kept.
    """

    def __init__(self, simulation: Simulation, at: Location, shape: tuple[int, ...], slots: int) -> None:
        super().__init__(simulation, at, shape)
        self._slots = slots

    def first(self) -> Tensor:
        """Return the values that the engine has."""
        return self._by_slot()[:, 0].clone().reshape(self.shape)

    def take(self, values: Tensor, *, lasting: bool) -> None:
        """Copy values, at the beginning."""
        if not lasting:
            slots = self._by_slot()
            slots.copy_(values.reshape(len(slots), 1, -1).expand_as(slots))

    def _by_slot(self) -> Tensor:
        memory = self.memory()
        return memory.reshape(-1, self._slots, self.shape[-1])


class DynamicParameter(SharedWeights):
    """A dynamic parameter of a population, one number."""

    def gradient(self, network: AdjointNetwork) -> Tensor:
        """Return what a pass gave."""
        return torch.full_like(self.memory(), network.summed(self.at.group, self.at.name)).reshape(self.shape)


def weights_of(model: GeNNModel, simulation: Simulation, at: Location, changed: Container[str]) -> Weights:
    """Return a parameter of a loaded model, given the names of the arrays that timesteps change.

    Raises
    ------
    TorchError
        For what has no gradient in an engine.
    """
    array = simulation.plan.array(simulation.name_of(at))
    if array.type.kind != "float":
        raise TorchError(f"{at} is of type {array.type.name}: only floating-point numbers have gradients")
    copies = simulation.network.batch_size if array.batched else 1
    if at.space == "synapse":
        return _synaptic(model, simulation, at, copies > 1 or array.name in changed)
    if at.space == "param":
        return DynamicParameter(simulation, at, (1,))
    if at.space == "own":
        size = simulation.network.variables[at].size
        shape = (copies, size) if array.batched else (size,)
        if array.name in changed:
            return FirstValues(simulation, at, shape, array.slots)
        return NeuronWeights(simulation, at, shape)
    raise TorchError(f"{at} cannot be a parameter of an EngineModule")


def _synaptic(model: GeNNModel, simulation: Simulation, at: Location, changes: bool) -> Weights:
    variable: Any = model._by_key[at.group].vars[at.name]
    if changes:
        raise TorchError(
            f"{at} is changed while the network runs, or has a value for each copy of the batch: an EngineModule's "
            "weights are those that timesteps only read; a module of snnlearn.torch.to_module takes it"
        )
    if variable._padded:
        memory = from_dlpack(simulation.memory(simulation.name_of(at)))
        places = torch.from_numpy(variable._synapses()).nonzero()[:, 0]
        return SparseWeights(simulation, at, places.to(memory.device))
    return DenseWeights(simulation, at, simulation.network.variables[at].shape)


def _like(memory: Tensor, values: Any, shape: tuple[int, ...]) -> Tensor:
    """Return values of the host's where an array is."""
    return torch.from_numpy(values).reshape(shape).to(memory.device)
