"""How much memory the arrays of a plan take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.plan.history import words_of
from snnlearn.errors import NetworkError
from snnlearn.network import Location, Network, NeuronPopulation
from snnlearn.runtime.initial_values import given_arrays

_ALIGNMENT = 64  # bytes: a cache line
_LIMIT = Path("/sys/fs/cgroup/memory.max")  # a container's
_ROWS = ("recorded", "recorded_spikes", "played")
_RECORDINGS = ("recording", "pre_event_recording", "post_event_recording")


def first_size(array: Array, network: Network, recording_timesteps: int) -> int:
    """Return how many elements an array is made with: none for extra global parameters, which come later."""
    if array.location.space in _RECORDINGS:
        words = (recorded_population(network, array.location).size + 31) // 32
        return recording_timesteps * network.batch_size * words
    if array.location.space in _ROWS:
        return _size_of_rows(network, array.location)
    return array.total(network.batch_size) or 0


def _size_of_rows(network: Network, at: Location) -> int:
    """Return how many elements rows have, with that of zeros, which alone there is of what is played."""
    if at.space == "played":
        return network.batch_size * network.neurons[at.group].size
    group = network.neurons[at.group] if at.group in network.neurons else network.synapses[at.group]
    if at.space == "recorded_spikes":
        assert isinstance(group, NeuronPopulation)
        return (group.records[int(at.name)].rows + 1) * network.batch_size * words_of(group.size)
    number, record = next(
        (n, r) for n, r in enumerate(group.records) for v in r.variables if r.rows_at(at.group, n, v) == at
    )
    if record.elements is not None:
        width = len(record.elements)
    else:
        assert isinstance(group, NeuronPopulation), number
        width = group.size
    return (record.rows + 1) * network.batch_size * width


def check_recorded(plan: Plan, network: Network) -> None:
    """Raise NetworkError if all that is recorded needs more memory than this machine has."""
    arrays = [a for a in plan.arrays if a.location.space in _ROWS]
    needed = sum(first_size(a, network, 0) * np.dtype(a.type.dtype_for(plan.precision)).itemsize for a in arrays)
    if arrays:
        check_room(needed, "the recordings of variables")


def check_room(needed: int, what: str) -> None:
    """Raise NetworkError if something takes more memory than this machine has."""
    there = _memory()
    if there is not None and needed > there:
        raise NetworkError(
            f"{what} would take {needed:,} bytes, and this machine has {there:,}: record fewer timesteps, or every "
            "n-th, or keep checkpoints further apart"
        )


def placed(lengths: Sequence[int]) -> list[int]:
    """Return where stretches of memory begin that lie next to each other, each aligned, and where the last ends."""
    places = [0]
    for length in lengths:
        places.append(places[-1] + -(-length // _ALIGNMENT) * _ALIGNMENT)
    return places


def _memory() -> int | None:
    """Return how many bytes of memory this process may have, where the system tells."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(found, int(_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return found


def recorded_population(network: Network, at: Location) -> NeuronPopulation:
    """Return whose spikes or events a recording holds."""
    if at.space == "recording":
        return network.neurons[at.group]
    s = network.synapses[at.group]
    return network.neurons[s.source if at.space == "pre_event_recording" else s.target]


def bytes_by_group(plan: Plan, network: Network, recording_timesteps: int) -> dict[str, int]:
    """Return how many bytes the arrays of each group take on a device that has copies of its own of the host's."""
    # Sizes do not depend on the seed.
    given = {at: values.size for at, values in given_arrays(network, 0)}
    host_arrays = frozenset(plan.host_arrays)
    needed: dict[str, int] = {}
    for array in plan.arrays:
        size = given.get(array.location, first_size(array, network, recording_timesteps))
        nbytes = size * np.dtype(array.type.dtype_for(plan.precision)).itemsize
        group = array.location.group
        needed[group] = needed.get(group, 0) + nbytes * (2 if array.name in host_arrays else 1)
    return needed


def state_bytes(plan: Plan) -> int:
    """Return what those arrays take whose size the plan knows: all but recordings and extra global parameters."""
    sizes = ((a.total(plan.batch_size) or 0, a.type.dtype_for(plan.precision)) for a in plan.arrays)
    return sum(size * np.dtype(dtype).itemsize for size, dtype in sizes)
