"""Few-shot regression: sinusoids of random amplitude and phase, and their arguments as spikes.

Finn, Abbeel & Levine (2017), Model-agnostic meta-learning, ICML, section 5.1: ``y = a sin(x - p)`` with a in [0.1, 5]
and p in [0, pi]; a task shows a few points (the support) and asks for others (the query), x in [-5, 5].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

X_RANGE = (-5.0, 5.0)
AMPLITUDES, PHASES = (0.1, 5.0), (0.0, np.pi)
NUM_INPUT = 40
WIDTH = 0.5  # standard deviation of a receptive field
HIGHEST_RATE = 0.5  # spikes a timestep in its centre


@dataclass(frozen=True, eq=False)
class Batch:
    """Points of several tasks.

    Attributes
    ----------
    support_x, support_y, query_x, query_y : ndarray of float64, shape (tasks, shots)
    """

    support_x: Array
    support_y: Array
    query_x: Array
    query_y: Array


def draw(random: np.random.Generator, tasks: int, shots: int) -> Batch:
    """Draw tasks, and as many points of each for the support as for the query."""
    amplitude, phase = (random.uniform(*span, (tasks, 1)) for span in (AMPLITUDES, PHASES))
    support, query = (random.uniform(*X_RANGE, (tasks, shots)) for _ in range(2))
    return Batch(support, amplitude * np.sin(support - phase), query, amplitude * np.sin(query - phase))


def stream(seed: int, tasks: int, shots: int) -> Iterator[Batch]:
    """Yield batches without end, the same ones for the same seed."""
    random = np.random.default_rng([seed, 1])
    while True:
        yield draw(random, tasks, shots)


def encode(x: Array, timesteps: int) -> NDArray[np.bool_]:
    """Return the spikes of input neurons with Gaussian receptive fields, evenly spaced; nothing in them is random.

    Each neuron spikes whenever the integral of its activation passes the next whole number, beginning half-way.

    Parameters
    ----------
    x : ndarray of float64, shape (points,)
    timesteps : int

    Returns
    -------
    ndarray of bool, shape (timesteps, points, 40)
    """
    centres = np.linspace(*X_RANGE, NUM_INPUT)
    rates = HIGHEST_RATE * np.exp(-0.5 * ((x[:, None] - centres) / WIDTH) ** 2)
    counts = np.floor(0.5 + rates * np.arange(timesteps + 1)[:, None, None])
    spikes: NDArray[np.bool_] = np.diff(counts, axis=0) > 0.0
    return spikes
