"""Randman: classes that are smooth random manifolds in the space of spike times (Zenke & Vogels 2021)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError

_PRECISION, _MOST_FREQUENCIES = 1e-3, 1000  # amplitudes below this are left out


def randman(
    num_classes: int = 10,
    per_class: int = 1000,
    num_neurons: int = 20,
    dimension: int = 2,
    alpha: float = 2.0,
    seed: int = 0,
    duration_ms: float = 50.0,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw a data set.

    Each class is a manifold: spike time i is a product, over the manifold's coordinates x_d, of random Fourier series

        sum_k a_k / (k + 1)^alpha * sin(2 pi (k b_k x_d + c_k)),   a_k, b_k, c_k uniform in [0, 1)

    without the constant term (a_0 = 0). Coordinates are uniform in [0, 1). The times of each class and neuron are
    scaled to the whole duration, so that no range of times tells classes apart (Zenke & Vogels 2021, Neural Computation
    33).

    Parameters
    ----------
    num_classes, per_class : int
        Classes, and examples of each.
    num_neurons : int
        Neurons, of which each spikes once: the dimension of the space.
    dimension : int
        Dimension of the manifolds.
    alpha : float
        Smoothness, above 0: larger is smoother, and easier.
    seed : int
        One seed, one data set.
    duration_ms : float
        Of an example [ms].

    Returns
    -------
    times : ndarray of float64, shape (num_classes * per_class, num_neurons)
        The time of each neuron's spike [ms], in a random order of examples.
    labels : ndarray of int64, shape (num_classes * per_class,)

    Raises
    ------
    ExchangeError
        For numbers that make no data set.
    """
    for name, count in {
        "num_classes": num_classes,
        "per_class": per_class,
        "num_neurons": num_neurons,
        "dimension": dimension,
    }.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise ExchangeError(f"{name} must be a whole number, at least 1, not {count!r}")
    for name, value in {"alpha": alpha, "duration_ms": duration_ms}.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ExchangeError(f"{name} must be finite and above 0, not {value!r}")
    random = np.random.default_rng(seed)
    terms = min(math.ceil(_PRECISION ** (-1.0 / alpha)), _MOST_FREQUENCIES)
    classes = [_manifold(random, per_class, num_neurons, dimension, terms, alpha) for _ in range(num_classes)]
    order = random.permutation(num_classes * per_class)
    return np.concatenate(classes)[order] * duration_ms, np.repeat(np.arange(num_classes), per_class)[order]


def _manifold(
    random: np.random.Generator, samples: int, neurons: int, dimension: int, terms: int, alpha: float
) -> NDArray[np.float64]:
    """Return points of one manifold, scaled to [0, 1], shape (samples, neurons)."""
    amplitude, stretch, phase = random.uniform(size=(3, neurons, dimension, terms))
    amplitude[:, :, 0] = 0.0
    k = np.arange(terms)
    amplitude /= (k + 1.0) ** alpha
    x = random.uniform(size=(samples, dimension))
    points = np.ones((samples, neurons))
    for i in range(neurons):
        for d in range(dimension):
            waves = np.sin(2.0 * np.pi * (x[:, d, None] * (k * stretch[i, d]) + phase[i, d]))
            points[:, i] *= waves @ amplitude[i, d]
    low, high = points.min(axis=0), points.max(axis=0)
    scaled: NDArray[np.float64] = (points - low) / np.maximum(high - low, np.finfo(float).tiny)
    return scaled
