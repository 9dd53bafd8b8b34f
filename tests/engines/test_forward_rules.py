"""A forward rule is a model like any other: every engine, GeNN's too, sums up the same gradient."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from forward_networks import input_spikes, run_layer
from snnlearn.declare import Loss
from snnlearn.grad import EligibilityRule, eligibility
from snnlearn.models import LIF, ExpCurr

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
