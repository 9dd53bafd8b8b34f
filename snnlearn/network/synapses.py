"""Connections between populations of neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snnlearn.attributes import frozen
from snnlearn.declare import PostsynapticModel, Precision, SparseConnectInitSnippet, WeightUpdateModel
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.checks import (
    check_dynamic,
    check_egps,
    check_group_name,
    check_input,
    check_model_kind,
    check_references,
    check_size,
    check_vars,
    no_values,
    resolve_references,
)
from snnlearn.network.connectivity import Connectivity
from snnlearn.network.neurons import NeuronPopulation
from snnlearn.network.references import Location, Reference
from snnlearn.network.values import VarInit, check_params


@frozen
@dataclass(frozen=True, eq=False)
class WeightUpdateInit:
    """A weight update model with its values; sizes are checked where it is used.

    References to neurons' variables may be given as names; ``psm_var_refs`` are names of variables of the same
    connection's postsynaptic model.
    """

    model: WeightUpdateModel
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    pre_vars: Mapping[str, Any] = no_values()
    post_vars: Mapping[str, Any] = no_values()
    pre_var_refs: Mapping[str, Any] = no_values()
    post_var_refs: Mapping[str, Any] = no_values()
    psm_var_refs: Mapping[str, str] = no_values()

    @property
    def snippet(self) -> WeightUpdateModel:
        """PyGeNN's name of ``model``."""
        return self.model

    def __post_init__(self) -> None:
        check_model_kind("weight update", self.model, WeightUpdateModel)
        owner = f"weight update '{self.model.name}'"
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        for what, declared, given in [
            ("presynaptic neuron reference", self.model.pre_neuron_var_refs, self.pre_var_refs),
            ("postsynaptic neuron reference", self.model.post_neuron_var_refs, self.post_var_refs),
        ]:
            check_references(given, declared, what, owner, (str, Reference))
        check_references(self.psm_var_refs, self.model.psm_var_refs, "postsynaptic model reference", owner, (str,))


@frozen
@dataclass(frozen=True, eq=False)
class PostsynapticInit:
    """A postsynaptic model with its values; sizes are checked where it is used.

    References to neurons' variables may be given as names.
    """

    model: PostsynapticModel
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    var_refs: Mapping[str, Any] = no_values()

    @property
    def snippet(self) -> PostsynapticModel:
        """PyGeNN's name of ``model``."""
        return self.model

    def __post_init__(self) -> None:
        check_model_kind("postsynaptic", self.model, PostsynapticModel)
        owner = f"postsynaptic '{self.model.name}'"
        object.__setattr__(self, "params", check_params(self.model, self.params, owner))
        check_references(self.var_refs, self.model.neuron_var_refs, "neuron reference", owner, (str, Reference))


