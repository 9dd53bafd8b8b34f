"""Encoders: small declared values that say how numbers become what input neurons do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError
from snnlearn.training.encoders.encoded import Encoded

Values = NDArray[np.float64]


class Encoder(ABC):
    """Base of encoders, each of which is a frozen dataclass.

    Attributes
    ----------
    duration : float
        How long an example is shown [ms].
    """

    positive: ClassVar[tuple[str, ...]] = ()  # fields that are finite numbers above 0
    duration: float

    def __post_init__(self) -> None:
        """Check that numbers are some."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, bool) and field.type == "bool":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
                raise TrainingError(f"{self._name}: {field.name} must be a finite number, not {value!r}")
            if field.name in self.positive and not value > 0:
                raise TrainingError(f"{self._name}: {field.name} must be above 0, not {value!r}")

    @property
    def _name(self) -> str:
        return type(self).__name__

    @abstractmethod
    def encode(self, X: Values) -> Encoded:
        """Encode examples.

        Parameters
        ----------
        X : ndarray of float64, finite, shape (examples, features); (examples, samples, channels) for `Delta`

        Raises
        ------
        TrainingError
            For an array of another shape, and values out of the encoder's range.
        """

    def flat(self, X: Values) -> Values:
        """Return examples with one dimension of features: pictures lose their rows."""
        if X.ndim < 2:
            raise TrainingError(
                f"{self._name}: X has the shape {X.shape}, not (examples, features); X[:, None] makes one feature of it"
            )
        return X.reshape(len(X), -1)

    def check_range(self, X: Values, low: float, high: float, how: str) -> None:
        """Raise TrainingError for a value out of range, which names the first and says how to mend that."""
        outside = np.argwhere((low > X) | (high < X))
        if len(outside):
            place = ", ".join(str(int(i)) for i in outside[0])
            raise TrainingError(
                f"{self._name}: X must be within [{low:g}, {high:g}], but X[{place}] is {X[tuple(outside[0])]:g} and X "
                f"goes from {X.min():g} to {X.max():g}; {how}"
            )


class RangeEncoder(Encoder):
    """An encoder of values from ``low`` to ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check numbers and range."""
        super().__post_init__()
        if not self.low < self.high:
            raise TrainingError(f"{self._name}: low must be below high, not {self.low!r} and {self.high!r}")

    def shares(self, X: Values) -> Values:
        """Return examples as shares of the range, from 0 to 1, shape (examples, features).

        Raises
        ------
        TrainingError
            For values out of the range.
        """
        flat = self.flat(X)
        low, high = float(X.min(initial=0.0)), float(X.max(initial=0.0))
        self.check_range(X, self.low, self.high, f"give it low={low:g}, high={high:g}, or scale X")
        return (flat - self.low) / (self.high - self.low)
