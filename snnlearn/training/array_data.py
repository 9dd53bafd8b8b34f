"""Arrays of examples and classes, encoded for a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.calling import named_arguments
from snnlearn.errors import TrainingError
from snnlearn.io import SpikeTrains
from snnlearn.training.encoders import Encoded, EncodedSpikes, Encoder, find


@named_arguments
class ArrayData:
    """Examples, their classes, and how they are encoded.

    Parameters
    ----------
    X : array_like of float, shape (examples, features)
        Finite; pictures, (examples, rows, columns), lose their rows. `encoders.Delta` takes time series.
    y : array_like of int, shape (examples,)
        The class of each example, from 0 to K - 1.
    encode : Encoder or str
        One of `snnlearn.training.encoders`, or the name of one with its defaults: ``"latency"``, ``"rate"``,
        ``"regular"``, ``"current"``, ``"receptive_fields"``, ``"times"``.
    num_classes : int, optional
        K; needed where not every class has an example. By default one more than the largest of ``y``.

    Attributes
    ----------
    y : ndarray of int64, shape (examples,)
    num_classes, num_inputs : int
        Classes, and input neurons.
    duration : float
        How long an example is shown [ms].
    encoder : Encoder or None
        None for data that are spikes already.
    encoded : Encoded
        All examples of the array that this is a part of.
    places : ndarray of int64, shape (examples,)
        Which of those are this data's.

    Raises
    ------
    TrainingError
        For arrays of other shapes or lengths, values that are not finite or out of the encoder's range, labels that are
        not 0 to K - 1, and an unknown encoder.
    """

    def __init__(
        self, X: ArrayLike, y: ArrayLike, encode: Encoder | str = "latency", num_classes: int | None = None
    ) -> None:
        encoder = find(encode)
        values = checked_values(X)
        labels = _checked_labels(y, len(values), num_classes)
        self._take(encoder, encoder.encode(values), labels, encoder.duration, num_classes)

    @classmethod
    def from_spikes(
        cls, trains: Sequence[SpikeTrains], y: ArrayLike, duration: float, num_classes: int | None = None
    ) -> ArrayData:
        """Return data that are spikes already.

        Parameters
        ----------
        trains : sequence of SpikeTrains
            Examples of as many neurons each, such as `snnlearn.exchange` reads.
        y : array_like of int, shape (examples,)
        duration : float
            How long an example is shown [ms].
        num_classes : int, optional

        Raises
        ------
        TrainingError
            As for the class itself; for examples of different sizes, and spikes behind the end.
        """
        if not trains:
            raise TrainingError("trains: there are no examples")
        labels = _checked_labels(y, len(trains), num_classes)
        encoded = EncodedSpikes.from_trains(trains)
        latest = float(encoded.times.max(initial=0.0))
        if not 0 < duration < np.inf or latest > duration:
            raise TrainingError(
                f"duration must be finite and no less than the last spike's time, {latest:g} ms: {duration!r}"
            )
        data = cls.__new__(cls)
        data._take(None, encoded, labels, float(duration), num_classes)
        return data

    def _take(
        self,
        encoder: Encoder | None,
        encoded: Encoded,
        labels: NDArray[np.int64],
        duration: float,
        num_classes: int | None,
    ) -> None:
        self.encoder, self.encoded, self.y, self.duration = encoder, encoded, labels, duration
        self.num_classes = int(labels.max()) + 1 if num_classes is None else int(num_classes)
        self.places = np.arange(len(labels))

    @property
    def num_inputs(self) -> int:
        """How many input neurons an example takes."""
        return self.encoded.num_inputs

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.y)

    def __repr__(self) -> str:
        return f"ArrayData({len(self)} examples, {self.num_inputs} inputs, {self.num_classes} classes)"

    def part(self, places: ArrayLike) -> ArrayData:
        """Return some of the examples, by their places; nothing is copied but the labels."""
        chosen = np.asarray(places, np.int64)
        data = type(self).__new__(type(self))
        data._take(self.encoder, self.encoded, self.y[chosen], self.duration, self.num_classes)
        data.places = self.places[chosen]
        return data

    def of(self, encoded: Encoded) -> ArrayData:
        """Return the same examples from an array that has them alone, in order."""
        data = type(self).__new__(type(self))
        data._take(self.encoder, encoded, self.y, self.duration, self.num_classes)
        return data

    def like(self, X: ArrayLike) -> ArrayData:
        """Return further examples, encoded alike, whose classes are not known (they are called 0).

        Raises
        ------
        TrainingError
            As for the class itself; and for data that no encoder has made.
        """
        if self.encoder is None:
            raise TrainingError("these data are spikes: give others as ArrayData.from_spikes(trains, y, duration)")
        return type(self)(X, np.zeros(len(checked_values(X)), np.int64), self.encoder, self.num_classes)

    def split(self, fraction: float, seed: int = 1) -> tuple[ArrayData, ArrayData]:
        """Split at random into two parts, in which classes have the shares that they have here.

        Parameters
        ----------
        fraction : float
            How much of each class, rounded to whole examples, is the second part; between 0 and 1.
        seed : int

        Returns
        -------
        rest, part : ArrayData
            To train with and to test with.

        Raises
        ------
        TrainingError
            For a fraction that is none, and a class that has too few examples for both parts.
        """
        if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
            raise TrainingError(f"fraction must lie between 0 and 1, both excluded, not {fraction!r}")
        random = np.random.default_rng(seed)
        chosen = np.zeros(len(self), bool)
        for label in range(self.num_classes):
            own = random.permutation(np.flatnonzero(self.y == label))
            count = round(fraction * len(own))
            if len(own) and not 0 < count < len(own):
                raise TrainingError(
                    f"a split of {fraction:g} leaves class {label}, which has {len(own)} example"
                    f"{'s' * (len(own) > 1)}, without any in one of the parts"
                )
            chosen[own[:count]] = True
        return self.part(np.flatnonzero(~chosen)), self.part(np.flatnonzero(chosen))

    def variables(self, indices: ArrayLike) -> dict[str, NDArray[Any]]:
        """Return what variables of the input population are to be for examples, each of shape (examples, inputs)."""
        return self.encoded.variables(self.places[np.asarray(indices, np.int64)])

    def levels(self) -> NDArray[np.float64]:
        """Return the mean rate of each input [1 / ms], or the root mean square of its value; shape (inputs,)."""
        return self.encoded.levels(self.places, self.duration)


def checked_values(X: ArrayLike) -> NDArray[np.float64]:
    """Return examples as an array of double precision.

    Raises
    ------
    TrainingError
        For anything but finite real numbers, at least one example of them.
    """
    try:
        raw = np.asarray(X)
    except ValueError as error:
        raise TrainingError(f"X must be an array of numbers: {error}") from None
    if raw.dtype.kind not in "biuf":
        raise TrainingError(f"X must be an array of real numbers, not of {raw.dtype}")
    if raw.ndim < 2 or not raw.size:
        raise TrainingError(f"X must have the shape (examples, features), not {raw.shape}; X[:, None] adds a dimension")
    values = raw.astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = ", ".join(str(int(i)) for i in wrong[0])
        raise TrainingError(f"X must be finite, but X[{place}] is {values[tuple(wrong[0])]} ({len(wrong)} such values)")
    return values


def _checked_labels(y: ArrayLike, count: int, num_classes: int | None) -> NDArray[np.int64]:
    raw = np.asarray(y)
    if raw.ndim != 1:
        raise TrainingError(f"y must have one dimension, the class of each example, not the shape {raw.shape}")
    if len(raw) != count:
        raise TrainingError(f"X has {count} examples, and y {len(raw)} labels")
    mend = "np.unique(y, return_inverse=True)[1] numbers any labels from 0 on"
    if raw.dtype.kind not in "iu":
        raise TrainingError(f"y must be whole numbers, 0 to K - 1, not {raw.dtype}; {mend}")
    labels = raw.astype(np.int64)
    present = np.unique(labels)
    if num_classes is None:
        wanted = np.arange(max(int(present[-1]) + 1, 1)) if present[-1] < 2 * len(labels) + 1 else present[:0]
        if not np.array_equal(present, wanted):
            shown = ", ".join(map(str, present[:5])) + (", …" if len(present) > 5 else "")
            raise TrainingError(
                f"y must have all labels from 0 to K - 1, but has {shown}; {mend}, and num_classes=K allows classes "
                "without examples"
            )
    elif isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise TrainingError(f"num_classes must be a whole number, 1 at least, not {num_classes!r}")
    elif present[0] < 0 or present[-1] >= num_classes:
        bad = present[0] if present[0] < 0 else present[-1]
        raise TrainingError(f"y must be from 0 to {num_classes - 1}, but has {bad}; {mend}")
    return labels
