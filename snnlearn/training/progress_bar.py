"""A bar of trials, with what is known of the newest epoch."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from snnlearn.calling import named_arguments
from snnlearn.errors import TrainingError
from snnlearn.training.callbacks import Callback
from snnlearn.training.monitoring import epoch_values


@named_arguments
class ProgressBar(Callback):
    """Shows a bar of the fit's trials on stderr, where that is a terminal, beside it losses and metrics of the epoch.

    It is for learners that are ``quiet``; others have a bar and a table of their own.

    Parameters
    ----------
    title : str
        Before the bar.

    Raises
    ------
    TrainingError
        Where a fit begins, of a learner that is not quiet.
    """

    def __init__(self, title: str = "") -> None:
        self._title = title
        self._bar: Any = None

    def on_train_begin(self, trainer: Any, num_trials: int) -> None:
        """Begin, with the trials that have been run before a resumption."""
        if not getattr(trainer, "quiet", True):
            raise TrainingError("the learner shows a bar of its own: give it quiet=True, or leave out ProgressBar")
        self.close()
        done = 0
        if hasattr(trainer, "progress"):
            done = trainer.runner.trial - trainer.progress()["conductor"]["start"]["trial"]
        # `disable=None` is tqdm's word for "on a terminal only".
        self._bar = tqdm(
            total=num_trials, initial=done, desc=self._title or None, unit="trial", file=sys.stderr, disable=None
        )

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Go on by a trial."""
        if self._bar is not None:
            self._bar.update()

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        """Show the epoch's losses and metrics."""
        if self._bar is not None and not self._bar.disable:
            self._bar.set_postfix(epoch_values(trainer))

    def on_train_end(self, trainer: Any) -> None:
        """Leave the bar as it is."""
        self.close()

    def close(self) -> None:
        """Leave the bar as it is: after an error, too."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
