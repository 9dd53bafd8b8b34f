"""The groups of a network: populations of neurons and synapses, and custom updates.

Each is a frozen value that checks itself when it is made. What one group alone cannot know (whether a
reference's target exists, say) is checked by `snnlearn.network.Network`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Union

import numpy as np

from snnlearn.declare import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    Precision,
    Var,
    WeightUpdateModel,
    element_type,
    value_type,
)
from snnlearn.declare.fields import check_name
from snnlearn.dialect import check_model
from snnlearn.errors import DeclarationError, NetworkError, did_you_mean
from snnlearn.network.references import Reference, WeightReference
from snnlearn.network.values import as_array, as_initial_value, check_keys, check_params


def _mapping() -> Any:
    return field(default_factory=dict)


def _check_group_name(name: Any, what: str) -> None:
    try:
        check_name(name, what)
    except DeclarationError as error:
        raise NetworkError(str(error)) from None


def _check_model(owner: str, model: Any, kind: type[Model]) -> None:
    if not isinstance(model, kind):
        raise NetworkError(f"{owner}: needs a {kind.__name__}, not {type(model).__name__}")
    check_model(model)


def _check_vars(
    owner: str, what: str, variables: tuple[Var, ...], given: Mapping[str, Any], size: int, precision: Precision
) -> Mapping[str, Any]:
    check_keys(given, [v.name for v in variables], what, owner)
    return MappingProxyType(
        {
            v.name: as_initial_value(
                given[v.name], size, value_type(v.type), precision, f"{owner}: initial value of '{v.name}'"
            )
            for v in variables
        }
    )


def _check_dynamic(owner: str, model: Model, names: Iterable[str]) -> None:
    known = [p.name for p in model.params]
    for name in names:
        if name not in known:
            raise NetworkError(f"{owner}: no parameter '{name}' to make dynamic{did_you_mean(name, known)}")


def _check_egps(owner: str, model: Model, given: Mapping[str, Any], precision: Precision) -> Mapping[str, Any]:
    known = {e.name: element_type(e.type) for e in model.extra_global_params}
    if not isinstance(given, Mapping):
        raise NetworkError(f"{owner}: extra global parameters must be a mapping of names, not {given!r}")
    arrays = {}
    for name, value in given.items():
        if name not in known:
            raise NetworkError(f"{owner}: unknown extra global parameter '{name}'{did_you_mean(name, known)}")
        arrays[name] = as_array(value, None, known[name], precision, f"{owner}: extra global parameter '{name}'")
    return MappingProxyType(arrays)


def _check_references(
    given: Mapping[str, Any], expected: list[str], what: str, owner: str, kinds: tuple[type, ...] = (Reference,)
) -> None:
    check_keys(given, expected, what, owner)
    for name, ref in given.items():
        if not isinstance(ref, kinds):
            raise NetworkError(f"{owner}: {what} '{name}' is no {kinds[-1].__name__}, but {ref!r}")


@dataclass(frozen=True, eq=False)
class NeuronPopulation:
    """A number of neurons of one model.

    Parameters
    ----------
    name : str
        Unique in the network; a C identifier.
    size : int
        How many neurons.
    model : NeuronModel
    params : mapping of str to float
        A value for each parameter of the model.
    vars : mapping of str to number, array of shape (size,) or VarInit
        The initial value of each variable.
    extra_global_params : mapping of str to array
        May be given later, but before the simulation is loaded.
    dynamic_params : set of str
        Parameters that can be changed while the simulation runs; derived parameters do not follow.
    spike_recording_enabled : bool
    precision : {"float", "double"}
        Meaning of ``scalar``.

    Raises
    ------
    NetworkError
        For a name, size or value that does not fit.
    DialectError
        For an error in the model's code.
    """

    name: str
    size: int
    model: NeuronModel
    params: Mapping[str, float] = _mapping()
    vars: Mapping[str, Any] = _mapping()
    extra_global_params: Mapping[str, Any] = _mapping()
    dynamic_params: frozenset[str] = frozenset()
    spike_recording_enabled: bool = False
    precision: Precision = "float"

    def __post_init__(self) -> None:
        _check_group_name(self.name, "neuron population")
        owner = f"neuron population '{self.name}'"
        if isinstance(self.size, bool) or not isinstance(self.size, (int, np.integer)) or self.size < 1:
            raise NetworkError(f"{owner}: the number of neurons must be a positive integer, not {self.size!r}")
        _check_model(owner, self.model, NeuronModel)
        _check_dynamic(owner, self.model, self.dynamic_params)
        object.__setattr__(self, "size", int(self.size))
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        checked = _check_vars(owner, "variable", self.model.vars, self.vars, self.size, self.precision)
        object.__setattr__(self, "vars", checked)
        egps = _check_egps(owner, self.model, self.extra_global_params, self.precision)
        object.__setattr__(self, "extra_global_params", egps)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that synapses may deliver to."""
        return ("Isyn", *(v.name for v in self.model.additional_input_vars))


