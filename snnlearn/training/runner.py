"""The trial runner: the same stretch of simulated time again and again, with weight updates in between."""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from snnlearn.calling import named_arguments
from snnlearn.errors import TrainingError
from snnlearn.training.callbacks import Callback, Spikes, notify
from snnlearn.training.engine import GradientApi, NeuronGroupApi, SteppedModelApi
from snnlearn.training.forwarding import Forwarded
from snnlearn.training.one_thread import OneThread, one_thread
from snnlearn.training.session import Counters


@named_arguments
class TrialRunner(OneThread):
    """Runs trials of a loaded model.

    A trial starts with the reset groups (custom updates that rewind spike sources, say) and with the model's
    timestep at 0; neurons and synapses carry on from the trial before. The update group runs every
    ``update_timesteps`` timesteps, counted over all trials.

    A run that an exception ended (a callback's, Ctrl-C) goes on with the next call of `run`, where it was: in the
    middle of a trial if need be.

    Parameters
    ----------
    model : GeNNModel
        Loaded; of any engine with PyGeNN's API. Where it has ``run(n)`` that is used.
    trial_timesteps : int
        Length of a trial.
    update_group : str, optional
        The custom update group that changes the weights.
    update_timesteps : int, optional
        How often; needed with ``update_group``.
    update_offset : int
        The k-th update comes when ``k * update_timesteps + update_offset`` timesteps have been run. 1 is the rule of
        GeNN's superspike_demo: after the timestep whose number, from 0, is a multiple of the interval.
    reset_groups : sequence of str
        Custom update groups to run at the start of each trial.
    record : collection of int
        The trials to record, counted from 0 over all runs. The model must have been loaded with
        ``num_recording_timesteps=trial_timesteps``.
    populations : sequence of neuron groups
        Whose spikes to hand to ``on_recording``.
    callbacks : sequence of Callback
    counters : Counters, optional
        Counters to go on with; by default new ones.

    Attributes
    ----------
    model
    update_group : str or None
        May be changed between updates.
    counters : Counters
        The counters; ``trial``, ``timestep``, ``update`` and ``timesteps_left`` are its own.
    within_trial : bool
        Whether anything of the current trial has been done, be it a part of its beginning.
    gradient : Program, optional
        Goes back through what was run before each update.

    Raises
    ------
    TrainingError
        For a length or interval that is not positive, an update group without interval.
    """

    trial = Forwarded[int]("counters")
    timestep = Forwarded[int]("counters")
    update = Forwarded[int]("counters")
    timesteps_left = Forwarded[Union[int, None]]("counters")

    def __init__(
        self,
        model: SteppedModelApi,
        trial_timesteps: int,
        *,
        update_group: str | None = None,
        update_timesteps: int | None = None,
        update_offset: int = 0,
        reset_groups: Sequence[str] = (),
        record: Collection[int] = (),
        populations: Sequence[NeuronGroupApi] = (),
        callbacks: Sequence[Callback] = (),
        counters: Counters | None = None,
        gradient: GradientApi | None = None,
    ) -> None:
        _need_positive("trial_timesteps", trial_timesteps)
        if (update_group is None) != (update_timesteps is None):
            raise TrainingError("update_group and update_timesteps belong together: give both or neither")
        if update_timesteps is not None:
            _need_positive("update_timesteps", update_timesteps)
        if not isinstance(update_offset, int) or update_offset < 0:
            raise TrainingError(f"update_offset must be a whole number and not negative: {update_offset!r}")
        super().__init__()
        self.model = model
        self.counters = counters if counters is not None else Counters()
        self.update_group = update_group
        self.within_trial = False
        self._stop = False
        self._trial_timesteps = trial_timesteps
        self._update_timesteps = update_timesteps
        self._update_offset = update_offset
        self._reset_groups = tuple(reset_groups)
        self._record = frozenset(record)
        self._populations = tuple(populations)
        self._callbacks = tuple(callbacks)
        self._gradient = gradient

    @one_thread
    def run(self, num_trials: int) -> bool:
        """Run this many trials, on from where the last run ended; returns False where a stop was requested.

        Raises
        ------
        TrainingError
            If the number is not positive; while another thread runs trials.
        """
        _need_positive("num_trials", num_trials)
        last = self.counters.trial + num_trials
        self._tell("on_train_begin", num_trials)
        try:
            while self.counters.trial < last and not self._stop:
                self._run_trial()
            finished = not self._stop
            self._tell("on_train_end")
        finally:
            self.cancel_stop()
        return finished

    def request_stop(self) -> None:
        """End the run as soon as the update or the trial at hand is done, or the next one before it begins."""
        self._stop = True

    def cancel_stop(self) -> None:
        """Withdraw `request_stop`."""
        self._stop = False

    def abandon_trial(self) -> None:
        """Let the next run begin with a new trial, whatever was left of the last; leave out an update that was due."""
        self.counters.timesteps_left = None
        self.counters.update = max(self.counters.update, self.updates_until(self.counters.timestep))

    def updates_until(self, timestep: int) -> int:
        """Return how many updates are due in the first so many timesteps."""
        if self._update_timesteps is None:
            return 0
        return max((timestep - self._update_offset) // self._update_timesteps, 0)

    @property
    def updates_end_trials(self) -> bool:
        """Whether an update comes at the end of every trial."""
        interval = self._update_timesteps
        return interval is None or not (self._trial_timesteps % interval or self._update_offset % interval)

    def _run_trial(self) -> None:
        trial = self.counters.trial
        if self.counters.timesteps_left is None:
            self.within_trial = True
            for group in self._reset_groups:
                self.model.custom_update(group)
            self.model.timestep = 0
            self._tell("on_trial_begin", trial)
            self.counters.timesteps_left = self._trial_timesteps
        self._update_if_due()  # where an error came before it
        while self.counters.timesteps_left and not self._stop:
            self._run_to_update(self.counters.timesteps_left)
            self._update_if_due()
        if self.counters.timesteps_left:
            return
        self.counters.trial += 1
        self.counters.timesteps_left, self.within_trial = None, False
        if trial in self._record:
            self.model.pull_recording_buffers_from_device()
            spikes = {group.name: _in_order(*group.spike_recording_data[0]) for group in self._populations}
            self._tell("on_recording", trial, spikes)
        self._tell("on_trial_end", trial)

    def _run_to_update(self, left: int) -> None:
        """Run to the next update, or to the end of the trial where that comes first."""
        number = left
        if self._update_timesteps is not None:
            due = (self.counters.update + 1) * self._update_timesteps + self._update_offset
            number = min(number, due - self.counters.timestep)
        begin = self.model.timestep
        try:
            if hasattr(self.model, "run"):
                self.model.run(number)
            else:
                for _ in range(number):
                    self.model.step_time()
        finally:
            # Fewer than asked for after Ctrl-C.
            done = self.model.timestep - begin
            self.counters.timestep += done
            self.counters.timesteps_left = left - done

    def _update_if_due(self) -> None:
        if self.update_group is not None and self.updates_until(self.counters.timestep) > self.counters.update:
            update = self.counters.update
            self._tell("on_update", update)
            if self._gradient is not None and self._gradient.pending:
                self._gradient.backward()
            self.model.custom_update(self.update_group)
            self.counters.update += 1
            self._tell("on_update_end", update)

    def _tell(self, event: str, *args: Any) -> None:
        self._stop = notify(self._callbacks, event, self, *args) or self._stop


def _in_order(times: NDArray[np.float64], ids: NDArray[np.int32]) -> Spikes:
    """Sort spikes by time, then neuron: GeNN's own come in an order of its words."""
    order = np.lexsort((ids, times))
    return times[order], ids[order]


def _need_positive(name: str, value: Any) -> None:
    try:
        number = operator.index(value)
    except TypeError:
        raise TrainingError(f"{name} must be a whole number, not {value!r}") from None
    if number < 1:
        raise TrainingError(f"{name} must be positive, not {value!r}")
