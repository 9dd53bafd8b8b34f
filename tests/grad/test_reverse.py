"""The shape of a reversed timestep: what is recorded for it, and what its models are."""

from __future__ import annotations

import pytest

from snnlearn import grad
from snnlearn.dialect import check_model, unparse
from snnlearn.errors import GradientError
from snnlearn.grad.reverse import Inputs, Request, reverse
from snnlearn.models import LIF, DeltaCurr, ExpCond, ExpCurr, SuperSpikeHidden, SuperSpikeOutput, TraubMiles
from snnlearn.models.surrogates import FastSigmoid

ERROR = grad.Loss("HalfSquaredError", loss_code="loss = 0.5 * errTilda * errTilda;")


def test_a_hidden_neuron_records_one_number_and_bits() -> None:
    found = reverse(SuperSpikeHidden, [Inputs(ExpCurr)], Request(FastSigmoid, spikes_matter=True))
    assert [unparse(e) for e in found.tape.coefficients.numbers] == ["psi"]
    assert len(found.tape.coefficients.bits) == 2
    assert dict(found.states) == {"V": "lam_V"}
    assert [v.name for v in found.adjoint.vars[:2]] == ["lam_V", "mu"]
    assert found.tape.words == [("tapeGates", "uint8_t")]


def test_what_no_weight_moves_has_no_adjoint() -> None:
    found = reverse(SuperSpikeOutput, [Inputs(ExpCurr)], Request(FastSigmoid, ERROR))
    assert set(found.states) == {"V", "errRise", "errDecay"}
    assert found.losses == ("errTilda",)
    assert len(found.tape.coefficients.numbers) == 2


def test_resets_count_where_they_are_asked_for() -> None:
    options = {"spikes_matter": True, "detach_reset": False}
    found = reverse(LIF, [Inputs(DeltaCurr)], Request(FastSigmoid, **options))
    assert len(found.tape.coefficients.numbers) == 2  # psi, and how far the reset takes V
    check_model(found.forward)
    check_model(found.adjoint)


def test_any_number_of_conditions_is_recorded() -> None:
    """25 steps within a timestep, each with conditions of its own: three words."""
    found = reverse(TraubMiles, [Inputs(ExpCurr)], Request(FastSigmoid, spikes_matter=True))
    kinds = [kind for _, kind in found.tape.words]
    assert kinds[:2] == ["unsigned int", "unsigned int"]
    assert 64 < 1 + len(found.tape.coefficients.bits) <= 96
    check_model(found.adjoint)


def test_conductances_have_no_models_for_any_engine() -> None:
    with pytest.raises(GradientError, match=r"'ExpCond' does not only add up, decay.*grad\.differentiate does"):
        grad.adjoint(LIF, ExpCond, surrogate="FastSigmoid")


def test_models_for_any_engine() -> None:
    found = grad.adjoint(LIF, ExpCurr, surrogate="FastSigmoid", params={"beta": 0.5, "tau": 5.0}, axonal_delay=3)
    assert found.weight_update.pre_spike_syn_code == "m -= mu[3];"
    assert found.weight_update.synapse_dynamics_code == "addToPre(w * mu[3]);"
    assert found.params == {"surrogate_beta": 0.5, "mu_tau": 5.0}
    assert "tapeGates" in found.arrays
    with pytest.raises(GradientError, match="no parameter 'betta'"):
        grad.adjoint(LIF, ExpCurr, surrogate="FastSigmoid", params={"betta": 0.5})
    with pytest.raises(GradientError, match="FastSigmoid"):
        grad.adjoint(LIF, ExpCurr, surrogate="FastSigmoit")
