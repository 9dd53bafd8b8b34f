"""Snapshots of a simulation, from which blocks of timesteps are computed again.

There is one at regular timesteps, and one more wherever something else than timesteps has changed the state. What is
kept is what recorded values follow from, not the whole state. Computing again gives the same to the last bit: random
numbers depend on the timestep alone. Griewank & Walther (2000), Algorithm 799: revolve, ACM Transactions on
Mathematical Software 26(1), 19-45, is about checkpoints in general; here there is one level of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Protocol

from snnlearn.codegen.plan import Plan
from snnlearn.codegen.plan.dependencies import needs_of_recorders
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.network.keys import called
from snnlearn.runtime.history import History
from snnlearn.runtime.recorder_state import RecorderState, Stand


class WithSnapshots(Protocol):
    """A simulation, as its checkpoints see it."""

    plan: Plan
    history: History | None

    @property
    def timestep(self) -> int:
        """The number of the next timestep."""

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded."""

    def run(self, timesteps: int) -> None:
        """Run timesteps."""

    def flush(self) -> None:
        """Bring every array up to date."""

    def set_time_back(self, timestep: int) -> None:
        """Set the timestep, of which recorders and players are not told."""

    def memory(self, name: str) -> Any:
        """Return an array of the plan on the device."""

    def gather(self, names: tuple[str, ...]) -> Any:
        """Put arrays next to each other, and return all of their memory as bytes."""

    def new_bytes(self, number: int, what: str) -> Any:
        """Return new memory on the device; NetworkError where there is none."""

    def copy_bytes(self, target: Any, source: Any) -> None:
        """Copy memory on the device."""


@dataclass(frozen=True)
class Block:
    """Timesteps that have been computed again.

    Attributes
    ----------
    first : int
        The first of them.
    timesteps : int
        How many.
    """

    first: int
    timesteps: int


@dataclass(frozen=True, eq=False)
class CheckpointsStand:
    """How far checkpoints are, with a copy of the snapshots that there are.

    Attributes
    ----------
    firsts : tuple of int
    open : bool
    stands : tuple
    changed, broken
        As in `Checkpoints`.
    snapshots : array of bytes
        On the device.
    """

    firsts: tuple[int, ...]
    open: bool
    stands: tuple[list[Stand], ...]
    changed: bool
    broken: str
    snapshots: Any


