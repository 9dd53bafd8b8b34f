"""What a call of a module gives a network in each timestep: spikes, currents, values of variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from snnlearn.declare import NeuronModel, Surrogate, Var, VarAccess, VarAccessDim, get_var_access_dim
from snnlearn.errors import NetworkError, TorchError, did_you_mean
from snnlearn.genn import GeNNModel
from snnlearn.genn.groups import NeuronGroup
from snnlearn.runtime.torch.inputs import SPIKES, Given

GIVEN = Surrogate("Given", derivative_code="1.0")  # a spike that is given moves with what is given
_SPIKE = f"given{SPIKES.capitalize()}"


def find_given(model: GeNNModel, inputs: Mapping[str, Sequence[str] | str] | None) -> list[Given]:
    """Return what calls may give.

    Parameters
    ----------
    model : GeNNModel
    inputs : mapping of str to sequence of str, optional
        By population: ``"spikes"``; inputs such as ``"Isyn"``; variables that code only reads.

    Raises
    ------
    NetworkError
        For an unknown population or name.
    TorchError
        For a variable that code writes to, or that copies of a batch share.
    """
    if inputs is not None and not isinstance(inputs, Mapping):
        raise TorchError(f"inputs is a mapping of populations to names, {{'Input': ['spikes']}}, not {inputs!r}")
    found: list[Given] = []
    for population, names in (inputs or {}).items():
        known = model.neuron_populations
        if population not in known:
            raise NetworkError(f"inputs: there is no population '{population}'{did_you_mean(str(population), known)}")
        each = (names,) if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
        found += [_given(model, known[population], name) for name in dict.fromkeys(each)]
    return found


def _given(model: GeNNModel, group: NeuronGroup, name: Any) -> Given:
    declared = group.spec.model
    if name == SPIKES:
        if not declared.threshold_condition_code.strip():
            raise TorchError(f"inputs: '{group.name}' does not spike: its model has no threshold_condition_code")
        return Given(group.name, SPIKES, _SPIKE, group.num_neurons)
    if name in group.spec.inputs:
        return Given(group.name, name, f"given{name}", group.num_neurons)
    variables = {v.name: v for v in declared.vars}
    if name not in variables:
        known = [SPIKES, *group.spec.inputs, *variables]
        raise NetworkError(f"inputs: '{group.name}' has no '{name}' to be given{did_you_mean(str(name), known)}")
    v = variables[name]
    dims = get_var_access_dim(v.access)
    alone = bool(dims & VarAccessDim.BATCH) or model.batch_size == 1
    if v.writable or not alone or not dims & VarAccessDim.ELEMENT or v.type != "scalar":
        raise TorchError(
            f"inputs: '{name}' of '{group.name}' is a {v.access.name} of type {v.type}; what is given in each timestep "
            "is declared (name, 'scalar', VarAccess.READ_ONLY_DUPLICATE)"
        )
    return Given(group.name, name, name, group.num_neurons)


def take_inputs(model: GeNNModel, given: Iterable[Given], *, spikes: bool) -> None:
    """Have neurons read what is given from variables.

    Parameters
    ----------
    model : GeNNModel
        Not built; its populations are given other models.
    given : iterable of Given
    spikes : bool
        Whether spikes are among them; else they stay with the declared threshold.
    """
    for one in given:
        group = model.neuron_populations[one.population]
        if one.variable in group.vars or (one.name == SPIKES and not spikes):
            continue
        neuron = group.spec.model
        changes: dict[str, Any] = {"vars": (*neuron.vars, Var(one.variable, "scalar", VarAccess.READ_ONLY_DUPLICATE))}
        if one.name == SPIKES:
            changes |= {"threshold_condition_code": f"{one.variable} >= 0.5", "auto_refractory_required": False}
        else:
            changes |= _adding(neuron, one)
        if any(one.variable in (f.name for f in part) for part in (neuron.params, neuron.derived_params)):
            raise TorchError(f"inputs: '{one.population}' has a '{one.variable}' already; give that another name")
        group._become(replace(neuron, **changes), group.spec.params, {one.variable: 0.0})


def _adding(neuron: NeuronModel, one: Given) -> dict[str, str]:
    """Return the codes of a neuron with what is given added to an input."""
    codes = {f.name: str(getattr(neuron, f.name)) for f in fields(neuron) if f.name.endswith("_code")}
    return {name: re.sub(rf"\b{one.name}\b", f"({one.name} + {one.variable})", code) for name, code in codes.items()}
