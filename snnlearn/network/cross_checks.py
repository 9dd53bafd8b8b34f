"""Checks across groups: whether references lead to what they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snnlearn.declare import (
    ExtraGlobalParamRef,
    VarAccessDim,
    VarAccessModeAttribute,
    VarRef,
    element_type,
    get_var_access_dim,
    value_type,
)
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.groups import Groups
from snnlearn.network.keys import called
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.references import ArrayReference, Location, Reference, WeightReference
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate
from snnlearn.network.variables import Variable

Variables = Mapping[Location, Variable]


def check_synapses(variables: Variables, groups: Groups, s: SynapsePopulation) -> None:
    """Raise NetworkError unless a connection's references are to variables of its own two populations."""
    wu, psm = s.weight_update.model, s.postsynaptic.model
    for side, population, declared, given in [
        ("presynaptic", groups.neurons[s.source], wu.pre_neuron_var_refs, s.pre_var_refs),
        ("postsynaptic", groups.neurons[s.target], wu.post_neuron_var_refs, s.post_var_refs),
        ("postsynaptic", groups.neurons[s.target], psm.neuron_var_refs, s.neuron_var_refs),
    ]:
        for ref in declared:
            owner = f"synapse population {s.name!r}: reference '{ref.name}'"
            _check_to_population(variables, owner, side, population, ref, given[ref.name])
    for ref in wu.psm_var_refs:
        owner = f"synapse population {s.name!r}: reference '{ref.name}'"
        _check_type(owner, ref, variables[s.psm_var_refs[ref.name].to])


def check_current_source(variables: Variables, groups: Groups, c: CurrentSource) -> None:
    """Raise NetworkError unless a current source's references are to variables of its target."""
    for ref in c.model.neuron_var_refs:
        owner = f"current source {c.name!r}: reference '{ref.name}'"
        _check_to_population(variables, owner, "target", groups.neurons[c.target], ref, c.var_refs[ref.name])


def _check_to_population(
    variables: Variables, owner: str, side: str, population: NeuronPopulation, ref: VarRef, given: Reference
) -> None:
    if given.to.group != population.name:
        raise NetworkError(f"{owner} is to {given.to.group!r}, but its {side} population is {population.name!r}")
    if given.to not in variables:
        names = [v.name for v in population.model.vars]
        raise NetworkError(f"{owner}: there is no variable {given.to}{did_you_mean(given.to.name, names)}")
    _check_type(owner, ref, variables[given.to])
    _check_access(owner, ref, variables[given.to])


def check_update(variables: Variables, groups: Groups, batch_size: int, u: CustomUpdate) -> dict[Location, Variable]:
    """Return a custom update's own variables.

    Raises
    ------
    NetworkError
        Unless its references are to variables of one shape, and its own have values for that.
    """
    if any(ref.to.group == u.name for ref in u.var_refs.values()):
        raise NetworkError(f"custom update {u.name!r} refers to itself")
    widest: Variable | None = None
    dims = VarAccessDim(0)
    for ref in u.model.var_refs:
        owner = f"custom update {u.name!r}: reference '{ref.name}'"
        given = u.var_refs[ref.name]
        variable = _referred(variables, f"custom update {u.name!r}", given.to)
        per_synapse = variable.over in ("synapse", "kernel")
        if variable.over != "only" and per_synapse != isinstance(given, WeightReference):
            maker = "create_var_ref" if isinstance(given, WeightReference) else "create_wu_var_ref"
            raise NetworkError(f"{owner}: {given.to} has shape {variable.shape}; make it with {maker}")
        _check_type(owner, ref, variable)
        dims |= (VarAccessDim.BATCH if variable.batched else VarAccessDim(0)) | (
            VarAccessDim.ELEMENT if variable.over != "only" else VarAccessDim(0)
        )
        if variable.over != "only":
            if widest is not None and variable.shape != widest.shape:
                raise NetworkError(
                    f"{owner}: {given.to} has shape {variable.shape}, the first reference {widest.shape}"
                )
            widest = widest or variable
        if isinstance(given, WeightReference) and given.transpose is not None:
            _check_transpose(variables, groups, u, owner, given, variable)
    _check_reductions(variables, batch_size, u, dims)
    _check_arrays(groups, f"custom update {u.name!r}", u.model.extra_global_param_refs, u.egp_refs)
    return _own_variables(u, widest, dims)


