"""Which timesteps a recorder holds; see `codegen.plan.history` for what its numbers mean.

A recorder counts the timesteps that it has recorded: an assignment to the simulation's timestep, or a pause, does not
disturb the count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Plan
from snnlearn.network import Location, Record
from snnlearn.runtime.row_numbers import NO_LIMIT, RowNumbers, WithRows, signed
from snnlearn.runtime.row_stream import RowStream


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
        return signed(timestep - self.base) if self.paused is None else self.paused


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
        self._numbers = RowNumbers(simulation, self.at)
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
        return NO_LIMIT if self.stand.start is None else self.record.timesteps

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
        now = self.simulation.timestep
        base = now if start is None else start
        self.jump(Stand(base, start, ((0, base),), None if self.enabled else signed(now - base)))

    def jump(self, stand: Stand) -> None:
        """Be somewhere else from now on; what goes to a file is there by then, and goes on with what comes."""
        self.drain()
        self.put_back(stand)
        self.stream_on()

    def drain(self) -> None:
        """Copy rows to the file that they go to, if to any."""
        if self.stream is not None:
            self.stream.drain()

    def stream_on(self) -> None:
        """Have the rows that are written from now on go there."""
        if self.stream is not None:
            self.stream.follow()

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
        elif stand.paused >= 0 or signed(now - stand.base) > 0:
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
        self.stream_on()
