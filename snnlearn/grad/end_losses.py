"""Losses on what neurons have come to at the end of a window: a score each, and across a population."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import GradientError

Numbers = NDArray[np.float64]


class EndLoss(ABC):
    """Base of losses of the scores that a population has after a window's last timestep, one for each copy of a batch.

    The neurons' own code says what a score is (a mean or maximum of a potential, a count of spikes), and the pass back
    derives what follows from that. A copy whose targets are all 0 counts for nothing.

    Attributes
    ----------
    score, target : str
        Variables of the neurons.
    """

    score: str
    target: str

    @abstractmethod
    def of(self, scores: Numbers, target: Numbers) -> tuple[Numbers, Numbers]:
        """Return the loss, and its derivative by the scores.

        Parameters
        ----------
        scores, target : ndarray of float64, shape (batch, neurons)

        Returns
        -------
        loss : ndarray, shape (batch,)
        derivative : ndarray, shape (batch, neurons)
        """

    def check_names(self) -> None:
        """Raise GradientError where variables are not named by strings."""
        for name in ("score", "target"):
            if not isinstance(getattr(self, name), str):
                raise GradientError(
                    f"{type(self).__name__}: {name} is the name of a variable, not {getattr(self, name)!r}"
                )


@dataclass(frozen=True)
class CrossEntropy(EndLoss):
    """Cross-entropy of the softmax of scores, ``-sum target log(exp(score) / sum exp(score))``.

    Parameters
    ----------
    score, target : str
        Variables of the neurons: the score, and 1 for the neuron of the right class, 0 for the others.

    Raises
    ------
    GradientError
        For names that are none.

    Source
    ------
    Bridle (1990), Probabilistic interpretation of feedforward classification network outputs, Neurocomputing, 227-236.
    """

    score: str = "score"
    target: str = "target"

    def __post_init__(self) -> None:
        self.check_names()

    def of(self, scores: Numbers, target: Numbers) -> tuple[Numbers, Numbers]:
        """Return the loss, and its derivative by the scores; see `EndLoss.of`."""
        shifted = scores - scores.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        loss = -(target * logs).sum(axis=1)
        return loss, np.exp(logs) * target.sum(axis=1, keepdims=True) - target


@dataclass(frozen=True)
class SquaredError(EndLoss):
    """Half the squared distance of scores from ``right`` for the class that is shown, and ``wrong`` for the others.

    Parameters
    ----------
    right, wrong : float
        In the unit of the scores.
    score, target : str
        As for `CrossEntropy`.

    Raises
    ------
    GradientError
        For names and numbers that are none.
    """

    right: float
    wrong: float = 0.0
    score: str = "score"
    target: str = "target"

    def __post_init__(self) -> None:
        self.check_names()
        for name in ("right", "wrong"):
            value = getattr(self, name)
            fine = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not (fine and math.isfinite(value)):
                raise GradientError(f"SquaredError: {name} must be a finite number, not {value!r}")

    def of(self, scores: Numbers, target: Numbers) -> tuple[Numbers, Numbers]:
        """Return the loss, and its derivative by the scores; see `EndLoss.of`."""
        by = scores - (self.wrong + (self.right - self.wrong) * target)
        by = by * (target.sum(axis=1, keepdims=True) > 0.0)
        return 0.5 * np.square(by).sum(axis=1), by