def _own_variables(u: CustomUpdate, widest: Variable | None, dims: VarAccessDim) -> dict[Location, Variable]:
    found = {}
    for v in u.model.vars:
        at = Location(u.name, "own", v.name)
        own = get_var_access_dim(v.access, dims)
        one = widest is None or not own & VarAccessDim.ELEMENT
        shape = (1,) if one or widest is None else widest.shape
        over = "only" if one or widest is None else widest.over
        batched = bool(own & VarAccessDim.BATCH)
        found[at] = Variable(at, value_type(v.type), shape, u.vars[v.name], over, batched)
    return found


def _check_reductions(variables: Variables, batch_size: int, u: CustomUpdate, dims: VarAccessDim) -> None:
    """A reference that is reduced into must lack a dimension that the update runs over."""
    for ref in u.model.var_refs:
        variable = variables[u.var_refs[ref.name].to]
        if not ref.access & VarAccessModeAttribute.REDUCE:
            if ref.writable and variable.over == "only" and dims & VarAccessDim.ELEMENT:
                raise NetworkError(
                    f"custom update {u.name!r}: reference '{ref.name}' writes {variable.location}, which all neurons "
                    "share; make it read-only or a reduction"
                )
            if ref.writable and not variable.batched and dims & VarAccessDim.BATCH:
                raise NetworkError(
                    f"custom update {u.name!r}: reference '{ref.name}' writes {variable.location}, which all copies of "
                    "a batch share; make it read-only or a reduction"
                )
            continue
        lacks_element = variable.over == "only" and dims & VarAccessDim.ELEMENT
        lacks_batch = not variable.batched and batch_size > 1 and dims & VarAccessDim.BATCH
        if batch_size > 1 and not lacks_element and not lacks_batch:
            raise NetworkError(
                f"custom update {u.name!r}: reference '{ref.name}' is a reduction, but {variable.location} has as many "
                "values as what is reduced"
            )


def _check_transpose(
    variables: Variables, groups: Groups, u: CustomUpdate, owner: str, given: WeightReference, variable: Variable
) -> None:
    assert given.transpose is not None
    other = _referred(variables, f"custom update {u.name!r}", given.transpose)
    for to in (given.to, given.transpose):
        if to.group not in groups.synapses:
            raise NetworkError(f"{owner}: {to} is no variable of a connection, so it cannot be transposed")
        if not groups.synapses[to.group].connectivity.dense:
            raise NetworkError(f"{owner}: {to} is not of DENSE connectivity, so it cannot be transposed")
    forward, back = groups.synapses[given.to.group], groups.synapses[given.transpose.group]
    if (back.source, back.target) != (forward.target, forward.source):
        raise NetworkError(
            f"{owner}: {back.name!r} ({called(back.source)} to {called(back.target)}) is not the reverse of "
            f"{forward.name!r} ({called(forward.source)} to {called(forward.target)})"
        )
    if other.type != variable.type:
        raise NetworkError(f"{owner}: {given.transpose} is of type '{other.type.name}', not '{variable.type.name}'")


def check_connectivity_update(variables: Variables, groups: Groups, u: CustomConnectivityUpdate) -> None:
    """Raise NetworkError unless a connectivity update's references are to its own connection and populations' size."""
    num_pre, num_post = groups.ends(groups.synapses[u.synapses])
    what = f"custom connectivity update {u.name!r}"
    for declared, given, size in [
        (u.model.var_refs, u.var_refs, None),
        (u.model.pre_var_refs, u.pre_var_refs, num_pre),
        (u.model.post_var_refs, u.post_var_refs, num_post),
    ]:
        refs: Mapping[str, Any] = given
        for ref in declared:
            owner = f"{what}: reference '{ref.name}'"
            variable = _referred(variables, what, refs[ref.name].to)
            _check_type(owner, ref, variable)
            if size is not None and variable.shape not in ((size,), (1,)):
                raise NetworkError(f"{owner}: {variable.location} has shape {variable.shape}, not ({size},)")
            if size is None and groups.connection_of(variable.location) != u.synapses:
                raise NetworkError(f"{owner}: {variable.location} is no variable of the synapses of '{u.synapses}'")
    _check_arrays(groups, what, u.model.extra_global_param_refs, u.egp_refs)


