"""How much each copy of a batch counts in a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import GradientError

Weights = NDArray[np.float64]


def copy_weights(given: ArrayLike | None, batch_size: int) -> Weights | None:
    """Return the weights of copies, checked.

    Raises
    ------
    GradientError
        For another shape, and numbers that are not finite.
    """
    if given is None:
        return None
    form = f"weigh_copies takes a finite number for each of {batch_size} copies, shape ({batch_size},), or None"
    try:
        weights = np.array(given, np.float64)
    except (TypeError, ValueError):
        raise GradientError(f"{form}, not {given!r}") from None
    if weights.shape != (batch_size,) or not np.isfinite(weights).all():
        raise GradientError(f"{form}, not {given!r}")
    return weights


def weighted(values: NDArray[Any], weights: Weights | None, axis: int = 0) -> NDArray[Any]:
    """Return values times the weights of the copies along an axis; what does not count is 0, be it NaN.

    Without an axis for copies there is one of them.
    """
    if weights is None:
        return values
    if len(weights) == 1:
        scaled: NDArray[Any] = values * values.dtype.type(weights[0])
        return scaled
    counts = np.flatnonzero(weights)
    found = np.zeros_like(values)
    by_copy, into = np.moveaxis(values, axis, -1), np.moveaxis(found, axis, -1)
    into[..., counts] = by_copy[..., counts] * weights[counts].astype(values.dtype)
    return found
