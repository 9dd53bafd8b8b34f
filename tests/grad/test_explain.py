"""A rule says what it is and what it leaves out; misuse is refused by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from typing import Any

import pytest

from snnlearn.declare import Loss, NeuronModel, Surrogate
from snnlearn.dialect import check_model
from snnlearn.errors import GradientError, GradientWarning
from snnlearn.grad import FeedbackLoss, eligibility
from snnlearn.models import (
    LIF,
    ClassReadout,
    DeltaCurr,
    ExpCond,
    ExpCurr,
    Izhikevich,
    Poisson,
    SuperSpikeHidden,
    SuperSpikeOutput,
    TraubMiles,
    surrogates,
)

POTENTIAL = Loss("Potential", loss_code="loss = 0.5 * V * V;")
VAN_ROSSUM = Loss("VanRossum", loss_code="loss = 0.5 * errTilda * errTilda;")


def rule(neuron: Any = LIF, psm: Any = ExpCurr, **options: Any) -> Any:
    return eligibility(neuron, psm, **{"surrogate": "FastSigmoid", "loss": POTENTIAL, **options})


def test_the_whole_text_of_an_exact_rule() -> None:
    assert rule(jacobian="exact", detach_reset=False).explain() == (
        """forward rule of the weights into LIF, jacobian "exact", surrogate FastSigmoid

tangents
  eps_inSyn: of the presynaptic neuron, as no timestep and no neuron changes its coefficients
  eps_V: of each synapse, as dV_dV_2 changes with the postsynaptic neuron
  eps_Isyn: of the presynaptic neuron, as no timestep and no neuron changes its coefficients

values of the postsynaptic neuron that synapses read
  psi, kept by the connection: RefracTime <= 0.0 ? beta / ((1.0 + fabs(beta * h)) * (1.0 + fabs(beta * h))) : 0.0
  dV_dV_2, kept by the connection: (RefracTime <= 0.0 && V >= Vthresh ? 0.0 : 1.0) + psi * (Vreset - V)
  dV_dV, kept by the neuron: when ? 1.0 : ExpTC
  dV_dIsyn, kept by the neuron: when ? 0.0 : Rmembrane * (1.0 - ExpTC)

cut
  paths through spikes of other neurons, and of the neuron's own to itself through synapses

approximated
  the derivative of a spike, by the surrogate
