"""Connections between populations of neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from snnlearn.attributes import frozen
from snnlearn.declare import PostsynapticModel, Precision, SparseConnectInitSnippet, WeightUpdateModel
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.checks import (
    check_dynamic,
    check_egps,
    check_group_name,
    check_model_kind,
    check_references,
    check_size,
    check_vars,
    no_values,
    resolve_references,
    with_checked,
)
from snnlearn.network.connectivity import Connectivity
from snnlearn.network.history import Record, check_synapse_records
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
    ``i * num_post + j``; row ``i`` of any other starts at ``i * row_stride``.
    The weight update and the postsynaptic model are kept with checked values, and with references to locations.

    Parameters
    ----------
    name : str
    source, target : str
        The populations' names.
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
        Whether this connection's events are recorded, whatever its populations say.
    precision : {"float", "double"}
    records : tuple of Record
        What is recorded of the variables of its synapses.

    Raises
    ------
    NetworkError
        For a name or value that does not fit.
    """

    name: str
    source: str
    target: str
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
    records: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        check_group_name(self.name, "synapse population")
        owner = f"synapse population {self.name!r}"
        for what, value, kind in [
            ("weight update", self.weight_update, WeightUpdateInit),
            ("postsynaptic model", self.postsynaptic, PostsynapticInit),
            ("connectivity", self.connectivity, Connectivity),
        ]:
            if not isinstance(value, kind):
                raise NetworkError(f"{owner}: {what} is a {type(value).__name__}, not a {kind.__name__}")
        for what, name in (("source", self.source), ("target", self.target)):
            if not isinstance(name, str):
                raise NetworkError(f"{owner}: {what} is a {type(name).__name__}, not the name of a population")
        self._check_delays(owner)
        self._check_params(owner)
        self._check_values(owner)
        check_synapse_records(owner, self.weight_update.model, self.records)

    @property
    def recorded_space(self) -> Literal["synapse"]:
        """Where the variables are that can be recorded."""
        return "synapse"

    def _check_delays(self, owner: str) -> None:
        check_size(owner, "axonal_delay_steps", self.axonal_delay_steps, 0)
        check_size(owner, "back_prop_delay_steps", self.back_prop_delay_steps, 0)
        if self.max_dendritic_delay_timesteps is not None:
            check_size(owner, "max_dendritic_delay_timesteps", self.max_dendritic_delay_timesteps)

    def _check_params(self, owner: str) -> None:
        wu, psm = self.weight_update, self.postsynaptic
        for init in (wu, psm):
            check_params(init.model, init.params, owner, self.precision)
        connect = self.connectivity.init
        if connect is not None:
            of = f"{owner}, connectivity '{connect.snippet.name}'"
            check_params(connect.snippet, connect.params, of, self.precision)
        check_dynamic(owner, wu.model, self.weight_update_dynamic_params)
        check_dynamic(owner, psm.model, self.postsynaptic_dynamic_params)
        known = [v.name for v in psm.model.vars]
        for name, variable in wu.psm_var_refs.items():
            if variable not in known:
                raise NetworkError(
                    f"{owner}: reference '{name}': its postsynaptic model has no variable '{variable}'"
                    f"{did_you_mean(variable, known)}"
                )

    def _check_values(self, owner: str) -> None:
        """Have the two models start with checked values, and refer to what is named."""
        wu, psm = self.weight_update, self.postsynaptic
        if self.connectivity.weights == "PROCEDURAL":
            for name, value in wu.vars.items():
                if not isinstance(value, VarInit) and np.ndim(value) != 0:
                    raise NetworkError(
                        f"{owner}: '{name}' is made anew with each spike, so it cannot be given as an array"
                    )
        precision = self.precision
        wu = with_checked(
            wu,
            vars=check_vars(owner, "variable", wu.model.vars, wu.vars, None, precision),
            pre_vars=check_vars(owner, "presynaptic variable", wu.model.pre_vars, wu.pre_vars, None, precision),
            post_vars=check_vars(owner, "postsynaptic variable", wu.model.post_vars, wu.post_vars, None, precision),
            pre_var_refs=resolve_references(self.source, wu.pre_var_refs),
            post_var_refs=resolve_references(self.target, wu.post_var_refs),
        )
        psm_vars = check_vars(owner, "postsynaptic model variable", psm.model.vars, psm.vars, None, precision)
        psm = with_checked(psm, vars=psm_vars, var_refs=resolve_references(self.target, psm.var_refs))
        object.__setattr__(self, "weight_update", wu)
        object.__setattr__(self, "postsynaptic", psm)
        connect = self.connectivity.init
        for attribute, model in [
            ("extra_global_params", wu.model),
            ("postsynaptic_extra_global_params", psm.model),
            ("connectivity_extra_global_params", connect.snippet if connect is not None else _NO_SNIPPET),
        ]:
            object.__setattr__(self, attribute, check_egps(owner, model, getattr(self, attribute), precision))

    @property
    def vars(self) -> Mapping[str, Any]:
        """What the synapses' variables start with."""
        return self.weight_update.vars

    @property
    def pre_vars(self) -> Mapping[str, Any]:
        """What the presynaptic variables start with."""
        return self.weight_update.pre_vars

    @property
    def post_vars(self) -> Mapping[str, Any]:
        """What the postsynaptic variables start with."""
        return self.weight_update.post_vars

    @property
    def psm_vars(self) -> Mapping[str, Any]:
        """What the variables of the postsynaptic model start with."""
        return self.postsynaptic.vars

    @property
    def pre_var_refs(self) -> Mapping[str, Reference]:
        """The weight update's references to the source."""
        return self.weight_update.pre_var_refs

    @property
    def post_var_refs(self) -> Mapping[str, Reference]:
        """The weight update's references to the target."""
        return self.weight_update.post_var_refs

    @property
    def neuron_var_refs(self) -> Mapping[str, Reference]:
        """The postsynaptic model's references to the target."""
        return self.postsynaptic.var_refs

    @cached_property
    def psm_var_refs(self) -> Mapping[str, Reference]:
        """The weight update's references to the postsynaptic model."""
        named = self.weight_update.psm_var_refs
        return {name: Reference(Location(self.name, "psm", variable)) for name, variable in named.items()}

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
