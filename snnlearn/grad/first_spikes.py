"""A loss on the times of spikes: which neuron of a population is the first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import GradientError

_LARGEST = 700.0  # whose exponential is a number


@dataclass(frozen=True)
class FirstSpikeLoss:
    """Cross-entropy of which neuron spikes first, for ``method="eventprop"``: one decision for each window and copy.

    With t the time of a neuron's first spike since the window began, the probability of a neuron is its share of
    ``exp(-t / tau)``. A neuron without a spike counts as if it spiked at the window's end; that has no derivative.

    Parameters
    ----------
    tau : float
        How much earlier is how much more probable [ms].
    target : str
        The variable of the neurons that is 1 for the one that is to be the first, and 0 for the others, when the pass
        back begins.
    early, early_tau : float
        ``early * (exp(t / early_tau) - 1)`` of the neuron that is to be the first is added; early_tau in ms.

    Raises
    ------
    GradientError
        For time constants that are not positive, and a negative weight.

    Source
    ------
    Goeltz et al. (2021), Nature Machine Intelligence 3, 823-835; Wunderlich & Pehle (2021), Scientific Reports 11,
    12829.
    """

    tau: float
    target: str = "target"
    early: float = 0.0
    early_tau: float = 10.0

    def __post_init__(self) -> None:
        for name, least in (("tau", 0.0), ("early_tau", 0.0), ("early", -1.0)):
            value = getattr(self, name)
            fine = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not (fine and least < value < math.inf and value >= 0.0):
                raise GradientError(f"FirstSpikeLoss: {name} must be a number {_ASKED[name]}, not {value!r}")
        if not isinstance(self.target, str):
            raise GradientError(f"FirstSpikeLoss: target is the name of a variable, not {self.target!r}")

    def of(
        self, first: NDArray[np.float64], target: NDArray[np.float64], end: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the loss, and its derivative by the times of first spikes.

        Parameters
        ----------
        first : ndarray, shape (batch, neurons)
            Times of first spikes since the window began [ms]; infinite where there is none.
        target : ndarray, shape (batch, neurons)
        end : float
            How long the window is [ms].

        Returns
        -------
        loss : ndarray, shape (batch,)
        derivative : ndarray, shape (batch, neurons)
            [1 / ms]; 0 where there is no spike.
        """
        times = np.minimum(first, end)
        scores = -times / self.tau
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        grown = np.exp(np.minimum(times / self.early_tau, _LARGEST))
        loss = (target * (self.early * (grown - 1.0) - logs)).sum(axis=1)
        by = (target - np.exp(logs) * target.sum(axis=1, keepdims=True)) / self.tau
        by += target * self.early * grown / self.early_tau
        return loss, np.where(np.isfinite(first), by, 0.0)


_ASKED = {"tau": "above 0 [ms]", "early_tau": "above 0 [ms]", "early": "from 0 on"}
