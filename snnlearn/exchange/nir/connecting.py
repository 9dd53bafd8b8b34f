"""A path of a NIR graph becomes a connection: dense, as a convolution's kernel, or as a product of several nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import Var, VarAccess
from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.convolution import ChannelsFirst, parameters
from snnlearn.exchange.nir.plan import MOST_STEPS, Path
from snnlearn.exchange.nir.windows import window_of
from snnlearn.genn import (
    GeNNModel,
    NeuronGroup,
    SynapseGroup,
    create_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)
from snnlearn.models import StaticAnalog, StaticPulse, StaticPulseDendriticDelay

Form = Literal["dense", "kernel", "sparse"]
_MATRIX = {"dense": "DENSE", "kernel": "PROCEDURAL_KERNELG", "sparse": "SPARSE"}
_WIDE = (Var("g", "scalar", VarAccess.READ_ONLY), Var("d", "uint16_t", VarAccess.READ_ONLY))
_SENT = {  # by whether values are sent rather than spikes, and whether synapses have delays of their own
    (False, False): StaticPulse,
    (False, True): replace(StaticPulseDendriticDelay, name="StaticPulseLongDelay", vars=_WIDE),
    (True, False): StaticAnalog,
    (True, True): replace(
        StaticAnalog, name="StaticAnalogLongDelay", vars=_WIDE, synapse_dynamics_code="addToPostDelay(g * x, d);"
    ),
}


@dataclass(frozen=True, eq=False)
class Link:
    """A connection and the path in the graph that it stands for.

    Parameters
    ----------
    path : Path
    group : SynapseGroup
    form : {"dense", "kernel", "sparse"}
        Whose its weights are: one node's, a convolution's, or a product of several.
    """

    path: Path
    group: SynapseGroup
    form: Form


def connect(
    model: GeNNModel, name: str, path: Path, ends: tuple[NeuronGroup, NeuronGroup], sends: str | None, delay: int
) -> Link:
    """Add a connection.

    Parameters
    ----------
    model : GeNNModel
    name : str
    path : Path
    ends : pair of NeuronGroup
    sends : str or None
        The source's variable whose value is sent; None for spikes.
    delay : int
        Of all synapses, beside their own: how many timesteps more than one.

    Raises
    ------
    ExchangeError
        For a delay that is too long.
    """
    apart = any(steps is not None for steps in path.delays)
    form = _form(path, alike=sends is None and not apart)
    pre, post, weights = _synapses(path, form, ends)
    steps = _steps(path, pre, post)
    longest = delay + int(steps.max())
    if longest > MOST_STEPS:
        raise ExchangeError(
            f"the delay from '{path.source}' to '{path.target}' is {longest} timesteps; choose a longer dt"
        )
    first = {"g": init_var("Kernel") if form == "kernel" else weights, **({"d": steps} if apart else {})}
    refs = {} if sends is None else {"x": create_var_ref(ends[0], sends)}
    update = init_weight_update(_SENT[sends is not None, apart], {}, first, pre_var_refs=refs)
    rows = _convolution(path) if form == "kernel" else None
    group = model.add_synapse_population(name, _MATRIX[form], *ends, update, init_postsynaptic("DeltaCurr"), rows)
    if form == "sparse":
        group.set_sparse_connections(pre, post)
    if form == "kernel":
        group.vars["g"].extra_global_params["kernel"].set_init_values(weights)
    if apart:
        group.max_dendritic_delay_timesteps = int(steps.max()) + 1
    group.axonal_delay_steps = delay
    return Link(path, group, form)


def _form(path: Path, *, alike: bool) -> Form:
    """Return how weights are held; ``alike`` is whether synapses of one kernel differ in nothing else."""
    if len(path.mapping) == 1 and path.mapping[0].kind in ("Linear", "Affine"):
        return "dense"
    if len(path.mapping) == 1 and path.mapping[0].kind in ("Conv1d", "Conv2d") and alike:
        return "kernel"
    return "sparse"


def _synapses(path: Path, form: Form, ends: tuple[NeuronGroup, NeuronGroup]) -> tuple[Any, Any, NDArray[np.float64]]:
    """Return the presynaptic and the postsynaptic neuron of each weight, and the weights; of a kernel these alone."""
    if form == "kernel":
        return None, None, path.mapping[0].array("weight").ravel()
    if form == "dense":
        pre, post = np.indices((ends[0].num_neurons, ends[1].num_neurons)).reshape(2, -1)
        return pre, post, path.mapping[0].array("weight").T.ravel()
    entries = path.entries(ends[0].num_neurons)
    return entries.pre, entries.post, entries.value


def _steps(path: Path, pre: Any, post: Any) -> NDArray[np.int64]:
    """Return the delay of each synapse beside that of all."""
    found = np.zeros(1, np.int64)
    for own, neuron in zip(path.delays, (pre, post), strict=True):
        if own is not None:
            found = found + own[neuron]
    return found


def _convolution(path: Path) -> Any:
    shape = next(s for n, s in zip(path.between, path.shapes, strict=True) if n is path.mapping[0])
    return init_sparse_connectivity(ChannelsFirst, parameters(window_of(path.mapping[0], shape)))
