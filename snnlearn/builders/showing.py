"""How a built network is shown examples, and what is measured of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.builders.readouts import TARGET, Readout
from snnlearn.errors import TrainingError
from snnlearn.training import ArrayData, Data, Mean
from snnlearn.training.encoders import EncodedSpikes

Indices = NDArray[np.int64]


class Stage:
    """The populations at both ends of a network, and what they are given and asked.

    Parameters
    ----------
    source, answer : neuron groups
        The input population and the readout's.
    readout : Readout
    num_classes : int
    """

    def __init__(self, source: Any, answer: Any, readout: Readout, num_classes: int) -> None:
        self._source, self._answer, self.readout, self._num_classes = source, answer, readout, num_classes
        self._held: list[EncodedSpikes] = []

    def hold(self, datas: Sequence[ArrayData]) -> None:
        """Have the device hold the spikes of data, each array once; before the model is built."""
        for data in datas:
            encoded = data.encoded
            if isinstance(encoded, EncodedSpikes) and not any(encoded is held for held in self._held):
                self._held.append(encoded)
        if self._held:
            # One more, as there is no array without an element.
            times = np.concatenate([*(held.times for held in self._held), [0.0]])
            self._source.extra_global_params["spikeTimes"].set_init_values(times)

    def show(self, data: ArrayData, indices: Indices) -> None:
        """Show examples, one for each copy of the batch."""
        values, offset = data.variables(indices), self._offset(data)
        for name, array in values.items():
            _push(self._source.vars[name], array + offset if offset else array)
        _push(self._answer.vars[TARGET], np.eye(self._num_classes)[data.y[indices]])

    def _offset(self, data: ArrayData) -> int:
        offset = 0
        for held in self._held:
            if held is data.encoded:
                return offset
            offset += len(held.times)
        if self._held:
            raise TrainingError("the device does not hold these data: give them to learner(...) before it is built")
        return 0

    @contextmanager
    def lent(self, data: ArrayData) -> Iterator[ArrayData]:
        """Have the device hold other data for a while, in the place of the first that it holds.

        Raises
        ------
        TrainingError
            If they do not fit there.
        """
        encoded = data.encoded
        if not isinstance(encoded, EncodedSpikes) or any(encoded is held for held in self._held):
            yield data
            return
        times, held = self._source.extra_global_params["spikeTimes"], self._held
        own = encoded.part(data.places)
        if len(own.times) > times.view.size:
            raise TrainingError(
                f"these examples have {len(own.times)} spikes, and the device holds {times.view.size}: give fewer "
                "at once"
            )
        before = times.values
        times.view[: len(own.times)] = own.times
        times.push_to_device()
        self._held = [own]
        try:
            yield data.of(own)
        finally:
            self._held = held
            times.values = before
            times.push_to_device()

    def answers(self) -> NDArray[np.float64]:
        """Return what the readout's variable is, shape (batch, classes)."""
        variable = self._answer.vars[self.readout.variable]
        variable.pull_from_device()
        return np.asarray(variable.view, np.float64).reshape(-1, self._num_classes)


def _push(variable: Any, values: NDArray[Any]) -> None:
    variable.values = values.reshape(variable.view.shape)
    variable.push_to_device()


class Shown(Data):
    """Data that a network is shown.

    Parameters
    ----------
    stage : Stage
    data : ArrayData
    """

    def __init__(self, stage: Stage, data: ArrayData) -> None:
        self._stage, self.data = stage, data

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.data)

    def present(self, model: Any, index: int) -> None:
        """Show an example."""
        self._stage.show(self.data, np.array([index]))

    def present_batch(self, model: Any, indices: Indices) -> None:
        """Show an example to each copy of the batch."""
        self._stage.show(self.data, indices)


class ReadoutLoss(Mean):
    """The mean of the readout's loss.

    Parameters
    ----------
    stage : Stage
    duration : float
        Of an example [ms].
    """

    name = "loss"

    def __init__(self, stage: Stage, duration: float) -> None:
        super().__init__()
        self._stage, self._duration = stage, duration

    def of_trial(self, data: Any, index: int) -> float:
        """Return the loss of an example."""
        return float(self.of_batch(data, np.array([index]))[0])

    def of_batch(self, data: Any, indices: Indices) -> NDArray[np.float64]:
        """Return the loss of each example."""
        values = self._stage.answers()[: len(indices)]
        target = np.eye(values.shape[1])[data.data.y[indices]]
        return self._stage.readout.of(values, target, self._duration)


class Accuracy(Mean):
    """The share of examples that are classified rightly.

    Parameters
    ----------
    stage : Stage
    """

    name = "accuracy"

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def of_trial(self, data: Any, index: int) -> float:
        """Return 1 where the answer is right, else 0."""
        return float(self.of_batch(data, np.array([index]))[0])

    def of_batch(self, data: Any, indices: Indices) -> NDArray[np.float64]:
        """Return 1 for each example whose answer is right, else 0; a tie is no answer."""
        scores = self._stage.readout.scores(self._stage.answers()[: len(indices)])
        return right(scores, data.data.y[indices]).astype(np.float64)


def right(scores: NDArray[np.float64], y: ArrayLike) -> NDArray[np.bool_]:
    """Return where the right class alone has the highest score."""
    labels = np.asarray(y, np.int64)
    best = scores >= scores.max(axis=1, keepdims=True)
    found: NDArray[np.bool_] = best[np.arange(len(labels)), labels] & (best.sum(axis=1) == 1)
    return found
