"""Losses and metrics: numbers that tell how training goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Union

from snnlearn.errors import TrainingError
from snnlearn.training.data import Data

Noted = Union[float, Callable[[], float]]
"""A number, or what gives it when asked: then it is on the device, and asking waits for that."""


class Measure(ABC):
    """Base of losses and metrics: gathers what it needs, and gives a number for all since it was last asked.

    A learner calls `after_trial` after each trial, and `note` at each update (of the loss) or `value` at the end of
    each epoch (of metrics). All that a measure remembers between calls belongs into ``state``: then a checkpoint holds
    it, and validation does not disturb it.

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
    """A measure that averages one number a trial: override `of_trial`."""

    @abstractmethod
    def of_trial(self, data: Data, index: int) -> float:
        """Return the number of the trial that has just shown example ``index`` of ``data``."""

    def after_trial(self, data: Data, index: int) -> None:
        """Add the trial's number."""
        self.state["sum"] = self.state.get("sum", 0.0) + _as_float(self.of_trial(data, index), self.name)
        self.state["count"] = self.state.get("count", 0.0) + 1.0

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
