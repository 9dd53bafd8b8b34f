"""A network as plain values: what is declared, so that two of them can be compared, even across processes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from snnlearn.declare import Model, as_plain
from snnlearn.network.connectivity import Connectivity
from snnlearn.network.network import Network
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate
from snnlearn.network.values import VarInit, derive_params

_KINDS: dict[type, str] = {
    NeuronPopulation: "neuron population",
    SynapsePopulation: "synapse population",
    CurrentSource: "current source",
    CustomUpdate: "custom update",
    CustomConnectivityUpdate: "custom connectivity update",
}


def description(network: Network) -> dict[str, Any]:
    """Return what makes a network, as dicts, lists, strings and numbers.

    Models with their code, sizes, parameters, connectivity, delays, references and arrays (as a digest) are in it.
    What the state of a simulation holds is not: values that variables start with, those of dynamic parameters. Nor is
    what changes no result: seed, recordings, locations, engine and preferences.

    Returns
    -------
    dict
        What holds for all; each group under its kind and name, ``"neuron population 'Hidden'"``; and under
        ``"derived parameters"`` those of each group that has some.
    """
    groups = {f"{_KINDS[type(group)]} '{name}'": group for name, group in network.groups.by_name.items()}
    derived = {label: _derive(group, network.dt) for label, group in groups.items()}
    return {
        "name": network.name,
        "dt": float(network.dt),
        "precision": network.precision,
        "time_precision": network.time_precision or network.precision,
        "batch_size": network.batch_size,
        **{label: _describe(group) for label, group in groups.items()},
        "derived parameters": {label: values for label, values in derived.items() if values},
    }


def digest(array: Any) -> str:
    """Return how many values an array has, of what type, and a hash of them."""
    values = np.ascontiguousarray(array)
    return f"{values.size} values of {values.dtype}, sha256 {hashlib.sha256(values.tobytes()).hexdigest()[:16]}"


def _describe(group: Any) -> dict[str, Any]:
    if isinstance(group, NeuronPopulation):
        plays = {p.variable: {"every": p.every, "reverse": p.reverse} for p in group.plays}
        return {"size": group.size, **_of_one_model(group), **({"played": plays} if plays else {})}
    if isinstance(group, SynapsePopulation):
        return _synapses(group)
    if isinstance(group, CurrentSource):
        target = {"target": group.target, "target_var": group.target_var}
        return {**target, **_of_one_model(group), "references": _references(group.var_refs)}
    references = {**group.var_refs, **group.egp_refs}
    where = {}
    if isinstance(group, CustomConnectivityUpdate):
        references |= {**group.pre_var_refs, **group.post_var_refs}
        where = {"synapses": group.synapses}
    return {"group": group.group_name, **where, **_of_one_model(group), "references": _references(references)}


def _of_one_model(group: Any) -> dict[str, Any]:
    return {
        "model": _model(group.model, group.params, group.dynamic_params),
        "arrays": {name: digest(array) for name, array in group.extra_global_params.items()},
    }


def _model(model: Model, params: Mapping[str, float], dynamic: frozenset[str] = frozenset()) -> dict[str, Any]:
    fixed = {name: value for name, value in params.items() if name not in dynamic}
    return {**as_plain(model), "parameters": fixed, "dynamic parameters": sorted(dynamic)}


def _references(refs: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, ref in refs.items():
        transpose = getattr(ref, "transpose", None)
        found[name] = ref.to.key + (f", transposed to {transpose.key}" if transpose is not None else "")
    return found


def _synapses(s: SynapsePopulation) -> dict[str, Any]:
    wu, psm = s.weight_update, s.postsynaptic
    arrays = {
        **s.extra_global_params,
        **{f"postsynaptic {name}": array for name, array in s.postsynaptic_extra_global_params.items()},
        **{f"connectivity {name}": array for name, array in s.connectivity_extra_global_params.items()},
    }
    made_anew = s.vars if s.connectivity.weights == "PROCEDURAL" else {}
    return {
        "source": s.source,
        "target": s.target,
        "connectivity": _connectivity(s.connectivity),
        "axonal_delay_steps": s.axonal_delay_steps,
        "back_prop_delay_steps": s.back_prop_delay_steps,
        "max_dendritic_delay_timesteps": s.max_dendritic_delay_timesteps,
        "post_target_var": s.post_target_var,
        "pre_target_var": s.pre_target_var,
        "weight update": _model(wu.model, wu.params, s.weight_update_dynamic_params),
        "postsynaptic": _model(psm.model, psm.params, s.postsynaptic_dynamic_params),
        "references": _references({**s.pre_var_refs, **s.post_var_refs, **s.neuron_var_refs, **s.psm_var_refs}),
        "arrays": {name: digest(array) for name, array in arrays.items()},
        "initial values": {name: _initial(value) for name, value in made_anew.items()},
    }


def _connectivity(connectivity: Connectivity) -> dict[str, Any]:
    init, pairs = connectivity.init, connectivity.connections
    return {
        "matrix_type": connectivity.matrix_type,
        "initialiser": _model(init.snippet, init.params) if init is not None else None,
        "connections": digest(np.stack([pairs.pre, pairs.post])[:, pairs.order]) if pairs is not None else None,
        "max_connections": connectivity.max_connections,
    }


def _initial(value: Any) -> Any:
    return _model(value.snippet, value.params) if isinstance(value, VarInit) else value


def _derive(group: Any, dt: float) -> dict[str, float]:
    models = [(group.model, group.params)] if hasattr(group, "model") else []
    if isinstance(group, SynapsePopulation):
        models = [(init.model, init.params) for init in (group.weight_update, group.postsynaptic)]
    found: dict[str, float] = {}
    for model, params in models:
        found |= derive_params(model, params, dt, f"'{group.name}'")
    return found
