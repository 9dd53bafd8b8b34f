"""What `stop_gradient` ends, on the engine and in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import ArgumentError, LifecycleError
from snnlearn.meta import stop_gradient
from snnlearn.models import LIF

MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
DISTANCE = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")


class Layers:
    """Two layers with a delay between them, so that spikes are on their way wherever a window ends."""

    def __init__(self, method: str = "bptt") -> None:
        self.model = genn.GeNNModel("double", "stop", threads=1)
        self.model.dt, self.model.seed = 1.0, 1
        noise = self.model.add_neuron_population("Noise", 20, "Poisson", {"rate": 60.0}, {"timeStepToSpike": 0.0})
        rest = {"V": -60.0, "RefracTime": 0.0}
        a, b = (self.model.add_neuron_population(n, 12, LIF, MEMBRANE, rest) for n in "AB")
        self.weights: list[Any] = []
        for source, target, delay in ((noise, a, 0), (a, b, 4)):
            name = source.name + target.name
            rule = genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Normal", {"mean": 0.7, "sd": 0.4})})
            psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
            c = self.model.add_synapse_population(name, "DENSE", source, target, rule, psm)
            c.axonal_delay_steps = delay
            self.weights.append(c.vars["g"])
        losses = {b: DISTANCE} if method == "bptt" else {a: DISTANCE, b: DISTANCE}
        more: dict[str, Any] = {"window": 100} if method == "bptt" else {"method": method}
        self.program = grad.differentiate(
            self.model, self.weights, losses, surrogate="FastSigmoid", params={"beta": 0.3}, **more
        )

    def __enter__(self) -> Layers:
        self.model.build()
        self.model.load()
        return self

    def __exit__(self, *_: object) -> None:
        self.model.unload()

    def grads(self) -> list[Any]:
        return [np.array(weights.grad) for weights in self.weights]


@pytest.mark.parametrize("what", ["program", "model"])
def test_a_window_that_ends_without_a_pass(what: str) -> None:
    """The next pass gives what it gives behind another pass: a truncation, as PyTorch's detach of all values there."""
    with Layers() as by_passes, Layers() as stopped:
        by_passes.model.run(60)
        by_passes.program.backward()
        by_passes.program.zero_grad()
        stopped.model.run(60)
        stop_gradient(getattr(stopped, what))
        for layers in (by_passes, stopped):
            layers.model.run(70)
            layers.program.backward()
        for found, expected in zip(stopped.grads(), by_passes.grads(), strict=True):
            assert np.any(expected)
            np.testing.assert_array_equal(found, expected)


def test_gradients_that_are_summed_up_stay() -> None:
    with Layers() as layers:
        layers.model.run(60)
        layers.program.backward()
        before = layers.grads()
        layers.model.run(10)
        stop_gradient(layers.model)
        stop_gradient(layers.model)
        for found, expected in zip(layers.grads(), before, strict=True):
            np.testing.assert_array_equal(found, expected)
        with pytest.raises(LifecycleError, match="run the model first"):
            layers.program.backward()


def test_nothing_is_known_of_what_came_before_the_network_was_loaded() -> None:
    with Layers() as layers, Layers() as other:
        stop_gradient(layers.program)
        for one in (layers, other):
            one.model.run(50)
            one.program.backward()
        for found, expected in zip(layers.grads(), other.grads(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_forward_rules_have_no_graph() -> None:
    with Layers("superspike") as layers:
        layers.model.run(30)
        before = layers.grads()
        stop_gradient(layers.model, layers.program)
        for found, expected in zip(layers.grads(), before, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_what_has_no_gradient() -> None:
    with pytest.raises(ArgumentError, match="stop_gradient takes learners, models and programs, PyTorch's modules and"):
        stop_gradient(3)
    with pytest.raises(LifecycleError):
        stop_gradient(Layers().model)


def test_tensors_and_modules_become_leaves() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    w = torch.nn.Parameter(torch.ones(2))
    module = torch.nn.Linear(2, 2)
    derived, frozen = w * 2.0, torch.ones(1)
    module._parameters["weight"] = (w * torch.eye(2)).requires_grad_()  # as a differentiable optimiser leaves it
    stop_gradient({"a": derived, "b": [frozen, None]}, module)
    for tensor in (derived, module.weight):
        assert tensor.is_leaf
        assert tensor.requires_grad
    assert not frozen.requires_grad
