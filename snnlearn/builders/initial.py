"""How large initial weights are to be: so that neurons spike at a rate, whatever the model, fan-in and drive.

Weights are drawn with a mean of 0, so that input fluctuates around the resting potential (Rossbroich, Gygax & Zenke
2022). What standard deviation makes a neuron spike at a rate is found from the declared model itself: a population of
it, in NumPy, whose input spikes as Poisson processes do, is run with weights of one deviation after another. So
nothing is assumed of the model; the input's fan-in, its rates, the time constants and the trial's length all count.

Source
------
Rossbroich, Gygax & Zenke (2022), Fluctuation-driven initialization for spiking neural network training, Neuromorphic
Computing and Engineering 2, 044016.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snnlearn.builders.neurons import Neuron
from snnlearn.errors import TrainingError
from snnlearn.grad.numeric import NumericStep

_NEURONS, _DRAWS, _SEED = 64, 4, 1  # in each of as many trials
_MOST_TIMESTEPS = 200
_DOUBLINGS, _BISECTIONS = 60, 14

Numbers = NDArray[np.float64]


def weights_for_rate(
    neuron: Neuron, levels: Numbers, spikes: bool, dt: float, duration: float, rate: float, what: str
) -> float:
    """Return the standard deviation of weights that makes neurons spike at a rate, on average.

    Parameters
    ----------
    neuron : Neuron
        With the postsynaptic model that the input comes through.
    levels : ndarray, shape (inputs,)
        The rate of each input [1 / ms], or its constant value.
    spikes : bool
        Which of these.
    dt, duration : float
        Of a timestep, and of an example [ms].
    rate : float
        [Hz]
    what : str
        What messages call the connection.

    Raises
    ------
    TrainingError
        Where the input is silent, the neuron spikes more often without input, or never.
    """
    drive = _drive(levels, spikes, dt, duration, what)

    def found(scale: float) -> float:
        step = _step(neuron, dt, drive.shape[1])
        count = sum(np.count_nonzero(step.advance(scale * arrived)) for arrived in drive)
        return 1000.0 * count / (drive.size * dt)

    alone = found(0.0)
    if alone >= rate:
        raise TrainingError(
            f"{what}: '{neuron.model.name}' spikes at {alone:.3g} Hz without input, and weights are to make it spike "
            f"at {rate:g} Hz; ask for more, rate=..., or for a smaller constant input"
        )
    return _search(found, rate, _first(drive), f"{what}: no weight makes '{neuron.model.name}' spike at {rate:g} Hz")


def rates_with(
    neuron: Neuron, deviation: float, levels: Numbers, spikes: bool, dt: float, duration: float, size: int, what: str
) -> Numbers:
    """Return the rates of neurons [1 / ms] with weights of this deviation, shape (size,); see `weights_for_rate`.

    They differ much: some neurons are silent, and others spike several times as often as the mean. So the input of
    the next layer varies more than that of neurons which all spike at the mean rate.
    """
    drive = _drive(levels, spikes, dt, duration, what)
    step = _step(neuron, dt, drive.shape[1])
    counts = np.sum([step.advance(deviation * arrived) for arrived in drive], axis=0)
    return np.random.default_rng(_SEED).choice(counts / (len(drive) * dt), size)


def weights_for_spread(
    neuron: Neuron, variable: str, levels: Numbers, spikes: bool, dt: float, duration: float, what: str
) -> float:
    """Return the standard deviation of weights that gives a variable of neurons that do not spike one of 1 at the end.

    The variable is proportional to the weights, as potentials of leaky integrators are. See `weights_for_rate`.
    """
    drive = _drive(levels, spikes, dt, duration, what, most=round(duration / dt))
    scale = _first(drive)
    step = _step(neuron, dt, drive.shape[1])
    for arrived in drive:
        step.advance(scale * arrived)
    spread = float(step.state[variable].std())
    if not spread > 0.0:
        raise TrainingError(f"{what}: input does not change '{variable}' of '{neuron.model.name}'")
    return scale / spread


def _step(neuron: Neuron, dt: float, size: int) -> NumericStep:
    values = neuron.params, neuron.postsynaptic_params, neuron.start
    return NumericStep(neuron.model, neuron.postsynaptic, *values, dt, (size,))


def _drive(
    levels: Numbers, spikes: bool, dt: float, duration: float, what: str, most: int = _MOST_TIMESTEPS
) -> Numbers:
    """Return what reaches neurons with weights of deviation 1, shape (timesteps, neurons); the same in each call."""
    if not np.any(levels > 0.0):
        raise TrainingError(f"{what}: all inputs are silent, so that no weight makes a neuron spike")
    timesteps = max(min(round(duration / dt), most), 1)
    random = np.random.default_rng(_SEED)
    weights = random.normal(size=(len(levels), _NEURONS))
    if spikes:
        arrived = random.poisson(np.broadcast_to(levels * dt, (_DRAWS, timesteps, len(levels)))).astype(np.float64)
    else:
        arrived = np.broadcast_to(levels, (_DRAWS, timesteps, len(levels)))
    drive: Numbers = np.moveaxis(arrived @ weights, 1, 0).reshape(timesteps, -1)
    return drive


def _first(drive: Numbers) -> float:
    """Return a deviation that is a small one, whatever the unit."""
    return 1e-3 / max(float(np.abs(drive).max()), 1e-300)


def _search(measure: Callable[[float], float], wanted: float, first: float, failure: str) -> float:
    """Return the scale at which a growing function reaches a value.

    Raises
    ------
    TrainingError
        Where it never does.
    """
    high = first
    for _ in range(_DOUBLINGS):
        if measure(high) >= wanted:
            break
        high *= 2.0
    else:
        raise TrainingError(failure)
    low = high / 2.0
    while measure(low) >= wanted and low > first * 2.0**-_DOUBLINGS:
        high, low = low, low / 2.0
    for _ in range(_BISECTIONS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if measure(middle) >= wanted else (middle, high)
    return high
