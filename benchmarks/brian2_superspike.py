"""The trial of the SuperSpike demo in Brian2: a peer of superspike.py, where Brian2 is installed.

The same network with the same numbers, as a user of Brian2 would write it: equations with forward Euler, the feedback
of the error as a summed variable, compiled by Cython. The optimiser's update is NumPy between runs. Spikes need not be
the same one by one: Brian2 updates its parts in an order of its own.
"""

from __future__ import annotations

from typing import Any

import brian2 as b2
import numpy as np
from numpy.typing import NDArray

from snnlearn.io import SpikeTrains
from snnlearn.userproject import superspike as ss

_NEURON = """
    dV/dt = ((-60.0 - V) + I) / tau_mem : 1 (unless refractory)
    dI/dt = -I / tau_rise : 1
    dz/dt = -z / tau_rise : 1
    dzTilda/dt = (z - zTilda) / tau_decay : 1
    sigmaPrime = int(V >= -80.0) * 1000.0 / (1.0 + abs(V + 50.0)) ** 2 : 1
"""
_ERROR = """
    derrRise/dt = -errRise / tau_rise : 1
    derrDecay/dt = -errDecay / tau_decay : 1
    errTilda = (errDecay - errRise) * 4.0 : 1
"""
_SYNAPSE = """
    w : 1
    dtrace/dt = zTilda_pre * sigmaPrime_post / ms - trace / tau_rise : 1 (clock-driven)
    dlambda_/dt = (trace - lambda_) / tau_decay : 1 (clock-driven)
    dm/dt = lambda_ * errTilda_post / dt : 1 (clock-driven)
"""


class Trials:
    """The network, built; each trial continues from the one before.

    Parameters
    ----------
    inputs, target : SpikeTrains
    seed : int
        Of the initial weights.
    """

    def __init__(self, inputs: SpikeTrains, target: SpikeTrains, seed: int) -> None:
        b2.prefs.codegen.target = "cython"
        b2.prefs.core.default_float_dtype = np.float32
        b2.defaultclock.dt = ss.TIMESTEP_MS * b2.ms
        self.names = {
            "tau_mem": 10.0 * b2.ms,
            "tau_rise": ss.TAU_RISE_MS * b2.ms,
            "tau_decay": ss.TAU_DECAY_MS * b2.ms,
        }
        random = np.random.default_rng(seed)
        options: dict[str, Any] = {"method": "euler", "threshold": "V >= -50.0", "refractory": 5.0 * b2.ms}
        options["reset"] = "V = -60.0; z += 1.0"
        source = b2.NeuronGroup(inputs.num_neurons, "\n".join(_NEURON.splitlines()[3:5]), method="euler")
        hidden = b2.NeuronGroup(ss.NUM_HIDDEN, _NEURON + "errTilda : 1", **options)
        options["reset"] += "; errRise -= 1.0; errDecay -= 1.0"
        output = b2.NeuronGroup(target.num_neurons, _NEURON + _ERROR, **options)
        hidden.V = output.V = -60.0
        given, wanted = _generator(inputs), _generator(target)
        traces = b2.Synapses(given, source, on_pre="z += 1.0")
        errors = b2.Synapses(wanted, output, on_pre="errRise += 1.0; errDecay += 1.0")
        for one_to_one in (traces, errors):
            one_to_one.connect(j="i")
        forward = b2.Synapses(given, hidden, "w : 1", on_pre="I_post += w")
        self.layers = [
            b2.Synapses(source, hidden, _SYNAPSE, method="euler"),
            b2.Synapses(hidden, output, _SYNAPSE, on_pre="I_post += w", method="euler"),
        ]
        self.back = b2.Synapses(output, hidden, "w : 1\nerrTilda_post = w * errTilda_pre : 1 (summed)")
        for dense in (forward, *self.layers, self.back):
            dense.connect()
        self.forward = forward
        self.upsilon = []
        for layer, size in zip(self.layers, (inputs.num_neurons, ss.NUM_HIDDEN), strict=True):
            sd = ss.WEIGHT_SD / np.sqrt(size)
            layer.w = np.clip(random.normal(0.0, sd, len(layer)), -ss.WEIGHT_LIMIT, ss.WEIGHT_LIMIT)
            self.upsilon.append(np.zeros(len(layer)))
        self.monitor = b2.SpikeMonitor(output, record=False)
        self.network = b2.Network(
            source, hidden, output, given, wanted, traces, errors, forward, *self.layers, self.back, self.monitor
        )
        self.copy_weights()

    def copy_weights(self) -> None:
        """Give the spikes' connection the weights of the first layer, and the feedback those of the second, transposed.

        The first layer is two connections as what generates spikes in Brian2 has no variables, such as traces.
        """
        first, second = self.layers
        self.forward.w = np.array(first.w)
        self.back.w = np.array(second.w).reshape(ss.NUM_HIDDEN, -1).T.ravel()

    def trial(self) -> None:
        """Run a trial with its updates of the weights."""
        left = ss.TRIAL_TIMESTEPS
        while left > 0:
            timesteps = min(left, ss.UPDATE_TIMESTEPS)
            self.network.run(timesteps * ss.TIMESTEP_MS * b2.ms, namespace=self.names)
            left -= timesteps
            if timesteps == ss.UPDATE_TIMESTEPS:
                self.update()

    def update(self) -> None:
        """Change the weights by RMaxProp, with the numbers of the demo."""
        for layer, upsilon in zip(self.layers, self.upsilon, strict=True):
            gradient: NDArray[np.float64] = np.array(layer.m, dtype=np.float64) / ss.UPDATE_TIMESTEPS
            np.maximum(upsilon * np.exp(-ss.UPDATE_MS / 30000.0), gradient**2, out=upsilon)
            weights = np.array(layer.w) + ss.R0 * gradient / (np.sqrt(upsilon) + 1e-32)
            layer.w = np.clip(weights, -ss.WEIGHT_LIMIT, ss.WEIGHT_LIMIT)
            layer.m = 0.0
        self.copy_weights()


def _generator(trains: SpikeTrains) -> Any:
    """Return what repeats spike trains in every trial."""
    ids = np.repeat(np.arange(trains.num_neurons), np.asarray(trains.end_index) - np.asarray(trains.start_index))
    steps = np.floor(np.asarray(trains.times, dtype=np.float64) / ss.TIMESTEP_MS).astype(int)
    _, kept = np.unique(np.stack([ids, steps]), axis=1, return_index=True)  # one spike a timestep, as Brian2 wants it
    times = (steps[kept] + 0.5) * ss.TIMESTEP_MS * b2.ms
    return b2.SpikeGeneratorGroup(trains.num_neurons, ids[kept], times, period=ss.TRIAL_MS * b2.ms)
