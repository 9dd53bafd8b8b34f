"""The engines' random numbers as tensors: the same words, by the same counters, through the same transforms.

Philox 4x32 (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). The transforms are those of
`codegen/clike/templates/random.h`, operation by operation, so that numbers agree to the last bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOW = 0xFFFFFFFF
_SHIFT = 2.0**-53


def _philox(counter: list[Tensor], seed: int, rounds: int) -> list[Tensor]:
    """Return a block of four words for each counter; integers of 64 bits wrap as those of C do."""
    a, b, c, d = counter
    k0, k1 = seed & _LOW, (seed >> 32) & _LOW
    for _ in range(rounds):
        # As signed numbers: products wrap to the same bits.
        p0, p1 = a * 0xD2511F53, c * 0xCD9E8D57
        a, c = ((p1 >> 32) & _LOW) ^ b ^ k0, ((p0 >> 32) & _LOW) ^ d ^ k1
        b, d = p1 & _LOW, p0 & _LOW
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return [a, b, c, d]


def _chosen(block: list[Tensor], which: Tensor) -> Tensor:
    found = block[0]
    for n in (1, 2, 3):
        found = torch.where(which == n, block[n], found)
    return found


def natural_log(x: Tensor) -> Tensor:
    """Return the natural logarithm of positive numbers."""
    bits = x.view(torch.int64)
    exponent = (bits >> 52) - 1023
    m = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(torch.float64)
    large = m > 1.4142135623730951
    m = torch.where(large, m * 0.5, m)
    exponent = torch.where(large, exponent + 1, exponent)
    f = (m - 1.0) / (m + 1.0)
    f2 = f * f
    total = torch.zeros_like(f)
    for n in range(23, 0, -2):
        total = total * f2 + 1.0 / n
    return 2.0 * f * total + exponent.to(torch.float64) * 0.69314718055994531


def natural_exp(x: Tensor) -> Tensor:
    """Return the exponential function."""
    k = torch.trunc(x * 1.4426950408889634 + torch.where(x < 0.0, -0.5, 0.5).to(torch.float64))
    r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
    total = torch.ones_like(x)
    for n in range(18, 0, -1):
        total = 1.0 + r / n * total
    found = torch.ldexp(total, k.clamp(-1080, 1030).to(torch.int32))
    found = torch.where(x > 709.7, torch.inf, found)
    return torch.where(x > -745.0, found, torch.where(x != x, x, 0.0))


def _ratio(r: Tensor, above: tuple[float, ...], below: tuple[float, ...]) -> Tensor:
    parts = []
    for coefficients in (above, below):
        total = torch.full_like(r, coefficients[0])
        for c in coefficients[1:]:
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


def normal_quantile(p: Tensor) -> Tensor:
    """Return the normal distribution's quantile function: Wichura (1988), algorithm AS 241, PPND16."""
    q = p - 0.5
    centre = q * _ratio(0.180625 - q * q, *_CENTRE)
    r = torch.sqrt(-natural_log(torch.where(q < 0.0, p, 1.0 - p)))
    tail = torch.where(r <= 5.0, _ratio(r - 1.6, *_NEAR), _ratio(r - 5.0, *_FAR))
    return torch.where((q >= -0.425) & (q <= 0.425), centre, torch.where(q < 0.0, -tail, tail))


