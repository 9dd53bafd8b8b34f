"""Two sides to every array: the host's copy and the device's, and nothing passes between them unasked."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn.genn import (
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)

SIZE = 70
NEURON = create_neuron_model(
    "Table",
    params=["step"],
    vars=["x", "y"],
    extra_global_params=[("table", "scalar*")],
    sim_code="x += step; y = table[id % 3];",
)
# Its trace is deferred where the plan defers: nothing reads it in a timestep.
TRACE = create_weight_update_model(
    "Trace",
    params=["gain"],
    vars=["trace", ("fixed", "scalar")],
    extra_global_params=[("table", "int*")],
    pre_neuron_var_refs=["x"],
    synapse_dynamics_code="trace += gain * x * fixed + table[0] + t;",
)
DECAY = {"k": 0.5}
PSM_NEURON = create_neuron_model("Sum", vars=["total"], sim_code="total += Isyn;")


def build(engine: Any, start: Any) -> Any:
    model = engine.model(precision="double")
    population = model.add_neuron_population("P", SIZE, NEURON, {"step": 1.0}, {"x": 0.0, "y": 0.0})
    population.set_param_dynamic("step")
    population.extra_global_params["table"].set_init_values([1.0, 2.0, 3.0])
    synapses = model.add_synapse_population(
        "S",
        "DENSE",
        population,
        population,
        init_weight_update(
            TRACE, {"gain": 2.0}, {"trace": 0.0, "fixed": 1.0}, pre_var_refs={"x": create_var_ref(population, "x")}
        ),
        init_postsynaptic("DeltaCurr"),
    )
    synapses.set_wu_param_dynamic("gain")
    synapses.extra_global_params["table"].set_init_values([0])
    add = create_custom_update_model(
        "Add",
        params=["amount"],
        extra_global_params=[("extra", "scalar*")],
        var_refs=["v"],
        update_code="v += amount + extra[2];",
    )
    update = model.add_custom_update("Add", "G", add, {"amount": 1.0}, var_refs={"v": create_var_ref(population, "x")})
    update.set_param_dynamic("amount")
    update.extra_global_params["extra"].set_init_values([0.0, 0.0, 10.0])
    return start(model)


def value(variable: Any) -> float:
    variable.pull_from_device()
    assert len(set(variable.view)) == 1
    return float(variable.view[0])


def test_pushing_an_unmodified_host_copy_resets_the_device(engine: Any, start: Any) -> None:
    x = build(engine, start).neuron_populations["P"].vars["x"]
    model = x._simulation()
    model.run(5)
    assert set(x.view) == {0.0}, "the host copy has not been pulled"
    x.push_to_device()
    model.run(1)
    assert value(x) == 1.0


def test_changes_reach_the_device_only_when_pushed(engine: Any, start: Any) -> None:
    model = build(engine, start)
    x = model.neuron_populations["P"].vars["x"]
    x.view[:] = 100.0
    model.run(1)
    x.pull_from_device()
    assert set(x.view) == {1.0}
    x.view[:] += 50.0
    x.push_to_device()
    model.run(1)
    assert value(x) == 52.0
    copied = x.values
    copied[:] = -1.0
    assert value(x) == 52.0
    x.values = np.arange(SIZE)
    x.push_to_device()
    model.run(1)
    x.pull_from_device()
    np.testing.assert_array_equal(x.view, np.arange(SIZE) + 1.0)


def test_arrays_of_groups_are_read_and_can_be_exchanged(engine: Any, start: Any) -> None:
    model = build(engine, start)
    population = model.neuron_populations["P"]
    table, y = population.extra_global_params["table"], population.vars["y"]
    model.run(1)
    y.pull_from_device()
    np.testing.assert_array_equal(y.view, np.array([1.0, 2.0, 3.0])[np.arange(SIZE) % 3])
    table.view[:] = [7.0, 8.0, 9.0]
    table.push_to_device()
    model.run(1)
    y.pull_from_device()
    np.testing.assert_array_equal(y.view, np.array([7.0, 8.0, 9.0])[np.arange(SIZE) % 3])


def test_every_access_sees_and_leaves_pending_timesteps_right(engine: Any, start: Any) -> None:
    """Between any two accesses fewer timesteps pass than a deferred block holds."""
    model = build(engine, start)
    population, synapses = model.neuron_populations["P"], model.synapse_populations["S"]
    x, trace, fixed = population.vars["x"], synapses.vars["trace"], synapses.vars["fixed"]
    table = synapses.extra_global_params["table"]
    state = {"x": 0.0, "trace": 0.0, "t": 0, "gain": 2.0, "step": 1.0, "fixed": 1.0, "table": 0}

    def run(steps: int) -> None:
        model.run(steps)
        for _ in range(steps):
            state["trace"] += state["gain"] * state["x"] * state["fixed"] + state["table"] + state["t"]
            state["x"] += state["step"]
            state["t"] += 1

    run(3)
    synapses.set_dynamic_param_value("gain", 5.0)  # a parameter of the deferred code
    state["gain"] = 5.0
    run(3)
    population.set_dynamic_param_value("step", 0.25)  # one of the neurons, whose past is kept
    state["step"] = 0.25
    run(3)
    fixed.view[:] = 3.0  # a variable that the deferred code reads
    fixed.push_to_device()
    state["fixed"] = 3.0
    run(3)
    table.view[:] = 4  # an array
    table.push_to_device()
    state["table"] = 4
    run(3)
    x.view[:] = -7.0  # a variable whose past is kept
    x.push_to_device()
    state["x"] = -7.0
    run(3)
    model.timestep = 1  # time
    state["t"] = 1
    run(3)
    model.custom_update("G")
    state["x"] += 1.0 + 10.0
    run(3)
    model.custom_updates["Add"].set_dynamic_param_value("amount", -100.0)
    model.custom_update("G")
    state["x"] += -100.0 + 10.0
    run(3)
    assert value(trace) == state["trace"]
    trace.view[:] = 1.0  # the deferred code's own variable
    trace.push_to_device()
    state["trace"] = 1.0
    run(70)
    assert (value(x), value(trace)) == (state["x"], state["trace"])


def test_two_models_live_side_by_side(engine: Any, start: Any) -> None:
    first, second = build(engine, start), build(engine, start)
    first.run(3)
    second.run(5)
    first.run(3)
    assert [value(m.neuron_populations["P"].vars["x"]) for m in (first, second)] == [6.0, 5.0]
    assert [m.timestep for m in (first, second)] == [6, 5]


def test_a_model_unloaded_and_loaded_again_starts_afresh(engine: Any, start: Any) -> None:
    model = build(engine, start)
    model.run(5)
    model.unload()
    model.load()
    assert (model.timestep, model.t) == (0, 0.0)
    model.run(1)
    assert value(model.neuron_populations["P"].vars["x"]) == 1.0


def test_weights_are_row_major(engine: Any, start: Any) -> None:
    weights = create_weight_update_model("W", vars=["w"], pre_spike_syn_code="addToPost(w);")
    always = create_neuron_model("Always", threshold_condition_code="id == 1")
    model = engine.model()
    pre = model.add_neuron_population("Pre", 3, always)
    post = model.add_neuron_population("Post", 5, PSM_NEURON, {}, {"total": 0.0})
    w = np.arange(15.0)
    synapses = model.add_synapse_population(
        "S", "DENSE", pre, post, init_weight_update(weights, vars={"w": w}), init_postsynaptic("DeltaCurr")
    )
    update = create_custom_update_model(
        "Ids", vars=["own"], var_refs=["w"], update_code="own = id_pre * 100.0 + id_post + 1000.0 * w;"
    )
    ids = model.add_custom_update("U", "G", update, {}, {"own": 0.0}, {"w": create_wu_var_ref(synapses, "w")})
    start(model)
    model.run(2)
    model.custom_update("G")
    post.vars["total"].pull_from_device()
    np.testing.assert_array_equal(post.vars["total"].view, w[5:10])
    ids.vars["own"].pull_from_device()
    i, j = np.indices((3, 5))
    np.testing.assert_array_equal(ids.vars["own"].view, (i * 100 + j).ravel() + 1000 * w)
