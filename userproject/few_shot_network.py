"""The network of the few-shot experiment: receptive fields, leaky integrate-and-fire neurons, a leaky readout."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import grad
from snnlearn.declare import DerivedParam, NeuronModel, Param, Var, VarAccess, WeightUpdateModel
from snnlearn.models import LIF, StaticPulse
from snnlearn.userproject.few_shot_tasks import NUM_INPUT

TIMESTEPS = 20
DECIDE = 10  # the first timestep whose error counts
NUM_HIDDEN = 40
TAU_SYN_MS, TAU_MEM_MS = 5.0, 10.0
MEMBRANE = {
    "C": 10.0,
    "TauM": TAU_MEM_MS,
    "Vrest": 0.0,
    "Vreset": 0.0,
    "Vthresh": 1.0,
    "Ioffset": 0.0,
    "TauRefrac": 0.0,
}
LEAKY = {"tauMem": TAU_MEM_MS, "tStart": float(DECIDE)}
SURROGATE, SURROGATE_PARAMS = "FastSigmoid", {"beta": 5.0}
SPREADS = {"InputHidden": 1.0, "HiddenReadout": 0.3}  # standard deviations of initial weights
CONNECTIONS = tuple(SPREADS)

# Spikes where it is told to; where spikes are given to a PyTorch module, these take its place.
Told = NeuronModel(
    "Told", vars=(Var("spike", "scalar", VarAccess.READ_ONLY_DUPLICATE),), threshold_condition_code="spike > 0.5"
)
Leaky = NeuronModel(
    "Leaky",
    params=(Param("tauMem"), Param("tStart")),
    derived_params=(DerivedParam("ExpTC", lambda pars, dt: np.exp(-dt / pars["tauMem"])),),
    vars=(Var("V"), Var("answer"), Var("target", "scalar", VarAccess.READ_ONLY_DUPLICATE)),
    sim_code="""
    V = Isyn - ExpTC * (Isyn - V);
    answer += (t < tStart) ? 0.0 : V;
    """,
)
# A weight for each copy of a batch, which adapt to different tasks at once.
OwnPulse = WeightUpdateModel("OwnPulse", vars=(Var("g"),), pre_spike_syn_code="addToPost(g);")
ANSWER = float(TIMESTEPS - DECIDE)  # how many timesteps the answer is the mean of
# Of the answer, in the last timestep.
SQUARE = grad.Loss(
    "Square",
    params=(Param("timesteps"), Param("tEnd")),
    loss_code="loss = (t < tEnd) ? 0.0 : 0.5 * (answer / timesteps - target) * (answer / timesteps - target);",
)
SQUARE_PARAMS = {"timesteps": ANSWER, "tEnd": float(TIMESTEPS - 1)}


@dataclass(frozen=True)
class Setting:
    """What a run is tuned by.

    Attributes
    ----------
    first_rate : float
        What all rates of the inner loop are at first.
    weight_lr, rate_lr : float
        Adam's learning rates in the outer loop, of the initial weights and of the rates' factors on ``first_rate``.
    """

    first_rate: float
    weight_lr: float
    rate_lr: float


@dataclass(frozen=True, eq=False)
class FewShotNetwork:
    """The described network, not built.

    Attributes
    ----------
    model : GeNNModel
    input, hidden, readout : neuron groups
    connections : dict of str to synapse group
    """

    model: Any
    input: Any
    hidden: Any
    readout: Any
    connections: dict[str, Any]


def describe(genn: ModuleType, batch_size: int, own_weights: bool) -> FewShotNetwork:
    """Describe the network to an engine.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    batch_size : int
    own_weights : bool
        Whether each copy of the batch has weights of its own.
    """
    model = genn.GeNNModel("float", "few_shot", threads=1)
    model.dt, model.seed, model.batch_size = 1.0, 1, batch_size
    source = model.add_neuron_population("Input", NUM_INPUT, Told, {}, {"spike": 0.0})
    hidden = model.add_neuron_population("Hidden", NUM_HIDDEN, LIF, MEMBRANE, {"V": 0.0, "RefracTime": 0.0})
    readout = model.add_neuron_population("Readout", 1, Leaky, LEAKY, dict.fromkeys(("V", "answer", "target"), 0.0))
    connections = {}
    for name, ends in zip(CONNECTIONS, ((source, hidden), (hidden, readout)), strict=True):
        rule = OwnPulse if own_weights else StaticPulse
        update = genn.init_weight_update(rule, {}, {"g": 0.0})
        current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_SYN_MS})
        connections[name] = model.add_synapse_population(name, "DENSE", *ends, update, current)
    return FewShotNetwork(model, source, hidden, readout, connections)


def first_weights(seed: int) -> dict[str, NDArray[np.float64]]:
    """Return initial weights, shape (presynaptic, postsynaptic) neurons, by connection."""
    random = np.random.default_rng([seed, 0])
    shapes = ((NUM_INPUT, NUM_HIDDEN), (NUM_HIDDEN, 1))
    return {n: random.normal(0.0, SPREADS[n], shape) for n, shape in zip(CONNECTIONS, shapes, strict=True)}
