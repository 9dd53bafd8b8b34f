"""The session: all that a training needs to go on where it was, in one place."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any, Union

import numpy as np

from snnlearn.attributes import frozen
from snnlearn.errors import CheckpointError, TrainingError
from snnlearn.training.arguments import Settings
from snnlearn.training.divergence import Divergence
from snnlearn.training.engine import ModelApi
from snnlearn.training.fit import Fit, FitStart, Part, Rates, extends
from snnlearn.training.history import History
from snnlearn.training.measures import Noted
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.presenting import Order, Presenter, in_order
from snnlearn.training.progress import check_progress

# What a checkpoint has of the current fit, by its name there.
_OF_THE_FIT = ("epochs_done", "epoch_losses", "measured", "announced", "pending_epoch")


@dataclass
class Counters:
    """How many trials, timesteps and updates have been run; a trial that is not over does not count.

    Attributes
    ----------
    trial, timestep, update : int
    timesteps_left : int or None
        Of the current trial; None between trials.
    """

    trial: int = 0
    timestep: int = 0
    update: int = 0
    timesteps_left: int | None = None

    def to_list(self) -> list[int | None]:
        """Return it as plain values."""
        return list(astuple(self))


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
    rates: Rates
    loss: Noted


@dataclass(frozen=True)
class SessionState:
    """What a checkpoint holds of a session.

    Attributes
    ----------
    counters : Counters
    start : FitStart or None
    fit : mapping
        How far the current fit is, by attribute of `Session`.
    measures : sequence of dict
        The state of the loss and of each metric.
    history : History
    epochs : list of EpochResult
    """

    counters: Counters
    start: FitStart | None
    fit: Mapping[str, Any]
    measures: Sequence[Mapping[str, float]]
    history: History
    epochs: list[EpochResult]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, in the format of checkpoints."""
        return {
            "runner": self.counters.to_list(),
            "conductor": {"start": asdict(self.start) if self.start is not None else None, **self.fit},
            "measures": [dict(state) for state in self.measures],
            "history": self.history.to_dict(),
            "epochs": [epoch.to_list() for epoch in self.epochs],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SessionState:
        """Return the state that `to_dict` was taken from.

        Raises
        ------
        CheckpointError
            If something is missing, of another form, or cannot be so.
        """
        check_progress(values)
        try:
            start = values["conductor"]["start"]
            return cls(
                Counters(*values["runner"]),
                FitStart(**start) if start is not None else None,
                {name: values["conductor"][name] for name in _OF_THE_FIT},
                values["measures"],
                History.from_dict(values["history"]),
                [EpochResult.from_list(epoch) for epoch in values["epochs"]],
            )
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"this is no state of a training: {type(error).__name__}: {error}") from None


