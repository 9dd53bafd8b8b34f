"""What a program is given that it cannot take: typed errors, and a model that stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import DeclarationError, GradientError, LifecycleError
from snnlearn.models import LIF
from snnlearn.models.surrogates import FastSigmoid

LOSS = grad.Loss("Square", loss_code="loss = V * V;")
MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 10.0, "Ioffset": 0.0, "TauRefrac": 3.0}


class Network:
    """Poisson neurons, LIF neurons, and a population that is connected to nothing."""

    def __init__(self) -> None:
        self.model = genn.GeNNModel("double", "misuse", threads=1)
        self.model.dt, self.model.seed = 1.0, 1
        start = {"V": 0.0, "RefracTime": 0.0}
        self.noise = self.model.add_neuron_population("Noise", 6, "Poisson", {"rate": 100.0}, {"timeStepToSpike": 0.0})
        self.neurons = self.model.add_neuron_population("Neurons", 4, LIF, MEMBRANE, start)
        self.alone = self.model.add_neuron_population("Alone", 3, LIF, MEMBRANE, start)
        self.synapses = self.connect("Synapses", "StaticPulse", {"g": 1.5})
        self.g = self.synapses.vars["g"]

    def connect(self, name: str, rule: Any, values: Any) -> Any:
        send, psm = genn.init_weight_update(rule, {}, values), genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        return self.model.add_synapse_population(name, "DENSE", self.noise, self.neurons, send, psm)

    def differentiate(self, **options: Any) -> Any:
        given = {"wrt": [self.g], "loss": {self.neurons: LOSS}, "surrogate": FastSigmoid, "params": {"beta": 1.0}}
        return grad.differentiate(self.model, **{**given, "window": 20, **options})


Options = Callable[[Network, Network], dict[str, Any]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (lambda a, _: {"wrt": a.g}, "wrt is a sequence"),
        (lambda _, b: {"wrt": [b.g]}, "'Synapses' is no group of this model"),
        (lambda _, b: {"loss": {b.neurons: LOSS}}, "'Neurons' is no group of this model"),
        (lambda _, b: {"outputs": [b.neurons.vars["V"]]}, "'Neurons' is no group of this model"),
        (lambda _, __: {"outputs": ["V"]}, "outputs takes variables of neurons"),
        (lambda a, _: {"outputs": [a.g]}, "outputs takes variables of neurons"),
        (lambda a, _: {"outputs": a.neurons.vars["V"]}, "outputs is a sequence"),
        (lambda _, __: {"loss": LOSS}, "loss is a mapping"),
        (lambda _, __: {"detach_reset": "V"}, "detach_reset is True or False"),
        (lambda _, __: {"params": [("beta", 1.0)]}, "params is a mapping"),
        (lambda _, __: {"params": {"beta": "1"}}, "beta must be a number, not '1'"),
        (lambda a, _: {"wrt": [a.neurons.vars["RefracTime"]]}, "does not depend on 'RefracTime' of 'Neurons'"),
        (lambda a, _: {"wrt": [a.noise.vars["timeStepToSpike"]]}, "does not depend on 'timeStepToSpike' of 'Noise'"),
        (lambda a, _: {"wrt": [(a.alone, "TauM")]}, "does not depend on 'TauM' of 'Alone'"),
    ],
)
def test_what_is_refused(options: Options, message: str) -> None:
    network = Network()
    with pytest.raises(GradientError, match=message):
        network.differentiate(**options(network, Network()))
    network.differentiate()


def test_a_refusal_leaves_the_model_as_it_was() -> None:
    network = Network()
    rule = genn.create_weight_update_model("Own", vars=["g", "m"], pre_spike_syn_code="addToPost(g);")
    other = network.connect("Other", rule, {"g": 1.0, "m": 0.0})
    with pytest.raises(DeclarationError, match="'m'"):
        network.differentiate(wrt=[network.g, other.vars["g"]])
    assert network.neurons.model.name == "LIF"
    assert "m" not in network.synapses.vars
    network.differentiate()


def test_derived_parameters_without_a_derivative() -> None:
    """`abs` gives a real number for a complex one: its derivative came out as zero."""
    model = genn.GeNNModel("double", "derived", threads=1)
    twice = genn.create_neuron_model(
        "Twice", params=["a"], vars=["z"], derived_params=[("b", lambda p, dt: 2.0 * abs(p["a"]))], sim_code="z = b;"
    )
    neurons = model.add_neuron_population("N", 1, twice, {"a": 3.0}, {"z": 0.0})
    loss = grad.Loss("Value", loss_code="loss = z;")
    with pytest.raises(GradientError, match="'b' of 'Twice' has no derivative"):
        grad.differentiate(
            model, [(neurons, "a")], {neurons: loss}, surrogate=FastSigmoid, params={"beta": 1.0}, window=5
        )


def test_derivatives_that_are_all_constant() -> None:
    """There is nothing to record then but the number of timesteps."""
    model = genn.GeNNModel("double", "linear", threads=1)
    model.dt = 1.0
    line = genn.create_neuron_model("Line", params=["a"], vars=["z"], sim_code="z = a * a;")
    neurons = model.add_neuron_population("N", 1, line, {"a": 3.0}, {"z": 0.0})
    loss = grad.Loss("Value", loss_code="loss = z;")
    program = grad.differentiate(
        model, [(neurons, "a")], {neurons: loss}, surrogate=FastSigmoid, params={"beta": 1.0}, window=5
    )
    model.build()
    model.load()
    model.run(5)
    program.backward()
    assert program.grad((neurons, "a")) == pytest.approx(30.0)
    model.unload()
    model.load()
    assert program.grad((neurons, "a")) is None  # as the gradients of weights, which begin anew
    model.unload()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "switch (k) { case 1: V += Isyn; break; default: V += 2.0 * Isyn; }",
            r"a 'switch' cannot be followed(.|\n)*\^",
        ),
        ("while (V > 1.0) V -= Isyn;", r"how often this loop runs depends on data(.|\n)*\^"),
    ],
)
def test_code_that_cannot_be_followed_is_pointed_at(code: str, message: str) -> None:
    """It was taken for code that no synapse has an influence on: its gradient was left out without a word."""
    network = Network()
    odd = genn.create_neuron_model(
        "Odd", vars=["V", ("k", "int")], sim_code=code, threshold_condition_code="V >= 1.0", reset_code="V = 0.0;"
    )
    neurons = network.model.add_neuron_population("Odd", 2, odd, {}, {"V": 0.0, "k": 0})
    send, psm = genn.init_weight_update("StaticPulse", {}, {"g": 1.0}), genn.init_postsynaptic("DeltaCurr")
    to_odd = network.model.add_synapse_population("ToOdd", "DENSE", network.noise, neurons, send, psm)
    with pytest.raises(GradientError, match=message):
        network.differentiate(wrt=[network.g, to_odd.vars["g"]], loss={network.neurons: LOSS, neurons: LOSS})


# ---- a network that is loaded ----


@pytest.fixture(scope="module")
def loaded() -> Iterator[tuple[Network, Any]]:
    network = Network()
    halve = genn.create_custom_update_model(
        "Halve", var_refs=[("x", "scalar", genn.VarAccessMode.READ_WRITE)], update_code="x *= 0.5;"
    )
    waiting = {"x": genn.create_out_post_var_ref(network.synapses)}
    network.model.add_custom_update("HalveInput", "Halve", halve, {}, {}, waiting)
    program = network.differentiate(wrt=[network.g, (network.neurons, "TauM")], outputs=[network.neurons.vars["V"]])
    network.model.build()
    network.model.load()
    yield network, program
    network.model.unload()


@pytest.fixture
def ready(loaded: tuple[Network, Any]) -> tuple[Network, Any]:
    network, program = loaded
    program.forget()
    program._hooks.clear()
    program.zero_grad()
    network.model.run(10)
    return network, program


@pytest.mark.parametrize("given", ["a", [[1.0], [1.0, 2.0]], np.ones((10, 4)) * 1j])
def test_adjoints_that_are_no_numbers(ready: tuple[Network, Any], given: Any) -> None:
    network, program = ready
    with pytest.raises(GradientError, match=r"gradient of 'Neurons.V'.* must be an array of real numbers"):
        program.backward({network.neurons.vars["V"]: given})


@pytest.mark.parametrize("given", [{}, np.ones((10, 4))])
def test_adjoints_of_nothing(ready: tuple[Network, Any], given: Any) -> None:
    with pytest.raises(GradientError, match="gradient is a mapping"):
        ready[1].backward(given)


def test_hooks_that_fail_leave_gradients_as_they_were(ready: tuple[Network, Any]) -> None:
    """Parameters come after weights, whose gradients were added already, and once more by the next pass."""
    network, program = ready
    parameter = (network.neurons, "TauM")
    remove = program.register_hook(parameter, lambda g: np.ones(3))
    with pytest.raises(GradientError, match=r"'TauM' of 'Neurons' has the shape \(3,\), not \(\)"):
        program.backward()
    assert not program.grad(network.g).any()
    remove()
    remove()
    program.backward()
    assert program.grad(network.g).any()
    with pytest.raises(GradientError, match="a hook is a function"):
        program.register_hook(parameter, 3)


def test_a_state_that_is_put_back(ready: tuple[Network, Any]) -> None:
    network, program = ready
    network.model.set_state(network.model.state())
    with pytest.raises(LifecycleError, match="set_state put a state back after the run"):
        program.backward()


def test_a_custom_update_of_input_on_its_way(ready: tuple[Network, Any]) -> None:
    network, program = ready
    network.model.custom_update("Halve")
    with pytest.raises(LifecycleError, match=r"custom_update\('Halve'\) wrote out_post of 'Synapses'"):
        program.backward()


def test_a_pass_that_is_interrupted(ready: tuple[Network, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    network, program = ready
    program.backward(retain_tape=True)
    once = program.grad(network.g)
    program.zero_grad()
    adjoint = next(iter(program._networks.values()))
    run = adjoint.model.run

    def interrupted(timesteps: int) -> None:
        run(timesteps // 2)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(adjoint.model, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            program.backward()
    assert not program.grad(network.g).any()
    program.backward()
    assert np.array_equal(program.grad(network.g), once)


def test_adjoints_of_one_of_two_outputs() -> None:
    """What they do not depend on gets none."""
    network = Network()
    start = {"V": 0.0, "RefracTime": 0.0}
    second = network.model.add_neuron_population("Second", 3, LIF, MEMBRANE, start)
    send, psm = genn.init_weight_update("StaticPulse", {}, {"g": 1.5}), genn.init_postsynaptic("DeltaCurr")
    other = network.model.add_synapse_population("ToSecond", "DENSE", network.noise, second, send, psm)
    wrt = [network.g, other.vars["g"], (second, "TauM"), second.vars["V"]]
    outputs = network.neurons.vars["V"], second.vars["V"]
    program = network.differentiate(wrt=wrt, loss={}, outputs=outputs)
    network.model.build()
    network.model.load()
    network.model.run(20)
    with pytest.raises(GradientError, match="there is no loss"):
        program.backward()
    program.retain_grad(second.vars["V"])
    program.backward({outputs[0]: np.ones((20, 4))})
    assert program.grad(network.g).any()
    assert not any(np.any(program.grad(what)) for what in wrt[1:])
    adjoint = program.adjoint(second.vars["V"])
    assert adjoint.shape == (20, 1, 3)
    assert not adjoint.any()
    network.model.unload()
