"""Sums of products, multiplied out: ``{(factor, factor, ...): coefficient}``; the empty product is 1.

A factor is whatever its user takes for one: a name, a tree. The coefficients are numbers of double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Factor = TypeVar("Factor")
Sum = dict[tuple[Factor, ...], float]


def add(one: Mapping[tuple[Factor, ...], float], other: Mapping[tuple[Factor, ...], float]) -> Sum[Factor]:
    """Return the sum of two sums, like terms taken together."""
    total = dict(one)
    for factors, coefficient in other.items():
        total[factors] = total.get(factors, 0.0) + coefficient
    return total


def scale(total: Mapping[tuple[Factor, ...], float], by: float) -> Sum[Factor]:
    """Return a multiple of a sum."""
    return {factors: coefficient * by for factors, coefficient in total.items()}


def multiply(
    one: Mapping[tuple[Factor, ...], float],
    other: Mapping[tuple[Factor, ...], float],
    order: Callable[[Factor], Any] | None = None,
) -> Sum[Factor]:
    """Return the product of two sums; the factors of a term are sorted, so that like terms meet."""
    total: Sum[Factor] = {}
    for a, x in one.items():
        for b, y in other.items():
            factors = tuple(sorted((*a, *b), key=order))  # type: ignore[type-var,arg-type]
            total[factors] = total[factors] + x * y if factors in total else x * y
    return total


def nonzero(total: Mapping[tuple[Factor, ...], float]) -> Sum[Factor]:
    """Return a sum without the terms that vanish."""
    return {factors: coefficient for factors, coefficient in total.items() if coefficient != 0.0}
