"""First weights: a new network spikes, whatever its neurons, depth, width and input; NumPy shows that."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.builders import NEURONS, Neuron, rates_with, weights_for_rate, weights_for_spread
from snnlearn.builders.readouts import READOUTS
from snnlearn.errors import TrainingError
from snnlearn.grad.numeric import NumericStep
from snnlearn.models import DeltaCurr
from snnlearn.training import ArrayData

DT, DURATION, RATE, TRIALS = 1.0, 50.0, 20.0, 8
BAND = 10.0  # 20 neurons are few, and what they lack or have too much is what the next layer gets
X = np.random.default_rng(5).uniform(size=(64, 30)) * np.random.default_rng(6).integers(0, 2, size=(64, 30))
Y = np.arange(64) % 2


def arrivals(data: ArrayData) -> np.ndarray:
    """What the inputs of some examples send, shape (timesteps, trials, inputs)."""
    steps = round(data.duration / DT)
    if not data.encoded.spikes:
        return np.broadcast_to(data.encoded.values[:TRIALS], (steps, TRIALS, data.num_inputs))
    found = np.zeros((steps, TRIALS, data.num_inputs))
    starts, ends = data.encoded.starts[:TRIALS], data.encoded.ends[:TRIALS]
    for trial, neuron in np.ndindex(starts.shape):
        for time in data.encoded.times[starts[trial, neuron] : ends[trial, neuron]]:
            found[min(int(np.ceil(time / DT)), steps - 1), trial, neuron] += 1.0
    return found


def layer(neuron: Neuron, sent: np.ndarray, deviation: float, size: int, seed: int) -> np.ndarray:
    """The spikes of a layer that gets these, a timestep later."""
    weights = np.random.default_rng(seed).normal(scale=deviation, size=(sent.shape[2], size))
    values = neuron.params, neuron.postsynaptic_params, neuron.start
    step = NumericStep(neuron.model, neuron.postsynaptic, *values, DT, (TRIALS, size))
    return np.array([step.advance(arrived @ weights) for arrived in sent], np.float64)


def rates(name: str, encode: str, width: int, depth: int) -> list[float]:
    """The rate of each layer [Hz]."""
    neuron, data = NEURONS[name], ArrayData(X, Y, encode)
    sent, levels, spikes, found = arrivals(data), data.levels(), data.encoded.spikes, []
    for number in range(depth):
        felt = neuron if spikes else Neuron(neuron.model, neuron.params, neuron.start, DeltaCurr, {})
        deviation = weights_for_rate(felt, levels, spikes, DT, data.duration, RATE, "test")
        sent = layer(felt, sent, deviation, width, number)
        levels = rates_with(felt, deviation, levels, spikes, DT, data.duration, width, "test")
        spikes = True
        found.append(1000.0 * sent.mean() / DT)
    return found


@pytest.mark.parametrize(
    ("neuron", "encode", "width", "depth"),
    [
        ("LIF", "latency", 20, 3),
        ("AdEx", "current", 20, 1),
    ],
)
def test_every_layer_spikes_at_a_sane_rate(neuron, encode, width, depth):
    found = rates(neuron, encode, width, depth)
    assert RATE / 2.5 < found[0] < 2.5 * RATE
    assert all(RATE / BAND < rate < BAND * RATE for rate in found), found


@pytest.mark.slow
@pytest.mark.parametrize("width", [20, 100, 500])
@pytest.mark.parametrize("encode", ["latency", "rate", "regular", "current", "receptive_fields"])
@pytest.mark.parametrize("neuron", list(NEURONS))
def test_every_layer_of_any_network_spikes_at_a_sane_rate(neuron, encode, width):
    found = rates(neuron, encode, width, 5)
    assert RATE / 2.5 < found[0] < 2.5 * RATE
    assert all(RATE / BAND < rate < BAND * RATE for rate in found), found


def test_scores_are_spread_by_one():
    readout = READOUTS["mean"].layer(NEURONS["LIF"], DT, DURATION)
    levels = np.full(60, 0.02)
    deviation = weights_for_spread(readout, "score", levels, True, DT, DURATION, "test")
    random = np.random.default_rng(9)
    sent = random.poisson(0.02 * DT, size=(50, TRIALS, 60)).astype(float)
    values = readout.params, readout.postsynaptic_params, readout.start
    step = NumericStep(readout.model, readout.postsynaptic, *values, DT, (TRIALS, 200))
    weights = random.normal(scale=deviation, size=(60, 200))
    for arrived in sent:
        step.advance(arrived @ weights)
    assert 0.7 < step.state["score"].std() < 1.4


def test_a_rate_that_cannot_be_is_refused():
    neuron, levels = NEURONS["LIF"], np.full(10, 0.02)
    given = (True, DT, DURATION, RATE, "InputHidden")
    with pytest.raises(TrainingError, match="InputHidden: all inputs are silent"):
        weights_for_rate(neuron, np.zeros(10), *given)
    driven = Neuron(neuron.model, {**neuron.params, "Ioffset": 5.0}, neuron.start)
    with pytest.raises(TrainingError, match="Hz without input"):
        weights_for_rate(driven, levels, *given)
    asleep = Neuron(neuron.model, {**neuron.params, "Vthresh": 1e30}, neuron.start)
    with pytest.raises(TrainingError, match="no weight makes 'LIF' spike at 20 Hz"):
        weights_for_rate(asleep, levels, *given)
    with pytest.raises(TrainingError, match="input does not change 'V'"):
        weights_for_spread(Neuron(neuron.model, {**neuron.params, "C": float("inf")}, neuron.start), "V", levels,
                           True, DT, DURATION, "HiddenOutput")  # fmt: skip
