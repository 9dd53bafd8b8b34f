"""Custom updates: operations on variables, or on connectivity, that run only when called for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from snnlearn.declare import CustomConnectivityUpdateModel, CustomUpdateModel, Precision
from snnlearn.errors import NetworkError
from snnlearn.network.checks import (
    check_group_name,
    check_of_one_model,
    check_references,
    check_vars,
    no_values,
)
from snnlearn.network.references import ArrayReference, Reference, WeightReference


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
    egp_refs : mapping of str to ArrayReference
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
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    var_refs: Mapping[str, Union[Reference, WeightReference]] = no_values()
    egp_refs: Mapping[str, ArrayReference] = no_values()
    extra_global_params: Mapping[str, Any] = no_values()
    dynamic_params: frozenset[str] = frozenset()
    precision: Precision = "float"

    def __post_init__(self) -> None:
        check_group_name(self.name, "custom update")
        check_group_name(self.group_name, "custom update group")
        owner = f"custom update {self.name!r}"
        # How many values it has is known once all groups are: `Network` looks at that.
        check_of_one_model(self, owner, CustomUpdateModel)
        declared, kinds = self.model.var_refs, (Reference, WeightReference)
        object.__setattr__(self, "var_refs", check_references(self.var_refs, declared, "reference", owner, kinds))
        _check_array_references(self, owner)
        if not self.var_refs:
            raise NetworkError(f"{owner}: needs at least one variable reference")
        if len({type(ref) for ref in self.var_refs.values()}) > 1:
            raise NetworkError(f"{owner}: refers to variables of neurons and of synapses at once")

    @property
    def per_synapse(self) -> bool:
        """Whether it runs over synapses rather than neurons."""
        return any(isinstance(ref, WeightReference) for ref in self.var_refs.values())


@dataclass(frozen=True, eq=False)
class CustomConnectivityUpdate:
    """A change to a sparse connection's synapses, run when its group is called.

    Parameters
    ----------
    name, group_name : str
    synapses : str
        The name of the connection, which must be SPARSE.
    model : CustomConnectivityUpdateModel
    params : mapping of str to float
    vars, pre_vars, post_vars : mapping of str to number, array or VarInit
    var_refs : mapping of str to WeightReference
    pre_var_refs, post_var_refs : mapping of str to Reference
    egp_refs : mapping of str to ArrayReference
    extra_global_params : mapping of str to array
    dynamic_params : set of str
    precision : {"float", "double"}

    Raises
    ------
    NetworkError
        For a name or value that does not fit.
    """

    name: str
    group_name: str
    synapses: str
    model: CustomConnectivityUpdateModel
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    pre_vars: Mapping[str, Any] = no_values()
    post_vars: Mapping[str, Any] = no_values()
    var_refs: Mapping[str, WeightReference] = no_values()
    pre_var_refs: Mapping[str, Reference] = no_values()
    post_var_refs: Mapping[str, Reference] = no_values()
    egp_refs: Mapping[str, ArrayReference] = no_values()
    extra_global_params: Mapping[str, Any] = no_values()
    dynamic_params: frozenset[str] = frozenset()
    precision: Precision = "float"

    def __post_init__(self) -> None:
        check_group_name(self.name, "custom connectivity update")
        check_group_name(self.group_name, "custom update group")
        owner = f"custom connectivity update {self.name!r}"
        if not isinstance(self.synapses, str):
            raise NetworkError(f"{owner}: synapses is a {type(self.synapses).__name__}, not the name of a connection")
        check_of_one_model(self, owner, CustomConnectivityUpdateModel)
        for attribute, what, kind in [
            ("var_refs", "reference", WeightReference),
            ("pre_var_refs", "presynaptic reference", Reference),
            ("post_var_refs", "postsynaptic reference", Reference),
        ]:
            declared, given = getattr(self.model, attribute), getattr(self, attribute)
            object.__setattr__(self, attribute, check_references(given, declared, what, owner, (kind,)))
        _check_array_references(self, owner)
        for attribute, what in [("pre_vars", "presynaptic variable"), ("post_vars", "postsynaptic variable")]:
            declared, given = getattr(self.model, attribute), getattr(self, attribute)
            object.__setattr__(self, attribute, check_vars(owner, what, declared, given, None, self.precision))


def _check_array_references(update: CustomUpdate | CustomConnectivityUpdate, owner: str) -> None:
    declared, kinds = update.model.extra_global_param_refs, (ArrayReference,)
    refs = check_references(update.egp_refs, declared, "array reference", owner, kinds)
    object.__setattr__(update, "egp_refs", refs)
