"""Sparse connections on every engine: lists, one-to-one, snippets; both directions, with learning, step by step."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import assert_alive, assert_same, scalars, trace
from snnlearn.genn import (
    create_neuron_model,
    create_weight_update_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)

STEPS = 40
PRE, POST = 37, 45


@cache
def oscillator(g: Any) -> Any:
    """Return neurons that add up small integers, so that the order of summation makes no difference."""
    return g.create_neuron_model(
        "Oscillator",
        params=["theta"],
        vars=[("V", "scalar"), ("count", "unsigned int")],
        sim_code="V = fmod(V + 3.0 + Isyn, 512.0);",
        threshold_condition_code="V >= theta",
        reset_code="V -= theta; count++;",
    )


@cache
def learning(g: Any) -> Any:
    return g.create_weight_update_model(
        "Learning",
        params=["wMax"],
        vars=[*scalars("w", "trace"), ("visits", "unsigned int")],
        pre_vars=scalars("p"),
        post_vars=scalars("q"),
        pre_spike_syn_code="addToPost(w); w = fmax(w - q, -wMax);",
        post_spike_syn_code="addToPre(1.0); w = fmin(w + p, wMax); visits++;",
        synapse_dynamics_code="trace = fmod(trace + p * q + w + id_post, 1024.0);",
        pre_dynamics_code="p = floor(p * 0.5);",
        pre_spike_code="p += 4.0;",
        post_dynamics_code="q = floor(q * 0.5);",
        post_spike_code="q += 2.0;",
    )


def connections() -> tuple[Any, Any]:
    """Return some pairs: rows of all lengths from none on, not sorted, one pair twice."""
    rng = np.random.default_rng(3)
    pre, post = [], []
    for i in range(PRE):
        targets = rng.permutation(POST)[: rng.integers(0, 9)]
        pre += [i] * len(targets)
        post += targets.tolist()
    order = rng.permutation(len(pre))
    return np.array(pre)[order], np.array(post)[order]


def lists(g: Any, model: Any) -> Any:
    rng = np.random.default_rng(4)
    a = model.add_neuron_population("A", PRE, oscillator(g), {"theta": 20.0}, {"V": np.arange(PRE) % 20, "count": 0})
    b = model.add_neuron_population("B", POST, oscillator(g), {"theta": 30.0}, {"V": np.arange(POST) % 30, "count": 0})
    pre, post = connections()
    values = {"w": rng.integers(-3, 6, pre.size), "trace": 0.0, "visits": 0}
    rule = g.init_weight_update(learning(g), {"wMax": 8.0}, values, {"p": 0.0}, {"q": 0.0})
    s = model.add_synapse_population("AB", "SPARSE", a, b, rule, g.init_postsynaptic("DeltaCurr"))
    s.set_sparse_connections(pre, post)
    model.add_synapse_population(
        "BB",
        "SPARSE",
        b,
        b,
        g.init_weight_update(learning(g), {"wMax": 4.0}, {"w": 1.0, "trace": 0.0, "visits": 0}, {"p": 0.0}, {"q": 0.0}),
        g.init_postsynaptic("DeltaCurr"),
        g.init_sparse_connectivity("OneToOne"),
    )
    constant = model.add_synapse_population(
        "BA",
        "SPARSE",
        b,
        a,
        g.init_weight_update("StaticPulseConstantWeight", {"g": 2.0}),
        g.init_postsynaptic("DeltaCurr"),
    )
    constant.set_sparse_connections(post, pre)


def test_lists_and_one_to_one(other: Any, reference: Any) -> None:
    expected = reference(lists, STEPS)
    assert_alive(expected, "spikes A", "spikes B", "AB.vars.w", "AB.vars.trace", "BB.vars.visits", "BB.vars.w")
    assert_same(trace(other, lists, STEPS), expected)


def test_the_lists_are_what_was_given(reference: Any) -> None:
    pre, post = connections()
    order = np.lexsort((post, pre))
    expected = reference(lists, STEPS)
    np.testing.assert_array_equal(expected["AB synapses"][-1], [pre[order], post[order]])
    np.testing.assert_array_equal(expected["BB synapses"][-1], [np.arange(POST)] * 2)


@pytest.mark.parametrize("precision", ["float", "double"])
def test_code_may_send_numbers_of_other_types(engine: Any, start: Any, precision: str) -> None:
    sends = create_weight_update_model(
        "Sends", pre_spike_syn_code="addToPost(1); addToPre(2u); addToPost(0.5 * id_post); addToPost(id_pre);"
    )
    every = create_neuron_model("Every", vars=["V"], sim_code="V = Isyn;", threshold_condition_code="true")
    model = engine.model(precision=precision)
    a = model.add_neuron_population("A", 5, every, {}, {"V": 0.0})
    b = model.add_neuron_population("B", 5, every, {}, {"V": 0.0})
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        a,
        b,
        init_weight_update(sends),
        init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("OneToOne"),
    )
    s.pre_target_var = "Isyn"
    start(model)
    model.run(2)
    for population, expected in [(a, [2.0] * 5), (b, 1.0 + 1.5 * np.arange(5))]:
        population.vars["V"].pull_from_device()
        np.testing.assert_array_equal(population.vars["V"].view, expected)
