"""PyGeNN's obsolete names and syntax: they work, and say what to write."""

from __future__ import annotations

from typing import Any

import pytest

import snnlearn.genn as genn
from snnlearn.errors import DeclarationError, DialectError
from snnlearn.genn import create_neuron_model, create_postsynaptic_model, create_weight_update_model
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
