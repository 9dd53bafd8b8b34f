"""What PyGeNN 5.4 has: read from an installed PyGeNN by `dir`, names that start with an underscore apart."""

from __future__ import annotations

# In each module, but for what only its own code generator uses.
_MODULES = {
    "_genn": """
        CurrentSource CurrentSourceModelBase CustomConnectivityUpdate CustomConnectivityUpdateModelBase
        CustomUpdate CustomUpdateBase CustomUpdateModelBase CustomUpdateVar CustomUpdateVarAccess CustomUpdateWU
        DerivedParam EGP EGPRef EGPReference InitSparseConnectivitySnippetBase
        InitToeplitzConnectivitySnippetBase InitVarSnippetBase ModelSpec NeuronGroup NeuronModelBase
        NumericValue ParallelismHint Param ParamVal PlogSeverity PostsynapticInit PostsynapticModelBase
        ResolvedType SnippetBase SparseConnectivityInit SynapseGroup SynapseMatrixConnectivity SynapseMatrixType
        SynapseMatrixWeight ToeplitzConnectivityInit UnresolvedType Var VarAccess VarAccessDim VarAccessMode
        VarAccessModeAttribute VarInit VarLocation VarLocationAttribute VarRef VarReference WUVarReference
        WeightUpdateInit WeightUpdateModelBase create_den_delay_var_ref create_egp_ref create_out_post_var_ref
        create_post_var_ref create_pre_var_ref create_prev_spike_time_var_ref create_psm_egp_ref
        create_psm_var_ref create_spike_time_var_ref create_src_spike_count_var_ref create_var_ref
        create_wu_egp_ref create_wu_post_var_ref create_wu_pre_var_ref create_wu_var_ref get_var_access_dim""",
    "_runtime": """
        ArrayBase Runtime""",
    "current_source_models": """
        DC GaussianNoise PoissonExp""",
    "custom_update_models": """
        Transpose""",
    "genn_groups": """
        Array CurrentSourceMixin CustomConnectivityUpdateMixin CustomUpdateMixin CustomUpdateWU
        CustomUpdateWUMixin ExtraGlobalParameter GroupMixin NeuronGroupMixin NumericValue SynapseGroupMixin
        SynapseMatrixConnectivity SynapseMatrixWeight SynapseVariable VarAccessDim VarLocation
        VarLocationAttribute Variable get_var_access_dim""",
    "genn_model": """
        CurrentSource CurrentSourceMixin CurrentSourceModelBase CustomConnectivityUpdate
        CustomConnectivityUpdateMixin CustomConnectivityUpdateModelBase CustomUpdate CustomUpdateMixin
        CustomUpdateModelBase CustomUpdateVar CustomUpdateVarAccess CustomUpdateWU CustomUpdateWUMixin
        DerivedParam EGP EGPRef EGPReference GeNNModel InitSparseConnectivitySnippetBase
        InitToeplitzConnectivitySnippetBase InitVarSnippetBase ModelSpec NeuronGroup NeuronGroupMixin
        NeuronModelBase NumericValue Param ParamVal PlogSeverity PostsynapticInit PostsynapticModelBase
        ResolvedType Runtime SparseConnectivityInit SynapseGroup SynapseGroupMixin SynapseMatrixType
        ToeplitzConnectivityInit UnresolvedType Var VarAccess VarAccessMode VarInit VarLocation VarRef
        VarReference WUVarReference WeightUpdateInit WeightUpdateModelBase backend_modules create_cksf_class
        create_cmlf_class create_current_source_model create_custom_connectivity_update_model
        create_custom_update_model create_dpf_class create_neuron_model create_postsynaptic_model
        create_sparse_connect_init_snippet create_toeplitz_connect_init_snippet create_var_init_snippet
        create_weight_update_model init_connectivity init_postsynaptic init_sparse_connectivity
        init_toeplitz_connectivity init_var init_weight_update""",
    "init_sparse_connectivity_snippets": """
        Conv2D FixedNumberPostWithReplacement FixedNumberPreWithReplacement FixedNumberTotalWithReplacement
        FixedProbability FixedProbabilityNoAutapse OneToOne Uninitialised""",
    "init_toeplitz_connectivity_snippets": """
        AvgPoolConv2D Conv2D Uninitialised""",
    "init_var_snippets": """
        Binomial Constant Exponential Gamma Kernel Normal NormalClipped NormalClippedDelay Uniform Uninitialised""",
    "model_preprocessor": """
        Array ArrayBase ExtraGlobalParameter NumericValue ResolvedType SynapseMatrixConnectivity
        SynapseMatrixWeight SynapseVariable UnresolvedType VarInit Variable VariableBase""",
    "neuron_models": """
        Izhikevich IzhikevichVariable LIF Poisson RulkovMap SpikeSourceArray TraubMiles""",
    "postsynaptic_models": """
        DeltaCurr ExpCond ExpCurr""",
    "types": """
        Bool Double Float Int16 Int32 Int64 Int8 Uint16 Uint32 Uint64 Uint8""",
    "weight_update_models": """
        STDP StaticGraded StaticPulse StaticPulseConstantWeight StaticPulseDendriticDelay""",
}
MODULES = {module: names.split() for module, names in _MODULES.items()}

