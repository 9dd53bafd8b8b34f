"""What callbacks follow from epoch to epoch: a loss or metric by name, and when it was best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.session import EpochResult

LOSSES = ("loss", "validation_loss")
_MODES = ("min", "max")


def monitored_names(trainer: Any) -> tuple[str, ...]:
    """Return what a learner knows of each epoch: ``loss``, ``validation_loss`` where it validates, and its metrics.

    Raises
    ------
    TrainingError
        For a trainer without epochs.
    """
    if not hasattr(trainer, "epochs"):
        raise TrainingError(f"a {type(trainer).__name__} has no epochs to follow: train with a Learner")
    losses = LOSSES if trainer.validation is not None else LOSSES[:1]
    return *losses, *(metric.name for metric in trainer.metrics)


def check_monitor(trainer: Any, name: str) -> None:
    """Check that a learner knows this of each epoch.

    Raises
    ------
    TrainingError
        If it does not; names the nearest that it does.
    """
    known = monitored_names(trainer)
    if name not in known:
        missing = name == LOSSES[1]
        why = "; the learner has no validation data" if missing else did_you_mean(name, known)
        raise TrainingError(f"there is no '{name}' to follow{why}")


def values_of(result: EpochResult, names: Sequence[str]) -> dict[str, float]:
    """Return what is known of an epoch, by name."""
    losses = {"loss": result.loss, "validation_loss": result.validation_loss}
    return {name: float(losses[name] if name in losses else result.metrics[name]) for name in names}


def epoch_values(trainer: Any) -> dict[str, float]:
    """Return what a learner knows of its newest epoch, by name; empty before the first has ended."""
    return values_of(trainer.epochs[-1], monitored_names(trainer)) if trainer.epochs else {}


@dataclass(frozen=True)
class Monitor:
    """A loss or metric that is to become better.

    Parameters
    ----------
    name : str
        ``"loss"``, ``"validation_loss"`` or a metric's name.
    mode : {"min", "max"}, optional
        Which way is better; losses are better where they are smaller.
    min_delta : float
        What is better by no more than this is no better.

    Raises
    ------
    TrainingError
        For another mode or difference.
    """

    name: str
    mode: str | None = None
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in _MODES:
            raise TrainingError(f"mode must be 'min' or 'max', not {self.mode!r}{did_you_mean(str(self.mode), _MODES)}")
        number = isinstance(self.min_delta, (int, float)) and not isinstance(self.min_delta, bool)
        if not (number and 0.0 <= self.min_delta < math.inf):
            raise TrainingError(f"min_delta must be a number from 0 on, not {self.min_delta!r}")

    def check(self, trainer: Any) -> None:
        """Check that a learner has it, and that it is known which way is better.

        Raises
        ------
        TrainingError
            If not.
        """
        check_monitor(trainer, self.name)
        if self.mode is None and self.name not in LOSSES:
            raise TrainingError(f"whether a larger '{self.name}' is better is not known: give mode='max' or mode='min'")

    def best(self, epochs: Sequence[EpochResult]) -> int | None:
        """Return the index of the last epoch that was better than all before; None where all are NaN."""
        sign, found, best = (-1.0 if self.mode == "max" else 1.0), None, math.inf
        for index, epoch in enumerate(epochs):
            value = sign * values_of(epoch, [self.name])[self.name]
            if value < best - self.min_delta or (found is None and not math.isnan(value)):
                found, best = index, value
        return found
