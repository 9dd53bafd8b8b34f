"""The built-in models on every engine: neurons, weight updates, postsynaptic models, current sources, step by step.

Not whole numbers: engines may round in another order. How much that matters is measured, by running the reference in
double precision too: what single precision has lost by a timestep is what it may lose in another order, up to a
factor (models grow errors as they grow differences: a spiking Izhikevich neuron by thousands). Spikes must be the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agreement import Trace, assert_alive, trace

STEPS = 150
SOURCES, SIZE = 24, 30
LIF = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Vreset": -70.0, "Vthresh": -50.0, "Ioffset": 0.1, "TauRefrac": 5.0}
IZHIKEVICH = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}
TRAUB_MILES = {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143}
GATES = {"m": 0.0529324, "h": 0.3176767, "n": 0.5961207}
STDP = {"tauPlus": 20.0, "tauMinus": 15.0, "Aplus": 0.02, "Aminus": 0.015, "Wmin": 0.0, "Wmax": 1.0}


def sources(g: Any, model: Any) -> Any:
    """Add neurons that spike at given times, some of them together."""
    rng = np.random.default_rng(8)
    times = [np.sort(rng.integers(0, STEPS, rng.integers(0, 12))) * model.dt for _ in range(SOURCES)]
    ends = np.cumsum([len(t) for t in times])
    first = {"startSpike": ends - [len(t) for t in times], "endSpike": ends}
    made = model.add_neuron_population("Sources", SOURCES, "SpikeSourceArray", {}, first)
    made.extra_global_params["spikeTimes"].set_init_values(np.concatenate(times))
    return made


def connect(g: Any, model: Any, name: str, source: Any, target: Any, psm: Any, strength: float, kind: str) -> None:
    rng = np.random.default_rng(9)
    weights = rng.uniform(0.0, strength, SOURCES * target.num_neurons)
    if kind == "STDP":
        rule = g.init_weight_update("STDP", STDP, {"g": weights})
    elif kind == "StaticPulseDendriticDelay":
        rule = g.init_weight_update(kind, {}, {"g": weights, "d": rng.integers(0, 5, weights.size)})
    elif kind == "StaticPulseConstantWeight":
        rule = g.init_weight_update(kind, {"g": strength})
    else:
        rule = g.init_weight_update(kind, {}, {"g": weights})
    s = model.add_synapse_population(name, "DENSE", source, target, rule, psm)
    if kind == "StaticPulseDendriticDelay":
        s.max_dendritic_delay_timesteps = 5


def integrating(g: Any, model: Any) -> None:
    spikes = sources(g, model)
    potentials = -65.0 + np.linspace(0.0, 14.0, SIZE)
    lif = model.add_neuron_population("LIF", SIZE, "LIF", LIF, {"V": potentials, "RefracTime": 0.0})
    izhikevich = model.add_neuron_population("Izhikevich", SIZE, "Izhikevich", IZHIKEVICH, {"V": -65.0, "U": -13.0})
    each = {"a": np.linspace(0.02, 0.1, SIZE), "b": 0.2, "c": np.linspace(-65.0, -50.0, SIZE), "d": 2.0}
    variable = model.add_neuron_population("Variable", SIZE, "IzhikevichVariable", {}, {"V": -65.0, "U": -13.0, **each})
    current = g.init_postsynaptic("ExpCurr", {"tau": 5.0})
    connect(g, model, "Plastic", spikes, lif, current, 0.3, "STDP")
    connect(g, model, "Late", spikes, izhikevich, current, 6.0, "StaticPulseDendriticDelay")
    connect(g, model, "Fixed", spikes, variable, g.init_postsynaptic("DeltaCurr"), 3.0, "StaticPulseConstantWeight")
    conductance = g.init_postsynaptic("ExpCond", {"tau": 8.0, "E": 0.0}, {}, {"V": g.create_var_ref(lif, "V")})
    connect(g, model, "Conductance", spikes, lif, conductance, 0.002, "StaticPulse")
    for target, amp in [(lif, 0.2), (izhikevich, 5.0), (variable, 4.0)]:
        model.add_current_source(f"DC{target.name}", "DC", target, {"amp": amp})


def channels(g: Any, model: Any) -> None:
    spikes = sources(g, model)
    first = {"V": np.linspace(-65.0, -58.0, SIZE), **GATES}
    neurons = model.add_neuron_population("TraubMiles", SIZE, "TraubMiles", TRAUB_MILES, first)
    connect(g, model, "ToTraubMiles", spikes, neurons, g.init_postsynaptic("ExpCurr", {"tau": 2.0}), 0.1, "StaticPulse")


def rulkov(g: Any, model: Any) -> None:
    spikes = sources(g, model)
    params = {"Vspike": 60.0, "alpha": 3.0, "y": -2.468, "beta": 2.64e-3}
    neurons = model.add_neuron_population(
        "Rulkov", SIZE, "RulkovMap", params, {"V": np.linspace(-60.0, -50.0, SIZE), "preV": -60.0}
    )
    connect(g, model, "ToRulkov", spikes, neurons, g.init_postsynaptic("ExpCurr", {"tau": 5.0}), 20.0, "StaticPulse")


def assert_close(found: Trace, expected: Trace, exact: Trace) -> None:
    """Compare with a run in single precision, to what that is away from one in double precision."""
    assert sorted(found) == sorted(expected)
    for name, values in expected.items():
        lost = 0.0
        for step, (here, there, right) in enumerate(zip(found[name], values, exact[name], strict=True)):
            if name.startswith("spikes") or there.dtype.kind != "f":
                np.testing.assert_array_equal(here, there, err_msg=f"{name} after {step} timesteps")
                continue
            lost = max(lost, float(np.max(np.abs(there - right), initial=0.0)))
            # An order of magnitude between two sequences of roundings; and a few where none was lost, by chance.
            bound = 16.0 * lost + 8.0 * 2.0**-24 * float(np.max(np.abs(right), initial=0.0))
            np.testing.assert_allclose(here, there, rtol=0.0, atol=bound, err_msg=f"{name} after {step} timesteps")


@pytest.mark.parametrize(
    ("network", "dt", "alive"),
    [
        (integrating, 0.5, ["spikes LIF", "spikes Izhikevich", "spikes Variable", "Plastic.vars.g", "LIF.vars.V"]),
        (channels, 0.125, ["spikes TraubMiles", "TraubMiles.vars.V"]),
        (rulkov, 0.5, ["spikes Rulkov", "Rulkov.vars.V"]),
    ],
)
def test_built_in_models(other: Any, reference: Any, network: Any, dt: float, alive: list[str]) -> None:
    expected = reference(network, STEPS, dt=dt)
    exact = reference(network, STEPS, dt=dt, precision="double")
    assert_alive(expected, *alive, "spikes Sources")
    assert_close(trace(other, network, STEPS, dt=dt), expected, exact)
