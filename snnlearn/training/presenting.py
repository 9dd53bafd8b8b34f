"""How a trial shows examples: one, or a batch of them, one to each copy of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError
from snnlearn.training.arguments import check_whole
from snnlearn.training.data import Data
from snnlearn.training.measures import Mean, Measure

Order = NDArray[np.int64]
"""The examples of an epoch, in the order in which they are shown."""


def in_order(data: Data) -> Order:
    """Return the order of the data themselves."""
    return np.arange(len(data))


class Presenter(Protocol):
    """Shows the examples of an epoch, trial by trial, and has them measured."""

    def num_trials(self, data: Data) -> int:
        """Return how many trials show all examples once."""

    def num_shown(self, data: Data, trial: int) -> int:
        """Return how many examples a trial of an epoch shows, counted from 0."""

    def present(self, model: Any, data: Data, order: Order, trial: int) -> None:
        """Show a trial's examples."""

    def measure(self, measures: Sequence[Measure], data: Data, order: Order, trial: int) -> None:
        """Have the examples measured that a trial has just shown."""

    def check_data(self, data: Data, what: str, *, to_train: bool = True, updates_end_trials: bool = True) -> None:
        """Raise TrainingError for data that cannot be shown so.

        Parameters
        ----------
        data : Data
        what : str
            For the message.
        to_train : bool
            Whether a whole batch is needed.
        updates_end_trials : bool
            Whether no gradient is summed up over several trials.
        """

    def check_measures(self, measures: Sequence[Measure]) -> None:
        """Raise TrainingError for measures that do not know what is shown so."""


class OneByOne:
    """An example in each trial, whatever the model's batch does with it."""

    def num_trials(self, data: Data) -> int:
        """Return how many trials show all examples once."""
        return len(data)

    def num_shown(self, data: Data, trial: int) -> int:
        """Return 1."""
        return 1

    def present(self, model: Any, data: Data, order: Order, trial: int) -> None:
        """Show a trial's example."""
        data.present(model, int(order[trial]))

    def measure(self, measures: Sequence[Measure], data: Data, order: Order, trial: int) -> None:
        """Have the example measured."""
        example = int(order[trial])
        for measure in measures:
            measure.after_trial(data, example)

    def check_data(self, data: Data, what: str, *, to_train: bool = True, updates_end_trials: bool = True) -> None:
        """Raise TrainingError for data that know batches alone."""
        _check_overridden(data, Data, "present", "present_batch", what)

    def check_measures(self, measures: Sequence[Measure]) -> None:
        """Raise TrainingError for measures that know batches alone."""
        for measure in measures:
            for base, single, batch in _MEASURING:
                _check_overridden(measure, base, single, batch, f"'{measure.name}'")


class InBatches:
    """A batch of examples in each trial; the last trial of an epoch may have fewer than the model has copies.

    Parameters
    ----------
    size : int
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def num_trials(self, data: Data) -> int:
        """Return how many trials show all examples once."""
        return -(-len(data) // self.size)

    def num_shown(self, data: Data, trial: int) -> int:
        """Return how many examples a trial of an epoch shows."""
        return min(self.size, len(data) - trial * self.size)

    def present(self, model: Any, data: Data, order: Order, trial: int) -> None:
        """Show a trial's examples; copies without one show those of the batch again."""
        shown = self._shown(order, trial)
        data.present_batch(model, shown if len(shown) == self.size else np.resize(shown, self.size))

    def measure(self, measures: Sequence[Measure], data: Data, order: Order, trial: int) -> None:
        """Have the examples measured."""
        shown = self._shown(order, trial)
        for measure in measures:
            measure.after_batch(data, shown)

    def check_data(self, data: Data, what: str, *, to_train: bool = True, updates_end_trials: bool = True) -> None:
        """Raise TrainingError for data that know single examples alone, or are too few."""
        _check_overridden(data, Data, "present_batch", "present", what)
        if to_train and len(data) < self.size:
            raise TrainingError(f"batch_size is {self.size}, and {what} has {len(data)} examples: give it no more")
        if to_train and not updates_end_trials and len(data) % self.size:
            raise TrainingError(
                f"the last batch of {what} has {len(data) % self.size} examples instead of {self.size}, and updates "
                "sum up gradients over several trials: choose update_timesteps of which trial_timesteps are a "
                "multiple, and update_offset=0, or leave the last examples out"
            )

    def check_measures(self, measures: Sequence[Measure]) -> None:
        """Raise TrainingError for measures that know single examples alone."""
        for measure in measures:
            for base, single, batch in _MEASURING:
                _check_overridden(measure, base, batch, single, f"'{measure.name}'")

    def _shown(self, order: Order, trial: int) -> Order:
        return order[trial * self.size : (trial + 1) * self.size]


def make_presenter(batch_size: int | None) -> Presenter:
    """Return what shows batches of this size, or single examples.

    Raises
    ------
    TrainingError
        For a size that is not a positive whole number.
    """
    if batch_size is None:
        return OneByOne()
    if isinstance(batch_size, bool):
        raise TrainingError(f"batch_size must be a whole number and positive: {batch_size!r}")
    check_whole("batch_size", batch_size, 1)
    return InBatches(int(batch_size))


# What sees a trial, and what sees a batch.
_MEASURING = ((Mean, "of_trial", "of_batch"), (Measure, "after_trial", "after_batch"))


def _check_overridden(given: object, base: type, needed: str, other: str, what: str) -> None:
    """Raise TrainingError where a class overrides the other method of its base and not the one that is needed."""
    if not isinstance(given, base):
        return
    own = [name for name in (needed, other) if getattr(type(given), name) is not getattr(base, name)]
    if own == [other]:
        single, batch = (needed, other) if other.endswith("_batch") else (other, needed)
        raise TrainingError(
            f"{what}: {type(given).__name__} has {other} and no {needed}; a learner asks for {batch} where it is given "
            f"a batch_size, and for {single} where it is not"
        )
