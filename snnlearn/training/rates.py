"""Rates: one number for all trained connections, or one for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.attributes import frozen
from snnlearn.errors import TrainingError


@frozen
@dataclass(frozen=True)
class PerConnection:
    """One value for each trained connection, in their order: discriminative rates.

    Phases turn lists and arrays into this, so that they can be compared and cannot be changed behind their back.

    Parameters
    ----------
    values : sequence of float, or array of shape (connections,)

    Attributes
    ----------
    values : tuple of float

    Raises
    ------
    TrainingError
        For what is no sequence of finite numbers, or an empty one.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        given: Any = self.values
        if isinstance(given, np.ndarray):
            given = given.tolist()
        if not isinstance(given, (list, tuple)):
            raise TrainingError(f"PerConnection takes one list of values, PerConnection([0.1, 0.2]), not {given!r}")
        if not given:
            raise TrainingError("PerConnection is empty: give one value for each trained connection")
        any_number = Range(low=-math.inf)
        values = tuple(any_number.check(value, f"PerConnection[{index}]") for index, value in enumerate(given))
        object.__setattr__(self, "values", values)

    def __repr__(self) -> str:
        return f"PerConnection({', '.join(f'{value:g}' for value in self.values)})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the values, shape (connections,), float64 unless asked otherwise; NumPy calls this."""
        return np.array(self.values, dtype=dtype or np.float64)


Rate = Union[float, PerConnection]
RateLike = Union[float, Sequence[float], NDArray[Any], PerConnection]
"""What may be given for a rate: a number, or a `PerConnection`, list or array of one number for each connection."""


@frozen
@dataclass(frozen=True)
class Range:
    """The numbers that a rate may be: from ``low``, and up to but without ``high``."""

    low: float = 0.0
    high: float = math.inf

    def check(self, value: Any, what: str) -> float:
        """Return the number as a float.

        Raises
        ------
        TrainingError
            If it is no number, not finite or out of the range; ``what`` says which one.
        """
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
            raise TrainingError(f"{what} must be a number, not {value!r}")
        number = _as_float(value)
        if not math.isfinite(number):
            raise TrainingError(f"{what} must be finite, not {number}")
        if not self.low <= number < self.high:
            wanted = f"at least {self.low:g}" if self.high == math.inf else f"in [{self.low:g}, {self.high:g})"
            raise TrainingError(f"{what} must be {wanted}, not {number:g}")
        return number


def as_rate(given: Any, what: str, allowed: Range) -> Rate:
    """Turn what a user gave into a rate.

    Parameters
    ----------
    given : float, list, array of shape (connections,) or PerConnection
    what : str
        Its name, for messages.
    allowed : Range

    Raises
    ------
    TrainingError
        For what is neither a number nor a list or array of them, an empty one, and a value that is not allowed.
    """
    if isinstance(given, PerConnection):
        given = list(given.values)
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, list):
        return allowed.check(given, what)
    if not given:
        raise TrainingError(f"{what} is empty: give one value for each trained connection")
    if any(isinstance(value, tuple) for value in given):
        raise TrainingError(
            f"{what} is a list of tuples: {given!r}; where each connection goes from a start of its own to an end of "
            "its own, give one tuple of two lists, ([starts], [ends])"
        )
    return PerConnection(tuple(allowed.check(value, f"{what}[{index}]") for index, value in enumerate(given)))


def check_positive(value: Any, what: str) -> float:
    """Return the number as a float.

    Raises
    ------
    TrainingError
        If it is no number, not positive or not finite; ``what`` says which one.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TrainingError(f"{what} must be a number, not {value!r}")
    number = _as_float(value)
    if not (number > 0 and math.isfinite(number)):
        raise TrainingError(f"{what} must be positive and finite, not {number:g}")
    return number


def check_numbers(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return values as an array of float64.

    Raises
    ------
    TrainingError
        If they are no numbers, or one is not finite; ``what`` says of what.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise TypeError
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TrainingError(f"{what} must be numbers, not {values!r}") from None
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        at = ", ".join(map(str, bad[0].tolist()))
        raise TrainingError(f"{what} must be finite; {f'number {at}' if at else 'it'} is {numbers[tuple(bad[0])]}")
    return numbers


def _as_float(value: Real) -> float:
    """Return a number as a float, infinite where it is an integer beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def scale(rate: RateLike, function: Callable[[float], float], what: str) -> Rate:
    """Return a rate with a function applied to each number, in the shape it came.

    Raises
    ------
    TrainingError
        If ``rate`` is none (see `as_rate`).
    """
    checked = as_rate(rate, what, Range())
    if isinstance(checked, PerConnection):
        return PerConnection(tuple(function(value) for value in checked.values))
    return function(checked)


def value_of(rate: RateLike) -> float | NDArray[np.float64]:
    """Return a rate as what can be calculated with: a number, or an array of shape (connections,)."""
    return float(rate) if isinstance(rate, (int, float)) else np.asarray(rate, dtype=np.float64)
