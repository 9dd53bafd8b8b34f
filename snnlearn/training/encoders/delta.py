"""Delta: events where a time series has risen or fallen by a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError
from snnlearn.training.encoders.encoded import EncodedSpikes
from snnlearn.training.encoders.encoder import Encoder, Values

_ROUNDING = 1e-9  # of a threshold, which a value may lack to have reached it
_MOST_SPIKES = 100_000_000


@dataclass(frozen=True)
class Delta(Encoder):
    """Two neurons for each channel: one spikes where it has risen by ``threshold`` since the last event, one at falls.

    Between samples a channel is a straight line: an event comes where that reaches the threshold. Neurons of rises come
    first, then those of falls.

    Parameters
    ----------
    threshold : float
        In the unit of X.
    step : float
        Between two samples [ms].
    rest : float
        How long an example is shown after its last sample [ms].
    samples : int
        How many there are in an example.

    Source
    ------
    Miskowicz (2006), Send-on-delta concept: an event-based data reporting strategy, Sensors 6, 49-63; Lichtsteiner,
    Posch & Delbruck (2008), IEEE Journal of Solid-State Circuits 43, 566-576.
    """

    threshold: float
    samples: int
    step: float = 1.0
    rest: float = 20.0
    positive = ("threshold", "step", "samples")

    def __post_init__(self) -> None:
        """Check numbers."""
        super().__post_init__()
        if self.rest < 0:
            raise TrainingError(f"Delta: rest must not be negative, but is {self.rest!r}")

    @property
    def duration(self) -> float:  # type: ignore[override]
        """How long an example is shown [ms]."""
        return (self.samples - 1) * self.step + self.rest

    def encode(self, X: Values) -> EncodedSpikes:
        """Encode examples, shape (examples, samples, channels) or (examples, samples); see `Encoder.encode`."""
        if X.ndim not in (2, 3) or X.shape[1] != self.samples:
            raise TrainingError(
                f"Delta: X has the shape {X.shape}, not (examples, {self.samples}, channels) or (examples, "
                f"{self.samples})"
            )
        series = X.reshape(len(X), self.samples, -1)
        steps = float(np.abs(np.diff(series, axis=1)).sum()) / self.threshold
        if steps > _MOST_SPIKES:
            raise TrainingError(
                f"Delta: a threshold of {self.threshold:g} makes about {steps:.2g} spikes of X, which goes from "
                f"{X.min():g} to {X.max():g}; a larger one makes fewer"
            )
        found: list[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]] = []
        level = series[:, 0].copy()  # at the last event
        for number in range(1, self.samples):
            for sign in (1.0, -1.0):
                found.append(self._events(series, number, sign, level))
        times, examples, inputs = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return EncodedSpikes.from_places(times, examples, inputs, (len(X), 2 * series.shape[2]))

    def _events(
        self, series: Values, number: int, sign: float, level: Values
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the events on the way to a sample in one direction, and move levels on."""
        before, now = series[:, number - 1], series[:, number]
        counts = np.floor(sign * (now - level) / self.threshold + _ROUNDING).clip(0).astype(np.int64)
        places = np.repeat(np.arange(counts.size), counts.ravel())
        ordinals = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts.ravel(), counts.ravel())
        examples, channels = np.divmod(places, counts.shape[1])
        reached = level[examples, channels] + sign * self.threshold * (ordinals + 1)
        start, end = before[examples, channels], now[examples, channels]
        share = ((reached - start) / (end - start)).clip(0.0, 1.0)
        level += sign * self.threshold * counts
        times = (number - 1 + share) * self.step
        return times, examples, channels + (0 if sign > 0 else series.shape[2])
