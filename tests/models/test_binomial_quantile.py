"""Quantiles of the binomial distribution, against sums of exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from snnlearn.models.binomial_quantile import longest, quantile


def exact(tail: float, n: int, p: float) -> int:
    chance, above = Fraction(p), Fraction(0)
    for k in range(n, -1, -1):
        above += math.comb(n, k) * chance**k * (1 - chance) ** (n - k)
        if above > Fraction(tail):
            return k
    raise AssertionError("all probabilities together are 1")


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.01, 0.1, 0.5, 0.77, 0.999, 1.0])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 40, 150])
@pytest.mark.parametrize("tail", [0.6, 0.03, 1.1e-4, 1e-7, 1e-12])
def test_against_exact_sums(tail: float, n: int, p: float) -> None:
    assert quantile(tail, n, p) == exact(tail, n, p)


@pytest.mark.parametrize(("n", "p"), [(10**6, 0.1), (10**9, 1e-3), (10**9, 0.5)])
def test_large_numbers_are_nearly_normal(n: int, p: float) -> None:
    deviation = (quantile(1e-6, n, p) - n * p) / math.sqrt(n * p * (1 - p))
    assert deviation == pytest.approx(4.7534, abs=0.05)


def test_the_longest_of_many_rows() -> None:
    rng = np.random.default_rng(5)
    rows = rng.binomial(200, 0.1, size=(2000, 100))
    bound = longest(100, 200, 0.1)
    assert np.count_nonzero(rows.max(axis=1) > bound) <= 2
    assert longest(1, 200, 0.1) < bound < longest(10**6, 200, 0.1) <= 200


@pytest.mark.parametrize(
    ("tail", "n", "p"), [(0.0, 5, 0.5), (1.0, 5, 0.5), (0.1, -1, 0.5), (0.1, 5, 1.5), (0.1, 5, math.nan)]
)
def test_refused(tail: float, n: int, p: float) -> None:
    with pytest.raises(ValueError, match="there is no quantile with tail"):
        quantile(tail, n, p)
