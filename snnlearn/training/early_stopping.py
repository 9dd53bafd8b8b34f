"""Training that ends when it gets no better, and whose best weights stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnlearn.calling import named_arguments
from snnlearn.errors import TrainingError
from snnlearn.training.arguments import check_whole
from snnlearn.training.callbacks import Callback, StopTraining
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.monitoring import Monitor
from snnlearn.training.session import EpochResult


@named_arguments
class EarlyStopping(Callback):
    """Ends a fit when a loss or metric has not become better for some epochs, and puts the best epoch's weights back.

    It knows of the past what the learner knows (``trainer.epochs``), so a fit that goes on from a checkpoint ends where
    it would have ended.

    Parameters
    ----------
    monitor : str
        ``"loss"``, ``"validation_loss"`` or a metric's name.
    patience : int
        How many epochs in a row may be no better.
    min_delta : float
        What is better by no more than this is no better.
    mode : {"min", "max"}, optional
        Which way is better; to be given for metrics.
    restore_best : bool
        At the end, put back the weights of the best epoch; all else stays, so such a fit is not to go on for longer.
    file : path-like, optional
        Where to keep them too: a fit that goes on in another process needs them.

    Attributes
    ----------
    best_epoch : int or None
        The best epoch of the fit so far, counted over all fits.
    stopped_epoch : int or None
        The epoch after which this has ended the fit.

    Raises
    ------
    TrainingError
        For arguments that are out of range; where the fit begins, for a name that the learner does not know, and for a
        fit that goes on without the weights of its best epoch.
    """

    def __init__(
        self,
        monitor: str = "loss",
        patience: int = 10,
        min_delta: float = 0.0,
        *,
        mode: str | None = None,
        restore_best: bool = True,
        file: str | Path | None = None,
    ) -> None:
        check_whole("patience", patience, 1)
        self._monitor, self._patience = Monitor(monitor, mode, min_delta), patience
        self._restore_best, self._file = restore_best, file
        self._best: Checkpoint | None = None
        self._best_of = ""  # the epochs until then: what tells it from another training's
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Check that there is what to follow, and the weights of the best epoch where some have ended."""
        self._monitor.check(trainer)
        epochs = trainer.epochs
        best = self._note_best(epochs)
        if self._restore_best and best is not None and self._best_of != _name_of(epochs[: best + 1]):
            self._read_best(epochs[: best + 1])
        self._stop_if_over(epochs, best)  # where it was over in another process already

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """Keep the weights of an epoch that is the best; end the fit where none has been for long enough."""
        epochs = trainer.epochs
        best = self._note_best(epochs)
        if best == len(epochs) - 1 and self._restore_best:
            self._best, self._best_of = trainer.checkpoint(), _name_of(epochs)
            if self._file is not None:
                self._best.write(self._file)
        self._stop_if_over(epochs, best)

    def on_train_end(self, trainer: Any) -> None:
        """Put the best weights back."""
        if self._restore_best and self._best is not None and self._best_of != _name_of(trainer.epochs):
            trainer.load(self._best, weights_only=True)

    def _note_best(self, epochs: Sequence[EpochResult]) -> int | None:
        best = self._monitor.best(epochs)
        self.best_epoch = None if best is None else epochs[best].epoch
        return best

    def _stop_if_over(self, epochs: Sequence[EpochResult], best: int | None) -> None:
        self.stopped_epoch = None
        if len(epochs) - (0 if best is None else best + 1) >= self._patience:
            self.stopped_epoch = epochs[-1].epoch
            raise StopTraining

    def _read_best(self, epochs: Sequence[EpochResult]) -> None:
        """Read the weights that another process had after these epochs."""
        number = epochs[-1].epoch
        if self._file is None:
            raise TrainingError(
                f"the weights of the best epoch so far, {number}, were another process's: EarlyStopping(..., file=...) "
                "keeps them, and restore_best=False goes on without"
            )
        found = Checkpoint.read(self._file)
        if json.dumps(found.progress["epochs"]) != _name_of(epochs):
            raise TrainingError(f"{self._file} has not the weights of this fit's best epoch so far, {number}")
        self._best, self._best_of = found, _name_of(epochs)


def _name_of(epochs: Sequence[EpochResult]) -> str:
    return json.dumps([epoch.to_list() for epoch in epochs])
