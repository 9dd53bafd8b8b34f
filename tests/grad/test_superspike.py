"""The rule that is derived from SuperSpike's neurons is the one written by hand, in shape, values and closed forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.declare import Loss
from snnlearn.grad import EligibilityRule, eligibility
from snnlearn.io import SpikeTrains
from snnlearn.models import ExpCurr, SuperSpike, SuperSpikeHidden, SuperSpikeOutput
from snnlearn.userproject import superspike
from snnlearn.userproject.superspike import derived_rule

LOSS = Loss("VanRossum", loss_code="loss = 0.5 * errTilda * errTilda;")
MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
PARAMS = MEMBRANE | {"tauRise": 5.0, "tauDecay": 10.0, "tau": 5.0, "beta": 1.0}
DURATION = 50.0


def without_gate(population: str) -> EligibilityRule:
    """Return a rule whose surrogate takes no notice of refractoriness, as that of the one written by hand."""
    rule = derived_rule(population)
    code = rule.weight_update.post_dynamics_code
    assert "refracTime <= 0.0 ? " in code
    open_gate = code.replace("refracTime <= 0.0 ? ", "true ? ")
    return replace(rule, weight_update=replace(rule.weight_update, post_dynamics_code=open_gate))


def gradients(patch: pytest.MonkeyPatch, dt: float, rule: str) -> tuple[dict[str, Any], str]:
    """Return what a rule has summed up after 50 ms, by connection, and how the model is run."""
    patch.setattr(superspike, "TIMESTEP_MS", dt)
    patch.setattr(superspike, "WEIGHT_SD", 80.0)  # more than the demo's 50: spikes from the start
    inputs = superspike.frozen_poisson(1, superspike.NUM_INPUT, DURATION)
    rng = np.random.default_rng(5)
    size = superspike.NUM_OUTPUT
    ids = rng.integers(0, size, 2 * size)
    target = SpikeTrains.from_spikes(np.sort(rng.uniform(0.0, DURATION, 2 * size)), ids, size)
    network = superspike.describe(genn, inputs, target, seed=3, rule=rule, recording=True, backend="cpu", threads=1)
    network.model.build()
    steps = round(DURATION / dt) + 1
    network.model.load(num_recording_timesteps=steps)
    network.model.custom_update("CalculateTranspose")
    network.model.run(steps)
    network.model.pull_recording_buffers_from_device()
    for population in (network.hidden, network.output):
        assert len(population.spike_recording_data[0][0]) > 20
    found = {}
    for connection in (network.input_hidden, network.hidden_output):
        connection.vars["m"].pull_from_device()
        found[connection.name] = connection.vars["m"].view.astype(float).ravel()
    return found, network.model.explain()


def compared(monkeypatch: pytest.MonkeyPatch, dt: float, *, gate: bool) -> dict[str, tuple[float, float]]:
    """Return cosine and residual of both rules, by connection."""
    with monkeypatch.context() as patch:
        by_hand, _ = gradients(patch, dt, "handwritten")
    with monkeypatch.context() as patch:
        if not gate:
            patch.setattr(superspike, "derived_rule", without_gate)
        derived, text = gradients(patch, dt, "superspike")
    assert text.count("as a product of matrices, rows without a spike in closed form") == 2
    result = {}
    for name, x in by_hand.items():
        y = derived[name]
        scale = x @ y / (y @ y)
        assert scale > 0.0
        result[name] = x @ y / np.sqrt((x @ x) * (y @ y)), np.linalg.norm(x - scale * y) / np.linalg.norm(x)
    return result


def test_it_is_the_rule_written_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (cosine, _) in compared(monkeypatch, 0.1, gate=True).items():
        assert cosine >= 0.9998, name


@pytest.mark.slow
def test_what_differs_comes_of_the_other_way_to_step(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse, fine = (compared(monkeypatch, dt, gate=False) for dt in (0.1, 0.02))
    for name, (_, residual) in coarse.items():
        assert fine[name][1] <= residual / 4.0, name


@pytest.mark.parametrize("name", ["Hidden", "Output"])
def test_its_shape_is_that_of_the_one_written_by_hand(name: str) -> None:
    rule = derived_rule(name)
    w = rule.weight_update
    assert len(w.pre_vars) == len(SuperSpike.pre_vars) == 2
    assert len(w.post_vars) == len(SuperSpike.post_vars) == 1
    assert [v.name for v in w.vars] == ["w", "eps_errRise", "eps_errDecay", "m"]
    assert len(w.vars) == len(SuperSpike.vars)
    assert rule.neuron in (SuperSpikeHidden, SuperSpikeOutput)
    assert w.pre_dynamics_code == (
        "eps_V = ExpTC * eps_V + Rmembrane * (1.0 - ExpTC) * (init * eps_inSyn);\neps_inSyn = expDecay * eps_inSyn;\n"
    )
    assert w.pre_spike_code == "eps_inSyn += 1.0;\n"
    assert w.post_dynamics_code.endswith(
        "psi = refracTime <= 0.0 ? beta / ((1.0 + fabs(beta * h)) * (1.0 + fabs(beta * h))) : 0.0;\n"
    )


def test_only_facts_make_it_so() -> None:
    """Without the value of tauRefrac the potential may be reset while the neuron can spike."""
    unknown = {name: value for name, value in PARAMS.items() if name != "tauRefrac"}
    rule = eligibility(SuperSpikeOutput, ExpCurr, surrogate="FastSigmoid", loss=LOSS, params=unknown)
    assert [v.name for v in rule.weight_update.vars] == ["w", "eps_V", "eps_errRise", "eps_errDecay", "m"]
    assert "eps_V: of each synapse, as dV_dV changes with the postsynaptic neuron" in rule.explain()
