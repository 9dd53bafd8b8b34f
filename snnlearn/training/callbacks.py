"""What a training run tells to whoever wants to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import SnnlearnError, TrainingError

Spikes = tuple[NDArray[np.float64], NDArray[np.int32]]


class StopTraining(Exception):
    """Raised by a callback to end training in order: when the update or the trial at hand is done.

    All callbacks hear the event to its end; all that was run stays, and training can go on later.
    """


class Callback:
    """Base of callbacks: override what is of interest.

    All are called in the order of events, with the `TrialRunner` or `Learner` that runs (``trainer``). Phases and
    epochs are a learner's. An exception in one ends training, as a TrainingError that names the callback.
    """

    internal = False  # whether it is a part of the trainer, whose errors are not to be named as a callback's

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Before the first trial of a run or fit that has ``num_trials``, with those before a resumption."""

    def on_phase_begin(self, trainer: Any, phase: int) -> None:
        """Before the first trial of phase number ``phase``."""

    def on_epoch_begin(self, trainer: Any, epoch: int) -> None:
        """Before the first trial of epoch number ``epoch``."""

    def on_trial_begin(self, trainer: Any, trial: int) -> None:
        """Before trial number ``trial``, counted from 0 over all runs; the sources are reset already."""

    def on_update(self, trainer: Any, update: int) -> None:
        """Before update number ``update``, counted from 0 over all runs."""

    def on_update_end(self, trainer: Any, update: int) -> None:
        """After update number ``update``."""

    def on_recording(self, trainer: Any, trial: int, spikes: Mapping[str, Spikes]) -> None:
        """After a recorded trial: by population times [ms] since its start, and neuron ids."""

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """After trial number ``trial``."""

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """After the last trial of epoch number ``epoch``; its losses and metrics are known."""

    def on_phase_end(self, trainer: Any, phase: int) -> None:
        """After the last trial of phase number ``phase``."""

    def on_train_end(self, trainer: Any) -> None:
        """After the last trial, or after `StopTraining`."""


def notify(callbacks: Iterable[Callback], event: str, trainer: Any, *args: Any) -> bool:
    """Call one event of all callbacks; returns whether one of them wants training to stop.

    Raises
    ------
    TrainingError
        If a callback raises; names it and the event. Errors of snnlearn and a closed output pass as they are, and so
        does what goes wrong in `internal` callbacks.
    """
    stop = False
    for callback in callbacks:
        try:
            getattr(callback, event)(trainer, *args)
        except StopTraining:
            stop = True
        except (SnnlearnError, BrokenPipeError):
            raise
        except Exception as error:
            if callback.internal:
                raise
            name = f"{type(callback).__name__}.{event}"
            raise TrainingError(f"the callback {name} raised {type(error).__name__}: {error}") from error
    return stop
