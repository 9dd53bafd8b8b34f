"""C's numbers in Python: what emitted code calls for its arithmetic."""

from __future__ import annotations

import math
import operator
from ctypes import c_float
from fractions import Fraction
from typing import Any

import numpy as np

from snnlearn.errors import NetworkError

_LEAST_SINGLE = 2.0**-126  # with full precision; what is smaller is flushed to zero, as on the other engines


def single(x: float) -> float:
    """Return a number rounded to single precision."""
    found = c_float(x).value
    return found if abs(found) >= _LEAST_SINGLE or found != found else math.copysign(0.0, found)


def single_ieee(x: float) -> float:
    """Return a number rounded to single precision, denormals too."""
    return c_float(x).value


def _whole(x: float) -> int:
    """Return a number without what is behind its point; zero for what is no number."""
    return int(x) if isinstance(x, int) or math.isfinite(x) else 0


def _signed(bits: int) -> Any:
    half, all_ = 1 << (bits - 1), 1 << bits
    return lambda x: (_whole(x) + half) % all_ - half


def _unsigned(bits: int) -> Any:
    return lambda x: _whole(x) % (1 << bits)


int8, int16, int32, int64 = (_signed(bits) for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (_unsigned(bits) for bits in (8, 16, 32, 64))


def divide(a: float, b: float) -> float:
    """Return ``a / b``: by zero infinity, or NaN."""
    if b != 0.0:
        return a / b
    return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def quotient(a: int, b: int) -> int:
    """Return ``a / b`` of integers, towards zero."""
    if b == 0:
        raise NetworkError(f"{a} is divided by 0: an integer division without a result")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def remainder_of(a: int, b: int) -> int:
    """Return ``a % b`` of integers, with the sign of ``a``."""
    return a - b * quotient(a, b)


def bits(number: int) -> int:
    """Return by how many bits a number is shifted: no more than there are."""
    return number & 63


def within(index: int, array: Any, where: str) -> int:
    """Return an index of an array; NetworkError if there is no such element."""
    if 0 <= index < len(array):
        return index
    raise NetworkError(
        f"{where}: an index beyond the end of the array: it is {index}, and there are {len(array)} elements"
    )


def put(value: Any, array: Any, index: int) -> Any:
    """Assign to an element, and return what was assigned."""
    array[index] = value
    return value


OPERATIONS = {"/": quotient, "%": remainder_of, "<<": operator.lshift, ">>": operator.rshift}


class Maths:
    """The functions of C's library, in double precision."""

    def __getattr__(self, name: str) -> Any:
        """Return Python's function, or NumPy's where Python has none or raises an exception."""
        theirs = f"arc{name[1:]}" if name in _ARCS else {"pow": "power"}.get(name, name)
        by_numpy = getattr(np, theirs, None)
        by_python = None if name in _NUMPYS else getattr(math, name, None)

        def call(*args: float) -> float:
            if by_python is not None:
                try:
                    return float(by_python(*args))
                except (OverflowError, ValueError):
                    if by_numpy is None:
                        return math.nan
            assert by_numpy is not None
            with np.errstate(all="ignore"):
                return float(by_numpy(*(np.float64(a) for a in args)))

        setattr(self, name, call)
        return call

    def round(self, x: float) -> float:
        """Return the nearest whole number, of two the one away from zero."""
        return math.copysign(float(np.floor(abs(x))) + (abs(x) - float(np.floor(abs(x))) >= 0.5), x)

    def nearbyint(self, x: float) -> float:
        """Return the nearest whole number, of two the even one."""
        return float(np.rint(x))

    def tgamma(self, x: float) -> float:
        """Return the gamma function."""
        try:
            return math.gamma(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.copysign(math.inf, x) if x == 0.0 else math.nan

    def lgamma(self, x: float) -> float:
        """Return the logarithm of the gamma function's absolute value."""
        try:
            return math.lgamma(x)
        except (OverflowError, ValueError):
            return math.inf

    def fmax(self, x: float, y: float) -> float:
        """Return the greater of two numbers; of one and NaN, the number."""
        return x if x >= y or y != y else y

    def fmin(self, x: float, y: float) -> float:
        """Return the lesser of two numbers; of one and NaN, the number."""
        return x if x <= y or y != y else y

    def fdim(self, x: float, y: float) -> float:
        """Return how much a number is greater than another; NaN if one is."""
        return x - y if x > y else 0.0 if x <= y else math.nan

    def fma(self, x: float, y: float, z: float) -> float:
        """Return ``x * y + z``, rounded once."""
        if not all(map(math.isfinite, (x, y, z))):
            return x * y + z
        found = _exact_sum(x, y, z)
        return found if found != 0.0 else x * y + z

    def ldexp(self, x: float, n: int) -> float:
        """Return ``x`` times two to the power of ``n``."""
        try:
            return math.ldexp(x, n)
        except OverflowError:
            return math.copysign(math.inf, x)

    scalbn = ldexp

    def ilogb(self, x: float) -> int:
        """Return the exponent of a number, for one between 1 and 2."""
        if x == 0.0 or x != x:
            return -(2**31)
        return math.frexp(x)[1] - 1 if math.isfinite(x) else 2**31 - 1

    def nextafter_single(self, x: float, y: float) -> float:
        """Return the next number of single precision."""
        return float(np.nextafter(np.float32(x), np.float32(y)))

    def min(self, x: Any, y: Any) -> Any:
        """Return the lesser of two numbers."""
        return y if y < x else x

    def max(self, x: Any, y: Any) -> Any:
        """Return the greater of two numbers."""
        return y if x < y else x

    def abs(self, x: Any) -> Any:
        """Return the absolute value."""
        return abs(x)


def _exact_sum(x: float, y: float, z: float) -> float:
    try:
        return float(Fraction(x) * Fraction(y) + Fraction(z))
    except OverflowError:
        return math.inf if x * y + z > 0.0 else -math.inf


# What Python gives as an integer, without infinities and the sign of zero.
_ARCS = frozenset(["acos", "asin", "atan", "acosh", "asinh", "atanh", "atan2"])
_NUMPYS = frozenset(["floor", "ceil", "trunc", "rint"])
maths = Maths()
