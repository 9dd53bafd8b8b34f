"""Losses and metrics: numbers that tell how training goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import TrainingError
from snnlearn.training.data import Data

Noted = Union[float, Callable[[], float]]
"""A number, or what gives it when asked: then it is on the device, and asking waits for that."""


class Measure(ABC):
    """Base of losses and metrics: gathers what it needs, and gives a number for all since it was last asked.

    A learner calls `after_trial` after each trial (`after_batch` where it has a ``batch_size``), and `note` at each
    update (of the loss) or `value` at the end of each epoch (of metrics). All that a measure remembers between calls
    belongs into ``state``: then a checkpoint holds it, and validation does not disturb it.

    Attributes
    ----------
    name : str
        For tables and messages.
    state : dict of str to float
    """

    name = "loss"

    def __init__(self) -> None:
        self.state: dict[str, float] = {}

    def after_trial(self, data: Data, index: int) -> None:  # noqa: B027 - some only need `value`
        """Take note of the trial that has just shown example ``index`` of ``data``."""

    def after_batch(self, data: Data, indices: NDArray[np.int64]) -> None:  # noqa: B027 - some only need `value`
        """Take note of the trial that has just shown a batch.

        Parameters
        ----------
        data : Data
        indices : ndarray of int64, shape (examples,)
            Of the examples, in the order of the copies that showed them. The last batch may have fewer examples than
            there are copies; the copies beyond count for nothing.
        """

    @abstractmethod
    def value(self, timestep: int) -> float:
        """Return the number for all since the last call, and forget what it was made from.

        Parameters
        ----------
        timestep : int
            How many timesteps have been run, over all trials.
        """

    def note(self, timestep: int) -> Noted:
        """Return what `value` would.

        A loss that is kept on the device returns a function instead, which reads it: then training need not wait for
        the device at each update. See `snnlearn.training.SumLog`.
        """
        return self.number(timestep)

    def number(self, timestep: int) -> float:
        """Return the value as a float; TrainingError where it is no number."""
        return _as_float(self.value(timestep), self.name)

    def settle(self) -> None:  # noqa: B027 - most have nothing there
        """Read what has been noted and is on the device alone; called before ``state`` is kept or replaced."""

    def restart(self) -> None:
        """Forget everything that belongs to the example under way; called before validation."""
        self.state.clear()


class Mean(Measure):
    """A measure that averages one number an example: override `of_trial` or, for a learner's batches, `of_batch`.

    Raises
    ------
    TrainingError
        Where neither is overridden.
    """

    def __init__(self) -> None:
        super().__init__()
        own = type(self)
        if own.of_trial is Mean.of_trial and own.of_batch is Mean.of_batch:
            raise TrainingError(f"{own.__name__} is a Mean: override of_trial, or of_batch for batches")

    def of_trial(self, data: Data, index: int) -> float:
        """Return the number of the trial that has just shown example ``index`` of ``data``."""
        raise TrainingError(f"'{self.name}' has no of_trial: override it, or give the learner a batch_size")

    def of_batch(self, data: Data, indices: NDArray[np.int64]) -> ArrayLike:
        """Return a number for each example of the batch that has just been shown, shape (examples,); see `after_batch`.

        Variables have rows for all copies, shape (batch_size, neurons): ``view[: len(indices)]`` is what counts.
        """
        raise TrainingError(f"'{self.name}' has no of_batch: override it, or give the learner no batch_size")

    def after_trial(self, data: Data, index: int) -> None:
        """Add the trial's number."""
        self._add(_as_float(self.of_trial(data, index), self.name), 1)

    def after_batch(self, data: Data, indices: NDArray[np.int64]) -> None:
        """Add the numbers of the batch."""
        given = self.of_batch(data, indices)
        try:
            values = np.asarray(given, np.float64)
        except (TypeError, ValueError):
            values = np.zeros(())
        if values.shape != indices.shape:
            raise TrainingError(f"'{self.name}' must give {len(indices)} numbers, one an example, not {given!r}")
        self._add(float(values.sum()), len(indices))

    def _add(self, total: float, count: int) -> None:
        self.state["sum"] = self.state.get("sum", 0.0) + total
        self.state["count"] = self.state.get("count", 0.0) + count

    def note(self, timestep: int) -> Noted:
        """Return the mean; TrainingError where no trial has ended since the last update."""
        if not self.state.get("count"):
            raise TrainingError(
                f"'{self.name}' is a mean of trials, and none has ended before the update at timestep {timestep}: give "
                "the learner update_timesteps that are no less than trial_timesteps, or a loss that follows timesteps"
            )
        return super().note(timestep)

    def value(self, timestep: int) -> float:
        """Return the mean; NaN where there was no trial."""
        total, count = self.state.pop("sum", 0.0), self.state.pop("count", 0.0)
        return total / count if count else float("nan")


def _as_float(given: Any, name: str) -> float:
    """Return what a measure gave as a float; raises TrainingError where it is no number."""
    try:
        # Text has no __float__; NumPy once took an array of one element for a number.
        if hasattr(given, "__float__") and not getattr(given, "ndim", 0):
            return float(given)
    except (TypeError, ValueError):  # an array of several
        pass
    raise TrainingError(f"'{name}' must be a number, not {given!r}")
