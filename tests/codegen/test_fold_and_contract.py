"""The algebra of deferred kernels: same values, fewer operations."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from printed_code import printed_lines

from dialect_interpreter import run_snippet
from small_networks import network
from snnlearn import genn
from snnlearn.codegen.plan import Kernel, Plan, build_plan, optimise
from snnlearn.declare import WeightUpdateModel
from snnlearn.dialect.tree import Snippet, names_in

PARAMS = {"tau": 10.0, "slow": 1e7, "k": 3.0, "zero": 0.0}


def deferred(code: str, rewrites: list[str]) -> tuple[Plan, Kernel]:
    """The deferred kernel of a connection with this synapse dynamics code."""
    model = WeightUpdateModel(
        "rule",
        params=list(PARAMS),
        vars=["w", "e", "f", ("n", "int")],
        pre_vars=["z"],
        post_vars=["s"],
        pre_dynamics_code="z += dt;",
        post_dynamics_code="s += dt;",
        synapse_dynamics_code=code,
    )
    plan = optimise(build_plan(network(model, params=PARAMS, post_vars={"s": 0.0})), ["strength", "defer", *rewrites])
    kernel = next(k for k in plan.step if k.name == "synapse_dynamics_S")
    assert kernel.deferral is not None
    return plan, kernel


def values_after(kernel: Kernel, start: dict[str, Any]) -> dict[str, Any]:
    """Run the kernel's code in float64, whatever the names it has been given."""
    (code,) = kernel.codes
    known = {c.name: c.value for c in kernel.constants} | {"dt": 0.5}
    loads = {load.name: load.array.split("_")[-1] for load in kernel.loads}
    values = {
        name: known[target] if target in known else start[loads[target]]
        for name, target in code.names.items()
        if name in names_in(code.tree)
    }
    after = run_snippet(Snippet(code.tree, frozenset(), frozenset(), frozenset()), values)
    return {name: after[name] for name in ("e", "f") if name in values}


def printed(plan: Plan, kernel: Kernel) -> str:
    (code,) = kernel.codes
    return "\n".join(printed_lines(code, kernel, plan.precision))


CODES = {
    "superspike": "e += (z * s - e / tau) * dt; f += ((-f + e) / tau) * dt;",
    "minus": "e -= 2.0 * (e - f) * k;",
    "plain": "e = f * 3.0 + s - (z - 1.0) * k;",
    "two sums": "e = (z + s) * (e + f) * k;",
    "calls": "e += exp(-z) * s * k + fmax(e, f);",
    "control": "if (z > 0.5) { e += k * s * dt; } else { e -= k * (s - e); }",
    "local": "const scalar a = s * k; e += (a - e) * 0.25;",
    "integers": "n += 1; e += n * 0.5 + 7 / 2 * s;",
    "unary": "e = -(-f - 2.0 * -s) * +k;",
    "compound": "e *= 1.0 - dt / tau; e += z * s;",
    "zero": "e += zero * s + f;",
}


@pytest.mark.parametrize("rewrites", [["fold"], ["contract"], ["fold", "contract"]], ids="+".join)
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_values_stay(code: str, rewrites: list[str]) -> None:
    random = np.random.default_rng(4)
    _, before = deferred(code, [])
    _, after = deferred(code, rewrites)
    for _ in range(20):
        start = {name: float(random.normal()) for name in ("w", "e", "f", "z", "s")} | {"n": int(random.integers(9))}
        expected = values_after(before, start)
        assert values_after(after, start) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_superspikes_traces_take_five_operations() -> None:
    plan, kernel = deferred(CODES["superspike"], ["fold", "contract"])
    text = printed(plan, kernel)
    assert text.count("snn::fma") == 2
    assert text.count("*") == 3  # two that hold for the whole row, and one of a trace with its constant
    assert not re.search(r"[-+/]", text.replace("e-", "").replace("-1", "")), text


def test_a_factor_too_close_to_one_stays_apart() -> None:
    # 1 - 1e-7 in single precision is 1 - 1.19e-7: the decay would be a fifth too fast.
    _, kernel = deferred("e += (s - e / slow) * dt;", ["fold"])
    values = [c.value for c in kernel.constants]
    # dt = 0.5: s by itself, and what the decay takes away.
    assert sorted(values) == pytest.approx([-0.5e-7, 0.5], rel=1e-6)


def test_an_assignment_within_an_expression_is_left_alone() -> None:
    code = "scalar a = 0.0; e += (a = s) * k + a;"
    _, before = deferred(code, [])
    _, after = deferred(code, ["fold"])
    assert [c.tree for c in before.codes] == [c.tree for c in after.codes]


def test_kernels_that_are_not_deferred_stay_as_they_are() -> None:
    plain = optimise(build_plan(network()), ["strength", "defer"])
    changed = optimise(build_plan(network()), ["strength", "defer", "fold", "contract"])
    for one, other in zip(plain.step, changed.step, strict=True):
        assert (one == other) == (one.deferral is None) or one.name == "synapse_dynamics_S"


@pytest.mark.parametrize(
    "code",
    [
        "scalar c = z * 2.0; e += c * 3.0 * dt;",
        "scalar c = z * 2.0; e += s * 3.0 * dt;",
        "scalar c_2 = s; scalar c = z; e += (c + c_2) * 3.0 * dt + 0.25 * c;",
        "int n2 = 100000; e = n2 * z * n2;",
        "e += (id_post - id_pre) * 1.0 + id_syn;",
        "e += 0x10 * z;",
        "n += n * 1664525; e += n;",
    ],
)
def test_awkward_code_compiles_to_the_same_values(code: str) -> None:
    model = WeightUpdateModel(
        "rule",
        vars=["e", ("n", "unsigned int")],
        pre_vars=["z"],
        post_vars=["s"],
        pre_dynamics_code="z += dt;",
        post_dynamics_code="s += 0.5 * dt;",
        synapse_dynamics_code=code,
    )
    found = []
    for rewrites in ((), ("strength", "defer", "fold", "contract")):
        net = genn.GeNNModel("float", "awkward", threads=1, optimise=rewrites)
        net.dt = 0.5
        a, b = (net.add_neuron_population(name, 3, genn.create_neuron_model(name), {}, {}) for name in "AB")
        values = {v.name: 3 if v.name == "n" else 0.5 for v in model.vars}
        init = genn.init_weight_update(model, {}, values, {"z": 1.0}, {"s": 2.0})
        synapses = net.add_synapse_population("S", "DENSE", a, b, init, genn.init_postsynaptic("DeltaCurr"))
        net.build()
        net.load()
        net.run(7)
        for variable in synapses.vars.values():
            variable.pull_from_device()
        found.append({name: variable.values for name, variable in synapses.vars.items()})
    for name in found[0]:
        np.testing.assert_allclose(found[1][name], found[0][name], rtol=1e-6)
