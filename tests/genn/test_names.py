"""Everything that PyGeNN has under a name is here under the same name, with the same meaning."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest

import snnlearn.genn as genn
from pygenn_names import ATTRIBUTES, GETTERS, MODULES
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

NEURON = genn.create_neuron_model(
    "N",
    params=["k"],
    vars=["x", ("n", "unsigned int"), ("b", "unsigned char")],
    derived_params=[("d", lambda params, dt: 1.0)],
    extra_global_params=[("e", "scalar*")],
    additional_input_vars=[("Iadd", "scalar", 0.5)],
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
    assert types.UnresolvedType("int").resolve({"scalar": types.Double}) == types.Int32


def test_built_in_models_are_functions_of_modules() -> None:
    from snnlearn.genn import init_sparse_connectivity_snippets, neuron_models, weight_update_models

    lif = neuron_models.LIF()
    assert isinstance(lif, NeuronModel)
    assert [v.name for v in lif.get_vars()] == ["V", "RefracTime"]
    assert lif.get_sim_code() == lif.sim_code
    assert lif.is_auto_refractory_required() is False
    assert "STDP" in dir(weight_update_models)
    assert init_sparse_connectivity_snippets.OneToOne().get_calc_max_row_length_func() is not None
    with pytest.raises(AttributeError, match="'LIFF'; did you mean 'LIF'"):
        neuron_models.LIFF  # noqa: B018
    with pytest.raises(AttributeError, match="NeuronModel has no attribute 'get_pre_vars'"):
        lif.get_pre_vars()


@pytest.mark.parametrize("module", MODULES)
def test_modules_have_pygenns_names(module: str) -> None:
    there = importlib.import_module(f"snnlearn.genn.{module}")
    missing = [name for name in MODULES[module] if not hasattr(there, name)]
    assert not missing


def test_other_modules() -> None:
    from snnlearn.genn import cuda_backend, custom_connectivity_update_models, hip_backend, single_threaded_cpu_backend

    assert dir(custom_connectivity_update_models) == []
    assert [m.name for m in cuda_backend.DeviceSelect] == ["OPTIMAL", "MOST_MEMORY", "MANUAL"]
    assert [m.name for m in cuda_backend.BlockSizeSelect] == ["OCCUPANCY", "MANUAL"]
    chosen = {"device_select_method": cuda_backend.DeviceSelect.MANUAL, "manual_device_id": 1}
    blocks = cuda_backend.BlockSizeSelect.MANUAL
    model = genn.GeNNModel("float", "m", backend="cuda", block_size_select_method=blocks, **chosen)
    assert model.preferences.device == 1
    for module in (cuda_backend, hip_backend, single_threaded_cpu_backend):
        assert module.Preferences(threads=1).threads == 1


def test_private_names_are_the_very_classes() -> None:
    from snnlearn.genn import _genn

    model = genn.GeNNModel("float", "names", threads=1)
    pop = model.add_neuron_population("P", 2, NEURON, {"k": 3}, {"x": 0.0, "n": 0, "b": 0})
    syn = model.add_synapse_population(
        "S",
        "DENSE",
        pop,
        pop,
        genn.init_weight_update("StaticPulse", {}, {"g": 0.0}),
        genn.init_postsynaptic("DeltaCurr"),
    )
    made = {
        "NeuronGroup": pop,
        "SynapseGroup": syn,
        "CurrentSource": model.add_current_source("C", "DC", pop, {"amp": 0.0}),
        "VarReference": genn.create_var_ref(pop, "x"),
        "WUVarReference": genn.create_wu_var_ref(syn, "g"),
        "EGPReference": genn.create_egp_ref(pop, "e"),
        "NeuronModelBase": pop.model,
        "SnippetBase": pop.model,
        "WeightUpdateInit": genn.init_weight_update("StaticPulse", {}, {"g": 0.0}),
        "PostsynapticInit": genn.init_postsynaptic("DeltaCurr"),
        "VarInit": genn.init_var("Constant", {"constant": 1.0}),
        "SparseConnectivityInit": genn.init_sparse_connectivity("OneToOne"),
        "Var": NEURON.get_vars()[0],
        "Param": NEURON.get_params()[0],
        "EGP": NEURON.get_extra_global_params()[0],
        "ParamVal": NEURON.get_additional_input_vars()[0],
        "NumericValue": pop.params["k"],
        "UnresolvedType": NEURON.get_vars()[0].type,
        "ResolvedType": types.Float,
        "ModelSpec": model,
        "SynapseMatrixType": syn.matrix_type,
    }
    for name, thing in made.items():
        assert isinstance(thing, getattr(_genn, name)), name
    assert genn.genn_model.WUVarReference is _genn.WUVarReference


def test_numbers_and_types_are_as_pygenn_gives_them() -> None:
    from snnlearn.genn._genn import NumericValue

    model = genn.GeNNModel("double", "names", threads=1)
    pop = model.add_neuron_population("P", 2, NEURON, {"k": 3}, {"x": 0.0, "n": 0, "b": 0})
    assert (pop.params["k"].value, type(pop.params["k"].value), pop.params["k"] + 1) == (3, int, 4.0)
    assert (NumericValue(0.5).value, NumericValue(2**60 + 1).value) == (0.5, 2**60 + 1)
    assert NEURON.get_additional_input_vars()[0].value == 0.5
    resolved = [v.type.resolve(model._type_context) for v in NEURON.get_vars()]
    assert resolved == [types.Double, types.Uint32, types.Uint8]
    assert [model.genn_types[t] for t in resolved] == [np.float64, np.uint32, np.uint8]
    assert not model._recording_in_use
    pop.spike_recording_enabled = True
    assert model._recording_in_use


@pytest.mark.parametrize("kind", GETTERS)
def test_models_can_be_asked_what_pygenns_can(kind: str) -> None:
    from snnlearn.genn import _genn

    there = getattr(_genn, kind)
    for getter in GETTERS[kind]:
        assert callable(getattr(there, getter)), getter
        assert getter in dir(there)


def test_models_give_lists_code_and_functions() -> None:
    snippet = genn.create_sparse_connect_init_snippet(
        "s", params=["p"], row_build_code="addSynapse(id_pre);", calc_max_row_len_func=lambda pre, post, params: 1
    )
    assert snippet.get_params() == list(snippet.params)
    assert snippet.get_row_build_code() == "addSynapse(id_pre);"
    assert snippet.get_calc_max_row_length_func()(1, 2, {}) == 1
    assert (snippet.get_calc_max_col_length_func(), snippet.get_host_init_code()) == (None, "")
    assert genn.create_var_init_snippet("v", var_init_code="value = 1.0;").get_code() == "value = 1.0;"
    assert NeuronModel.get_sim_code(NEURON) == NEURON.sim_code


@pytest.mark.parametrize("what", ATTRIBUTES)
def test_objects_have_pygenns_attributes(what: str) -> None:
    model = genn.GeNNModel("float", "names", threads=1)
    pop = model.add_neuron_population("P", 2, NEURON, {"k": 3}, {"x": 0.0, "n": 0, "b": 0})
    weights = genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Constant", {"constant": 1.0})})
    shape = genn.init_postsynaptic("ExpCurr", {"tau": 1.0})
    syn = model.add_synapse_population(
        "S", "SPARSE", pop, pop, weights, shape, genn.init_sparse_connectivity("OneToOne")
    )
    source = model.add_current_source("C", "DC", pop, {"amp": 0.0})
    rule = genn.create_custom_update_model("U", var_refs=["v"], update_code="v += 1.0;")
    over = model.add_custom_update("U", "G", rule, {}, {}, {"v": genn.create_var_ref(pop, "x")})
    over_synapses = model.add_custom_update("W", "G", rule, {}, {}, {"v": genn.create_wu_var_ref(syn, "g")})
    change = genn.create_custom_connectivity_update_model("R", row_update_code="for_each_synapse { }")
    made = {
        "model": model,
        "neuron population": pop,
        "synapse population": syn,
        "current source": source,
        "custom update": over,
        "custom update of synapses": over_synapses,
        "custom connectivity update": model.add_custom_connectivity_update("R", "G", syn, change),
        "variable": pop.vars["x"],
        "variable of synapses": syn.vars["g"],
        "extra global parameter": pop.extra_global_params["e"],
        "out_post": syn._out_post,
        "weight update init": syn.wu_initialiser,
        "sparse connectivity init": syn.sparse_connectivity_initialiser,
        "variable init": genn.init_var("Constant", {"constant": 1.0}),
        "Var": NEURON.get_vars()[0],
        "Param": NEURON.get_params()[0],
        "DerivedParam": NEURON.get_derived_params()[0],
        "EGP": NEURON.get_extra_global_params()[0],
        "ParamVal": NEURON.get_additional_input_vars()[0],
        "init_weight_update": weights,
        "init_postsynaptic": shape,
        "type": NEURON.get_vars()[0].type,
        "parameter value": pop.params["k"],
    }
    missing = [name for name in ATTRIBUTES[what] if name not in dir(made[what])]
    assert not missing


def test_back_ends_by_name() -> None:
    from snnlearn.genn.genn_model import backend_modules
    from snnlearn.runtime.cuda.availability import why_not_cuda

    assert list(backend_modules) == (["cpu"] if why_not_cuda() else ["cpu", "cuda"])
    assert "single_threaded_cpu" in backend_modules
    assert backend_modules["single_threaded_cpu"] is backend_modules["cpu"]
    assert "hip" not in backend_modules


def test_a_model_may_be_a_class_of_the_programs_own() -> None:
    from snnlearn.genn._genn import NeuronModelBase, Var

    class Counter(NeuronModelBase):
        def __init__(self, step: float) -> None:
            self.step = step
            NeuronModelBase.__init__(self)

        def get_vars(self) -> list[Any]:
            return [Var("n", "scalar")]

        def get_sim_code(self) -> str:
            return f"n += {self.step};"

    model = genn.GeNNModel("float", "own", threads=1)
    pop = model.add_neuron_population("P", 2, Counter(2.0), {}, {"n": 1.0})
    assert pop.model.name == "Counter"
    model.build()
    model.load()
    model.step_time()
    pop.vars["n"].pull_from_device()
    assert pop.vars["n"].view.tolist() == [3.0, 3.0]
