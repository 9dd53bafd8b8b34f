"""The part of a simulation that records variables, plays recorded ones and keeps checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from snnlearn.codegen.plan import Plan
from snnlearn.errors import LifecycleError
from snnlearn.network import Location, Network
from snnlearn.runtime.checkpoints import Checkpoints
from snnlearn.runtime.exclusive import Exclusive, exclusive
from snnlearn.runtime.history import History


class KeepsHistory(Exclusive):
    """What a simulation has to do with what it has recorded.

    Attributes
    ----------
    history : History or None
        Where in their rows recorders and players are; None where there are none.
    checkpoints : Checkpoints or None
    """

    network: Network
    plan: Plan
    history: History | None = None
    checkpoints: Checkpoints | None = None
    updates: Mapping[str, Callable[[], object]]
    _running: bool
    _arrays: dict[str, Any]
    _flush: Callable[[], object] | None

    def _start_history(self) -> None:
        if any(k.recorders or k.players for k in self.plan.step):
            self.history = History(self)

    # ---- what an engine does ----

    @abstractmethod
    def _bind(self) -> None:
        """Tell compiled code where the arrays are."""

    @abstractmethod
    def _settle(self) -> None:
        """Wait until compiled code is at rest."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether everything has been freed."""

    @abstractmethod
    def memory(self, name: str) -> Any:
        """Return an array of the plan on the device, shape (size,)."""

    @abstractmethod
    def gather(self, names: tuple[str, ...]) -> Any:
        """Put arrays next to each other, and return all of their memory as an array of bytes on the device."""

    @abstractmethod
    def new_bytes(self, number: int, what: str) -> Any:
        """Return new memory on the device as an array of bytes; NetworkError where there is none, for what."""

    @abstractmethod
    def copy_bytes(self, target: Any, source: Any) -> None:
        """Copy an array of bytes on the device to another of the same size."""

    # ---- what a simulation does ----

    @property
    @abstractmethod
    def timestep(self) -> int:
        """The number of the next timestep."""

    @abstractmethod
    def name_of(self, at: Location) -> str:
        """Return the name that the plan knows an array by."""

    @abstractmethod
    def read(self, at: Location) -> Any:
        """Return an array's values, up to date, shape (size,), which are not to be changed."""

    @abstractmethod
    def write(self, at: Location, values: Any) -> None:
        """Replace all values of an array by as many others."""

    @abstractmethod
    def set_extra_global_params(self, given: Iterable[tuple[Location, Any]]) -> None:
        """Replace arrays by values of any length."""

    @abstractmethod
    def run(self, timesteps: int) -> None:
        """Run timesteps in compiled code."""

    @abstractmethod
    def set_time_back(self, timestep: int) -> None:
        """Set the timestep, of which recorders and players are not told."""

    @abstractmethod
    def _time(self) -> int: ...

    @abstractmethod
    def _check(self) -> None: ...

    # ---- around timesteps and changes ----

    def _prepare(self, timesteps: int) -> None:
        """Check that so many timesteps can run."""
        if self.history is not None:
            self.history.before(self._time(), timesteps)

    def _pace(self, timesteps: int) -> int:
        """Do what is due before the next timestep; return how many to run before this is asked again."""
        return timesteps if self.checkpoints is None else self.checkpoints.pace(timesteps, self._time())

    def _note_changes(self, names: Iterable[str]) -> None:
        """Tell checkpoints of arrays that something else than timesteps has changed."""
        if self.checkpoints is not None:
            for name in names:
                self.checkpoints.touched(name)

    def _move_time(self, history: History, timestep: int) -> None:
        """Assign the timestep, and tell recorders, players and checkpoints."""
        before = self.timestep
        self.set_time_back(timestep)
        history.moved(before, timestep)
        if self.checkpoints is not None and timestep != before:
            self.checkpoints.moved(timestep)

    # ---- others' arrays, snapshots ----

    @exclusive
    def share(self, at: Location, source: KeepsHistory, there: Location) -> None:
        """Have an array be one of another simulation on the same device, from now on; nothing is copied."""
        name, array = self.name_of(at), source._arrays[source.name_of(there)]
        if self._arrays[name] is not array:
            if self._flush is not None:
                self._flush()
            self._arrays[name] = array
            self._bind()

    def settle(self, why: str) -> None:
        """Wait until nothing is at work on the arrays; LifecycleError where another thread is in `run`."""
        if self._running:
            raise LifecycleError(f"another thread runs the model '{self.network.name}', and {why}")
        self._settle()

    def keep_checkpoints(self, timesteps: int, every: int, overlap: int) -> Checkpoints:
        """Keep snapshots of what recorded values follow from; see `Checkpoints`.

        Arrays move: before anything else knows where they are.

        Raises
        ------
        NetworkError
            Where recordings are too short, code changes what cannot be put back, or there is no memory.
        """
        self.checkpoints = found = Checkpoints(self, timesteps, every, overlap)
        self.updates = {name: _noted(run, found, self._written_by(name)) for name, run in self.updates.items()}
        return found

    def _written_by(self, group: str) -> tuple[str, ...]:
        """Return the arrays that a group of custom updates writes."""
        return tuple({name: None for k in self.plan.custom_updates[group] for name in k.writes})

    @exclusive
    def flush(self) -> None:
        """Bring every array up to date."""
        if self._flush is not None and self._flush():
            self._check()


def _noted(run: Callable[[], object], checkpoints: Checkpoints, written: tuple[str, ...]) -> Callable[[], object]:
    """Return what runs a group of custom updates, and tells checkpoints which arrays it has changed."""

    def run_and_note() -> object:
        result = run()
        for name in written:
            checkpoints.touched(name)
        return result

    return run_and_note
