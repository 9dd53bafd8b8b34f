"""Deferred synapse dynamics beside everything that later features brought: queues, events, sparse neighbours."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from agreement import assert_alive, assert_same, scalars, trace
from snnlearn.genn import GeNNModel

SIZE = 67


@cache
def counter(g: Any) -> Any:
    return g.create_neuron_model(
        "Counter",
        vars=scalars("V"),
        sim_code="V = fmod(V + 1.0 + fmod(id, 5.0) + Isyn, 32.0);",
        threshold_condition_code="V > 28.0",
    )


@cache
def trace_of(g: Any) -> Any:
    """Return a rule whose dynamics nobody waits for; exact in single precision."""
    return g.create_weight_update_model(
        "Trace",
        vars=scalars("w", "e"),
        pre_vars=scalars("p"),
        post_neuron_var_refs=scalars("V"),
        pre_spike_syn_code="addToPost(w);",
        synapse_dynamics_code="e = fmod(e + p * V + t, 4096.0);",
        pre_dynamics_code="p = fmod(p + 1.0, 4.0);",
        pre_spike_code="p = 0.0;",
    )


@cache
def linear(g: Any) -> Any:
    """Return a rule whose dynamics have a matrix form; its powers of a half are exact for a block."""
    return g.create_weight_update_model(
        "Linear",
        vars=scalars("e"),
        pre_vars=scalars("p"),
        post_neuron_var_refs=scalars("V"),
        synapse_dynamics_code="e = e * 0.5 + p * V;",
        pre_dynamics_code="p *= 0.5;",
        pre_spike_code="p += 1.0;",
    )


@cache
def late(g: Any) -> Any:
    return g.create_weight_update_model(
        "Late",
        vars=scalars("w"),
        pre_vars=scalars("p"),
        pre_neuron_var_refs=scalars("V"),
        pre_spike_syn_code="w = fmod(w + V + p, 64.0); addToPost(1.0);",
        pre_event_threshold_condition_code="V > 20.0",
        pre_event_syn_code="addToPost(1.0);",
        pre_spike_code="p = fmod(p + 1.0, 8.0);",
    )


def network(g: Any, model: Any) -> None:
    a, b = (model.add_neuron_population(n, SIZE, counter(g), {}, {"V": np.arange(SIZE) % 28}) for n in "AB")
    for name, source, target in [("AB", a, b), ("AA", a, a)]:
        refs = {"V": g.create_var_ref(target, "V")}
        init = g.init_weight_update(trace_of(g), {}, {"w": 1.0, "e": 0.0}, {"p": 0.0}, {}, {}, refs)
        model.add_synapse_population(f"Trace{name}", "DENSE", source, target, init, g.init_postsynaptic("DeltaCurr"))
        init = g.init_weight_update(linear(g), {}, {"e": 0.0}, {"p": 0.0}, {}, {}, refs)
        model.add_synapse_population(f"Linear{name}", "DENSE", source, target, init, g.init_postsynaptic("DeltaCurr"))
        refs = {"V": g.create_var_ref(target, "V")}
        init = g.init_weight_update(late(g), {}, {"w": 0.0}, {"p": 0.0}, {}, refs)
        s = model.add_synapse_population(
            f"Late{name}",
            "SPARSE",
            target,
            source,
            init,
            g.init_postsynaptic("DeltaCurr"),
            g.init_sparse_connectivity("OneToOne"),
        )
        s.axonal_delay_steps = 3


def test_what_is_kept_of_queued_variables_is_the_newest(engine: Any, engines: Any, start: Any) -> None:
    states = []
    for one in (engines[0], engine):
        model: GeNNModel = one.model(dt=0.5)
        network(one.api, model)
        start(model)
        deferred = model.explain().count("    deferred:")
        assert deferred == (0 if one is engines[0] else 4)
        model.run(150)
        states.append(model.state())
    plain, found = states
    for name in ("TraceAB.synapse.e", "TraceAA.synapse.e", "LinearAB.synapse.e", "LinearAA.synapse.e", "A.own.V"):
        assert plain[name].any()
        # Of the matrix form: as many roundings as a block has timesteps.
        np.testing.assert_allclose(found[name], plain[name], rtol=64 * 2.0**-23 if "Linear" in name else 0.0)


@cache
def gated(g: Any) -> Any:
    return g.create_weight_update_model(
        "Gated",
        vars=scalars("e"),
        extra_global_params=[("last", "scalar*")],
        post_neuron_var_refs=scalars("V"),
        pre_spike_syn_code="last[0] = t;",
        synapse_dynamics_code="e = fmod(e + V * last[0], 4096.0);",
    )


def test_an_array_that_a_spike_changes_is_not_read_later(any_engine: Any, reference: Any) -> None:
    found = trace(any_engine, gate, 70)
    expected = reference(gate, 70)
    assert_alive(expected, "S.vars.e", "spikes A")
    assert_same(found, expected)
    # Nothing is pulled while this one runs, so that deferred kernels would lag behind.
    model = any_engine.model()
    gate(any_engine.api, model)
    model.build()
    model.load()
    model.run(70)
    e = model.synapse_populations["S"].vars["e"]
    e.pull_from_device()
    np.testing.assert_array_equal(e.values, expected["S.vars.e"][-1])
    model.unload()


def gate(g: Any, model: Any) -> None:
    a = model.add_neuron_population("A", SIZE, counter(g), {}, {"V": np.arange(SIZE) % 28})
    init = g.init_weight_update(gated(g), {}, {"e": 0.0}, {}, {}, {}, {"V": g.create_var_ref(a, "V")})
    s = model.add_synapse_population("S", "DENSE", a, a, init, g.init_postsynaptic("DeltaCurr"))
    s.extra_global_params["last"].set_init_values(np.zeros(1))