class Checkpoints:
    """Snapshots within a window of timesteps.

    Parameters
    ----------
    simulation : WithSnapshots
    timesteps : int
        How many the window may have.
    every : int
        How many a block has at most; one ends earlier where the state is changed.
    overlap : int
        How many rows before a block are kept with its snapshot.

    Raises
    ------
    NetworkError
        Where recordings are too short for a block, or code changes what cannot be put back.
    """

    def __init__(self, simulation: WithSnapshots, timesteps: int, every: int, overlap: int) -> None:
        self._simulation = simulation
        self.timesteps, self.every, self.overlap = timesteps, every, overlap
        assert simulation.history is not None
        recorders = simulation.history.recorders.values()
        self._recorders = [r for r in recorders if r.record.every == 1]
        self._bystanders = [r for r in recorders if r.record.every > 1]  # whose rows stay as they are meanwhile
        for recorder in self._recorders:
            self._check_recorder(recorder)
        needs = needs_of_recorders(simulation.plan)
        self._check_arrays(needs.state)
        self._state, self._constant, self._rest = frozenset(needs.state), needs.constant, needs.rest
        self._pool = simulation.gather(needs.state)
        self._rows = [  # as bytes, and whose they are
            (list(simulation.memory(name).view("uint8").reshape(r.record.rows + 1, -1)), number)
            for number, r in enumerate(self._recorders)
            for name in r.arrays(simulation.plan)
        ]
        self._lengths = [len(self._pool), *(len(rows[0]) for rows, _ in self._rows for _ in range(overlap))]
        self._pieces: list[list[Any]] = []  # by snapshot
        self.nbytes = 0
        self._make_room(-(-timesteps // every))
        self._end: list[Any] = []  # what the window has left, while blocks are computed again
        self._stands: list[list[Stand]] = []  # of the recorders, by snapshot
        self._firsts: list[int] = []  # the timesteps of the snapshots
        self._open = False  # whether there is a window
        self._changed = False  # whether anything has changed the state since the last snapshot
        self._broken = ""
        self._again = False  # whether blocks are being computed again, and not to run otherwise
        self._running = False

    def _make_room(self, snapshots: int) -> None:
        """Find memory for more snapshots."""
        store = self._simulation.new_bytes(sum(self._lengths) * snapshots, "the checkpoints")
        ends = [0, *accumulate(self._lengths * snapshots)]
        pieces = [store[begin:end] for begin, end in pairwise(ends)]
        self._pieces += [pieces[at : at + len(self._lengths)] for at in range(0, len(pieces), len(self._lengths))]
        self.nbytes += int(store.nbytes)

    def _check_recorder(self, recorder: RecorderState) -> None:
        record, least = recorder.record, self.every + self.overlap
        if record.timesteps < least:
            raise NetworkError(
                f"the recording of '{called(recorder.population)}' holds {record.timesteps} timesteps: checkpoints "
                f"every {self.every} with an overlap of {self.overlap} need at least {least}"
            )

    def _check_arrays(self, names: tuple[str, ...]) -> None:
        plan = self._simulation.plan
        for at in (plan.array(name).location for name in names):
            if at.space.endswith("egp"):
                raise NetworkError(
                    f"code changes the extra global parameter {at}, which checkpoints do not keep: record without them"
                )

    # ---- the window ----

    def begin(self) -> None:
        """Begin a window with the next timestep."""
        self._need_no_blocks()
        self._firsts, self._stands = [], []
        self._open, self._changed, self._broken = True, False, ""

    def pace(self, wanted: int, timestep: int) -> int:
        """Take a snapshot where one is due; return how many of the timesteps to run before this is asked again."""
        if self._again and not self._running:
            raise LifecycleError("the model computes blocks of timesteps again: end that before it goes on")
        if self._again or not self._open or self._broken:
            return wanted
        left = self.timesteps - (timestep - self._firsts[0] if self._firsts else 0)
        if left <= 0:
            self._broken = f"more than the {self.timesteps} timesteps that there is room for have run"
            return wanted
        if not self._firsts or self._changed or timestep - self._firsts[-1] == self.every:
            self._take(timestep)
            self._changed = False
        return min(wanted, self._firsts[-1] + self.every - timestep, left)

    def touched(self, name: str) -> None:
        """Take note that an array has been changed by something else than timesteps."""
        if not (self._open and self._stands) or self._broken:
            return
        where, timestep = str(self._simulation.plan.array(name).location), self._simulation.timestep
        if self._again:
            if name in self._constant or name in self._state or name in self._rest:
                self._broken = f"{where} was changed meanwhile"
        elif name in self._constant:
            self._broken = f"{where} was changed before timestep {timestep}"
        elif name in self._state:
            self._changed = True  # the block ends here: its successor's snapshot will have it

    def moved(self, timestep: int) -> None:
        """Take note that the timestep has been assigned."""
        if self._open and self._stands and not self._again:
            self._broken = f"the timestep was set to {timestep}"

    def _need_unchanged(self) -> None:
        if self._broken:
            raise LifecycleError(
                f"the timesteps from {self._firsts[0]} on cannot be computed again: {self._broken}; record all of "
                "them, or begin() anew after such a change"
            )

    def _need_no_blocks(self) -> None:
        if self._again:
            raise LifecycleError("the model computes blocks of timesteps again: end that first")

    # ---- snapshots ----

    def _take(self, timestep: int) -> None:
        if len(self._stands) == len(self._pieces):
            self._make_room(1)
        self._firsts.append(timestep)
        self._stands.append([recorder.stand for recorder in self._recorders])
        self._copy_snapshot(len(self._stands) - 1, back=False)

    def _copy_snapshot(self, number: int, back: bool) -> None:
        """Copy the state, and the rows before the recorders' counts, to a snapshot, or back."""
        timestep, stands = self._firsts[number], self._stands[number]
        here = [self._pool]
        for rows, which in self._rows:
            count, room = stands[which].count(timestep), len(rows) - 1
            here += [rows[before % room] for before in range(count - self.overlap, count)]
        copy_bytes = self._simulation.copy_bytes
        for mine, kept in zip(here, self._pieces[number], strict=True):
            if back:
                copy_bytes(mine, kept)
            else:
                copy_bytes(kept, mine)

    # ---- blocks ----

    @property
    def blocks(self) -> int:
        """How many blocks the window has so far."""
        return len(self._stands)

    def open(self) -> None:
        """Begin to compute blocks again.

        Raises
        ------
        LifecycleError
            Where there is no window, or something else than timesteps has changed what they follow from.
        """
        self._need_no_blocks()
        if not (self._open and self._stands):
            raise LifecycleError("there are no timesteps to compute again: call begin(), then run")
        self._need_unchanged()
        simulation = self._simulation
        simulation.flush()
        self._last = simulation.timestep
        self._after = {recorder: recorder.stand for recorder in (*self._recorders, *self._bystanders)}
        for recorder in self._bystanders:
            recorder.pause()
        arrays = [self._pool, *(simulation.memory(name) for name in self._rest)]
        self._end = [(array, simulation.new_bytes(int(array.nbytes), "a copy of the state")) for array in arrays]
        for array, copy in self._end:
            simulation.copy_bytes(copy, array.view("uint8"))
        self._again = True

    def compute(self, number: int) -> Block:
        """Compute a block again, so that the recorders hold it and the rows before it."""
        self._need_unchanged()
        simulation, first = self._simulation, self._firsts[number]
        block = Block(first, [*self._firsts, self._last][number + 1] - first)
        if number == self.blocks - 1 and self._holds(block):
            return block
        simulation.flush()
        simulation.set_time_back(first)
        self._copy_snapshot(number, back=True)
        for recorder, stand in zip(self._recorders, self._stands[number], strict=True):
            recorder.put_back(stand)
        self._running = True
        try:
            simulation.run(block.timesteps)
        finally:
            self._running = False
        return block

    def _holds(self, block: Block) -> bool:
        """Whether all recorders hold the window's last block, as it was first computed."""
        pairs = zip(self._stands[-1], self._recorders, strict=True)
        return all(
            self._after[recorder].count(self._last) - before.count(block.first) == block.timesteps
            for before, recorder in pairs
        )

    def close(self, keep: bool) -> None:
        """Put everything back as it was before `open`; the window ends unless it is to be kept."""
        simulation = self._simulation
        if not simulation.closed:
            simulation.flush()
            simulation.set_time_back(self._last)
            for array, copy in self._end:
                simulation.copy_bytes(array.view("uint8"), copy)
            for recorder, stand in self._after.items():
                recorder.put_back(stand)
        self._end = []
        self._again, self._open = False, keep

    # ---- their own state ----

    @property
    def stand(self) -> CheckpointsStand:
        """How far they are, with a copy of all snapshots; LifecycleError while blocks are computed again."""
        self._need_no_blocks()
        number = len(self._stands)
        copy = self._simulation.new_bytes(number * sum(self._lengths), "a copy of the checkpoints")
        for piece, kept in self._beside(copy, number):
            self._simulation.copy_bytes(kept, piece)
        return CheckpointsStand(tuple(self._firsts), self._open, tuple(self._stands), self._changed, self._broken, copy)

    def put_back(self, stand: CheckpointsStand) -> None:
        """Be as far as they were."""
        self._need_no_blocks()
        number = len(stand.stands)
        if number > len(self._pieces):
            self._make_room(number - len(self._pieces))
        self._firsts, self._open, self._stands = list(stand.firsts), stand.open, list(stand.stands)
        self._changed, self._broken = stand.changed, stand.broken
        for piece, kept in self._beside(stand.snapshots, number):
            self._simulation.copy_bytes(piece, kept)

    def _beside(self, memory: Any, number: int) -> Iterator[tuple[Any, Any]]:
        """Yield the pieces of the first snapshots, each with its share of other memory."""
        pieces = [piece for snapshot in self._pieces[:number] for piece in snapshot]
        ends = [0, *accumulate(len(piece) for piece in pieces)]
        yield from zip(pieces, (memory[begin:end] for begin, end in pairwise(ends)), strict=True)
