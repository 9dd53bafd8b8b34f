"""Intervals: which numbers a parameter may be, in a precision too."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snnlearn.calling import named_arguments
from snnlearn.declare.types import Precision, value_type
from snnlearn.errors import DeclarationError

_NUMBER = r"\s*([-+]?(?:inf|[0-9.]+(?:[eE][-+]?[0-9]+)?))\s*"
_FORM = re.compile(rf"([\[(]){_NUMBER},{_NUMBER}([\])])")


@named_arguments
@dataclass(frozen=True)
class Interval:
    """The numbers between two, written as in mathematics: ``"[0, 1)"``, ``"(0, inf)"``; NaN is in none.

    Raises
    ------
    DeclarationError
        For another form, or where there is no number between the two.
    """

    text: str
    low: float = field(init=False, repr=False)
    high: float = field(init=False, repr=False)
    open_low: bool = field(init=False, repr=False)
    open_high: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = _FORM.fullmatch(self.text) if isinstance(self.text, str) else None
        if found is None or not float(found[2]) < float(found[3]):
            raise DeclarationError(f"{self.text!r} is no interval; write one as in '[0, 1)' or '(0, inf)'")
        object.__setattr__(self, "low", float(found[2]))
        object.__setattr__(self, "high", float(found[3]))
        object.__setattr__(self, "open_low", found[1] == "(")
        object.__setattr__(self, "open_high", found[4] == ")")

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        return above and (number < self.high if self.open_high else number <= self.high)

    def fault(self, number: float, type_name: str, precision: Precision) -> str | None:
        """Return what is wrong with a number as a value of a type, to go on after its name; None where nothing is.

        A number may be in the interval and leave it when it is rounded to its type. Numbers below the smallest normal
        one count as 0, for which they are taken while a simulation runs.
        """
        if number not in self:
            return f"must be in {self.text}, not {number!r}"
        vtype = value_type(type_name)
        if vtype.kind != "float":
            return None
        dtype = vtype.dtype_for(precision)
        rounded = _round(number, dtype)
        if self._holds(rounded, dtype):
            return None
        words = "single precision ('float')" if dtype == "float32" else "double precision ('double')"
        wider = vtype.dtype_for("double") != dtype and self._holds(_round(number, "float64"), "float64")
        return (
            f"must be in {self.text}, but {number!r} is {rounded:g} in {words}, where the nearest is "
            f"{self._nearest(rounded, dtype)!s}{'; double precision holds it' if wider else ''}"
        )

    def _holds(self, rounded: float, dtype: str) -> bool:
        """Whether a rounded number is in the interval; an end that is in it counts as rounded too."""
        ends = ((self.low, self.open_low), (self.high, self.open_high))
        return rounded in self or any(not is_open and rounded == _round(end, dtype) for end, is_open in ends)

    def _nearest(self, rounded: float, dtype: str) -> Any:
        """Return the number of the type in the interval that is the nearest to one that is not."""
        limits, end = np.finfo(dtype), self.low if rounded <= self.low else self.high
        if math.isinf(end):
            return limits.min if end < 0 else limits.max
        if end == 0:
            return limits.tiny if rounded <= self.low else -limits.tiny
        toward = np.array([self.high if rounded <= self.low else self.low], dtype)
        return np.nextafter(np.array([end], dtype), toward)[0]


def _round(number: float, dtype: str) -> float:
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.array(number, dtype))
    return rounded if abs(rounded) >= float(np.finfo(dtype).tiny) else 0.0
