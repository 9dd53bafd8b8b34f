"""The demo's network and its input."""

import numpy as np
import pytest

from snnlearn.userproject import superspike as ss


def test_frozen_poisson_is_frozen_and_poisson():
    first, again, other = ss.frozen_poisson(1), ss.frozen_poisson(1), ss.frozen_poisson(2)
    np.testing.assert_array_equal(first.times, again.times)
    assert len(first.times) != len(other.times) or not np.array_equal(first.times, other.times)
    assert first.times.min() >= 0.0
    assert first.times.max() < ss.TRIAL_MS


def test_frozen_poisson_rate():
    # 200 neurons x 1.89 s x 5 Hz = 1890 expected, standard deviation 43; over 20 seeds 37800 +- 5 x 194.
    total = sum(len(ss.frozen_poisson(seed).times) for seed in range(1, 21))
    assert abs(total - 37800) < 5 * 194


def test_frozen_poisson_intervals_are_exponential():
    trains = ss.frozen_poisson(3, num_neurons=50, duration_ms=100_000.0)
    intervals = np.concatenate([np.diff(trains.times[trains.ids == n]) for n in range(50)])
    # Mean 200 ms and standard deviation equal to it; 25,000 intervals give both to 0.7 % (one sigma: 1.3 ms).
    assert intervals.mean() == pytest.approx(200.0, abs=5 * 1.3)
    assert intervals.std() == pytest.approx(200.0, abs=5 * 1.8)


def test_lengths():
    assert (ss.TRIAL_TIMESTEPS, ss.UPDATE_TIMESTEPS) == (18900, 5000)
