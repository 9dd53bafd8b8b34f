"""How variables move between spikes: the flow that a declared timestep samples, and what has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from snnlearn import grad
from snnlearn.declare import NeuronModel, PostsynapticModel
from snnlearn.dialect import unparse
from snnlearn.errors import DialectError, GradientError
from snnlearn.grad.flows import Flows, unrounded
from snnlearn.grad.matrix_log import logarithm
from snnlearn.grad.step import step_of
from snnlearn.models import LIF, DeltaCurr, ExpCurr, Izhikevich, SuperSpikeHidden

MEMBRANE = {
    "C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.5, "TauRefrac": 3.0,
}  # fmt: skip


def flows_of(neuron: NeuronModel, **flow: str) -> Flows:
    return Flows(unrounded(step_of(neuron)), flow)


def numbers(flows: Flows, params: dict[str, float], dt: float) -> dict[str, float]:
    return {d.name: d.func(params, dt) for d in flows.derived}


def test_logarithm_of_an_exponential() -> None:
    """Of matrices that are far from the identity, that no vectors diagonalise, and in units that are far apart."""
    block = np.array([[-0.3, 1.0, 0.0], [0.0, -0.3, 2.0], [0.0, 0.0, 0.0]])
    exponential = np.eye(3)
    term = np.eye(3)
    for k in range(1, 40):
        term = term @ block / k
        exponential = exponential + term
    np.testing.assert_allclose(logarithm(exponential), block, atol=1e-14)
    np.testing.assert_allclose(logarithm(np.diag([np.exp(-9.0), 1.0])), np.diag([-9.0, 0.0]), rtol=1e-12, atol=1e-14)
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    np.testing.assert_allclose(logarithm(turn), [[0.0, -1.0], [1.0, 0.0]], atol=1e-13)
    for singular in (np.zeros((1, 1)), np.diag([-0.5, 1.0])):
        with pytest.raises(ValueError, match="no "):
            logarithm(singular)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.001])
def test_leaky_integrator(dt: float) -> None:
    flows = flows_of(LIF)
    assert unparse(flows.of("V")) == "RefracTime > 0.0 ? 0.0 : flow_V_V * V + flow_V_Isyn * Isyn + flow_V"
    assert unparse(flows.of("RefracTime")) == "RefracTime > 0.0 ? flow_RefracTime : 0.0"
    expected = {"flow_V_V": -0.1, "flow_V_Isyn": 1.0, "flow_V": -6.0 + 0.5, "flow_RefracTime": -1.0}
    assert numbers(flows, MEMBRANE, dt) == pytest.approx(expected, rel=1e-12 / min(dt, 0.1))


def test_units_do_not_matter() -> None:
    """The same neuron in volts and amperes: entries of the map are nine orders of magnitude apart."""
    volts = {
        "C": 1e-9,
        "TauM": 10.0,
        "Vrest": -0.06,
        "Vreset": -0.062,
        "Vthresh": -0.05,
        "Ioffset": 0.0,
        "TauRefrac": 3.0,
    }
    flows = flows_of(LIF)
    flows.of("V")
    expected = {"flow_V_V": -0.1, "flow_V_Isyn": 1e9, "flow_V": -0.006}
    assert numbers(flows, volts, 0.1) == pytest.approx(expected, rel=1e-10)


def test_variables_that_drive_each_other() -> None:
    """A resonator: V' = -V - 2 W, W' = V / 2 - W, stepped by its exact map."""
    a, dt = np.array([[-1.0, -2.0], [0.5, -1.0]]), 0.25
    values, vectors = np.linalg.eig(a)
    exact = (vectors @ np.diag(np.exp(values * dt)) @ np.linalg.inv(vectors)).real
    params = {f"j{i}{k}": exact[i, k] for i in range(2) for k in range(2)}
    neuron = NeuronModel(
        "Resonator",
        params=tuple(params),
        vars=("V", "W"),
        sim_code="const scalar before = V; V = j00 * V + j01 * W; W = j10 * before + j11 * W + Isyn - Isyn;",
        threshold_condition_code="V >= 1.0",
    )  # type: ignore[arg-type]
    flows = flows_of(neuron)
    flows.of("V")
    flows.of("W")
    found = numbers(flows, params, dt)
    for name, expected in {"V_V": -1.0, "V_W": -2.0, "W_V": 0.5, "W_W": -1.0}.items():
        assert found[f"flow_{name}"] == pytest.approx(expected, rel=1e-12)


def test_a_declared_flow_stands_as_it_is() -> None:
    flows = flows_of(LIF, V="RefracTime <= 0.0 ? (Vrest - V) / TauM + Isyn / C : 0.0")
    assert unparse(flows.of("V")) == "!(RefracTime > 0.0) ? (Vrest - V) / TauM + Isyn / C : 0.0"
    assert flows.derived == []


def neuron(sim_code: str, threshold: str = "V >= 1.0", **more: Any) -> NeuronModel:
    given = {"vars": ("V", "W"), "params": ("tau",), "reset_code": "V = 0.0;", **more}
    return NeuronModel("Mine", sim_code=sim_code, threshold_condition_code=threshold, **given)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SuperSpikeHidden, "'V' moves between spikes: it does not go on from its own value"),
        (Izhikevich, "what is compared here is driven by inputs, and it chooses how 'V' moves"),
        (neuron("V += V * V * dt + Isyn;"), "its derivative by 'V' depends on 'V'"),
        (neuron("V += W * V * dt + Isyn;"), "its derivative by 'V' depends on 'W'"),
        (neuron("V += (t - V) * dt + Isyn;"), "what it becomes depends on 't'"),
        (neuron("V += gennrand_uniform() + Isyn;"), "a random number is drawn here"),
        (neuron("V += Isyn;", "V + Isyn >= 1.0"), "its threshold depends on 'Isyn' beside what variables are"),
        (neuron("V += W == 3.0 ? 0.0 : Isyn; W -= dt;", reset_code="V = 0.0; W = 5.0;"), "compare it by < or >"),
        (neuron("V += Isyn - W; W = 0.5 * W + ((V >= 1.0) ? 1.0 : 0.0);"), "asks for the neuron's own spike"),
        (neuron("V += Isyn;", "V >= 1.0 || W > V"), "no comparison by <, <=, > or >="),
    ],
)  # fmt: skip
def test_what_has_no_flow_is_shown(model: NeuronModel, message: str) -> None:
    loss = grad.Loss("Square", loss_code="loss = V * V;")
    with pytest.raises(GradientError) as caught:
        grad.eventprop(model, ExpCurr, loss=loss)
    assert message in str(caught.value)
    assert "^" in str(caught.value)


def test_no_flow_for_these_numbers() -> None:
    """A map that turns a variable around in each timestep samples no flow: it shows when numbers are known."""
    flows = flows_of(neuron("V = tau * V + Isyn;"))
    flows.of("V")
    assert numbers(flows, {"tau": 0.5}, 0.1)["flow_V_V"] == pytest.approx(10 * np.log(0.5))
    with pytest.raises(GradientError, match=r"no flow in time moves its variables .* \(factors of V: tau\)"):
        numbers(flows, {"tau": -0.5}, 0.1)


def test_input_that_is_over_at_once() -> None:
    with pytest.raises(GradientError, match="'DeltaCurr' passes on at once what arrives"):
        grad.eventprop(LIF, DeltaCurr)


def test_declared_flows_are_checked() -> None:
    with pytest.raises(GradientError, match="'LIF' has no variable 'v'; did you mean 'V'"):
        grad.eventprop(LIF, ExpCurr, flow={"v": "0.0"})
    with pytest.raises(DialectError, match=r"flow of 'V' of 'LIF'[\s\S]*\^"):
        grad.eventprop(LIF, ExpCurr, flow={"V": "-V / TauN"})
    with pytest.raises(GradientError, match="is an expression"):
        grad.eventprop(LIF, ExpCurr, flow={"V": 1.0})  # type: ignore[dict-item]
    with pytest.raises(GradientError, match="flow is a mapping of variables to code"):
        grad.eventprop(LIF, ExpCurr, flow="-V / TauM")  # type: ignore[arg-type]
    with pytest.raises(GradientError, match="least_slope is a number from 0 on"):
        grad.eventprop(LIF, ExpCurr, least_slope=-1.0)


def test_what_is_derived() -> None:
    found = grad.eventprop(LIF, ExpCurr, params={"tau": 5.0, **MEMBRANE}, axonal_delay=2)
    assert found.weight_update.pre_spike_syn_code == "m -= mu[2];\naddToPre(w * muFall[2]);"
    assert found.weight_update.synapse_dynamics_code == ""
    assert {r.name for r in found.weight_update.post_neuron_var_refs} == {"mu", "muFall"}
    assert {"lam_V", "lam_RefracTime", "mu", "muFall"} <= {v.name for v in found.adjoint.vars}
    other = PostsynapticModel("Other", vars=("x",), sim_code="injectCurrent(x); x += inSyn; inSyn = 0.0;")  # type: ignore[arg-type]
    with pytest.raises(GradientError, match="'Other' passes on at once"):
        grad.eventprop(replace(LIF, name="L"), other)
