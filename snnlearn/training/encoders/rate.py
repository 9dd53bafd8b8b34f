"""Rate: the larger a value, the more often its neuron spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError
from snnlearn.training.encoders.encoded import EncodedSpikes
from snnlearn.training.encoders.encoder import RangeEncoder, Values


@dataclass(frozen=True)
class Rate(RangeEncoder):
    """A neuron for each feature, of rate ``lowest + (highest - lowest) (x - low) / (high - low)``.

    Spikes are those of Poisson processes, which are drawn once: the spikes of an example follow from the seed and its
    number in X alone (counter-based: Philox with the key ``(seed, number)``).

    Parameters
    ----------
    highest, lowest : float
        Rates of values ``high`` and ``low`` [Hz].
    duration : float
        How long an example is shown [ms].
    low, high : float
        The range of values.
    regular : bool
        Spikes at equal distances instead, the first after half of one.
    seed : int
        Of the Poisson processes.

    Source
    ------
    Adrian & Zotterman (1926), Journal of Physiology 61, 151-171; Salmon et al. (2011), Parallel random numbers: as easy
    as 1, 2, 3, SC '11.
    """

    highest: float = 200.0
    lowest: float = 0.0
    duration: float = 100.0
    low: float = 0.0
    high: float = 1.0
    regular: bool = False
    seed: int = 1
    positive = ("duration", "highest")

    def __post_init__(self) -> None:
        """Check numbers, range and rates."""
        super().__post_init__()
        if not 0 <= self.lowest <= self.highest:
            raise TrainingError(
                f"Rate: 0 <= lowest <= highest is needed, not lowest={self.lowest!r}, highest={self.highest!r}"
            )
        if isinstance(self.seed, float) or not 0 <= self.seed < 2**64:
            raise TrainingError(f"Rate: seed must be a whole number from 0 to 2^64 - 1, not {self.seed!r}")

    def encode(self, X: Values) -> EncodedSpikes:
        """Encode examples, shape (examples, features); see `Encoder.encode`."""
        rates = (self.lowest + (self.highest - self.lowest) * self.shares(X)) / 1000.0
        counts = self._regular_counts(rates) if self.regular else np.empty(rates.shape, np.int64)
        drawn: list[NDArray[np.float64]] = []
        if not self.regular:
            for number, row in enumerate(rates):
                random = np.random.Generator(np.random.Philox(key=[self.seed, number]))
                counts[number] = random.poisson(row * self.duration)
                drawn.append(random.random(counts[number].sum()) * self.duration)
        examples, inputs = np.divmod(np.repeat(np.arange(rates.size), counts.ravel()), rates.shape[1])
        if self.regular:
            ordinals = np.arange(len(examples)) - np.repeat(np.cumsum(counts) - counts.ravel(), counts.ravel())
            times = (ordinals + 0.5) / rates[examples, inputs]
        else:
            times = np.concatenate(drawn) if drawn else np.empty(0)
        return EncodedSpikes.from_places(times, examples, inputs, rates.shape)

    def _regular_counts(self, rates: Values) -> NDArray[np.int64]:
        """Return how many spikes at ``(k + 1/2) / rate`` come before the end."""
        return np.ceil(rates * self.duration - 0.5).clip(0).astype(np.int64)
