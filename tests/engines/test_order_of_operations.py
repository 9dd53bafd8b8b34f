"""The order of operations within a timestep, step by step on one small network (facts measured on GeNN 5.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    init_postsynaptic,
    init_weight_update,
)

RAMP = create_neuron_model(
    "Ramp",
    vars=["x"],
    sim_code="x += 1.0;",
    threshold_condition_code="t == 2.0 || t == 5.0",
    reset_code="x = -100.0;",
)
LISTENER = create_neuron_model("Listener", vars=["I"], sim_code="I = Isyn;", threshold_condition_code="t == 4.0")
WITNESS = create_weight_update_model(
    "Witness",
    vars=["counter", "dynOrder", "dynX", "dynT", "preOrder", "preT", "postT"],
    pre_vars=["z", "zAtSpike", "xAtSpike"],
    pre_neuron_var_refs=["x"],
    synapse_dynamics_code="counter += 1.0; dynOrder = counter; dynX = x; dynT = t;",
    pre_spike_syn_code="counter += 1.0; preOrder = counter; preT = t; addToPost(1.0);",
    post_spike_syn_code="postT = t;",
    pre_dynamics_code="z += 1.0;",
    pre_spike_code="zAtSpike = z; xAtSpike = x;",
)


@pytest.fixture
def history(engine: Any, start: Any) -> list[dict[str, float]]:
    """Every variable after each timestep."""
    model = engine.model(precision="double")
    ramp = model.add_neuron_population("Ramp", 1, RAMP, {}, {"x": 0.0})
    listener = model.add_neuron_population("Listener", 1, LISTENER, {}, {"I": 0.0})
    zeros = {kind: {v.name: 0.0 for v in getattr(WITNESS, kind)} for kind in ("vars", "pre_vars")}
    weights = model.add_synapse_population(
        "Synapse",
        "DENSE",
        ramp,
        listener,
        init_weight_update(WITNESS, **zeros, pre_var_refs={"x": create_var_ref(ramp, "x")}),
        init_postsynaptic("ExpCurr", {"tau": 5.0}),
    )
    start(model)
    states = []
    for _ in range(8):
        model.step_time()
        state = {}
        for variables in (ramp.vars, listener.vars, weights.vars, weights.pre_vars):
            for name, variable in variables.items():
                variable.pull_from_device()
                state[name] = float(variable.view[0])
        states.append(state)
    return states


def series(history: list[dict[str, float]], name: str) -> list[float]:
    return [state[name] for state in history]


def test_a_spike_reaches_synapse_code_one_timestep_later(history: Any) -> None:
    assert series(history, "preT") == [0, 0, 0, 3, 3, 3, 6, 6]


def test_a_postsynaptic_spike_too(history: Any) -> None:
    assert series(history, "postT") == [0, 0, 0, 0, 0, 5, 5, 5]


def test_synapse_dynamics_runs_every_timestep_before_the_code_of_spikes(history: Any) -> None:
    assert series(history, "dynT") == [0, 1, 2, 3, 4, 5, 6, 7]
    assert history[3]["dynOrder"] == 4
    assert history[3]["preOrder"] == 5


def test_synapse_dynamics_sees_what_the_last_timestep_left_after_the_reset(history: Any) -> None:
    assert series(history, "dynX") == [0, 1, 2, -100, -99, -98, -100, -99]


def test_pre_spike_code_sees_this_timesteps_dynamics_and_values_before_the_reset(history: Any) -> None:
    assert series(history, "z") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert series(history, "zAtSpike") == [0, 0, 3, 3, 3, 6, 6, 6]
    assert series(history, "xAtSpike") == [0, 0, 3, 3, 3, -97, -97, -97]


def test_input_is_injected_before_it_decays(history: Any) -> None:
    scale, decay = 5.0 * (1.0 - np.exp(-0.2)), np.exp(-0.2)
    summed, expected = 0.0, []
    for t in range(8):
        summed += t in (3, 6)
        expected.append(scale * summed)
        summed *= decay
    np.testing.assert_allclose(series(history, "I"), expected, rtol=1e-12, atol=0)
    # As printed by GeNN.
    np.testing.assert_allclose(series(history, "I")[3:7], [0.906346, 0.742054, 0.607542, 1.403760], atol=5e-7)
