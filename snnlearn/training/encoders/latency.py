"""Latency: the larger a value, the earlier its neuron's one spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnlearn.errors import TrainingError
from snnlearn.training.encoders.encoded import EncodedSpikes
from snnlearn.training.encoders.encoder import RangeEncoder, Values


@dataclass(frozen=True)
class Latency(RangeEncoder):
    """A neuron for each feature, which spikes once: ``t = last - (last - first) (x - low) / (high - low)``.

    A feature of value ``low`` has no spike.

    Parameters
    ----------
    first, last : float
        When features of value ``high``, and just above ``low``, spike [ms].
    duration : float
        How long an example is shown [ms].
    low, high : float
        The range of values.

    Source
    ------
    Thorpe, Delorme & Van Rullen (2001), Spike-based strategies for rapid processing, Neural Networks 14, 715-725.
    """

    first: float = 1.0
    last: float = 21.0
    duration: float = 50.0
    low: float = 0.0
    high: float = 1.0
    positive = ("duration",)

    def __post_init__(self) -> None:
        """Check numbers, range and times."""
        super().__post_init__()
        if not 0 <= self.first < self.last <= self.duration:
            raise TrainingError(
                f"Latency: 0 <= first < last <= duration is needed, not first={self.first!r}, last={self.last!r}, "
                f"duration={self.duration!r}"
            )

    def encode(self, X: Values) -> EncodedSpikes:
        """Encode examples, shape (examples, features); see `Encoder.encode`."""
        shares = self.shares(X)
        examples, inputs = np.nonzero(shares > 0.0)
        times = self.last - (self.last - self.first) * shares[examples, inputs]
        return EncodedSpikes.from_places(times, examples, inputs, shares.shape)
