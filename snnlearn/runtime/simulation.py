"""A loaded simulation: device arrays, timesteps, custom updates, recordings; whatever engine computes them."""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.plan.checks import length_of
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError
from snnlearn.network import Location, Network
from snnlearn.runtime import initial_values
from snnlearn.runtime.exclusive import exclusive
from snnlearn.runtime.keeps_history import KeepsHistory
from snnlearn.runtime.recording import Recording
from snnlearn.runtime.sizes import recorded_population

# What comes from outside, what is up to date without or follows from the rest, and what has been recorded and is to be
# played.
_NO_STATE = frozenset(["egp", "psm_egp", "connect_egp", "init_egp", "history", "column_start", "column_synapses"])
_NO_STATE |= frozenset(["recorded", "recorded_spikes", "recorder", "recorder_index", "played", "player", "length"])
_SECONDS = 0.05  # between checks for Ctrl-C
_MOST = 1 << 20  # timesteps
Check = Callable[[Callable[[Location], NDArray[Any]]], None]
_ELSEWHERE = "another thread is running this model"
_OUR_CODE = f"{__name__.partition('.')[0]}."


class Simulation(KeepsHistory, ABC):
    """One network in memory, ready to run.

    The arrays here are the *device's*. A host copy is another thing, on every engine: this class knows of those alone
    that compiled code works on.

    One thread at a time is at work here: what another one asks for waits, until the end of `run` where that is what
    goes on. So it sees the simulation at a timestep that it can name, and a run's results are those of a run alone.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    """

    def __init__(self, network: Network, plan: Plan, recording_timesteps: int) -> None:
        super().__init__()
        self.network, self.plan = network, plan
        self.recording_timesteps = recording_timesteps
        self._running = False
        self._by_location = {a.location: a for a in plan.arrays}
        self._host_arrays: dict[str, NDArray[Any]] = {}
        self._checks: dict[Check, None] = {}  # to be done before the next timestep
        self.history = self.checkpoints = None

    def _start(self, seed: int) -> None:
        """Give every array its initial values; an engine calls this when its arrays are there, full of zeros."""
        self.set_extra_global_params(initial_values.given_arrays(self.network, seed))
        for at, value in initial_values.given_params(self.network, self.plan):
            self.set_dynamic_param(at, value)
        self._connect()
        self._write_all(initial_values.given_connections(self.network))
        try:
            self._check()
        except NetworkError as error:
            raise initial_values.about_rows(self.network, self.read, error) from None
        for group in self.plan.column_indexing:
            self._index_columns(group)
        self._initialise()
        self._write_all(initial_values.given_variables(self.network, self.read))
        # Host code has an array of the right size even where nobody else looks at the host's copy.
        self._host_arrays = {name: self.copy(self.plan.array(name).location) for name in self.plan.host_arrays}
        self._note_lengths()
        self._bind_host()
        self._check()
        self._start_history()

    def _write_all(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        for at, values in given:
            self.write(at, values)

    # ---- what an engine does ----

    _turn = 2000  # timesteps between checks for Ctrl-C
    _turn_is_timed = False  # whether `_run` returns when they are over, so that they can be timed
    _arrays: dict[str, Any]  # by the plan's names; ``x[...] = y`` copies either way

    # Attributes, so that they may be compiled functions. Each returns whether there may be something to report.
    _step: Callable[[], object]  # one timestep
    _run: Callable[[int], object]  # as many, without a check for Ctrl-C
    updates: Mapping[str, Callable[[], object]]  # the groups of custom updates, by name
    _flush: Callable[[], object] | None  # whatever is put off is done; None where nothing ever is

    @abstractmethod
    def _read(self, at: Location) -> NDArray[Any]:
        """Return an array's values, up to date, shape (size,): itself or a copy of it, which is not to be changed."""

    @abstractmethod
    def _copy(self, at: Location) -> NDArray[Any]:
        """Return a copy of an array's values, up to date, shape (size,)."""

    @abstractmethod
    def _write(self, at: Location, values: NDArray[Any]) -> None:
        """Replace all values of an array by as many others."""

    @abstractmethod
    def _device_array(self, at: Location) -> Any:
        """Return an array itself, up to date."""

    @abstractmethod
    def _replace(self, given: Iterable[tuple[Array, NDArray[Any]]]) -> None:
        """Replace whole arrays by others of any length, which compiled code is to use from now on."""

    @abstractmethod
    def _connect(self) -> None:
        """Make connectivity, where code does that."""

    @abstractmethod
    def _index_columns(self, group: str) -> None:
        """List the columns of a connection that has a list of them."""

    @abstractmethod
    def _initialise(self) -> None:
        """Make the initial values of all variables that have an initialiser."""

    @abstractmethod
    def _bind_host(self) -> None:
        """Have host code work on the arrays of ``_host_arrays``."""

    @abstractmethod
    def _reports(self) -> tuple[str | None, str | None]:
        """Return what has gone wrong since this was asked last, and, once, what may not be meant."""

    @abstractmethod
    def _time(self) -> int:
        """Return the number of the next timestep."""

    @abstractmethod
    def _set_time(self, timestep: int) -> None:
        """Set the number of the next timestep."""

    @abstractmethod
    def _timers(self) -> dict[str, float]:
        """Return the time spent so far [s], by timer of the plan."""

    @abstractmethod
    def _close(self) -> None:
        """Free everything, if that has not been done yet."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on how the engine runs this."""
        return ()

    # ---- arrays ----

    def writes(self, at: Location) -> bool:
        """Whether code of a timestep or a custom update writes to an array."""
        return self._by_location[at].name in self._written

    @cached_property
    def _written(self) -> frozenset[str]:
        updates = self.plan.custom_updates.values()
        operations = [*self.plan.step, *(operation for group in updates for operation in group)]
        return frozenset(array for operation in operations for array in operation.writes)

    def name_of(self, at: Location) -> str:
        """Return the name that `pull` and `push` know an array by."""
        return self._by_location[at].name

    def has(self, at: Location) -> bool:
        """Whether there is such an array."""
        return at in self._by_location

    def pull(self, name: str, here: NDArray[Any]) -> None:
        """Copy an array to the host, up to date."""
        if self._busy:
            return self.in_turn(self.pull, name, here)
        with self._lock:
            self._busy = True
            try:
                if self._flush is not None and self._flush():
                    self._check()
                here[...] = self._arrays[name]
            finally:
                self._busy = self._has_waiter

    def push(self, name: str, here: NDArray[Any]) -> None:
        """Copy an array from the host."""
        if self._busy:
            return self.in_turn(self.push, name, here)
        with self._lock:
            self._busy = True
            try:
                if self._flush is not None and self._flush():
                    self._check()
                self._arrays[name][...] = here
                if self.checkpoints is not None or self._watches is not None:
                    self._note_changes((name,))
            finally:
                self._busy = self._has_waiter

    @exclusive
    def read(self, at: Location) -> NDArray[Any]:
        """Return an array's values, up to date, shape (size,): itself or a copy of it, which is not to be changed."""
        return self._read(at)

    @exclusive
    def copy(self, at: Location) -> NDArray[Any]:
        """Return a copy of an array's values, up to date, shape (size,)."""
        return self._copy(at)

    @exclusive
    def write(self, at: Location, values: NDArray[Any]) -> None:
        """Replace all values of an array by as many others."""
        self._write(at, values)
        self._note_changes([self.name_of(at)])

    @exclusive
    def device_array(self, at: Location) -> Any:
        """Return an array itself, up to date, shape (size,), as the engine has it; changes to it take effect at once.

        Work that the engine puts off is done before this returns, not whenever somebody looks at what it returned.
        """
        return self._device_array(at)

    @exclusive
    def set_extra_global_params(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        """Replace extra global parameters by values of any length."""
        replaced = [(self._by_location[at], values) for at, values in given]
        self._replace(replaced)
        self._note_lengths()
        self._note_changes(array.name for array, _ in replaced)

    def _note_lengths(self) -> None:
        """Have checked code know how many elements arrays from outside have; host code moves them both ways."""
        for array in self._measured:
            name = self._by_location[length_of(array)].name
            length = len(self._arrays[array.name])
            self._write(length_of(array), np.array([length], dtype=np.uint64))
            if name in self._host_arrays:
                shorter = min(length, len(self._host_arrays[array.name]))
                self._host_arrays[name] = np.array([shorter], dtype=np.uint64)

    @cached_property
    def _measured(self) -> list[Array]:
        return [array for array in self.plan.arrays if array.size is None and length_of(array) in self._by_location]

    def set_dynamic_param(self, at: Location, value: float) -> None:
        """Set a dynamic parameter from the next timestep or update on."""
        self.write(at, np.array([value]))

    def newest_slot(self, queue: Location) -> int:
        """Return which slot of a queue was written last."""
        return int(self.copy(queue)[0])

    @exclusive
    def connectivity_changed(self, group: str) -> None:
        """List a connection's columns anew, after its rows were written to."""
        if group in self.plan.column_indexing:
            self._index_columns(group)

    @exclusive
    def set_host_array(self, at: Location, values: NDArray[Any]) -> None:
        """Have host code of custom connectivity updates work on this array."""
        self._host_arrays[self._by_location[at].name] = values
        self._note_lengths()
        self._bind_host()

    @property
    def host_locations(self) -> list[Location]:
        """The arrays whose host copies compiled code works on."""
        return [self.plan.array(name).location for name in self._host_arrays]

    @exclusive
    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the future depends on, by what it holds; arrays given from outside apart."""
        return {at.key: self._copy(at) for at in self._by_location if is_state(at)}

    @exclusive
    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned; names, shapes and types must be the same."""
        self._heal()
        for at in self._by_location:
            if is_state(at):
                self._write(at, state[at.key])
        for group in self.plan.column_indexing:
            self._index_columns(group)
        self._note_changes(self.name_of(at) for at in self._by_location if is_state(at))

    def note_put_back(self, names: Iterable[str]) -> None:
        """Note that arrays have been replaced by what they were before."""
        self._note_changes(names, "by recover_state")

    # ---- time ----

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""
        if self._busy and not self._mine():
            return self.in_turn(self._time)
        with self._lock:
            return self._time()

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        if self.history is None:
            self.set_time_back(timestep)
        else:
            self.in_turn(self._move_time, self.history, timestep)

    @exclusive
    def set_time_back(self, timestep: int) -> None:
        """Set the timestep, of which recorders and players are not told."""
        self._set_time(timestep)

    def step(self) -> None:
        """Run one timestep in compiled code; raises as `run`."""
        if self._busy:
            self._need_rest()
            return self.in_turn(self.step)
        with self._lock:
            self._busy = True
            try:
                if self._checks:
                    self._check_first()
                if self.history is not None:
                    self._prepare(1)
                    self._pace(1)
                if self._step():
                    self._check()
            finally:
                self._busy = self._has_waiter

    def run(self, timesteps: int) -> None:
        """Run timesteps in compiled code; LifecycleError while another thread does, or this one that is interrupted."""
        if self._busy:
            self._need_rest()
            return self.in_turn(self.run, timesteps)
        with self._lock:
            self._busy = self._running = True
            try:
                if self._checks:
                    self._check_first()
                self._prepare(timesteps)
                self._attend()
                while timesteps > 0:
                    unit = self.plan.unit  # parts are as long as they last, and results do not depend on that
                    number = self._pace(min(timesteps, max(self._turn // unit, 1) * unit))
                    begin = perf_counter()
                    if self._run(number):
                        self._check()
                    timesteps -= number
                    if self._turn_is_timed:
                        self._take_turns_of(number, perf_counter() - begin)
            finally:
                self._running, self._busy = False, self._has_waiter

    def _take_turns_of(self, number: int, seconds: float) -> None:
        """Have as many timesteps run between checks for Ctrl-C as are over soon, as these were over."""
        if seconds > 2.0 * _SECONDS:
            self._turn = max(1, int(number * _SECONDS / seconds))
        elif number >= self._turn and seconds < 0.25 * _SECONDS:
            self._turn = min(4 * number, _MOST)

    def _attend(self) -> None:
        """Find out which signals are to end a run."""

    def need_whole(self) -> None:
        """Raise NetworkError where a run was given up in the midst of a timestep."""

    def _heal(self) -> None:
        """Be ready for another state, where a run was given up in the midst of a timestep."""

    def _forked(self, torn: bool) -> None:
        self._running = self._running and not torn

    def _need_rest(self, then: str = "") -> None:
        """Raise LifecycleError within `run`."""
        if self._running:
            whose = "what interrupts a run of this model cannot run it too" if self._mine() else _ELSEWHERE
            raise LifecycleError(whose + then)

    def check_before_running(self, check: Check) -> None:
        """Have something checked before the next timestep, and again until the check raises nothing.

        The check is given a function that reads arrays, as `read` does.
        """
        self._checks[check] = None

    def _check_first(self) -> None:
        for check in list(self._checks):
            check(self._read)
            del self._checks[check]

    def custom_update(self, group: str) -> None:
        """Run a group of custom updates; the group must exist."""
        if self._busy:
            return self.in_turn(self.custom_update, group)
        with self._lock:
            self._busy = True
            try:
                if self.updates[group]():
                    self._check()
            finally:
                self._busy = self._has_waiter

    @exclusive
    def timers(self) -> dict[str, float]:
        """Return the time spent so far [s], by timer of the plan; that of several threads together where they share."""
        return self._timers()

    @exclusive
    def recording(self, at: Location) -> list[Recording]:
        """Return a copy of what a recording holds, for each copy of the batch.

        Raises
        ------
        LifecycleError
            If fewer timesteps have passed than it holds.
        """
        length, timestep = self.recording_timesteps, self._time()
        if timestep < length:
            raise LifecycleError(
                f"the recording of {at.group!r} holds {length} timesteps and only {timestep} have passed: "
                "it can be read once it is full"
            )
        words = self._read(at).reshape(length, self.network.batch_size, -1)
        # The ring's oldest row belongs to timestep - length.
        rows = np.roll(words, -(timestep % length), axis=0)
        neurons = recorded_population(self.network, at).size
        return [
            Recording(rows[:, copy], timestep - length, self.network.dt, neurons)
            for copy in range(self.network.batch_size)
        ]

    def close(self) -> None:
        """Free everything; LifecycleError within `run`."""
        self._need_rest(": it cannot be unloaded now")
        self._close_alone()

    @exclusive
    def _close_alone(self) -> None:
        try:
            if self.history is not None and not self.closed:
                self.history.end_streams()
        finally:
            self._close()

    def _check(self) -> None:
        """Raise the error that code has reported since the last call; else emit its warning."""
        error, warning = self._reports()
        if error is not None:
            raise NetworkError(error)
        if warning is not None:
            warnings.warn(warning, ModelWarning, stacklevel=_depth_of_our_code() + 1)


def is_state(at: Location) -> bool:
    """Whether an array is part of what `Simulation.state` returns."""
    return at.space not in _NO_STATE


def _depth_of_our_code() -> int:
    """Return how many calls of our own lie between a caller of this and the user's line that led to it."""
    frame, depth = sys._getframe(1), 0
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(_OUR_CODE):
        frame, depth = frame.f_back, depth + 1
    return depth
