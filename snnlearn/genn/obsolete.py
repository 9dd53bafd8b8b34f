"""What became of the names of GeNN 4, and of what PyGeNN keeps to itself: tables of texts, by where a name was."""

from __future__ import annotations

GUIDE = "docs/genn4.md ports one of each"

_CODE = "param_names is params, var_name_types is vars, and code names things without $(...)"
_MAKERS = {
    "neuron_class": f"use create_neuron_model: {_CODE}",
    "weight_update_class": f"use create_weight_update_model: {_CODE}; sim_code is pre_spike_syn_code, "
    "learn_post_code is post_spike_syn_code, and V_pre and V_post are declared in pre_neuron_var_refs and "
    "post_neuron_var_refs",
    "postsynaptic_class": f"use create_postsynaptic_model: {_CODE}; apply_input_code and decay_code are one: sim_code, "
    "which calls injectCurrent(...)",
    "current_source_class": f"use create_current_source_model: {_CODE}",
    "custom_update_class": f"use create_custom_update_model: {_CODE}",
    "init_var_snippet_class": f"use create_var_init_snippet: {_CODE}",
    "sparse_connect_init_snippet_class": f"use create_sparse_connect_init_snippet: {_CODE}; row_build_code runs once a "
    "row and loops itself, so state variables are its locals and $(endRow) is gone",
    "toeplitz_connect_init_snippet_class": f"use create_toeplitz_connect_init_snippet: {_CODE}; for_each_synapse {{ }} "
    "takes the place of the loop, so state variables are locals and $(endCol) is gone",
    "model_class": "use the create_*_model function of the kind",
}
# In `pygenn` and `pygenn.genn_model`; GeNN 3 wrote the same names in camel case.
FUNCTIONS = {f"create_custom_{name}": text for name, text in _MAKERS.items()}
FUNCTIONS |= {"create" + name.removeprefix("create").title().replace("_", ""): FUNCTIONS[name] for name in FUNCTIONS}
FUNCTIONS |= {
    "createDPFClass": "use the function itself",
    "initVar": "use init_var",
    "initConnectivity": "use init_sparse_connectivity",
}

# Modules that were in `pygenn`.
MODULES = {
    "genn_wrapper": f"""this is of GeNN 4: what it had is in pygenn itself; {GUIDE}:
  NO_DELAY                                  left out; a longer delay is SynapseGroup.axonal_delay_steps
  VarAccess_READ_ONLY, VarAccessMode_...    VarAccess.READ_ONLY, VarAccessMode....
  VarAccess_REDUCE_BATCH_SUM, ...           CustomUpdateVarAccess.REDUCE_BATCH_SUM, ...
  VarLocation_HOST_DEVICE, ...              VarLocation.HOST_DEVICE, ...
  SynapseMatrixType_SPARSE_INDIVIDUALG, ... SynapseMatrixType.SPARSE, DENSE, ...
  SynapseGroup.SpanType_PRESYNAPTIC         ParallelismHint.PRESYNAPTIC
  warning, debug, ...                       PlogSeverity.WARNING, DEBUG, ...
  CUDABackend.DeviceSelect_MANUAL           cuda_backend.DeviceSelect.MANUAL
  CUDABackend.BlockSizeSelect_MANUAL        cuda_backend.BlockSizeSelect.MANUAL
  NeuronModels, WeightUpdateModels, ...     neuron_models, weight_update_models, ...
  Snippet.make_dpf, make_cmlf, make_cksf    the function itself
  StlContainers.UnsignedIntVector, ...      a list""",
}

