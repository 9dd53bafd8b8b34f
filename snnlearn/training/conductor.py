"""What a learner does at each event of a run: rates before an update, measures after a trial, tables after an epoch."""

from __future__ import annotations

import contextlib
import math
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from tqdm import tqdm

from snnlearn.attributes import frozen
from snnlearn.errors import TrainingError
from snnlearn.training.callbacks import Callback, Spikes, tell
from snnlearn.training.data import Data
from snnlearn.training.divergence import Divergence
from snnlearn.training.finder import Ending
from snnlearn.training.history import History
from snnlearn.training.layout import Segment
from snnlearn.training.measures import Noted
from snnlearn.training.phases import TrainingPhase

if TYPE_CHECKING:
    from snnlearn.training.learner import Learner


@frozen
@dataclass(frozen=True)
class EpochResult:
    """A line of the table.

    Attributes
    ----------
    epoch : int
        Counted over all fits.
    loss : float
        Mean over the epoch's updates; NaN where there was none.
    validation_loss : float
        NaN where there are no validation data.
    metrics : dict of str to float
        Of the validation data where there are such, else of the epoch.
    """

    epoch: int
    loss: float
    validation_loss: float
    metrics: dict[str, float]

    def to_list(self) -> list[Any]:
        """Return it as plain values."""
        return [self.epoch, self.loss, self.validation_loss, self.metrics]

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> EpochResult:
        """Return what `to_list` gave."""
        return cls(*values)


@dataclass(frozen=True)
class _Iteration:
    """An update whose loss is perhaps still on the device."""

    update: int
    lr: Any
    momentum: Any
    loss: Noted


