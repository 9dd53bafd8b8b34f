"""A loaded simulation: device arrays, timesteps, custom updates, recordings; whatever engine computes them."""

from __future__ import annotations

import sys
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError
from snnlearn.network import Location, Network
from snnlearn.runtime import first_values
from snnlearn.runtime.recording import Recording
from snnlearn.runtime.sizes import recorded_population

_CHUNK = 2000  # timesteps between looks at Ctrl-C
_OUR_CODE = ("snnlearn.runtime", "snnlearn.genn")


class Simulation(ABC):
    """One network in memory, ready to run.

    The arrays here are the *device's*. A host copy is another thing, on every engine: this class knows of those alone
    that compiled code works on.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    """

    def __init__(self, network: Network, plan: Plan, recording_timesteps: int) -> None:
        self.network, self.plan = network, plan
        self.recording_timesteps = recording_timesteps
        self._running = threading.Lock()
        self._by_location = {a.location: a for a in plan.arrays}
        self._hosted: dict[str, NDArray[Any]] = {}
        self._checks: dict[Callable[[], None], None] = {}  # to be done before the next timestep

    def _start(self, seed: int) -> None:
        """Give every array its first values; an engine calls this when its arrays are there, full of zeros."""
        first_values.set_numbers(self, seed)
        self._connect()
        first_values.set_connections(self)
        try:
            self._check()
        except NetworkError as error:
            raise first_values.about_rows(self, error) from None
        for group in self.plan.columns:
            self._list_columns(group)
        self._initialise()
        first_values.set_variables(self)
        # Host code has an array of the right size even where nobody else looks at the host's copy.
        self._hosted = {name: self.copy(self.plan.array(name).location) for name in self.plan.hosted}
        self._bind_host()
        self._check()

    # ---- what an engine does ----

    @abstractmethod
    def _need_open(self) -> None:
        """Raise LifecycleError where the simulation cannot be used: after `close`, and in a fork of its process."""

    @abstractmethod
    def read(self, at: Location) -> NDArray[Any]:
        """Return an array's values, up to date, shape (size,): itself or a copy of it, which is not to be changed."""

    @abstractmethod
    def copy(self, at: Location) -> NDArray[Any]:
        """Return a copy of an array's values, up to date, shape (size,)."""

    @abstractmethod
    def write(self, at: Location, values: NDArray[Any]) -> None:
        """Replace all values of an array by as many others."""

    @abstractmethod
    def device_array(self, at: Location) -> Any:
        """Return an array itself, up to date, shape (size,), as the engine has it; changes to it take effect at once.

        Work that the engine puts off is done before this returns, not whenever somebody looks at what it returned.
        """

    @abstractmethod
    def _replace(self, given: Iterable[tuple[Array, NDArray[Any]]]) -> None:
        """Replace whole arrays by others of any length, which compiled code is to use from now on."""

    @abstractmethod
    def _connect(self) -> None:
        """Make connectivity, where code does that."""

    @abstractmethod
    def _list_columns(self, group: str) -> None:
        """List the columns of a connection that has a list of them."""

    @abstractmethod
    def _initialise(self) -> None:
        """Make the first values of all variables that have an initialiser."""

    @abstractmethod
    def _bind_host(self) -> None:
        """Have host code work on the arrays of ``_hosted``."""

    @abstractmethod
    def _run(self, timesteps: int) -> None:
        """Run timesteps without a look at Ctrl-C; raises and warns of what code has done in them."""

    @abstractmethod
    def _custom_update(self, group: str) -> None:
        """Run a group of custom updates."""

    @abstractmethod
    def _reports(self) -> tuple[str | None, str | None]:
        """Return what has gone wrong since this was asked last, and, once, what may not be meant."""

    @property
    @abstractmethod
    def timestep(self) -> int:
        """The number of the next timestep."""

    @timestep.setter
    @abstractmethod
    def timestep(self, timestep: int) -> None: ...

    @abstractmethod
    def timers(self) -> dict[str, float]:
        """Return the time spent so far [s], by timer of the plan; that of several threads together where they share."""

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

    def has(self, at: Location) -> bool:
        """Whether there is such an array."""
        return at in self._by_location

    def set_extra_global_params(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        """Replace extra global parameters by values of any length."""
        self._replace((self._by_location[at], values) for at, values in given)

    def set_dynamic_param(self, at: Location, value: float) -> None:
        """Set a dynamic parameter from the next timestep or update on."""
        self.write(at, np.array([value]))

    def newest_slot(self, queue: Location) -> int:
        """Return which slot of a queue was written last."""
        return int(self.read(queue)[0])

    def connectivity_changed(self, group: str) -> None:
        """List a connection's columns anew, after its rows were written to."""
        if group in self.plan.columns:
            self._list_columns(group)

    def set_host_array(self, at: Location, values: NDArray[Any]) -> None:
        """Have host code of custom connectivity updates work on this array."""
        self._hosted[self._by_location[at].name] = values
        self._bind_host()

    @property
    def host_locations(self) -> list[Location]:
        """The arrays whose host copies compiled code works on."""
        return [self.plan.array(name).location for name in self._hosted]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the future depends on, by what it holds; arrays given from outside apart."""
        return {at.key: self.copy(at) for at in self._by_location if _is_state(at)}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned; names, shapes and types must be the same."""
        for at in self._by_location:
            if _is_state(at):
                self.write(at, state[at.key])

    # ---- time ----

    def run(self, timesteps: int) -> None:
        """Run timesteps in compiled code."""
        self._need_open()
        if not self._running.acquire(blocking=False):
            raise LifecycleError("another thread is running this model")
        try:
            if self._checks:
                self._check_first()
            while timesteps > 0:
                self._run(min(timesteps, _CHUNK))
                timesteps -= _CHUNK
        finally:
            self._running.release()

    def check_before_running(self, check: Callable[[], None]) -> None:
        """Have something checked before the next timestep, and again until the check raises nothing."""
        self._checks[check] = None

    def _check_first(self) -> None:
        for check in list(self._checks):
            check()
            del self._checks[check]

    def custom_update(self, group: str) -> None:
        """Run a group of custom updates; the group must exist."""
        self._custom_update(group)
        self._check()

    def recording(self, at: Location) -> list[Recording]:
        """Return a copy of what a recording holds, for each copy of the batch.

        Raises
        ------
        LifecycleError
            If fewer timesteps have passed than it holds.
        """
        length, timestep = self.recording_timesteps, self.timestep
        if timestep < length:
            raise LifecycleError(
                f"the recording of '{at.group}' holds {length} timesteps and only {timestep} have passed: "
                "it can be read once it is full"
            )
        words = self.read(at).reshape(length, self.network.batch_size, -1)
        # The ring's oldest row belongs to timestep - length.
        rows = np.roll(words, -(timestep % length), axis=0)
        neurons = recorded_population(self.network, at).size
        return [
            Recording(rows[:, copy], timestep - length, self.network.dt, neurons)
            for copy in range(self.network.batch_size)
        ]

    def close(self) -> None:
        """Free everything; LifecycleError while another thread runs the simulation."""
        if self._running.locked():
            raise LifecycleError("another thread is running this model: it cannot be unloaded now")
        self._close()

    def _check(self) -> None:
        """Raise NetworkError if code has done what it must not since this was called last; else warn of doubts."""
        trouble, doubt = self._reports()
        if trouble is not None:
            raise NetworkError(trouble)
        if doubt is not None:
            warnings.warn(doubt, ModelWarning, stacklevel=_depth_of_our_code() + 1)


def _is_state(at: Location) -> bool:
    return at.space not in ("egp", "psm_egp", "connect_egp", "init_egp", "history")


def _depth_of_our_code() -> int:
    """Return how many calls of our own lie between a caller of this and the user's line that led to it."""
    frame, depth = sys._getframe(1), 0
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(_OUR_CODE):
        frame, depth = frame.f_back, depth + 1
    return depth
