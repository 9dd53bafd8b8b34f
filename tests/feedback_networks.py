"""A network of which forward rules with symmetric feedback know the gradient: for the engines and for PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bptt_reference as by_hand
import numpy as np
import torch
from gradient_networks import BETA, MEMBRANE, scripted
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.declare import NeuronModel
from snnlearn.models import LIF
from snnlearn.models.surrogates import FastSigmoid

STEPS = 120
READOUT = NeuronModel(
    "Leaky",
    params=["tau"],
    derived_params=[("decay", lambda pars, dt: np.exp(-dt / pars["tau"]))],
    vars=["V"],
    sim_code="V = Isyn - decay * (Isyn - V);",
)
# Of the first timesteps: the gradient of what a timestep leaves is complete three timesteps later.
LEVEL = grad.Loss("Level", params=["stop"], loss_code="loss = t < stop ? 0.5 * (V - 3.0) * (V - 3.0) : 0.0;")
FALL = grad.Loss("Fall", params=["stop"], loss_code="loss = t < stop ? 0.1 * V * V - 2.0 * V : 0.0;")
MEAN = grad.Loss("Mean", params=["stop"], loss_code="loss = t < stop ? 3.0 * V : 0.0;")
SIZES = {"A": 6, "B": 5, "R": 4, "Q": 3}
DELAYS = {"InputB": 1, "BR": 2, "AQ": 1}  # axonal
TAUS = {"R": 20.0, "Q": 8.0}
CONNECTIONS = [("Input", "A"), ("Input", "B"), ("A", "R"), ("B", "R"), ("A", "Q"), ("B", "Q")]
OPTIONS = {"surrogate": FastSigmoid, "params": {"beta": BETA, "stop": float(STEPS) - 0.5}, "feedback": "symmetric"}


@dataclass
class Network:
    """Two hidden layers of LIF neurons, each connected to two readouts, with an engine's model of it."""

    batch: int = 1
    sparse: bool = False
    own: bool = False  # whether a hidden layer has a loss too
    precision: str = "double"

    def __post_init__(self) -> None:
        random = np.random.default_rng(3)
        self.inputs = random.uniform(size=(STEPS + 3, self.batch, 8)) < 0.1
        self.inputs[STEPS:] = False
        sizes = {"Input": 8, **SIZES}
        shapes = {a + b: (sizes[a], sizes[b]) for a, b in CONNECTIONS}
        self.weights = {
            name: random.normal(*((8.0, 6.0) if name.startswith("Input") else (0.3, 1.0)), shape)
            for name, shape in shapes.items()
        }
        self.connected = {
            name: random.uniform(size=shape) < (0.6 if self.sparse else 1.1) for name, shape in shapes.items()
        }

    def describe(self, model: Any) -> dict[str, Any]:
        """Describe it to an engine's model; returns its groups."""
        model.dt, model.batch_size = 1.0, self.batch
        groups = {"Input": model.add_neuron_population("Input", 8, scripted(genn), {}, {"step": 0})}
        groups["Input"].extra_global_params["mask"].set_init_values(self.inputs.ravel().astype(np.uint8))
        for name, size in SIZES.items():
            if name in TAUS:
                groups[name] = model.add_neuron_population(name, size, READOUT, {"tau": TAUS[name]}, {"V": 0.0})
            else:
                first = {"V": MEMBRANE["Vrest"], "RefracTime": 0.0}
                groups[name] = model.add_neuron_population(name, size, LIF, MEMBRANE, first)
        for a, b in CONNECTIONS:
            there, values = self.connected[a + b], self.weights[a + b]
            group = model.add_synapse_population(
                a + b, "SPARSE" if self.sparse else "DENSE", groups[a], groups[b],
                genn.init_weight_update("StaticPulse", {}, {"g": values[there]}),
                genn.init_postsynaptic("ExpCurr", {"tau": 5.0}),
            )  # fmt: skip
            group.axonal_delay_steps = DELAYS.get(a + b, 0)
            if self.sparse:
                group.set_sparse_connections(*np.nonzero(there))
            groups[a + b] = group
        return groups

    def found(self, method: str = "rtrl", model: Any = None) -> dict[str, NDArray[np.float64]]:
        """Return an engine's gradients."""
        model = genn.GeNNModel(self.precision, "symmetric", threads=1) if model is None else model
        groups = self.describe(model)
        wrt = [groups[a + b].vars["g"] for a, b in CONNECTIONS]
        losses = {groups["R"]: LEVEL, groups["Q"]: FALL} | ({groups["A"]: MEAN} if self.own else {})
        grad.differentiate(model, wrt, losses, method=method, **OPTIONS)
        model.build()
        model.load()
        model.run(STEPS + 3)
        gradients = {a + b: groups[a + b].vars["g"].grad.ravel() for a, b in CONNECTIONS}
        model.unload()
        return gradients

    def expected(self) -> dict[str, NDArray[np.float64]]:
        """Return the gradients by PyTorch's autograd."""
        leaves = {name: torch.tensor(w, requires_grad=True) for name, w in self.weights.items()}
        chain = [
            by_hand.Connection(a, b, {DELAYS.get(a + b, 0): leaves[a + b] * torch.tensor(self.connected[a + b])}, 5.0)
            for a, b in CONNECTIONS
        ]
        neurons: dict[str, Any] = {name: by_hand.Leaky(SIZES[name], tau) for name, tau in TAUS.items()}
        neurons |= {name: by_hand.Lif(SIZES[name], MEMBRANE, BETA) for name in "AB"}

        def each(t: int) -> Any:
            level, fall = neurons["R"].v, neurons["Q"].v
            own = 3.0 * neurons["A"].v.sum() if self.own else 0.0
            return own + (0.5 * (level - 3.0) ** 2).sum() + (0.1 * fall**2 - 2.0 * fall).sum()

        total, spikes = by_hand.simulate(self.inputs[:STEPS], neurons, chain, 1.0, each)
        assert min(spikes[name].sum() for name in "AB") > 50
        total.backward()
        return {name: leaf.grad.numpy()[self.connected[name]] for name, leaf in leaves.items()}


def worst(found: dict[str, Any], expected: dict[str, Any]) -> float:
    return max(float(np.abs(found[n] - e).max() / np.abs(e).max()) for n, e in expected.items())
