"""How a learning rate or momentum gets from its start to its end: pure functions of how much has passed."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.rates import check_positive

Value = Union[float, NDArray[np.float64]]
DecayFunction = Callable[[Value, Value, Value], Value]


class DecayType(enum.Enum):
    """The decays that come with the library; fastai's names.

    With ``s`` the start, ``e`` the end and ``x = i/n`` the fraction passed before iteration ``i`` of ``n``:

    ``NO``
        ``s``
    ``LINEAR``
        ``s + (e - s) x``
    ``COSINE``
        ``e + (s - e)/2 (1 + cos(pi x))``
    ``EXPONENTIAL``
        ``s (e/s)^x``
    ``POLYNOMIAL``
        ``e + (s - e) (1 - x)^p``; used as a pair with its power, ``(DecayType.POLYNOMIAL, p)``

    The first iteration has ``s``; ``e`` itself would be that of iteration ``n``, which is the next phase's first.
    """

    NO = "no"
    LINEAR = "linear"
    COSINE = "cosine"
    EXPONENTIAL = "exponential"
    POLYNOMIAL = "polynomial"

    def __repr__(self) -> str:
        return f"DecayType.{self.name}"


Decay = Union[DecayType, tuple[DecayType, float], DecayFunction]


def no_decay(start: Value, end: Value, fraction: Value) -> Value:
    """Return the start, in the shape that the fraction asks for; ``end`` has no influence."""
    return start + 0.0 * fraction


def linear(start: Value, end: Value, fraction: Value) -> Value:
    """Return ``start + (end - start) fraction``; arguments are numbers or arrays that broadcast."""
    return start + (end - start) * fraction


def cosine(start: Value, end: Value, fraction: Value) -> Value:
    """Return ``end + (start - end)/2 (1 + cos(pi fraction))``; arguments are numbers or arrays that broadcast.

    Source: Loshchilov & Hutter (2017), SGDR, ICLR, eq. 5.
    """
    half: Value = (start - end) / 2.0
    return end + half * (1.0 + np.cos(np.pi * fraction))


def exponential(start: Value, end: Value, fraction: Value) -> Value:
    """Return ``start (end/start)^fraction``; arguments are numbers or arrays that broadcast.

    ``start`` and ``end`` must not be 0 and must have the same sign; a phase checks that before it comes here.
    """
    value: Value = start * (end / start) ** fraction
    return value


def polynomial(start: Value, end: Value, fraction: Value, *, power: float) -> Value:
    """Return ``end + (start - end) (1 - fraction)^power``; arguments are numbers or arrays that broadcast."""
    value: Value = end + (start - end) * (1.0 - fraction) ** power
    return value


_FORMS: dict[DecayType, DecayFunction] = {
    DecayType.NO: no_decay,
    DecayType.LINEAR: linear,
    DecayType.COSINE: cosine,
    DecayType.EXPONENTIAL: exponential,
}


def resolve_decay(decay: Decay, what: str = "decay") -> DecayFunction:
    """Return the function ``(start, end, fraction) -> value`` that a decay stands for.

    Parameters
    ----------
    decay : DecayType, (DecayType.POLYNOMIAL, power) or callable
        A function of one's own gets start and end (numbers, or arrays of one value per connection) and the fraction in
        [0, 1), and returns the value at that point, of the same shape.
    what : str
        Whose decay it is, for messages.

    Returns
    -------
    callable
        Works elementwise on arrays, where it is one of the library's.

    Raises
    ------
    TrainingError
        For POLYNOMIAL without a power, a power that is not positive and finite, a power for another decay, and for
        what is no decay.
    """
    if isinstance(decay, tuple):
        return partial(polynomial, power=_power(decay, what))
    if decay is DecayType.POLYNOMIAL:
        raise TrainingError(f"{what}: POLYNOMIAL needs its power, as in (DecayType.POLYNOMIAL, 2)")
    if isinstance(decay, DecayType):
        return _FORMS[decay]
    function: Any = decay
    if not callable(function) or isinstance(function, type):
        raise TrainingError(f"{what}: {function!r} is no decay{_nearest(function)}")
    return decay


def describe_decay(decay: Decay) -> str:
    """Return a decay in words, such as ``"cosine"`` or ``"polynomial, power 2"``; a function by its name."""
    if isinstance(decay, tuple):
        return f"{decay[0].value}, power {decay[1]:g}"
    if isinstance(decay, DecayType):
        return decay.value
    return str(getattr(decay, "__name__", decay))


def _nearest(given: Any) -> str:
    names = {kind.name for kind in DecayType}
    hint = did_you_mean(given, names) if isinstance(given, str) else ""
    if "mean" in hint:
        return hint.replace("'", "DecayType.", 1).replace("'", "", 1)
    return "; give a DecayType, (DecayType.POLYNOMIAL, power) or a function (start, end, fraction) -> value"


def _power(decay: tuple[Any, ...], what: str) -> float:
    if len(decay) != 2 or not isinstance(decay[0], DecayType):
        raise TrainingError(f"{what}: {decay!r} is no decay; a pair with a power is (DecayType.POLYNOMIAL, power)")
    kind, power = decay
    if kind is not DecayType.POLYNOMIAL:
        raise TrainingError(f"{what}: {kind.name} takes no power, only POLYNOMIAL does; got {power!r}")
    return check_positive(power, f"{what}: the power of POLYNOMIAL")
