"""Where recorders and players of a simulation are in their rows; see `codegen.plan.history` for what the numbers mean.

The host sets a few numbers between runs; within a run all follows from the timestep. A recorder counts the timesteps
that it has recorded: an assignment to the simulation's timestep, or a pause, does not disturb the count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from weakref import WeakSet, ref

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Plan
from snnlearn.errors import LifecycleError
from snnlearn.network import Location, Network, Play, Record
from snnlearn.network.keys import called
from snnlearn.runtime.row_stream import RowStream

_WRAP = 1 << 64  # the numbers are unsigned, and differences of timesteps wrap around
_NO_LIMIT = _WRAP - 1


def _signed(number: int) -> int:
    number %= _WRAP
    return number - _WRAP if number >= _WRAP // 2 else number


class WithRows(Protocol):
    """A simulation, as its recorders and players see it."""

    network: Network

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded."""

    def read(self, at: Location) -> NDArray[Any]:
        """Return an array's values, which are not to be changed."""

    def name_of(self, at: Location) -> str:
        """Return the name that the plan knows an array by."""

    def memory(self, name: str) -> Any:
        """Return an array of the plan on the device."""

    def held(self, at: Location) -> NDArray[Any]:
        """Return what an array holds now, within a run too; what is put off stays so."""

    def write(self, at: Location, values: NDArray[Any]) -> None:
        """Replace all values of an array by as many others."""

    def set_extra_global_params(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        """Replace arrays by others of any length."""

    def share(self, at: Location, source: Any, there: Location) -> None:
        """Have an array be another simulation's."""

    def settle(self, why: str) -> None:
        """Wait until nothing is at work on its arrays; LifecycleError where another thread runs it."""


class _Numbers:
    """A few numbers of a simulation that compiled code reads."""

    def __init__(self, simulation: WithRows, at: Location) -> None:
        self._of = ref(simulation)
        self._at = at
        self._last: tuple[int, ...] = ()

    @property
    def simulation(self) -> WithRows:
        """The simulation; LifecycleError where it is gone."""
        found = self._of()
        if found is None or found.closed:
            raise LifecycleError(
                f"the model of '{called(self._at.group)}' has been unloaded, and what it recorded went with it"
            )
        return found

    def write(self, *numbers: int) -> None:
        """Replace the numbers."""
        if numbers != self._last:
            self.simulation.write(self._at, np.array([number % _WRAP for number in numbers], np.uint64))
            self._last = numbers


@dataclass(frozen=True)
class Stand:
    """How far a recorder is.

    Attributes
    ----------
    base : int
        Timestep t is the count ``t - base``.
    start : int or None
        The first timestep of a window; None where it never stops.
    stretches : tuple of (int, int)
        From which count on the timesteps follow which one.
    paused : int or None
        The count at which it does not go on; below zero before its first timestep.
    """

    base: int
    start: int | None
    stretches: tuple[tuple[int, int], ...]
    paused: int | None = None

    def count(self, timestep: int) -> int:
        """Return how many timesteps it has recorded before this one; below zero before its first."""
        return _signed(timestep - self.base) if self.paused is None else self.paused


class RecorderState:
    """Which timesteps a recorder holds.

    Parameters
    ----------
    simulation : WithRows
    population : str
    number : int
        Which of the population's records.
    record : Record

    Attributes
    ----------
    readers : set of WithRows
        The simulations that play its rows.
    stand : Stand
    """

    def __init__(self, simulation: WithRows, population: str, number: int, record: Record) -> None:
        self.population, self.record, self._number = population, record, number
        self.readers: WeakSet[WithRows] = WeakSet()
        self._numbers = _Numbers(simulation, self.at)
        self.stand = Stand(0, None, ((0, 0),))
        self.stream: RowStream | None = None
        self.restart(None)

    @property
    def at(self) -> Location:
        """Where it is in its network."""
        return Location(self.population, "recorder", str(self._number))

    @property
    def simulation(self) -> WithRows:
        """Whose recorder it is; LifecycleError where that is gone."""
        return self._numbers.simulation

    # ---- what is recorded ----

    @property
    def limit(self) -> int:
        """How many timesteps it records before it stops."""
        return _NO_LIMIT if self.stand.start is None else self.record.timesteps

    @property
    def count(self) -> int:
        """How many timesteps it would have recorded by now if it never stopped; below zero before its first."""
        return self.stand.count(self.simulation.timestep)

    @property
    def written(self) -> int:
        """How many timesteps have been recorded since it began."""
        return min(max(self.count, 0), self.limit)

    @property
    def rows_written(self) -> int:
        """How many rows have been begun since then."""
        return -(-self.written // self.record.every)

    @property
    def held(self) -> range:
        """Those of them that it holds, counted from the first: as many as there is room for, in whole rows."""
        written, every = self.written, self.record.every
        newest = (written - 1) // every
        return range(max(0, newest + 1 - self.record.rows) * every, written)

    def timesteps(self, counts: range) -> Iterator[int]:
        """Yield the timesteps that these counts were."""
        current, *rest = self.stand.stretches
        for count in counts:
            while rest and count >= rest[0][0]:
                current = rest.pop(0)
            yield current[1] + count - current[0]

    def records(self, first: int, timesteps: int) -> bool:
        """Whether any of so many timesteps from one on would be recorded."""
        count = self.stand.count(first)
        return self.enabled and count < self.limit and count + timesteps > 0

    # ---- what the host changes ----

    def restart(self, start: int | None) -> None:
        """Forget all rows; record from now on, or the timesteps from ``start`` on until all rows are full."""
        if self.stream is not None:
            self.stream.drain()
            self.stream.restart()
        now = self.simulation.timestep
        base = now if start is None else start
        self.put_back(Stand(base, start, ((0, base),), None if self.enabled else _signed(now - base)))

    def follow(self, timesteps: int) -> None:
        """Record from now on, behind so many timesteps that are held already."""
        base = self.simulation.timestep - timesteps
        self.put_back(Stand(base, None, ((0, base),)))

    @property
    def enabled(self) -> bool:
        """Whether it records at all."""
        return self.stand.paused is None

    @enabled.setter
    def enabled(self, on: bool) -> None:
        stand, now = self.stand, self.simulation.timestep
        if on == self.enabled:
            return
        if stand.paused is None:
            self.put_back(replace(stand, paused=stand.count(now)))
        # Before its first timestep it need not go on, unless that has passed.
        elif stand.paused >= 0 or _signed(now - stand.base) > 0:
            self._go_on(max(stand.paused, 0), now)
        else:
            self.put_back(replace(stand, paused=None))

    def moved(self, old: int, new: int) -> None:
        """Take note that the timestep has been assigned: the count goes on."""
        count = self.stand.count(old)
        if self.enabled and (count > 0 or self.stand.start is None):
            self._go_on(count, new)

    def end_stream(self) -> None:
        """Copy the rows that are left to the file that they go to, if to any, and close it."""
        if self.stream is not None:
            stream, self.stream = self.stream, None
            stream.close()

    def put_back(self, stand: Stand) -> None:
        """Be as far as it was, when the timestep was what it is now."""
        self.stand = stand
        self._numbers.write(stand.base, self.limit if self.enabled else 0, self.record.rows)

    def pause(self) -> None:
        """Neither write nor count, whatever is run, until the stand is put back."""
        if self.enabled:
            self.put_back(replace(self.stand, paused=self.stand.count(self.simulation.timestep)))

    def _go_on(self, count: int, timestep: int) -> None:
        """Let this timestep be this count."""
        kept = [stretch for stretch in self.stand.stretches if stretch[0] < count]
        oldest = count - self.record.rows * self.record.every
        first = max((n for n, stretch in enumerate(kept) if stretch[0] <= oldest), default=0)
        self.put_back(Stand(timestep - count, self.stand.start, (*kept[first:], (count, timestep))))

    # ---- rows ----

    def arrays(self, plan: Plan) -> list[str]:
        """Return the names of the arrays of its rows."""
        n, names = self.population, self.record.variables
        wanted = {self.record.rows_at(n, self._number, name) for name in names}
        wanted |= {Location(n, "recorded_spikes", str(self._number))} if self.record.spikes else set()
        return [a.name for a in plan.arrays if a.location in wanted]

    def rows(self, at: Location, counts: range, settled: bool = True) -> NDArray[Any]:
        """Return copies of the rows of an array that belong to these counts, shape (rows, batch, neurons).

        ``settled`` says whether nothing is running.
        """
        simulation, record = self.simulation, self.record
        flat = simulation.read(at) if settled else simulation.held(at)
        ring = flat.reshape(record.rows + 1, simulation.network.batch_size, -1)
        first = counts.start // record.every
        number = -(-counts.stop // record.every) - first
        rows = ring[(first + np.arange(number)) % record.rows]
        if at.space != "recorded_spikes":
            return rows
        size = simulation.network.neurons[self.population].size
        return np.unpackbits(rows.view(np.uint8), axis=-1, count=size, bitorder="little")

    def write_rows(self, at: Location, rows: NDArray[Any]) -> None:
        """Replace the first rows of an array, as `rows` gives them."""
        ring = self.simulation.read(at).reshape(self.record.rows + 1, self.simulation.network.batch_size, -1).copy()
        if at.space == "recorded_spikes":
            packed = np.packbits(rows, axis=-1, bitorder="little")
            ring[: len(rows)] = 0
            ring.view(np.uint8)[: len(rows), :, : packed.shape[-1]] = packed
        else:
            ring[: len(rows)] = rows
        self.simulation.write(at, ring.reshape(-1))

    def continue_after(self, timesteps: Sequence[int]) -> None:
        """Take the first rows for those of these timesteps, and go on with the next one."""
        breaks = [n for n, t in enumerate(timesteps) if n == 0 or t != timesteps[n - 1] + 1]
        now = self.simulation.timestep
        kept = tuple((n, timesteps[n]) for n in breaks)
        follows = bool(timesteps) and timesteps[-1] + 1 == now
        more = () if follows else ((len(timesteps), now),)
        self.put_back(Stand(now - len(timesteps), None, (*kept, *more)))


@dataclass(frozen=True)
class Rows:
    """Rows that can be played.

    Attributes
    ----------
    number : int
        How many there is room for.
    counts : range
        The timesteps that they hold, counted from the first recorded one.
    """

    number: int
    counts: range


@dataclass(frozen=True, eq=False)
class PlayerStand:
    """Where a player is.

    Attributes
    ----------
    given : int
        How many arrays it had been given to play.
    source : Location or None
        Of the recorder whose rows it plays.
    numbers : tuple of int
        What compiled code reads.
    counts : range
    next, until
        As in `PlayerState`.
    """

    given: int
    source: Location | None
    numbers: tuple[int, ...]
    counts: range
    next: int
    until: int | None


class PlayerState:
    """Where a player is in rows that have been recorded.

    Parameters
    ----------
    simulation : WithRows
    population : str
    play : Play
    """

    def __init__(self, simulation: WithRows, population: str, play: Play) -> None:
        self.play, self.at = play, Location(population, "played", play.variable)
        self._numbers = _Numbers(simulation, Location(population, "player", play.variable))
        self._source: RecorderState | None = None
        self._given = 0
        self._set: list[int] = [0, 0, 0, 0]
        self._counts, self._next = range(0), 0  # the timesteps to play, as counted by the recorder; that of timestep 0
        self._until: int | None = None  # the first timestep that can no longer be played
        self.may_wait = False  # whether timesteps can run before it is first rewound; it plays zeros then

    def take(self, source: RecorderState, at: Location) -> None:
        """Play the rows of a recorder's array, without a copy."""
        simulation = self._numbers.simulation
        simulation.share(self.at, source.simulation, at)
        source.readers.add(simulation)
        self._source = source

    def take_values(self, values: NDArray[Any]) -> None:
        """Play rows of shape (rows, batch, neurons)."""
        flat = values.reshape(len(values), -1)
        with_zeros = np.concatenate([flat, np.zeros_like(flat[:1])]).reshape(-1)
        self._numbers.simulation.set_extra_global_params([(self.at, with_zeros)])
        self._source, self._given = None, self._given + 1

    def room(self, rows: int, width: int, dtype: Any) -> Any:
        """Return memory on the device for so many rows, of as many values each, and the row of zeros behind them."""
        simulation = self._numbers.simulation
        name = simulation.name_of(self.at)
        if self._source is not None or simulation.memory(name).size < (rows + 1) * width:
            simulation.set_extra_global_params([(self.at, np.zeros((rows + 1) * width, dtype))])
        self._source, self._given = None, self._given + 1
        return simulation.memory(name)

    def rewind(self, rows: Rows, skip: int, lag: int, beyond: int) -> None:
        """Begin with the next timestep: at the newest row, or the oldest, ``skip + lag`` timesteps further on.

        As many timesteps can be played as rows last from ``skip`` on, and ``beyond`` more.
        """
        every, counts = self.play.every, rows.counts
        last = counts.stop - 1
        first = (last if self.play.reverse else counts.start) // every
        # The newest row may have lasted for less than it should: in reverse that is how far it has been played.
        begun = every - 1 - last % every if self.play.reverse else 0
        now = self._numbers.simulation.timestep
        self._set = [now - skip - lag - begun, len(counts) + begun, first % rows.number, rows.number]
        self._counts = counts
        self._next = last - skip - lag + now if self.play.reverse else counts.start + skip + lag - now
        self._until = now + max(len(counts) - skip, 0) + beyond
        self._numbers.write(*self._set)

    @property
    def stand(self) -> PlayerStand:
        """Where it is."""
        source = None if self._source is None else self._source.at
        return PlayerStand(self._given, source, tuple(self._set), self._counts, self._next, self._until)

    def put_back(self, stand: PlayerStand, old: int, new: int) -> None:
        """Be where it was at a timestep, ``new``; where it has been given other rows since, go on with those."""
        now = self.stand
        if stand.until is None and stand.given == now.given:  # not rewound yet: zeros, whatever rows there are now
            self._set, self._counts, self._next, self._until = [0, 0, 0, self._set[3]], range(0), 0, None
        elif (stand.given, stand.source, stand.numbers[3]) == (now.given, now.source, now.numbers[3]):
            self._set, self._counts = list(stand.numbers), stand.counts
            self._next, self._until = stand.next, stand.until
        else:
            self.moved(old, new)
        self._numbers.write(*self._set)

    @property
    def left(self) -> int:
        """How many timesteps can be played from now on."""
        return 0 if self._until is None else max(self._until - self._numbers.simulation.timestep, 0)

    def moved(self, old: int, new: int) -> None:
        """Take note that the timestep has been assigned: the row goes on."""
        if self._until is not None:
            self._until += new - old
            self._set[0] += new - old
            self._next += new - old if self.play.reverse else old - new
            self._numbers.write(*self._set)

    def check(self, first: int, timesteps: int) -> None:
        """Raise LifecycleError unless so many timesteps can be played from this one on; wait for who records."""
        name = f"'{called(self.at.group)}.{self.at.name}'"
        if self._until is None and self.may_wait:
            return
        if self._until is None:
            raise LifecycleError(f"the recording that is played to {name} has not been started: call its rewind()")
        if self._source is not None:
            self._check_source(name, first, timesteps)
        left = max(self._until - first, 0)
        if timesteps > left:
            raise LifecycleError(
                f"the recording that is played to {name} has {left} timesteps left, and {timesteps} are to run: call "
                "rewind(), with beyond=... where zeros are to follow"
            )

    def _check_source(self, name: str, first: int, timesteps: int) -> None:
        assert self._source is not None
        recorder, simulation = self._source, self._source.simulation
        if simulation is not self._numbers.simulation:
            simulation.settle(f"{name} plays what it records")
        elif recorder.records(first, timesteps):
            raise LifecycleError(
                f"{name} plays what the same model is to record: set `enabled` of the recording to False, or give it a "
                "start, so that it ends"
            )
        begin = self._next - first - timesteps + 1 if self.play.reverse else self._next + first
        wanted = range(max(begin, self._counts.start), min(begin + timesteps, self._counts.stop))
        held = recorder.held
        if wanted and not (held.start <= wanted.start and wanted.stop <= held.stop):
            raise LifecycleError(f"what is played to {name} has been recorded over or forgotten: call its rewind()")


def _records_of(network: Network) -> dict[str, tuple[Record, ...]]:
    """Return what is recorded of each population and connection."""
    found = {name: n.records for name, n in network.neurons.items()}
    return found | {name: s.records for name, s in network.synapses.items()}


class History:
    """All recorders and players of a simulation.

    Attributes
    ----------
    recorders : dict of (str, int) to RecorderState
        By population and number.
    players : dict of (str, str) to PlayerState
        By population and variable.
    """

    def __init__(self, simulation: WithRows) -> None:
        network = simulation.network
        self.recorders = {
            (name, number): RecorderState(simulation, name, number, record)
            for name, records in _records_of(network).items()
            for number, record in enumerate(records)
        }
        self.players = {
            (name, play.variable): PlayerState(simulation, name, play)
            for name, n in network.neurons.items()
            for play in n.plays
        }

    def before(self, first: int, timesteps: int) -> None:
        """Check that timesteps can run, and wait for who still reads what they will write."""
        for player in self.players.values():
            player.check(first, timesteps)
        for recorder in self.recorders.values():
            for reader in recorder.readers:
                if not reader.closed and reader is not recorder.simulation:
                    reader.settle("it plays what is about to be recorded anew")

    def pace(self, wanted: int) -> int:
        """Copy rows that are about to be recorded over to files; return how many of the timesteps have room now."""
        for recorder in self.recorders.values():
            if recorder.stream is not None and recorder.enabled:
                wanted = min(wanted, recorder.stream.room())
        return wanted

    def end_streams(self) -> None:
        """Close all files."""
        for recorder in self.recorders.values():
            recorder.end_stream()

    def moved(self, old: int, new: int) -> None:
        """Take note that the timestep has been assigned."""
        for recorder in self.recorders.values():
            recorder.moved(old, new)
        for player in self.players.values():
            player.moved(old, new)
