"""Current: a value drives what its input neuron is connected to, all the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnlearn.training.encoders.encoded import EncodedValues
from snnlearn.training.encoders.encoder import RangeEncoder, Values


@dataclass(frozen=True)
class Current(RangeEncoder):
    """An input for each feature, which sends a constant current: the weight times ``(x - low) / (high - low)`` [nA].

    There are no input spikes: the first layer's neurons make spikes of the currents.

    Parameters
    ----------
    duration : float
        How long an example is shown [ms].
    low, high : float
        The range of values.

    Source
    ------
    Rueckauer et al. (2017), Conversion of continuous-valued deep networks to efficient event-driven networks for image
    classification, Frontiers in Neuroscience 11, 682 (analog input).
    """

    duration: float = 50.0
    low: float = 0.0
    high: float = 1.0
    positive = ("duration",)

    def encode(self, X: Values) -> EncodedValues:
        """Encode examples, shape (examples, features); see `Encoder.encode`."""
        return EncodedValues(self.shares(X).astype(np.float32))
