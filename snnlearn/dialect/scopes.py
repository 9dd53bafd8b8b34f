"""Which names each code string of a model may use: the scopes of GeNN's dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    Loss,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    Surrogate,
    ToeplitzConnectInitSnippet,
    ValueType,
    VarInitSnippet,
    WeightUpdateModel,
    element_type,
    value_type,
)
from snnlearn.declare.built_in_names import (
    BUILT_IN,
    COPY,
    ENDS,
    EVENT_TIMES,
    INJECTS,
    NEURON,
    SENDS,
    SPIKE_TIMES,
    SYNAPSE,
    THREAD,
    TIME,
)
from snnlearn.dialect.library import ADD_SYNAPSE, RANDOM, Function, action
from snnlearn.dialect.scope import Scope, Symbol, SynapseLoop

_UINT, _SCALAR = value_type("unsigned int"), value_type("scalar")
_LOOP_JUMPS = frozenset(["break", "continue"])

Symbols = dict[str, Symbol]


def scopes_of(model: Model) -> Mapping[str, Scope]:
    """Return the scope of each of a model's code strings, by attribute; see `initialiser_scopes` too."""
    scopes: Mapping[str, Scope] = _SCOPES[type(model)](model)
    if model.time_type == "scalar":
        return scopes
    return {attribute: replace(scope, timepoint=value_type(model.time_type)) for attribute, scope in scopes.items()}


def _built_in(model: Model, *names: str) -> Symbols:
    symbols = {}
    for name in names:
        known = BUILT_IN[name]
        vtype = value_type(model.time_type if known.type == "timepoint" else known.type)
        symbols[name] = Symbol(known.what, vtype, known.writable)
    return symbols


def _actions(names: Mapping[str, int]) -> dict[str, Function]:
    return {name: action(number) for name, number in names.items()}


def _neurons(model: Model, *names: str) -> Symbols:
    """Return what every loop over neurons sees, and other names."""
    return _built_in(model, *TIME, *COPY, *NEURON, *names)


def _constants(model: Model) -> Symbols:
    """Return what every code string of a model sees: its numbers and arrays."""
    symbols = {p.name: Symbol("parameter", value_type(p.type)) for p in model.params}
    symbols |= {d.name: Symbol("derived parameter", value_type(d.type)) for d in model.derived_params}
    symbols |= _arrays(model.extra_global_params, "extra global parameter")
    return symbols | _arrays(getattr(model, "extra_global_param_refs", ()), "reference to an extra global parameter")


def _arrays(fields: Iterable[Any], what: str) -> Symbols:
    """Return symbols for arrays, whose elements all code may change, as in GeNN."""
    return {f.name: Symbol(what, element_type(f.type), writable=True, array=True) for f in fields}


def _state(fields: Iterable[Any], what: str, *, writable: bool = True, delayable: bool = False) -> Symbols:
    """Return symbols for variables or references, read-only where the declaration or the place says so."""
    symbols = {}
    for v in fields:
        can_write, can_read = writable and v.writable, getattr(v, "readable", True)
        kind = f"{what} that is reduced to or broadcast" if not can_read else what if can_write else f"read-only {what}"
        symbols[v.name] = Symbol(kind, value_type(v.type), can_write, readable=can_read, indexable=delayable)
    return symbols


# ---- what runs in every timestep ----


def _neuron(model: NeuronModel) -> dict[str, Scope]:
    symbols = _neurons(model, "st", "Isyn") | _constants(model) | _state(model.vars, "variable")
    for v in model.additional_input_vars:
        symbols[v.name] = Symbol("input", value_type(v.type), writable=True)
    scope = Scope(symbols, RANDOM)
    return dict.fromkeys(["sim_code", "threshold_condition_code", "reset_code"], scope)


