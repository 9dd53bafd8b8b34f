"""Random manifolds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snnlearn.datasets import randman
from snnlearn.errors import ExchangeError


def test_shape_order_and_seed():
    times, labels = randman(3, 50, 7, 2, seed=4, duration_ms=20.0)
    assert times.shape == (150, 7)
    assert np.bincount(labels).tolist() == [50, 50, 50]
    assert not np.array_equal(labels, np.sort(labels))
    for label in range(3):  # scaled class by class: the mean or the range of a time says nothing of the class
        np.testing.assert_allclose(times[labels == label].min(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(times[labels == label].max(axis=0), 20.0, rtol=1e-12)
    np.testing.assert_array_equal(randman(3, 50, 7, 2, seed=4, duration_ms=20.0)[0], times)
    assert not np.array_equal(randman(3, 50, 7, 2, seed=5, duration_ms=20.0)[0], times)


def test_the_formula():
    """A Fourier series written out, with the random numbers in their order."""
    times, labels = randman(1, 5, 2, 2, alpha=3.0, seed=1, duration_ms=1.0)
    random = np.random.default_rng(1)
    terms = math.ceil(1e-3 ** (-1 / 3.0))
    a, b, c = random.uniform(size=(3, 2, 2, terms))
    x = random.uniform(size=(5, 2))
    points = np.empty((5, 2))
    for n in range(5):
        for i in range(2):
            points[n, i] = math.prod(
                sum(
                    a[i, d, k] / (k + 1) ** 3 * math.sin(2 * math.pi * (k * b[i, d, k] * x[n, d] + c[i, d, k]))
                    for k in range(1, terms)
                )
                for d in range(2)
            )
    points = (points - points.min(axis=0)) / (points.max(axis=0) - points.min(axis=0))
    np.testing.assert_allclose(times, points[random.permutation(5)], atol=1e-12)
    assert labels.tolist() == [0] * 5


def test_smoother_manifolds_are_smoother():
    """Points of a curve are as far from the nearest as the curve is long."""

    def nearest(alpha):
        times, _ = randman(1, 200, 10, 1, alpha=alpha, seed=2)
        apart = np.linalg.norm(times[:, None] - times[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        return np.median(apart.min(axis=1))

    assert nearest(1.0) > 1.5 * nearest(2.0) > 1.5**2 * nearest(4.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 0}, "num_classes must be a whole number, at least 1, not 0"),
        ({"dimension": 1.5}, "dimension must be a whole number, at least 1, not 1.5"),
        ({"alpha": 0.0}, "alpha must be finite and above 0, not 0.0"),
        ({"duration_ms": float("nan")}, "duration_ms must be finite and above 0, not nan"),
    ],
)
def test_wrong_numbers(options, message):
    with pytest.raises(ExchangeError, match=message):
        randman(**options)
