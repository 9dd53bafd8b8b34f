"""Which names each code string of a model may use: the scopes of GeNN's dialect, and the check of whole models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from snnlearn.declare import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    VarInitSnippet,
    WeightUpdateModel,
    element_type,
    value_type,
)
from snnlearn.dialect.library import RANDOM, Function, action
from snnlearn.dialect.parser import parse_code
from snnlearn.dialect.scope import Scope, Symbol
from snnlearn.dialect.tree import Snippet


@dataclass(frozen=True)
class CheckedModel:
    """A model with its code strings as typed trees.

    Attributes
    ----------
    model : Model
    snippets : mapping of str to Snippet
        By the attribute that holds the code, e.g. ``"sim_code"``; blank code is left out.
    """

    model: Model
    snippets: Mapping[str, Snippet]

    def uses(self, name: str) -> bool:
        """Whether any code string calls this function or action, or mentions this name."""
        return any(name in s.calls or name in s.names for s in self.snippets.values())


@lru_cache(maxsize=256)
def check_model(model: Model) -> CheckedModel:
    """Check every code string of a model.

    Raises
    ------
    DialectError
        At the first thing outside the dialect; shows the model's name, the line and a caret.
    """
    scopes = _SCOPES[type(model)](model)
    snippets = {}
    local_variables: dict[str, Symbol] = {}
    for attribute, text in model.codes().items():
        expression = attribute == "threshold_condition_code"
        snippet, seen = parse_code(
            text,
            scopes[attribute],
            f"model '{model.name}', {attribute}",
            expression=expression,
            outer=local_variables,
        )
        if attribute == "sim_code" and isinstance(model, NeuronModel):
            local_variables = seen
        snippets[attribute] = snippet
    return CheckedModel(model, snippets)


_UINT, _SCALAR = value_type("unsigned int"), value_type("scalar")
_TIME = {"dt": Symbol("timestep", _SCALAR), "t": Symbol("time", _SCALAR)}


def _builtins(*names: str) -> dict[str, Symbol]:
    return {name: Symbol("built-in number", _UINT) for name in names}


def _constants(model: Model) -> dict[str, Symbol]:
    """Return what every code string of a model sees: its numbers and arrays."""
    symbols = {p.name: Symbol("parameter", value_type(p.type)) for p in model.params}
    symbols |= {d.name: Symbol("derived parameter", value_type(d.type)) for d in model.derived_params}
    for egp in model.extra_global_params:
        symbols[egp.name] = Symbol("extra global parameter", element_type(egp.type), array=True)
    return symbols


def _state(fields: Iterable[Any], what: str, *, writable: bool = True) -> dict[str, Symbol]:
    """Return symbols for variables or references, read-only where the declaration or the place says so."""
    return {
        v.name: Symbol(
            what if writable and v.writable else f"read-only {what}", value_type(v.type), writable and v.writable
        )
        for v in fields
    }


def _neuron(model: NeuronModel) -> dict[str, Scope]:
    symbols = _constants(model) | _TIME | _builtins("id", "num_neurons") | _state(model.vars, "variable")
    symbols["Isyn"] = Symbol("input", _SCALAR, writable=True)
    for v in model.additional_input_vars:
        symbols[v.name] = Symbol("input", value_type(v.type), writable=True)
    scope = Scope(symbols, {})
    return dict.fromkeys(["sim_code", "threshold_condition_code", "reset_code"], scope)


def _weight_update(model: WeightUpdateModel) -> dict[str, Scope]:
    common = _constants(model) | _TIME
    pre = _builtins("id_pre", "num_pre")
    post = _builtins("id_post", "num_post")
    synapse = common | pre | post | _builtins("id_syn") | _state(model.vars, "variable")
    for fields, what in [
        (model.pre_vars, "presynaptic variable"),
        (model.post_vars, "postsynaptic variable"),
        (model.pre_neuron_var_refs, "reference to a neuron variable"),
        (model.post_neuron_var_refs, "reference to a neuron variable"),
    ]:
        synapse |= _state(fields, f"{what} in code of synapses", writable=False)
    at_synapse = Scope(synapse, {"addToPost": action(), "addToPre": action()})
    at_pre = Scope(
        common
        | pre
        | _state(model.pre_vars, "variable")
        | _state(model.pre_neuron_var_refs, "reference to a neuron variable"),
        {},
    )
    at_post = Scope(
        common
        | post
        | _state(model.post_vars, "variable")
        | _state(model.post_neuron_var_refs, "reference to a neuron variable"),
        {},
    )
    return {
        "pre_spike_syn_code": at_synapse,
        "post_spike_syn_code": at_synapse,
        "synapse_dynamics_code": at_synapse,
        "pre_spike_code": at_pre,
        "pre_dynamics_code": at_pre,
        "post_spike_code": at_post,
        "post_dynamics_code": at_post,
    }


def _postsynaptic(model: PostsynapticModel) -> dict[str, Scope]:
    symbols = _constants(model) | _TIME | _builtins("id", "num_neurons") | _state(model.vars, "variable")
    symbols |= _state(model.neuron_var_refs, "reference to a neuron variable")
    symbols["inSyn"] = Symbol("input", _SCALAR, writable=True)
    return {"sim_code": Scope(symbols, {"injectCurrent": action()})}


def _custom_update(model: CustomUpdateModel) -> dict[str, Scope]:
    symbols = _constants(model) | _TIME | _state(model.vars, "variable") | _state(model.var_refs, "reference")
    symbols |= _builtins("id", "num_neurons", "id_pre", "id_post", "id_syn", "num_pre", "num_post")
    return {"update_code": Scope(symbols, {})}


def _var_init(model: VarInitSnippet) -> dict[str, Scope]:
    symbols = _constants(model) | {"dt": _TIME["dt"], "value": Symbol("value", _SCALAR, writable=True)}
    symbols |= _builtins("id", "num_neurons", "id_pre", "id_post", "id_syn", "num_pre", "num_post")
    random: dict[str, Function] = RANDOM
    return {"var_init_code": Scope(symbols, random)}


_SCOPES: dict[type[Model], Any] = {
    NeuronModel: _neuron,
    WeightUpdateModel: _weight_update,
    PostsynapticModel: _postsynaptic,
    CustomUpdateModel: _custom_update,
    VarInitSnippet: _var_init,
}
