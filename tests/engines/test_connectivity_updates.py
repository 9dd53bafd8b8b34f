"""Synapses made and removed while a network runs, on every engine: rows, host code, what later spikes then see."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import assert_alive, assert_same, scalars, trace

STEPS = 40
A, B = 33, 41


@cache
def oscillator(g: Any) -> Any:
    return g.create_neuron_model(
        "Oscillator",
        params=[("theta", "scalar")],
        vars=scalars("V"),
        sim_code="V = fmod(V + 3.0 + Isyn, 128.0);",
        threshold_condition_code="V >= theta",
        reset_code="V -= theta;",
    )


@cache
def rule(g: Any) -> Any:
    return g.create_weight_update_model(
        "Rule",
        vars=[*scalars("w", "seen"), ("delay", "uint8_t")],
        pre_spike_syn_code="addToPostDelay(w, delay);",
        post_spike_syn_code="seen = fmod(seen + 1.0 + id_pre, 1024.0); addToPre(1.0);",
        synapse_dynamics_code="seen = fmod(seen + 0.5, 1024.0);",
    )


@cache
def rewire(g: Any) -> Any:
    """Return a rule that removes a synapse in three, and makes one a row where there is room."""
    return g.create_custom_connectivity_update_model(
        "Rewire",
        params=[("first", "scalar")],
        vars=[("age", "unsigned int")],
        pre_vars=[("made", "unsigned int")],
        post_vars=scalars("offset"),
        var_refs=[("w", "scalar"), ("seen", "scalar"), ("delay", "uint8_t")],
        pre_var_refs=scalars("V"),
        extra_global_params=[("turn", "unsigned int*")],
        row_update_code="""
        for_each_synapse {
            age += 1;
            if((id_post + id_pre + turn[0]) % 3 == 0) {
                remove_synapse();
            }
            else {
                seen += offset;
            }
        }
        unsigned int candidate = (id_pre * 7 + turn[0] * 5) % num_post;
        bool there = false;
        for_each_synapse {
            if(id_post == candidate) {
                there = true;
            }
        }
        if(!there && V < 20.0) {
            add_synapse(candidate, first, 0.0, id_pre % 4, 0);
            made++;
        }
        """,
        host_update_code="turn[0]++; pushturnToDevice(1);",
    )


def network(g: Any, model: Any) -> Any:
    rng = np.random.default_rng(7)
    a, b = (
        model.add_neuron_population(name, n, oscillator(g), {"theta": theta}, {"V": np.arange(n) * 5 % theta})
        for name, n, theta in [("A", A, 24.0), ("B", B, 32.0)]
    )
    pre, post = np.nonzero(rng.uniform(size=(A, B)) < 0.2)
    values = {"w": rng.integers(0, 3, pre.size), "seen": 0.0, "delay": rng.integers(0, 4, pre.size)}
    s = model.add_synapse_population(
        "S", "SPARSE", a, b, g.init_weight_update(rule(g), {}, values), g.init_postsynaptic("DeltaCurr")
    )
    s.set_sparse_connections(pre, post)
    s.max_dendritic_delay_timesteps = 4
    s.max_connections = B
    refs = {name: g.create_wu_var_ref(s, name) for name in ("w", "seen", "delay")}
    update = model.add_custom_connectivity_update(
        "Rewire",
        "Rewire",
        s,
        rewire(g),
        {"first": 2.0},
        {"age": 0},
        {"made": 0},
        {"offset": np.arange(B)},
        refs,
        {"V": g.create_var_ref(a, "V")},
    )
    update.extra_global_params["turn"].set_init_values(np.zeros(1, np.uint32))

    def act(timestep: int) -> None:
        if timestep % 4 == 0:
            model.custom_update("Rewire")

    return act


def test_rewiring(other: Any, reference: Any) -> None:
    expected = reference(network, STEPS)
    assert_alive(expected, "S synapses", "S.vars.seen", "Rewire.pre_vars.made", "spikes A", "spikes B")
    assert_same(trace(other, network, STEPS), expected)


def test_each_pair_has_one_synapse_and_the_counts_are_right(reference: Any) -> None:
    found = reference(network, STEPS)
    before = {tuple(pair) for pair in found["S synapses"][0].T}
    turn = 0
    for step in range(1, STEPS + 1):
        now = [tuple(pair) for pair in found["S synapses"][step].T]
        assert len(set(now)) == len(now)
        if step % 4 == 0:
            turn += 1
            kept = {(i, j) for i, j in before if (i + j + turn) % 3}
            voltage = found["A.vars.V"][step]
            made = {(i, (i * 7 + turn * 5) % B) for i in range(A) if voltage[i] < 20.0} - kept
            assert set(now) == kept | made
        else:
            assert set(now) == before
        before = set(now)


@cache
def thin_out(g: Any) -> Any:
    return g.create_custom_connectivity_update_model(
        "ThinOut",
        var_refs=scalars("w"),
        row_update_code="""
        for_each_synapse {
            if(gennrand_uniform() < 0.2) {
                remove_synapse();
            }
            else if(gennrand_uniform() < 0.1) {
                w += 1.0;
            }
        }
        """,
    )


def thinned(g: Any, model: Any) -> None:
    a = model.add_neuron_population("A", 100, oscillator(g), {"theta": 24.0}, {"V": 0.0})
    values = {"w": 1.0, "seen": 0.0, "delay": 0}
    init = g.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
    s = model.add_synapse_population(
        "S", "SPARSE", a, a, g.init_weight_update(rule(g), {}, values), g.init_postsynaptic("DeltaCurr"), init
    )
    s.max_dendritic_delay_timesteps = 1
    refs = {"w": g.create_wu_var_ref(s, "w")}
    model.add_custom_connectivity_update("Thin", "Thin", s, thin_out(g), {}, {}, {}, {}, refs)


def test_a_fifth_goes_each_time_and_a_state_brings_it_back(engine: Any, start: Any) -> None:
    model = engine.model()
    thinned(engine.api, model)
    start(model)
    s = model.synapse_populations["S"]

    def size() -> int:
        s.pull_connectivity_from_device()
        return int(s.get_sparse_pre_inds().size)

    def go_on() -> dict[str, Any]:
        model.run(9)
        model.custom_update("Thin")
        model.run(20)
        return model.state()

    model.run(5)
    model.custom_update("Thin")
    state, timestep, before = model.state(), model.timestep, size()
    first = go_on()
    assert abs(size() - 0.8 * before) < 5 * np.sqrt(before * 0.16)
    left = size()
    model.set_state(state)
    model.timestep = timestep
    assert size() == before
    second = go_on()
    assert size() == left
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values, err_msg=name)
    assert not np.array_equal(go_on()["S.row_length"], first["S.row_length"])


@pytest.mark.parametrize("network", [network, thinned])
def test_a_model_loaded_again_begins_anew(engine: Any, start: Any, network: Any) -> None:
    model = engine.model()
    act = network(engine.api, model)
    start(model)
    states = []
    for _ in range(2):
        before = model.state()
        for timestep in range(1, 13):
            model.step_time()
            if act is None:
                model.custom_update("Thin")
            else:
                act(timestep)
        states.append((before, model.state()))
        model.unload()
        model.load()
    for first, second in zip(*states, strict=True):
        for name, values in first.items():
            np.testing.assert_array_equal(second[name], values, err_msg=name)
    before, after = states[0]
    assert not np.array_equal(before["S.row_length"], after["S.row_length"])