def _weight_update(model: WeightUpdateModel) -> dict[str, Scope]:
    scopes: dict[str, Scope] = {}
    for side, variables, references in [
        ("pre", model.pre_vars, model.pre_neuron_var_refs),
        ("post", model.post_vars, model.post_neuron_var_refs),
    ]:
        common = _neurons(model, f"id_{side}", f"num_{side}") | _constants(model)
        common |= _state(variables, "variable") | _state(references, "reference to a neuron variable")
        scope = Scope(_built_in(model, f"st_{side}") | common, RANDOM)
        scopes |= dict.fromkeys([f"{side}_spike_code", f"{side}_dynamics_code"], scope)
        scopes[f"{side}_event_threshold_condition_code"] = Scope(_built_in(model, *EVENT_TIMES) | common, RANDOM)
    at_synapse = _synapse(model)
    for attribute in ("pre_spike_syn", "post_spike_syn", "pre_event_syn", "post_event_syn", "synapse_dynamics"):
        scopes[f"{attribute}_code"] = at_synapse
    return scopes


def _synapse(model: WeightUpdateModel) -> Scope:
    """Return the scope of code of synapses, which sees the neurons at both ends but changes neither.

    ``st_…`` and ``set_…`` are when the last spike or event arrived, ``prev_…`` when the last before this timestep did.
    """
    symbols = _built_in(model, *TIME, *COPY, *SYNAPSE, "id_kernel", *ENDS, *SPIKE_TIMES)
    symbols |= _constants(model) | _state(model.vars, "variable")
    for fields, what, delayable in [
        (model.pre_vars, "presynaptic variable", False),
        (model.post_vars, "postsynaptic variable", True),
        (model.pre_neuron_var_refs, "reference to a neuron variable", False),
        (model.post_neuron_var_refs, "reference to a neuron variable", True),
        (model.psm_var_refs, "reference to a postsynaptic model's variable", True),
    ]:
        symbols |= _state(fields, f"{what} in code of synapses", writable=False, delayable=delayable)
    actions = _actions(SENDS) | {f"atomic_add_{v.name}": action() for v in model.vars if v.writable}
    return Scope(symbols, actions)


def _postsynaptic(model: PostsynapticModel) -> dict[str, Scope]:
    symbols = _neurons(model, "inSyn") | _constants(model) | _state(model.vars, "variable")
    symbols |= _state(model.neuron_var_refs, "reference to a neuron variable")
    return {"sim_code": Scope(symbols, {**_actions(INJECTS), **RANDOM})}


def _current_source(model: CurrentSourceModel) -> dict[str, Scope]:
    symbols = _neurons(model) | _constants(model) | _state(model.vars, "variable")
    symbols |= _state(model.neuron_var_refs, "reference to a neuron variable", writable=False)
    return {"injection_code": Scope(symbols, {**_actions(INJECTS), **RANDOM})}


# ---- what runs when called for ----


def _custom_update(model: CustomUpdateModel) -> dict[str, Scope]:
    symbols = _neurons(model, *SYNAPSE, *ENDS) | _constants(model)
    symbols |= _state(model.vars, "variable") | _state(model.var_refs, "reference")
    return {"update_code": Scope(symbols, {})}


def _custom_connectivity_update(model: CustomConnectivityUpdateModel) -> dict[str, Scope]:
    sizes = _built_in(model, *TIME, *ENDS, "row_stride") | _constants(model)
    row = sizes | _built_in(model, *COPY, "id_pre", "row_length")
    row |= _state(model.pre_vars, "variable") | _state(model.pre_var_refs, "reference")
    synapse = _built_in(model, "id_post", "id_syn") | _state(model.vars, "variable")
    synapse |= _state(model.var_refs, "reference")
    for fields, what in [(model.post_vars, "variable"), (model.post_var_refs, "reference")]:
        # Rows are updated side by side, and all see the same postsynaptic neurons.
        synapse |= _state(fields, f"postsynaptic {what} in code of rows", writable=False)
    add = action(1 + len(model.vars) + len(model.var_refs))
    loop = SynapseLoop(synapse, {"remove_synapse": action(0)}, _LOOP_JUMPS)
    return {
        "row_update_code": Scope(row, {"add_synapse": add, **RANDOM}, loop),
        "host_update_code": _host_update(model, sizes),
    }


