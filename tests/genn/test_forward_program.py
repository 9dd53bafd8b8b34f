"""Forward rules of a described network: gradients that synapses sum up as it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.declare import NeuronModel
from snnlearn.errors import GradientError
from snnlearn.models import ExpCurr
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
    outputs = [case.groups["B"].vars["V"]]
    for more in ({"window": 5}, {"checkpoint": 2}, {"outputs": outputs}, {"detach_reset": False}):
        with pytest.raises(GradientError, match=f"{next(iter(more))} is for method='bptt'"):
            grad.differentiate(model, weights, loss, method="rtrl", **OPTIONS, **more)


LEAKY = NeuronModel(
    "Leaky",
    params=["tau"],
    vars=["V", "errTilda"],
    additional_input_vars=[("Error", "scalar", 0.0)],
    sim_code="V += (Isyn - V / tau) * dt; errTilda = Error;",
    threshold_condition_code="V >= 1.0",
    reset_code="V = 0.0;",
)
QUADRATIC = replace(LEAKY, name="Quadratic", sim_code="V += (Isyn - V * V / tau) * dt; errTilda = Error;")


def connect(model: Any, name: str, source: Any, target: Any, tau: float) -> Any:
    weights = genn.init_weight_update("StaticPulse", {}, {"g": 0.3})
    return model.add_synapse_population(
        name, "DENSE", source, target, weights, genn.init_postsynaptic("ExpCurr", {"tau": tau})
    )


def test_parameters_of_one_name_and_several_connections() -> None:
    """Each model's tau is its own, and connections into one population share what the neuron keeps."""
    model = genn.GeNNModel("double", "several", backend="cpu", threads=1)
    noise = model.add_neuron_population("Noise", 5, "Poisson", {"rate": 200.0}, {"timeStepToSpike": 0.0})
    leaky = model.add_neuron_population("Leaky", 3, QUADRATIC, {"tau": 20.0}, {"V": 0.0, "errTilda": 0.0})
    one, two = (connect(model, name, noise, leaky, 7.0) for name in ("One", "Two"))
    loss = grad.Loss("Potential", loss_code="loss = 0.5 * V * V;")
    weights = [one.vars["g"], two.vars["g"]]
    program = grad.differentiate(model, weights, {leaky: loss}, method="rtrl", **OPTIONS)
    assert program.rules["One"].params["ExpCurr_tau"] == 7.0
    assert leaky.model.name == "QuadraticWithJacobian"
    model.build()
    model.load()
    model.run(200)
    assert np.any(one.vars["g"].grad)
    np.testing.assert_allclose(one.vars["g"].grad, two.vars["g"].grad, rtol=1e-12)
    model.unload()


def test_parameters_of_the_layer_whose_error_is_fed_back() -> None:
    model = genn.GeNNModel("float", "back", backend="cpu", threads=1)
    noise = model.add_neuron_population("Noise", 5, "Poisson", {"rate": 200.0}, {"timeStepToSpike": 0.0})
    hidden = model.add_neuron_population("Hidden", 3, LEAKY, {"tau": 20.0}, {"V": 0.0, "errTilda": 0.0})
    output = model.add_neuron_population("Output", 2, LEAKY, {"tau": 30.0}, {"V": 0.0, "errTilda": 0.0})
    first, second = connect(model, "First", noise, hidden, 7.0), connect(model, "Second", hidden, output, 9.0)
    loss = grad.Loss("Potential", loss_code="loss = 0.5 * V * V;")
    losses = {output: loss, hidden: grad.FeedbackLoss(LEAKY, loss, via=ExpCurr)}
    program = grad.differentiate(model, [first.vars["g"], second.vars["g"]], losses, method="superspike", **OPTIONS)
    found = program.rules["First"].params
    assert found.items() >= {"tau": 20.0, "ExpCurr_tau": 7.0, "Leaky_tau": 30.0, "ExpCurr_tau_": 9.0}.items()


def test_parameters_that_share_a_name() -> None:
    """Each model has its own value: neuron, postsynaptic model, surrogate and loss all have a 'tau'."""
    neuron = genn.create_neuron_model(
        "Leaky",
        params=["tau"],
        vars=["V", "A"],
        sim_code="V += (Isyn - V) / tau;",
        threshold_condition_code="V >= 1.0 + A",
        reset_code="V = 0.0; A += 1.0;",
    )
    sharp = grad.Surrogate("Sharp", params=["tau"], derivative_code="1.0 / (1.0 + tau * h * h)")
    loss = grad.Loss("Level", params=["tau"], loss_code="loss = (V - tau) * (V - tau) + A * A;")
    rule = genn.create_weight_update_model("Scaled", params=["unused"], vars=["g"], pre_spike_syn_code="addToPost(g);")
    model = genn.GeNNModel("double", "shared_names", threads=1)
    ends = [model.add_neuron_population(name, 2, neuron, {"tau": 8.0}, {"V": 0.0, "A": 0.0}) for name in "AB"]
    send = genn.init_weight_update(rule, {"unused": 5.0}, {"g": 1.0})
    synapses = model.add_synapse_population("S", "DENSE", *ends, send, genn.init_postsynaptic("ExpCurr", {"tau": 3.0}))
    options = {"surrogate": sharp, "method": "rtrl"}
    with pytest.raises(GradientError, match="no value for 'tau'"):
        grad.differentiate(model, [synapses.vars["g"]], {ends[1]: loss}, **options)
    grad.differentiate(model, [synapses.vars["g"]], {ends[1]: loss}, params={"tau": 0.5}, **options)
    values = {**ends[1].spec.params, **synapses.spec.weight_update.params}
    assert values["unused"] == 5.0
    found = {name: value for name, value in values.items() if name.endswith("tau")}
    assert found == {"tau": 8.0, "ExpCurr_tau": 3.0, "Sharp_tau": 0.5, "Level_tau": 0.5}
