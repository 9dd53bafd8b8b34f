"""How large a binomial number can be expected to become: lengths of rows of random connections."""

from __future__ import annotations

import math

_RARE = 1e-4  # the chance that any of several numbers exceeds what is expected of them
_NEGLIGIBLE = 50.0  # natural logarithm of how much smaller than a probability a term may be left out of it


def longest(numbers: int, n: int, p: float) -> int:
    """Return the least k that the largest of several binomial numbers exceeds with a chance below 0.0001.

    Parameters
    ----------
    numbers : int
        How many numbers are drawn, independently.
    n : int
        Trials of each.
    p : float
        The chance that a trial succeeds.
    """
    return quantile(-math.expm1(math.log1p(-_RARE) / max(numbers, 1)), n, p)


def quantile(tail: float, n: int, p: float) -> int:
    """Return the least k with ``P(X > k) <= tail`` for ``X ~ B(n, p)``.

    The upper tail is summed from its far end, smallest terms first, so that nothing cancels.

    Parameters
    ----------
    tail : float
        A probability, above 0 and below 1.
    n : int
    p : float

    Raises
    ------
    ValueError
        If a probability is none, or n is negative.
    """
    if not (0.0 < tail < 1.0 and 0.0 <= p <= 1.0 and n >= 0):
        raise ValueError(f"there is no quantile with tail {tail!r} of B({n!r}, {p!r})")
    if p in (0.0, 1.0):
        return n if p == 1.0 else 0
    k = _far_end(tail, n, p)
    log_term, total = _log_probability(k, n, p), 0.0
    odds = math.log(p) - math.log1p(-p)
    while True:
        total += math.exp(log_term)
        if total > tail or k == 0:
            return k
        log_term += math.log(k / (n - k + 1)) - odds  # from P(X = k) to P(X = k - 1)
        k -= 1


def _log_probability(k: int, n: int, p: float) -> float:
    """Return the logarithm of P(X = k)."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(p) + (n - k) * math.log1p(-p)


def _far_end(tail: float, n: int, p: float) -> int:
    """Return a k above the mode so unlikely that all beyond it may be left out; n if there is none."""
    low, high = min(math.ceil((n + 1) * p), n), n
    while low < high:
        middle = (low + high) // 2
        if _log_probability(middle, n, p) < math.log(tail) - _NEGLIGIBLE:
            high = middle
        else:
            low = middle + 1
    return high
