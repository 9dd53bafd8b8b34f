"""Rows of silent neurons in closed form."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from linear_rules import PARAMS, TRACES, describe, rule, run
from snnlearn.codegen.plan import Plan, build_plan, optimise
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.rewrites.silent import recurrence_of, why_not_silent
from snnlearn.declare import WeightUpdateModel

CODE = "e += (y * sig - e / tau) * dt; f += ((-f + e) / tau) * dt; m += f * err;"
REWRITES = ("defer", "linear", "silent")


def kernel_of(model: WeightUpdateModel, rewrites: tuple[str, ...] = ("defer", "linear")) -> tuple[Plan, Kernel]:
    plan = optimise(build_plan(describe(model, ())._describe()), rewrites)
    return plan, next(k for k in plan.step if k.name == "synapse_dynamics_S")


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, values in expected.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(found[name], values, rtol=1e-11, atol=1e-13 * scale, err_msg=name)


@pytest.mark.parametrize("period", [1.0, 5.0, 63.0, 64.0, 65.0, 200.0, 1e9])
@pytest.mark.parametrize("stops", [[1], [64, 65], [10, 74, 75, 139, 500]], ids=str)
def test_values_stay_wherever_spikes_are_in_a_block(period: float, stops: list[int]) -> None:
    model = rule(CODE)
    expected = run(describe(model, (), period=period), stops)
    assert expected["'S.m'"].std() > 0.0 or stops == [1]
    assert_same(run(describe(model, REWRITES, period=period), stops), expected)


RECURRENCES = {
    "one variable": "z *= 0.9; y = 0.0;",
    "copied": "z -= z * 0.1; y = 2.0 * z;",
    "behind its cause": "y = 0.5 * y + z; z *= -0.5;",
    "no decay": "z *= 1.0; y += 0.01 * z;",
    "three": "other *= 0.8; z = 0.9 * z + other; y = 0.9 * y + z - other;",
    "locals": "const scalar a = z * 0.5; z = a + 0.25 * z; y += (a - y) * dt / tau;",
}


@pytest.mark.parametrize("dynamics", RECURRENCES.values(), ids=RECURRENCES)
def test_any_linear_recurrence_will_do(dynamics: str) -> None:
    model = rule(CODE, pre_dynamics_code=dynamics)
    plan, kernel = kernel_of(model)
    assert why_not_silent(kernel, plan) is None
    expected = run(describe(model, ()), [300])
    assert_same(run(describe(model, REWRITES), [300]), expected)


REFUSED = {
    "a branch": ("if (z > 1.0) { z = 1.0; } y += z;", "neuron_update_A does more to S_y than add and multiply"),
    "a function": ("z = exp(-z); y = 0.5 * y + z;", "neuron_update_A does more to S_y than add and multiply"),
    "a product": ("z *= 0.9; y += z * other;", "S_y is no linear map of variables of its neuron"),
    "a constant": ("z *= 0.9; y = 0.9 * y + 1.0;", "S_y is no linear map of variables of its neuron"),
    "growth": ("z *= 1.5; y = z;", "S_z grows by itself"),
    "both ways": ("z = 0.5 * y + 0.1 * z; y -= 0.1 * z;", "its neurons' variables depend on each other both ways"),
    "input": ("z *= 0.9; y += z + t;", "neuron_update_A does more to S_y than add and multiply"),
}


@pytest.mark.parametrize(("dynamics", "reason"), REFUSED.values(), ids=REFUSED)
def test_other_dynamics_say_why_not_and_are_added_up(dynamics: str, reason: str) -> None:
    model = rule(CODE, pre_dynamics_code=dynamics)
    plan, kernel = kernel_of(model)
    assert why_not_silent(kernel, plan) == reason
    _, same = kernel_of(model, REWRITES)
    assert same == kernel


def test_a_product_of_traces_is_added_up() -> None:
    plan, kernel = kernel_of(rule("e += (y * z * sig - e / tau) * dt;"))
    assert why_not_silent(kernel, plan) == "its presynaptic factor is a product, or there are several"


def test_a_factor_that_its_neurons_do_not_change_is_added_up() -> None:
    plan, kernel = kernel_of(rule(CODE, pre_dynamics_code="z *= 0.9;", pre_spike_code="z += 1.0;"))
    assert why_not_silent(kernel, plan) == "S_y is not a variable that its neurons alone change"


def test_superspikes_recurrence() -> None:
    plan, kernel = kernel_of(rule(CODE))
    found = recurrence_of(kernel, plan)
    dt, tau = 0.5, PARAMS["tau"]
    assert found.arrays == ("v_S_z", "v_S_y")
    assert found.matrix == pytest.approx(
        {
            ("v_S_z", "v_S_z"): 1 - dt / tau,
            ("v_S_y", "v_S_z"): dt / (2 * tau) * (1 - dt / tau),
            ("v_S_y", "v_S_y"): 1 - dt / (2 * tau),
        }
    )


def test_the_host_may_change_a_trace_at_any_time() -> None:
    found = []
    for optimise_by in ((), REWRITES):
        net = describe(rule(CODE), optimise_by, period=1e9)
        net.build()
        net.load()
        synapses = net.synapse_populations["S"]
        for number, (begin, end) in enumerate(pairwise([0, 20, 100, 164, 300])):
            net.run(end - begin)
            synapses.pre_vars["z"].pull_from_device()
            synapses.pre_vars["z"].view[number] += 1.0
            synapses.pre_vars["z"].push_to_device()
        synapses.vars["m"].pull_from_device()
        found.append({"m": np.array(synapses.vars["m"].values)})
        net.unload()
    assert_same(found[1], found[0])


def test_only_the_first_timestep_of_what_is_read_once_is_kept() -> None:
    plan, kernel = kernel_of(rule(CODE), REWRITES)
    assert kernel.deferral is not None
    assert {b.array: b.first_only for b in kernel.deferral.buffers} == {
        "v_S_err": False,
        "v_S_sig": False,
        "v_S_y": False,
        "v_S_z": True,
    }
    assert {b.buffer for b in kernel.deferral.buffers} <= {a.name for a in plan.arrays}


def test_traces_of_single_precision_stay_close() -> None:
    # Neurons round their traces in every timestep, the closed form once a block: 64 * 2^-24 is 4e-6.
    model = rule(CODE, pre_dynamics_code=TRACES)
    expected = run(describe(model, (), precision="float"), [640])
    found = run(describe(model, REWRITES, precision="float"), [640])
    for name in ("'S.e'", "'S.f'"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-5 * np.abs(expected[name]).max())


def test_gradients_are_close_to_the_exact_ones() -> None:
    # From the same kept past, summed up in double precision.
    model, steps = rule(CODE, pre_dynamics_code=TRACES), 600
    plain = describe(model, (), precision="float", sizes=(4, 20))
    plain.build()
    plain.load()
    synapses = plain.synapse_populations["S"]
    e, f, m = (np.full((4, 20), 0.5) for _ in range(3))
    for _ in range(steps):
        kept = {}
        for name, group in {"y": synapses.pre_vars, "sig": synapses.post_vars, "err": synapses.post_vars}.items():
            group[name].pull_from_device()
            kept[name] = np.array(group[name].values, dtype=np.float64)
        e += (kept["y"][:, None] * kept["sig"] - e / PARAMS["tau"]) * 0.5
        f += (-f + e) / PARAMS["tau"] * 0.5
        m += f * kept["err"]
        plain.run(1)
    synapses.vars["m"].pull_from_device()
    exact, by_timestep = m.ravel(), np.array(synapses.vars["m"].values)
    plain.unload()
    by_block = run(describe(model, REWRITES, precision="float", sizes=(4, 20)), [steps])["'S.m'"]
    scale = np.abs(exact).max()
    errors = [np.abs(values - exact).max() / scale for values in (by_block, by_timestep)]
    # The factors that a trace is multiplied by in a block are off by less than a rounding for each of its timesteps.
    assert errors[0] < 64 * 2.0**-24
    assert errors[1] < 64 * 2.0**-24
