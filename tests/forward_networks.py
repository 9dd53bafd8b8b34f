"""One layer that learns by a forward rule, on an engine in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn import genn
from snnlearn.declare import CurrentSourceModel
from snnlearn.grad.forward import EligibilityRule

SIGNAL = CurrentSourceModel("Signal", injection_code="injectCurrent(sin(0.37 * t + 0.7 * id));")


def input_spikes(seed: int, timesteps: int, size: int, rate: float) -> Any:
    """Return spikes of an input population: an array of 0 and 1 of shape (timesteps, neurons)."""
    return (np.random.default_rng(seed).random((timesteps, size)) < rate).astype(float)


def arriving(spikes: Any, delay: int = 0) -> Any:
    """Return spikes as they arrive: one timestep later, and a delay."""
    late = np.zeros_like(spikes)
    late[delay + 1 :] = spikes[: -delay - 1]
    return late


def source_of(spikes: Any, dt: float) -> tuple[dict[str, Any], Any]:
    """Return the variables and the spike times [ms] of a population that sends these spikes."""
    neuron, step = np.nonzero(spikes.T)
    counts = np.bincount(neuron, minlength=spikes.shape[1])
    ends = np.cumsum(counts)
    return {"startSpike": ends - counts, "endSpike": ends}, step * dt


def run_layer(
    rule: EligibilityRule,
    spikes: Any,
    weights: Any,
    *,
    params: dict[str, float],
    initial: dict[str, float],
    psm_params: dict[str, float],
    targets: Any = None,
    dt: float = 1.0,
    signal: str = "",
    precision: str = "double",
    delay: int = 0,
    engine: Any = None,
) -> tuple[Any, int]:
    """Return what a rule has summed up after the spikes, and the number of spikes of the layer.

    The run takes one timestep more than there are spikes: what a timestep contributes is added in the next.
    """
    if engine is None:
        api, model = genn, genn.GeNNModel(precision, "forward_rule", backend="cpu", threads=1)
        model.dt = dt
    else:
        api, model = engine.api, engine.model("forward_rule", precision, dt)
    place, times = source_of(spikes, dt)
    source = model.add_neuron_population("Input", spikes.shape[1], "SpikeSourceArray", {}, place)
    source.extra_global_params["spikeTimes"].set_init_values(times)
    values = {v.name: 0.0 for v in rule.neuron.vars} | initial
    if targets is not None:
        place, times = source_of(targets, dt)
        values |= place
    known = {**params, **rule.neuron_params}
    layer = model.add_neuron_population("Layer", weights.shape[1], rule.neuron, known, values)
    if targets is not None:
        layer.extra_global_params["spikeTimes"].set_init_values(times)
    if signal:
        model.add_current_source("Signal", SIGNAL, layer, {}, {}).target_var = signal
    layer.spike_recording_enabled = True
    update = rule.weight_update
    connection = model.add_synapse_population(
        "Learning",
        "DENSE",
        source,
        layer,
        api.init_weight_update(
            update,
            rule.params,
            {v.name: 0.0 for v in update.vars} | {"w": weights.ravel()},
            {v.name: 0.0 for v in update.pre_vars},
            {v.name: 0.0 for v in update.post_vars},
            post_var_refs={here: api.create_var_ref(layer, there) for here, there in rule.post_neuron_var_refs.items()},
        ),
        api.init_postsynaptic(rule.postsynaptic, psm_params),
    )
    connection.axonal_delay_steps = delay
    model.build()
    model.load(num_recording_timesteps=len(spikes) + 1)
    for _ in range(len(spikes) + 1):
        model.step_time()
    model.pull_recording_buffers_from_device()
    connection.vars["m"].pull_from_device()
    found = connection.vars["m"].view.reshape(weights.shape).copy()
    count = len(layer.spike_recording_data[0][0])
    model.unload()
    return found, count
