"""A parameter's value as PyGeNN gives it."""

from __future__ import annotations


class NumericValue(float):
    """A number, whose ``value`` is what was given, an int or a float."""

    __slots__ = ("value",)

    value: float

    def __new__(cls, value: float) -> NumericValue:
        """Wrap a number."""
        made = super().__new__(cls, value)
        made.value = value
        return made
