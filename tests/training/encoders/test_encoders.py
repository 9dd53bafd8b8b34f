"""Encoders: the times and values that their formulas say, and one error for each wrong input."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.training import encoders
from snnlearn.training.encoders import EncodedSpikes


def spikes(encoded: EncodedSpikes) -> list[list[list[float]]]:
    """Times by example and input neuron."""
    return [
        [encoded.times[a:b].tolist() for a, b in zip(*row, strict=True)]
        for row in zip(encoded.starts, encoded.ends, strict=True)
    ]


def test_latency_is_earlier_for_larger_values():
    encoded = encoders.Latency(first=2.0, last=12.0, low=-1.0).encode(np.array([[-1.0, 0.0], [1.0, 0.5]]))
    assert spikes(encoded) == [[[], [7.0]], [[2.0], [4.5]]]


def test_regular_rates_have_equal_distances():
    encoded = encoders.Rate(highest=100.0, duration=50.0, regular=True).encode(np.array([[1.0, 0.5, 0.0]]))
    assert spikes(encoded) == [[[5.0, 15.0, 25.0, 35.0, 45.0], [10.0, 30.0], []]]


def test_poisson_rates_are_those_asked_for():
    encoded = encoders.Rate(highest=400.0, lowest=40.0, duration=1000.0).encode(np.tile([0.0, 0.5, 1.0], (400, 1)))
    counts = encoded.ends - encoded.starts
    mean, rates = counts.mean(axis=0), np.array([40.0, 220.0, 400.0])
    np.testing.assert_array_less(np.abs(mean - rates), 5.0 * np.sqrt(rates / 400))
    fano = counts.var(axis=0, ddof=1) / mean
    np.testing.assert_array_less(np.abs(fano - 1.0), 5.0 * np.sqrt(2.0 / 399))
    places = encoded.times / 1000.0
    assert abs(places.mean() - 0.5) < 5.0 / np.sqrt(12.0 * places.size)
    assert all(np.all(np.diff(neuron) >= 0) for row in spikes(encoded)[:5] for neuron in row)


def test_poisson_spikes_follow_from_the_seed_and_the_number_alone():
    X = np.random.default_rng(1).uniform(size=(6, 3))
    all_of_them, first = encoders.Rate().encode(X), encoders.Rate().encode(X[:4])
    assert spikes(all_of_them)[:4] == spikes(first)
    other = X.copy()
    other[0] = 1.0
    assert spikes(encoders.Rate().encode(other))[1:] == spikes(all_of_them)[1:]
    assert spikes(encoders.Rate(seed=2).encode(X)) != spikes(all_of_them)


def test_currents_are_shares_of_the_range():
    encoded = encoders.Current(low=0.0, high=4.0).encode(np.array([[0.0, 1.0], [4.0, 2.0]]))
    np.testing.assert_array_equal(encoded.values, [[0.0, 0.25], [1.0, 0.5]])
    assert encoded.variables(np.array([1]))["x"].tolist() == [[1.0, 0.5]]
    np.testing.assert_allclose(encoded.levels(np.arange(2), 50.0), [np.sqrt(0.5), np.sqrt((0.0625 + 0.25) / 2)])


def test_events_come_where_a_line_between_samples_has_moved_by_the_threshold():
    series = np.array([[0.0, 1.0, 1.0, -0.2, 0.9]])
    encoded = encoders.Delta(threshold=0.5, samples=5, step=2.0).encode(series)
    up, down = spikes(encoded)[0]
    np.testing.assert_allclose(up, [1.0, 2.0, 6.0 + 2.0 * 0.7 / 1.1], rtol=1e-6)
    np.testing.assert_allclose(down, [4.0 + 2.0 * 0.5 / 1.2, 4.0 + 2.0 * 1.0 / 1.2], rtol=1e-6)


def test_events_add_up_to_the_series():
    random = np.random.default_rng(3)
    series = np.cumsum(random.normal(size=(20, 60, 3)), axis=1)
    encoded = encoders.Delta(threshold=0.3, samples=60).encode(series)
    counts = encoded.ends - encoded.starts
    moved = 0.3 * (counts[:, :3] - counts[:, 3:])
    assert np.abs(series[:, -1] - series[:, 0] - moved).max() <= 0.3 * (1 + 1e-6)
    assert encoded.times.max() <= 59.0


def test_receptive_fields_are_those_of_bohte():
    encoder = encoders.ReceptiveFields(fields=4, first=0.0, last=10.0, low=0.0, high=2.0)
    (found,) = spikes(encoder.encode(np.array([[0.5]])))
    centres, width = 2.0 * np.array([-0.25, 0.25, 0.75, 1.25]), 2.0 / (1.5 * 2)
    late = 10.0 * (1.0 - np.exp(-((0.5 - centres) ** 2) / (2 * width**2)))
    wanted = [[t] if t <= 9.0 else [] for t in late]
    assert [len(one) for one in found] == [len(one) for one in wanted]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(wanted), rtol=1e-6)
    assert found[1] == [0.0]


def test_times_are_taken_as_they_are():
    assert spikes(encoders.Times(last=5.0).encode(np.array([[0.0, 4.5]]))) == [[[0.0], [4.5]]]


def test_some_of_the_examples_have_their_spikes_alone():
    encoded = encoders.Rate(highest=100.0).encode(np.random.default_rng(2).uniform(size=(7, 4)))
    part = encoded.part(np.array([5, 0]))
    assert spikes(part) == [spikes(encoded)[5], spikes(encoded)[0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: encoders.Latency(last=60.0), "first < last <= duration"),
        (lambda: encoders.Latency(low=1.0), "low must be below high"),
        (lambda: encoders.Latency(duration=float("nan")), "duration must be a finite number"),
        (lambda: encoders.Rate(highest=0.0), "highest must be above 0"),
        (lambda: encoders.Rate(lowest=300.0), "lowest <= highest"),
        (lambda: encoders.Rate(seed=-1), "seed must be a whole number"),
        (lambda: encoders.ReceptiveFields(fields=2), "fields must be a whole number, 3 at least"),
        (lambda: encoders.ReceptiveFields(first=30.0), "first < last <= duration"),
        (lambda: encoders.Delta(threshold=0.0, samples=3), "threshold must be above 0"),
        (lambda: encoders.Delta(threshold=1.0, samples=3, rest=-1.0), "rest must not be negative"),
        (lambda: encoders.Delta(threshold=1.0, samples=3).encode(np.zeros((2, 4))), r"shape \(2, 4\)"),
        (lambda: encoders.Delta(threshold=1e-12, samples=2).encode(np.array([[0.0, 1.0]])), "a larger one makes fewer"),
        (
            lambda: encoders.Latency().encode(np.array([[0.5, 1.5]])),
            r"but X\[0, 1\] is 1.5 .*; give it low=0, high=1.5",
        ),
        (lambda: encoders.Times().encode(np.array([[-1.0]])), r"but X\[0, 0\] is -1"),
        (lambda: encoders.Current().encode(np.array([0.5])), r"not \(examples, features\)"),
        (lambda: encoders.find("latancy"), "did you mean 'latency'"),
        (lambda: encoders.find("delta"), "no default threshold"),
        (lambda: encoders.find(3), "not 3"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(TrainingError, match=message):
        make()