def check_copies(groups: Groups, batch_size: int, variable: Variable) -> None:
    """Raise NetworkError unless an array given for each copy of a batch has one row for each."""
    init = variable.init
    if isinstance(init, np.ndarray) and init.ndim == 2 and init.shape[0] != batch_size:
        raise NetworkError(f"initial value of {variable.location}: {init.shape[0]} rows for a batch of {batch_size}")
    if isinstance(init, np.ndarray) and init.ndim == 2 and batch_size > 1 and not variable.batched:
        raise NetworkError(f"initial value of {variable.location}: one row will do, all copies of a batch share it")
    size = _number_of_values(groups, variable)
    if isinstance(init, np.ndarray) and size is not None and init.shape[-1] != size:
        raise NetworkError(f"initial value of {variable.location} must have shape ({size},), not shape {init.shape}")


def _number_of_values(groups: Groups, variable: Variable) -> int | None:
    """Return how many values a user gives for one copy; None where connectivity is made by a snippet."""
    connection = groups.connection_of(variable.location) if variable.over == "synapse" else None
    if connection is None:
        return variable.size
    connectivity = groups.synapses[connection].connectivity
    if connectivity.dense:
        return variable.size
    return connectivity.connections.pre.size if connectivity.connections is not None else None


def _referred(variables: Variables, owner: str, to: Location) -> Variable:
    if to not in variables:
        names = [at.name for at in variables if at.group == to.group and at.space == to.space]
        raise NetworkError(f"{owner}: there is no variable {to}{did_you_mean(to.name, names)}")
    return variables[to]


def _check_arrays(
    groups: Groups, what: str, declared: tuple[ExtraGlobalParamRef, ...], given: Mapping[str, ArrayReference]
) -> None:
    for ref in declared:
        to = given[ref.name].to
        owner = f"{what}: array reference '{ref.name}'"
        group: Any = groups.by_name.get(to.group)
        if group is None:
            raise NetworkError(f"{owner}: there is no group '{to.group}'{did_you_mean(to.group, groups.by_name)}")
        if isinstance(group, SynapsePopulation):
            model: Any = (group.postsynaptic if to.space == "psm_egp" else group.weight_update).model
        else:
            model = group.model
        types = {egp.name: egp.type for egp in model.extra_global_params}
        if to.name not in types:
            raise NetworkError(f"{owner}: there is no array {to}{did_you_mean(to.name, types)}")
        if element_type(ref.type) != element_type(types[to.name]):
            raise NetworkError(f"{owner} is of type '{ref.type}', but {to} of '{types[to.name]}'")


def _check_type(owner: str, ref: VarRef, variable: Variable) -> None:
    if value_type(ref.type) != variable.type:
        raise NetworkError(f"{owner} is of type '{ref.type}', but {variable.location} of '{variable.type.name}'")


def _check_access(owner: str, ref: VarRef, variable: Variable) -> None:
    if ref.writable and variable.over == "only":
        raise NetworkError(f"{owner} may be written to, but {variable.location} is shared by all neurons: read-only")


def check_played(variables: Variables, batch_size: int, n: NeuronPopulation) -> None:
    """Raise NetworkError unless each copy of a batch has its own of the variables that recordings are played to."""
    for play in n.plays:
        if batch_size > 1 and not variables[Location(n.name, "own", play.variable)].batched:
            raise NetworkError(
                f"neuron population {n.name!r}: variable '{play.variable}' has access READ_ONLY, which all copies of a "
                "batch share; what a recording is played to is declared READ_ONLY_DUPLICATE"
            )
