"""Names that C++ or the generated source would take for something else mean what the user says."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn.declare.words import is_foreign
from snnlearn.genn import (
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)

# Words of C and C++, macros, names of the templates and of the simulation's own members.
_WORDS = """new this class template operator private virtual delete try namespace i j s k n sim
count begin end random width first rest kept row column std snn recording_row recording_words
recording_timesteps NULL EOF INFINITY NAN M_PI WIDTH FLT_MAX SNN_API errno assert stdin exp sqrt fmax tile tile_a
user_x pool seed timer pending timers memcpy float32 linux unix user_new new_2 i_2 row_2
resident worker shared spiked next listed lane group marks_0 threadIdx
L_tmpnam P_tmpdir BUFSIZ RAND_MAX CHAR_BIT UINT8_MAX INT64_C SEEK_SET FILENAME_MAX isnan getc offsetof __LINE__ __GNUC__
_IOFBF __x86_64__ __CUDACC__ __global__ a__b __a auto goto return restrict void union typedef asm float4 vector complex
v_x v_new v_i dt0 row_0_v_x"""
WORDS = _WORDS.split()
NASTY = create_neuron_model(
    "Nasty",
    vars=[*WORDS, "a"],
    sim_code="\n".join(f"{word} += {number + 1}.0;" for number, word in enumerate(WORDS)),
)
NASTY_SYNAPSE = create_weight_update_model(
    "NastySynapse",
    params=["one_over_tau", "tau"],
    vars=[*WORDS, "a", "out"],
    pre_neuron_var_refs=["x"],
    synapse_dynamics_code="\n".join(f"{word} += {number + 1}.0 * x;" for number, word in enumerate(WORDS))
    + "a += 1.0; out = one_over_tau + 8.0 / tau;",
)


def test_variables_with_such_names_keep_their_values(engine: Any, start: Any) -> None:
    model = engine.model()
    size = 3
    zeros = dict.fromkeys([*WORDS, "a"], 0.0)
    nasty = model.add_neuron_population("first", size, NASTY, {}, zeros)
    synapses = model.add_synapse_population(
        "flush",
        "DENSE",
        nasty,
        nasty,
        init_weight_update(
            NASTY_SYNAPSE,
            {"one_over_tau": 100.0, "tau": 4.0},
            zeros | {"out": 0.0},
            pre_var_refs={"x": create_var_ref(nasty, "new")},
        ),
        init_postsynaptic("DeltaCurr"),
    )
    start(model)
    model.run(3)
    for number, word in enumerate(WORDS):
        for variable, expected in [(nasty.vars[word], 3.0), (synapses.vars[word], 0.0 + 1.0 + 2.0)]:
            variable.pull_from_device()
            assert set(variable.view) == {expected * (number + 1)}, variable.location
    synapses.vars["out"].pull_from_device()
    assert set(synapses.vars["out"].view) == {102.0}


def test_parameters_with_such_names(engine: Any, start: Any) -> None:
    half = len(WORDS) // 2
    total = f"({' + '.join(WORDS[:half])}) + ({' + '.join(WORDS[half:])})"
    neuron = create_neuron_model(
        "Parameters", params=WORDS, vars=["x"], sim_code=f"x = {total};", threshold_condition_code="x < 0.0"
    )
    dynamics = create_weight_update_model("Sum", params=WORDS, vars=["y"], synapse_dynamics_code=f"y = {total};")
    model = engine.model()
    values = {word: float(number) for number, word in enumerate(WORDS)}
    population = model.add_neuron_population("P", 70, neuron, values, {"x": 0.0})
    rule = init_weight_update(dynamics, values, {"y": 0.0})
    synapses = model.add_synapse_population("S", "DENSE", population, population, rule, init_postsynaptic("DeltaCurr"))
    start(model)
    model.run(1)
    for variable in (population.vars["x"], synapses.vars["y"]):
        variable.pull_from_device()
        assert set(variable.view) == {sum(values.values())}


def test_locals_with_such_names(engine: Any, start: Any) -> None:
    code = """
    scalar i = x; scalar i_2 = x + 1.0; scalar begin = 2.0; scalar one_over_tau = 1.0;
    for (int n = 0; n < 3; n++) { scalar i = n; { scalar n = i; x += n; } }
    { scalar begin = i_2; i += begin; }
    const scalar z = 5.0;
    x = i * 100.0 + i_2 * 10.0 + x + begin + 8.0 / tau * one_over_tau;
    """
    neuron = create_neuron_model("Locals", params=["tau"], vars=["x", "y"], sim_code=code + "y = z;")
    # Its own `z` is not the neuron's local of that name, which lives in the same loop.
    trace = create_weight_update_model(
        "Trace", pre_vars=["z"], pre_dynamics_code="z += 1.0;", pre_neuron_var_refs=["y"]
    )
    model = engine.model()
    population = model.add_neuron_population("P", 2, neuron, {"tau": 4.0}, {"x": 1.0, "y": 0.0})
    synapses = model.add_synapse_population(
        "S",
        "DENSE",
        population,
        population,
        init_weight_update(trace, pre_vars={"z": 0.0}, pre_var_refs={"y": create_var_ref(population, "y")}),
        init_postsynaptic("DeltaCurr"),
    )
    start(model)
    model.run(1)
    model.run(0)
    for variable, expected in [
        (population.vars["x"], 300 + 20 + 4 + 2 + 2),
        (population.vars["y"], 5),
        (synapses.pre_vars["z"], 1),
    ]:
        variable.pull_from_device()
        assert set(variable.view) == {expected}, variable.name


def test_groups_and_variables_whose_joined_names_are_equal(engine: Any, start: Any) -> None:
    model = engine.model(name="two\nlines // and */ \\")
    first = create_neuron_model("First", vars=["c", "pending"], sim_code="c += 1.0; pending += 2.0;")
    second = create_neuron_model("Second", vars=["B_c", "V"], sim_code="B_c += 10.0; V += 1.0;")
    weights = create_weight_update_model("W", vars=["w", "b_c"])
    copy = create_custom_update_model("Copy", var_refs=["b_c", "c"], update_code="b_c += 1.0; c += 2.0;")
    a_b = model.add_neuron_population("A_B", 2, first, {}, {"c": 0.0, "pending": 0.0})
    a = model.add_neuron_population("A", 2, second, {}, {"B_c": 0.0, "V": 0.0})
    f = model.add_neuron_population("first", 2, first, {}, {"c": 0.0, "pending": 0.0})
    s = [
        model.add_synapse_population(
            name,
            "DENSE",
            a,
            a,
            init_weight_update(weights, vars={"w": 0.0, "b_c": 0.0}),
            init_postsynaptic("DeltaCurr"),
        )
        for name in ("S", "S_w", "T")
    ]
    # Both would call a transposition transpose_u_b_c.
    refs = {"b_c": create_wu_var_ref(s[0], "b_c", s[1], "b_c"), "c": create_wu_var_ref(s[0], "w")}
    model.add_custom_update("u", "G", copy, var_refs=refs)
    refs = {"b_c": create_wu_var_ref(s[2], "b_c"), "c": create_wu_var_ref(s[2], "w", s[1], "w")}
    model.add_custom_update("u_b", "G", copy, var_refs=refs)
    start(model)
    model.run(2)
    model.custom_update("G")
    expected = [(a_b, "c", 2), (a_b, "pending", 4), (a, "B_c", 20), (f, "pending", 4)]
    expected += [(s[0], "b_c", 1), (s[0], "w", 2), (s[1], "b_c", 1), (s[1], "w", 2)]
    for group, name, value in expected:
        group.vars[name].pull_from_device()
        assert set(group.vars[name].view) == {value}, (group.name, name)


def test_ids_in_deferred_synapse_code_are_32_bits_wide(engine: Any, start: Any) -> None:
    ids = create_weight_update_model(
        "Ids",
        vars=["wrapped", ("syn", "unsigned int"), "sizes"],
        synapse_dynamics_code="wrapped = id_pre - id_post; syn = id_syn; sizes = num_pre * 100.0 + num_post;",
    )
    neuron = create_neuron_model("N", vars=["V"])
    model = engine.model(precision="double")
    pre = model.add_neuron_population("P", 3, neuron, {}, {"V": 0.0})
    post = model.add_neuron_population("Q", 70, neuron, {}, {"V": 0.0})
    synapses = model.add_synapse_population(
        "S",
        "DENSE",
        pre,
        post,
        init_weight_update(ids, vars={"wrapped": 0.0, "syn": 0, "sizes": 0.0}),
        init_postsynaptic("DeltaCurr"),
    )
    start(model)
    model.run(1)
    for variable in synapses.vars.values():
        variable.pull_from_device()
    i, j = np.indices((3, 70))
    np.testing.assert_array_equal(synapses.vars["wrapped"].view, ((i - j) % 2**32).ravel())
    np.testing.assert_array_equal(synapses.vars["syn"].view, np.arange(210))
    assert set(synapses.vars["sizes"].view) == {370.0}


def test_all_such_names_for_locals_and_arrays(engine: Any, start: Any) -> None:
    words = [word for word in WORDS if not is_foreign(word)]
    code = "\n".join(f"scalar {word} = {number}.0; x += {word};" for number, word in enumerate(words))
    local = create_neuron_model("Locals", vars=["x"], sim_code=code)
    element = " ".join(f"x += {word}[id]; {word}[0] += 1.0;" for word in WORDS)
    arrays = create_neuron_model(
        "Arrays", vars=["x"], extra_global_params=[(word, "scalar*") for word in WORDS], sim_code=element
    )
    model = engine.model()

    first = model.add_neuron_population("L", 1, local, {}, {"x": 0.0})
    second = model.add_neuron_population("P", 1, arrays, {}, {"x": 0.0})
    for number, word in enumerate(WORDS):
        second.extra_global_params[word].set_init_values([float(number)])
    start(model)
    model.run(2)
    for group, expected in [(first, 2 * sum(range(len(words)))), (second, 2 * sum(range(len(WORDS))) + len(WORDS))]:
        group.vars["x"].pull_from_device()
        assert set(group.vars["x"].values) == {expected}
