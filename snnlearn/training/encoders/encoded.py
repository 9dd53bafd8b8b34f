"""What an encoder makes of examples: the input population's model, and what it is to show of each example."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import NeuronModel
from snnlearn.errors import TrainingError
from snnlearn.io import SpikeTrains
from snnlearn.models import AnalogSource, PatternSource

Indices = NDArray[np.int64]


class Encoded(ABC):
    """Encoded examples.

    Attributes
    ----------
    source : NeuronModel
        Of the input population.
    spikes : bool
        Whether the input population spikes; if not, its variable ``x`` drives synapses all the time.
    """

    source: NeuronModel
    spikes: bool

    @property
    @abstractmethod
    def num_inputs(self) -> int:
        """How many input neurons an example takes."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many examples there are."""

    @abstractmethod
    def variables(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return what variables of the source are to be for these examples, each of shape (examples, inputs)."""

    @abstractmethod
    def levels(self, indices: Indices, duration: float) -> NDArray[np.float64]:
        """Return the mean of each input, shape (inputs,): its rate [1 / ms], or the root mean square of its value."""


@dataclass(frozen=True, eq=False)
class EncodedSpikes(Encoded):
    """Examples as spikes.

    Attributes
    ----------
    times : ndarray of float32, shape (spikes,)
        Times since an example began [ms]: example by example, neuron by neuron, ascending.
    ends : ndarray of int64, shape (examples, inputs)
        The place in ``times`` behind each neuron's last spike.
    """

    times: NDArray[np.float32]
    ends: NDArray[np.int64]
    source = PatternSource
    spikes = True

    @classmethod
    def from_places(
        cls,
        times: NDArray[np.float64],
        examples: NDArray[np.integer[Any]],
        inputs: NDArray[np.integer[Any]],
        shape: tuple[int, int],
    ) -> EncodedSpikes:
        """Return spikes given in any order: the time [ms], example and input neuron of each, and how many there are."""
        row = examples.astype(np.int64) * shape[1] + inputs
        order = np.lexsort((times, row))
        ends = np.cumsum(np.bincount(row, minlength=shape[0] * shape[1])).reshape(shape)
        return cls(times[order].astype(np.float32), ends.astype(np.int64))

    @classmethod
    def from_trains(cls, trains: Sequence[SpikeTrains]) -> EncodedSpikes:
        """Return examples that are spike trains of as many neurons each.

        Raises
        ------
        TrainingError
            Where numbers of neurons differ.
        """
        size = trains[0].num_neurons
        for number, one in enumerate(trains):
            if one.num_neurons != size:
                raise TrainingError(f"example {number} has {one.num_neurons} neurons, and example 0 has {size}")
        times = np.concatenate([one.times for one in trains]).astype(np.float32)
        offsets = np.cumsum([0, *(one.num_spikes for one in trains[:-1])])
        ends = np.stack([one.end_index + offset for one, offset in zip(trains, offsets, strict=True)])
        return cls(times, ends)

    @property
    def num_inputs(self) -> int:
        """How many input neurons an example takes."""
        return int(self.ends.shape[1])

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.ends)

    @property
    def starts(self) -> NDArray[np.int64]:
        """The place in ``times`` of each neuron's first spike, shape (examples, inputs)."""
        return np.concatenate([[0], self.ends.ravel()[:-1]]).reshape(self.ends.shape)

    def variables(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return where the neurons' spikes are in ``times``: ``next`` and ``last``."""
        return {"next": self.starts[indices], "last": self.ends[indices]}

    def levels(self, indices: Indices, duration: float) -> NDArray[np.float64]:
        """Return the mean rate of each input [1 / ms]."""
        counts = (self.ends - self.starts)[indices]
        return np.asarray(counts.mean(axis=0) / duration, np.float64)

    def part(self, indices: Indices) -> EncodedSpikes:
        """Return some of the examples, with their spikes alone."""
        starts, ends = self.starts[indices, 0], self.ends[indices, -1]
        counts = (self.ends - self.starts)[indices]
        places = [np.arange(a, b) for a, b in zip(starts, ends, strict=True)]
        return EncodedSpikes(
            self.times[np.concatenate(places)] if places else self.times[:0],
            np.cumsum(counts).reshape(counts.shape),
        )


@dataclass(frozen=True, eq=False)
class EncodedValues(Encoded):
    """Examples as values that do not change.

    Attributes
    ----------
    values : ndarray of float32, shape (examples, inputs)
    """

    values: NDArray[np.float32]
    source = AnalogSource
    spikes = False

    @property
    def num_inputs(self) -> int:
        """How many input neurons an example takes."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.values)

    def variables(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return the values, ``x``."""
        return {"x": self.values[indices]}

    def levels(self, indices: Indices, duration: float) -> NDArray[np.float64]:
        """Return the root mean square of each input's value."""
        return np.asarray(np.sqrt(np.square(self.values[indices].astype(np.float64)).mean(axis=0)), np.float64)
