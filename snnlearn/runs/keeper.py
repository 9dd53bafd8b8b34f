"""When a run's checkpoints are taken, and of what: always of a trial's end, where an undisturbed run has the same."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snnlearn.errors import OutputError, TrainingError, TrainingWarning
from snnlearn.runs.interruption import Interruption
from snnlearn.runs.watch import Watch
from snnlearn.training import Callback
from snnlearn.training.checkpoint import Checkpoint

EVERY = 50  # trials
APART = 30.0  # [s]
_SLOW = 0.1  # [s], of trials whose end is not waited for
_SHARE = 0.01  # of the time of trials that copies in memory may take


class Keeper(Callback):
    """Writes checkpoints of a training: every so many trials, at its end, and after a signal or an error.

    After `Callback` methods of others that train: it is the last in a learner's list. A checkpoint that cannot be
    written is a warning, and the one before stays; at the end of a training it is an error.

    Parameters
    ----------
    file : path-like
        Where; a checkpoint takes the place of the one before when it is whole and on the disk.
    every : int, optional
        Every how many trials. By default 50, and at least 30 s after the last.
    interruption : Interruption, optional
        Whose signal ends the training with the trial at hand.
    before : callable, optional
        Called before a checkpoint is written: what it is to be found with goes to the disk first.
    watch : Watch, optional
        Has looked at the weights of each checkpoint.

    Raises
    ------
    TrainingError
        If ``every`` is not positive.
    """

    internal = True

    def __init__(
        self,
        file: str | Path,
        every: int | None = None,
        interruption: Interruption | None = None,
        before: Callable[[], None] | None = None,
        watch: Watch | None = None,
    ) -> None:
        if every is not None and every < 1:
            raise TrainingError(f"checkpoints can be taken every 1 trial or more, not {every}")
        self.file = Path(file)
        self._every, self._apart = (EVERY, APART) if every is None else (every, 0.0)
        self._interruption, self._before, self._watch = interruption, before, watch
        self._written: int | None = None  # the trial after which the file was taken
        self._written_at = time.monotonic()
        self._ended = 0  # the trials that have ended here, with all that others do at their end
        self._failed = 0  # the trial after which it could not be written
        self._copy: Checkpoint | None = None  # in memory, newer than the file
        self._copy_trial, self._copies_every = 0, 1
        self._trial_began = time.perf_counter()
        self._trial_took: float | None = None

    # ---- events ----

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Have what all checkpoints share, which is no part of their cost."""
        trainer.fingerprint()

    def on_trial_begin(self, trainer: Any, trial: int) -> None:
        """Note the time, and say how long it will take."""
        self._trial_began = time.perf_counter()
        if self._interruption is not None:
            self._interruption.expect_trial(self._trial_took)

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Take a checkpoint where one is due, or end the training where a signal has come."""
        self._ended = trial + 1
        self._trial_took = took = time.perf_counter() - self._trial_began
        done = trial + 1
        if self._interruption is not None and self._interruption.number is not None:
            self._write(self._checked(trainer, done), done)
            raise self._interruption.error()
        since = done - max(self._written or 0, self._failed)
        if since >= self._every and time.monotonic() - self._written_at >= self._apart:
            self._try_to_write(self._checked(trainer, done), done)
        elif took > _SLOW and done - self._copy_trial >= self._copies_every:
            begin = time.perf_counter()
            self._copy, self._copy_trial = self._checked(trainer, done), done
            self._copies_every = max(1, round((time.perf_counter() - begin) / (_SHARE * took)))

    def on_train_end(self, trainer: Any) -> None:
        """Take the last checkpoint."""
        self._write(self._checked(trainer, trainer.runner.trial), trainer.runner.trial)

    def rescue(self, trainer: Any) -> None:
        """Write what there is of the last trial's end, after whatever has ended the training."""
        runner = trainer.runner
        if self._copy is not None and self._copy_trial > (self._written or 0):
            self._try_to_write(self._copy, self._copy_trial)
        elif not runner.within_trial and runner.trial == self._ended > (self._written or 0):
            # In the midst of what follows a trial, such as validation, which leaves the network as it was.
            self._try_to_write(self._checked(trainer, runner.trial), runner.trial)

    # ---- writing ----

    def continues(self, trial: int) -> None:
        """Take note that the file is of the training as it is now."""
        self._written, self._written_at = trial, time.monotonic()

    @property
    def trial(self) -> int | None:
        """After how many trials the file was taken; None where there is none."""
        return self._written

    def _checked(self, trainer: Any, done: int) -> Checkpoint:
        if self._watch is not None:
            self._watch.check_weights(done - 1)
        checkpoint: Checkpoint = trainer.checkpoint()
        return checkpoint

    def _write(self, checkpoint: Checkpoint, done: int) -> None:
        if self._before is not None:
            self._before()
        checkpoint.write(self.file)
        self._copy = None
        self.continues(done)

    def _try_to_write(self, checkpoint: Checkpoint, done: int) -> None:
        try:
            self._write(checkpoint, done)
        except OutputError as error:
            self._failed, self._written_at = done, time.monotonic()
            warnings.warn(f"no checkpoint of trial {done}: {error}", TrainingWarning, stacklevel=2)
