"""A declared neuron in numbers is what the formulas say, and needs all of its values."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.errors import GradientError
from snnlearn.grad.numeric import NumericStep
from snnlearn.models import LIF, DeltaCurr, ExpCurr

PARAMS = {"C": 20.0, "TauM": 20.0, "Vrest": 0.0, "Vreset": -0.5, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 3.0}
START = {"V": 0.0, "RefracTime": 0.0}


def test_a_neuron_integrates_spikes_and_is_refractory():
    step = NumericStep(LIF, DeltaCurr, PARAMS, {}, START, 1.0, (2,))
    assert step.margin() == 1.0
    decay = np.exp(-1.0 / 20.0)
    assert not step.advance(np.array([10.0, 0.0])).any()
    np.testing.assert_allclose(step.state["V"], [10.0 * (1.0 - decay), 0.0])
    assert step.advance(np.array([50.0, 0.0])).tolist() == [True, False]
    for _ in range(3):
        assert step.state["V"].tolist() == [-0.5, 0.0]
        step.advance(0.0)
    step.advance(0.0)
    np.testing.assert_allclose(step.state["V"], [-0.5 * decay, 0.0])


def test_input_decays_as_the_postsynaptic_model_says():
    step = NumericStep(LIF, ExpCurr, PARAMS, {"tau": 5.0}, START, 1.0, (1,))
    step.advance(1.0)
    step.advance(0.0)
    np.testing.assert_allclose(step.state["inSyn"], np.exp(-2.0 / 5.0))


def test_a_value_that_is_missing_is_named():
    with pytest.raises(GradientError, match="'LIF' needs a value for its parameter 'Vthresh'"):
        NumericStep(LIF, DeltaCurr, {k: v for k, v in PARAMS.items() if k != "Vthresh"}, {}, START, 1.0, (1,))
    with pytest.raises(GradientError, match="first value for its variable 'RefracTime'"):
        NumericStep(LIF, DeltaCurr, PARAMS, {}, {"V": 0.0}, 1.0, (1,))
