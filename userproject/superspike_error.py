"""The error of the SuperSpike demo: GeNN's normalised figure, and that of an output layer that never spikes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TargetError
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
_RESPONSE = 3700  # timesteps after which a spike's trace is below the rounding of float64: e^-37 of its start
_LEAST = 0.01
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
    target. The first trial starts with no trace; all later ones, with what the trial before leaves, are the same.

    Parameters
    ----------
    target : SpikeTrains

    Raises
    ------
    TargetError
        If no spike of the target can take place in a trial: that error would always be 0.
    """

    def __init__(self, target: SpikeTrains) -> None:
        trace = _trace(target)
        self._first = _squared(trace[:, :TRIAL_TIMESTEPS])
        trace[:, :_RESPONSE] += trace[:, TRIAL_TIMESTEPS:]
        self._later = _squared(trace[:, :TRIAL_TIMESTEPS])
        if not self._later.any():
            raise TargetError("no spike of the target can take place in a trial: all come after its last timestep")
        self._fade = KEPT ** np.arange(TRIAL_TIMESTEPS)

    def after(self, trials: int) -> float:
        """Return the sum over neurons of ``avgSqrErr`` [s] after this many trials (at least one).

        With the decay ``a`` of the average, a trial of N timesteps adds ``sum_n a^(N-1-n) x_n^2 dt``. It is never 0: a
        first trial whose only spikes are in its last timestep has a hundredth of what a later one adds.
        """
        weights = self._fade[::-1]
        kept, trial = KEPT ** (TRIAL_TIMESTEPS * (trials - 1)), KEPT**TRIAL_TIMESTEPS
        first, later = float(np.sum(weights * self._first)), float(np.sum(weights * self._later))
        return max(first * kept + later * (1.0 - kept) / (1.0 - trial), _LEAST * later)

    def between(self, start: int, end: int) -> float:
        """Return what timesteps ``start`` to ``end`` (exclusive), counted over all trials, add to that sum [s]."""
        steps = np.arange(start, end)
        within = steps % TRIAL_TIMESTEPS
        squared = np.where(steps < TRIAL_TIMESTEPS, self._first[within], self._later[within])
        age = end - 1 - steps
        return float(np.sum((self._fade[age] if end - start <= TRIAL_TIMESTEPS else KEPT**age) * squared))


def spike_timesteps(target: SpikeTrains) -> NDArray[np.int64]:
    """Return the timestep of a trial in which each spike takes place, int64, shape (num_spikes,).

    That is the first that does not begin before the spike. A neuron has one spike a timestep, and a second waits for
    the next; from ``TRIAL_TIMESTEPS`` on it does not take place at all.

    Parameters
    ----------
    target : SpikeTrains
    """
    first = np.ceil(target.times / TIMESTEP_MS - 1e-6).astype(np.int64)
    behind = np.arange(target.num_spikes) - target.start_index[target.ids]
    # A running maximum for each neuron: numbers of the next are all above those of the one before.
    apart = target.ids * (first.max(initial=0) + target.num_spikes + 1)
    steps: NDArray[np.int64] = np.maximum.accumulate(first - behind + apart) + behind - apart
    return steps


def _trace(target: SpikeTrains) -> NDArray[np.float64]:
    """Return the target's double-exponential trace of peak 1, shape (outputs, TRIAL_TIMESTEPS + _RESPONSE)."""
    peak = TAU_DECAY_MS * TAU_RISE_MS / (TAU_DECAY_MS - TAU_RISE_MS) * math.log(TAU_DECAY_MS / TAU_RISE_MS)
    norm = 1.0 / (math.exp(-peak / TAU_DECAY_MS) - math.exp(-peak / TAU_RISE_MS))
    age = np.arange(_RESPONSE) * TIMESTEP_MS
    response = (np.exp(-age / TAU_DECAY_MS) - np.exp(-age / TAU_RISE_MS)) * norm
    trace = np.zeros((target.num_neurons, TRIAL_TIMESTEPS + _RESPONSE))
    for neuron, step in zip(target.ids.tolist(), spike_timesteps(target).tolist(), strict=True):
        if step < TRIAL_TIMESTEPS:
            trace[neuron, step : step + _RESPONSE] += response
    return trace


def _squared(trace: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared trace, summed over neurons and times dt [s], shape (TRIAL_TIMESTEPS,)."""
    squared: NDArray[np.float64] = np.einsum("ij,ij->j", trace, trace)
    return squared * TIMESTEP_MS / 1000.0
