"""Connections: checked descriptions with a user's handles on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snnlearn import network as net
from snnlearn.attributes import frozen
from snnlearn.declare import Model, SparseConnectInitSnippet, WeightUpdateModel
from snnlearn.errors import LifecycleError
from snnlearn.genn.arrays import Array, ExtraGlobalParameter, StateArray, SynapseVariable, Variable
from snnlearn.genn.connectivity import HasConnectivity
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.enums import ParallelismHint, VarLocation
from snnlearn.genn.group import VARIABLES_IN
from snnlearn.genn.neuron_group import Events, NeuronGroup
from snnlearn.genn.protocols import ModelOfGroups
from snnlearn.genn.recording import Recording as VariableRecording
from snnlearn.grad.inputs import witnessed
from snnlearn.network import Connectivity, Location
from snnlearn.network.attachments import check_ends
from snnlearn.network.checked_values import replaced
from snnlearn.network.checks import changed
from snnlearn.runtime import Recording

_UNINITIALISED = SparseConnectInitSnippet("Uninitialised")


@frozen
@dataclass(frozen=True)
class Initialiser:
    """A model or snippet with the values of its parameters."""

    snippet: Any
    params: Mapping[str, float]


class SynapseGroup(HasConnectivity):
    """A connection; made by ``GeNNModel.add_synapse_population``.

    Attributes
    ----------
    src, trg : NeuronGroup
    pre_vars, post_vars, psm_vars : dict of str to Variable
        Of the weight update model, at either end; of the postsynaptic model.
    psm_extra_global_params, connectivity_extra_global_params : dict of str to ExtraGlobalParameter
    """

    pre_vars: Mapping[str, Variable]
    post_vars: Mapping[str, Variable]
    psm_vars: Mapping[str, Variable]
    psm_extra_global_params: Mapping[str, ExtraGlobalParameter]
    connectivity_extra_global_params: Mapping[str, ExtraGlobalParameter]

    def __init__(
        self,
        model: ModelOfGroups,
        name: str,
        connectivity: Connectivity,
        source: NeuronGroup,
        target: NeuronGroup,
        weight_update: net.WeightUpdateInit,
        postsynaptic: net.PostsynapticInit,
    ) -> None:
        connectivity = changed(connectivity, narrow=model.default_narrow_sparse_ind_enabled)
        precision = source.spec.precision
        spec = net.SynapsePopulation(
            name, source._key, target._key, weight_update, postsynaptic, connectivity, precision=precision
        )
        wu, psm = spec.weight_update.model, spec.postsynaptic.model
        super().__init__(model, spec, wu)
        self.src, self.trg = source, target
        self._check_attached(spec)
        self.vars = self._variables(wu.vars, "synapse", SynapseVariable)
        self.pre_vars = self._variables(wu.pre_vars, "pre")
        self.post_vars = self._variables(wu.post_vars, "post")
        self.psm_vars = self._variables(psm.vars, "psm")
        self.psm_extra_global_params = self._egps(psm, "psm_egp")
        connect: Model = connectivity.init.snippet if connectivity.init is not None else _UNINITIALISED
        self.connectivity_extra_global_params = self._egps(connect, "connect_egp")
        self._out_post = StateArray(Location(name, "out_post"), self, "scalar", always_batch=True)
        self._make_connectivity_arrays(model)
        self._recordings: dict[Location, list[Recording]] = {}
        self._kept: list[VariableRecording] = []
        self._parallelism_hint = ParallelismHint.POSTSYNAPTIC
        self._num_threads_per_spike = 1

    @property
    def synapse_group(self) -> SynapseGroup:
        """Itself: what all groups with variables of synapses have."""
        return self

    # ---- the description ----

    def _check_attached(self, spec: net.SynapsePopulation) -> None:
        check_ends(spec, self.src.spec, self.trg.spec)

    @property
    def wu_initialiser(self) -> Initialiser:
        """The weight update model and its parameters."""
        return Initialiser(self.spec.weight_update.model, self.spec.weight_update.params)

    @property
    def ps_initialiser(self) -> Initialiser:
        """The postsynaptic model and its parameters."""
        return Initialiser(self.spec.postsynaptic.model, self.spec.postsynaptic.params)

    @property
    def sparse_connectivity_initialiser(self) -> Initialiser:
        """What makes sparse connectivity, and its parameters."""
        init = self.spec.connectivity.init
        if isinstance(init, net.SparseConnectInit):
            return Initialiser(init.snippet, init.params)
        return Initialiser(_UNINITIALISED, {})

    @property
    def toeplitz_connectivity_initialiser(self) -> Initialiser | None:
        """What makes the connectivity of a convolution, and its parameters; None where it is none."""
        init = self.spec.connectivity.init
        return Initialiser(init.snippet, init.params) if isinstance(init, net.ToeplitzConnectInit) else None

    @property
    def kernel_size(self) -> list[int]:
        """The shape of the kernel that synapses point into; empty where there is none."""
        return list(self.spec.connectivity.kernel_shape)

    @property
    def axonal_delay_steps(self) -> int:
        """How many timesteps more than one a presynaptic spike takes; set it before ``build``."""
        return self.spec.axonal_delay_steps

    @axonal_delay_steps.setter
    def axonal_delay_steps(self, steps: int) -> None:
        self._need_unbuilt("axonal_delay_steps")
        self._change(axonal_delay_steps=steps)

    @property
    def back_prop_delay_steps(self) -> int:
        """How many timesteps more than one a postsynaptic spike takes back; set it before ``build``."""
        return self.spec.back_prop_delay_steps

    @back_prop_delay_steps.setter
    def back_prop_delay_steps(self, steps: int) -> None:
        self._need_unbuilt("back_prop_delay_steps")
        self._change(back_prop_delay_steps=steps)

    @property
    def max_dendritic_delay_timesteps(self) -> int:
        """How many timesteps ``addToPostDelay`` and ``variable[delay]`` may span; set it before ``build``."""
        return self.spec.max_dendritic_delay_timesteps or 1

    @max_dendritic_delay_timesteps.setter
    def max_dendritic_delay_timesteps(self, steps: int) -> None:
        self._need_unbuilt("max_dendritic_delay_timesteps")
        self._change(max_dendritic_delay_timesteps=steps)

    @property
    def post_target_var(self) -> str:
        """The input of the target that ``injectCurrent`` adds to; set it before ``build``."""
        return self.spec.post_target_var

    @post_target_var.setter
    def post_target_var(self, name: str) -> None:
        self._need_unbuilt("post_target_var")
        self._change(post_target_var=name)

    @property
    def pre_target_var(self) -> str:
        """The input of the source that ``addToPre`` adds to; set it before ``build``."""
        return self.spec.pre_target_var

    @pre_target_var.setter
    def pre_target_var(self, name: str) -> None:
        self._need_unbuilt("pre_target_var")
        self._change(pre_target_var=name)

    @property
    def narrow_sparse_ind_enabled(self) -> bool:
        """Whether indices of postsynaptic neurons take 8 or 16 bits where these suffice; set it before ``build``."""
        return self.spec.connectivity.narrow

    @narrow_sparse_ind_enabled.setter
    def narrow_sparse_ind_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("narrow_sparse_ind_enabled")
        self._change(connectivity=replace(self.spec.connectivity, narrow=bool(enabled)))

    @property
    def parallelism_hint(self) -> ParallelismHint:
        """Accepted, and without effect: a matter of GeNN's GPU back ends."""
        return self._parallelism_hint

    @parallelism_hint.setter
    def parallelism_hint(self, hint: ParallelismHint) -> None:
        self._need_unbuilt("parallelism_hint")
        self._parallelism_hint = hint

    @property
    def num_threads_per_spike(self) -> int:
        """Accepted, and without effect: a matter of GeNN's GPU back ends."""
        return self._num_threads_per_spike

    @num_threads_per_spike.setter
    def num_threads_per_spike(self, number: int) -> None:
        self._need_unbuilt("num_threads_per_spike")
        self._num_threads_per_spike = number

    def _train(self, model: WeightUpdateModel) -> None:
        """Replace the weight update model by one with variables for gradients, which start at 0."""
        self._need_unbuilt("its weight update model")
        wu = self.spec.weight_update
        new = [v for v in model.vars if v.name not in wu.vars]
        changed = replace(
            wu, model=model.with_times(wu.model.time_type), vars={**wu.vars, **{v.name: 0.0 for v in new}}
        )
        self._change(weight_update=changed)
        self._declared = self.spec.weight_update.model
        for name, variable in self._variables(new, "synapse", SynapseVariable).items():
            self.vars.add(name, variable)

    def _learn(self, model: WeightUpdateModel, params: Mapping[str, float], references: Mapping[str, str]) -> None:
        """Replace the weight update model by one with further parameters, variables, which start at 0, and references.

        Parameters
        ----------
        model : WeightUpdateModel
        params : mapping of str to float
        references : mapping of str to str
            By the model's name of it, a variable of the target.
        """
        self._need_unbuilt("its weight update model")
        wu = self.spec.weight_update
        more = {kind: [v.name for v in getattr(model, kind)] for kind in ("vars", "pre_vars", "post_vars")}
        values = {kind: {**dict.fromkeys(names, 0.0), **getattr(wu, kind)} for kind, names in more.items()}
        refs = {**wu.post_var_refs, **references}
        changed = replace(
            wu, model=model.with_times(wu.model.time_type), params={**wu.params, **params}, post_var_refs=refs, **values
        )
        self._change(weight_update=changed)
        self._declared = changed.model
        fresh = [v for v in model.vars if v.name not in self.vars]
        kinds: Any = (
            (self.vars, self._variables(fresh, "synapse", SynapseVariable)),
            (self.pre_vars, self._variables(model.pre_vars, "pre")),
            (self.post_vars, self._variables(model.post_vars, "post")),
        )
        for known, found in kinds:
            for name, variable in found.items():
                known.add(name, variable)

    def _witness(self, variables: Mapping[str, str]) -> None:
        """Have the postsynaptic model show variables of its own to the target, in the target's variables."""
        self._need_unbuilt("its postsynaptic model")
        psm = self.spec.postsynaptic
        refs = {**psm.var_refs, **{there: there for there in variables.values()}}
        self._change(postsynaptic=replace(psm, model=witnessed(psm.model, variables), var_refs=refs))

    # ---- values ----

    def _put_initial(self, at: Location, value: Any) -> None:
        if at.space == "psm":
            psm = self.spec.postsynaptic
            self._change(postsynaptic=replace(psm, vars=replaced(psm.vars, at.name, value)))
            return
        wu, attribute = self.spec.weight_update, VARIABLES_IN[at.space]
        changes: dict[str, Any] = {attribute: replaced(getattr(wu, attribute), at.name, value)}
        self._change(weight_update=replace(wu, **changes))

    @property
    def out_post(self) -> StateArray | None:
        """The summed input that the postsynaptic model has yet to use, shape (batch, neurons); None until loaded."""
        return self._out_post if self._out_post._view is not None else None

    @property
    def output_location(self) -> VarLocation:
        """Where the summed input lives; set it before ``build``."""
        return self._location(self._out_post.location)

    @output_location.setter
    def output_location(self, location: VarLocation) -> None:
        self._set_location(self._out_post.location, location)

    @property
    def dendritic_delay_location(self) -> VarLocation:
        """Where input on its way along dendrites lives; set it before ``build``."""
        return self._location(Location(self._key, "den_delay"))

    @dendritic_delay_location.setter
    def dendritic_delay_location(self, location: VarLocation) -> None:
        self._set_location(Location(self._key, "den_delay"), location)

    def _arrays(self) -> Iterable[Array]:
        yield from super()._arrays()
        for arrays in (self.pre_vars, self.post_vars, self.psm_vars):
            yield from arrays.values()
        yield from self.psm_extra_global_params.values()
        yield from self.connectivity_extra_global_params.values()
        yield self._out_post
        yield from self._connectivity_arrays()

    def _model_of(self, at: Location) -> Model:
        if at.space == "psm_egp":
            return self.spec.postsynaptic.model
        if at.space == "connect_egp":
            init = self.spec.connectivity.init
            return init.snippet if init is not None else _UNINITIALISED
        return super()._model_of(at)

    def _has_values(self, array: ExtraGlobalParameter) -> bool:
        init = self.spec.connectivity.init
        made = isinstance(init, net.SparseConnectInit) and init.snippet.host_init_func is not None
        return (made and array.location.space == "connect_egp") or super()._has_values(array)

    def _stored(self, at: Location) -> bool:
        return at.space != "synapse" or self.spec.connectivity.weights != "PROCEDURAL"

    # ---- recordings ----

    @property
    def pre_spike_event_recording_enabled(self) -> bool:
        """Whether presynaptic events are recorded; ``src.spike_event_recording_enabled`` does it for all it is in."""
        return self.spec.pre_spike_event_recording_enabled or self.src.spike_event_recording_enabled

    @pre_spike_event_recording_enabled.setter
    def pre_spike_event_recording_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("pre_spike_event_recording_enabled")
        self._change(pre_spike_event_recording_enabled=bool(enabled))

    @property
    def post_spike_event_recording_enabled(self) -> bool:
        """Whether postsynaptic events are recorded; ``trg.spike_event_recording_enabled`` does it for all it is in."""
        return self.spec.post_spike_event_recording_enabled or self.trg.spike_event_recording_enabled

    @post_spike_event_recording_enabled.setter
    def post_spike_event_recording_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("post_spike_event_recording_enabled")
        self._change(post_spike_event_recording_enabled=bool(enabled))

    @property
    def pre_spike_event_recording_data(self) -> Events:
        """The presynaptic events that were pulled; see `NeuronGroup.spike_recording_data`."""
        return self._recorded_events("pre")

    @property
    def post_spike_event_recording_data(self) -> Events:
        """The postsynaptic events that were pulled; see `NeuronGroup.spike_recording_data`."""
        return self._recorded_events("post")

    def _recorded_events(self, side: str) -> Events:
        known = {at.space: at for at in self._recorded()}
        space = f"{side}_event_recording"
        if space not in known:
            population = self.src if side == "pre" else self.trg
            condition = f"{side}_event_threshold_condition_code"
            why = "its model has no " + condition
            if getattr(self.spec.weight_update.model, condition).strip():
                why = f"set spike_event_recording_enabled of '{population.name}' before build"
            raise LifecycleError(f"'{self.name}' records no {side}synaptic events: {why}")
        if known[space] not in self._recordings:
            raise LifecycleError(f"'{self.name}': call pull_recording_buffers_from_device first")
        return [recording.decode() for recording in self._recordings[known[space]]]

    def _recorded(self) -> Iterable[Location]:
        wu = self.spec.weight_update.model
        if self.pre_spike_event_recording_enabled and wu.pre_event_threshold_condition_code.strip():
            yield Location(self._key, "pre_event_recording")
        if self.post_spike_event_recording_enabled and wu.post_event_threshold_condition_code.strip():
            yield Location(self._key, "post_event_recording")

    def _keep_recording(self, at: Location, recording: list[Recording]) -> None:
        self._recordings[at] = recording

    def _load(self) -> None:
        super()._load()
        for one in self._kept:
            one._load()

    def _unload(self) -> None:
        super()._unload()
        for one in self._kept:
            one._unload()
        self._recordings.clear()

    # ---- dynamic parameters ----

    def set_wu_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter of the weight update be changed while the simulation runs; before ``build``."""
        self._switch_dynamic("weight_update_dynamic_params", param_name, dynamic)

    def set_ps_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter of the postsynaptic model be changed while the simulation runs; before ``build``."""
        self._switch_dynamic("postsynaptic_dynamic_params", param_name, dynamic)

    def set_dynamic_param_value(self, name: str, value: float) -> None:
        """Change a dynamic parameter of the weight update or the postsynaptic model, from the next timestep on.

        Where both have one of the same name, both change.
        """
        spec = self.spec
        if name in spec.postsynaptic_dynamic_params and name in spec.weight_update_dynamic_params:
            self._simulation().in_turn(self._set_both_dynamic, name, value)
        elif name in spec.postsynaptic_dynamic_params:
            self._set_postsynaptic_dynamic(name, value)
        else:
            self._set_weight_update_dynamic(name, value)

    def _set_both_dynamic(self, name: str, value: float) -> None:
        self._set_postsynaptic_dynamic(name, value)
        self._set_weight_update_dynamic(name, value)

    def _set_postsynaptic_dynamic(self, name: str, value: float) -> None:
        dynamic, model = self.spec.postsynaptic_dynamic_params, self.spec.postsynaptic.model
        self._set_dynamic("psm_param", dynamic, model, name, value)

    def _set_weight_update_dynamic(self, name: str, value: float) -> None:
        dynamic, model = self.spec.weight_update_dynamic_params, self.spec.weight_update.model
        self._set_dynamic("param", dynamic, model, name, value)

    # ---- locations ----

    def get_wu_var_location(self, var_name: str) -> VarLocation:
        """Return where a variable of synapses lives."""
        return self._location(self._place("synapse", var_name))

    def set_wu_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a variable of synapses lives; before ``build``."""
        self._set_location(self._place("synapse", var_name), location)

    def get_wu_pre_var_location(self, var_name: str) -> VarLocation:
        """Return where a presynaptic variable lives."""
        return self._location(self._place("pre", var_name))

    def set_wu_pre_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a presynaptic variable lives; before ``build``."""
        self._set_location(self._place("pre", var_name), location)

    def get_wu_post_var_location(self, var_name: str) -> VarLocation:
        """Return where a postsynaptic variable lives."""
        return self._location(self._place("post", var_name))

    def set_wu_post_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a postsynaptic variable lives; before ``build``."""
        self._set_location(self._place("post", var_name), location)

    def get_ps_var_location(self, var_name: str) -> VarLocation:
        """Return where a variable of the postsynaptic model lives."""
        return self._location(self._place("psm", var_name))

    def set_ps_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a variable of the postsynaptic model lives; before ``build``."""
        self._set_location(self._place("psm", var_name), location)

    # ---- obsolete ----

    @deprecated("out_post.pull_from_device()")
    def pull_in_syn_from_device(self) -> None:
        """Copy the summed input from device to host."""
        self._out_post.pull_from_device()

    @deprecated("out_post.push_to_device()")
    def push_in_syn_to_device(self) -> None:
        """Copy the summed input from host to device."""
        self._out_post.push_to_device()

    @deprecated("psm_extra_global_params[name].pull_from_device()")
    def pull_psm_extra_global_param_from_device(self, egp_name: str) -> None:
        """Copy an array of the postsynaptic model from device to host."""
        self.psm_extra_global_params[egp_name].pull_from_device()

    @deprecated("psm_extra_global_params[name].push_to_device()")
    def push_psm_extra_global_param_to_device(self, egp_name: str) -> None:
        """Copy an array of the postsynaptic model from host to device."""
        self.psm_extra_global_params[egp_name].push_to_device()

    @deprecated("vars[name].values")
    def get_var_values(self, var_name: str) -> Any:
        """Return a variable's values."""
        return self.vars[var_name].values
