"""Where a player is in rows that have been recorded; see `codegen.plan.history` for what its numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import LifecycleError
from snnlearn.network import Location, Play
from snnlearn.network.keys import called
from snnlearn.runtime.recorder_state import RecorderState
from snnlearn.runtime.row_numbers import RowNumbers, WithRows


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
        self._numbers = RowNumbers(simulation, Location(population, "player", play.variable))
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