class Words:
    """The random words of many neurons or synapses; each element has drawn as many as ``number`` says."""

    def word(self, number: Tensor | int) -> Tensor:
        """Return a word of 32 bits for each element."""
        raise NotImplementedError

    def _open(self, number: Tensor | int) -> Tensor:
        """Return numbers in (0, 1): the middles of 2^52 equal parts."""
        bits = (self.word(number) << 21) | (self.word(number + 1) >> 11) | 1
        return bits.to(torch.float64) * _SHIFT

    uniform = _open

    def single(self, number: Tensor | int) -> Tensor:
        """Return numbers of single precision in (0, 1)."""
        found = self.word(number).to(torch.float32) * 2.0**-32 + 2.0**-33
        return torch.where(found < 1.0, found, 1.0 - 2.0**-24)

    def normal(self, number: Tensor | int) -> Tensor:
        """Return numbers of the standard normal distribution."""
        return normal_quantile(self._open(number))

    def exponential(self, number: Tensor | int) -> Tensor:
        """Return numbers of the exponential distribution of mean 1."""
        return -natural_log(self._open(number))

    def log_normal(self, number: Tensor | int, mean: Tensor, sd: Tensor) -> Tensor:
        """Return numbers whose logarithms are of a normal distribution."""
        return natural_exp(mean.detach() + sd.detach() * normal_quantile(self._open(number)))

    def gamma(self, number: Tensor | int, shape: Tensor, where: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return numbers of the gamma distribution of scale 1, and how many words have been drawn then.

        Marsaglia and Tsang (2000), A simple method for generating gamma variables.
        """
        shape, drawn, going = self._begin(number, shape.detach(), where)
        found = torch.where(shape > 0.0, shape, torch.nan)
        going = going & (shape > 0.0) & (shape < torch.inf)
        small = shape < 1.0
        d = torch.where(small, shape + 1.0, shape) - 1.0 / 3.0
        c = 1.0 / torch.sqrt(9.0 * d)
        while bool(going.any()):
            x = normal_quantile(self._open(drawn))
            drawn = torch.where(going, drawn + 2, drawn)
            v1 = 1.0 + c * x
            v = v1 * v1 * v1
            valid = going & (v1 > 0.0)
            u = self._open(drawn)
            drawn = torch.where(valid, drawn + 2, drawn)
            logs = natural_log(torch.where(valid, v, 1.0))
            taken = valid & (natural_log(u) < 0.5 * x * x + d - d * v + d * logs)
            last = self._open(drawn)
            powered = d * v * natural_exp(natural_log(last) / torch.where(taken, shape, 1.0))
            drawn = torch.where(taken & small, drawn + 2, drawn)
            found = torch.where(taken, torch.where(small, powered, d * v), found)
            going = going & ~taken
        return found, drawn

    def binomial(
        self, number: Tensor | int, trials: Tensor, probability: Tensor, where: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return numbers of successes, and how many words have been drawn then.

        Devroye (1986), Non-uniform random variate generation, section X.4.3.
        """
        p, drawn, every = self._begin(number, probability.detach(), where)
        limited = torch.where(trials > 0.0, trials, 0.0).clamp(max=4294967295.0)
        n = torch.trunc(limited).to(torch.int64).expand(p.shape)
        successes = torch.zeros_like(n)
        going = every & (n > 64) & (p > 0.0) & (p < 1.0)
        while bool(going.any()):
            rank = n // 2 + 1
            left, drawn = self.gamma(drawn, rank.to(torch.float64), going)
            right, drawn = self.gamma(drawn, (n - rank + 1).to(torch.float64), going)
            cut = left / (left + right)
            below = going & (cut <= p)
            above = going & ~(cut <= p)
            successes = torch.where(below, successes + rank, successes)
            n = torch.where(below, n - rank, torch.where(above, rank - 1, n))
            p = torch.where(below, (p - cut) / (1.0 - cut), torch.where(above, p / cut, p))
            going = going & (n > 64) & (p > 0.0) & (p < 1.0)
        trying = every & (p > 0.0) & (p < 1.0)
        successes = torch.where(~trying & (p >= 1.0), successes + n, successes)
        going = trying & (n > 0)
        while bool(going.any()):
            u = self._open(drawn)
            drawn = torch.where(going, drawn + 2, drawn)
            successes = torch.where(going & (u < p), successes + 1, successes)
            n = torch.where(going, n - 1, n)
            going = going & (n > 0)
        return successes, drawn

    @property
    def _index(self) -> Tensor:
        raise NotImplementedError

    def _begin(self, number: Tensor | int, values: Tensor, where: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        mask = torch.ones((), dtype=torch.bool) if where is None else where
        values, drawn, mask, _ = torch.broadcast_tensors(values, torch.as_tensor(number), mask, self._index)
        return values, drawn, mask


class EachStep(Words):
    """Words that begin anew with each timestep; four neighbours share a block of seven rounds.

    Parameters
    ----------
    seed, stream : int
    index : Tensor of int64
        Of the neurons among those of all copies.
    timestep : int
    """

    def __init__(self, seed: int, stream: int, index: Tensor, timestep: int) -> None:
        self._seed, self._stream, self.index, self._time = seed, stream, index, timestep
        self._which = index % 4

    @property
    def _index(self) -> Tensor:
        return self.index

    def word(self, number: Tensor | int) -> Tensor:
        """Return word ``index % 4`` of the block of this number."""
        third = (((self._time >> 32) << 16) & _LOW) + number
        block = [self.index // 4, self._time & _LOW, third, self._stream]
        a, b, c, d = torch.broadcast_tensors(*(torch.as_tensor(x, dtype=torch.int64) for x in block))
        return _chosen(_philox([a & _LOW, b, c & _LOW, d], self._seed, 7), self._which)


class Once(Words):
    """Words one after the other, of which each block of ten rounds gives four.

    Parameters
    ----------
    seed, stream : int
    index : Tensor of int64
    """

    def __init__(self, seed: int, stream: int, index: Tensor) -> None:
        self._seed, self._stream, self.index = seed, stream, index

    @property
    def _index(self) -> Tensor:
        return self.index

    def word(self, number: Tensor | int) -> Tensor:
        """Return word ``number % 4`` of block ``number // 4``."""
        drawn = torch.as_tensor(number, dtype=torch.int64)
        parts = (self.index & _LOW, (self.index >> 32) & _LOW, drawn // 4, self._stream)
        a, b, c, d = torch.broadcast_tensors(*(torch.as_tensor(x, dtype=torch.int64) for x in parts))
        return _chosen(_philox([a, b, c, d], self._seed, 10), drawn % 4)
