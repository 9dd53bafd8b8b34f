"""PyGeNN's obsolete names and syntax: they work, and say what to write."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import snnlearn.genn as genn
from snnlearn.errors import (
    ArgumentError,
    BackendError,
    DeclarationError,
    DialectError,
    NetworkError,
    ObsoleteImportError,
    PreferenceError,
    SnnlearnError,
    UnknownAttributeError,
)
from snnlearn.genn import create_neuron_model, create_postsynaptic_model, create_weight_update_model, obsolete
from snnlearn.genn.genn_model import create_cksf_class, create_cmlf_class, create_dpf_class, init_connectivity
from snnlearn.genn.upgrade import upgrade_code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("$(V) += $(Isyn);", "V += Isyn;"),
        ("V = 1;", "V = 1;"),
        ("$(addToInSyn, $(g) * (1 + $(x)));", "addToPost(g * (1 + x));"),
        ("$(addToInSynDelay, $(g), $(d));", "addToPostDelay(g, d);"),
        ("$(addToPre,$(g));", "addToPre(g);"),
        ("x = $(gennrand_uniform);", "x = gennrand_uniform();"),
        ("x = $(gennrand_gamma, 2.0);", "x = gennrand_gamma(2.0);"),
        ("$(t) - $(sT_pre) + $(prev_sT_post) - $(seT_post)", "t - st_pre + prev_st_post - set_post"),
        ("$(addSynapse, $(id_post) + 1);", "addSynapse(id_post + 1);"),
    ],
)
def test_legacy_code(old: str, new: str) -> None:
    if old == new:
        assert upgrade_code(old, "m") == new
        return
    with pytest.warns(FutureWarning, match=r"model 'm': the syntax \$\(name\) is obsolete"):
        assert upgrade_code(old, "m") == new


@pytest.mark.parametrize(("call", "instead"), [("endRow", "row_build_code"), ("endCol", "col_build_code")])
def test_calls_without_a_successor(call: str, instead: str) -> None:
    with pytest.raises(DeclarationError, match=rf"model 'm': \$\({call}\) has no successor: {instead}"):
        upgrade_code(f"if(j == 3) $({call});", "m")


def test_an_open_parenthesis_is_the_parsers_business() -> None:
    with pytest.raises(DialectError, match="model 'm', sim_code"):
        create_neuron_model("m", vars=["V"], sim_code="$(V = 1;")


OLD_ARGUMENTS = {
    "param_names": ("params", ["p"]),
    "var_name_types": ("vars", [("x", "scalar")]),
    "pre_var_name_types": ("pre_vars", [("x", "scalar")]),
    "post_var_name_types": ("post_vars", [("x", "scalar")]),
    "sim_code": ("pre_spike_syn_code", "addToPost(1.0);"),
    "event_code": ("pre_event_syn_code", "addToPost(1.0);"),
    "learn_post_code": ("post_spike_syn_code", "addToPost(1.0);"),
    "event_threshold_condition_code": ("pre_event_threshold_condition_code", "t > 1.0"),
}


@pytest.mark.parametrize("old", OLD_ARGUMENTS)
def test_renamed_arguments(old: str) -> None:
    new, value = OLD_ARGUMENTS[old]
    more = {"pre_event_threshold_condition_code": "t > 1.0"} if new == "pre_event_syn_code" else {}
    expected = create_weight_update_model("W", **{new: value}, **more)
    with pytest.warns(FutureWarning, match=f"the argument '{old}' is called '{new}' now") as caught:
        assert create_weight_update_model("W", **{old: value}, **more) == expected
    assert caught[0].filename == __file__, "the warning points at the caller"


def test_separate_code_for_decay_is_gone() -> None:
    for argument in ("decay_code", "apply_input_code"):
        with pytest.raises(DeclarationError, match="model 'P': decay_code and apply_input_code are one now: sim_code"):
            create_postsynaptic_model("P", **{argument: "inSyn *= 0.5;"})  # type: ignore[arg-type]


def test_wrappers_of_functions_do_nothing() -> None:
    def function(*given: Any) -> int:
        return 1

    for wrap in (create_dpf_class, create_cmlf_class, create_cksf_class):
        with pytest.warns(FutureWarning, match="deprecated: use the function itself"):
            made: Any = wrap(function)
        assert made() is function
    with pytest.warns(FutureWarning, match="init_connectivity is deprecated: use init_sparse_connectivity"):
        assert init_connectivity("OneToOne").snippet.name == "OneToOne"


def test_obsolete_methods() -> None:
    model = genn.GeNNModel("float", "obsolete", threads=1)
    with pytest.warns(FutureWarning, match="dT is deprecated: use dt"):
        model.dT = 1.0
    with pytest.warns(FutureWarning, match="dT is deprecated: use dt"):
        assert model.dT == 1.0
    neuron = create_neuron_model(
        "n", vars=["x"], extra_global_params=[("e", "scalar*")], sim_code="x += 1.0 + 0.0 * e[0];"
    )
    population = model.add_neuron_population("P", 2, neuron, {}, {"x": 0.0})
    with pytest.warns(FutureWarning, match=r"set_values is deprecated: use set_init_values"):
        population.extra_global_params["e"].set_values([0.0])
    model.build()
    model.load()
    model.step_time()
    with pytest.warns(FutureWarning, match=r"use vars\[name\].pull_from_device\(\)"):
        population.pull_var_from_device("x")
    assert population.vars["x"].view.tolist() == [1.0, 1.0]
    population.vars["x"].view[:] = 5.0
    with pytest.warns(FutureWarning, match=r"use vars\[name\].push_to_device\(\)"):
        population.push_var_to_device("x")
    model.step_time()
    population.vars["x"].pull_from_device()
    assert population.vars["x"].view.tolist() == [6.0, 6.0]
    with pytest.warns(FutureWarning, match=r"use extra_global_params\[name\]"):
        population.pull_extra_global_param_from_device("e")
    with pytest.warns(FutureWarning, match=r"use extra_global_params\[name\]"):
        population.push_extra_global_param_to_device("e")


# ---- names of GeNN 4 that do not work: each says what took its place ----

HOLDERS = ("snnlearn.genn", "snnlearn.genn.genn_model")


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", obsolete.FUNCTIONS)
def test_functions_of_genn_4(holder: str, name: str) -> None:
    module = importlib.import_module(holder)
    with pytest.raises(ObsoleteImportError) as caught:
        exec(f"from {holder} import GeNNModel, {name}")
    instead = obsolete.FUNCTIONS[name].split()[1].rstrip(":;")
    assert instead in str(caught.value)
    assert "docs/genn4.md" in str(caught.value)
    assert isinstance(caught.value, ImportError)
    with pytest.raises(UnknownAttributeError, match="this is of GeNN 4"):
        getattr(module, name)
    assert not hasattr(module, name)
    assert getattr(module, name, None) is None


@pytest.mark.parametrize(
    "statement",
    [
        "import snnlearn.genn.genn_wrapper",
        "from snnlearn.genn import genn_wrapper",
        "from snnlearn.genn.genn_wrapper import NO_DELAY",
        "from snnlearn.genn.genn_wrapper.Models import VarAccess_READ_ONLY",
        "import snnlearn.genn.genn_wrapper.CUDABackend as backend",
    ],
)
def test_the_wrapper_of_genn_4(statement: str) -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        exec(statement)
    assert isinstance(caught.value, SnnlearnError)
    for name in ("NO_DELAY", "VarAccess.READ_ONLY", "cuda_backend.DeviceSelect.MANUAL", "docs/genn4.md"):
        assert name in str(caught.value)


def test_other_names_fail_to_be_imported_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'snnlearn\.genn\.elsewhere'"):
        importlib.import_module("snnlearn.genn.elsewhere")
    for holder in HOLDERS:
        with pytest.raises(ImportError, match="cannot import name 'create_neuron_modle'"):
            exec(f"from {holder} import create_neuron_modle")
        with pytest.raises(UnknownAttributeError, match="did you mean 'create_neuron_model'"):
            importlib.import_module(holder).create_neuron_modle  # noqa: B018
    with pytest.raises(UnknownAttributeError, match="this is of GeNN 4: use create_neuron_model"):
        genn.with_backend("cpu").create_custom_neuron_class  # noqa: B018


@pytest.fixture(scope="module")
def old() -> dict[str, Any]:
    model = genn.GeNNModel("float", "old", threads=1)
    pop = model.add_neuron_population("P", 2, "Poisson", {"rate": 1.0}, {"timeStepToSpike": 0.0})
    weights, shape = genn.init_weight_update("StaticPulse", {}, {"g": 0.0}), genn.init_postsynaptic("DeltaCurr")
    syn = model.add_synapse_population("S", "DENSE", pop, pop, weights, shape)
    return {"MODEL": model, "GROUP": syn, "ARRAY": pop.vars["timeStepToSpike"], "pop": pop, "init": (weights, shape)}


@pytest.mark.parametrize(
    ("table", "name"), [(t, name) for t in ("MODEL", "GROUP", "ARRAY") for name in getattr(obsolete, t)]
)
def test_attributes_of_genn_4(old: dict[str, Any], table: str, name: str) -> None:
    owner, text = old[table], getattr(obsolete, table)[name]
    with pytest.raises(UnknownAttributeError) as caught:
        getattr(owner, name)
    assert f"has no attribute '{name}': this is of GeNN 4: {text} (docs/genn4.md" in str(caught.value)
    assert not hasattr(owner, name)
    assert getattr(owner, name, 3) == 3
    assert name not in dir(owner)
    if name in obsolete.SETTABLE:
        with pytest.raises(UnknownAttributeError, match="this is of GeNN 4"):
            setattr(owner, name, 1)


@pytest.mark.parametrize("name", obsolete.MATRIX_TYPES)
def test_matrix_types_of_genn_4(old: dict[str, Any], name: str) -> None:
    for use in (
        lambda: old["MODEL"].add_synapse_population("X", name, old["pop"], old["pop"], *old["init"]),
        lambda: getattr(genn.SynapseMatrixType, name),
    ):
        with pytest.raises(SnnlearnError) as caught:
            use()
        assert isinstance(caught.value, (NetworkError, UnknownAttributeError))
        structure = {"RAGGED": "SPARSE"}.get(name.split("_")[0], name.split("_")[0])
        assert f"this is of GeNN 4: it is {structure}" in str(caught.value)
        assert ("StaticPulseConstantWeight" in str(caught.value)) == ("GLOBALG" in name)
    with pytest.raises(AttributeError, match="there is no SynapseMatrixType SPARS; did you mean 'SPARSE'"):
        genn.SynapseMatrixType.SPARS  # noqa: B018


@pytest.mark.parametrize("name", obsolete.BUILT_IN_MODELS)
def test_built_in_models_of_genn_4(old: dict[str, Any], name: str) -> None:
    make, module = (
        (genn.init_weight_update, genn.weight_update_models)
        if name == "PiecewiseSTDP"
        else (lambda model: old["MODEL"].add_neuron_population("X", 1, model), genn.neuron_models)
    )
    with pytest.raises(DeclarationError, match=r"this is of GeNN 4: .*docs/genn4\.md"):
        make(name)
    with pytest.raises(UnknownAttributeError, match=r"this is of GeNN 4: .*docs/genn4\.md"):
        getattr(module, name)
    with pytest.raises(DeclarationError, match=r"called 'Poison'; did you mean 'Poisson'\?$"):
        old["MODEL"].add_neuron_population("X", 1, "Poison")


CALLS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "param_space": lambda o: o["MODEL"].add_neuron_population("X", 1, "LIF", param_space={}),
    "var_space": lambda o: o["MODEL"].add_current_source("X", "DC", o["pop"], {"amp": 1.0}, var_space={}),
    "var_ref_space": lambda o: o["MODEL"].add_custom_update("X", "G", "Transpose", {}, {}, var_ref_space={}),
    "delay_steps": lambda o: o["MODEL"].add_synapse_population("X", "DENSE", delay_steps=0),
    "w_update_model": lambda o: o["MODEL"].add_synapse_population("X", "DENSE", w_update_model="StaticPulse"),
    "connectivity_initialiser": lambda o: o["MODEL"].add_synapse_population(
        "X", "DENSE", o["pop"], o["pop"], *o["init"], connectivity_initialiser=None
    ),
    "init_var_snippet": lambda o: genn.init_var(init_var_snippet="Normal"),
    "init_sparse_connect_snippet": lambda o: genn.init_sparse_connectivity(init_sparse_connect_snippet="OneToOne"),
    "tp_sg": lambda o: genn.create_wu_var_ref(o["GROUP"], "g", tp_sg=o["GROUP"]),
    "force_rebuild": lambda o: o["MODEL"].build(force_rebuild=True),
    "path_to_model": lambda o: o["MODEL"].load(path_to_model="./"),
    "is_auto_refractory_required": lambda o: create_neuron_model("X", is_auto_refractory_required=False),
    "support_code": lambda o: create_neuron_model("X", support_code=""),
    "is_pre_spike_time_required": lambda o: create_weight_update_model("X", is_pre_spike_time_required=True),
    "custom_body": lambda o: create_postsynaptic_model("X", custom_body={}),
    "row_build_state_vars": lambda o: genn.create_sparse_connect_init_snippet("X", row_build_state_vars=[]),
    "diagonal_build_state_vars": lambda o: genn.create_toeplitz_connect_init_snippet("X", diagonal_build_state_vars=[]),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_genn_4(old: dict[str, Any], name: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        CALLS[name](old)
    assert f"takes no argument '{name}': this is of GeNN 4: {obsolete.ARGUMENTS[name]} (" in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_a_connection_as_genn_4_adds_it(old: dict[str, Any]) -> None:
    pop = old["pop"]
    given = ("X", "SPARSE_GLOBALG", 0, pop, pop, "StaticPulse", {}, {"g": 0.1}, {}, {}, "DeltaCurr", {}, {}, None)
    with pytest.raises(ArgumentError) as caught:
        old["MODEL"].add_synapse_population(*given)
    for text in ("takes 7 arguments, not 14", "init_weight_update", "init_postsynaptic", "it is SPARSE, with"):
        assert text in str(caught.value)
    with pytest.raises(NetworkError, match="give the object that adding it returned, not its name"):
        old["MODEL"].add_synapse_population("X", "DENSE", "P", "P", *old["init"])


def test_misspelt_arguments_name_the_nearest() -> None:
    for call, text in (
        (lambda: create_neuron_model("X", sim_cod=""), "create_neuron_model takes no argument 'sim_cod'; .*'sim_code'"),
        (lambda: genn.init_var("Normal", parms={}), "init_var takes no argument 'parms'; did you mean 'params'"),
        (lambda: genn.init_var("Normal", {}, {}), "init_var takes 2 arguments, not 3"),
    ):
        with pytest.raises(ArgumentError, match=text):
            call()


def test_preferences_and_back_ends_of_genn_4() -> None:
    for name in obsolete.PREFERENCES:
        with pytest.raises(PreferenceError, match=f"unknown preference '{name}': this is of GeNN 4"):
            genn.GeNNModel("float", "m", **{name: 0})
    with pytest.raises(PreferenceError, match="did you mean 'device_select_method'"):
        genn.GeNNModel("float", "m", deviceSelectMethod=0)
    with pytest.raises(BackendError, match="did you mean 'single_threaded_cpu'"):
        genn.GeNNModel("float", "m", backend="SingleThreadedCPU")
