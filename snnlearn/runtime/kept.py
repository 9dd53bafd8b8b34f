"""A simulation's whole state: copied on its device, or left where it is and watched.

What is kept is all that the future depends on: arrays, the timestep, rows that have been recorded, where recorders and
players are, checkpoints. What is put back is the same to the last bit. Arrays that are given from outside are left out,
but for those that code writes to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from snnlearn.errors import StateError
from snnlearn.network import Location, Record
from snnlearn.network.keys import called
from snnlearn.network.references import VariableSpace
from snnlearn.runtime.checkpoints import CheckpointsStand
from snnlearn.runtime.player_state import PlayerStand
from snnlearn.runtime.recorder_state import RecorderState, Stand
from snnlearn.runtime.simulation import Simulation, is_state
from snnlearn.runtime.watch import Watch

_DECLARED = frozenset(get_args(VariableSpace))
Key = tuple[str, int]  # of a recorder: its population, and which of its records


@dataclass(frozen=True, eq=False)
class KeptRecorder:
    """A recorder's rows.

    Attributes
    ----------
    record : Record
    stand : Stand
    rows : list of (str, slice, array of bytes)
        Of which array, which rows, and what they hold.
    """

    record: Record
    stand: Stand
    rows: list[tuple[str, slice, Any]]


@dataclass(frozen=True, eq=False)
class Kept:
    """A simulation's state.

    Attributes
    ----------
    kinds : dict of Location to (str, int)
        Type and number of elements of each array.
    copies : dict of Location to array of bytes
        On the device; empty where the state is watched.
    watch : Watch or None
    timestep : int
    recorders, players : mapping
    checkpoints : CheckpointsStand or None
    """

    kinds: Mapping[Location, tuple[str, int]]
    copies: Mapping[Location, Any]
    watch: Watch | None
    timestep: int
    recorders: Mapping[Key, KeptRecorder]
    players: Mapping[tuple[str, str], PlayerStand]
    checkpoints: CheckpointsStand | None


def keep(simulation: Simulation, copy: bool, newest: Mapping[Key, int]) -> Kept:
    """Return the state of a simulation; within `Simulation.in_turn`.

    Parameters
    ----------
    simulation : Simulation
    copy : bool
        Whether to copy it, or else to watch it.
    newest : mapping of (str, int) to int
        Of which recorders no more than so many of the newest timesteps are needed.

    Raises
    ------
    NetworkError
        Where there is no memory.
    LifecycleError
        While checkpoints compute blocks again.
    """
    simulation.flush()
    places = _places(simulation)
    names = tuple(places.values())
    checkpoints = simulation.checkpoints.stand if simulation.checkpoints is not None else None
    history = simulation.history
    recorders = history.recorders if history is not None else {}
    players = history.players if history is not None else {}
    copies = simulation.copies(names) if copy else {}
    return Kept(
        _kinds(simulation, places),
        {at: copies[name] for at, name in places.items()} if copy else {},
        None if copy else simulation.watch(),
        simulation.timestep,
        {key: _keep_rows(simulation, r, newest.get(key) if copy else 0) for key, r in recorders.items()},
        {key: player.stand for key, player in players.items()},
        checkpoints,
    )


def check(simulation: Simulation, kept: Kept, keep: Collection[Location] = ()) -> None:
    """Check that a state can be put back.

    Raises
    ------
    StateError
        For a state of another network, naming the first variable that differs, and for one that has been overwritten.
    """
    here = _kinds(simulation, _places(simulation))
    for at, (dtype, size) in kept.kinds.items():
        if at not in here:
            raise _other(f"it has {at}, and this one has not")
        if here[at] != (dtype, size):
            raise _other(f"{at} has {size} values of {dtype} there, {here[at][1]} of {here[at][0]} here")
    for at in here:
        if at not in kept.kinds:
            raise _other(f"it has no {at}")
    history = simulation.history
    recorders = history.recorders if history is not None else {}
    for key in {**kept.recorders, **recorders}:
        there, now = kept.recorders.get(key), recorders.get(key)
        if there is None or now is None or there.record != now.record:
            raise _other(f"it records other variables of '{called(key[0])}', or another number of timesteps")
    players = history.players if history is not None else {}
    for population, variable in {**kept.players, **players}:
        if ((population, variable) in kept.players) != ((population, variable) in players):
            raise _other(f"'{called(population)}.{variable}' plays rows in one of the two")
    if (kept.checkpoints is None) != (simulation.checkpoints is None):
        raise _other("one of the two keeps checkpoints")
    if kept.watch is not None:
        _check_unwritten(simulation, kept.watch, [at for at in kept.kinds if at not in keep])


def _check_unwritten(simulation: Simulation, watch: Watch, places: Collection[Location]) -> None:
    written = [at for at in places if simulation.name_of(at) in watch.written]
    if written:
        at = min(written, key=lambda at: at.space not in _DECLARED)  # the first that a model declares
        raise StateError(
            f"the state was taken by reference, and {at} has been overwritten since, "
            f'{watch.written[simulation.name_of(at)]}: take it with by="copy"'
        )


def put_back(simulation: Simulation, kept: Kept, keep: Collection[Location] = ()) -> None:
    """Put a state back, apart from arrays to keep; within `Simulation.in_turn`, after `check`."""
    simulation.flush()
    history = simulation.history
    for state in history.recorders.values() if history is not None else ():
        state.drain()
    now = simulation.timestep
    written = [simulation.name_of(at) for at in kept.copies if at not in keep]
    for at, copy in kept.copies.items():
        if at not in keep:
            simulation.put_copy(simulation.name_of(at), copy)
    simulation.set_time_back(kept.timestep)
    for key, recorder in kept.recorders.items():
        assert history is not None
        for name, rows, values in recorder.rows:
            simulation.copy_bytes(_bytes_of(simulation, history.recorders[key], name)[rows].reshape(-1), values)
        history.recorders[key].put_back(recorder.stand)
        history.recorders[key].stream_on()
    for at_player, stand in kept.players.items():
        assert history is not None
        history.players[at_player].put_back(stand, now, kept.timestep)
    simulation.note_put_back(written)
    if simulation.checkpoints is not None and kept.checkpoints is not None:
        simulation.checkpoints.put_back(kept.checkpoints)


def _other(how: str) -> StateError:
    return StateError(f"the state is of another network: {how}")


def _places(simulation: Simulation) -> dict[Location, str]:
    """Return the arrays of a state, with the plan's names: those too that come from outside, where code writes them."""
    return {
        array.location: array.name
        for array in simulation.plan.arrays
        if is_state(array.location) or (array.location.space.endswith("egp") and simulation.writes(array.location))
    }


