"""How much memory the arrays of a plan take."""

from __future__ import annotations

import numpy as np

from snnlearn.codegen.plan import Array, Plan
from snnlearn.network import Location, Network, NeuronPopulation
from snnlearn.runtime.initial_values import given_arrays

_RECORDINGS = ("recording", "pre_event_recording", "post_event_recording")


def first_size(array: Array, network: Network, recording_timesteps: int) -> int:
    """Return how many elements an array is made with: none for extra global parameters, which come later."""
    if array.location.space in _RECORDINGS:
        words = (recorded_population(network, array.location).size + 31) // 32
        return recording_timesteps * network.batch_size * words
    return array.total(network.batch_size) or 0


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
