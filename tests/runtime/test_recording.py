"""Spikes from the bits of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.runtime.recording import Recording


@pytest.mark.parametrize(
    ("timesteps", "neurons", "share"), [(0, 5, 0.5), (7, 1, 0.5), (40, 32, 0.02), (9, 33, 1.0), (30, 95, 0.3)]
)
def test_each_bit_is_a_neurons_spike(timesteps: int, neurons: int, share: float) -> None:
    words = (neurons + 31) // 32
    bits = np.random.default_rng(1).random((timesteps, 32 * words)) < share  # those beyond the last neuron too
    rows = np.zeros((timesteps, words), np.uint32)
    for row, bit in np.argwhere(bits):
        rows[row, bit // 32] |= np.uint32(1 << bit % 32)
    times, ids = Recording(rows, 3, 0.1, neurons).decode()
    spikes = [(row, neuron) for row, neuron in np.argwhere(bits) if neuron < neurons]
    np.testing.assert_array_equal(times, [(3 + row) * 0.1 for row, _ in spikes])
    np.testing.assert_array_equal(ids, [neuron for _, neuron in spikes])
    assert (times.dtype, ids.dtype) == (np.float64, np.int32)