# What each class of models can be asked.
_GETTERS = {
    "CurrentSourceModelBase": """
        get_derived_params get_extra_global_params get_injection_code get_neuron_var_refs get_params get_vars""",
    "CustomConnectivityUpdateModelBase": """
        get_derived_params get_extra_global_param_refs get_extra_global_params get_host_update_code get_params
        get_post_var_refs get_post_vars get_pre_var_refs get_pre_vars get_row_update_code get_var_refs get_vars""",
    "CustomUpdateModelBase": """
        get_derived_params get_extra_global_param_refs get_extra_global_params get_params get_update_code
        get_var_refs get_vars""",
    "InitSparseConnectivitySnippetBase": """
        get_calc_kernel_size_func get_calc_max_col_length_func get_calc_max_row_length_func get_col_build_code
        get_derived_params get_extra_global_params get_host_init_code get_params get_row_build_code""",
    "InitToeplitzConnectivitySnippetBase": """
        get_calc_kernel_size_func get_calc_max_row_length_func get_derived_params get_diagonal_build_code
        get_extra_global_params get_params""",
    "InitVarSnippetBase": """
        get_code get_derived_params get_extra_global_params get_params""",
    "NeuronModelBase": """
        get_additional_input_vars get_derived_params get_extra_global_params get_params get_reset_code
        get_sim_code get_threshold_condition_code get_vars is_auto_refractory_required""",
    "PostsynapticModelBase": """
        get_derived_params get_extra_global_params get_neuron_var_refs get_params get_sim_code get_vars""",
    "SnippetBase": """
        get_derived_params get_extra_global_params get_params""",
    "WeightUpdateModelBase": """
        get_derived_params get_extra_global_params get_params get_post_dynamics_code get_post_event_syn_code
        get_post_event_threshold_condition_code get_post_neuron_var_refs get_post_spike_code
        get_post_spike_syn_code get_post_vars get_pre_dynamics_code get_pre_event_syn_code
        get_pre_event_threshold_condition_code get_pre_neuron_var_refs get_pre_spike_code get_pre_spike_syn_code
        get_pre_vars get_psm_var_refs get_synapse_dynamics_code get_vars""",
}
GETTERS = {kind: names.split() for kind, names in _GETTERS.items()}

