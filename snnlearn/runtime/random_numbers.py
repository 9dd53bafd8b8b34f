"""The engines' random numbers outside of compiled code: the same words, counters and transforms.

Philox 4x32 (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). The transforms are those of
`codegen/clike/templates/random.h`, operation by operation, so that numbers agree to the last bit. An `Arithmetic` says
what the numbers are: Python's, one at a time, or the elements of tensors.
"""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod
from ctypes import c_float
from typing import Any, ClassVar

_LOW = 0xFFFFFFFF
_SHIFT = 2.0**-53


class Arithmetic(ABC):
    """What the transforms do beside ``+ - * /``, comparisons and ``&``."""

    @abstractmethod
    def where(self, condition: Any, then: Any, other: Any) -> Any:
        """Return one of two numbers, both of which are there."""

    @abstractmethod
    def any(self, conditions: Any) -> bool:
        """Whether a condition is true anywhere."""

    @abstractmethod
    def sqrt(self, x: Any) -> Any:
        """Return the square root; NaN of negative numbers."""

    @abstractmethod
    def trunc(self, x: Any) -> Any:
        """Return a number without what is behind its point."""

    @abstractmethod
    def ldexp(self, x: Any, exponent: Any) -> Any:
        """Return ``x`` times two to a whole number within -1080 and 1030, given as a floating-point number."""

    @abstractmethod
    def double(self, x: Any) -> Any:
        """Return a number in double precision."""

    @abstractmethod
    def single(self, x: Any) -> Any:
        """Return a number rounded to single precision."""

    @abstractmethod
    def whole(self, x: Any) -> Any:
        """Return a whole number of floating type as an integer of 64 bits."""

    @abstractmethod
    def bits(self, x: Any) -> Any:
        """Return the bits of a positive number of double precision as an integer."""

    @abstractmethod
    def from_bits(self, bits: Any) -> Any:
        """Return the number of these bits."""

    @abstractmethod
    def integers(self, *values: Any) -> list[Any]:
        """Return integers of one shape, of which each holds 64 bits."""

    @abstractmethod
    def pick(self, items: list[Any], which: Any) -> Any:
        """Return the items at an index from 0 to 3."""

    @abstractmethod
    def together(self, *values: Any) -> list[Any]:
        """Return numbers of any types in one shape, which nothing is differentiated with respect to."""


class PythonNumbers(Arithmetic):
    """Python's own numbers."""

    def where(self, condition: Any, then: Any, other: Any) -> Any:
        """Return one of two numbers."""
        return then if condition else other

    def any(self, conditions: Any) -> bool:
        """Whether the condition is true."""
        return bool(conditions)

    def sqrt(self, x: float) -> float:
        """Return the square root; NaN of negative numbers."""
        return math.sqrt(x) if x >= 0.0 else math.nan

    def trunc(self, x: float) -> float:
        """Return a number without what is behind its point."""
        return float(math.trunc(x)) if math.isfinite(x) else x

    def ldexp(self, x: float, exponent: float) -> float:
        """Return ``x`` times two to a whole number; infinity where that is too large."""
        if math.isnan(exponent):
            return math.nan
        try:
            return math.ldexp(x, int(exponent))
        except OverflowError:
            return math.inf

    def double(self, x: Any) -> float:
        """Return a number in double precision."""
        return float(x)

    def single(self, x: float) -> float:
        """Return a number rounded to single precision."""
        return c_float(x).value

    def whole(self, x: float) -> int:
        """Return a whole number of floating type as an integer."""
        return int(x)

    def bits(self, x: float) -> int:
        """Return the bits of a number."""
        return int(struct.unpack("<q", struct.pack("<d", x))[0])

    def from_bits(self, bits: int) -> float:
        """Return the number of these bits."""
        return float(struct.unpack("<d", struct.pack("<q", bits))[0])

    def integers(self, *values: int) -> list[int]:
        """Return the integers."""
        return list(values)

    def pick(self, items: list[Any], which: int) -> Any:
        """Return the item at an index."""
        return items[which]

    def together(self, *values: Any) -> list[Any]:
        """Return the numbers."""
        return list(values)


def _philox(counter: list[Any], seed: int, rounds: int) -> list[Any]:
    """Return a block of four words for each counter; integers may wrap after 64 bits, as signed ones of C do."""
    a, b, c, d = counter
    k0, k1 = seed & _LOW, (seed >> 32) & _LOW
    for _ in range(rounds):
        p0, p1 = a * 0xD2511F53, c * 0xCD9E8D57
        a, c = ((p1 >> 32) & _LOW) ^ b ^ k0, ((p0 >> 32) & _LOW) ^ d ^ k1
        b, d = p1 & _LOW, p0 & _LOW
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return [a, b, c, d]


