"""Times: values that are times of spikes already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnlearn.training.encoders.encoded import EncodedSpikes
from snnlearn.training.encoders.encoder import Encoder, Values


@dataclass(frozen=True)
class Times(Encoder):
    """A neuron for each feature, which spikes once, at the time that X has for it [ms].

    Parameters
    ----------
    last : float
        The end of the range of times, which begins at 0 [ms].
    rest : float
        How long an example is shown after that [ms].
    """

    last: float = 50.0
    rest: float = 30.0
    positive = ("last",)

    @property
    def duration(self) -> float:  # type: ignore[override]
        """How long an example is shown [ms]."""
        return self.last + self.rest

    def encode(self, X: Values) -> EncodedSpikes:
        """Encode examples, shape (examples, features); see `Encoder.encode`."""
        flat = self.flat(X)
        high = float(X.max(initial=0.0))
        self.check_range(X, 0.0, self.last, f"give it last={high:g}, or scale X")
        examples, inputs = np.divmod(np.arange(flat.size), flat.shape[1])
        return EncodedSpikes.from_places(flat.ravel(), examples, inputs, flat.shape)
