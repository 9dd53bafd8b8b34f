"""A learner takes the gradients of a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import TrainingError
from snnlearn.models import LIF
from snnlearn.models.surrogates import FastSigmoid
from snnlearn.training import Learner, Mean, TrainedConnection, TrainingPhase

LOSS = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 55.0) * (V + 55.0);")
MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
REST = {"V": -60.0, "RefracTime": 0.0}


class Distance(Mean):
    """The squared distance from the target, at the end of a trial."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def of_trial(self, data: Any, index: int) -> float:
        self.output.vars["V"].pull_from_device()
        return float(np.mean((self.output.vars["V"].view + 55.0) ** 2))


class Network:
    """A layer driven by a layer that spikes regularly, and its learner."""

    def __init__(self, **method: Any) -> None:
        self.model = genn.GeNNModel("double", "program", threads=1)
        self.model.dt, self.model.seed = 1.0, 1
        add = self.model.add_neuron_population
        driven = {**MEMBRANE, "Ioffset": 1.6}
        self.source = add("Source", 8, LIF, driven, {"V": np.linspace(-62.0, -50.0, 8), "RefracTime": 0.0})
        self.output = add("Output", 3, LIF, {**MEMBRANE, "Vthresh": 0.0}, REST)
        rule = genn.init_weight_update("StaticPulse", {}, {"g": np.linspace(-0.1, 0.2, 24)})
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        self.synapses = self.model.add_synapse_population("S", "DENSE", self.source, self.output, rule, psm)
        self.program = grad.differentiate(
            self.model, [self.synapses.vars["g"]], {self.output: LOSS}, surrogate=FastSigmoid, params={"beta": 1.0},
            **(method or {"window": 80}),
        )  # fmt: skip
        self.learner = Learner(
            genn, self.model, [TrainedConnection(self.synapses, "g")], trial_timesteps=50, update_timesteps=80,
            loss=Distance(self.output), quiet=True, gradient=self.program, optimisers=["Adam"],
        )  # fmt: skip

    def train(self, trials: int) -> np.ndarray:
        self.learner.fit_opt_sched([TrainingPhase(trials, "Adam", 0.02)])
        weights = self.synapses.vars["g"]
        weights.pull_from_device()
        return weights.values


def test_it_learns_with_windows_that_cross_trials() -> None:
    network = Network()
    network.learner.fit_opt_sched([TrainingPhase(2, "Adam", 1e-9)])
    before = network.learner.sched.losses[-1]
    network.train(60)
    assert network.learner.sched.losses[-1] < 0.1 * before
    assert network.program.pending == 62 * 50 % 80
    network.model.unload()


def test_an_update_is_the_sum_of_its_window() -> None:
    """What the optimiser got is what a pass by hand gives."""
    one, other = Network(), Network()
    seen: list[Any] = []
    one.synapses.vars["g"].register_hook(lambda g: seen.append(np.array(g)))
    one.train(2)
    other.learner.build(["Adam"])
    other.model.run(50)
    other.model.timestep = 0
    other.model.run(30)
    other.program.backward()
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], other.synapses.vars["g"].grad)
    one.model.unload()
    other.model.unload()


def test_a_checkpoint_has_the_window(tmp_path: Path) -> None:
    """What is saved in the middle of a window goes on as what saved it does, and as what never saved anything."""
    network, undisturbed, other = Network(), Network(), Network()
    undisturbed.train(3)
    straight = undisturbed.train(3)
    network.train(3)
    assert network.program.pending
    saved = network.learner.save(tmp_path / "checkpoint")
    assert network.program.pending
    np.testing.assert_array_equal(network.train(3), straight)
    network.learner.load(saved)
    np.testing.assert_array_equal(network.train(3), straight)
    other.learner.load(saved)
    np.testing.assert_array_equal(other.train(3), straight)
    for one in (network, undisturbed, other):
        one.model.unload()


def test_a_checkpoint_has_the_traces_of_a_forward_rule(tmp_path: Path) -> None:
    """Between two updates its gradient is half summed up, by the model itself."""
    network, other = Network(method="rtrl"), Network(method="rtrl")
    network.train(3)
    saved = network.learner.save(tmp_path / "checkpoint")
    before = network.synapses.vars["g"].grad
    straight = network.train(3)
    assert before.any()
    other.learner.load(saved)
    np.testing.assert_array_equal(other.synapses.vars["g"].grad, before)
    np.testing.assert_array_equal(other.train(3), straight)
    for one in (network, other):
        one.model.unload()


def test_the_finder_leaves_no_trace() -> None:
    network, other = Network(), Network()
    with pytest.raises(TrainingError, match="loss"):
        network.learner.lr_find(1e-6, 1e-5, epochs=2.0, optimiser="Adam")
    np.testing.assert_array_equal(network.train(3), other.train(3))
    network.model.unload()
    other.model.unload()
