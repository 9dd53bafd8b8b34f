"""Checkpoints beside those that a run resumes from: of every so many epochs, or of the best one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snnlearn.calling import named_arguments
from snnlearn.errors import OutputError, TrainingError, TrainingWarning
from snnlearn.io import check_output_dir
from snnlearn.training.arguments import check_whole
from snnlearn.training.callbacks import Callback
from snnlearn.training.monitoring import Monitor


@named_arguments
class ModelCheckpoint(Callback):
    """Writes checkpoints (`Learner.save`) at the ends of epochs; `Learner.load` reads them.

    A checkpoint that cannot be written is a warning, and the one before stays.

    Parameters
    ----------
    file : path-like or callable
        Where; ``{epoch}`` in its name becomes the epoch's number, counted over all fits. A function takes that number
        and returns the path: ``lambda epoch: run.file(f"epoch-{epoch}.npz")``.
    monitor : str, optional
        Write a checkpoint where this has become better than it was before: ``"loss"``, ``"validation_loss"`` or a
        metric's name.
    every : int
        Without ``monitor``: every how many epochs.
    min_delta, mode
        As `EarlyStopping`.

    Raises
    ------
    TrainingError
        For arguments that are out of range; where the fit begins, for a name that the learner does not know.
    """

    def __init__(
        self,
        file: str | Path | Callable[[int], str | Path],
        monitor: str | None = None,
        every: int = 1,
        *,
        min_delta: float = 0.0,
        mode: str | None = None,
    ) -> None:
        check_whole("every", every, 1)
        if monitor is not None and every != 1:
            raise TrainingError(
                "every is for checkpoints of all epochs, monitor for those of the best: give one of them"
            )
        self._file, self._every = file, every
        self._monitor = None if monitor is None else Monitor(monitor, mode, min_delta)

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Check that there is what to follow, and a folder that can be written to."""
        if self._monitor is not None:
            self._monitor.check(trainer)
        if not callable(self._file):
            check_output_dir(Path(self._file).parent)

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """Write a checkpoint where one is due."""
        if self._monitor is not None:
            due = self._monitor.best(trainer.epochs) == len(trainer.epochs) - 1
        else:
            due = (epoch + 1) % self._every == 0
        if not due:
            return
        file = self._file(epoch) if callable(self._file) else str(self._file).replace("{epoch}", str(epoch))
        try:
            trainer.save(file)
        except OutputError as error:
            warnings.warn(f"no checkpoint of epoch {epoch}: {error}", TrainingWarning, stacklevel=2)