def _kinds(simulation: Simulation, places: Mapping[Location, str]) -> dict[Location, tuple[str, int]]:
    plan = simulation.plan
    return {
        at: (str(plan.array(name).type.dtype_for(plan.precision)), simulation.length_of(name))
        for at, name in places.items()
    }


def _keep_rows(simulation: Simulation, recorder: RecorderState, newest: int | None) -> KeptRecorder:
    """Copy the rows of a recorder, or the newest of them."""
    found = []
    for name in recorder.arrays(simulation.plan):
        rows = _bytes_of(simulation, recorder, name)
        for some in _needed(recorder, newest):
            copy = simulation.copy_of(rows[some].reshape(-1), "a copy of recorded variables")
            found.append((name, some, copy))
    return KeptRecorder(recorder.record, recorder.stand, found)


def _needed(recorder: RecorderState, newest: int | None) -> Iterator[slice]:
    """Yield where in the ring of rows those are that hold the newest timesteps, or all."""
    counts, every, room = recorder.held, recorder.record.every, recorder.record.rows
    if newest is not None:
        counts = counts[max(len(counts) - newest, 0) :]
    if not counts:
        return
    first = counts.start // every % room
    number = (counts.stop - 1) // every + 1 - counts.start // every
    yield slice(first, min(first + number, room))
    if first + number > room:
        yield slice(0, first + number - room)


def _bytes_of(simulation: Simulation, recorder: RecorderState, name: str) -> Any:
    """Return an array of a recorder as bytes, shape (rows + 1, bytes of a row)."""
    return simulation.memory(name).view("uint8").reshape(recorder.record.rows + 1, -1)
