"""Everything that PyGeNN has under a name is here under the same name, with the same meaning."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import snnlearn.genn as genn
from snnlearn.declare import NeuronModel
from snnlearn.genn import (
    CustomUpdateVarAccess,
    ParallelismHint,
    PlogSeverity,
    SynapseMatrixConnectivity,
    SynapseMatrixType,
    SynapseMatrixWeight,
    VarAccess,
    VarAccessDim,
    VarLocation,
    VarLocationAttribute,
    get_var_access_dim,
    types,
)

# What PyGeNN 5.4's package lists in `__all__`.
_PUBLIC = """create_current_source_model create_custom_update_model create_custom_connectivity_update_model
    create_den_delay_var_ref create_neuron_model create_out_post_var_ref create_postsynaptic_model
    create_post_var_ref create_pre_var_ref create_prev_spike_time_var_ref create_psm_var_ref
    create_sparse_connect_init_snippet create_spike_time_var_ref create_src_spike_count_var_ref
    create_toeplitz_connect_init_snippet create_var_ref create_weight_update_model create_wu_pre_var_ref
    create_wu_post_var_ref create_wu_var_ref create_egp_ref create_psm_egp_ref create_var_init_snippet
    create_wu_egp_ref get_var_access_dim init_postsynaptic init_sparse_connectivity init_toeplitz_connectivity
    init_var init_weight_update CurrentSource CustomConnectivityUpdate CustomUpdate CustomUpdateBase
    CustomUpdateWU CustomUpdateVarAccess GeNNModel ModelSpec NeuronGroup ParallelismHint PlogSeverity SynapseGroup
    SynapseMatrixType SynapseMatrixConnectivity SynapseMatrixWeight VarAccess VarAccessDim VarAccessMode
    VarAccessModeAttribute VarLocation VarLocationAttribute"""
PUBLIC = _PUBLIC.split()


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name: str) -> None:
    assert name in genn.__all__
    assert hasattr(genn, name)


def test_all_is_true() -> None:
    assert all(hasattr(genn, name) for name in genn.__all__)
    assert genn.__version__.startswith("5.4")


ORDER = {
    "create_neuron_model": """class_name params param_names vars var_name_types derived_params sim_code
        threshold_condition_code reset_code extra_global_params additional_input_vars auto_refractory_required""",
    "create_postsynaptic_model": """class_name params param_names vars var_name_types neuron_var_refs derived_params
        sim_code decay_code apply_input_code extra_global_params""",
    "create_weight_update_model": """class_name params param_names vars var_name_types pre_vars pre_var_name_types
        post_vars post_var_name_types pre_neuron_var_refs post_neuron_var_refs psm_var_refs derived_params sim_code
        pre_spike_syn_code event_code pre_event_syn_code post_event_syn_code learn_post_code post_spike_syn_code
        synapse_dynamics_code event_threshold_condition_code pre_event_threshold_condition_code
        post_event_threshold_condition_code pre_spike_code post_spike_code pre_dynamics_code post_dynamics_code
        extra_global_params""",
    "create_current_source_model": """class_name params param_names vars var_name_types neuron_var_refs derived_params
        injection_code extra_global_params""",
    "create_custom_update_model": """class_name params param_names vars var_name_types derived_params var_refs
        update_code extra_global_params extra_global_param_refs""",
    "create_custom_connectivity_update_model": """class_name params vars pre_vars post_vars derived_params var_refs
        pre_var_refs post_var_refs row_update_code host_update_code extra_global_params extra_global_param_refs""",
    "create_var_init_snippet": "class_name params param_names derived_params var_init_code extra_global_params",
    "create_sparse_connect_init_snippet": """class_name params param_names derived_params row_build_code col_build_code
        calc_max_row_len_func calc_max_col_len_func calc_kernel_size_func extra_global_params""",
    "create_toeplitz_connect_init_snippet": """class_name params param_names derived_params diagonal_build_code
        calc_max_row_len_func calc_kernel_size_func extra_global_params""",
    "init_var": "snippet params",
    "init_sparse_connectivity": "snippet params",
    "init_toeplitz_connectivity": "init_toeplitz_connect_snippet params",
    "init_postsynaptic": "snippet params vars var_refs",
    "init_weight_update": "snippet params vars pre_vars post_vars pre_var_refs post_var_refs psm_var_refs",
    "create_wu_var_ref": "sg var_name transpose_sg transpose_var_name",
}
METHODS = {
    "add_neuron_population": "self pop_name num_neurons neuron params vars",
    "add_synapse_population": """self pop_name matrix_type source target weight_update_init postsynaptic_init
        connectivity_init""",
    "add_current_source": "self cs_name current_source_model pop params vars var_refs",
    "add_custom_update": "self cu_name group_name custom_update_model params vars var_refs egp_refs",
    "add_custom_connectivity_update": """self cu_name group_name syn_group custom_conn_update_model params vars pre_vars
        post_vars var_refs pre_var_refs post_var_refs egp_refs""",
    "build": "self path_to_model always_rebuild never_rebuild",
    "load": "self num_recording_timesteps",
}


@pytest.mark.parametrize("name", ORDER)
def test_arguments_of_functions_in_order(name: str) -> None:
    assert list(inspect.signature(getattr(genn, name)).parameters) == ORDER[name].split()


@pytest.mark.parametrize("name", METHODS)
def test_arguments_of_methods_in_order(name: str) -> None:
    assert list(inspect.signature(getattr(genn.GeNNModel, name)).parameters) == METHODS[name].split()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SynapseMatrixType, {"DENSE": 65, "DENSE_PROCEDURALG": 129, "BITMASK": 66, "SPARSE": 68, "PROCEDURAL": 136,
                             "PROCEDURAL_KERNELG": 264, "TOEPLITZ": 272}),
        (SynapseMatrixConnectivity, {"DENSE": 1, "BITMASK": 2, "SPARSE": 4, "PROCEDURAL": 8, "TOEPLITZ": 16}),
        (SynapseMatrixWeight, {"INDIVIDUAL": 64, "PROCEDURAL": 128, "KERNEL": 256}),
        (VarLocation, {"DEVICE": 2, "HOST_DEVICE": 3, "HOST_DEVICE_ZERO_COPY": 7}),
        (VarLocationAttribute, {"HOST": 1, "DEVICE": 2, "ZERO_COPY": 4}),
        (ParallelismHint, {"POSTSYNAPTIC": 0, "PRESYNAPTIC": 1, "WORD_PACKED_BITMASK": 2}),
        (PlogSeverity, {"NONE": 0, "FATAL": 1, "ERROR": 2, "WARNING": 3, "INFO": 4, "DEBUG": 5, "VERBOSE": 6}),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)  # fmt: skip
def test_enumerations_have_genns_values(kind: Any, values: dict[str, int]) -> None:
    assert {name: int(member) for name, member in kind.__members__.items()} == values


def test_flags_are_asked_with_and() -> None:
    assert SynapseMatrixType.SPARSE & SynapseMatrixConnectivity.SPARSE
    assert not SynapseMatrixType.SPARSE & SynapseMatrixWeight.KERNEL
    assert SynapseMatrixType.TOEPLITZ & SynapseMatrixWeight.KERNEL
    assert VarLocation.HOST_DEVICE & VarLocationAttribute.HOST
    assert not VarLocation.DEVICE & VarLocationAttribute.HOST
    assert get_var_access_dim(VarAccess.READ_ONLY) == VarAccessDim.ELEMENT
    whole = VarAccessDim.ELEMENT | VarAccessDim.BATCH
    assert get_var_access_dim(CustomUpdateVarAccess.REDUCE_BATCH_SUM, whole) == VarAccessDim.ELEMENT


def test_types_are_names() -> None:
    assert {types.Float: 1}["float"] == 1
    assert types.UnresolvedType("scalar").resolve({"scalar": types.Double}) == types.Double
    assert types.UnresolvedType("int").resolve({"scalar": types.Double}) == "int"


def test_built_in_models_are_functions_of_modules() -> None:
    from snnlearn.genn import init_sparse_connectivity_snippets, neuron_models, weight_update_models

    lif = neuron_models.LIF()
    assert isinstance(lif, NeuronModel)
    assert [v.name for v in lif.get_vars()] == ["V", "RefracTime"]
    assert lif.get_sim_code() == lif.sim_code
    assert lif.is_auto_refractory_required() is False
    assert "STDP" in dir(weight_update_models)
    assert init_sparse_connectivity_snippets.OneToOne().get_calc_max_row_length_func() is not None
    with pytest.raises(AttributeError, match="'LIG'; did you mean 'LIF'"):
        neuron_models.LIG  # noqa: B018
    with pytest.raises(AttributeError, match="NeuronModel has no attribute 'get_pre_vars'"):
        lif.get_pre_vars()
