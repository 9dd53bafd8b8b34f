"""The network of the SuperSpike demo: three layers that learn to draw a picture with their spikes.

Zenke & Ganguli (2018), SuperSpike: supervised learning in multilayer spiking neural networks, Neural
Computation 30(6), 1514-1541; sizes and constants as in GeNN's superspike_demo. Where the paper's simulator
counts in volts and seconds, this counts in mV and ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import grad
from snnlearn.declare import Var, VarAccess, WeightUpdateModel
from snnlearn.io import SpikeTrains
from snnlearn.models import (
    ExpCurr,
    Feedback,
    SourceReset,
    SpikeSourceArray,
    SuperSpike,
    SuperSpikeHidden,
    SuperSpikeOutput,
)
from snnlearn.models.surrogates import FastSigmoid

TIMESTEP_MS = 0.1
TRIAL_MS = 1890.0
UPDATE_MS = 500.0
TRIAL_TIMESTEPS = round(TRIAL_MS / TIMESTEP_MS)
UPDATE_TIMESTEPS = round(UPDATE_MS / TIMESTEP_MS)

NUM_INPUT = 200
NUM_HIDDEN = 256
NUM_OUTPUT = 200
INPUT_RATE_HZ = 5.0

R0 = 1.0  # learning rate: the largest step of a weight in an update
WEIGHT_LIMIT = 100.0
WEIGHT_SD = 50.0

TAU_RISE_MS = 5.0
TAU_DECAY_MS = 10.0
TAU_AVG_ERR_MS = 10000.0

_MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
RULES = ("handwritten", "superspike", "symmetric", "bptt")
# Half the squared error, a van Rossum distance; and the steepness of the surrogate [1/mV], SuperSpike's.
ERROR = grad.Loss("HalfSquaredError", loss_code="loss = 0.5 * errTilda * errTilda;")
BETA = 1.0
BPTT_BETA = 0.5  # of backpropagation through time, which learns faster with a wider one
_ERROR_FILTER = {"tauRise": TAU_RISE_MS, "tauDecay": TAU_DECAY_MS, "tauAvgErr": TAU_AVG_ERR_MS}
# The weight has one name under all rules, so that a seed draws the same.
PlainWeight = WeightUpdateModel(
    "PlainWeight", vars=(Var("w", "scalar", VarAccess.READ_ONLY),), pre_spike_syn_code="addToPost(w);"
)
_SYNAPSE = {"tauRise": TAU_RISE_MS, "tauDecay": TAU_DECAY_MS, "beta": 1000.0, "Vthresh": -50.0}


@dataclass(frozen=True, eq=False)
class SuperSpikeNetwork:
    """The described network, not yet built.

    Attributes
    ----------
    model : GeNNModel
    input, hidden, output : neuron groups
    input_hidden, hidden_output, output_hidden : synapse groups
        The last carries the error back; a rule that needs no such connection has None.
    program : Program or None
        What finds gradients, where the connections do not themselves.

    The custom update group ``"SourceReset"`` rewinds input and target, ``"CalculateTranspose"`` copies the forward
    weights into the feedback. Optimisers are yet to be added: see `snnlearn.userproject.superspike_training`.
    """

    model: Any
    input: Any
    hidden: Any
    output: Any
    input_hidden: Any
    hidden_output: Any
    output_hidden: Any
    program: Any = None

    @property
    def layers(self) -> list[Any]:
        """The neuron groups, from input to output."""
        return [self.input, self.hidden, self.output]


def frozen_poisson(seed: int, num_neurons: int = NUM_INPUT, duration_ms: float = TRIAL_MS) -> SpikeTrains:
    """Return Poisson spike trains of 5 Hz, the same in every trial.

    Parameters
    ----------
    seed : int
    num_neurons : int
    duration_ms : float
        [ms]
    """
    random = np.random.default_rng(seed)
    mean_ms = 1000.0 / INPUT_RATE_HZ
    # Twice the expected number and then some: all trains end after the trial, or the last word goes to the loop.
    count = int(2 * duration_ms / mean_ms) + 20
    times = np.cumsum(random.exponential(mean_ms, (num_neurons, count)), axis=1)
    while times[:, -1].min() < duration_ms:
        more = np.cumsum(random.exponential(mean_ms, (num_neurons, count)), axis=1)
        times = np.hstack([times, times[:, -1:] + more])
    ids, _ = within = np.nonzero(times < duration_ms)
    return SpikeTrains.from_spikes(times[within], ids, num_neurons)


def describe(
    genn: ModuleType,
    inputs: SpikeTrains,
    target: SpikeTrains,
    *,
    seed: int = 0,
    num_hidden: int = NUM_HIDDEN,
    rule: str = "handwritten",
    recording: bool = False,
    timing: bool = False,
    **preferences: Any,
) -> SuperSpikeNetwork:
    """Describe the network to an engine.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    inputs, target : SpikeTrains
        One train for each input and output neuron.
    seed : int
        Of the initial weights.
    num_hidden : int
    rule : {"handwritten", "superspike", "symmetric", "bptt"}
        Where gradients come from: `snnlearn.models.SuperSpike`; the same derived from neurons and loss; that with an
        error that comes back through the forward weights themselves; or backpropagation through time, derived too. The
        last two are the embedded engine's.
    recording, timing : bool
        Whether to record spikes, whether to measure kernels.
    **preferences
        Go to ``GeNNModel``.
    """
    model = genn.GeNNModel("float", "superspike_demo", **preferences)
    model.dt = TIMESTEP_MS
    model.seed = seed
    model.timing_enabled = timing
    source, hidden, output = _add_neurons(model, inputs, target, num_hidden)
    for population in (source, hidden, output):
        population.spike_recording_enabled = recording
    for population, trains in ((source, inputs), (output, target)):
        _add_reset(genn, model, population, trains)
    init = {"handwritten": _init_superspike, "superspike": _init_derived}.get(rule, _init_static)
    input_hidden = _add_plastic(genn, model, "InputHidden", source, hidden, init)
    hidden_output = _add_plastic(genn, model, "HiddenOutput", hidden, output, init)
    if init is _init_static:
        options: dict[str, Any] = {"params": {"beta": BPTT_BETA}, "window": UPDATE_TIMESTEPS + 1}
        if rule == "symmetric":
            options = {"params": {"beta": BETA}, "method": "superspike", "feedback": "symmetric"}
        wrt = [input_hidden.vars["w"], hidden_output.vars["w"]]
        program = grad.differentiate(model, wrt, {output: ERROR}, surrogate=FastSigmoid, **options)
        return SuperSpikeNetwork(model, source, hidden, output, input_hidden, hidden_output, None, program)
    output_hidden = _add_feedback(genn, model, hidden, output, hidden_output)
    return SuperSpikeNetwork(model, source, hidden, output, input_hidden, hidden_output, output_hidden)


def _add_feedback(genn: ModuleType, model: Any, hidden: Any, output: Any, forward: Any) -> Any:
    """Add the connection that carries the error back, whose weights are copies of the forward ones."""
    output_hidden = model.add_synapse_population(
        "OutputHidden",
        "DENSE",
        output,
        hidden,
        genn.init_weight_update(
            Feedback, {}, {"w": 0.0}, pre_var_refs={"errTilda": genn.create_var_ref(output, "errTilda")}
        ),
        genn.init_postsynaptic("DeltaCurr"),
    )
    output_hidden.post_target_var = "ISynFeedback"
    weights = genn.create_wu_var_ref(forward, "w", output_hidden, "w")
    model.add_custom_update("transpose", "CalculateTranspose", "Transpose", {}, {}, {"variable": weights})
    return output_hidden


def _add_neurons(model: Any, inputs: SpikeTrains, target: SpikeTrains, num_hidden: int) -> tuple[Any, Any, Any]:
    source = model.add_neuron_population("Input", inputs.num_neurons, SpikeSourceArray, {}, _spike_range(inputs))
    rest = {"V": _MEMBRANE["Vrest"], "refracTime": 0.0, "errTilda": 0.0}
    hidden = model.add_neuron_population("Hidden", num_hidden, SuperSpikeHidden, _MEMBRANE, rest)
    output = model.add_neuron_population(
        "Output",
        target.num_neurons,
        SuperSpikeOutput,
        {**_MEMBRANE, **_ERROR_FILTER},
        {**rest, "errRise": 0.0, "errDecay": 0.0, "avgSqrErr": 0.0, **_spike_range(target)},
    )
    source.extra_global_params["spikeTimes"].set_init_values(inputs.times)
    output.extra_global_params["spikeTimes"].set_init_values(target.times)
    return source, hidden, output


def _spike_range(trains: SpikeTrains) -> dict[str, NDArray[np.int64]]:
    return {"startSpike": trains.start_index, "endSpike": trains.end_index}


def _add_plastic(genn: ModuleType, model: Any, name: str, source: Any, target: Any, init: Callable[..., Any]) -> Any:
    spread = {
        "mean": 0.0,
        "sd": WEIGHT_SD / np.sqrt(source.num_neurons),
        "min": -WEIGHT_LIMIT,
        "max": WEIGHT_LIMIT,
    }
    weight_update = init(genn, genn.init_var("NormalClipped", spread), target)
    return model.add_synapse_population(
        name, "DENSE", source, target, weight_update, genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
    )


def _init_superspike(genn: ModuleType, weights: Any, target: Any) -> Any:
    return genn.init_weight_update(
        SuperSpike,
        _SYNAPSE,
        {"w": weights, "e": 0.0, "lambda": 0.0, "m": 0.0},
        {"z": 0.0, "zTilda": 0.0},
        {"sigmaPrime": 0.0},
        post_var_refs={"V": genn.create_var_ref(target, "V"), "errTilda": genn.create_var_ref(target, "errTilda")},
    )


def _init_derived(genn: ModuleType, weights: Any, target: Any) -> Any:
    return init_derived(genn, derived_rule(target.name), weights, target)


def init_derived(genn: ModuleType, rule: grad.EligibilityRule, weights: Any, target: Any) -> Any:
    """Return how a connection to a population begins that learns by a derived rule.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    rule : EligibilityRule
    weights : numbers or var init snippet
    target : neuron group
    """
    model = rule.weight_update
    zeros = [{v.name: 0.0 for v in declared} for declared in (model.vars, model.pre_vars, model.post_vars)]
    refs = {name: genn.create_var_ref(target, variable) for name, variable in rule.post_neuron_var_refs.items()}
    return genn.init_weight_update(model, rule.params, {**zeros[0], "w": weights}, *zeros[1:], post_var_refs=refs)


def derived_rule(population: str) -> grad.EligibilityRule:
    """Return SuperSpike as it follows from the declared neurons and the loss, for connections to a population.

    Parameters
    ----------
    population : {"Hidden", "Output"}
    """
    hidden = population == "Hidden"
    return grad.eligibility(
        SuperSpikeHidden if hidden else SuperSpikeOutput,
        ExpCurr,
        surrogate=FastSigmoid,
        loss=grad.FeedbackLoss(SuperSpikeOutput, ERROR) if hidden else ERROR,
        params={**_MEMBRANE, **_ERROR_FILTER, "tau": TAU_RISE_MS, "beta": BETA},
        dt=TIMESTEP_MS,
    )


def _init_static(genn: ModuleType, weights: Any, target: Any) -> Any:
    return genn.init_weight_update(PlainWeight, {}, {"w": weights})


def _add_reset(genn: ModuleType, model: Any, population: Any, trains: SpikeTrains) -> None:
    model.add_custom_update(
        f"reset_{population.name}",
        "SourceReset",
        SourceReset,
        {},
        {"firstSpike": trains.start_index},
        {"startSpike": genn.create_var_ref(population, "startSpike")},
    )