_SPIKES = (
    "spikes are recorded: set spike_recording_enabled of the population before build, call load(num_recording_timesteps"
    "=...), then pull_recording_buffers_from_device(), and read spike_recording_data"
)
_INJECT = "to make neurons spike, use SpikeSourceArray, or a neuron model whose threshold condition asks a variable"
_EVENTS = "events are recorded by connections: see pre_spike_event_recording_data"
_EACH = "call {} of each of vars"
_EGP = "extra_global_params[name].{}"
_INTERNAL = "the model's add_ functions do it"
# Of a model and of its groups alike; a model took the group's name first.
_OF_BOTH = {
    "pull_state_from_device": _EACH.format("pull_from_device()"),
    "push_state_to_device": _EACH.format("push_to_device()"),
    "pull_spikes_from_device": _SPIKES,
    "pull_current_spikes_from_device": _SPIKES,
    "push_spikes_to_device": _INJECT,
    "push_current_spikes_to_device": _INJECT,
    "pull_spike_events_from_device": _EVENTS,
    "pull_current_spike_events_from_device": _EVENTS,
    "push_spike_events_to_device": _INJECT,
    "push_current_spike_events_to_device": _INJECT,
    "reinitialise": "unload() and load() the model again",
}
MODEL = _OF_BOTH | {
    "model_name": "it is called name",
    "use_backend": "it is called backend_name, or give GeNNModel(..., backend=...)",
    "add_slave_synapse_population": "weights are not shared any more: add a population with values of its own",
    "end": "it is called unload",
    "initialize": "load() does it",
    "initialize_sparse": "load() does it",
    "free_device_mem_bytes": "there is nothing in its place",
    "pull_connectivity_from_device": "it is a method of the connection",
    "push_connectivity_to_device": "it is a method of the connection",
    "pull_var_from_device": "call vars[name].pull_from_device() of the group",
    "push_var_to_device": "call vars[name].push_to_device() of the group",
    "pull_extra_global_param_from_device": f"call {_EGP.format('pull_from_device()')} of the group",
    "push_extra_global_param_to_device": f"call {_EGP.format('push_to_device()')} of the group",
}
_MATRIX = "ask matrix_type & {}"
GROUP = _OF_BOTH | {
    "pop": "a group is no wrapper any more: what its pop had is the group's own",
    "size": "it is called num_neurons",
    "delay_slots": "a delayed variable's view has a dimension for timesteps; current_view is the newest",
    "neuron": "it is called model",
    "current_source_model": "it is called model",
    "custom_update_model": "it is called model",
    "w_update": "it is wu_initialiser.snippet",
    "postsyn": "it is ps_initialiser.snippet",
    "connectivity_initialiser": "give it to add_synapse_population as connectivity_init",
    "set_var": "call vars[name].set_init_values(values) before load",
    "set_pre_var": "call pre_vars[name].set_init_values(values) before load",
    "set_post_var": "call post_vars[name].set_init_values(values) before load",
    "set_psm_var": "call psm_vars[name].set_init_values(values) before load",
    "add_extra_global_param": f"call {_EGP.format('set_init_values(values)')} before load",
    "set_extra_global_param": f"call {_EGP.format('set_init_values(values)')} before load",
    "set_psm_extra_global_param": f"call psm_{_EGP.format('set_init_values(values)')} before load",
    "set_connectivity_extra_global_param": f"call connectivity_{_EGP.format('set_init_values(values)')} before load",
    "current_spikes": _SPIKES,
    "spikes": _SPIKES,
    "spike_count": _SPIKES,
    "current_spike_events": _EVENTS,
    "spike_event_recording_data": _EVENTS,
    "pull_spike_times_from_device": "call spike_times.pull_from_device()",
    "push_spike_times_to_device": "call spike_times.push_to_device()",
    "pull_prev_spike_times_from_device": "call prev_spike_times.pull_from_device()",
    "push_prev_spike_times_to_device": "call prev_spike_times.push_to_device()",
    "num_synapses": "it is len(get_sparse_pre_inds())",
    "max_row_length": "it is called max_connections",
    "delay_steps": "it is called axonal_delay_steps",
    "ps_target_var": "it is called post_target_var",
    "is_ragged": _MATRIX.format("SynapseMatrixConnectivity.SPARSE"),
    "is_dense": _MATRIX.format("SynapseMatrixConnectivity.DENSE"),
    "is_bitmask": _MATRIX.format("SynapseMatrixConnectivity.BITMASK"),
    "is_toeplitz": _MATRIX.format("SynapseMatrixConnectivity.TOEPLITZ"),
    "has_procedural_connectivity": _MATRIX.format("SynapseMatrixConnectivity.PROCEDURAL"),
    "has_procedural_weights": _MATRIX.format("SynapseMatrixWeight.PROCEDURAL"),
    "has_kernel_synapse_vars": _MATRIX.format("SynapseMatrixWeight.KERNEL"),
    "has_individual_synapse_vars": _MATRIX.format("SynapseMatrixWeight.INDIVIDUAL"),
    "has_individual_postsynaptic_vars": "all postsynaptic models have variables of their own",
    "is_connectivity_init_required": "ask sparse_connectivity_initialiser",
    "set_connected_populations": _INTERNAL,
    "set_neuron": _INTERNAL,
    "set_weight_update": _INTERNAL,
    "set_post_syn": _INTERNAL,
    "set_current_source_model": _INTERNAL,
    "set_custom_update_model": _INTERNAL,
    "add_to": _INTERNAL,
}
ARRAY = {
    "init_val": "it is called init_values",
    "needs_allocation": "there is nothing in its place",
    "set_extra_global_init_param": f"call {_EGP.format('set_init_values(values)')}",
}
# What programs assigned; the other names may be a program's own.
SETTABLE = frozenset(
    ["model_name", "use_backend", "delay_steps", "ps_target_var", "connectivity_initialiser", "current_spikes"]
)