# What objects have, by what they are.
_ATTRIBUTES = {
    "model": """
        add_current_source add_custom_connectivity_update add_custom_update add_neuron_population
        add_synapse_population backend_log_level backend_name batch_size build current_sources
        custom_connectivity_updates custom_update custom_updates dT default_narrow_sparse_ind_enabled
        default_sparse_connectivity_location default_var_location dt fuse_postsynaptic_models
        fuse_pre_post_weight_update_models genn_types get_custom_update_host_time get_custom_update_remap_time
        get_custom_update_time get_custom_update_transpose_time init_sparse_time init_time load name
        neuron_populations neuron_update_time num_neurons postsynaptic_update_time precision
        presynaptic_update_time pull_recording_buffers_from_device seed step_time synapse_dynamics_time
        synapse_populations t time_precision timestep timing_enabled unload""",
    "neuron population": """
        extra_global_params get_var_location model name num_neurons params prev_spike_time_location
        prev_spike_times pull_extra_global_param_from_device pull_var_from_device
        push_extra_global_param_to_device push_var_to_device recording_zero_copy_enabled set_dynamic_param_value
        set_param_dynamic set_var_location spike_event_recording_enabled spike_recording_data
        spike_recording_enabled spike_time_location spike_times vars""",
    "synapse population": """
        axonal_delay_steps back_prop_delay_steps connections_set connectivity_extra_global_params
        dendritic_delay_location extra_global_params get_ps_var_location get_sparse_post_inds
        get_sparse_pre_inds get_var_values get_wu_post_var_location get_wu_pre_var_location get_wu_var_location
        kernel_size matrix_type max_connections max_dendritic_delay_timesteps max_source_connections name
        narrow_sparse_ind_enabled num_threads_per_spike out_post output_location parallelism_hint
        post_spike_event_recording_data post_target_var post_vars pre_spike_event_recording_data pre_target_var
        pre_vars ps_initialiser psm_extra_global_params psm_vars pull_connectivity_from_device
        pull_extra_global_param_from_device pull_in_syn_from_device pull_psm_extra_global_param_from_device
        pull_var_from_device push_connectivity_to_device push_extra_global_param_to_device push_in_syn_to_device
        push_psm_extra_global_param_to_device push_var_to_device set_dynamic_param_value set_ps_param_dynamic
        set_ps_var_location set_sparse_connections set_wu_param_dynamic set_wu_post_var_location
        set_wu_pre_var_location set_wu_var_location sparse_connectivity_initialiser sparse_connectivity_location
        src synapse_group toeplitz_connectivity_initialiser trg vars weight_update_var_size wu_initialiser""",
    "current source": """
        extra_global_params get_var_location model name params pull_extra_global_param_from_device
        pull_var_from_device push_extra_global_param_to_device push_var_to_device set_dynamic_param_value
        set_param_dynamic set_var_location target_pop target_var vars""",
    "custom update": """
        extra_global_params get_var_location model name num_neurons params pull_extra_global_param_from_device
        pull_var_from_device push_extra_global_param_to_device push_var_to_device set_dynamic_param_value
        set_param_dynamic set_var_location update_group_name vars""",
    "custom update of synapses": """
        extra_global_params get_var_location get_var_values model name params
        pull_extra_global_param_from_device pull_var_from_device push_extra_global_param_to_device
        push_var_to_device set_dynamic_param_value set_param_dynamic set_var_location synapse_group
        update_group_name vars""",
    "custom connectivity update": """
        extra_global_params get_post_var_location get_pre_var_location get_var_location get_var_values model
        name params post_vars pre_vars pull_extra_global_param_from_device pull_var_from_device
        push_extra_global_param_to_device push_var_to_device set_dynamic_param_value set_param_dynamic
        set_post_var_location set_pre_var_location set_var_location synapse_group update_group_name vars""",
    "variable": """
        current_values current_view extra_global_params group init_required init_values name pull_from_device
        push_to_device set_array set_init_values set_values type values view""",
    "variable of synapses": """
        current_values current_view extra_global_params group init_required name pull_from_device push_to_device
        set_array set_init_values set_values type values view""",
    "extra global parameter": """
        group init_values name pull_from_device push_to_device set_array set_init_values set_values type values
        view""",
    "out_post": """
        group pull_from_device push_to_device set_array type view""",
    "weight update init": """
        snippet""",
    "sparse connectivity init": """
        snippet""",
    "variable init": """
        snippet""",
    "Var": """
        access name type""",
    "Param": """
        name type""",
    "DerivedParam": """
        func name type""",
    "EGP": """
        name type""",
    "ParamVal": """
        name type value""",
    "init_weight_update": """
        snippet""",
    "init_postsynaptic": """
        snippet""",
    "type": """
        resolve""",
    "parameter value": """
        value""",
}
ATTRIBUTES = {what: names.split() for what, names in _ATTRIBUTES.items()}
