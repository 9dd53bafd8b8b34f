"""Deferred kernels in matrix form: the same values, another order of work."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from printed_code import printed_lines

from linear_rules import PARAMS, describe, rule, run
from small_networks import network
from snnlearn.codegen.plan import DEFAULT, build_plan, optimise
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.rewrites.linear import system_of, why_not_linear

SUPERSPIKE = "e += (y * sig - e / tau) * dt; f += ((-f + e) / tau) * dt; m += f * err;"
LINEAR = {
    "superspike": SUPERSPIKE,
    "one trace": "e += (z * sig - e / tau) * dt;",
    "sum only": "m += y * err;",
    "slow": "e += (z * sig - e / slow) * dt; m += e * err;",
    "swap of order": "m += f * err; f += ((-f + e) / tau) * dt; e += (y * sig - e / tau) * dt;",
    "two drives": "e += (y * sig - e / tau) * dt; m += e * err + z * sig * err;",
    "product of traces": "e = e * gain + z * y * sig;",
    "negative share": "e = -gain * e + z * sig; m -= e;",
    "locals": "const scalar a = z * sig; scalar b = a * dt; b -= e * dt / tau; e += b; f = 0.5 * f + e - a;",
    "constant column": "e += y * k - e * gain; f = f * gain + e * k;",
    "compound": "e *= gain; e += z * err; e /= k; m += e;",
    "square of the column": "e += y * sig * sig * err - 0.5 * e; m += e * sig * err;",
}
NOT_LINEAR = {
    "e += y * sig * e;": "e depends on a product of e and y",
    "e += y * sig - e * e;": "e depends on a product of e and e",
    "e = exp(-e) + y;": "its code calls exp",
    "if (sig > 1.0) { e += y; }": "its code does not run straight on",
    "e += y * w; ": "it depends on w, which each synapse has of its own",
    "e += (y - e) * sig;": "what e keeps of itself is no constant share",
    "e = 2.0 * e + y;": "what e keeps of itself is no constant share",
    "e = y * sig;": "what e keeps of itself is no constant share",
    "e += f * dt + y; f -= e * dt;": "its variables depend on each other both ways",
    "e += sig - e * dt;": "something drives e without a presynaptic factor",
    "e *= gain;": "nothing drives it",
    "e += y * t;": "its code reads t",
    "e += y * id_pre;": "its code reads id_pre",
    "const int n = 3; e += y * n;": "its code computes with numbers of type int",
    "e += y / sig;": "its code divides by what is no constant",
    "scalar a = 0.0; e += (a = sig) * y;": "its code does more than add and multiply",
}


def kernel_of(code: str, rewrites: tuple[str, ...]) -> tuple[Plan, Kernel]:
    plan = optimise(build_plan(network(rule(code), params=PARAMS, post_vars={"sig": 0.0, "err": 0.0})), rewrites)
    return plan, next(k for k in plan.step if k.name == "synapse_dynamics_S")


@pytest.mark.parametrize("code", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize("stops", [[1], [2], [63, 64], [200], [10, 74, 75, 139, 300]], ids=str)
def test_values_stay(code: str, stops: list[int]) -> None:
    model = rule(code)
    assert why_not_linear(*reversed(kernel_of(code, ("defer",)))) is None
    expected = run(describe(model, ()), stops)
    found = run(describe(model, ("defer", "linear")), stops)
    for name, values in expected.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(found[name], values, rtol=1e-11, atol=1e-13 * scale, err_msg=name)


@pytest.mark.parametrize(("code", "reason"), NOT_LINEAR.items())
def test_what_is_not_linear_says_why_and_stays(code: str, reason: str) -> None:
    plan, kernel = kernel_of(code, ("defer",))
    assert kernel.deferral is not None
    assert why_not_linear(kernel, plan) == reason
    _, same = kernel_of(code, ("defer", "linear"))
    assert same == kernel


def test_superspike_takes_three_operations_a_synapse_and_timestep() -> None:
    plan, kernel = kernel_of(SUPERSPIKE, DEFAULT)
    form = kernel.deferral.linear  # type: ignore[union-attr]
    assert form is not None
    lines = printed_lines(form.products, kernel, plan.precision)
    assert [bool(re.search(r"= snn::fma\(v_y, \w+_by_y, \w+\);", line)) for line in lines] == [
        False,
        *[True] * 3,
        False,
    ]


def test_superspikes_system() -> None:
    plan, kernel = kernel_of(SUPERSPIKE, ("defer",))
    system = system_of(kernel, plan)
    dt = 0.5
    kept = 1.0 - dt / 10.0
    assert system.states == ("v_e", "v_f", "v_m")
    assert set(system.drives) == {("v_y",)}
    assert system.transition["v_e", "v_e"][()] == pytest.approx(kept)
    assert system.transition["v_f", "v_e"][()] == pytest.approx(dt / 10.0 * kept)
    assert system.transition["v_m", "v_f"][("v_err",)] == pytest.approx(kept)
    assert system.transition["v_m", "v_e"][("v_err",)] == pytest.approx(dt / 10.0 * kept)
    assert system.drives[("v_y",)]["v_m"][("v_err", "v_sig")] == pytest.approx(dt / 10.0 * dt)


def test_what_a_slow_trace_loses_is_exact() -> None:
    # In single precision, 1 - dt / slow is 1: the trace would never decay.
    model = rule("e += (z * sig - e / slow) * dt;", pre_spike_code="z += 0.0;", pre_dynamics_code="z *= 0.0;")
    steps = 64 * 200
    found = run(describe(model, ("defer", "linear"), precision="float", sizes=(1, 1)), [steps])
    exact = run(describe(model, (), precision="double", sizes=(1, 1)), [steps])
    assert 0.5 + 0.3 * 0.7 * 0.5 - exact["'S.e'"].item() > 2e-4
    assert found["'S.e'"].item() == pytest.approx(exact["'S.e'"].item(), rel=1e-5)


@pytest.mark.parametrize("optimise", [("defer", "linear"), DEFAULT], ids=["linear", "all"])
def test_threads_change_no_bit(optimise: tuple[str, ...]) -> None:
    model = rule(SUPERSPIKE)
    sizes = (300, 130)  # more rows than one part takes, and three tiles of columns

    def values(threads: int) -> dict[str, Any]:
        return run(describe(model, optimise, sizes=sizes, precision="float", threads=threads), [30, 158, 300])

    expected = values(1)
    for threads in (2, 5):
        for name, found in values(threads).items():
            np.testing.assert_array_equal(found, expected[name], err_msg=name)


def test_a_column_is_the_same_in_every_tile() -> None:
    # The columns' values depend on their number alone, whatever the width of the tile that they are in.
    model = rule(SUPERSPIKE)
    wide, narrow = (
        run(describe(model, ("defer", "linear"), sizes=(3, n), precision="float"), [100]) for n in (200, 70)
    )
    for variable in ("'S.e'", "'S.f'", "'S.m'"):
        one, other = wide[variable].reshape(3, 200), narrow[variable].reshape(3, 70)
        np.testing.assert_array_equal(one[:, :70], other, err_msg=variable)


def test_nothing_is_in_matrix_form_without_deferral() -> None:
    plain = build_plan(network(rule(SUPERSPIKE), params=PARAMS, post_vars={"sig": 0.0, "err": 0.0}))
    assert optimise(plain, ["linear", "silent"]) == plain
