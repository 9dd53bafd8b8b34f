"""Where phases and epochs begin and end: arithmetic over trials and updates, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snnlearn.errors import TrainingError


@dataclass(frozen=True)
class Segment:
    """The trials and updates of one phase, counted over all runs of a learner.

    Attributes
    ----------
    phase : int
        Number of the phase.
    first_trial, num_trials : int
    first_update, num_updates : int
    first_epoch : int
        Number of the epoch that the first trial belongs to.
    epoch_start : int
        The trial with which that epoch began: before this phase, where an epoch spans two.
    epoch_length : int
        Trials in an epoch.
    last_of_data : bool
        Whether the data change after it, or nothing comes: then its last epoch ends with it, whole or not.
    """

    phase: int
    first_trial: int
    num_trials: int
    first_update: int
    num_updates: int
    first_epoch: int
    epoch_start: int
    epoch_length: int
    last_of_data: bool

    @property
    def end(self) -> int:
        """The first trial after it."""
        return self.first_trial + self.num_trials

    def epoch(self, trial: int) -> int:
        """Return the number of the epoch that a trial belongs to."""
        return self.first_epoch + (trial - self.epoch_start) // self.epoch_length

    def index(self, trial: int) -> int:
        """Return which trial of its epoch a trial is, from 0."""
        return (trial - self.epoch_start) % self.epoch_length

    def ends_epoch(self, trial: int) -> bool:
        """Whether an epoch ends with this trial."""
        return self.index(trial) == self.epoch_length - 1 or (self.last_of_data and trial == self.end - 1)


def lay_out(
    epochs: Sequence[float],
    lengths: Sequence[int],
    same_data: Sequence[bool],
    first_trial: int,
    first_timestep: int,
    first_epoch: int,
    trial_timesteps: int,
    updates_until: Callable[[int], int],
) -> list[Segment]:
    """Lay phases end to end.

    The end of each phase is rounded to whole trials once, from the sum of all epochs up to there, so that phases of
    0.05 and 0.95 epochs are together exactly one, whatever its length.

    Parameters
    ----------
    epochs : sequence of float
        Of each phase; may be fractions.
    lengths : sequence of int
        Trials in an epoch of each phase's data.
    same_data : sequence of bool
        Whether a phase goes on with the data of the phase before; then its epochs go on too.
    first_trial, first_timestep, first_epoch : int
        What has been run already.
    trial_timesteps : int
    updates_until : callable
        How many updates are due in the first so many timesteps.

    Raises
    ------
    TrainingError
        If a phase is shorter than a trial.
    """
    segments: list[Segment] = []
    exact, trial, epoch, epoch_start = 0.0, first_trial, first_epoch, first_trial
    for number, (share, length) in enumerate(zip(epochs, lengths, strict=True)):
        if segments and not same_data[number]:
            epoch, epoch_start = segments[-1].epoch(trial - 1) + 1, trial
        exact += share * length
        num_trials = first_trial + math.floor(exact + 0.5) - trial
        if num_trials < 1:
            raise TrainingError(f"phase {number}: {share:g} epochs of {length} trials are less than one trial")
        begin = first_timestep + (trial - first_trial) * trial_timesteps
        first_update = updates_until(begin)
        num_updates = updates_until(begin + num_trials * trial_timesteps) - first_update
        last = number + 1 == len(epochs) or not same_data[number + 1]
        segments.append(Segment(number, trial, num_trials, first_update, num_updates, epoch, epoch_start, length, last))
        trial += num_trials
    return segments
