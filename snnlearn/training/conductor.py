"""What a learner does at each event of a run: rates before an update, measures after a trial, tables after an epoch."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from snnlearn.training.callbacks import Callback, Spikes, notify
from snnlearn.training.fit import Fit
from snnlearn.training.runner import TrialRunner
from snnlearn.training.session import EpochResult, Session
from snnlearn.training.trained_network import TrainedNetwork
from snnlearn.training.validation import Validation


class Conductor(Callback):
    """A learner's own callback on its runner; it passes events on to the user's callbacks.

    Parameters
    ----------
    learner : object
        Whom the user's callbacks are called with; nothing else is asked of it.
    session : Session
        All that is to be remembered.
    network : TrainedNetwork
    validation : Validation
    """

    internal = True

    def __init__(self, learner: object, session: Session, network: TrainedNetwork, validation: Validation) -> None:
        self._learner, self._session = learner, session
        self._network, self._validation = network, validation
        self._bar: Any = None

    # ---- the run ----

    def begin(self, runner: TrialRunner, signature: list[str]) -> None:
        """Begin a new fit where the runner is; ``signature`` tells its phases from others."""
        self._end_pending_epoch(runner)
        self._session.settle()
        runner.cancel_stop()
        runner.abandon_trial()
        self._session.begin(signature)

    def conduct(self, runner: TrialRunner, fit: Fit, stop_div: bool) -> None:
        """Run phases from where the runner is."""
        session = self._session
        session.fit, session.stop_div = fit, stop_div
        self._bar = tqdm(
            total=fit.num_trials,
            initial=runner.trial - fit.first_trial,
            unit="trial",
            file=sys.stderr,
            disable=True if session.settings.quiet else None,
        )
        try:
            self._end_pending_epoch(runner)
            self._tell(runner, "on_train_begin", fit.num_trials)
            self._run_phases(runner)
            self._report(runner)
            self._tell(runner, "on_train_end")
        finally:
            self._bar.close()
            runner.cancel_stop()
            # After Ctrl-C too: the history is not to depend on whether the model stays loaded. Where training failed,
            # reading may fail too, and is not to hide the reason.
            with contextlib.suppress(Exception):
                session.settle()

    def _run_phases(self, runner: TrialRunner) -> None:
        session = self._session
        for number, part in enumerate(session.fit.parts):
            if runner.trial >= part.segment.end:
                continue
            session.phase = number
            runner.update_group = self._network.update_group(part.phase.rule)
            if session.phases_begun == number:
                session.note_phase(part.phase)
                self._tell(runner, "on_phase_begin", number)
            finished = runner.run(part.segment.end - runner.trial)
            if runner.trial == part.segment.end:
                self._tell(runner, "on_phase_end", number)
            if not finished:
                return

    # ---- events ----

    def on_train_begin(self, trainer: TrialRunner, num_trials: int) -> None:
        """Go on with the trial under way, if there is one."""
        self._network.count_copies(self._session.num_shown(trainer.trial))

    def on_trial_begin(self, trainer: TrialRunner, trial: int) -> None:
        """Show the trial's examples."""
        session, segment = self._session, self._session.part.segment
        self._network.count_copies(session.num_shown(trial))
        session.present(self._network.model, trial)
        session.measured = False
        if segment.index(trial) == 0:
            self._tell(trainer, "on_epoch_begin", segment.epoch(trial))
        self._tell(trainer, "on_trial_begin", trial)

    def on_update(self, trainer: TrialRunner, update: int) -> None:
        """Set the rates of this iteration, take note of them and of the loss."""
        session = self._session
        session.raise_error()
        if trainer.timesteps_left == 0:
            # The trial is over, and the measures are to see it before the update does its work.
            session.measure(trainer.trial)
        rates = session.part.rates(update)
        self._network.set_rates(session.part.phase.rule, rates.params)
        if session.announced != update:
            # Not so after an error between here and the update: then it is announced again, but has been recorded.
            loss = session.settings.loss.note(trainer.timestep)
            session.note_update(update, rates, loss)
            if not callable(loss) or session.stop_div:
                self._report(trainer)
        self._network.take_means()
        self._tell(trainer, "on_update", update)

    def on_update_end(self, trainer: TrialRunner, update: int) -> None:
        """Pass it on."""
        self._tell(trainer, "on_update_end", update)

    def on_recording(self, trainer: TrialRunner, trial: int, spikes: Mapping[str, Spikes]) -> None:
        """Pass it on."""
        self._tell(trainer, "on_recording", trial, spikes)

    def on_trial_end(self, trainer: TrialRunner, trial: int) -> None:
        """Measure, and end an epoch where one ends."""
        session, segment = self._session, self._session.part.segment
        session.measure(trial)
        self._bar.update()
        if segment.ends_epoch(trial):
            session.pending_epoch = segment.epoch(trial)
        self._tell(trainer, "on_trial_end", trial)
        self._end_pending_epoch(trainer)
        # After the callbacks, so that what they ask for is read in the same go.
        if (trial + 1) % session.settings.read_trials == 0:
            self._report(trainer)
        session.raise_error()

    def _end_pending_epoch(self, runner: TrialRunner) -> None:
        """End the epoch that is over, if there is one: at its last trial, or after an interruption there, later."""
        session, settings = self._session, self._session.settings
        if session.pending_epoch is None:
            return
        validation_loss = math.nan
        if settings.validation is not None:
            validation_loss, metrics = self._validation.run()
            for metric in settings.metrics:
                metric.value(runner.timestep)
        else:
            metrics = {m.name: m.number(runner.timestep) for m in settings.metrics}
        epoch = session.note_epoch(validation_loss, metrics)
        if not settings.quiet:
            self._settle(runner)
            _print_line(session.epochs)
        self._tell(runner, "on_epoch_end", epoch)

    def _settle(self, runner: TrialRunner) -> None:
        if self._session.settle():
            runner.request_stop()

    def _report(self, runner: TrialRunner) -> None:
        """Read the losses, and raise what is wrong with one."""
        self._settle(runner)
        self._session.raise_error()

    def _tell(self, runner: TrialRunner, event: str, *args: Any) -> None:
        if notify(self._session.settings.callbacks, event, self._learner, *args):
            runner.request_stop()


def _print_line(epochs: list[EpochResult]) -> None:
    """Print the newest line of the table, under its head where it is the first."""
    result = epochs[-1]
    if len(epochs) == 1:
        names = ["epoch", "loss", "val_loss", *result.metrics]
        tqdm.write("".join(f"{name:>12}" for name in names))
    numbers = [result.loss, result.validation_loss, *result.metrics.values()]
    cells = ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
    tqdm.write(f"{result.epoch:>12}" + "".join(f"{cell:>12}" for cell in cells))