def natural_log(of: Arithmetic, x: Any) -> Any:
    """Return the natural logarithm of positive numbers."""
    bits = of.bits(x)
    exponent = (bits >> 52) - 1023
    m = of.from_bits((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    large = m > 1.4142135623730951
    m = of.where(large, m * 0.5, m)
    exponent = of.where(large, exponent + 1, exponent)
    f = (m - 1.0) / (m + 1.0)
    f2 = f * f
    total = 0.0
    for n in range(23, 0, -2):
        total = total * f2 + 1.0 / n
    return 2.0 * f * total + of.double(exponent) * 0.69314718055994531


def natural_exp(of: Arithmetic, x: Any) -> Any:
    """Return the exponential function."""
    k = of.trunc(x * 1.4426950408889634 + of.double(of.where(x < 0.0, -0.5, 0.5)))
    r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
    total: Any = 1.0
    for n in range(18, 0, -1):
        total = 1.0 + r / n * total
    limited = of.where(k > 1030.0, 1030.0, of.where(k < -1080.0, -1080.0, k))
    found = of.where(x > 709.7, math.inf, of.ldexp(total, limited))
    return of.where(x > -745.0, found, of.where(x != x, x, 0.0))


def _ratio(r: Any, above: tuple[float, ...], below: tuple[float, ...]) -> Any:
    parts = []
    for first, *coefficients in (above, below):
        total: Any = first
        for c in coefficients:
            total = total * r + c
        parts.append(total)
    return parts[0] / parts[1]


_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_NEAR = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def normal_quantile(of: Arithmetic, p: Any) -> Any:
    """Return the normal distribution's quantile function: Wichura (1988), algorithm AS 241, PPND16."""
    q = p - 0.5
    centre = q * _ratio(0.180625 - q * q, *_CENTRE)
    r = of.sqrt(-natural_log(of, of.where(q < 0.0, p, 1.0 - p)))
    tail = of.where(r <= 5.0, _ratio(r - 1.6, *_NEAR), _ratio(r - 5.0, *_FAR))
    return of.where((q >= -0.425) & (q <= 0.425), centre, of.where(q < 0.0, -tail, tail))


class Words(ABC):
    """The random words of neurons or synapses.

    What a method takes as ``number`` is how many words have been drawn before, of each.

    Parameters
    ----------
    seed, stream : int
    index : int, or integers
        Of the neurons or synapses among those of all copies.
    """

    of: ClassVar[Arithmetic]

    def __init__(self, seed: int, stream: int, index: Any) -> None:
        self._seed, self._stream, self.index = seed, stream, index

    @abstractmethod
    def word(self, number: Any) -> Any:
        """Return a word of 32 bits."""

    def uniform(self, number: Any) -> Any:
        """Return a number in (0, 1): the middle of one of 2^52 equal parts."""
        bits = (self.word(number) << 21) | (self.word(number + 1) >> 11) | 1
        return self.of.double(bits) * _SHIFT

    def single(self, number: Any) -> Any:
        """Return a number of single precision in (0, 1)."""
        of = self.of
        found = of.single(of.single(self.word(number)) * 2.0**-32 + 2.0**-33)
        return of.where(found < 1.0, found, 1.0 - 2.0**-24)

    def normal(self, number: Any) -> Any:
        """Return a number of the standard normal distribution."""
        return normal_quantile(self.of, self.uniform(number))

    def exponential(self, number: Any) -> Any:
        """Return a number of the exponential distribution of mean 1."""
        return -natural_log(self.of, self.uniform(number))

    def log_normal(self, number: Any, mean: Any, sd: Any) -> Any:
        """Return a number whose logarithm is of a normal distribution."""
        _, mean, sd = self.of.together(self.index, mean, sd)
        return natural_exp(self.of, mean + sd * normal_quantile(self.of, self.uniform(number)))

    def gamma(self, number: Any, shape: Any, where: Any = None) -> tuple[Any, Any]:
        """Return a number of the gamma distribution of scale 1, and how many words have been drawn then.

        Marsaglia and Tsang (2000), A simple method for generating gamma variables.
        """
        of = self.of
        shape, drawn, going, _ = of.together(shape, number, True if where is None else where, self.index)
        found = of.where(shape > 0.0, shape, math.nan)
        going = going & (shape > 0.0) & (shape < math.inf)
        small = shape < 1.0
        d = of.where(small, shape + 1.0, shape) - 1.0 / 3.0
        c = 1.0 / of.sqrt(of.where(going, 9.0 * d, 1.0))
        while of.any(going):
            x = normal_quantile(of, self.uniform(drawn))
            drawn = of.where(going, drawn + 2, drawn)
            v1 = 1.0 + c * x
            v = v1 * v1 * v1
            valid = going & (v1 > 0.0)
            u = self.uniform(drawn)
            drawn = of.where(valid, drawn + 2, drawn)
            logs = natural_log(of, of.where(valid, v, 1.0))
            taken = valid & (natural_log(of, u) < 0.5 * x * x + d - d * v + d * logs)
            last = self.uniform(drawn)
            powered = d * v * natural_exp(of, natural_log(of, last) / of.where(taken, shape, 1.0))
            drawn = of.where(taken & small, drawn + 2, drawn)
            found = of.where(taken, of.where(small, powered, d * v), found)
            going = of.where(taken, False, going)
        return found, drawn

    def binomial(self, number: Any, trials: Any, probability: Any, where: Any = None) -> tuple[Any, Any]:
        """Return a number of successes, and how many words have been drawn then.

        Devroye (1986), Non-uniform random variate generation, section X.4.3.
        """
        of = self.of
        given = (probability, trials, number, True if where is None else where, self.index)
        p, trials, drawn, every, _ = of.together(*given)
        limited = of.where(trials > 0.0, trials, 0.0)
        n = of.whole(of.trunc(of.where(limited < 4294967295.0, limited, 4294967295.0)))
        successes = n - n
        going = every & (n > 64) & (p > 0.0) & (p < 1.0)
        while of.any(going):
            rank = n // 2 + 1
            left, drawn = self.gamma(drawn, of.double(rank), going)
            right, drawn = self.gamma(drawn, of.double(n - rank + 1), going)
            cut = left / (left + right)
            below = going & (cut <= p)
            above = of.where(below, False, going)
            successes = of.where(below, successes + rank, successes)
            n, p = (
                of.where(below, n - rank, of.where(above, rank - 1, n)),
                of.where(below, (p - cut) / of.where(below, 1.0 - cut, 1.0), of.where(above, p / cut, p)),
            )
            going = going & (n > 64) & (p > 0.0) & (p < 1.0)
        successes = of.where(p >= 1.0, successes + n, successes)
        going = every & (p > 0.0) & (p < 1.0) & (n > 0)
        while of.any(going):
            u = self.uniform(drawn)
            drawn = of.where(going, drawn + 2, drawn)
            successes = of.where(going & (u < p), successes + 1, successes)
            n = of.where(going, n - 1, n)
            going = going & (n > 0)
        return successes, drawn


class EachStep(Words):
    """Words that begin anew with each timestep; four neighbours share a block of seven rounds."""

    def __init__(self, seed: int, stream: int, index: Any, timestep: int) -> None:
        super().__init__(seed, stream, index)
        self._time = timestep

    def word(self, number: Any) -> Any:
        """Return word ``index % 4`` of the block of this number."""
        third = (((self._time >> 32) << 16) & _LOW) + number
        a, b, c, d = self.of.integers(self.index // 4, self._time & _LOW, third, self._stream)
        return self.of.pick(_philox([a & _LOW, b, c & _LOW, d], self._seed, 7), self.index % 4)


class Once(Words):
    """Words one after the other, of which each block of ten rounds gives four."""

    def word(self, number: Any) -> Any:
        """Return word ``number % 4`` of block ``number // 4``."""
        counter = self.of.integers(self.index & _LOW, (self.index >> 32) & _LOW, number // 4, self._stream)
        return self.of.pick(_philox(counter, self._seed, 10), number % 4)


class EachCall(Words):
    """Words like those of `Once` that begin anew with each call of a custom update."""

    def __init__(self, seed: int, stream: int, index: Any, call: int) -> None:
        super().__init__(seed, stream, index)
        self._call = call

    def word(self, number: Any) -> Any:
        """Return word ``number % 4`` of block ``number // 4`` of the call."""
        third = (((self._call >> 32) << 16) + number // 4) & _LOW
        counter = self.of.integers(self.index & _LOW, self._call & _LOW, third, self._stream)
        return self.of.pick(_philox(counter, self._seed, 10), number % 4)