"""
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "the derivative of the spike along the reset of V, RefracTime (detach_reset)"),
        ({"detach_reset": ("V",)}, "the derivative of the spike along the reset of V (detach_reset)"),
        ({}, "that of a neuron that does not spike and is never kept from spiking (RefracTime <= 0.0)"),
        ({"jacobian": "exact"}, "paths through spikes of other neurons"),
    ],
)
def test_what_is_left_out(options: dict[str, Any], says: str) -> None:
    assert says in rule(**options).explain()


def test_what_feedback_leaves_out() -> None:
    text = rule(SuperSpikeHidden, loss=FeedbackLoss(SuperSpikeOutput, VAN_ROSSUM)).explain()
    assert "how SuperSpikeOutput's own spikes change what it makes of this neuron's" in text
    assert "the weights from here to the loss, by those through which 'errTilda' comes back" in text


def test_a_comparison_that_counts_as_constant_warns_with_a_caret() -> None:
    with pytest.warns(GradientWarning) as caught:
        found = rule(Izhikevich, jacobian="exact")
    (warning,) = caught
    head, shown, caret = str(warning.message).split("\n")
    assert head.startswith("model 'Izhikevich', sim_code, line 2: what is compared here has a derivative")
    assert shown[caret.index("^") :] == "V >= 30.0) {"
    assert warning.filename == __file__
    assert "a comparison counts as constant: if (V >= 30.0) {" in found.explain()


def test_no_warning_where_nothing_is_left_out() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for jacobian in ("subthreshold", "exact"):
            for neuron, loss in ((LIF, POTENTIAL), (SuperSpikeOutput, VAN_ROSSUM), (ClassReadout, POTENTIAL)):
                made = rule(neuron, loss=loss, jacobian=jacobian)
                check_model(made.weight_update)
                check_model(made.neuron)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surrogate": "FastSigmoide"}, "there is no surrogate called 'FastSigmoide'; did you mean 'FastSigmoid'?"),
        ({"surrogate": 3.0}, "a surrogate is a grad.Surrogate or a name, not float"),
        ({"surrogate": Surrogate("Empty")}, "surrogate 'Empty' needs derivative_code"),
        ({"jacobian": "exakt"}, "there is no jacobian 'exakt'; did you mean 'exact'?"),
        ({"params": {"Vtresh": 1.0}}, "nothing declares a parameter 'Vtresh'; did you mean 'Vthresh'?"),
        ({"detach_reset": ("v",)}, "detach_reset: LIF has no variable 'v'; did you mean 'V'?"),
        ({"detach_reset": "V"}, "detach_reset takes several names: ('V',)"),
        ({"loss": Loss("Empty")}, "loss 'Empty' needs loss_code, such as"),
        ({"loss": Loss("None", loss_code="loss = t;")}, "loss 'None' depends on no variable of LIF by a derivative"),
        ({"loss": FeedbackLoss(SuperSpikeOutput, VAN_ROSSUM)}, "LIF has no variable 'errTilda' for the error signal"),
    ],
)
def test_misuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GradientError) as caught:
        rule(**options)
    assert message in str(caught.value)


def test_a_postsynaptic_model_whose_current_depends_on_the_neuron_is_refused() -> None:
    for jacobian in ("subthreshold", "exact"):
        with pytest.raises(
            GradientError, match="model 'ExpCond', sim_code, line 2: ExpCond: what it injects"
        ) as caught:
            rule(LIF, ExpCond, jacobian=jacobian)
        assert "a constant share of inSyn" in str(caught.value)


def test_a_loss_that_no_weight_reaches() -> None:
    loss = Loss("Count", loss_code="loss = timeStepToSpike * timeStepToSpike;")
    neuron = NeuronModel("Alone", vars=["V", "U"], sim_code="V = 0.9 * V + Isyn; U = 0.5 * U;")
    with pytest.raises(GradientError, match="Alone: no weight has an influence on U that has a derivative"):
        rule(neuron, loss=Loss("U", loss_code="loss = U * U;"))
    with pytest.raises(GradientError, match="model 'Poisson', threshold_condition_code, line 1: Poisson: no weight"):
        rule(Poisson, loss=loss)


def test_code_that_would_be_too_long_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        with pytest.raises(GradientError, match="TraubMiles: its derived code is longer than 100,000 characters"):
            rule(TraubMiles, jacobian="exact")


def test_what_cannot_be_followed_is_refused_where_it_matters() -> None:
    neuron = NeuronModel("Loop", vars=["V", "n"], sim_code="V = Isyn;\nwhile (V > 1.0) { V -= 1.0; }")
    with pytest.raises(GradientError, match="model 'Loop', sim_code, line 2: how often this loop runs depends on data"):
        rule(neuron)


def test_a_function_without_a_derivative_is_shown_where_it_is_called() -> None:
    neuron = NeuronModel("Gamma", vars=["V"], sim_code="V = 0.9 * V + Isyn;\nV = V + 0.1 * tgamma(V);")
    with pytest.raises(GradientError) as caught:
        rule(neuron)
    head, shown, caret = str(caught.value).split("\n")
    assert head.startswith("model 'Gamma', sim_code, line 2: 'tgamma' has no derivative here; those that have one: ")
    assert shown[caret.index("^") :] == "tgamma(V);"


def test_a_name_that_means_something_here_is_refused() -> None:
    with pytest.raises(GradientError, match="Wave: 'psi' is the derivative of a spike here; choose another name"):
        rule(NeuronModel("Wave", vars=["V", "psi"], sim_code="V = Isyn;"))


def test_names_that_several_declare_are_told_apart() -> None:
    neuron = NeuronModel(
        "Own",
        params=["tau", "beta", "k"],
        vars=["V", "m"],
        sim_code="V += (Isyn - V / tau) * dt * k; m = V + beta * m;",
        threshold_condition_code="V >= beta",
    )
    found = rule(
        neuron,
        loss=Loss("Own", params=["beta"], loss_code="loss = 0.5 * beta * m * m;"),
        params={"tau": 3.0, "ExpCurr_tau": 5.0, "beta": 1.0, "Own_beta": 2.0, "k": 0.5},
    )
    w = found.weight_update
    assert {p.name for p in w.params} >= {"tau", "ExpCurr_tau", "beta", "Own_beta"}
    assert found.params["beta"] == 1.0
    assert found.params["Own_beta"] == 2.0
    assert found.post_neuron_var_refs.items() >= {("neuron_m", "m")}
    check_model(w)


def test_a_parameter_that_is_called_like_a_weight_is_refused() -> None:
    neuron = NeuronModel("Own", params=["w"], vars=["V"], sim_code="V = w * Isyn;")
    with pytest.raises(
        GradientError, match="Own: a rule has variables 'w' and 'm'; give the parameter 'w' another name"
    ):
        rule(neuron)


def test_a_long_coefficient_of_constants_is_one_too() -> None:
    """An Euler step's Jacobian is 1 - dt / tau: still a trace, however the code says it."""
    code = (
        "const scalar gain = dt / tau; const scalar leak = V / (tau * 2.0) + gain * V; V += (Isyn - leak) * dt * gain;"
    )
    found = rule(NeuronModel("Euler", params=["tau"], vars=["V"], sim_code=code)).weight_update
    assert [v.name for v in found.vars] == ["w", "m"]
    assert [v.name for v in found.pre_vars] == ["eps_inSyn", "eps_V"]
    check_model(found)