_CONSTANT = "with init_weight_update('StaticPulseConstantWeight', {'g': ...}), whose weight is a parameter"
MATRIX_TYPES = {
    f"{structure}_GLOBALG{individual}": f"it is {structure}, {_CONSTANT}"
    for structure in ("DENSE", "BITMASK", "SPARSE", "PROCEDURAL")
    for individual in ("", "_INDIVIDUAL_PSM")
} | {
    "DENSE_INDIVIDUALG": "it is DENSE",
    "SPARSE_INDIVIDUALG": "it is SPARSE",
    "RAGGED_INDIVIDUALG": "it is SPARSE",
    "RAGGED_GLOBALG": f"it is SPARSE, {_CONSTANT}",
    "PROCEDURAL_PROCEDURALG": "it is PROCEDURAL",
    "TOEPLITZ_KERNELG": "it is TOEPLITZ",
}

_OWN = "declare it with create_{}_model"
BUILT_IN_MODELS = {
    "SpikeSource": "use SpikeSourceArray, or declare a neuron model whose threshold condition asks a variable",
    "PoissonNew": "it is called Poisson",
    "TraubMilesFast": "use TraubMiles",
    "TraubMilesAlt": "use TraubMiles",
    "TraubMilesNStep": "use TraubMiles",
    "PiecewiseSTDP": f"use STDP, or {_OWN.format('weight_update')}",
}

_FOUND = "it is found from the code: leave it out"
_LOCAL = "state variables are locals of the code, which loops itself"
_SUPPORT = "support code is gone: write it into the code that calls it"
_INIT_WU = "give init_weight_update(model, params, vars, pre_vars, post_vars) as weight_update_init"
_INIT_PS = "give init_postsynaptic(model, params, vars) as postsynaptic_init"
ARGUMENTS = {
    "param_space": "it is called params",
    "var_space": "it is called vars",
    "var_ref_space": "it is called var_refs",
    "egp_ref_space": "it is called egp_refs",
    "delay_steps": "leave it out, and set axonal_delay_steps of the population where it is not 0",
    "w_update_model": _INIT_WU,
    "wu_param_space": _INIT_WU,
    "wu_var_space": _INIT_WU,
    "wu_pre_var_space": _INIT_WU,
    "wu_post_var_space": _INIT_WU,
    "postsyn_model": _INIT_PS,
    "ps_param_space": _INIT_PS,
    "ps_var_space": _INIT_PS,
    "connectivity_initialiser": "it is called connectivity_init",
    "init_var_snippet": "it is called snippet",
    "init_sparse_connect_snippet": "it is called snippet",
    "tp_sg": "it is called transpose_sg",
    "tp_var_name": "it is called transpose_var_name",
    "force_rebuild": "it is called always_rebuild",
    "path_to_model": "leave it out: nothing is read from there",
    "is_auto_refractory_required": "it is called auto_refractory_required",
    "custom_body": "declare all with the other arguments",
    "row_build_state_vars": _LOCAL,
    "col_build_state_vars": _LOCAL,
    "diagonal_build_state_vars": _LOCAL,
    "support_code": _SUPPORT,
    "sim_support_code": _SUPPORT,
    "learn_post_support_code": _SUPPORT,
    "synapse_dynamics_support_code": _SUPPORT,
    "synapse_dynamics_suppport_code": _SUPPORT,  # as GeNN 4 wrote it
} | {
    f"is_{prev}{which}_time_required": _FOUND
    for prev in ("", "prev_")
    for which in ("pre_spike", "post_spike", "pre_spike_event")
}
SYNAPSES = (
    "GeNN 4 gave the delay, the models and their values one by one; give init_weight_update(model, params, vars, "
    "pre_vars, post_vars), init_postsynaptic(model, params, vars) and, for other than DENSE, the connectivity"
)
PREFERENCES = {
    "selected_gpu": "it is manual_device_id",
    "selectGPUByDeviceID": "leave it out",
    "automaticCopy": "leave it out: call push_to_device and pull_from_device",
}


def explain(name: str, table: dict[str, str]) -> str | None:
    """Return what became of a name of GeNN 4, or None where the table has no such name."""
    text = table.get(name)
    return f"this is of GeNN 4: {text.rstrip()} ({GUIDE})" if text is not None else None


def explain_all(table: dict[str, str]) -> dict[str, str]:
    """Return a table's texts as `explain` gives them."""
    return {name: str(explain(name, table)) for name in table}
