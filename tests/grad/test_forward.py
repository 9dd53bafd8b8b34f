"""Forward rules are exact where they say so: engine against PyTorch with the cut paths detached, over whole runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

import forward_references as reference
from forward_networks import arriving, input_spikes, run_layer
from snnlearn.declare import Loss, NeuronModel, PostsynapticModel, Var
from snnlearn.grad import FeedbackLoss, eligibility
from snnlearn.grad.forward import EligibilityRule
from snnlearn.models import LIF, DeltaCurr, ExpCurr, SuperSpikeHidden, SuperSpikeOutput

torch = pytest.importorskip("torch", reason="the references are PyTorch's")

VAN_ROSSUM = Loss("VanRossum", loss_code="loss = 0.5 * errTilda * errTilda;")
MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
TIMED = Loss("Timed", loss_code="loss = (t < 300.0 * dt ? 0.0 : 1.0 + 0.5 * sin(0.3 * t)) * 0.5 * errTilda * errTilda;")
ERROR = {"tauRise": 5.0, "tauDecay": 10.0}
LEAKY = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
ABOVE = "left <= 0.0 && V >= Vth + strength * A"
ALIF = NeuronModel(
    "ALIF",
    params=["alpha", "rho", "strength", "Vth", "kappa"],
    vars=["V", "A", "rate", "left"],
    sim_code=f"""
    V = alpha * V + Isyn;  // while the neuron is refractory too
    A *= rho;
    left -= 1.0;
    rate = kappa * rate + ({ABOVE} ? 1.0 : 0.0);
    """,
    threshold_condition_code=ABOVE,
    reset_code="V -= Vth; A += 1.0; left = 4.0;",
)
ADAPTIVE = {"alpha": 0.95, "rho": 0.98, "strength": 0.4, "Vth": 1.0, "kappa": 0.9}
STEPS, INPUTS, SIZE = 800, 20, 12
BETA = 0.7


@dataclass(frozen=True)
class Case:
    """A rule, what it runs on, and its reference."""

    neuron: NeuronModel
    psm: PostsynapticModel
    layer: type[reference.Layer]
    params: dict[str, float]
    loss: Any
    of: Callable[[Any, Any, int], Any]  # the reference's loss of a layer, its spikes and the timestep
    weight: float = 1.0
    detach: Any = True
    initial: dict[str, float] = field(default_factory=dict)
    signal: str = ""
    beta: str = "beta"
    least: int = 500

    @property
    def psm_params(self) -> dict[str, float]:
        return {"tau": 5.0} if self.psm is ExpCurr else {}

    def rule(self, jacobian: Any = "exact", beta: float = BETA) -> EligibilityRule:
        given = {**self.params, **self.psm_params, self.beta: beta} | (ERROR if self.signal else {})
        return eligibility(
            self.neuron,
            self.psm,
            surrogate="FastSigmoid",
            loss=self.loss,
            params=given,
            jacobian=jacobian,
            detach_reset=self.detach,
        )

    def current(self, inSyn: Any, layer: Any) -> tuple[Any, Any]:
        if self.psm is DeltaCurr:
            return inSyn, 0.0 * inSyn
        decay = np.exp(-layer.dt / 5.0)
        return 5.0 * (1.0 - decay) / layer.dt * inSyn, inSyn * decay


def error_of(layer: Any, spikes: Any, t: int) -> Any:
    return 0.5 * layer.filter(torch.tensor(TARGETS[t]) - spikes) ** 2


def error_in_time(layer: Any, spikes: Any, t: int) -> Any:
    return (0.0 if t < 300 else 1.0 + 0.5 * np.sin(0.3 * t)) * error_of(layer, spikes, t)


def fed_back(layer: Any, spikes: Any, t: int) -> Any:
    signal = np.sin(0.37 * t + 0.7 * np.arange(SIZE))
    return torch.tensor(signal) * layer.filter(-spikes)


def rate_of(layer: Any, spikes: Any, t: int) -> Any:
    layer.rate = 0.9 * getattr(layer, "rate", layer.zero) + spikes
    return 0.5 * (layer.rate - 0.5) ** 2


class Followed(reference.LIFLayer):
    detach = False


TARGETS = input_spikes(3, STEPS, SIZE, 0.05)
POTENTIAL = Loss("Potential", loss_code="loss = 0.5 * (V + 55.0) * (V + 55.0);")
HALF = Loss("Half", loss_code="loss = 0.5 * (rate - 0.5) * (rate - 0.5);")
REST = {"V": -60.0}


def potential(layer: Any, spikes: Any, t: int) -> Any:
    return 0.5 * (layer.V + 55.0) ** 2


CASES = {
    "output": Case(
        *(SuperSpikeOutput, ExpCurr, reference.SuperSpikeLayer),
        *({**MEMBRANE, **ERROR, "tauAvgErr": 1e4}, VAN_ROSSUM, error_of, 4.0),
        initial=REST,
    ),
    "output-in-time": Case(
        *(SuperSpikeOutput, ExpCurr, reference.SuperSpikeLayer),
        *({**MEMBRANE, **ERROR, "tauAvgErr": 1e4}, TIMED, error_in_time, 4.0),
        initial=REST,
    ),
    "output-delta": Case(
        *(SuperSpikeOutput, DeltaCurr, reference.SuperSpikeLayer),
        *({**MEMBRANE, **ERROR, "tauAvgErr": 1e4}, VAN_ROSSUM, error_of, 20.0),
        initial=REST,
    ),
    "hidden": Case(
        *(SuperSpikeHidden, ExpCurr, reference.SuperSpikeLayer, MEMBRANE),
        *(FeedbackLoss(SuperSpikeOutput, VAN_ROSSUM), fed_back, 4.0),
        initial=REST,
        signal="ISynFeedback",
    ),
    "lif": Case(LIF, ExpCurr, reference.LIFLayer, LEAKY, POTENTIAL, potential, 0.6, initial={"V": -65.0}),
    "lif-delta": Case(LIF, DeltaCurr, reference.LIFLayer, LEAKY, POTENTIAL, potential, 2.5, initial={"V": -65.0}),
    "lif-reset": Case(LIF, ExpCurr, Followed, LEAKY, POTENTIAL, potential, 0.6, False, {"V": -65.0}),
    "alif": Case(ALIF, DeltaCurr, reference.ALIFLayer, ADAPTIVE, HALF, rate_of, 0.3, ("V",)),
}


def both(case: Case, rule: EligibilityRule, **options: Any) -> tuple[Any, Any, int]:
    """Return minus what the engine sums up, the reference's gradient, and the number of spikes, which agrees."""
    spikes = input_spikes(1, STEPS, INPUTS, 0.08)
    weights = np.random.default_rng(2).normal(0.5 * case.weight, case.weight, (INPUTS, SIZE))
    targets = TARGETS if case.neuron is SuperSpikeOutput else None
    found, count = run_layer(
        rule,
        spikes,
        weights,
        params=case.params,
        initial=case.initial,
        psm_params=case.psm_params,
        targets=targets,
        signal=case.signal,
        **options,
    )
    layer = case.layer(torch, {**case.params, **ERROR}, 1.0, SIZE, BETA)
    late = arriving(spikes, options.get("delay", 0))
    expected, same = reference.gradient(torch, layer, weights, late, case.current, case.of)
    assert abs(same - count) <= SIZE  # the engine's run is one timestep longer
    return -found, expected, same


