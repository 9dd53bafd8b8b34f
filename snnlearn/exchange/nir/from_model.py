"""Any model made of supported parts as a NIR graph."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import NeuronModel
from snnlearn.dialect import check_model
from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.convolution import ChannelsFirst
from snnlearn.exchange.nir.neurons import KINDS, LATE, MS, to_node
from snnlearn.exchange.nir.state import neuron_values, variable
from snnlearn.genn import GeNNModel, NeuronGroup, SynapseGroup, SynapseMatrixConnectivity, SynapseMatrixWeight
from snnlearn.io.optional import library

Numbers = NDArray[np.float64]
_SUPPORTED = ("LIF", "CubaLIF", "IF", "LI")
_FILTERED = {"LIF": "CubaLIF", "LI": "CubaLI"}  # by what they are without ExpCurr in front
_SENDS = ("addToPost(g);", "addToPost(g * x);")


def graph_of_model(model: GeNNModel, outputs: Iterable[NeuronGroup] | None) -> Any:
    """Return a flat graph with a node for each population and each connection.

    Raises
    ------
    ExchangeError
        For a group that NIR has no node for.
    """
    nir = library("nir")
    for source in model.current_sources.values():
        raise ExchangeError(f"current source '{source.name}': NIR has no node for it; give the population an Ioffset")
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    into: dict[str, list[SynapseGroup]] = {name: [] for name in model.neuron_populations}
    for group in model.synapse_populations.values():
        into[group.trg.name].append(group)
    for name, population in model.neuron_populations.items():
        nodes[name] = _neurons(nir, population, into[name], model.dt)
    for name, group in model.synapse_populations.items():
        first = into[group.trg.name][0] is group
        chain = [group.src.name]
        if group.axonal_delay_steps:
            chain.append(_free(f"{name}_delay", nodes))
            late = group.axonal_delay_steps * model.dt / MS
            nodes[chain[-1]] = nir.Delay(delay=np.full(group.src.num_neurons, late))
        chain.append(_free(name, nodes))
        nodes[chain[-1]] = _linear(nir, group, nodes, _offset(group.trg) if first else np.zeros(1))
        edges += pairwise([*chain, group.trg.name])
    sources = {group.src.name for group in model.synapse_populations.values()}
    shown = [g for n, g in model.neuron_populations.items() if n not in sources] if outputs is None else list(outputs)
    for group_ in shown:
        if model.neuron_populations.get(group_.name) is not group_:
            raise ExchangeError(f"outputs: '{group_.name}' is no population of this model")
        name = _free("output" if len(shown) == 1 else f"output_{group_.name}", nodes)
        nodes[name] = nir.Output(output_type={"output": np.array([group_.num_neurons])})
        edges.append((group_.name, name))
    return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)


def _free(name: str, nodes: dict[str, Any]) -> str:
    while name in nodes:
        name += "_"
    return name


def _kind(population: NeuronGroup) -> str | None:
    """Return which neuron of NIR's a population has; None for another.

    Code beside that of the library's model, such as a readout's or a gradient's, is left out if it changes nothing that
    the model reads.
    """
    declared = population.spec.model
    condition = declared.threshold_condition_code.replace("V > ", "V >= ").strip()
    for name in _SUPPORTED:
        model = KINDS[name]
        if condition == model.threshold_condition_code.strip() and all(
            _holds(getattr(declared, code), getattr(model, code), _names(model)) for code in ("sim_code", "reset_code")
        ):
            return name
    return None


def _names(model: NeuronModel) -> frozenset[str]:
    snippets = check_model(model).snippets.values()
    return frozenset[str]().union(*(snippet.reads | snippet.writes for snippet in snippets))


def _holds(code: str, wanted: str, names: frozenset[str]) -> bool:
    """Return whether code has these lines, and assigns to none of the names in the others."""
    lines, block = (_lines(text.replace(LATE, "Ioffset")) for text in (code, wanted))
    assigns = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)")
    for start in range(len(lines) - len(block) + 1):
        if lines[start : start + len(block)] == block:
            return not assigns.search("\n".join(lines[:start] + lines[start + len(block) :]))
    return False


def _lines(code: str) -> list[str]:
    return [line for line in (part.partition("//")[0].strip() for part in code.splitlines()) if line]


def _neurons(nir: Any, population: NeuronGroup, into: list[SynapseGroup], dt: float) -> Any:
    kind, name = _kind(population), population.name
    if kind is None:
        if not into:
            return nir.Input(input_type={"input": np.array([population.num_neurons])})
        raise ExchangeError(
            f"neuron population '{name}': NIR has no node for the model {population.spec.model.name}, as it is; "
            f"supported are {', '.join(_SUPPORTED)}, and any population without input, as an Input"
        )
    values = neuron_values(population)
    if "TauRefrac" in values and values["TauRefrac"].any():
        raise ExchangeError(f"neuron population '{name}': NIR's neurons have no refractory period; set TauRefrac to 0")
    if _offset(population).any() and not into:
        raise ExchangeError(
            f"neuron population '{name}': Ioffset becomes the bias of what leads to it, and nothing does"
        )
    filters = [_synaptic_time_constant(group) for group in into]
    if any(tau is not None for tau in filters):
        if kind not in _FILTERED or None in filters or len(set(filters)) > 1:
            raise ExchangeError(
                f"neuron population '{name}': ExpCurr becomes part of a LIF, as CubaLIF, or of an LI, where all that "
                f"leads to it has the same tau; this is {kind}, with {_told(filters)}"
            )
        if _offset(population).any():
            raise ExchangeError(f"neuron population '{name}': Ioffset beside ExpCurr has no counterpart in NIR")
        kind, tau = _FILTERED[kind], np.full(population.num_neurons, filters[0])
        values |= {"TauSyn": tau, "WIn": tau / dt}
    parameters = to_node(kind, values)
    bad = [n for n, value in parameters.items() if not np.isfinite(value).all()]
    if bad:
        raise ExchangeError(f"neuron population '{name}': {bad[0]} of NIR's {kind} would not be finite")
    return getattr(nir, kind)(**parameters)


def _told(filters: Iterable[float | None]) -> str:
    return ", ".join("DeltaCurr" if tau is None else f"ExpCurr of {tau:g} ms" for tau in filters)


def _offset(population: NeuronGroup) -> Numbers:
    return neuron_values(population).get("Ioffset", np.zeros(1)) if _kind(population) else np.zeros(1)


def _synaptic_time_constant(group: SynapseGroup) -> float | None:
    init = group.spec.postsynaptic
    if init.model.name == "DeltaCurr":
        return None
    if init.model.name == "ExpCurr":
        return float(init.params["tau"])
    raise ExchangeError(
        f"connection '{group.name}': NIR has no node for the postsynaptic model {init.model.name}; supported are "
        "DeltaCurr and ExpCurr"
    )


def _linear(nir: Any, group: SynapseGroup, nodes: dict[str, Any], bias: Numbers) -> Any:
    """Return the node of a connection; its source becomes a picture where it is a convolution of an input."""
    update, name = group.spec.weight_update.model, group.name
    code = (update.pre_spike_syn_code or update.synapse_dynamics_code).strip()
    others = [n for n in ("post_spike_syn_code", "pre_event_syn_code") if getattr(update, n)]
    if code not in _SENDS or others or (update.pre_spike_syn_code and update.synapse_dynamics_code):
        raise ExchangeError(
            f"connection '{name}': NIR has no node for the weight update model {update.name}; supported are "
            "StaticPulse and StaticAnalog"
        )
    weight = _weight(group)
    if isinstance(weight, dict):
        channels = np.broadcast_to(bias, (group.trg.num_neurons,)).reshape(weight["weight"].shape[0], -1)
        if not (channels == channels[:, :1]).all():
            raise ExchangeError(f"connection '{name}': neurons of one channel have different Ioffset; it has one bias")
        if isinstance(nodes[group.src.name], nir.Input):
            shape = np.array([weight["weight"].shape[1], *weight["input_shape"]])
            nodes[group.src.name] = nir.Input(input_type={"input": shape})
        return nir.Conv2d(**weight, bias=channels[:, 0].copy())
    if bias.any():
        return nir.Affine(weight=weight, bias=np.broadcast_to(bias, (weight.shape[0],)).copy())
    return nir.Linear(weight=weight)


def _weight(group: SynapseGroup) -> Any:
    """Return a matrix of shape (out, in); of a convolution, the arguments of its node."""
    kind, size = group.matrix_type, (group.src.num_neurons, group.trg.num_neurons)
    names = [v.name for v in group.spec.weight_update.model.vars]
    if kind & SynapseMatrixWeight.KERNEL and group.spec.connectivity.init is not None:
        init = group.spec.connectivity.init
        if init.snippet is not ChannelsFirst or init.params["conv_groups"] != 1:
            raise ExchangeError(
                f"connection '{group.name}': NIR has no node for {init.snippet.name} of this order; supported are "
                "DENSE and SPARSE"
            )
        p = {key.removeprefix("conv_"): int(value) for key, value in init.params.items()}
        return {
            "input_shape": (p["ih"], p["iw"]),
            "weight": variable(group, "g").reshape(p["oc"], p["ic"], p["kh"], p["kw"]),
            "stride": (p["sh"], p["sw"]),
            "padding": (p["padh"], p["padw"]),
            "dilation": (p["dh"], p["dw"]),
            "groups": 1,
        }
    dense, sparse = kind & SynapseMatrixConnectivity.DENSE, kind & SynapseMatrixConnectivity.SPARSE
    if not (dense or sparse):
        raise ExchangeError(f"connection '{group.name}': {kind} is not supported; DENSE and SPARSE are")
    values = variable(group, "g") if "g" in names else np.array([float(group.spec.weight_update.params["g"])])
    weight = np.zeros(size)
    if dense:
        weight[:] = np.broadcast_to(values, (size[0] * size[1],)).reshape(size)
    else:
        np.add.at(weight, (group.get_sparse_pre_inds(), group.get_sparse_post_inds()), values)
    return np.ascontiguousarray(weight.T)
