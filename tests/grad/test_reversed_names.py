"""Names of declarations in reversed timesteps: told apart, or refused."""

from __future__ import annotations

import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError

SQUARE = grad.Loss("Square", loss_code="loss = V * V;")
RATE = grad.Surrogate("Rate", params=["beta"], derivative_code="1.0 / (1.0 + beta * h * h)")


def neuron(*, tau: str = "tau", a: str = "A", local: str = "x") -> object:
    """Return an adaptive neuron some of whose names are chosen."""
    return genn.create_neuron_model(
        "Odd",
        params=[tau, "Vthresh"],
        vars=["V", a],
        sim_code=f"const scalar {local} = {tau} * V; V = {local} + Isyn; {a} *= 0.9;",
        threshold_condition_code=f"V - {a} >= Vthresh",
        reset_code=f"V = 0.0; {a} += 1.0;",
    )


@pytest.mark.parametrize(
    "name",
    ["live", "gates", "spiked", "coefficient0", "mu", "mu_injected", "lam_V", "total_V", "next_lam_V"],
)
def test_parameters_that_derived_code_would_hide(name: str) -> None:
    """Each was shadowed by a local constant of the reversed timestep."""
    with pytest.raises(GradientError, match=f"Odd: '{name}' means something else in its reversed timestep"):
        grad.adjoint(neuron(tau=name), genn.postsynaptic_models.ExpCurr(), surrogate=RATE, loss=SQUARE)


@pytest.mark.parametrize("name", ["spikeAdjoint", "mu", "total_V", "tapeGates", "tapeCoefficient0"])
def test_variables_that_stand_for_adjoints(name: str) -> None:
    with pytest.raises(GradientError, match=f"Odd: '{name}' means something else"):
        grad.adjoint(neuron(a=name), genn.postsynaptic_models.ExpCurr(), surrogate=RATE, loss=SQUARE)


@pytest.mark.parametrize(("name", "new"), [("surrogate_beta", "FastSigmoid_beta"), ("mu_tau", "ExpCurr_tau")])
def test_parameters_of_two_models_with_one_name(name: str, new: str) -> None:
    """The other model's has its name before it, and keeps its value."""
    surrogate = grad.Surrogate("FastSigmoid", params=["beta"], derivative_code=RATE.derivative_code)
    found = grad.adjoint(
        neuron(tau=name), genn.postsynaptic_models.ExpCurr(), surrogate=surrogate, loss=SQUARE,
        params={name: 8.0, "beta": 0.5, "tau": 3.0},
    )  # fmt: skip
    values = {"surrogate_beta": 0.5, "mu_tau": 3.0, name: 8.0, new: 3.0 if name == "mu_tau" else 0.5}
    assert found.params == values
    declared = {p.name for p in (*found.forward.params, *found.adjoint.params)} - {"tapeSlots", "Vthresh"}
    assert declared == values.keys()


@pytest.mark.parametrize("name", ["total_V", "spiked", "mu", "live", "spike", "h"])
def test_local_names_may_be_anything(name: str) -> None:
    grad.adjoint(neuron(local=name), genn.postsynaptic_models.ExpCurr(), surrogate=RATE, loss=SQUARE)
