"""Spike-like events, and every way into and out of a neuron, on every engine, step by step."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import assert_alive, assert_same, scalars, trace
from snnlearn.declare import CurrentSourceModel

STEPS = 50
A, B = 33, 41


@cache
def oscillator(g: Any, refractory: bool = False) -> Any:
    return g.create_neuron_model(
        "Oscillator",
        params=[("theta", "scalar")],
        vars=scalars("V", "other"),
        extra_global_params=[("bias", "scalar*"), ("log", "scalar*")],
        additional_input_vars=[("Iother", "scalar", 1.0)],
        sim_code="V = fmod(V + bias[id % 3] + Isyn, 256.0); other = fmod(other + Iother, 128.0); log[id] += Isyn;",
        threshold_condition_code="V >= theta",
        reset_code="V = fmax(V - theta, 0.0);" if not refractory else "log[id] += 0.5;",
        auto_refractory_required=refractory,
    )


@cache
def events(g: Any, spikes: bool) -> Any:
    # GeNN's CPU back end cannot compile code for postsynaptic events and for postsynaptic spikes in one model.
    post = {
        "post_event_threshold_condition_code": "Vpost > high",
        "post_event_syn_code": """
        addToPre(1.0);
        times += 0.25 * (t - set_post) + (prev_set_post < 0.0 ? 0.0 : 4096.0 * (t - prev_set_post));
        """,
    }
    if spikes:
        post = {"post_spike_syn_code": "n += 10000.0 + q;"}
    return g.create_weight_update_model(
        "Events",
        params=[("low", "scalar"), ("high", "scalar")],
        vars=scalars("n", "times"),
        pre_vars=scalars("p"),
        post_vars=scalars("q"),
        pre_neuron_var_refs=scalars("Vpre"),
        post_neuron_var_refs=scalars("Vpost"),
        extra_global_params=[("gain", "scalar*")],
        pre_event_threshold_condition_code="Vpre > low && p < 30.0",
        pre_event_syn_code="""
        addToPost(gain[id_post % 2]);
        n += 1.0 + p;
        times = (t - set_pre) + (prev_set_pre < 0.0 ? 0.0 : 64.0 * (t - prev_set_pre));
        """,
        pre_spike_syn_code="addToPre(2.0); n += 100.0;",
        pre_dynamics_code="p = fmod(p + 1.0, 32.0);",
        post_dynamics_code="q = Vpost;",
        **post,
    )


@cache
def conductance(g: Any) -> Any:
    return g.create_postsynaptic_model(
        "Conductance",
        params=[("most", "scalar")],
        vars=scalars("held"),
        neuron_var_refs=scalars("V"),
        extra_global_params=[("scale", "scalar*")],
        sim_code="held = fmod(held + inSyn, 64.0); injectCurrent(fmin(held, most) * scale[0] + (V > 8.0 ? 1.0 : 0.0)); "
        "inSyn = 0.0;",
    )


@cache
def looks_at_inputs(g: Any) -> Any:
    return g.create_weight_update_model(
        "LooksAtInputs",
        vars=scalars("sum"),
        psm_var_refs=scalars("held"),
        pre_spike_syn_code="addToPost(1.0); sum = fmod(sum + held, 65536.0);",
    )


SOURCE = CurrentSourceModel(
    "Source",
    params=["strength"],
    vars=["phase"],
    neuron_var_refs=[("V", "scalar")],
    extra_global_params=[("shape", "scalar*")],
    injection_code="injectCurrent(strength * shape[(int)phase] + (V > 9.0)); phase = fmod(phase + 1.0, 4.0);",
)


def neurons(g: Any, model: Any, name: str, size: int, refractory: bool = False) -> Any:
    n = model.add_neuron_population(
        name, size, oscillator(g, refractory), {"theta": 24.0}, {"V": np.arange(size) % 24, "other": 0.0}
    )
    n.extra_global_params["bias"].set_init_values([1.0, 2.0, 3.0])
    n.extra_global_params["log"].set_init_values(np.zeros(size))
    n.spike_event_recording_enabled = True
    return n


def network(g: Any, model: Any) -> Any:
    rng = np.random.default_rng(1)
    a, b = neurons(g, model, "A", A), neurons(g, model, "B", B, refractory=True)
    pairs = {}
    for name, kind, source, target in [("AB", "SPARSE", a, b), ("BA", "DENSE", b, a), ("BA2", "SPARSE", b, a)]:
        pre, post = np.nonzero(rng.uniform(size=(source.num_neurons, target.num_neurons)) < 0.2)
        rule = g.init_weight_update(
            events(g, name.endswith("2")),
            {"low": 18.0, "high": 20.0},
            {"n": 0.0, "times": 0.0},
            {"p": 0.0},
            {"q": 0.0},
            {"Vpre": g.create_var_ref(source, "V")},
            {"Vpost": g.create_var_ref(target, "V")},
        )
        psm = g.init_postsynaptic(conductance(g), {"most": 3.0}, {"held": 0.0}, {"V": g.create_var_ref(target, "V")})
        s = model.add_synapse_population(name, kind, source, target, rule, psm)
        s.extra_global_params["gain"].set_init_values([1.0, -1.0])
        s.psm_extra_global_params["scale"].set_init_values([0.5])
        if kind == "SPARSE":
            s.set_sparse_connections(pre, post)
        pairs[name] = s
    pairs["BA"].pre_target_var = "Iother"
    psm = g.init_postsynaptic(conductance(g), {"most": 2.0}, {"held": 0.0}, {"V": g.create_var_ref(a, "V")})
    s = model.add_synapse_population("AA", "DENSE", a, a, g.init_weight_update("StaticPulse", {}, {"g": 1.0}), psm)
    s.psm_extra_global_params["scale"].set_init_values([0.25])
    s.post_target_var = "Iother"
    rule = g.init_weight_update(looks_at_inputs(g), {}, {"sum": 0.0}, psm_var_refs={"held": "held"})
    psm = g.init_postsynaptic(conductance(g), {"most": 2.0}, {"held": 0.0}, {"V": g.create_var_ref(a, "V")})
    s = model.add_synapse_population("Looks", "DENSE", b, a, rule, psm)
    s.psm_extra_global_params["scale"].set_init_values([0.125])
    for target, strength in [(a, 1.0), (b, 2.0)]:
        refs = {"V": g.create_var_ref(target, "V")}
        source = model.add_current_source(f"I{target.name}", SOURCE, target, {"strength": strength}, {"phase": 0}, refs)
        source.set_param_dynamic("strength")
        source.extra_global_params["shape"].set_init_values([0.0, 1.0, 2.0, 1.0])
    dc = model.add_current_source("DC", "DC", b, {"amp": 1.0})
    dc.target_var = "Iother"

    def act(timestep: int) -> dict[str, Any]:
        if timestep == 20:
            model.current_sources["IA"].set_dynamic_param_value("strength", 3.0)
            bias = a.extra_global_params["bias"]
            bias.view[:] = [3.0, 1.0, 1.0]
            bias.push_to_device()
        found = {}
        for n in (a, b):
            log = n.extra_global_params["log"]
            log.pull_from_device()
            found[f"{n.name} log"] = log.view.copy()
        return found

    return act


EVENTS = ("pre AB", "post AB", "pre BA", "post BA", "pre BA2")


@pytest.mark.parametrize("precision", ["float", "double"])
def test_events_and_inputs(other: Any, reference: Any, precision: str) -> None:
    expected = reference(network, STEPS, EVENTS, dt=0.5, precision=precision)
    assert_alive(expected, *(f"events {side}" for side in EVENTS), "spikes A", "spikes B")
    assert_alive(expected, "AB.vars.times", "BA.vars.n", "AA.psm_vars.held", "Looks.vars.sum", "A log", "A.vars.other")
    assert_same(trace(other, network, STEPS, EVENTS, dt=0.5, precision=precision), expected)