class Conductor(Callback):
    """A learner's own callback on its runner; it passes events on to the user's callbacks.

    Losses may be noted on the device. `settle` has them read, and does with them in order what there is to do: it
    comes when somebody looks at the learner's history, and every so many trials.

    Attributes
    ----------
    start : dict or None
        Trial, timestep and epoch with which the current fit began, and what tells its phases from others.
    epochs_done : int
        How many epochs have ended, over all fits.
    parts : list of (Segment, TrainingPhase, Data)
        The phases of the current fit.
    history : History
    epochs : list of EpochResult
        Of the last fit, as far as `settle` has been.
    """

    internal = True

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.history = History(len(learner.connections))
        self.epochs: list[EpochResult] = []
        self.start: dict[str, Any] | None = None
        self.epochs_done = 0
        self._announced = -1
        self._pending_epoch: int | None = None
        # In order: phases that begin, iterations, results of epochs that lack their loss.
        self._unread: deque[Union[TrainingPhase, _Iteration, EpochResult]] = deque()
        self._trouble: str | None = None
        self._epoch_losses: list[float] = []
        self._divergence = Divergence()
        self._diverged = False  # whether that has ended the current fit
        self._measured = False
        self.parts: list[tuple[Segment, TrainingPhase, Data]] = []
        self._current = 0
        self._stop_div = False
        self._order = np.arange(0)
        self._order_of = -1
        self._bar: Any = None

    # ---- the run ----

    def begin(self, signature: list[str]) -> None:
        """Begin a new fit where the runner is; ``signature`` tells its phases from others."""
        runner = self.learner.runner
        self._end_pending_epoch()
        self.settle()
        self._trouble = None
        runner.cancel_stop()
        runner.abandon_trial()
        self.start = {
            "trial": runner.trial,
            "timestep": runner.timestep,
            "epoch": self.epochs_done,
            "signature": signature,
        }
        self.history, self.epochs = History(len(self.learner.connections)), []
        self._epoch_losses, self._announced = [], -1
        self._divergence, self._diverged = Divergence(), False

    def conduct(self, parts: list[tuple[Segment, TrainingPhase, Data]], stop_div: bool) -> None:
        """Run phases from where the runner is."""
        runner = self.learner.runner
        self.parts, self._stop_div = parts, stop_div
        total = parts[-1][0].end - parts[0][0].first_trial
        self._bar = tqdm(
            total=total,
            initial=runner.trial - parts[0][0].first_trial,
            unit="trial",
            file=sys.stderr,
            disable=True if self.learner.quiet else None,
        )
        try:
            self._end_pending_epoch()
            self._tell("on_train_begin", total)
            self._run_phases()
            self._report()
            self._tell("on_train_end")
        finally:
            self._bar.close()
            runner.cancel_stop()
            # After Ctrl-C too: the history is not to depend on whether the model stays loaded. Where training failed,
            # reading may fail too, and is not to hide the reason.
            with contextlib.suppress(Exception):
                self.settle()

    def _run_phases(self) -> None:
        runner = self.learner.runner
        for number, (segment, phase, _data) in enumerate(self.parts):
            if runner.trial >= segment.end:
                continue
            self._current = number
            runner.update_group = self.learner.update_group(phase.rule)
            begun = len(self.history.phases) + sum(isinstance(one, TrainingPhase) for one in self._unread)
            if begun == number:
                self._unread.append(phase)
                self._tell("on_phase_begin", number)
            finished = runner.run(segment.end - runner.trial)
            if runner.trial == segment.end:
                self._tell("on_phase_end", number)
            if not finished:
                return

    # ---- events ----

    def on_trial_begin(self, trainer: Any, trial: int) -> None:
        """Show the trial's example."""
        segment, _phase, data = self.parts[self._current]
        data.present(self.learner.model, self._example(trial))
        self._measured = False
        if segment.index(trial) == 0:
            self._tell("on_epoch_begin", segment.epoch(trial))
        self._tell("on_trial_begin", trial)

    def on_update(self, trainer: Any, update: int) -> None:
        """Set the rates of this iteration, take note of them and of the loss."""
        self._raise_trouble()
        segment, phase, _data = self.parts[self._current]
        learner = self.learner
        if learner.runner.timesteps_left == 0:
            # The trial is over, and the measures are to see it before the update does its work.
            self._measure(learner.runner.trial)
        iteration = update - segment.first_update
        rates = phase_rates(phase, iteration, segment.num_updates)
        learner.set_rates(phase.rule, rates["params"])
        if self._announced != update:
            # Not so after an error between here and the update: then it is announced again, but has been recorded.
            loss = learner.loss.note(learner.runner.timestep)
            self._unread.append(_Iteration(update, rates["lr"], rates["momentum"], loss))
            self._announced = update
            if not callable(loss) or self._stop_div:
                self._report()
        self._tell("on_update", update)

    def on_update_end(self, trainer: Any, update: int) -> None:
        """Pass it on."""
        self._tell("on_update_end", update)

    def on_recording(self, trainer: Any, trial: int, spikes: Mapping[str, Spikes]) -> None:
        """Pass it on."""
        self._tell("on_recording", trial, spikes)

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        """Measure, and end an epoch where one ends."""
        segment, _phase, _data = self.parts[self._current]
        self._measure(trial)
        self._bar.update()
        if segment.ends_epoch(trial):
            self._pending_epoch = segment.epoch(trial)
        self._tell("on_trial_end", trial)
        self._end_pending_epoch()
        # After the callbacks, so that what they ask for is read in the same go.
        if (trial + 1) % self.learner.read_trials == 0:
            self._report()
        self._raise_trouble()

    def _measure(self, trial: int) -> None:
        if not self._measured:
            self._measured = True
            data = self.parts[self._current][2]
            for measure in (self.learner.loss, *self.learner.metrics):
                measure.after_trial(data, self._example(trial))

    def _end_pending_epoch(self) -> None:
        """End the epoch that is over, if there is one: at its last trial, or after an interruption there, later."""
        if self._pending_epoch is None:
            return
        learner, epoch = self.learner, self._pending_epoch
        validation_loss = math.nan
        if learner.validation is not None:
            validation_loss, metrics = learner.validate()
            for metric in learner.metrics:
                metric.value(learner.runner.timestep)
        else:
            metrics = {m.name: float(m.value(learner.runner.timestep)) for m in learner.metrics}
        self._unread.append(EpochResult(epoch, math.nan, validation_loss, metrics))
        self.epochs_done, self._pending_epoch = epoch + 1, None
        if not learner.quiet:
            self.settle()
            self._print(self.epochs[-1])
        self._tell("on_epoch_end", epoch)

    # ---- losses ----

    def settle(self) -> None:
        """Read the losses that are not read yet, and record them; trouble with one waits for the next event."""
        for measure in (self.learner.loss, *self.learner.metrics):
            measure.settle()
        while self._unread:
            one = self._unread[0]
            loss = one.loss if isinstance(one, _Iteration) else math.nan
            number = loss() if callable(loss) else loss
            self._unread.popleft()
            if isinstance(one, TrainingPhase):
                self.history.begin_phase(one)
            elif isinstance(one, EpochResult):
                mean = float(np.mean(self._epoch_losses)) if self._epoch_losses else math.nan
                self.epochs.append(replace(one, loss=mean))
                self._epoch_losses = []
            else:
                self.history.record(one.lr, one.momentum, number)
                self._epoch_losses.append(number)
                self._check_loss(number, one.update)

    def _report(self) -> None:
        """Read the losses, and raise what is wrong with one."""
        self.settle()
        self._raise_trouble()

    def _raise_trouble(self) -> None:
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise TrainingError(trouble)

    def _print(self, result: EpochResult) -> None:
        if len(self.epochs) == 1:
            names = ["epoch", "loss", "val_loss", *result.metrics]
            tqdm.write("".join(f"{name:>12}" for name in names))
        numbers = [result.loss, result.validation_loss, *result.metrics.values()]
        cells = ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
        tqdm.write(f"{result.epoch:>12}" + "".join(f"{cell:>12}" for cell in cells))

    def _check_loss(self, loss: float, update: int) -> None:
        self._divergence.add(loss)
        if self._stop_div:
            if self._divergence.diverges:
                self._diverged = True
                self.learner.runner.request_stop()
        elif not math.isfinite(loss):
            self._trouble = self._trouble or (
                f"the loss is {loss} at update {update}: the state is no longer finite; "
                "a lower learning rate or tighter weight bounds may help"
            )

    def ending(self) -> Ending:
        """Return how the current fit ended."""
        planned = sum(segment.num_updates for segment, _phase, _data in self.parts)
        return Ending(planned, self._diverged)

    def _example(self, trial: int) -> int:
        segment, _phase, data = self.parts[self._current]
        epoch = segment.epoch(trial)
        if not self.learner.shuffle:
            return segment.index(trial)
        if self._order_of != epoch or len(self._order) != len(data):
            self._order = np.random.default_rng([self.learner.seed, epoch]).permutation(len(data))
            self._order_of = epoch
        return int(self._order[segment.index(trial)])

    def _tell(self, event: str, *args: Any) -> None:
        if tell(self.learner.callbacks, event, self.learner, *args):
            self.learner.runner.request_stop()

    def lr_of_update(self, update: int) -> float:
        """Return the highest learning rate of an update; see `Learner.lr_of_update`."""
        for segment, phase, _data in self.parts:
            if update < segment.first_update + segment.num_updates:
                return float(np.max(phase.lr_at(max(update - segment.first_update, 0), segment.num_updates)))
        segment, phase, _data = self.parts[-1]
        return float(np.max(phase.lr_at(max(segment.num_updates - 1, 0), max(segment.num_updates, 1))))

    # ---- state ----

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs, as plain values."""
        return {
            "start": self.start,
            "epochs_done": self.epochs_done,
            "epoch_losses": list(self._epoch_losses),
            "measured": self._measured,
            "announced": self._announced,
            "pending_epoch": self._pending_epoch,
        }

    def set_state(self, state: dict[str, Any], history: History, epochs: list[EpochResult]) -> None:
        """Put back what `state` gave, and the history and epochs that belong to it."""
        self.history, self.epochs = history, epochs
        self._divergence, self._diverged = Divergence(history.losses.tolist()), False
        self.start = state["start"]
        self.epochs_done = state["epochs_done"]
        self._epoch_losses = list(state["epoch_losses"])
        self._measured, self._announced = state["measured"], state["announced"]
        self._pending_epoch = state["pending_epoch"]


def phase_rates(phase: TrainingPhase, iteration: int, iterations: int) -> dict[str, Any]:
    """Return the rates of an iteration: for the record, and by parameter of the optimiser.

    Returns
    -------
    dict
        ``lr`` and ``momentum`` (a number or an array of shape (connections,); momentum None where the optimiser has
        none), and ``params``: all parameters to set.
    """
    rule = phase.rule
    lr = phase.lr_at(iteration, iterations)
    momentum = phase.momentum_at(iteration, iterations)
    params: dict[str, Any] = {rule.lr_param: lr, **phase.constants()}
    if rule.momentum_param is not None:
        params[rule.momentum_param] = momentum
    return {"lr": lr, "momentum": momentum if rule.momentum_param is not None else None, "params": params}
