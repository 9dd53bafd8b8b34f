"""Forward rules of a described network: gradients that synapses sum up as it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

from gradient_networks import BETA, Case, Weights, describe, torch_gradients

LOSS = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
RANDOM = np.random.default_rng(1)
INPUTS = RANDOM.uniform(size=(150, 1, 8)) < 0.1
FIRST, SECOND = RANDOM.normal(8.0, 6.0, (8, 6)), RANDOM.normal(6.0, 8.0, (6, 5))
OPTIONS = {"surrogate": FastSigmoid, "params": {"beta": BETA}}


def one_layer() -> Case:
    return Case(INPUTS, {"A": 6}, [Weights("Input", "A", FIRST, axonal=2)], ["A"])


def test_the_exact_rule_is_the_gradient_of_a_layer() -> None:
    """Where there are no other neurons, nothing is cut; the last timestep's part is added in the next one."""
    case = one_layer()
    expected, spikes = torch_gradients(case)
    assert spikes["A"].sum() > 50
    silent = np.zeros((1, 1, 8), bool)
    longer = Case(np.concatenate([INPUTS, silent]), case.sizes, case.weights, case.losses)
    model = describe(genn, longer, threads=1)
    weights = longer.groups["InputA"].vars["g"]
    program = grad.differentiate(model, [weights], {longer.groups["A"]: LOSS}, method="rtrl", **OPTIONS)
    model.build()
    model.load()
    model.run(151)
    found = weights.grad.ravel()
    assert np.abs(found - expected["InputA"]).max() < 1e-10 * np.abs(expected["InputA"]).max()
    np.testing.assert_array_equal(-found, longer.groups["InputA"].vars["m"].values.ravel())
    with pytest.raises(GradientError, match=r"read \.grad"):
        program.backward()
    program.zero_grad()
    assert not np.any(weights.grad)
    model.unload()


def test_traces_of_neurons_below_threshold_are_shared() -> None:
    """The same rule without what spikes and resets do to a neuron: a trace for each presynaptic neuron."""
    case = one_layer()
    model = describe(genn, case, threads=1)
    group = case.groups["InputA"]
    program = grad.differentiate(model, [group.vars["g"]], {case.groups["A"]: LOSS}, method="superspike", **OPTIONS)
    assert "eps_V" in group.pre_vars
    assert "InputA" in program.explain()
    assert group.vars["g"].requires_grad


def two_layers() -> tuple[Case, Any]:
    case = Case(INPUTS, {"A": 6, "B": 5}, [Weights("Input", "A", FIRST), Weights("A", "B", SECOND)], ["B"])
    return case, describe(genn, case, threads=1)


def test_what_has_no_forward_rule() -> None:
    case, model = two_layers()
    weights, loss = [case.groups["InputA"].vars["g"]], {case.groups["B"]: LOSS}
    with pytest.raises(GradientError, match=r"'A', which 'InputA' leads to, needs a loss of its own.*FeedbackLoss"):
        grad.differentiate(model, weights, loss, method="eprop", **OPTIONS)
    with pytest.raises(GradientError, match="for weights alone"):
        grad.differentiate(model, [(case.groups["B"], "TauM")], loss, method="rtrl", **OPTIONS)
    with pytest.raises(GradientError, match=r"no parameter 'betta'.*'beta'"):
        grad.differentiate(model, weights, loss, surrogate=FastSigmoid, params={"betta": 1.0}, method="rtrl")
