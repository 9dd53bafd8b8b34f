"""The reference of EventProp against central differences: what the engine is compared with is right."""

from __future__ import annotations

import numpy as np
import pytest
from eventprop_reference import Lif, Network, first_spikes


def network(seed: int, refractory: float, spike_loss: bool = False, recurrent: bool = True) -> Network:
    """Four inputs, five hidden neurons, recurrent, and three outputs; delays of 0 to 2 ms."""
    random = np.random.default_rng(seed)
    weights = np.zeros((12, 8))
    weights[:4, :5] = random.normal(1.4, 0.6, (4, 5))
    weights[4:9, 5:] = random.normal(1.2, 0.5, (5, 3))
    if recurrent:
        weights[4:9, :5] = random.normal(0.0, 0.3, (5, 5))
    delays = np.broadcast_to(np.arange(12)[:, None] % 3 * 1.0, (12, 8)).copy()
    spikes = sorted((float(t), int(i)) for t, i in zip(random.uniform(0, 30, 16), np.arange(16) % 4, strict=True))
    loss = first_spikes([5, 6, 7], 6, 3.0, 50.0) if spike_loss else None
    neuron = Lif(reset=-0.1, refractory=refractory)
    return Network(4, weights, delays, neuron, spikes, 50.0, () if spike_loss else (1, 5, 6, 7), spike_loss=loss)


def difference(net: Network, direction: np.ndarray, step: float = 1e-5) -> float:
    """Return the central difference of the loss along a direction of weights, of fourth order."""
    start, ends = net.weights, {}
    for times in (-2, -1, 1, 2):
        net.weights = start + times * step * direction
        ends[times] = net.run()
    net.weights = start
    net.run()
    return (8 * (ends[1] - ends[-1]) - (ends[2] - ends[-2])) / (12 * step)


@pytest.mark.parametrize(
    ("refractory", "spike_loss"), [(0.0, False), pytest.param(2.0, False, marks=pytest.mark.slow), (2.0, True)]
)
def test_reference_is_the_derivative(refractory: float, spike_loss: bool) -> None:
    net = network(3, refractory, spike_loss)
    net.run()
    found = net.gradient()
    assert sum(len(t) for t in net.times.values()) > 15
    direction = np.random.default_rng(1).normal(size=net.weights.shape) * (net.weights != 0.0)
    assert (found * direction).sum() == pytest.approx(difference(net, direction), rel=1e-7)


@pytest.mark.slow
def test_each_derivative() -> None:
    net = network(3, 2.0)
    net.run()
    found = net.gradient()
    scale = np.abs(found[net.weights != 0.0]).max()
    for at in zip(*np.nonzero(net.weights), strict=True):
        direction = np.zeros_like(net.weights)
        direction[at] = 1.0
        assert found[at] == pytest.approx(difference(net, direction), rel=1e-7, abs=1e-7 * scale)
