"""The part of a simulation that records variables, plays recorded ones and keeps checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakSet, proxy

from snnlearn.codegen.plan import Plan
from snnlearn.errors import LifecycleError
from snnlearn.network import Location, Network
from snnlearn.runtime.checkpoints import Checkpoints
from snnlearn.runtime.exclusive import Exclusive, exclusive
from snnlearn.runtime.history import History
from snnlearn.runtime.watch import Watch


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
    _updates_noted = False  # whether groups of custom updates tell what they have changed
    _watches: WeakSet[Watch] | None = None  # made with the first of them
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
    def held(self, at: Location) -> Any:
        """Return what an array holds now, on the host; what is put off stays so."""

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
        if self.history is not None:
            timesteps = self.history.pace(timesteps, self._time())
        return timesteps if self.checkpoints is None else self.checkpoints.pace(timesteps, self._time())

    def _note_changes(self, names: Iterable[str], how: str = "by the host") -> None:
        """Tell checkpoints and watches of arrays that something else than timesteps has changed."""
        if self.checkpoints is None and self._watches is None:
            return
        changed = tuple(names)
        if self.checkpoints is not None:
            for name in changed:
                self.checkpoints.touched(name)
        for watch in self._watches or ():
            watch.note(changed, how)

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

    @exclusive
    def adopt(self, at: Location, memory: Any) -> None:
        """Have an array be the caller's memory on the same device, from now on; nothing is copied.

        Parameters
        ----------
        at : Location
        memory : array, or whatever has ``__dlpack__``
            Contiguous, of the array's type and size. It is kept alive.
        """
        name = self.name_of(at)
        if self._flush is not None:
            self._flush()
        self._adopt(name, memory)
        self._bind()

    @abstractmethod
    def _adopt(self, name: str, memory: Any) -> None:
        """Take memory for an array of the plan."""

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
        self._note_updates()
        return found

    def _note_updates(self) -> None:
        """Have groups of custom updates tell what they have changed, from now on."""
        if self._updates_noted:
            return
        self._updates_noted, this = True, proxy(self)
        self.updates = {name: _noted(run, this, name, self._written_by(name)) for name, run in self.updates.items()}

    def _written_by(self, group: str) -> tuple[str, ...]:
        """Return the arrays that a group of custom updates writes."""
        return tuple({name: None for k in self.plan.custom_updates[group] for name in k.writes})

    def watch(self) -> Watch:
        """Watch all arrays, from now on, for as long as somebody has what this returns."""
        self._note_updates()
        if self._watches is None:
            self._watches = WeakSet()
        found = Watch()
        self._watches.add(found)
        found.before_timesteps(self, {name for operation in self.plan.step for name in operation.writes})
        return found

    @abstractmethod
    def check_before_running(self, check: Callable[[Any], None]) -> None:
        """Call a function before the next timestep."""

    # ---- copies of arrays, on the device ----

    def length_of(self, name: str) -> int:
        """Return how many elements an array has."""
        return len(self._arrays[name])

    def copies(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return copies of arrays on the device, all up to date."""
        return {name: self.copy_of(self.memory(name), "a copy of the state") for name in names}

    def copy_of(self, memory: Any, what: str) -> Any:
        """Return a copy of memory on the device, as bytes; NetworkError where there is no room for it."""
        copy = self.new_bytes(int(memory.nbytes), what)
        if len(copy):
            self.copy_bytes(copy, memory.view("uint8"))
        return copy

    def put_copy(self, name: str, copy: Any) -> None:
        """Replace an array by what `copies` made of it."""
        if len(copy):
            self.copy_bytes(self.memory(name).view("uint8"), copy)

    @exclusive
    def flush(self) -> None:
        """Bring every array up to date."""
        if self._flush is not None and self._flush():
            self._check()


def _noted(
    run: Callable[[], object], simulation: KeepsHistory, group: str, written: tuple[str, ...]
) -> Callable[[], object]:
    """Return what runs a group of custom updates, and tells which arrays it has changed."""

    def run_and_note() -> object:
        result = run()
        simulation._note_changes(written, f"by custom_update('{group}')")
        return result

    return run_and_note
