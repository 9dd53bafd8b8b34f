"""What the tracking experiment compares, and what its runs give."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from snnlearn.training import OPTIMISERS, Optimiser
from snnlearn.userproject.tracking_network import Array

FLIP_TIMESTEPS = 4000  # between changes of a weight
WARM_UP = 0.25  # share of the run whose error does not count
# Without learning, and by factors of 2 around the best on another seed than those that are reported.
NONE = (OPTIMISERS["SGD"].variant("none", momentum=0.0), 0.0)
SGD = [(OPTIMISERS["SGD"].variant("SGD", momentum=0.0), lr) for lr in (0.125, 0.25, 0.5, 1.0, 2.0)]
RMS_PROP = [(OPTIMISERS["RMSProp"], 2.0**power) for power in (-10, -9, -8, -7, -6)]
IDBD = (OPTIMISERS["IDBD"].variant("IDBD", theta=0.1, errorScale=0.05), 0.1)
GRID: list[tuple[Optimiser, float]] = [NONE, *SGD, *RMS_PROP, IDBD]


@dataclass(frozen=True, eq=False)
class SeedResult:
    """What a run gave.

    Attributes
    ----------
    seed : int
    errors : ndarray of float64, shape (segments, optimisers)
        Mean squared error between two changes; NaN or infinite where weights have diverged.
    rates : ndarray of float64, shape (segments, 100)
        IDBD's rates at the end of each.
    """

    seed: int
    errors: Array
    rates: Array

    @property
    def mse(self) -> Array:
        """The mean squared error after the warm-up, shape (optimisers,); infinite where weights have diverged."""
        mean = self.errors[math.ceil(WARM_UP * len(self.errors)) :].mean(0)
        return np.where(np.isfinite(mean), mean, np.inf)

    def best(self, name: str) -> int:
        """Return the index in the grid of an optimiser's best rate."""
        of = [index for index, (rule, _) in enumerate(GRID) if rule.name == name]
        return of[int(np.argmin(self.mse[of]))]
