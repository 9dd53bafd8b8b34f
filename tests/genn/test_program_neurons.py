"""The reverse pass of other neurons than LIF: SuperSpike's, and a readout that does not spike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.models import SuperSpikeHidden, SuperSpikeOutput
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

import bptt_reference as by_hand
import torch
from gradient_networks import scripted

STEPS, DT, BETA = 300, 0.5, 0.4
MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 3.0}
FILTER = {"tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 1000.0}
RANDOM = np.random.default_rng(7)
INPUTS = RANDOM.uniform(size=(STEPS, 1, 8)) < 0.1
FIRST, SECOND = RANDOM.normal(14.0, 8.0, (8, 6)), RANDOM.normal(12.0, 10.0, (6, 5))
TARGET = np.sort(RANDOM.uniform(0.0, STEPS * DT, (5, 6)), axis=1)


class SuperSpike:
    """The membrane of both SuperSpike neurons; of the output, the filtered error too."""

    def __init__(self, size: int, target: Any = None) -> None:
        self.size, self.target = size, target

    def start(self, batch: int) -> None:
        zeros = torch.zeros((batch, self.size), dtype=torch.float64)
        self.v, self.rise, self.fall, self.error = zeros - 60.0, zeros, zeros, zeros
        self.left = torch.zeros((batch, self.size))
        self.begin = torch.zeros((batch, self.size), dtype=torch.bool)
        self.t = 0

    def cut(self) -> None:
        raise NotImplementedError

    def step(self, current: Any, dt: float) -> Any:
        decay = np.exp(-dt / 10.0)
        v = torch.where(self.begin, -60.0, self.v)
        steady = current + -60.0
        free = self.left <= 0
        self.v = torch.where(free, steady - decay * (steady - v), v)
        left = torch.where(free, self.left, self.left - 1)
        s = by_hand.FastSigmoid.apply(self.v + 50.0, BETA) * (left <= 0)
        if self.target is not None:
            wrong = torch.as_tensor(self.target[self.t]) - s
            self.rise = self.rise * np.exp(-dt / 5.0) + wrong
            self.fall = self.fall * np.exp(-dt / 10.0) + wrong
            peak = 10.0 * np.log(2.0)
            self.error = (self.fall - self.rise) / (np.exp(-peak / 10.0) - np.exp(-peak / 5.0))
        self.begin = s.detach() > 0
        self.left = torch.where(self.begin, round(3.0 / dt), left)
        self.t += 1
        return s


def source_of(model: Any) -> Any:
    source = model.add_neuron_population("Input", 8, scripted(genn), {}, {"step": 0})
    source.extra_global_params["mask"].set_init_values(INPUTS.ravel().astype(np.uint8))
    return source


def connect(model: Any, name: str, source: Any, target: Any, weights: Any) -> Any:
    rule, psm = (
        genn.init_weight_update("StaticPulse", {}, {"g": weights.ravel()}),
        genn.init_postsynaptic("ExpCurr", {"tau": 5.0}),
    )
    return model.add_synapse_population(name, "DENSE", source, target, rule, psm)


def gradients(model: Any, connections: list[Any], output: Any, loss: Any) -> list[Any]:
    weights = [c.vars["g"] for c in connections]
    program = grad.differentiate(
        model, weights, {output: loss}, surrogate=FastSigmoid, params={"beta": BETA}, window=STEPS
    )
    model.build()
    model.load()
    model.run(STEPS)
    program.backward()
    found = [w.grad for w in weights]
    model.unload()
    return found


def expected(neurons: dict[str, Any], names: tuple[str, str], each: Any) -> list[Any]:
    leaves = [torch.tensor(w, requires_grad=True) for w in (FIRST, SECOND)]
    chain = [
        by_hand.Connection("Input", names[0], {0: leaves[0]}, 5.0),
        by_hand.Connection(names[0], names[1], {0: leaves[1]}, 5.0),
    ]
    total, spikes = by_hand.simulate(INPUTS, neurons, chain, DT, each)
    assert spikes[names[0]].sum() > 50
    total.backward()
    return [leaf.grad.numpy() for leaf in leaves]


def assert_close(found: list[Any], reference: list[Any]) -> None:
    for value, exact in zip(found, reference, strict=True):
        assert np.abs(value.ravel() - exact.ravel()).max() < 1e-10 * np.abs(exact).max()


def test_superspikes_neurons() -> None:
    """The output's error compares its own spikes with a target's, within the same timestep."""
    model = genn.GeNNModel("double", "superspike", threads=1)
    model.dt = DT
    rest = {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    hidden = model.add_neuron_population("Hidden", 6, SuperSpikeHidden, MEMBRANE, rest)
    part = {"startSpike": np.arange(5) * 6, "endSpike": np.arange(1, 6) * 6}
    more = {"errRise": 0.0, "errDecay": 0.0, "avgSqrErr": 0.0, **part}
    output = model.add_neuron_population("Output", 5, SuperSpikeOutput, {**MEMBRANE, **FILTER}, {**rest, **more})
    output.extra_global_params["spikeTimes"].set_init_values(TARGET.ravel())
    connections = [
        connect(model, "InputHidden", source_of(model), hidden, FIRST),
        connect(model, "HiddenOutput", hidden, output, SECOND),
    ]
    loss = grad.Loss("HalfSquaredError", loss_code="loss = 0.5 * errTilda * errTilda;")
    found = gradients(model, connections, output, loss)

    target = np.zeros((STEPS, 5))
    for neuron, times in enumerate(TARGET):
        for step in np.ceil(times / DT).astype(int):
            while step < STEPS and target[step, neuron]:
                step += 1  # one spike a timestep
            if step < STEPS:
                target[step, neuron] = 1.0
    neurons = {"Hidden": SuperSpike(6), "Output": SuperSpike(5, target)}
    assert_close(found, expected(neurons, ("Hidden", "Output"), lambda t: 0.5 * (neurons["Output"].error ** 2).sum()))


def test_a_readout_that_does_not_spike() -> None:
    model = genn.GeNNModel("double", "readout", threads=1)
    model.dt = DT
    leaky = genn.create_neuron_model(
        "Leaky", params=["tau"], derived_params=[("decay", lambda pars, dt: np.exp(-dt / pars["tau"]))], vars=["V"],
        sim_code="V = Isyn - decay * (Isyn - V);",
    )  # fmt: skip
    rest = {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    hidden = model.add_neuron_population("Hidden", 6, SuperSpikeHidden, MEMBRANE, rest)
    readout = model.add_neuron_population("Readout", 5, leaky, {"tau": 20.0}, {"V": 0.0})
    connections = [
        connect(model, "InputHidden", source_of(model), hidden, FIRST),
        connect(model, "HiddenReadout", hidden, readout, SECOND),
    ]
    late = grad.Loss(
        "Late", params=["from"], loss_code="if (t >= from) { loss = exp(0.05 * V) - V; } else { loss = 0.0; }"
    )
    neurons = {"Hidden": SuperSpike(6), "Readout": by_hand.Leaky(5, 20.0)}

    def each(t: int) -> Any:
        v = neurons["Readout"].v
        return (torch.exp(0.05 * v) - v).sum() if t * DT >= 100.0 else None

    weights = [c.vars["g"] for c in connections]
    params = {"beta": BETA, "from": 100.0}
    program = grad.differentiate(model, weights, {readout: late}, surrogate=FastSigmoid, params=params, window=STEPS)
    model.build()
    model.load()
    model.run(STEPS)
    program.backward()
    assert_close([w.grad for w in weights], expected(neurons, ("Hidden", "Readout"), each))
    model.unload()


def test_a_readout_of_which_nothing_need_be_recorded() -> None:
    """A linear neuron has constant coefficients; the adjoint of its variable comes from outside."""
    model = genn.GeNNModel("double", "linear", threads=1)
    model.dt = DT
    adder = genn.create_neuron_model("Adder", vars=["V"], sim_code="V = 0.9 * V + Isyn;")
    rest = {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    hidden = model.add_neuron_population("Hidden", 6, SuperSpikeHidden, MEMBRANE, rest)
    readout = model.add_neuron_population("Readout", 5, adder, {}, {"V": 0.0})
    connections = [
        connect(model, "InputHidden", source_of(model), hidden, FIRST),
        connect(model, "HiddenReadout", hidden, readout, SECOND),
    ]
    weights = [c.vars["g"] for c in connections]
    program = grad.differentiate(
        model, [*weights, weights[0]], surrogate=FastSigmoid, params={"beta": BETA}, window=STEPS,
        outputs=[readout.vars["V"]],
    )  # fmt: skip
    model.build()
    model.load()
    model.run(STEPS)
    vector = RANDOM.normal(size=(STEPS, 5))
    program.backward({readout.vars["V"]: vector})

    class Adder(by_hand.Leaky):
        def step(self, current: Any, dt: float) -> Any:
            self.v = 0.9 * self.v + current
            return torch.zeros_like(self.v)

    neurons = {"Hidden": SuperSpike(6), "Readout": Adder(5, 0.0)}
    reference = expected(
        neurons, ("Hidden", "Readout"), lambda t: (neurons["Readout"].v * torch.tensor(vector[t])).sum()
    )
    assert_close([w.grad for w in weights], reference)
    model.unload()