def test_noise_needs_no_derivative() -> None:
    neuron = NeuronModel("Noisy", vars=["V"], sim_code="V = 0.9 * V + Isyn + gennrand_normal();")
    assert rule(neuron).weight_update.synapse_dynamics_code == "m -= V * eps_V;\n"


def test_a_rule_is_the_same_in_every_process() -> None:
    """Whatever the order of sets: generated source is cached by its text."""
    program = """
from snnlearn.grad import network_rules, Loss
from snnlearn.models import ClassReadout, ExpCurr, SuperSpikeHidden, SuperSpikeOutput
error = Loss("E", loss_code="loss = 0.5 * errTilda * errTilda;")
for method in ("eprop", "rtrl"):
    print(network_rules(method, [(SuperSpikeHidden, ExpCurr)], (SuperSpikeOutput, ExpCurr), error, surrogate="Sigmoid"))
product = Loss("P", loss_code="loss = V * V * target;")
print(network_rules("rtrl", [], (ClassReadout, ExpCurr), product, surrogate="Sigmoid"))
"""
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    ]
    texts = {re.sub(r"<function .*? at 0x[0-9a-f]+>", "<function>", text) for text in printed}
    assert len(texts) == 1
    assert len(texts.pop()) > 1000


def test_a_rule_is_a_value() -> None:
    one, two = (rule(SuperSpikeOutput, loss=VAN_ROSSUM, params={"tauRefrac": 5.0}) for _ in range(2))
    assert one.weight_update.codes() == two.weight_update.codes()
    assert one.weight_update == two.weight_update
    named = ["ArcTan", "Boxcar", "FastSigmoid", "ScaledFastSigmoid", "Sigmoid", "Triangle"]
    assert [s.name for s in surrogates.ALL] == named
    assert rule(psm=DeltaCurr).postsynaptic is DeltaCurr
