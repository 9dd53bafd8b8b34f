"""Which names each code string of each kind of model sees, and may assign to."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    CustomUpdateVarAccess,
    Model,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    VarAccess,
    VarAccessMode,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.dialect import check_model, tree
from snnlearn.dialect.scopes import scopes_of
from snnlearn.errors import DeclarationError, DialectError

RO, REF_RO = VarAccess.READ_ONLY, VarAccessMode.READ_ONLY
COMMON: dict[str, Any] = {
    "params": ["p", ("pi", "int")],
    "derived_params": [("q", lambda params, dt: dt)],
    "extra_global_params": [("array", "scalar*")],
}
NUMBERS = "p pi q array[0]"
OWN = {"vars": ["x", ("fixed", "scalar", RO)]}
NEURON = "t dt id num_neurons batch num_batch"

# kind, declaration, code, [names it reads], [names it assigns to, beside elements of arrays]
CASES: list[tuple[type[Model], dict[str, Any], str, str, str]] = [
    (
        NeuronModel,
        OWN | {"additional_input_vars": ["I2"]},
        code,
        f"{NUMBERS} x fixed Isyn I2 {NEURON} st",
        "x Isyn I2",
    )
    for code in ("sim_code", "reset_code")
]
WEIGHTS = OWN | {
    "pre_vars": ["r"],
    "post_vars": ["s"],
    "pre_neuron_var_refs": ["Vpre", ("Wpre", "scalar", REF_RO)],
    "post_neuron_var_refs": ["Vpost", ("Wpost", "scalar", REF_RO)],
    "psm_var_refs": ["P"],
}
AT_SYNAPSE = """st_pre prev_st_pre set_pre prev_set_pre st_post prev_st_post set_post prev_set_post
    t dt batch num_batch id_pre id_post id_syn id_kernel num_pre num_post"""
SYNAPSE_CODES = [f"{side}_{what}_syn_code" for side in ("pre", "post") for what in ("spike", "event")]
SYNAPSE_CODES += ["synapse_dynamics_code"]
# Postsynaptic variables can be read as they were some timesteps ago.
DELAYED = "s[0] Vpost[0] Wpost[0] P[0]"
CASES += [
    (
        WeightUpdateModel,
        WEIGHTS,
        code,
        f"{NUMBERS} x fixed r s Vpre Wpre Vpost Wpost P {DELAYED} {AT_SYNAPSE}",
        "x",
    )
    for code in SYNAPSE_CODES
]
for side, own in [("pre", "r Vpre"), ("post", "s Vpost")]:
    seen = f"{NUMBERS} {own} W{side} {NEURON} id_{side} num_{side}"
    CASES += [
        (WeightUpdateModel, WEIGHTS, code, f"{seen} st_{side}", own)
        for code in (f"{side}_spike_code", f"{side}_dynamics_code")
    ]
    condition = f"{side}_event_threshold_condition_code"
    CASES += [(WeightUpdateModel, WEIGHTS, condition, f"{seen} set prev_set", "")]
CASES += [
    (
        PostsynapticModel,
        OWN | {"neuron_var_refs": ["V", ("W", "scalar", REF_RO)]},
        "sim_code",
        f"{NUMBERS} x fixed V W inSyn {NEURON}",
        "x V inSyn",
    ),
    (
        CurrentSourceModel,
        OWN | {"neuron_var_refs": ["V", ("W", "scalar", REF_RO)]},
        "injection_code",
        f"{NUMBERS} x fixed V W {NEURON}",
        "x",
    ),
    (
        CustomUpdateModel,
        {
            "vars": ["x", ("fixed", "scalar", CustomUpdateVarAccess.READ_ONLY)],
            "var_refs": ["V", ("W", "scalar", REF_RO), ("sum", "scalar", VarAccessMode.REDUCE_SUM)],
            "extra_global_param_refs": [("other", "int*")],
        },
        "update_code",
        f"{NUMBERS} other[0] x fixed V W {NEURON} id_pre id_post id_syn num_pre num_post",
        "x V sum",
    ),
    (
        VarInitSnippet,
        {},
        "var_init_code",
        f"{NUMBERS} value dt num_batch id num_neurons id_pre id_post id_syn id_kernel num_pre num_post",
        "value",
    ),
]
CONNECTIVITY = OWN | {
    "pre_vars": ["r"],
    "post_vars": ["s"],
    "var_refs": ["V", ("W", "scalar", REF_RO)],
    "pre_var_refs": ["Vpre", ("Wpre", "scalar", REF_RO)],
    "post_var_refs": ["Vpost"],
    "extra_global_param_refs": [("other", "int*")],
}
SIZES = "t dt num_pre num_post row_stride"
CASES += [
    (
        CustomConnectivityUpdateModel,
        CONNECTIVITY,
        "row_update_code",
        f"{NUMBERS} other[0] r Vpre Wpre {SIZES} row_length id_pre batch num_batch",
        "r Vpre",
    ),
    (
        CustomConnectivityUpdateModel,
        CONNECTIVITY,
        "host_update_code",
        f"{NUMBERS} r[0] s[0] row_length[0] {SIZES}",
        "r[0] s[0]",
    ),
    (ToeplitzConnectInitSnippet, {}, "diagonal_build_code", f"{NUMBERS} dt num_pre num_post id_diag", ""),
]
BUILD = f"{NUMBERS} dt num_pre num_post id_thread num_threads"
CASES += [
    (SparseConnectInitSnippet, {}, "row_build_code", f"{BUILD} id_pre id_post_begin", ""),
    (SparseConnectInitSnippet, {}, "col_build_code", f"{BUILD} id_post id_pre_begin", ""),
]

RANDOM = """gennrand() gennrand_uniform() gennrand_normal() gennrand_exponential() gennrand_log_normal(1,2)
    gennrand_gamma(2) gennrand_binomial(3,0.5)"""
ACTIONS = dict.fromkeys([(NeuronModel, "sim_code"), (NeuronModel, "reset_code"), (VarInitSnippet, "var_init_code")], "")
ACTIONS |= {
    (WeightUpdateModel, f"{side}_{code}"): ""
    for side in ("pre", "post")
    for code in ("spike_code", "dynamics_code", "event_threshold_condition_code")
}
ACTIONS |= dict.fromkeys([(PostsynapticModel, "sim_code"), (CurrentSourceModel, "injection_code")], "injectCurrent(1)")
ACTIONS[CustomConnectivityUpdateModel, "row_update_code"] = "add_synapse(1,2,3,4,5)"
ACTIONS[CustomConnectivityUpdateModel, "host_update_code"] = """pullRowLengthFromDevice() pushrToDevice()
    pullrFromDevice() pushsToDevice() pullsFromDevice() pusharrayToDevice(1) pullarrayFromDevice(1)"""
for code in ("row_build_code", "col_build_code"):
    ACTIONS[SparseConnectInitSnippet, code] = "addSynapse(1) addSynapse(1,2) addSynapse(1,2,3,4,5,6,7,8,9)"
ACTIONS = {place: f"{names} {RANDOM}" for place, names in ACTIONS.items()}
for code in SYNAPSE_CODES:
    ACTIONS[WeightUpdateModel, code] = "addToPost(1) addToPre(1) addToPostDelay(1,2) atomic_add_x(1)"
NEVER = (
    "addSynapse() addSynapse(1,2,3,4,5,6,7,8,9,10) add_synapse(1) remove_synapse() atomic_add_fixed(1) addToPost(1,2)"
)
ALL_NAMES = sorted({name for _, _, _, reads, _ in CASES for name in reads.split()} | {"sum"})
ALL_ACTIONS = sorted({name for names in [*ACTIONS.values(), NEVER] for name in names.split()})
IDS = [f"{kind.__name__}.{code}" for kind, _, code, _, _ in CASES]


@pytest.mark.parametrize(("kind", "declared", "code", "reads", "writes"), CASES, ids=IDS)
def test_scope(kind: type[Model], declared: dict[str, Any], code: str, reads: str, writes: str) -> None:
    when = {code.replace("syn", "threshold_condition"): "true"} if code.endswith("event_syn_code") else {}

    def accepts(text: str) -> bool:
        try:
            snippet = check_model(kind("m", **COMMON, **declared, **when, **{code: text})).snippets[code]
        except DialectError:
            return False
        return bool(snippet.names or snippet.calls)

    pure = code.endswith("condition_code")
    arrays = set() if pure else {name for name in reads.split() if name in ("array[0]", "other[0]")}
    called = ACTIONS.get((kind, code), "").split()
    assert {name for name in ALL_NAMES if accepts(f"{name} + 0;")} == set(reads.split())
    assert {name for name in ALL_NAMES if accepts(f"{name} = 1;")} == set(writes.split()) | arrays
    assert {name for name in ALL_ACTIONS if accepts(f"{name};")} == set(called)
    assert accepts('printf("");')
    assert accepts("assert(1);") is not pure


@pytest.mark.parametrize("kind", sorted({kind for kind, *_ in CASES}, key=lambda kind: kind.__name__))
def test_what_code_sees_anyway_cannot_be_declared(kind: type[Model]) -> None:
    model = kind("m")
    seen = {name for scope in scopes_of(model).values() for name in scope.symbols}
    seen |= {name for scope in scopes_of(model).values() if scope.loop for name in scope.loop.symbols}
    for name in seen:
        with pytest.raises(DeclarationError, match=r"is reserved|what its code sees anyway"):
            kind("m", params=[name])


def test_what_only_the_body_of_a_loop_over_synapses_sees() -> None:
    def reads_and_writes(code: str) -> tuple[set[str], set[str]]:
        model = CustomConnectivityUpdateModel("m", **CONNECTIVITY, row_update_code=code)
        snippet = check_model(model).snippets["row_update_code"]
        return set(snippet.reads), set(snippet.writes)

    for name in ["id_post", "id_syn", "x", "fixed", "V", "W", "s", "Vpost"]:
        assert reads_and_writes(f"for_each_synapse {{ r = {name}; }}") == ({name}, {"r"})
        with pytest.raises(DialectError, match=f"'{name}' has a value only inside 'for_each_synapse'"):
            reads_and_writes(f"for_each_synapse {{ }} r = {name};")
    for name in ["x", "V", "r", "Vpre"]:
        assert reads_and_writes(f"for_each_synapse {{ {name} = 1; }}") == (set(), {name})
    for name in ["s", "Vpost"]:
        with pytest.raises(DialectError, match=f"'{name}' is read-only here: it is a read-only postsynaptic"):
            reads_and_writes(f"for_each_synapse {{ {name} = 1; }}")
    with pytest.raises(DialectError, match="remove_synapse can only be called inside 'for_each_synapse'"):
        reads_and_writes("remove_synapse();")


def test_a_diagonal_is_built_inside_its_loop() -> None:
    model = ToeplitzConnectInitSnippet(
        "m",
        diagonal_build_code="const int k = id_diag; for_each_synapse { if (id_pre > 2) continue; addSynapse(k, 1); }",
    )
    snippet = check_model(model).snippets["diagonal_build_code"]
    assert snippet.reads == {"id_diag", "id_pre"}
    assert snippet.calls == {"addSynapse"}
    for code, message in [
        ("addSynapse(1);", "addSynapse can only be called inside 'for_each_synapse'"),
        ("for_each_synapse { break; }", "'for_each_synapse' cannot be left by 'break' here"),
    ]:
        with pytest.raises(DialectError, match=message):
            check_model(ToeplitzConnectInitSnippet("m", diagonal_build_code=code))


def test_the_target_of_a_reduction_has_no_value() -> None:
    declared = {"vars": [("sum", "scalar", CustomUpdateVarAccess.REDUCE_NEURON_SUM)]}
    for code in ("sum += 1;", "sum++;", "sum = sum;"):
        with pytest.raises(DialectError, match="'sum' can only be assigned to, with '=': it is a variable that is red"):
            check_model(CustomUpdateModel("m", **declared, update_code=code))
    snippet = check_model(CustomUpdateModel("m", **declared, update_code="sum = 2;")).snippets["update_code"]
    assert (snippet.reads, snippet.writes) == (set(), {"sum"})


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
    assert check_model(NeuronModel("m", sim_code="// nothing")).snippets == {}


def test_a_model_is_checked_once() -> None:
    first, second = (NeuronModel("once", vars=["V"], sim_code="V = 1;") for _ in range(2))
    assert check_model(first) is check_model(second)


@pytest.mark.parametrize("time", ["scalar", "double", "float"])
def test_times_have_the_type_of_times(time: str) -> None:
    code = "timepoint since = t - st_pre; w += since * dt + (timepoint)w; { timepoint *p = times; w += *p; }"
    model: Any = WeightUpdateModel(
        "m", vars=["w"], extra_global_params=[("times", "timepoint*")], pre_spike_syn_code=code
    )
    types = {}

    def look(node: Any) -> Any:
        if isinstance(node, (tree.Name, tree.Cast, tree.Declare)):
            types[getattr(node, "id", None) or getattr(node, "name", "cast")] = node.type.name
        return node

    tree.rewrite(check_model(model.with_times(time)).snippets["pre_spike_syn_code"].tree, look)
    assert {name: types[name] for name in ("t", "st_pre", "dt", "since", "cast", "w")} == {
        **dict.fromkeys(["t", "st_pre", "dt", "since", "cast"], time),
        "w": "scalar",
    }
