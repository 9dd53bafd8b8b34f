"""Weights that change, tracked on line: readouts of the same inputs, each with an optimiser of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import DerivedParam, InputVar, NeuronModel, Param, Var
from snnlearn.models import SuperSpikeReadout
from snnlearn.training import OPTIMISERS, Optimiser, attach

Array = NDArray[np.float64]

TIMESTEP_MS = 1.0
NUM_INPUT = 100
NUM_RELEVANT = 5  # inputs that the target depends on, the first ones
RATE_HZ = 10.0
TAU_RISE_MS, TAU_DECAY_MS = 2.0, 5.0

# Two leaky units with the same inputs: what is to be tracked, through weights that change, and what tracks it.
TrackingReadout = NeuronModel(
    "TrackingReadout",
    params=(Param("tauMem"),),
    derived_params=(DerivedParam("ExpTC", lambda pars, dt: np.exp(-dt / pars["tauMem"])),),
    additional_input_vars=(InputVar("ITarget", "scalar", 0.0),),
    vars=(Var("V"), Var("target"), Var("errTilda"), Var("squares")),
    sim_code="""
    V = Isyn - ExpTC * (Isyn - V);
    target = ITarget - ExpTC * (ITarget - target);
    errTilda = target - V;
    squares += errTilda * errTilda;
    """,
)


@dataclass(frozen=True, eq=False)
class Tracker:
    """A readout with its optimiser.

    Attributes
    ----------
    rule : Optimiser
    lr : float
    readout : neuron group
    target : synapse group
        Its weights are what is to be tracked.
    synapses : synapse group
        Its weights are what tracks them.
    update : custom update
    """

    rule: Optimiser
    lr: float
    readout: Any
    target: Any
    synapses: Any
    update: Any

    def rates(self) -> Array:
        """Return the learning rate of each synapse, shape (100,)."""
        if self.rule.rate_var is None:
            return np.full(NUM_INPUT, self.lr)
        factors = self.update.vars[self.rule.rate_var]
        factors.pull_from_device()
        values: Array = factors.view.astype(np.float64)
        return self.lr * (np.exp(values) if self.rule.log_rate else values)


class TrackingNetwork:
    """The network of one run, loaded.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    optimisers : sequence of (Optimiser, float)
        Of each readout, with its learning rate.
    seed : int
        Of the inputs' spikes and of the weights to be tracked.
    """

    def __init__(self, genn: ModuleType, optimisers: Sequence[tuple[Optimiser | str, float]], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._signs = self._random.choice([-1.0, 1.0], NUM_RELEVANT)
        self.model = genn.GeNNModel("float", "tracking", threads=1)
        self.model.dt, self.model.seed = TIMESTEP_MS, seed
        source = self.model.add_neuron_population(
            "Input", NUM_INPUT, "Poisson", {"rate": RATE_HZ}, {"timeStepToSpike": 0.0}
        )
        self.trackers = [self._track(genn, source, number, *each) for number, each in enumerate(optimisers)]
        self.model.build()
        self.model.load()

    def _track(self, genn: ModuleType, source: Any, number: int, optimiser: Optimiser | str, lr: float) -> Tracker:
        rule = OPTIMISERS[optimiser] if isinstance(optimiser, str) else optimiser
        current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
        readout = self.model.add_neuron_population(
            f"Readout{number}",
            1,
            TrackingReadout,
            {"tauMem": TAU_DECAY_MS},
            dict.fromkeys(("V", "target", "errTilda", "squares"), 0.0),
        )
        target = self.model.add_synapse_population(
            f"Target{number}",
            "DENSE",
            source,
            readout,
            genn.init_weight_update("StaticPulse", {}, {"g": self._weights()}),
            current,
        )
        target.post_target_var = "ITarget"
        synapses = self.model.add_synapse_population(
            f"Synapses{number}",
            "DENSE",
            source,
            readout,
            genn.init_weight_update(
                SuperSpikeReadout,
                {"tauRise": TAU_RISE_MS, "tauDecay": TAU_DECAY_MS},
                {"w": 0.0, "m": 0.0},
                {"z": 0.0, "zTilda": 0.0},
                post_var_refs={"errTilda": genn.create_var_ref(readout, "errTilda")},
            ),
            current,
        )
        refs = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w")
        update = attach(self.model, rule, f"learn{number}", "Learn", *refs, {rule.lr_param: lr})
        return Tracker(rule, lr, readout, target, synapses, update)

    def _weights(self) -> Array:
        return np.concatenate([self._signs, np.zeros(NUM_INPUT - NUM_RELEVANT)])

    def flip(self) -> None:
        """Change the sign of one of the weights to be tracked."""
        self._signs[self._random.integers(NUM_RELEVANT)] *= -1.0
        for tracker in self.trackers:
            weights = tracker.target.vars["g"]
            weights.view[:] = self._weights()
            weights.push_to_device()

    def run(self, timesteps: int) -> Array:
        """Run, with an update of all weights after each timestep; returns the mean squared error of each readout."""
        for tracker in self.trackers:
            tracker.readout.vars["squares"].view[:] = 0.0
            tracker.readout.vars["squares"].push_to_device()
        for _ in range(timesteps):
            self.model.step_time()
            self.model.custom_update("Learn")
        found = []
        for tracker in self.trackers:
            tracker.readout.vars["squares"].pull_from_device()
            found.append(float(tracker.readout.vars["squares"].view[0]) / timesteps)
        return np.array(found)
