"""The error's unit and the silent layer's error, against the recurrence run step by step."""

import numpy as np
import pytest

from snnlearn.errors import TargetError
from snnlearn.io import SpikeTrains
from snnlearn.userproject import superspike as ss
from snnlearn.userproject.superspike_error import SilentError, normalised_error, spike_timesteps


def step_by_step(target, trials):
    """``avgSqrErr`` summed over neurons after each trial, as SuperSpikeOutput's code says, in float64."""
    rise_mult, decay_mult = np.exp(-0.1 / 5.0), np.exp(-0.1 / 10.0)
    peak = (10.0 * 5.0 / (10.0 - 5.0)) * np.log(10.0 / 5.0)
    norm = 1.0 / (np.exp(-peak / 10.0) - np.exp(-peak / 5.0))
    spikes = np.zeros((18900, target.num_neurons))
    spikes[np.ceil(target.times / 0.1 - 1e-6).astype(int), target.ids] = 1.0
    rise = decay = average = np.zeros(target.num_neurons)
    sums = []
    for _ in range(trials):
        for row in spikes:
            rise = rise * rise_mult + row
            decay = decay * decay_mult + row
            error = (decay - rise) * norm
            average = average * np.exp(-0.1 / 10000.0) + error * error * 0.1 * 0.001
        sums.append(average.sum())
    return sums


def test_silent_error_is_the_recurrence():
    times = np.array([0.0, 3.7, 120.0, 1885.0, 10.0, 1889.9])  # two so late that their traces reach the next trial
    target = SpikeTrains.from_spikes(times, np.array([0, 0, 0, 0, 2, 2]), 3)
    silent = SilentError(target)
    # Both are float64; they differ in the order of about 2e4 additions, each rounded to 1 in 1e16.
    assert [silent.after(k) for k in (1, 2, 3)] == pytest.approx(step_by_step(target, 3), rel=1e-11)


def test_silent_error_is_above_0_for_a_target_in_the_last_timestep():
    target = SpikeTrains.from_spikes(np.array([1889.9]), np.array([1]), 3)
    silent, expected = SilentError(target), step_by_step(target, 3)
    # A trace begins at 0: the first trial has none of it, all later ones have the rest of the one before.
    assert expected[0] == 0.0
    assert silent.after(1) == pytest.approx(0.01 * expected[1], rel=1e-11)
    assert [silent.after(k) for k in (2, 3)] == pytest.approx(expected[1:], rel=1e-11)


def test_silent_error_does_not_count_what_comes_after_the_last_timestep():
    late = SpikeTrains.from_spikes(np.array([5.0, 1889.95]), np.array([0, 1]), 2)
    assert SilentError(late).after(2) == SilentError(SpikeTrains.from_spikes([5.0], [0], 2)).after(2)
    with pytest.raises(TargetError, match="no spike of the target can take place in a trial"):
        SilentError(SpikeTrains.from_spikes(np.array([1889.95]), np.array([1]), 2))


def test_each_neuron_has_one_spike_a_timestep():
    """As a source has it: the walk through a train, timestep by timestep."""
    rng = np.random.default_rng(3)
    times = np.concatenate([rng.uniform(0.0, 3.0, 60), rng.integers(0, 30, 40) / 10.0, [1889.9] * 3])
    target = SpikeTrains.from_spikes(times, np.concatenate([rng.integers(0, 4, 100), [2, 2, 2]]), 4)
    expected = []
    for start, end in zip(target.start_index, target.end_index, strict=True):
        step = -1
        for time in target.times[start:end]:
            step = max(step + 1, int(np.ceil(np.round(time / 0.1, 6))))
            expected.append(step)
    assert spike_timesteps(target).tolist() == expected
    assert max(expected) == 18901


def test_silent_error_of_a_stretch_is_what_it_adds():
    target = SpikeTrains.from_spikes(np.array([1.0, 800.0, 1889.0]), np.array([0, 1, 1]), 2)
    silent = SilentError(target)
    kept = np.exp(-0.1 / 10000.0)
    for start, middle, end in [(0, 5000, 18900), (0, 1, 18900), (18900, 25000, 37800)]:
        first, second = silent.between(start, middle), silent.between(middle, end)
        assert silent.between(start, end) == pytest.approx(first * kept ** (end - middle) + second, rel=1e-12)
    whole = silent.after(1) * kept**18900 + silent.between(18900, 37800)
    assert silent.after(2) == pytest.approx(whole, rel=1e-12)


def test_normalised_error_of_a_constant_rate_does_not_depend_on_time():
    # avgSqrErr of a constant squared error e2 [1] grows as e2 tau (1 - exp(-T/tau)); the unit divides that out.
    tau_s = ss.TAU_AVG_ERR_MS / 1000.0
    errors = []
    for timesteps in (100, 18900, 10**7):
        seconds = timesteps * 1e-4
        average = 0.25 * tau_s * -np.expm1(-seconds / tau_s)
        errors.append(normalised_error(average, timesteps))
    # 1e-9 is added to the denominator, which is 1e-3 at least here.
    assert errors == pytest.approx([errors[-1]] * 3, rel=2e-6)


def test_unit_is_that_of_genns_demo():
    # By hand: tau_decay = 10 ms, tau_rise = 5 ms: ((1e-4/2)/5e-3)^2 = 1e-4; 5e-3 + 2.5e-3 - 2*5e-5/15e-3 = 1/1200.
    scale = 1.0 / (1e-4 * (1.0 / 1200.0)) / 10.0
    value = normalised_error(1.0, 10**9)
    assert value == pytest.approx(scale, rel=2e-9)
