"""EventProp as mlGeNN has it for its LIF, written step for step from its equations, against what is derived.

Both are right in the limit of short timesteps. They differ by an amount of first order in dt, as mlGeNN takes currents
at the beginning of a timestep where the derived one takes what the neuron sees, and the adjoint's slope where the
derived one takes a difference. The test extrapolates both to dt = 0.

Source
------
Nowotny, Turner & Knight (2025), arXiv:2212.01232; mlGeNN 2.3 (`EventPropCompiler`),
whose own gradients of this network these are, to 2e-5 in single precision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.declare import Var
from snnlearn.models import LIF

TAU_M, TAU_S, THRESHOLD, TAU, END = 20.0, 5.0, 1.0, 1.0, 13.0
TIMES = np.array([1.0, 3.0, 4.0, 6.5])
RANDOM = np.random.default_rng(7)
INPUT, OUTPUT = RANDOM.normal(2.6, 0.6, (4, 5)), RANDOM.normal(2.2, 0.5, (5, 3))
BETWEEN = RANDOM.normal(0.0, 0.2, (5, 5))
TARGET = 1
Gradients = dict[str, NDArray[np.float64]]


def by_hand(dt: float) -> Gradients:
    """Return the gradients of the cross-entropy of first spikes; hidden neurons come before outputs."""
    steps = round(END / dt)
    spikes = np.zeros((steps, 4), bool)
    spikes[np.ceil(TIMES / dt - 1e-6).astype(int), np.arange(4)] = True
    w_in = np.hstack([INPUT, np.zeros((4, 3))])
    w = np.zeros((8, 8))
    w[:5, :5], w[:5, 5:] = BETWEEN, OUTPUT
    alpha, beta = np.exp(-dt / TAU_M), np.exp(-dt / TAU_S)
    scale = TAU_S / dt * (1.0 - beta)
    current, v, fired, slope = np.zeros(8), np.zeros(8), np.zeros((steps, 8), bool), np.ones((steps, 8))
    for k in range(steps):
        if k:
            current = current + spikes[k - 1] @ w_in + fired[k - 1] @ w
        v = alpha * v + (1.0 - alpha) * current * scale
        fired[k] = v >= THRESHOLD
        slope[k] = np.where(fired[k], current - v, 1.0)
        v, current = np.where(fired[k], 0.0, v), current * beta
    first = fired.argmax(axis=0)
    late = np.exp(-(first[5:] - first[5:].min()) * dt / TAU)
    by_time = np.concatenate([np.zeros(5), ((np.arange(3) == TARGET) - late / late.sum()) / TAU])
    a = TAU_M / (TAU_S - TAU_M)
    lam_i, lam_v, of_input, of_others = np.zeros(8), np.zeros(8), np.zeros_like(w_in), np.zeros_like(w)
    for k in range(steps - 1, -1, -1):
        sent = w @ (lam_v - lam_i)
        of_others -= np.outer(fired[k], lam_i) * TAU_S
        of_input -= np.outer(spikes[k], lam_i) * TAU_S
        lam_i, lam_v = a * lam_v * (beta - alpha) + lam_i * beta, lam_v * alpha
        jump = (THRESHOLD * lam_v + sent + by_time * (first == k)) / slope[k]
        lam_v = np.where(fired[k], lam_v + jump, lam_v)
    return {"Input": of_input[:, :5], "Between": of_others[:5, :5], "Output": of_others[:5, 5:]}


def derived(dt: float) -> Gradients:
    """Return the engine's."""
    steps = round(END / dt)
    model = genn.GeNNModel("double", "by_hand", threads=1)
    model.dt = dt
    params = {
        "C": TAU_M, "TauM": TAU_M, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": THRESHOLD, "Ioffset": 0.0, "TauRefrac": 0.0,
    }  # fmt: skip
    start = {"V": 0.0, "RefracTime": 0.0}
    places = {"startSpike": np.arange(4), "endSpike": np.arange(4) + 1}
    source = model.add_neuron_population("Source", 4, "SpikeSourceArray", {}, places)
    source.extra_global_params["spikeTimes"].set_init_values(TIMES)
    hidden = model.add_neuron_population("Hidden", 5, LIF, params, start)
    answering = replace(LIF, name="Answering", vars=(*LIF.vars, Var("target")))
    outputs = model.add_neuron_population("Outputs", 3, answering, params, {**start, "target": np.eye(3)[TARGET]})
    weights: dict[str, Any] = {}
    for name, one, other, w in (
        ("Input", source, hidden, INPUT),
        ("Between", hidden, hidden, BETWEEN),
        ("Output", hidden, outputs, OUTPUT),
    ):
        rule, psm = genn.init_weight_update("StaticPulse", {}, {"g": w.ravel()}), {"tau": TAU_S}
        group = model.add_synapse_population(name, "DENSE", one, other, rule, genn.init_postsynaptic("ExpCurr", psm))
        weights[name] = group.vars["g"]
    loss = {outputs: grad.FirstSpikeLoss(tau=TAU)}
    program = grad.differentiate(model, list(weights.values()), loss, method="eventprop", window=steps)
    model.build()
    model.load()
    model.run(steps)
    program.backward()
    shapes = {"Input": INPUT.shape, "Between": BETWEEN.shape, "Output": OUTPUT.shape}
    found = {name: variable.grad.reshape(shapes[name]) for name, variable in weights.items()}
    model.unload()
    return found


def distance(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.slow
def test_alike() -> None:
    expected, found = by_hand(0.01), derived(0.01)
    for name, e in expected.items():
        assert distance(found[name], e) < 1e-2


@pytest.mark.slow
def test_equal_in_the_limit() -> None:
    short, long = 0.005, 0.01
    expected, found = {dt: by_hand(dt) for dt in (short, long)}, {dt: derived(dt) for dt in (short, long)}
    for name, e in expected[short].items():
        assert distance(found[long][name], expected[long][name]) < 1e-2
        apart = {dt: found[dt][name] - expected[dt][name] for dt in (short, long)}
        assert np.linalg.norm(2.0 * apart[short] - apart[long]) < 1e-4 * np.linalg.norm(e)


@pytest.mark.slow
def test_equal_at_a_short_timestep() -> None:
    expected, found = by_hand(1e-4), derived(1e-4)
    for name, e in expected.items():
        assert distance(found[name], e) < 1e-4
