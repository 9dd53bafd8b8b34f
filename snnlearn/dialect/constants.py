"""Whole numbers that are known before code runs, and what integers cannot be divided by."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from snnlearn.declare.types import ValueType
from snnlearn.dialect.algebra import common_type
from snnlearn.dialect.tree import Binary, Cast, Expr, Literal, Name, Unary

_NOTHING: Mapping[str, int] = MappingProxyType({})


def whole_number(e: Expr, known: Mapping[str, int] = _NOTHING) -> int | None:
    """Return the whole number that an expression of numbers stands for, as C computes it; None for anything else.

    Parameters
    ----------
    e : expression
    known : mapping of str to int
        What some names stand for.
    """
    if e.type.kind == "float":
        return None
    if isinstance(e, Literal):
        return int(e.text == "true") if e.type.kind == "bool" else int(e.text, 0)
    if isinstance(e, Name):
        return known.get(e.id)
    if isinstance(e, Cast):
        value = whole_number(e.operand, known)
        return None if value is None else _wrapped(value, e.type)
    if isinstance(e, Unary):
        value = whole_number(e.operand, known)
        if value is None:
            return None
        return _wrapped({"-": -value, "+": value, "~": ~value, "!": int(not value)}[e.op], e.type)
    if isinstance(e, Binary) and e.op in "+-*":
        left, right = whole_number(e.left, known), whole_number(e.right, known)
        if left is None or right is None:
            return None
        return _wrapped({"+": left + right, "-": left - right, "*": left * right}[e.op], e.type)
    return None


def division_fault(op: str, left: Expr, right: Expr, known: Mapping[str, int] = _NOTHING) -> str:
    """Return why a division of these operands has no result, where that is known now; else the empty string."""
    if op not in ("/", "%") or "float" in (left.type.kind, right.type.kind):
        return ""
    divisor = whole_number(right, known)
    if divisor == 0:
        return "an integer is divided by zero"
    vtype = common_type(left.type, right.type)
    if divisor == -1 and whole_number(left, known) == np.iinfo(vtype.dtype).min:
        return f"the quotient is larger than the largest number of type {vtype.name}"
    return ""


def _wrapped(value: int, vtype: ValueType) -> int:
    """Return a number as one of a type, which wraps around."""
    if vtype.kind == "bool":
        return int(value != 0)
    limits = np.iinfo(vtype.dtype)
    span = int(limits.max) - int(limits.min) + 1
    return (value - int(limits.min)) % span + int(limits.min)