@dataclass(frozen=True, eq=False)
class WeightUpdateInit:
    """A weight update model with its values; sizes are checked where it is used."""

    model: WeightUpdateModel
    params: Mapping[str, float] = _mapping()
    vars: Mapping[str, Any] = _mapping()
    pre_vars: Mapping[str, Any] = _mapping()
    post_vars: Mapping[str, Any] = _mapping()
    pre_var_refs: Mapping[str, Reference] = _mapping()
    post_var_refs: Mapping[str, Reference] = _mapping()

    def __post_init__(self) -> None:
        _check_model("weight update", self.model, WeightUpdateModel)
        owner = f"weight update '{self.model.name}'"
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        for what, declared, given in [
            ("presynaptic neuron reference", self.model.pre_neuron_var_refs, self.pre_var_refs),
            ("postsynaptic neuron reference", self.model.post_neuron_var_refs, self.post_var_refs),
        ]:
            _check_references(given, [r.name for r in declared], what, owner)


@dataclass(frozen=True, eq=False)
class PostsynapticInit:
    """A postsynaptic model with its values; sizes are checked where it is used."""

    model: PostsynapticModel
    params: Mapping[str, float] = _mapping()
    vars: Mapping[str, Any] = _mapping()
    var_refs: Mapping[str, Reference] = _mapping()

    def __post_init__(self) -> None:
        _check_model("postsynaptic", self.model, PostsynapticModel)
        owner = f"postsynaptic '{self.model.name}'"
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        declared = [r.name for r in self.model.neuron_var_refs]
        _check_references(self.var_refs, declared, "neuron reference", owner)


