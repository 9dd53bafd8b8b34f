"""Which names each code string of each kind of model sees, and may assign to."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.declare import (
    CustomUpdateModel,
    Model,
    NeuronModel,
    PostsynapticModel,
    VarAccess,
    VarAccessMode,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.dialect import check_model
from snnlearn.errors import DialectError

RO, REF_RO = VarAccess.READ_ONLY, VarAccessMode.READ_ONLY
COMMON: dict[str, Any] = {
    "params": ["p", ("pi", "int")],
    "derived_params": [("q", lambda params, dt: dt)],
    "extra_global_params": [("array", "scalar*")],
}
NUMBERS = "p pi q array[0]"
OWN = {"vars": ["x", ("fixed", "scalar", RO)]}

# kind, declaration, code, [names it reads], [names it assigns to]
CASES: list[tuple[type[Model], dict[str, Any], str, str, str]] = [
    (
        NeuronModel,
        OWN | {"additional_input_vars": ["I2"]},
        code,
        f"{NUMBERS} x fixed Isyn I2 t dt id num_neurons",
        "x Isyn I2",
    )
    for code in ("sim_code", "reset_code")
]
WEIGHTS = OWN | {
    "pre_vars": ["r"],
    "post_vars": ["s"],
    "pre_neuron_var_refs": ["Vpre", ("Wpre", "scalar", REF_RO)],
    "post_neuron_var_refs": ["Vpost", ("Wpost", "scalar", REF_RO)],
}
CASES += [
    (
        WeightUpdateModel,
        WEIGHTS,
        code,
        f"{NUMBERS} x fixed r s Vpre Wpre Vpost Wpost t dt id_pre id_post id_syn num_pre num_post",
        "x",
    )
    for code in ("pre_spike_syn_code", "post_spike_syn_code", "synapse_dynamics_code")
]
CASES += [
    (WeightUpdateModel, WEIGHTS, code, f"{NUMBERS} r Vpre Wpre t dt id_pre num_pre", "r Vpre")
    for code in ("pre_spike_code", "pre_dynamics_code")
]
CASES += [
    (WeightUpdateModel, WEIGHTS, code, f"{NUMBERS} s Vpost Wpost t dt id_post num_post", "s Vpost")
    for code in ("post_spike_code", "post_dynamics_code")
]
CASES += [
    (
        PostsynapticModel,
        OWN | {"neuron_var_refs": ["V", ("W", "scalar", REF_RO)]},
        "sim_code",
        f"{NUMBERS} x fixed V W inSyn t dt id num_neurons",
        "x V inSyn",
    ),
    (
        CustomUpdateModel,
        OWN | {"var_refs": ["V", ("W", "scalar", REF_RO)]},
        "update_code",
        f"{NUMBERS} x fixed V W t dt id num_neurons id_pre id_post id_syn num_pre num_post",
        "x V",
    ),
    (
        VarInitSnippet,
        {},
        "var_init_code",
        f"{NUMBERS} value dt id num_neurons id_pre id_post id_syn num_pre num_post",
        "value",
    ),
]
ACTIONS = {
    (WeightUpdateModel, "pre_spike_syn_code"): "addToPost(1) addToPre(1)",
    (WeightUpdateModel, "post_spike_syn_code"): "addToPost(1) addToPre(1)",
    (WeightUpdateModel, "synapse_dynamics_code"): "addToPost(1) addToPre(1)",
    (PostsynapticModel, "sim_code"): "injectCurrent(1)",
    (VarInitSnippet, "var_init_code"): "gennrand() gennrand_uniform() gennrand_normal() gennrand_exponential()",
}
ALL_NAMES = sorted({name for _, _, _, reads, _ in CASES for name in reads.split()})
ALL_ACTIONS = sorted({name for names in ACTIONS.values() for name in names.split()})
IDS = [f"{kind.__name__}.{code}" for kind, _, code, _, _ in CASES]


@pytest.mark.parametrize(("kind", "declared", "code", "reads", "writes"), CASES, ids=IDS)
def test_scope(kind: type[Model], declared: dict[str, Any], code: str, reads: str, writes: str) -> None:
    def accepts(text: str) -> bool:
        try:
            snippet = check_model(kind("m", **COMMON, **declared, **{code: text})).snippets[code]
        except DialectError:
            return False
        return bool(snippet.names or snippet.calls)

    assert {name for name in ALL_NAMES if accepts(f"{name};")} == set(reads.split())
    assert {name for name in ALL_NAMES if accepts(f"{name} = 1;")} == set(writes.split())
    assert {name for name in ALL_ACTIONS if accepts(f"{name};")} == set(ACTIONS.get((kind, code), "").split())


def test_read_only_variables_say_so() -> None:
    model = WeightUpdateModel("m", **WEIGHTS, synapse_dynamics_code="r = 1;")
    with pytest.raises(
        DialectError, match="'r' is read-only here: it is a read-only presynaptic variable in code of synapses"
    ):
        check_model(model)


def test_the_code_of_a_spike_sees_the_locals_of_the_update() -> None:
    model = NeuronModel(
        "m",
        vars=["V"],
        sim_code="const scalar top = V + 1; { scalar inner = 2; }",
        threshold_condition_code="V > top",
        reset_code="V = top;",
    )
    snippets = check_model(model).snippets
    assert [snippets[code].reads for code in model.codes()] == [{"V"}, {"V"}, set()]
    with pytest.raises(DialectError, match="model 'm', reset_code, line 1: unknown name 'inner'"):
        check_model(NeuronModel("m", vars=["V"], sim_code=model.sim_code, reset_code="V = inner;"))
    with pytest.raises(DialectError, match="model 'm', reset_code, line 1: 'top' is read-only here"):
        check_model(NeuronModel("m", vars=["V"], sim_code=model.sim_code, reset_code="top = 1;"))


def test_blank_code_is_left_out_and_uses_are_found() -> None:
    checked = check_model(
        WeightUpdateModel("m", vars=["w"], pre_spike_syn_code="addToPost(w);", synapse_dynamics_code=" \n")
    )
    assert set(checked.snippets) == {"pre_spike_syn_code"}
    assert [checked.uses(name) for name in ("addToPost", "w", "addToPre", "id_pre")] == [True, True, False, False]


def test_a_code_that_is_only_a_comment_does_nothing() -> None:
    assert check_model(NeuronModel("m", sim_code="// nothing")).snippets["sim_code"].names == set()


def test_a_model_is_checked_once() -> None:
    first, second = (NeuronModel("once", vars=["V"], sim_code="V = 1;") for _ in range(2))
    assert check_model(first) is check_model(second)