def _host_update(model: CustomConnectivityUpdateModel, sizes: Symbols) -> Scope:
    """Return the scope of code that runs on the host, with whole arrays and the means to move them."""
    symbols = {name: symbol for name, symbol in sizes.items() if name not in _names(model.extra_global_param_refs)}
    symbols["row_length"] = Symbol("built-in array", _UINT, array=True)
    actions = {"pullRowLengthFromDevice": action(0), **RANDOM}
    for side in (model.pre_vars, model.post_vars):
        for v in side:
            symbols[v.name] = Symbol("variable", value_type(v.type), writable=True, array=True)
            actions |= {f"push{v.name}ToDevice": action(0), f"pull{v.name}FromDevice": action(0)}
    for egp in model.extra_global_params:
        actions |= {f"push{egp.name}ToDevice": action(1), f"pull{egp.name}FromDevice": action(1)}
    return Scope(symbols, actions)


def _names(fields: Iterable[Any]) -> frozenset[str]:
    return frozenset(f.name for f in fields)


# ---- what only is derived ----


def _surrogate(model: Surrogate) -> dict[str, Scope]:
    scope = Scope(_built_in(model, "h", "dt") | _constants(model), {})
    return {"derivative_code": scope, "integral_code": scope}


def _loss(model: Loss) -> dict[str, Scope]:
    return {"loss_code": Scope(_neurons(model, "loss") | _constants(model), {})}


def loss_scope(model: Loss, neuron: NeuronModel) -> Scope:
    """Return the scope of a loss's code where it is used with this neuron; what both declare is the loss's."""
    symbols = _constants(neuron) | _state(neuron.vars, "variable of the neuron", writable=False)
    return Scope(symbols | dict(_loss(model)["loss_code"].symbols), {})


# ---- what runs before the first timestep ----


def initialiser_scopes(model: VarInitSnippet, vtype: ValueType = _SCALAR) -> dict[str, Scope]:
    """Return the scope of code that makes the initial values of a variable of this type."""
    symbols = _built_in(model, "dt", "num_batch", *NEURON, *SYNAPSE, "id_kernel", *ENDS) | _constants(model)
    symbols["value"] = Symbol("value", vtype, writable=True)
    return {"var_init_code": Scope(symbols, RANDOM)}


def _sparse_connect(model: SparseConnectInitSnippet) -> dict[str, Scope]:
    common = _built_in(model, "dt", *ENDS, *THREAD) | _constants(model)
    actions = {"addSynapse": ADD_SYNAPSE, **RANDOM}
    return {
        "row_build_code": Scope(_built_in(model, "id_pre", "id_post_begin") | common, actions),
        "col_build_code": Scope(_built_in(model, "id_post", "id_pre_begin") | common, actions),
    }


def _toeplitz_connect(model: ToeplitzConnectInitSnippet) -> dict[str, Scope]:
    symbols = _built_in(model, "dt", *ENDS, "id_diag") | _constants(model)
    # The neurons that spike take part at once, in any order: there is no last one to stop at.
    loop = SynapseLoop(_built_in(model, "id_pre"), {"addSynapse": ADD_SYNAPSE}, frozenset(["continue"]))
    return {"diagonal_build_code": Scope(symbols, {}, loop)}


_SCOPES: Mapping[type[Model], Callable[[Any], dict[str, Scope]]] = {
    NeuronModel: _neuron,
    WeightUpdateModel: _weight_update,
    PostsynapticModel: _postsynaptic,
    CurrentSourceModel: _current_source,
    CustomUpdateModel: _custom_update,
    CustomConnectivityUpdateModel: _custom_connectivity_update,
    SparseConnectInitSnippet: _sparse_connect,
    ToeplitzConnectInitSnippet: _toeplitz_connect,
    VarInitSnippet: initialiser_scopes,
    Surrogate: _surrogate,
    Loss: _loss,
}
