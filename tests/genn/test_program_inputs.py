"""The reverse pass through input that depends on the neuron, against the same network emitted as PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

from gradient_networks import scripted  # noqa: E402

import snnlearn.torch  # noqa: E402
from snnlearn import genn, grad  # noqa: E402
from snnlearn.declare import CurrentSourceModel, PostsynapticModel, VarAccessMode, VarRef  # noqa: E402
from snnlearn.errors import GradientError  # noqa: E402
from snnlearn.models import LIF, ExpCond  # noqa: E402

STEPS = 80
SHARP = {"surrogate": "FastSigmoid", "params": {"beta": 0.5}, "detach_reset": False}
MEMBRANE = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
HALF = grad.Loss("Half", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
ALPHA = PostsynapticModel(
    "AlphaCond",
    params=["k", "E"],
    vars=["x"],
    neuron_var_refs=[VarRef("Vm", "scalar", VarAccessMode.READ_ONLY)],
    sim_code="x = k * x + inSyn; injectCurrent(0.2 * x * (E - Vm)); inSyn *= k;",
)
SATURATING = PostsynapticModel("Saturating", sim_code="injectCurrent(20.0 * tanh(inSyn)); inSyn *= 0.8;")
ADAPTING = CurrentSourceModel(
    "Adapting",
    params=["g", "E"],
    vars=["n"],
    neuron_var_refs=[VarRef("Vm", "scalar", VarAccessMode.READ_ONLY)],
    injection_code="""
    n += 0.1 * (0.2 * (Vm + 60.0) - n);
    injectCurrent(1.5 * sin(0.3 * t) - 0.3 * n + g * exp(0.1 * (E - Vm)));
    """,
)
V = {"Vm": "V"}


class Network:
    """Input, a recurrent layer and a second one; which input they get is chosen."""

    def __init__(self, *what: str, precision: str = "double", batch: int = 1) -> None:
        self.model = model = genn.GeNNModel(precision, "inputs", threads=1)
        model.dt, model.seed, model.batch_size = 0.5, 1, batch
        rng = np.random.default_rng(3)
        source = model.add_neuron_population("Input", 6, scripted(genn), {}, {"step": 0})
        mask = rng.random((STEPS, batch, 6)) < 0.3
        source.extra_global_params["mask"].set_init_values(mask.ravel().astype(np.uint8))
        first = {"V": -65.0, "RefracTime": 0.0}
        a = model.add_neuron_population("A", 5, LIF, MEMBRANE, first)
        self.last = b = model.add_neuron_population("B", 4, LIF, MEMBRANE, first)
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        conductance = genn.init_postsynaptic(ExpCond, {"tau": 5.0, "E": 0.0}, var_refs={"V": "V"})
        inhibition = genn.init_postsynaptic(ExpCond, {"tau": 8.0, "E": -80.0}, var_refs={"V": "V"})
        alpha = genn.init_postsynaptic(ALPHA, {"k": 0.8, "E": 0.0}, {"x": 0.0}, var_refs=V)
        saturating = genn.init_postsynaptic(SATURATING)
        self.wrt = []
        for name, ends, psm, strength in (
            ("InputA", (source, a), conductance if "ExpCond" in what else current, 0.06 if "ExpCond" in what else 3.0),
            ("AA", (a, a), inhibition if "ExpCond" in what else current, 0.03),
            ("AB", (a, b), alpha if "variables" in what else current, 0.06 if "variables" in what else 3.0),
            ("InputB", (source, b), saturating if "saturating" in what else current, 0.5),
        ):
            values = np.abs(rng.normal(strength, strength, ends[0].num_neurons * ends[1].num_neurons))
            rule = genn.init_weight_update("StaticPulse", {}, {"g": values})
            self.wrt.append(model.add_synapse_population(name, "DENSE", *ends, rule, psm).vars["g"])
        if "source" in what:
            model.add_current_source("Adapting", ADAPTING, a, {"g": 0.1, "E": -40.0}, {"n": 0.1}, V)
            model.add_current_source("Leak", ADAPTING, b, {"g": 0.2, "E": -70.0}, {"n": 0.2}, V)

    def found(self, **options: Any) -> list[Any]:
        """Return the engine's gradients."""
        program = grad.differentiate(self.model, self.wrt, {self.last: HALF}, window=STEPS, **SHARP, **options)
        self.model.build()
        self.model.load()
        self.model.run(STEPS)
        program.backward()
        gradients = [w.grad.ravel() for w in self.wrt]
        self.model.unload()
        return gradients

    def expected(self) -> list[Any]:
        """Return PyTorch's."""
        net = snnlearn.torch.to_module(self.model, parameters=self.wrt, **SHARP)
        outputs = net(timesteps=STEPS)
        assert min(int(outputs[layer]["spikes"].sum()) for layer in "AB") >= 8
        (0.5 * (outputs["B"]["V"] + 58.0).square()).sum().backward()
        return [parameter.grad.numpy().ravel() for parameter in net.parameters()]


