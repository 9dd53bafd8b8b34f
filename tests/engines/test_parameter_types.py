"""Parameters are of their declared type wherever code runs: against C by hand, and GeNN where it is there."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn.genn import (
    VarAccessMode,
    create_current_source_model,
    create_custom_connectivity_update_model,
    create_custom_update_model,
    create_neuron_model,
    create_postsynaptic_model,
    create_sparse_connect_init_snippet,
    create_var_init_snippet,
    create_weight_update_model,
)

TYPES = {
    "k": "int",
    "w": "unsigned int",
    "h": "uint8_t",
    "g": "int8_t",
    "on": "bool",
    "big": "int64_t",
    "huge": "uint64_t",
    "wide": "double",
}
VALUES = {"k": -17, "w": 5, "h": 200, "g": -100, "on": True, "big": 2**40 + 7, "huge": 2**53 - 3, "wide": 0.1}
# What C makes of them: integers are divided as such, narrow ones widened first, and those of mixed sign unsigned.
EXPRESSIONS: dict[str, int] = {
    "k / 5": -3,
    "k % 5": -2,
    "(int)(k / 2.0)": -8,
    "k < w ? 1 : 0": 0,
    "h / 3": 66,
    "h + h": 400,
    "g - h": -300,
    "h << 2": 800,
    "on + on": 2,
    "big % 1000": (2**40 + 7) % 1000,
    "(int)(huge % 1000)": (2**53 - 3) % 1000,
    "wide == (float)wide ? 1 : 0": 0,
    "half": 8,
    "(int)(nine / w)": 9 // 5,
}
SUM = " + ".join(f"(int)({code})" for code in EXPRESSIONS)
TOTAL = sum(EXPRESSIONS.values())
DECLARED: dict[str, Any] = {
    "params": list(TYPES.items()),
    "derived_params": [
        ("half", lambda p, dt: abs(p["k"]) // 2, "int"),
        ("nine", lambda p, dt: 9, "unsigned int"),
    ],
}
SIZE = 7


def network(engine: Any, **neuron_vars: Any) -> tuple[Any, Any, Any]:
    """Return a model of two populations."""
    model = engine.model()
    neuron = create_neuron_model(
        "N",
        **DECLARED,
        vars=[("x", "int"), "input"],
        sim_code=f"x = {SUM}; input = Isyn;",
        threshold_condition_code=f"{SUM} == {TOTAL}",
        reset_code=f"x += {SUM};",
    )
    first = {"x": 0, "input": 0.0} | neuron_vars
    pre, post = (model.add_neuron_population(name, SIZE, neuron, VALUES, first) for name in ("A", "B"))
    return model, pre, post


def pulled(group: Any, name: str) -> list[float]:
    group.vars[name].pull_from_device()
    found: list[float] = group.vars[name].values.tolist()
    return found


def test_initial_values_of_neurons(any_engine: Any, start: Any) -> None:
    snippet = create_var_init_snippet("S", **DECLARED, var_init_code=f"value = {SUM} + (id / (w - 3)) * 1000;")
    model, pre, _ = network(any_engine, x=any_engine.api.init_var(snippet, VALUES))
    start(model)
    assert pre.vars["x"].values.tolist() == [TOTAL + i // 2 * 1000 for i in range(SIZE)]


def test_each_expression_in_variables_of_each_type(engine: Any, start: Any) -> None:
    codes = {**{code: [n] * SIZE for code, n in EXPRESSIONS.items()}, "(id / w) * 10 + id % w": [0, 1, 2, 3, 4, 10, 11]}
    names = {f"v{n}": code for n, code in enumerate(codes)}
    model = engine.model()
    offsets = {"int": 0, "int64_t": 0, "int16_t": 0, "scalar": 0, "double": 0, "unsigned int": 1000}
    for ctype, offset in offsets.items():
        neuron = create_neuron_model("N", vars=[(name, ctype) for name in names])
        snippets = {
            name: create_var_init_snippet("S", **DECLARED, var_init_code=f"value = (int)({code}) + {offset};")
            for name, code in names.items()
        }
        first = {name: engine.api.init_var(snippet, VALUES) for name, snippet in snippets.items()}
        model.add_neuron_population(ctype.replace(" ", "_"), SIZE, neuron, {}, first)
    start(model)
    for ctype, offset in offsets.items():
        variables = model.neuron_populations[ctype.replace(" ", "_")].vars
        for name, code in names.items():
            assert variables[name].values.tolist() == [n + offset for n in codes[code]], (ctype, code)


def test_code_of_neurons_and_their_inputs(any_engine: Any, start: Any) -> None:
    model, pre, _ = network(any_engine)
    source = create_current_source_model("C", **DECLARED, injection_code=f"injectCurrent({SUM});")
    model.add_current_source("C", source, pre, VALUES, {})
    start(model)
    model.step_time()
    assert pulled(pre, "x") == [2 * TOTAL] * SIZE, "sim_code, the threshold and the reset"
    assert pulled(pre, "input") == [float(TOTAL)] * SIZE


def test_code_of_synapses(any_engine: Any, start: Any) -> None:
    model, pre, post = network(any_engine)
    api = any_engine.api
    one = create_var_init_snippet("One", **DECLARED, var_init_code=f"value = id_post / w + {SUM};")
    weights = create_weight_update_model(
        "W",
        **DECLARED,
        vars=[("d", "int"), ("first", "int"), "slow"],
        pre_vars=[("p", "int")],
        post_vars=[("q", "int")],
        pre_spike_syn_code=f"d += {SUM}; addToPost({SUM});",
        synapse_dynamics_code=f"slow += {SUM};",
        pre_spike_code=f"p = {SUM};",
        post_dynamics_code=f"q = {SUM};",
    )
    bodies = create_postsynaptic_model("P", **DECLARED, sim_code=f"injectCurrent(inSyn + {SUM}); inSyn = 0.0;")
    first = {"d": 0, "first": api.init_var(one, VALUES), "slow": 0.0}
    s = model.add_synapse_population(
        "S",
        "DENSE",
        pre,
        post,
        api.init_weight_update(weights, VALUES, first, {"p": 0}, {"q": 0}),
        api.init_postsynaptic(bodies, VALUES, {}),
    )
    start(model)
    for _ in range(3):
        model.step_time()
    assert pulled(s, "first") == [j // 5 + TOTAL for _ in range(SIZE) for j in range(SIZE)]
    assert pulled(s, "d") == [2 * TOTAL] * SIZE**2
    np.testing.assert_allclose(pulled(s, "slow"), 3.0 * TOTAL)
    for variable, name in ((s.pre_vars["p"], "p"), (s.post_vars["q"], "q")):
        variable.pull_from_device()
        assert variable.values.tolist() == [TOTAL] * SIZE, name
    assert pulled(post, "input") == [float(TOTAL * (SIZE + 1))] * SIZE


def test_updates(any_engine: Any, start: Any) -> None:
    model, pre, _ = network(any_engine)
    api = any_engine.api
    update = create_custom_update_model("U", **DECLARED, var_refs=[("x", "int")], update_code=f"x = {SUM} + id / w;")
    model.add_custom_update("U", "G", update, VALUES, {}, {"x": api.create_var_ref(pre, "x")})
    start(model)
    model.custom_update("G")
    assert pulled(pre, "x") == [TOTAL + i // 5 for i in range(SIZE)]


def test_connectivity_and_its_updates(any_engine: Any, start: Any) -> None:
    model, pre, post = network(any_engine)
    api = any_engine.api
    row = create_sparse_connect_init_snippet(
        "R", **DECLARED, row_build_code=f"addSynapse(id_pre / (w - 3)); addSynapse(({SUM} - {TOTAL}) + 5);"
    )
    weights = create_weight_update_model("W", vars=[("d", "int")])
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        pre,
        post,
        api.init_weight_update(weights, {}, {"d": 0}),
        api.init_postsynaptic("DeltaCurr"),
        api.init_sparse_connectivity(row, VALUES),
    )
    change = create_custom_connectivity_update_model(
        "C",
        **DECLARED,
        var_refs=[("d", "int", VarAccessMode.READ_WRITE)],
        row_update_code=f"for_each_synapse {{ if (id_post == 5) {{ d = {SUM}; }} else {{ remove_synapse(); }} }}",
    )
    model.add_custom_connectivity_update("CU", "G", s, change, VALUES, {}, {}, {}, {"d": api.create_wu_var_ref(s, "d")})
    start(model)
    s.pull_connectivity_from_device()
    pairs = sorted(zip(s.get_sparse_pre_inds().tolist(), s.get_sparse_post_inds().tolist(), strict=True))
    assert pairs == sorted([(i, i // 2) for i in range(SIZE)] + [(i, 5) for i in range(SIZE)])
    model.custom_update("G")
    s.pull_connectivity_from_device()
    s.vars["d"].pull_from_device()
    assert s.get_sparse_post_inds().tolist() == [5] * SIZE
    assert s.vars["d"].values.tolist() == [TOTAL] * SIZE


def test_dynamic_parameters(any_engine: Any, start: Any) -> None:
    model, pre, _ = network(any_engine)
    # GeNN's dynamic parameters are not bool, and lose all but 32 bits.
    names = [name for name in TYPES if name not in ("on", "big", "huge")]
    for name in names:
        pre.set_param_dynamic(name)
    start(model)
    for name in names:
        pre.set_dynamic_param_value(name, VALUES[name])
    model.step_time()
    assert pulled(pre, "x") == [2 * TOTAL] * SIZE


def test_integers_of_64_bits_keep_their_digits(engine: Any, start: Any) -> None:
    declared: dict[str, Any] = {
        "params": [("big", "int64_t"), ("huge", "uint64_t"), ("least", "int64_t"), ("on", "bool")],
        "derived_params": [("next", lambda p, dt: p["big"] + 2, "int64_t")],
    }
    given = {"big": 2**53 + 1, "huge": 2**64 - 1, "least": -(2**63), "on": True}
    variables = [("a", "int64_t"), ("b", "uint64_t"), ("c", "int64_t"), ("d", "int64_t")]
    code = {"a": "big", "b": "huge", "c": "least", "d": "on ? next : big"}
    snippets = {n: create_var_init_snippet(n, **declared, var_init_code=f"value = {c};") for n, c in code.items()}
    neuron = create_neuron_model(
        "N", **declared, vars=variables, sim_code="".join(f"{n} = {c};" for n, c in code.items())
    )
    model = engine.model()
    first = {n: engine.api.init_var(snippet, given) for n, snippet in snippets.items()}
    initial = model.add_neuron_population("I", 1, neuron, given, first)
    later = model.add_neuron_population("L", 1, neuron, {**given, "on": 0}, dict.fromkeys(code, 0))
    for name in given:
        later.set_param_dynamic(name)
    start(model)
    right = [[2**53 + 1], [2**64 - 1], [-(2**63)], [2**53 + 3]]
    assert [initial.vars[n].values.tolist() for n in code] == right
    later.set_dynamic_param_value("huge", 2**63 + 1)
    later.set_dynamic_param_value("on", True)
    model.step_time()
    right[1] = [2**63 + 1]
    assert [pulled(later, n) for n in code] == right


def test_what_an_initialiser_reads_of_its_value(engine: Any, start: Any) -> None:
    code = "value = 17 + id; value = value / 2; value *= 3; value %= 16; value = fmax(value, 2.0) + min(value, 3);"
    snippet = create_var_init_snippet("Reads", var_init_code=code)
    model = engine.model()
    population = model.add_neuron_population(
        "P", SIZE, create_neuron_model("N", vars=[("x", "uint8_t")]), {}, {"x": engine.api.init_var(snippet)}
    )
    start(model)
    numbers = [(17 + i) // 2 * 3 % 16 for i in range(SIZE)]
    assert population.vars["x"].values.tolist() == [max(n, 2) + min(n, 3) for n in numbers]