class Session:
    """Where a training is: its counters, its fit and phase, the order of its data, its measures, what it has recorded.

    Losses may be noted on the device. `settle` reads them, and does with them in order what there is to do.

    Parameters
    ----------
    settings : Settings
    counters : Counters
        The runner's own, which it moves on.
    num_connections : int
    presenter : Presenter
        How trials show examples.

    Attributes
    ----------
    start : FitStart or None
        Of the current fit.
    fit : Fit
        The current fit, laid out; a checkpoint has its signature only.
    phase : int
        Number of the phase that runs.
    stop_div : bool
        Whether the current fit ends where the loss diverges.
    diverged : bool
        Whether it has.
    epochs_done : int
        How many epochs have ended, over all fits.
    pending_epoch : int or None
        The epoch that is over and has not ended: an interruption came in between.
    announced : int
        The last update whose loss has been noted.
    measured : bool
        Whether the measures have seen the current trial.
    history : History
    epochs : list of EpochResult
        Of the last fit, as far as `settle` has been.
    """

    def __init__(self, settings: Settings, counters: Counters, num_connections: int, presenter: Presenter) -> None:
        self.settings, self.counters, self.presenter = settings, counters, presenter
        self.start: FitStart | None = None
        self.fit = Fit(())
        self.phase = 0
        self.stop_div = self.diverged = False
        self.epochs_done = 0
        self.pending_epoch: int | None = None
        self.announced = -1
        self.measured = False
        self.history = History(num_connections)
        self.epochs: list[EpochResult] = []
        self._epoch_losses: list[float] = []
        self._divergence = Divergence()
        # In order: phases that begin, iterations, results of epochs that lack their loss.
        self._unread: deque[Union[TrainingPhase, _Iteration, EpochResult]] = deque()
        self._error: str | None = None
        self._order: Order = np.arange(0)
        self._order_of: int | None = None

    # ---- the fit ----

    def begin(self, signature: list[str]) -> None:
        """Begin a new fit where the counters are; all losses have been read."""
        counters = self.counters
        self.start = FitStart(counters.trial, counters.timestep, self.epochs_done, signature)
        self.history, self.epochs = History(self.history.num_connections), []
        self._epoch_losses, self.announced = [], -1
        self._divergence, self.diverged, self._error = Divergence(), False, None

    def check_begun(self) -> None:
        """Raise TrainingError unless there is a fit."""
        if self.start is None:
            raise TrainingError("there is no fit to resume: none was begun, and no checkpoint of one loaded")

    def check_resumed(self, signature: list[str]) -> None:
        """Check that the fit of this signature is the current one.

        Raises
        ------
        TrainingError
            If it is not, or there is none.
        """
        self.check_begun()
        assert self.start is not None
        if self.start.signature != signature:
            raise TrainingError("resume needs the phases and data of the fit that was stopped, and these are others")

    def extend(self, phases: Sequence[TrainingPhase], signature: list[str]) -> None:
        """Have the current fit be a longer one, in which all that has been run would have been the same.

        Raises
        ------
        TrainingError
            If it would not have been, or there is no fit.
        """
        self.check_begun()
        assert self.start is not None
        if not extends(self.start.signature, phases, signature):
            raise TrainingError(
                "only phases at a constant rate can go on for longer: these would have had other rates in what has "
                "been run already"
            )
        self.start = replace(self.start, signature=signature)

    @property
    def part(self) -> Part:
        """The part of the fit that runs."""
        return self.fit.parts[self.phase]

    @property
    def phases_begun(self) -> int:
        """How many phases of the current fit have begun."""
        return len(self.history.phases) + sum(isinstance(one, TrainingPhase) for one in self._unread)

    def order(self, trial: int) -> Order:
        """Return in which order the epoch of a trial shows the examples: each epoch has one of its own."""
        segment, data, settings = self.part.segment, self.part.data, self.settings
        epoch = segment.epoch(trial) if settings.shuffle else None
        if self._order_of != epoch or len(self._order) != len(data):
            self._order = in_order(data)
            if epoch is not None:
                self._order = np.random.default_rng([settings.seed, epoch]).permutation(len(data))
            self._order_of = epoch
        return self._order

    def present(self, model: ModelApi, trial: int) -> None:
        """Show what a trial of the current phase shows."""
        self.presenter.present(model, self.part.data, self.order(trial), self.part.segment.index(trial))

    def num_shown(self, trial: int) -> int:
        """Return how many examples a trial of the current phase shows."""
        return self.presenter.num_shown(self.part.data, self.part.segment.index(trial))

    def measure(self, trial: int) -> None:
        """Have the measures see a trial that is over, once."""
        if not self.measured:
            self.measured = True
            place = self.part.segment.index(trial)
            self.presenter.measure(self.settings.measures, self.part.data, self.order(trial), place)

    # ---- what is recorded ----

    def note_phase(self, phase: TrainingPhase) -> None:
        """Note that a phase begins."""
        self._unread.append(phase)

    def note_update(self, update: int, rates: Rates, loss: Noted) -> None:
        """Note an update with its rates and its loss, which may be on the device."""
        self._unread.append(_Iteration(update, rates, loss))
        self.announced = update

    def note_epoch(self, validation_loss: float, metrics: dict[str, float]) -> int:
        """End the pending epoch, and return its number; its loss is the mean of those since the epoch before."""
        assert self.pending_epoch is not None
        epoch, self.pending_epoch = self.pending_epoch, None
        self._unread.append(EpochResult(epoch, math.nan, validation_loss, metrics))
        self.epochs_done = epoch + 1
        return epoch

    def settle(self) -> bool:
        """Read the losses that are not read yet, and record them; returns whether the fit is to end because of one.

        What is wrong with one is kept for `raise_error`.
        """
        for measure in self.settings.measures:
            measure.settle()
        stop = False
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
                self.history.record(one.rates.lr, one.rates.momentum, number)
                self._epoch_losses.append(number)
                stop = self._judge(number, one.update) or stop
        return stop

    def _judge(self, loss: float, update: int) -> bool:
        """Return whether the fit is to end because of a loss; keep what is wrong with it."""
        self._divergence.add(loss)
        if self.stop_div:
            self.diverged = self.diverged or self._divergence.diverges
            return self._divergence.diverges
        if not math.isfinite(loss):
            self._error = self._error or (
                f"the loss is {loss} at update {update}: the state is no longer finite; "
                "a lower learning rate or tighter weight bounds may help"
            )
        return False

    def raise_error(self) -> None:
        """Raise what was wrong with a loss that has been read, once."""
        error, self._error = self._error, None
        if error is not None:
            raise TrainingError(error)

    # ---- checkpoints ----

    def state(self) -> SessionState:
        """Return what a checkpoint holds, with all losses read."""
        self.settle()
        fit = {
            "epochs_done": self.epochs_done,
            "epoch_losses": list(self._epoch_losses),
            "measured": self.measured,
            "announced": self.announced,
            "pending_epoch": self.pending_epoch,
        }
        measures = [dict(measure.state) for measure in self.settings.measures]
        return SessionState(replace(self.counters), self.start, fit, measures, self.history, self.epochs)

    def set_state(self, state: SessionState) -> None:
        """Put back what `state` gave; all losses have been read."""
        counters, there = self.counters, state.counters
        counters.trial, counters.timestep, counters.update = there.trial, there.timestep, there.update
        counters.timesteps_left = there.timesteps_left
        self.start, self.history, self.epochs = state.start, state.history, state.epochs
        self._divergence, self.diverged = Divergence(state.history.losses.tolist()), False
        self.epochs_done, self._epoch_losses = state.fit["epochs_done"], list(state.fit["epoch_losses"])
        self.measured, self.announced = state.fit["measured"], state.fit["announced"]
        self.pending_epoch = state.fit["pending_epoch"]
        for measure, values in zip(self.settings.measures, state.measures, strict=True):
            measure.state = dict(values)
