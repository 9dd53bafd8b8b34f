"""Arrays of examples: their checks, and splits by class."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.io import SpikeTrains
from snnlearn.training import ArrayData, encoders

X = np.random.default_rng(1).uniform(size=(40, 3))
Y = np.repeat([0, 1, 2], [20, 12, 8])


def test_a_split_has_the_shares_of_classes_and_every_example_once():
    rest, part = ArrayData(X, Y).split(0.25, seed=3)
    assert np.bincount(part.y).tolist() == [5, 3, 2]
    assert np.bincount(rest.y).tolist() == [15, 9, 6]
    assert sorted([*rest.places, *part.places]) == list(range(40))
    assert rest.encoded is part.encoded
    again, other = (ArrayData(X, Y).split(0.25, seed=seed)[1].places for seed in (3, 4))
    np.testing.assert_array_equal(part.places, again)
    assert not np.array_equal(part.places, other)


def test_a_part_of_a_part_has_its_own_examples():
    data = ArrayData(X, Y, "current")
    part = data.part([30, 5, 7]).part([2, 0])
    assert part.y.tolist() == [0, 1]
    np.testing.assert_allclose(part.variables([0, 1])["x"], X[[7, 30]], rtol=1e-6)


def test_pictures_lose_their_rows():
    assert ArrayData(np.zeros((4, 8, 8)), [0, 0, 1, 1]).num_inputs == 64


def test_levels_are_mean_rates_of_these_examples():
    data = ArrayData([[1.0, 0.0], [0.5, 0.0], [0.2, 0.2]], [0, 0, 1])
    np.testing.assert_allclose(data.levels(), [1.0 / 50.0, 1.0 / 150.0])
    np.testing.assert_allclose(data.part([0, 1]).levels(), [1.0 / 50.0, 0.0])


def test_spike_trains_are_examples_too():
    trains = [SpikeTrains.from_spikes(t, i, 3) for t, i in (([5.0, 1.0], [0, 2]), ([], []), ([2.0], [1]))]
    data = ArrayData.from_spikes(trains, [0, 1, 0], 20.0)
    assert data.encoded.ends.tolist() == [[1, 1, 2], [2, 2, 2], [2, 3, 3]]
    assert data.encoded.times.tolist() == [5.0, 1.0, 2.0]
    with pytest.raises(TrainingError, match="no less than the last spike's time, 5 ms"):
        ArrayData.from_spikes(trains, [0, 1, 0], 4.0)
    with pytest.raises(TrainingError, match="example 1 has 2 neurons, and example 0 has 3"):
        ArrayData.from_spikes([trains[0], SpikeTrains.from_spikes([], [], 2)], [0, 1], 20.0)
    with pytest.raises(TrainingError, match="from_spikes"):
        data.like(X)


def test_further_examples_are_encoded_alike():
    data = ArrayData(X, Y, encoders.Latency(last=11.0))
    np.testing.assert_array_equal(data.like(X[:2]).encoded.times, data.encoded.part(np.arange(2)).times)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((X[:5], Y), "X has 5 examples, and y 40 labels"),
        ((np.where(X > 0.99, np.nan, X), Y), r"X must be finite, but X\[\d+, \d\] is nan"),
        ((X, Y + 1), "all labels from 0 to K - 1, but has 1, 2, 3"),
        ((X, Y - 1), "all labels from 0 to K - 1, but has -1"),
        ((X, Y * 2), "but has 0, 2, 4"),
        ((X, Y * 10**12), "all labels from 0"),
        ((X, Y.astype(float)), "y must be whole numbers"),
        ((X, Y, "latency", 2), "y must be from 0 to 1, but has 2"),
        ((X, Y, "latency", True), "num_classes must be a whole number"),
        ((X, Y[:, None]), "y must have one dimension"),
        ((X, Y, "latensy"), "did you mean 'latency'"),
        ((X + 1.0, Y), r"X must be within \[0, 1\]"),
        ((X[:, 0], Y), "must have the shape"),
        ((np.zeros((0, 3)), np.zeros(0, int)), "must have the shape"),
        ((X.astype(complex), Y), "real numbers"),
        (([[1.0], [1.0, 2.0]], [0, 1]), "X must be an array of"),
    ],
)
def test_wrong_data_are_refused(given, message):
    with pytest.raises(TrainingError, match=message):
        ArrayData(*given)


@pytest.mark.parametrize(
    ("fraction", "message"), [(0.0, "between 0 and 1"), (True, "between 0 and 1"), (0.05, "class 2")]
)
def test_a_split_that_is_none_is_refused(fraction, message):
    with pytest.raises(TrainingError, match=message):
        ArrayData(X, Y).split(fraction)
