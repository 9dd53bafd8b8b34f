"""The error of the SuperSpike demo: GeNN's normalised figure, and that of an output layer that never spikes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snnlearn.io import SpikeTrains
from snnlearn.userproject.superspike import TAU_AVG_ERR_MS, TAU_DECAY_MS, TAU_RISE_MS, TIMESTEP_MS, TRIAL_TIMESTEPS

_DECAY_S, _RISE_S = TAU_DECAY_MS / 1000.0, TAU_RISE_MS / 1000.0
_AVERAGE_S = TAU_AVG_ERR_MS / 1000.0
_SCALE = (
    1.0
    / (
        ((_DECAY_S * _RISE_S) / (_DECAY_S - _RISE_S)) ** 2
        * (_DECAY_S / 2 + _RISE_S / 2 - 2 * (_DECAY_S * _RISE_S) / (_DECAY_S + _RISE_S))
    )
    / _AVERAGE_S
)
_BLOCK = 100  # timesteps filtered at once
KEPT = math.exp(-TIMESTEP_MS / TAU_AVG_ERR_MS)  # share of avgSqrErr that a timestep leaves


def normalised_error(average_squared_error: float, timesteps: int) -> float:
    """Return the figure that GeNN's superspike_demo prints.

    Parameters
    ----------
    average_squared_error : float
        ``avgSqrErr``, mean over the output neurons [s].
    timesteps : int
        How many timesteps were run since it was zero: a running average that started empty is scaled up.
    """
    seconds = timesteps * TIMESTEP_MS / 1000.0
    return average_squared_error * _SCALE / (1.0 - math.exp(-seconds / _AVERAGE_S) + 1e-9)


class SilentError:
    """The error of an output layer that never spikes.

    Then the error is the target's own trace, so it needs no simulation: the squared double-exponential trace of the
    target. The first trial starts with no trace; all later ones are the same.

    Parameters
    ----------
    target : SpikeTrains
    """

    def __init__(self, target: SpikeTrains) -> None:
        decays = np.exp(-TIMESTEP_MS / np.array([TAU_DECAY_MS, TAU_RISE_MS]))
        state = np.zeros((2, target.num_neurons))
        self._first, state = _squared_trace(target, decays, state)
        self._later, _ = _squared_trace(target, decays, state)
        self._fade = KEPT ** np.arange(TRIAL_TIMESTEPS)

    def after(self, trials: int) -> float:
        """Return the sum over neurons of ``avgSqrErr`` [s] after this many trials (at least one).

        With the decay ``a`` of the average, a trial of N timesteps adds ``sum_n a^(N-1-n) x_n^2 dt``.
        """
        weights = self._fade[::-1]
        kept, trial = KEPT ** (TRIAL_TIMESTEPS * (trials - 1)), KEPT**TRIAL_TIMESTEPS
        return float(weights @ self._first) * kept + float(weights @ self._later) * (1.0 - kept) / (1.0 - trial)

    def between(self, start: int, end: int) -> float:
        """Return what timesteps ``start`` to ``end`` (exclusive), counted over all trials, add to that sum [s]."""
        steps = np.arange(start, end)
        squared = np.where(
            steps < TRIAL_TIMESTEPS, self._first[steps % TRIAL_TIMESTEPS], self._later[steps % TRIAL_TIMESTEPS]
        )
        age = end - 1 - steps
        return float((self._fade[age] if end - start <= TRIAL_TIMESTEPS else KEPT**age) @ squared)


def _squared_trace(
    target: SpikeTrains, decays: NDArray[np.float64], state: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the target's squared trace, summed over neurons and times dt [s], shape (TRIAL_TIMESTEPS,).

    ``state`` holds the two traces [decay, rise] before the trial, shape (2, outputs); their values at its end come back
    too.
    """
    peak = TAU_DECAY_MS * TAU_RISE_MS / (TAU_DECAY_MS - TAU_RISE_MS) * math.log(TAU_DECAY_MS / TAU_RISE_MS)
    norm = 1.0 / (math.exp(-peak / TAU_DECAY_MS) - math.exp(-peak / TAU_RISE_MS))
    steps = np.ceil(target.times / TIMESTEP_MS - 1e-6).astype(np.int64)
    lag = np.arange(_BLOCK)[:, None] - np.arange(_BLOCK)[None, :]
    # y = response @ x is the filter y_n = decay y_(n-1) + x_n within a block that starts from rest.
    responses = [np.where(lag >= 0, decay ** np.maximum(lag, 0), 0.0) for decay in decays]
    fades = decays[:, None] ** np.arange(1, _BLOCK + 1)
    squared = np.empty(TRIAL_TIMESTEPS)
    for start in range(0, TRIAL_TIMESTEPS, _BLOCK):
        spikes = np.zeros((_BLOCK, target.num_neurons))
        here = (steps >= start) & (steps < start + _BLOCK)
        np.add.at(spikes, (steps[here] - start, target.ids[here]), 1.0)
        decay, rise = (r @ spikes + f[:, None] * s for r, f, s in zip(responses, fades, state, strict=True))
        squared[start : start + _BLOCK] = np.sum(((decay - rise) * norm) ** 2, axis=1)
        state = np.stack([decay[-1], rise[-1]])
    return squared * TIMESTEP_MS / 1000.0, state
