"""The Yin-Yang data set: points in a disc, of three classes, as spike times.

Kriener, Göltz & Petrovici (2022), The Yin-Yang dataset, Neuro-Inspired Computational Elements 2022, 107-111. A linear
classifier gets 64 % of it right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BIG, SMALL = 0.5, 0.1  # radius of the disc and of the dots
CLASSES = ("yin", "yang", "dot")


def yin_yang_class(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class of points of the disc: 0 yin, 1 yang, 2 dot.

    Parameters
    ----------
    x, y : ndarray, shape (points,)
        In [0, 1].
    """
    right, left = np.hypot(x - 1.5 * BIG, y - BIG), np.hypot(x - 0.5 * BIG, y - BIG)
    dot = (right < SMALL) | (left < SMALL)
    yin = (right <= SMALL) | ((left > SMALL) & (left <= 0.5 * BIG)) | ((y > BIG) & (right > 0.5 * BIG))
    return np.where(dot, 2, np.where(yin, 0, 1))


@dataclass(frozen=True, eq=False)
class Points:
    """Points and their classes.

    Attributes
    ----------
    xy : ndarray of float64, shape (points, 2)
    labels : ndarray of int64, shape (points,)
    """

    xy: NDArray[np.float64]
    labels: NDArray[np.int64]


def yin_yang(count: int, seed: int) -> Points:
    """Draw points uniformly within their classes, the classes as often as each other (within one).

    Parameters
    ----------
    count : int
    seed : int
    """
    random = np.random.default_rng(seed)
    wanted = random.permutation(np.arange(count) % len(CLASSES))
    xy, labels = np.empty((count, 2)), np.empty(count, dtype=np.int64)
    for label in range(len(CLASSES)):
        places = np.flatnonzero(wanted == label)
        found = np.empty((0, 2))
        while len(found) < len(places):
            more = random.uniform(0.0, 2 * BIG, (4 * count, 2))
            inside = np.hypot(more[:, 0] - BIG, more[:, 1] - BIG) <= BIG
            found = np.vstack([found, more[inside & (yin_yang_class(more[:, 0], more[:, 1]) == label)]])
        xy[places], labels[places] = found[: len(places)], label
    return Points(xy, labels)


def yin_yang_times(xy: NDArray[np.float64], earliest: float, latest: float) -> NDArray[np.float64]:
    """Return points as spike times [ms], shape (points, 5): of x, y, 1 - x, 1 - y and a bias that is always earliest.

    Parameters
    ----------
    xy : ndarray, shape (points, 2)
    earliest, latest : float
        Of a coordinate 0 and 1 [ms].
    """
    values = np.column_stack([xy, 1.0 - xy, np.zeros(len(xy))])
    return earliest + (latest - earliest) * values
