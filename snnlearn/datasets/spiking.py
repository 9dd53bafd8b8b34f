"""Examples that are spikes, each with a class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from snnlearn.io import SpikeTrains


class SpikingExamples(Sequence[tuple[SpikeTrains, int]]):
    """Examples of a classification, read when they are asked for.

    ``examples[i]`` is a pair of `SpikeTrains` and the number of the class, ``examples[2:5]`` a list of such pairs.

    Attributes
    ----------
    num_neurons : int
        Of each example.
    labels : ndarray of int64, shape (num_examples,)
        The class of each.
    """

    def __init__(self, num_neurons: int, labels: NDArray[np.int64]) -> None:
        self.num_neurons = num_neurons
        self.labels = labels

    @abstractmethod
    def _spikes(self, index: int) -> SpikeTrains:
        """Return the spikes of an example, counted from 0."""

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.labels)

    @overload
    def __getitem__(self, index: int) -> tuple[SpikeTrains, int]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[SpikeTrains, int]]: ...

    def __getitem__(self, index: int | slice) -> tuple[SpikeTrains, int] | list[tuple[SpikeTrains, int]]:
        """Return the example, or examples, with their classes."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._spikes(number), int(self.labels[number])
