"""Event-driven sparse propagation with STDP on every engine against NumPy in double precision.

Sources spike by a script; targets are leaky integrators; weights follow the built-in STDP. The reference has no
queues, lists or kernels: dense matrices, spike times as integers, the order of a timestep as the specification says.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import scalars, trace

PRE, POST, STEPS, DT = 60, 40, 200, 0.5
TAU, THETA = 10.0, 1.0173
STDP = {"tauPlus": 20.0, "tauMinus": 15.0, "Aplus": 0.02, "Aminus": 0.03, "Wmin": 0.0, "Wmax": 0.5}


@cache
def scripted(g: Any) -> Any:
    return g.create_neuron_model(
        "Scripted",
        extra_global_params=[("mask", "scalar*")],
        threshold_condition_code="mask[(int)round(t / dt) * num_neurons + id] > 0.5",
    )


@cache
def leaky(g: Any) -> Any:
    return g.create_neuron_model(
        "Leaky",
        params=[("tau", "scalar"), ("theta", "scalar")],
        derived_params=[("decay", lambda pars, dt: np.exp(-dt / pars["tau"]))],
        vars=scalars("V"),
        sim_code="V = V * decay + Isyn;",
        threshold_condition_code="V >= theta",
        reset_code="V = 0.0;",
    )


def data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(21)
    masks = rng.uniform(size=(STEPS, PRE)) < 0.05
    connected = rng.uniform(size=(PRE, POST)) < 0.25
    return masks, connected, np.where(connected, rng.uniform(0.05, 0.45, (PRE, POST)), 0.0)


def reference(axonal: int, back: int) -> tuple[Any, Any, Any]:
    masks, connected, w = data()
    voltage, decay = np.zeros(POST), np.exp(-DT / TAU)
    fired = np.zeros((STEPS, POST), bool)
    nearest = np.inf
    last_pre, last_post = np.full(PRE, -(10**9)), np.full(POST, -(10**9))  # when spikes arrived at synapses
    voltages, weights = [], []
    for n in range(STEPS):
        pre = masks[n - 1 - axonal] if n > axonal else np.zeros(PRE, bool)
        post = fired[n - 1 - back] if n > back else np.zeros(POST, bool)
        # When the other side's last spike came that has arrived by now; this timestep's among them.
        last_pre = np.where(pre, n, last_pre)
        last_post = np.where(post, n, last_post)
        current = pre @ w
        since = (n - last_post) * DT
        less = np.where(since > 0.0, STDP["Aminus"] * np.exp(-since / STDP["tauMinus"]), 0.0)
        changed = np.clip(w - less[None, :], STDP["Wmin"], STDP["Wmax"])
        w = np.where(connected & pre[:, None] & (since > 0.0)[None, :], changed, w)
        since = (n - last_pre) * DT
        more = np.where(since > 0.0, STDP["Aplus"] * np.exp(-since / STDP["tauPlus"]), 0.0)
        changed = np.clip(w + more[:, None], STDP["Wmin"], STDP["Wmax"])
        w = np.where(connected & post[None, :] & (since > 0.0)[:, None], changed, w)
        voltage = voltage * decay + current
        nearest = min(nearest, np.abs(voltage - THETA).min())
        fired[n] = voltage >= THETA
        voltage = np.where(fired[n], 0.0, voltage)
        voltages.append(voltage)
        weights.append(w[connected])
    assert nearest > 1e-5, "no spike hangs on rounding"
    return fired, np.array(voltages), np.array(weights)


@pytest.mark.parametrize(("axonal", "back"), [(0, 0), (3, 2)])
def test_sparse_stdp(any_engine: Any, axonal: int, back: int) -> None:
    masks, connected, w = data()

    def network(g: Any, model: Any) -> None:
        a = model.add_neuron_population("A", PRE, scripted(g))
        a.extra_global_params["mask"].set_init_values(masks.ravel().astype(float))
        b = model.add_neuron_population("B", POST, leaky(g), {"tau": TAU, "theta": THETA}, {"V": 0.0})
        rule = g.init_weight_update("STDP", STDP, {"g": w[connected]})
        s = model.add_synapse_population("S", "SPARSE", a, b, rule, g.init_postsynaptic("DeltaCurr"))
        s.set_sparse_connections(*np.nonzero(connected))
        s.axonal_delay_steps, s.back_prop_delay_steps = axonal, back

    found = trace(any_engine, network, STEPS, dt=DT)
    fired, voltages, weights = reference(axonal, back)
    times, ids = found["spikes B"][0]
    assert fired.sum() > 200
    np.testing.assert_array_equal(np.stack([np.round(times / DT), ids]), np.nonzero(fired))
    # A weight takes some 20 changes of 4 roundings, relative to Wmax; a voltage sums 15 weights, forgetting the older.
    np.testing.assert_allclose(np.array(found["S.vars.g"][1:]), weights, rtol=0.0, atol=80 * 2.0**-24 * STDP["Wmax"])
    np.testing.assert_allclose(np.array(found["B.vars.V"][1:]), voltages, rtol=0.0, atol=400 * 2.0**-24 * THETA)
    assert np.abs(weights[-1] - weights[0]).max() > 0.05
