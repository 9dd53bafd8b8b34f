"""What the values of a state can be: compiled code takes them for places in other arrays without looking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Plan
from snnlearn.errors import NetworkError
from snnlearn.network import Location, Network


def check_state(plan: Plan, network: Network, state: Mapping[str, NDArray[Any]]) -> None:
    """Check that a state of the right shapes and types can be that of a network.

    What numbers of the models' own variables mean is their code's affair.

    Raises
    ------
    NetworkError
        At the first count, index or length that cannot be; names the array, the place and the value.
    """
    for array in plan.arrays:
        values = state.get(array.location.key)
        if values is None:
            continue
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
            limit: int | None = 2
        else:
            limit = _limit(array.location, plan, network)
        if limit is not None and values.size and int(values.max()) >= limit:
            place = int(values.argmax())
            raise NetworkError(
                f"the state is not one of this model: {array.location.key}[{place}] is {values[place]}, and can be "
                f"{limit - 1} at most"
            )


def _limit(at: Location, plan: Plan, network: Network) -> int | None:
    """Return what all values of an array are below, where they count or point to something."""
    space = at.space
    if space in ("spike_count", "spikes"):
        return network.neurons[at.group].size + (space == "spike_count")
    if space in ("queue", "den_queue"):
        return _slots(plan, at)
    if at.group not in network.synapses:
        return None
    s = network.synapses[at.group]
    pre, post = network.groups.ends(s)
    fixed = {
        "pre_events": pre,
        "pre_event_count": pre + 1,
        "post_events": post,
        "post_event_count": post + 1,
        "ind": post,
    }
    if space in fixed:
        return fixed[space]
    if space == "row_length":
        return network.groups.row_stride(s) + 1
    if space == "kernel_ind":
        return s.connectivity.kernel_size
    return None


def _slots(plan: Plan, queue: Location) -> int:
    """Return how many slots a population's queue has."""
    name = next(a.name for a in plan.arrays if a.location == queue)
    return min((a.slots for a in plan.arrays if a.queue == name), default=1)