@dataclass(frozen=True, eq=False)
class SynapsePopulation:
    """All-to-all connections from one neuron population to another.

    Synapse variables are row-major: the synapse from neuron ``i`` to ``j`` is number ``i * target.size + j``.

    Parameters
    ----------
    name : str
    source, target : NeuronPopulation
    weight_update : WeightUpdateInit
    postsynaptic : PostsynapticInit
    post_target_var : str
        The target's input that the postsynaptic model's ``injectCurrent`` adds to.
    weight_update_dynamic_params, postsynaptic_dynamic_params : set of str
        Parameters that can be changed while the simulation runs.
    extra_global_params : mapping of str to array
        Those of the weight update model.
    precision : {"float", "double"}

    Raises
    ------
    NetworkError
        For a name or value that does not fit.
    """

    name: str
    source: NeuronPopulation
    target: NeuronPopulation
    weight_update: WeightUpdateInit
    postsynaptic: PostsynapticInit
    post_target_var: str = "Isyn"
    weight_update_dynamic_params: frozenset[str] = frozenset()
    postsynaptic_dynamic_params: frozenset[str] = frozenset()
    extra_global_params: Mapping[str, Any] = _mapping()
    precision: Precision = "float"
    vars: Mapping[str, Any] = field(init=False)
    pre_vars: Mapping[str, Any] = field(init=False)
    post_vars: Mapping[str, Any] = field(init=False)
    psm_vars: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        _check_group_name(self.name, "synapse population")
        owner = f"synapse population '{self.name}'"
        for what, value, kind in [
            ("source", self.source, NeuronPopulation),
            ("target", self.target, NeuronPopulation),
            ("weight update", self.weight_update, WeightUpdateInit),
            ("postsynaptic model", self.postsynaptic, PostsynapticInit),
        ]:
            if not isinstance(value, kind):
                raise NetworkError(f"{owner}: {what} is a {type(value).__name__}, not a {kind.__name__}")
        if self.post_target_var not in self.target.inputs:
            raise NetworkError(
                f"{owner}: '{self.target.name}' has no input '{self.post_target_var}'"
                f"{did_you_mean(self.post_target_var, self.target.inputs)}"
            )
        wu, psm = self.weight_update, self.postsynaptic
        _check_dynamic(owner, wu.model, self.weight_update_dynamic_params)
        _check_dynamic(owner, psm.model, self.postsynaptic_dynamic_params)
        for attribute, what, declared, given, size in [
            ("vars", "variable", wu.model.vars, wu.vars, self.size),
            ("pre_vars", "presynaptic variable", wu.model.pre_vars, wu.pre_vars, self.source.size),
            ("post_vars", "postsynaptic variable", wu.model.post_vars, wu.post_vars, self.target.size),
            ("psm_vars", "postsynaptic model variable", psm.model.vars, psm.vars, self.target.size),
        ]:
            checked = _check_vars(owner, what, declared, given, size, self.precision)
            object.__setattr__(self, attribute, checked)
        egps = _check_egps(owner, wu.model, self.extra_global_params, self.precision)
        object.__setattr__(self, "extra_global_params", egps)

    @property
    def size(self) -> int:
        """How many synapses."""
        return self.source.size * self.target.size


@dataclass(frozen=True, eq=False)
class CustomUpdate:
    """An operation on variables of one shape, run when its group is called.

    Parameters
    ----------
    name : str
    group_name : str
        Updates of one group run together.
    model : CustomUpdateModel
    params : mapping of str to float
    vars : mapping of str to number, array or VarInit
        Initial values of the update's own variables; an array has one value for each neuron or synapse.
    var_refs : mapping of str to Reference, or of str to WeightReference
        What each of the model's references stands for; all of one shape.
    size : int
        How many neurons or synapses the references span.
    extra_global_params : mapping of str to array
    dynamic_params : set of str
    precision : {"float", "double"}

    Raises
    ------
    NetworkError
        For a name or value that does not fit, and for references of both kinds at once.
    """

    name: str
    group_name: str
    model: CustomUpdateModel
    params: Mapping[str, float] = _mapping()
    vars: Mapping[str, Any] = _mapping()
    var_refs: Mapping[str, Union[Reference, WeightReference]] = _mapping()
    size: int = 1
    extra_global_params: Mapping[str, Any] = _mapping()
    dynamic_params: frozenset[str] = frozenset()
    precision: Precision = "float"

    def __post_init__(self) -> None:
        _check_group_name(self.name, "custom update")
        _check_group_name(self.group_name, "custom update group")
        owner = f"custom update '{self.name}'"
        _check_model(owner, self.model, CustomUpdateModel)
        _check_dynamic(owner, self.model, self.dynamic_params)
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        kinds = (Reference, WeightReference)
        _check_references(self.var_refs, [r.name for r in self.model.var_refs], "reference", owner, kinds)
        if not self.var_refs:
            raise NetworkError(f"{owner}: needs at least one variable reference")
        if len({type(ref) for ref in self.var_refs.values()}) > 1:
            raise NetworkError(f"{owner}: refers to variables of neurons and of synapses at once")
        checked = _check_vars(owner, "variable", self.model.vars, self.vars, self.size, self.precision)
        object.__setattr__(self, "vars", checked)
        egps = _check_egps(owner, self.model, self.extra_global_params, self.precision)
        object.__setattr__(self, "extra_global_params", egps)

    @property
    def per_synapse(self) -> bool:
        """Whether it runs over synapses rather than neurons."""
        return any(isinstance(ref, WeightReference) for ref in self.var_refs.values())
