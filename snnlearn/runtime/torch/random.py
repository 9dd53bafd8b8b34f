"""The engines' random numbers as tensors; see `snnlearn.runtime.random_numbers`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from snnlearn.runtime import random_numbers


class Tensors(random_numbers.Arithmetic):
    """The elements of PyTorch's tensors; integers of 64 bits wrap as those of C do."""

    def where(self, condition: Any, then: Any, other: Any) -> Tensor:
        """Return, for each element, one of two numbers."""
        return torch.where(condition, then, other)

    def any(self, conditions: Tensor) -> bool:
        """Whether a condition is true anywhere."""
        return bool(conditions.any())

    def sqrt(self, x: Tensor) -> Tensor:
        """Return the square root; NaN of negative numbers."""
        return torch.sqrt(x)

    def trunc(self, x: Tensor) -> Tensor:
        """Return numbers without what is behind their points."""
        return torch.trunc(x)

    def ldexp(self, x: Tensor, exponent: Tensor) -> Tensor:
        """Return ``x`` times two to a whole number."""
        return torch.ldexp(x, exponent.to(torch.int32))

    def double(self, x: Tensor) -> Tensor:
        """Return numbers in double precision."""
        return x.to(torch.float64)

    def single(self, x: Tensor) -> Tensor:
        """Return numbers rounded to single precision."""
        return x.to(torch.float32)

    def whole(self, x: Tensor) -> Tensor:
        """Return whole numbers of floating type as integers."""
        return x.to(torch.int64)

    def bits(self, x: Tensor) -> Tensor:
        """Return the bits of numbers."""
        return x.view(torch.int64)

    def from_bits(self, bits: Tensor) -> Tensor:
        """Return the numbers of these bits."""
        return bits.view(torch.float64)

    def integers(self, *values: Any) -> list[Tensor]:
        """Return integers of one shape."""
        return torch.broadcast_tensors(*(torch.as_tensor(x, dtype=torch.int64) for x in values))

    def pick(self, items: list[Tensor], which: Any) -> Tensor:
        """Return, for each element, that of one of four tensors."""
        found = items[0]
        for n in (1, 2, 3):
            found = torch.where(torch.as_tensor(which == n), items[n], found)
        return found

    def together(self, *values: Any) -> list[Tensor]:
        """Return numbers of any types in one shape, without derivatives."""
        return torch.broadcast_tensors(*(torch.as_tensor(x).detach() for x in values))


class EachStep(random_numbers.EachStep):
    """Words that begin anew with each timestep."""

    of = Tensors()


class Once(random_numbers.Once):
    """Words one after the other."""

    of = Tensors()
