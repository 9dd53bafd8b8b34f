"""A population of Gaussian receptive fields for each value: the nearer a neuron's centre, the earlier it spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnlearn.errors import TrainingError
from snnlearn.training.encoders.encoded import EncodedSpikes
from snnlearn.training.encoders.encoder import RangeEncoder, Values


@dataclass(frozen=True)
class ReceptiveFields(RangeEncoder):
    """``fields`` neurons for each feature, with overlapping Gaussian receptive fields.

    Neuron i of m, from 1, has its centre at ``low + (2 i - 3) / 2 (high - low) / (m - 2)`` and the width
    ``(high - low) / (beta (m - 2))``. It answers with ``r = exp(-(x - centre)^2 / (2 width^2))`` and spikes at
    ``first + (1 - r) (last - first)``; where that is later than ``silent`` of the way, it does not spike.

    Parameters
    ----------
    fields : int
        Neurons for each feature, 3 at least.
    first, last : float
        When neurons spike at the earliest and at the latest [ms].
    duration : float
        How long an example is shown [ms].
    low, high : float
        The range of values.
    beta : float
        How narrow fields are.
    silent : float
        From 0 to 1: 0.9 in Bohte et al.

    Source
    ------
    Bohte, Kok & La Poutre (2002), Error-backpropagation in temporally encoded networks of spiking neurons,
    Neurocomputing 48, 17-37 (section 4.1).
    """

    fields: int = 8
    first: float = 1.0
    last: float = 21.0
    duration: float = 50.0
    low: float = 0.0
    high: float = 1.0
    beta: float = 1.5
    silent: float = 0.9
    positive = ("duration", "beta", "silent")

    def __post_init__(self) -> None:
        """Check numbers, range, times and fields."""
        super().__post_init__()
        if not isinstance(self.fields, (int, np.integer)) or self.fields < 3:
            raise TrainingError(f"ReceptiveFields: fields must be a whole number, 3 at least, not {self.fields!r}")
        if not 0 <= self.first < self.last <= self.duration:
            raise TrainingError(
                f"ReceptiveFields: 0 <= first < last <= duration is needed, not first={self.first!r}, "
                f"last={self.last!r}, duration={self.duration!r}"
            )

    def encode(self, X: Values) -> EncodedSpikes:
        """Encode examples, shape (examples, features); see `Encoder.encode`."""
        shares = self.shares(X)
        m = self.fields
        centres = (2.0 * np.arange(1, m + 1) - 3.0) / (2.0 * (m - 2))
        width = 1.0 / (self.beta * (m - 2))
        late = 1.0 - np.exp(-0.5 * np.square((shares[:, :, None] - centres) / width))
        late = late.reshape(len(shares), -1)
        examples, inputs = np.nonzero(late <= self.silent)
        times = self.first + late[examples, inputs] * (self.last - self.first)
        return EncodedSpikes.from_places(times, examples, inputs, late.shape)
