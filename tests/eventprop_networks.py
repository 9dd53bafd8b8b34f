"""Networks to differentiate by the times of spikes, for the event-driven reference and for the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from eventprop_reference import Lif, Network, first_spikes
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.declare import Var
from snnlearn.models import LIF

INPUTS, HIDDEN, OUTPUTS = 4, 5, 3
SIZE = HIDDEN + OUTPUTS
WithTarget = replace(LIF, name="WithTarget", vars=(*LIF.vars, Var("target")))
AIM = grad.Loss("Square", loss_code="loss = 0.5 * (V - 0.5) * (V - 0.5);")


def reference(seed: int = 5, refractory: float = 0.0, target: int | None = None) -> Network:
    """Return a recurrent network with delays of 1 and 2 ms, whose neurons spike a few times."""
    random = np.random.default_rng(seed)
    weights = np.zeros((INPUTS + SIZE, SIZE))
    weights[:INPUTS, :HIDDEN] = random.normal(2.0, 0.6, (INPUTS, HIDDEN))
    weights[INPUTS:-OUTPUTS, HIDDEN:] = random.normal(2.0, 0.6, (HIDDEN, OUTPUTS))
    weights[INPUTS:-OUTPUTS, :HIDDEN] = random.normal(0.0, 0.1, (HIDDEN, HIDDEN))
    delays = np.repeat([[1.0]] * INPUTS + [[2.0]] * SIZE, SIZE, axis=1)
    spikes = sorted((float(t), i % INPUTS) for i, t in enumerate(random.uniform(0, 15, 6)))
    loss = None if target is None else first_spikes(range(HIDDEN, SIZE), target, 3.0, 30.0)
    neuron = Lif(tau_m=20.0, refractory=refractory)
    return Network(
        INPUTS, weights, delays, neuron, spikes, 30.0, range(SIZE) if target is None else (), spike_loss=loss
    )


def describe(
    net: Network, dt: float, precision: str = "double", batch: int = 1, output: Any = LIF
) -> tuple[Any, dict[str, Any]]:
    """Describe the reference's network to the engine."""
    model = genn.GeNNModel(precision, "eventprop", threads=1)
    model.dt, model.seed, model.batch_size = dt, 1, batch
    neuron = net.neuron
    params = {
        "C": neuron.tau_m / neuron.r, "TauM": neuron.tau_m, "Vrest": neuron.rest, "Vreset": neuron.reset,
        "Vthresh": neuron.threshold, "Ioffset": 0.0, "TauRefrac": neuron.refractory,
    }  # fmt: skip
    by_input = [sorted(t for t, i in net.spikes if i == k) for k in range(INPUTS)]
    ends = np.cumsum([len(times) for times in by_input])
    source = model.add_neuron_population(
        "Input", INPUTS, "SpikeSourceArray", {}, {"startSpike": [0, *ends[:-1]], "endSpike": ends}
    )
    source.extra_global_params["spikeTimes"].set_init_values(np.concatenate(by_input))
    groups = {"Input": source}
    for name, size in (("Hidden", HIDDEN), ("Output", OUTPUTS)):
        start: dict[str, Any] = {"V": neuron.rest, "RefracTime": 0.0}
        chosen = output if name == "Output" else LIF
        if chosen is WithTarget:
            start["target"] = [0.0, 1.0, 0.0]
        groups[name] = model.add_neuron_population(name, size, chosen, params, start)
    parts = {"Input": slice(0, INPUTS), "Hidden": slice(INPUTS, -OUTPUTS), "Output": slice(INPUTS + HIDDEN, None)}
    for one, other in (("Input", "Hidden"), ("Hidden", "Hidden"), ("Hidden", "Output")):
        here = slice(0, HIDDEN) if other == "Hidden" else slice(HIDDEN, None)
        w, delay = net.weights[parts[one], here], net.delays[parts[one], here].flat[0]
        connection = model.add_synapse_population(
            one + other, "DENSE", groups[one], groups[other],
            genn.init_weight_update("StaticPulse", {}, {"g": w.ravel()}),
            genn.init_postsynaptic("ExpCurr", {"tau": neuron.tau_s}),
        )  # fmt: skip
        connection.axonal_delay_steps = max(round(delay / dt) - 1, 0)  # a spike arrives a timestep later anyway
        groups[one + other] = connection
    return model, groups


CONNECTIONS = ("InputHidden", "HiddenHidden", "HiddenOutput")


def whole(net: Network, groups: dict[str, Any]) -> NDArray[np.float64]:
    found = np.zeros_like(net.weights)
    found[:INPUTS, :HIDDEN] = groups["InputHidden"].vars["g"].grad.reshape(INPUTS, HIDDEN)
    found[INPUTS:-OUTPUTS, :HIDDEN] = groups["HiddenHidden"].vars["g"].grad.reshape(HIDDEN, HIDDEN)
    found[INPUTS:-OUTPUTS, HIDDEN:] = groups["HiddenOutput"].vars["g"].grad.reshape(HIDDEN, OUTPUTS)
    return found