def assert_close(found: list[Any], expected: list[Any], bound: float = 1e-10) -> None:
    for one, exact in zip(found, expected, strict=True):
        assert np.abs(exact).max() > 0.0
        np.testing.assert_allclose(one, exact, rtol=0.0, atol=bound * np.abs(exact).max())


ALL = ("ExpCond", "variables", "saturating", "source")


def test_input_that_depends_on_the_neuron() -> None:
    """Of a loss, and of vectors: a second adjoint network is derived from what is recorded already."""
    network = Network(*ALL)
    expected = network.expected()
    program = grad.differentiate(network.model, network.wrt, {network.last: HALF}, window=STEPS, **SHARP)
    assert "part of its timestep: InputA (ExpCond)" in program.explain()
    model, potential = network.model, network.last.vars["V"]
    recorded = model.record(network.last, "V", timesteps=STEPS)
    model.build()
    model.load()
    model.run(STEPS)
    program.backward(retain_tape=True)
    assert_close([w.grad.ravel() for w in network.wrt], expected)
    program.zero_grad()
    program.backward({potential: recorded["V"].last(STEPS) + 58.0})
    assert_close([w.grad.ravel() for w in network.wrt], expected)
    model.unload()


@pytest.mark.slow
def test_checkpoints_batches_and_single_precision() -> None:
    network = Network("ExpCond", "source", batch=2)
    expected = network.expected()
    found = network.found(checkpoint=16)
    assert_close(found, expected)
    assert_close(Network("ExpCond", "source", precision="float", batch=2).found(), expected, 1e-4)


def test_a_current_source_of_which_the_neuron_would_have_to_see_more() -> None:
    network = Network()
    gated = CurrentSourceModel(
        "Gated", vars=["n"], neuron_var_refs=[VarRef("Vm", "scalar", VarAccessMode.READ_ONLY)],
        injection_code="n += 0.1; injectCurrent(n * Vm);",
    )  # fmt: skip
    network.model.add_current_source("Gate", gated, network.last, {}, {"n": 0.0}, V)
    with pytest.raises(GradientError, match="'Gated' of 'Gate' has a derivative that depends on its own 'n'"):
        grad.differentiate(network.model, network.wrt, {network.last: HALF}, window=STEPS, **SHARP)


@pytest.mark.parametrize("method", ["superspike", "rtrl"])
def test_forward_rules_do_not_follow_it(method: str) -> None:
    """They would leave its part of the neuron's Jacobian out, silently."""
    network, options = Network("ExpCond"), {"surrogate": "FastSigmoid", "params": {"beta": 0.5}, "method": method}
    losses = {network.last: HALF, network.model.neuron_populations["A"]: HALF}
    with pytest.raises(GradientError, match="'A' gets input from 'AA' that depends on its variables"):
        grad.differentiate(network.model, network.wrt[:1], losses, **options)
    with pytest.raises(GradientError, match=r"ExpCond: what it injects has a derivative that depends on '.*inSyn'"):
        grad.eligibility(
            LIF, ExpCond, surrogate="FastSigmoid", loss=HALF, jacobian="exact" if method == "rtrl" else "subthreshold"
        )
