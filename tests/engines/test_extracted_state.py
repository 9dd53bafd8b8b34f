"""What a model does after its state is put back is what it did after that was taken, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn import grad
from snnlearn.errors import LifecycleError, StateError
from snnlearn.genn import (
    GeNNModel,
    VarAccess,
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)
from snnlearn.meta import extract_state, recover_state

# Random numbers, a time of its own, and an array that its code writes to.
NOISY = create_neuron_model(
    "Noisy",
    params=["tau"],
    vars=["V", ("seen", "int")],
    extra_global_params=[("tally", "scalar*")],
    sim_code="""
    V += (Isyn + 2.5 * gennrand_uniform() - V) * dt / tau;
    seen += 1;
    tally[batch * num_neurons + id] += 0.25 * V;
    """,
    threshold_condition_code="V >= 1.0",
    reset_code="V = -0.5 * V;",
)
# Its sums follow from the neurons, and nothing follows from them: engines put it off.
SUMS = create_weight_update_model(
    "Sums",
    vars=["w", "m"],
    pre_vars=["z"],
    post_neuron_var_refs=["V_post"],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="z *= 0.9;",
    synapse_dynamics_code="m += z * V_post;",
)
STDP = create_weight_update_model(
    "Stdp",
    vars=["w"],
    pre_spike_syn_code="addToPostDelay(w, 3); w -= 0.01 * exp(st_post - t);",
    post_spike_syn_code="w += 0.01 * exp(st_pre - t);",
)
# An optimiser with a memory of its own.
STEP = create_custom_update_model(
    "Step",
    params=["lr"],
    vars=["mean"],
    var_refs=["m", "w"],
    update_code="mean = 0.5 * mean + m; w += lr * mean; m = 0.0;",
)
SHOWN = create_neuron_model("Shown", vars=[("x", "scalar", VarAccess.READ_ONLY_DUPLICATE), "y"], sim_code="y += x;")


def network(engine: Any) -> GeNNModel:
    """Return a recurrent network with delays, plastic weights, an update, and what records and plays, where it can."""
    model = engine.model("extracted", dt=0.5)
    model.batch_size = 2
    start = {"V": init_var("Uniform", {"min": 0.0, "max": 1.0}), "seen": 0}
    a = model.add_neuron_population("A", 40, NOISY, {"tau": 4.0}, start)
    b = model.add_neuron_population("B", 100, NOISY, {"tau": 3.0}, start)
    for population in (a, b):
        population.extra_global_params["tally"].set_init_values(np.zeros(2 * population.num_neurons))
        population.spike_recording_enabled = True
    refs = {"V_post": create_var_ref(b, "V")}
    sums = init_weight_update(
        SUMS, {}, {"w": init_var("Normal", {"mean": 0.1, "sd": 0.05}), "m": 0.0}, {"z": 0.0}, {}, {}, refs
    )
    ab = model.add_synapse_population("AB", "DENSE", a, b, sums, init_postsynaptic("ExpCurr", {"tau": 2.0}))
    back = model.add_synapse_population(
        "BA", "SPARSE", b, a, init_weight_update(STDP, {}, {"w": -0.2}), init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("FixedProbability", {"prob": 0.2}),
    )  # fmt: skip
    back.axonal_delay_steps, back.max_dendritic_delay_timesteps = 2, 5
    step = {"m": create_wu_var_ref(ab, "m"), "w": create_wu_var_ref(ab, "w")}
    update = model.add_custom_update("step", "Step", STEP, {"lr": 0.001}, {"mean": 0.0}, step)
    update.set_param_dynamic("lr")
    if engine.name != "torch":
        model.record(a, ["V"], 30, spikes=True)
        model.record(b, ["V"], 10, every=3)
        shown = model.add_neuron_population("Shown", 2, SHOWN, {}, {"x": 0.0, "y": 0.0})
        model.play(shown, "x", np.arange(400.0).reshape(200, 2))
    return model


def work(model: GeNNModel) -> None:
    """Run for some time, with updates wherever they come."""
    for timesteps in (23, 40, 7):
        model.run(timesteps)
        model.custom_update("Step")
    model.timestep += 100
    model.run(30)


def outcome(model: GeNNModel) -> dict[str, NDArray[Any]]:
    """Return all that can be seen of a model."""
    found: dict[str, Any] = {**model.state(), "timestep": np.array(model.timestep)}
    for name, population in model.neuron_populations.items():
        for array in population.extra_global_params.values():
            array.pull_from_device()
            found[f"{name}.{array.name}"] = array.values.copy()
        for number, recording in enumerate(k for k in population._kept if hasattr(k, "last")):
            tracks = {v: recording[v] for v in recording.variables}
            held = -(-min(recording.written, recording.timesteps) // recording.every)
            found |= {f"{name} recorded {number}.{v}": track.last(held) for v, track in tracks.items()}
            found[f"{name} recorded {number}.written"] = np.array(recording.written)
    return found


def assert_equal(found: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_it_goes_on_from_a_state_as_it_did(engine: Any, start: Any) -> None:
    model = start(network(engine), 20)
    model.run(37)
    model.custom_update("Step")
    model.run(5)
    before = outcome(model)
    state = extract_state(model)
    assert_equal(outcome(model), before)  # to take it changes nothing
    work(model)
    expected = outcome(model)
    assert np.any(expected["AB.synapse.w"] != before["AB.synapse.w"])
    for changed in (False, True):
        if changed:  # what comes in between makes no difference
            model.custom_updates["step"].set_dynamic_param_value("lr", 5.0)
            model.timestep = 0
            model.run(11)
            model.custom_update("Step")
        recover_state(model, state)
        assert_equal(outcome(model), before)
        work(model)
        assert_equal(outcome(model), expected)


@pytest.mark.few_engines
def test_recorded_and_played_rows_come_back(engine: Any, start: Any) -> None:
    if engine.name == "torch":
        pytest.skip("variables are recorded on other engines")
    model = start(network(engine), 20)
    model.run(25)
    for timesteps in (0, 33):  # before the rows are full, and after
        model.run(timesteps)
        before = outcome(model)
        state = extract_state(model)
        model.run(45)
        expected = outcome(model)
        model.run(12)
        recover_state(model, state)
        assert_equal(outcome(model), before)
        model.run(45)
        assert_equal(outcome(model), expected)
    assert expected["Shown.own.y"].any()


@pytest.mark.few_engines
def test_a_state_of_another_model_of_the_same_network(engine: Any, start: Any) -> None:
    one, other = start(network(engine), 20), start(network(engine), 20)
    one.run(40)
    other.run(9)
    recover_state(other, extract_state(one))
    for model in (one, other):
        work(model)
    assert_equal(outcome(other), outcome(one))


@pytest.mark.few_engines
def test_a_variable_that_is_kept(engine: Any, start: Any) -> None:
    model = start(network(engine), 20)
    state = extract_state(model)
    work(model)
    w, mean = model.synapse_populations["AB"].vars["w"], model.custom_updates["step"].vars["mean"]
    after = outcome(model)
    recover_state(model, state, keep=[w, mean])
    found = outcome(model)
    for name in ("AB.synapse.w", "step.own.mean"):
        np.testing.assert_array_equal(found[name], after[name])
    assert not found["AB.synapse.m"].any()


def test_a_reference_notices_what_has_overwritten_it(engine: Any, start: Any) -> None:
    model = start(network(engine), 20)
    weights = model.synapse_populations["AB"].vars["w"]
    model.run(3)
    state = extract_state(model, by="reference")
    assert state.nbytes == 0
    recover_state(model, state)  # nothing has

    def push() -> None:
        weights.pull_from_device()
        weights.push_to_device()

    def set_state() -> None:
        model.set_state(model.state())

    changes = {
        r"'A\.V' has been overwritten since, by timesteps": lambda: model.run(1),
        r"has been overwritten since, by custom_update\('Step'\)": lambda: model.custom_update("Step"),
        r"'AB\.w' has been overwritten since, by the host": push,
        "has been overwritten since, by the host": set_state,
    }
    for message, change in changes.items():
        state = extract_state(model, by="reference")
        change()
        before = outcome(model)
        with pytest.raises(StateError, match=message):
            recover_state(model, state)
        assert_equal(outcome(model), before)
    state = extract_state(model, by="reference")
    push()
    recover_state(model, state, keep=[weights])
    model.unload()
    with pytest.raises(LifecycleError):
        recover_state(model, state)


LEAKY = create_neuron_model(
    "Leaky",
    vars=["V"],
    sim_code="V = 0.9 * V + Isyn;",
    threshold_condition_code="V >= 1.0",
    reset_code="V = V - 1.0;",
)
NOISE = create_neuron_model("Noise", threshold_condition_code="gennrand_uniform() < 0.1")
ENERGY = grad.Loss("Energy", loss_code="loss = 0.5 * V * V;")


def differentiated(engine: Any, checkpoint: int) -> tuple[GeNNModel, Any, Any]:
    model = engine.model("tape")
    noise = model.add_neuron_population("Noise", 10, NOISE)
    a, b = (model.add_neuron_population(name, 8, LEAKY, {}, {"V": 0.0}) for name in "AB")
    connections = []
    for source, target, delay in ((noise, a, 0), (a, b, 3), (b, a, 1)):
        weights = init_weight_update("StaticPulse", {}, {"g": init_var("Normal", {"mean": 0.2, "sd": 0.2})})
        name = source.name + target.name
        c = model.add_synapse_population(
            name, "DENSE", source, target, weights, init_postsynaptic("ExpCurr", {"tau": 3.0})
        )
        c.axonal_delay_steps = delay
        connections.append(c)
    wrt = [c.vars["g"] for c in connections] + [a.vars["V"]]
    program = grad.differentiate(
        model, wrt, {b: ENERGY}, surrogate="FastSigmoid", params={"beta": 3.0}, window=60, checkpoint=checkpoint
    )
    return model, program, wrt


@pytest.mark.few_engines
@pytest.mark.parametrize("checkpoint", [pytest.param(0, marks=pytest.mark.slow), 16])
def test_a_tape_comes_back_with_all_gradients(engine: Any, start: Any, checkpoint: int) -> None:
    """In the middle of a window, behind another one whose spikes are on their way."""
    model, program, wrt = differentiated(engine, checkpoint)
    start(model)

    def passes() -> list[Any]:
        model.run(19)
        program.backward()
        model.run(60)  # over all rows
        program.backward()
        return [np.array(v.grad) for v in wrt]

    model.run(30)
    program.backward()
    model.run(37)
    state = extract_state(model)
    expected = passes()
    assert all(np.any(values) for values in expected)
    model.run(5)
    recover_state(model, state)
    assert program.pending == 37
    for found, values in zip(passes(), expected, strict=True):
        np.testing.assert_array_equal(found, values)
    recover_state(model, state, keep=[wrt[0]])
    with pytest.raises(LifecycleError, match="was written after the run and before backward"):
        program.backward()
