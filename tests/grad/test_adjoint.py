"""`adjoint`: the reverse pass of a neuron as declarations."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn import models
from snnlearn.declare import NeuronModel
from snnlearn.dialect import check_model
from snnlearn.errors import GradientError
from snnlearn.grad import adjoint
from snnlearn.models import ExpCurr

NEURONS = [m for m in vars(models).values() if isinstance(m, NeuronModel)]


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda neuron: neuron.name)
def test_the_library_has_reverse_passes_whose_code_is_sound(neuron: NeuronModel) -> None:
    found = adjoint(neuron, ExpCurr, surrogate="FastSigmoid")
    for model in (found.forward, found.adjoint, found.weight_update):
        assert check_model(model).snippets  # raises an error for code that is not


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surrogate": "FastSigmoids"}, "did you mean 'FastSigmoid'"),
        ({"params": {"bta": 1.0}}, "there is no parameter 'bta'; did you mean 'beta'"),
    ],
)
def test_misuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GradientError, match=message):
        adjoint(models.LIF, ExpCurr, **{"surrogate": "FastSigmoid"} | options)