@dataclass(frozen=True, eq=False)
class SynapsePopulation:
    """Connections from one neuron population to another.

    Synapse variables are row-major: the synapse from neuron ``i`` to ``j`` of a dense connection is number
    ``i * target.size + j``; row ``i`` of any other starts at ``i * row_stride``.

    Parameters
    ----------
    name : str
    source, target : NeuronPopulation
    weight_update : WeightUpdateInit
    postsynaptic : PostsynapticInit
    connectivity : Connectivity
    axonal_delay_steps, back_prop_delay_steps : int
        How many timesteps more than one a presynaptic spike takes to the synapses, and a postsynaptic one back.
    max_dendritic_delay_timesteps : int, optional
        How long ``addToPostDelay`` may keep input back, and how far back ``variable[delay]`` may look.
    post_target_var, pre_target_var : str
        The target's input that the postsynaptic model's ``injectCurrent`` adds to; the source's for ``addToPre``.
    weight_update_dynamic_params, postsynaptic_dynamic_params : set of str
        Parameters that can be changed while the simulation runs.
    extra_global_params, postsynaptic_extra_global_params, connectivity_extra_global_params : mapping of str to array
        Those of the weight update model, of the postsynaptic model, of the connectivity initialiser.
    pre_spike_event_recording_enabled, post_spike_event_recording_enabled : bool
    precision : {"float", "double"}

    Attributes
    ----------
    vars, pre_vars, post_vars, psm_vars : mapping of str to VarInit or array
    pre_var_refs, post_var_refs, neuron_var_refs, psm_var_refs : mapping of str to Reference
        Those of the weight update, those of the postsynaptic model, those of the weight update to that.

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
    connectivity: Connectivity = field(default_factory=Connectivity)
    axonal_delay_steps: int = 0
    back_prop_delay_steps: int = 0
    max_dendritic_delay_timesteps: int | None = None
    post_target_var: str = "Isyn"
    pre_target_var: str = "Isyn"
    weight_update_dynamic_params: frozenset[str] = frozenset()
    postsynaptic_dynamic_params: frozenset[str] = frozenset()
    extra_global_params: Mapping[str, Any] = no_values()
    postsynaptic_extra_global_params: Mapping[str, Any] = no_values()
    connectivity_extra_global_params: Mapping[str, Any] = no_values()
    pre_spike_event_recording_enabled: bool = False
    post_spike_event_recording_enabled: bool = False
    precision: Precision = "float"
    vars: Mapping[str, Any] = field(init=False)
    pre_vars: Mapping[str, Any] = field(init=False)
    post_vars: Mapping[str, Any] = field(init=False)
    psm_vars: Mapping[str, Any] = field(init=False)
    pre_var_refs: Mapping[str, Reference] = field(init=False)
    post_var_refs: Mapping[str, Reference] = field(init=False)
    neuron_var_refs: Mapping[str, Reference] = field(init=False)
    psm_var_refs: Mapping[str, Reference] = field(init=False)

    def __post_init__(self) -> None:
        check_group_name(self.name, "synapse population")
        owner = f"synapse population '{self.name}'"
        for what, value, kind in [
            ("source", self.source, NeuronPopulation),
            ("target", self.target, NeuronPopulation),
            ("weight update", self.weight_update, WeightUpdateInit),
            ("postsynaptic model", self.postsynaptic, PostsynapticInit),
            ("connectivity", self.connectivity, Connectivity),
        ]:
            if not isinstance(value, kind):
                raise NetworkError(f"{owner}: {what} is a {type(value).__name__}, not a {kind.__name__}")
        check_input(owner, "post_target_var", self.target, self.post_target_var)
        check_input(owner, "pre_target_var", self.source, self.pre_target_var)
        self._check_delays(owner)
        self._check_values(owner)
        self._resolve_references(owner)

    def _check_delays(self, owner: str) -> None:
        check_size(owner, "axonal_delay_steps", self.axonal_delay_steps, 0)
        check_size(owner, "back_prop_delay_steps", self.back_prop_delay_steps, 0)
        if self.max_dendritic_delay_timesteps is not None:
            check_size(owner, "max_dendritic_delay_timesteps", self.max_dendritic_delay_timesteps)
        elif check_model(self.weight_update.model).uses("addToPostDelay"):
            raise NetworkError(
                f"{owner}: its code calls addToPostDelay; set max_dendritic_delay_timesteps to the longest delay"
            )
        elif self.delayed_reads:
            raise NetworkError(
                f"{owner}: its code looks back at {min(self.delayed_reads)}[delay]; set max_dendritic_delay_timesteps "
                "to the longest delay"
            )

    def _check_values(self, owner: str) -> None:
        wu, psm = self.weight_update, self.postsynaptic
        if self.connectivity.weights == "PROCEDURAL":
            for name, value in wu.vars.items():
                if not isinstance(value, VarInit) and np.ndim(value) != 0:
                    raise NetworkError(
                        f"{owner}: '{name}' is made anew with each spike, so it cannot be given as an array"
                    )
        for init in (wu, psm):
            check_params(init.model, init.params, owner, self.precision)
        check_dynamic(owner, wu.model, self.weight_update_dynamic_params)
        check_dynamic(owner, psm.model, self.postsynaptic_dynamic_params)
        number = self.size if self.connectivity.dense else self.connectivity.kernel_size or None
        if self.connectivity.weights != "KERNEL" and not self.connectivity.dense:
            number = None
        for attribute, what, declared, given, size in [
            ("vars", "variable", wu.model.vars, wu.vars, number),
            ("pre_vars", "presynaptic variable", wu.model.pre_vars, wu.pre_vars, self.source.size),
            ("post_vars", "postsynaptic variable", wu.model.post_vars, wu.post_vars, self.target.size),
            ("psm_vars", "postsynaptic model variable", psm.model.vars, psm.vars, self.target.size),
        ]:
            object.__setattr__(self, attribute, check_vars(owner, what, declared, given, size, self.precision))
        connect = self.connectivity.init
        for attribute, model in [
            ("extra_global_params", wu.model),
            ("postsynaptic_extra_global_params", psm.model),
            ("connectivity_extra_global_params", connect.snippet if connect is not None else _NO_SNIPPET),
        ]:
            object.__setattr__(self, attribute, check_egps(owner, model, getattr(self, attribute), self.precision))

    def _resolve_references(self, owner: str) -> None:
        wu, psm = self.weight_update, self.postsynaptic
        known = [v.name for v in psm.model.vars]
        for name, variable in wu.psm_var_refs.items():
            if variable not in known:
                raise NetworkError(
                    f"{owner}: reference '{name}': its postsynaptic model has no variable '{variable}'"
                    f"{did_you_mean(variable, known)}"
                )
        to_psm = {name: Reference(Location(self.name, "psm", variable)) for name, variable in wu.psm_var_refs.items()}
        object.__setattr__(self, "pre_var_refs", resolve_references(self.source, wu.pre_var_refs))
        object.__setattr__(self, "post_var_refs", resolve_references(self.target, wu.post_var_refs))
        object.__setattr__(self, "neuron_var_refs", resolve_references(self.target, psm.var_refs))
        object.__setattr__(self, "psm_var_refs", to_psm)

    @property
    def row_stride(self) -> int:
        """How many synapses a row has room for."""
        return self.connectivity.row_stride(self.source.size, self.target.size)

    @property
    def size(self) -> int:
        """How many synapses there is room for."""
        return self.source.size * self.row_stride

    @property
    def dendritic_slots(self) -> int:
        """How many timesteps' input may be on its way: of delays from zero to the longest, that included."""
        return (self.max_dendritic_delay_timesteps or 0) + 1

    @property
    def delayed_reads(self) -> frozenset[str]:
        """The postsynaptic variables and references that code of synapses reads as they were some time ago."""
        snippets = check_model(self.weight_update.model).snippets.values()
        return frozenset().union(*(snippet.delayed for snippet in snippets))

    def uses(self, *names: str) -> bool:
        """Whether code of the weight update mentions or calls one of these."""
        checked = check_model(self.weight_update.model)
        return any(checked.uses(name) for name in names)


_NO_SNIPPET = SparseConnectInitSnippet("NoSnippet")
