"""What a model of PyGeNN's declares, as plain values like those of `snnlearn.network.description`.

Weight update models, postsynaptic models and connectivity do not tell their parameters once they are made: `noted`
keeps them. Import this module only where ``import pygenn`` works.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from snnlearn.network.description import digest

_GIVEN: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()
_FIELDS = (
    "params",
    "derived_params",
    "vars",
    "pre_vars",
    "post_vars",
    "var_refs",
    "pre_neuron_var_refs",
    "post_neuron_var_refs",
    "psm_var_refs",
    "neuron_var_refs",
    "extra_global_params",
    "additional_input_vars",
)
_SIZES = (
    "axonal_delay_steps",
    "back_prop_delay_steps",
    "max_dendritic_delay_timesteps",
    "max_connections",
    "post_target_var",
    "pre_target_var",
)
_ARRAYS = ("extra_global_params", "psm_extra_global_params", "connectivity_extra_global_params")
Made = TypeVar("Made")


def noted(made: Made, params: Mapping[str, Any], name: Any = None) -> Made:
    """Return an initialiser of PyGeNN's, whose parameters are remembered for as long as it exists."""
    init = made[0] if isinstance(made, tuple) else made
    named = {"name": name} if isinstance(name, str) else {}
    _GIVEN[init] = {**named, "parameters": {key: _number(value) for key, value in params.items()}}
    return made


def given_to(init: Any) -> dict[str, Any]:
    """Return what `noted` remembers of an initialiser; nothing of one that was made otherwise."""
    made = init[0] if isinstance(init, tuple) else init
    return _GIVEN.get(made, {}) if made is not None else {}


def description(model: Any) -> dict[str, Any]:
    """Return what a model declares; ``model`` is a `snnlearn.pygenn_engine.GeNNModel`."""
    found: dict[str, Any] = {
        "name": model.name,
        "dt": float(model.dt),
        "precision": model.scalar_precision,
        "time_precision": model.scalar_time_precision,
        "batch_size": model.batch_size,
    }
    for name, group in model.neuron_populations.items():
        found[f"neuron population '{name}'"] = {"size": group.num_neurons, **_of_one_model(group)}
    for name, group in model.synapse_populations.items():
        found[f"synapse population '{name}'"] = _synapses(group, model.initialisers.get(name, ({}, {}, {})))
    for name, group in model.current_sources.items():
        found[f"current source '{name}'"] = {"target": group.target_pop.name, **_of_one_model(group)}
    for name, group in model.custom_updates.items():
        found[f"custom update '{name}'"] = {"group": group.update_group_name, **_of_one_model(group)}
    for name, group in model.custom_connectivity_updates.items():
        where = {"group": group.update_group_name, "synapses": group.synapse_group.name}
        found[f"custom connectivity update '{name}'"] = {**where, **_of_one_model(group)}
    return found


def _of_one_model(group: Any) -> dict[str, Any]:
    params = {name: _number(value) for name, value in group.params.items()}
    return {"model": {**_model(group.model), "parameters": params}, "arrays": _arrays(group)}


def _synapses(group: Any, given: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    weight_update, postsynaptic, connectivity = given
    return {
        "source": group.src.name,
        "target": group.trg.name,
        "matrix_type": group.matrix_type.name,
        "connectivity": connectivity,
        **{size: getattr(group, size) for size in _SIZES},
        "weight update": {**_model(group.wu_initialiser.snippet), **weight_update},
        "postsynaptic": {**_model(group.ps_initialiser.snippet), **postsynaptic},
        "arrays": _arrays(group),
    }


def _model(model: Any) -> dict[str, Any]:
    """Return the name, the names of fields and the codes of one of PyGeNN's models."""
    found: dict[str, Any] = {"model": type(model).__name__}
    for field in _FIELDS:
        if hasattr(model, f"get_{field}"):
            found[field] = [one.name for one in getattr(model, f"get_{field}")()]
    codes = (name for name in dir(model) if name.startswith("get_") and name.endswith("_code"))
    return found | {name.removeprefix("get_"): getattr(model, name)() for name in codes}


def _arrays(group: Any) -> dict[str, str]:
    arrays = [item for attribute in _ARRAYS for item in getattr(group, attribute, {}).items()]
    given = {name: array.init_values for name, array in arrays}
    return {name: digest(np.asarray(values)) for name, values in given.items() if values is not None}


def _number(value: Any) -> float:
    return float(getattr(value, "value", value))
