"""A forward rule is a model like any other: every engine, GeNN's too, sums up the same gradient."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from forward_networks import arriving, input_spikes, run_layer, source_of
from snnlearn.declare import Loss
from snnlearn.grad import EligibilityRule, eligibility, network_rules
from snnlearn.models import LIF, ClassReadout, ExpCurr

PARAMS = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
LOSS = Loss("Potential", loss_code="loss = 0.5 * (V + 55.0) * (V + 55.0);")


@cache
def rule(jacobian: Any, detach: bool) -> EligibilityRule:
    given = PARAMS | {"tau": 5.0, "beta": 0.1}
    return eligibility(
        LIF, ExpCurr, surrogate="FastSigmoid", loss=LOSS, params=given, jacobian=jacobian, detach_reset=detach
    )


@cache
def reference(jacobian: Any, detach: bool) -> Any:
    return run(rule(jacobian, detach))


def run(found: EligibilityRule, engine: Any = None) -> tuple[Any, int]:
    spikes = input_spikes(1, 150, 10, 0.15)
    weights = np.random.default_rng(2).normal(0.6, 0.6, (10, 7))
    return run_layer(
        found, spikes, weights, params=PARAMS, initial={"V": -65.0}, psm_params={"tau": 5.0}, engine=engine
    )


@pytest.mark.parametrize(("jacobian", "detach"), [("subthreshold", True), ("exact", False)])
def test_every_engine_sums_up_the_same(any_engine: Any, jacobian: Any, detach: bool) -> None:
    expected, count = reference(jacobian, detach)
    found, same = run(rule(jacobian, detach), any_engine)
    assert same == count > 50
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


def test_a_loss_that_reads_time_is_that_of_its_own_timestep(any_engine: Any) -> None:
    """The gradient of a leaky readout, and the signal that the layer before receives, against NumPy."""
    dt, steps, inputs, outputs, hidden = 0.5, 80, 6, 3, 4
    timed = Loss("Timed", loss_code="loss = (t < 20.0 ? 0.0 : 1.0 + sin(0.3 * t)) * dt * (V - target) * (V - target);")
    values = [{}, {"tauMem": 8.0, "tStart": 0.0, "tau": 5.0}]
    rules = network_rules("eprop", [(LIF, ExpCurr)], (ClassReadout, ExpCurr), timed, surrogate="Sigmoid", params=values)
    spikes, random = input_spikes(4, steps, inputs, 0.2), np.random.default_rng(5)
    weights, back, target = (random.normal(size=s) for s in ((inputs, outputs), (outputs, hidden), outputs))
    found, signals = run_readout(any_engine, rules, spikes, weights, back, target, dt)

    decay, leak = np.exp(-dt / 5.0), np.exp(-dt / 8.0)
    in_syn, V, expected, sent = np.zeros(inputs), np.zeros(inputs), np.zeros(weights.shape), np.zeros(outputs)
    for step, came in enumerate(arriving(spikes)):
        np.testing.assert_allclose(signals[step], sent @ back, rtol=1e-10, atol=1e-10)
        in_syn += came  # what a weight of 1 does, which is the trace
        current = 5.0 * (1.0 - decay) / dt * in_syn
        V, in_syn = current - leak * (current - V), decay * in_syn
        t = step * dt
        sent = (0.0 if t < 20.0 else 1.0 + np.sin(0.3 * t)) * dt * 2.0 * (V @ weights - target)
        expected -= np.outer(V, sent)
    assert np.abs(expected).max() > 1.0
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


def run_readout(
    engine: Any, rules: Any, spikes: Any, weights: Any, back: Any, target: Any, dt: float
) -> tuple[Any, list[Any]]:
    """Return what the readout's weights have summed up, and the signal of the layer before in each timestep."""
    api, model = engine.api, engine.model("timed_loss", "double", dt)
    place, times = source_of(spikes, dt)
    source = model.add_neuron_population("Input", spikes.shape[1], "SpikeSourceArray", {}, place)
    source.extra_global_params["spikeTimes"].set_init_values(times)
    zeros = {"V": 0.0, "target": target, "errTilda": 0.0, "score": 0.0}
    readout = model.add_neuron_population("Readout", len(target), ClassReadout, {"tauMem": 8.0, "tStart": 0.0}, zeros)
    neuron = rules.hidden[0].neuron
    rest = {v.name: 0.0 for v in neuron.vars} | {"V": -65.0}
    hidden = model.add_neuron_population("Hidden", back.shape[1], neuron, PARAMS, rest)
    update, current = rules.output.weight_update, api.init_postsynaptic("ExpCurr", {"tau": 5.0})
    refs = {here: api.create_var_ref(readout, there) for here, there in rules.output.post_neuron_var_refs.items()}
    first = [{v.name: 0.0 for v in declared} for declared in (update.vars, update.pre_vars, update.post_vars)]
    first[0]["w"] = weights.ravel()
    learn = api.init_weight_update(update, rules.output.params, *first, post_var_refs=refs)
    forward = model.add_synapse_population("Learning", "DENSE", source, readout, learn, current)
    refs = {here: api.create_var_ref(readout, there) for here, there in rules.feedback_refs.items()}
    kept = {v.name: 0.0 for v in rules.feedback.pre_vars}
    send = api.init_weight_update(rules.feedback, rules.feedback_params, {"w": back.ravel()}, kept, pre_var_refs=refs)
    connection = model.add_synapse_population(
        "Feedback", "DENSE", readout, hidden, send, api.init_postsynaptic("DeltaCurr")
    )
    connection.post_target_var = "ErrorInput"
    model.build()
    model.load()
    signals = []
    for _ in range(len(spikes) + 1):
        model.step_time()
        hidden.vars["errorSignal"].pull_from_device()
        signals.append(hidden.vars["errorSignal"].view.copy())
    forward.vars["m"].pull_from_device()
    found = forward.vars["m"].view.reshape(weights.shape).copy()
    model.unload()
    return found, signals