def worst(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", CASES)
def test_an_exact_rule_is_the_gradient(name: str) -> None:
    case = CASES[name]
    found, expected, count = both(case, case.rule())
    assert count >= case.least
    assert worst(found, expected) <= 1e-10


@pytest.mark.parametrize("name", ["output", "hidden", "alif"])
def test_in_single_precision_it_is_nearly_so(name: str) -> None:
    case = CASES[name]
    found, expected, _ = both(case, case.rule(), precision="float")
    assert worst(found, expected) <= 1e-4


def test_spikes_may_take_their_time() -> None:
    case = CASES["alif"]
    found, expected, _ = both(case, case.rule(), delay=3)
    assert worst(found, expected) <= 1e-10


# ---- wrong rules ----


def changed(rule: EligibilityRule, **fields: Any) -> EligibilityRule:
    return replace(rule, weight_update=replace(rule.weight_update, **fields))


def of_the_other_population(rule: EligibilityRule) -> EligibilityRule:
    w = rule.weight_update
    return changed(
        rule,
        pre_vars=(),
        post_vars=(*w.post_vars, *w.pre_vars),
        pre_spike_code="",
        post_spike_code=w.pre_spike_code,
        pre_dynamics_code="",
        post_dynamics_code=w.post_dynamics_code + w.pre_dynamics_code,
    )


def psi_a_step_late(rule: EligibilityRule) -> EligibilityRule:
    w = rule.weight_update
    return changed(
        rule,
        post_vars=(*w.post_vars, Var("late")),
        post_dynamics_code=f"late = psi;\n{w.post_dynamics_code}",
        synapse_dynamics_code=w.synapse_dynamics_code.replace("psi", "late"),
    )


def without_the_gate(rule: EligibilityRule) -> EligibilityRule:
    code = rule.weight_update.post_dynamics_code
    assert "left <= 0.0 ? " in code
    return changed(rule, post_dynamics_code=code.replace("left <= 0.0 ? ", "true ? "))


def trace_a_step_early(rule: EligibilityRule) -> EligibilityRule:
    w = rule.weight_update
    lines = w.pre_dynamics_code.splitlines()
    return changed(rule, pre_dynamics_code="\n".join(reversed(lines)))


def time_a_step_late(rule: EligibilityRule) -> EligibilityRule:
    code = rule.weight_update.post_dynamics_code
    assert "sin(0.3 * t)" in code
    return changed(rule, post_dynamics_code=code.replace("sin(0.3 * t)", "sin(0.3 * (t + dt))"))


def never_refractory(rule: EligibilityRule) -> EligibilityRule:
    code = rule.neuron.sim_code
    at = code.index("dV_dV = ")
    neuron = replace(rule.neuron, sim_code=f"{code[:at]}dV_dV = ExpTC;{code[code.index(';', at) + 1 :]}")
    return replace(rule, neuron=neuron)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("output", of_the_other_population),
        ("hidden", psi_a_step_late),
        ("alif", psi_a_step_late),
        ("alif", without_the_gate),
        ("output", trace_a_step_early),
        ("output-in-time", time_a_step_late),
        ("hidden", never_refractory),
    ],
)
def test_a_wrong_rule_is_found_out(name: str, spoil: Callable[[EligibilityRule], EligibilityRule]) -> None:
    case = CASES[name]
    found, expected, count = both(case, spoil(case.rule()))
    assert count >= case.least
    assert worst(found, expected) > 1e-3
