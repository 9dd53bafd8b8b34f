"""Arithmetic on trees: what is written down is no more than what is left when numbers are known.

Zeros, ones, signs and numbers are taken together where they meet. Nothing else is: sums and products stay in the order
in which they were asked for, so that results round as the formula says. Numbers are multiplied in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from snnlearn.declare.types import ValueType, value_type
from snnlearn.dialect import sums
from snnlearn.dialect.library import result_type
from snnlearn.dialect.scope import Scope
from snnlearn.dialect.tree import Binary, Call, Cast, Expr, Literal, Name, Ternary, Unary, walk

SCALAR, BOOL, _INT = value_type("scalar"), value_type("bool"), value_type("int")
_FUNCTIONS = Scope({}, {}).functions


def common_type(*types: ValueType) -> ValueType:
    """Return the type in which operands of these types meet: the widest, at least ``int``."""
    return max(*types, _INT, key=lambda t: t.rank)


# ---- numbers ----


def number(value: float, vtype: ValueType = SCALAR) -> Expr:
    """Return a number of a floating type; a negative one is a literal with a sign."""
    if not math.isfinite(value):
        raise ValueError(f"no literal stands for {value}")
    text = repr(abs(float(value)))
    literal = Literal(text if any(c in text for c in ".e") else f"{text}.0", vtype)
    return Unary("-", literal, vtype) if math.copysign(1.0, value) < 0.0 else literal


def number_of(e: Expr) -> float | None:
    """Return the number that a literal, with or without a sign, stands for; None for anything else."""
    if isinstance(e, Unary) and e.op == "-":
        value = number_of(e.operand)
        return None if value is None or e.type.name.startswith("u") else -value
    if not isinstance(e, Literal) or e.type.kind == "bool":
        return None
    return float(int(e.text, 0)) if e.type.kind == "int" else float(e.text)


def is_number(e: Expr, value: float) -> bool:
    """Whether an expression is this number, written down."""
    return number_of(e) == value


# ---- arithmetic ----


def binary(op: str, left: Expr, right: Expr) -> Binary:
    """Return ``left op right`` as it stands, of the type that C gives it."""
    if op in ("<", ">", "<=", ">=", "==", "!=", "&&", "||"):
        return Binary(op, left, right, BOOL)
    return Binary(op, left, right, common_type(left.type, right.type))


def negate(e: Expr) -> Expr:
    """Return ``-e``."""
    if is_number(e, 0.0):
        return e
    if isinstance(e, Unary) and e.op == "-":
        return e.operand
    if isinstance(e, Binary) and e.op == "-":
        return Binary("-", e.right, e.left, e.type)
    if isinstance(e, Binary) and e.op in "*/" and isinstance(e.left, (Unary, Literal)):
        return Binary(e.op, negate(e.left), e.right, e.type)
    return Unary("-", e, common_type(e.type))


def add(left: Expr, right: Expr) -> Expr:
    """Return ``left + right``."""
    if is_number(left, 0.0):
        return right
    if is_number(right, 0.0):
        return left
    folded = _folded("+", left, right)
    if folded is not None:
        return folded
    if isinstance(left, Ternary) and isinstance(right, Ternary) and left.condition == right.condition:
        return select(left.condition, add(left.then, right.then), add(left.other, right.other))
    positive = _without_sign(right)
    if positive is not None:
        return binary("-", left, positive)
    positive = _without_sign(left)
    return binary("-", right, positive) if positive is not None else binary("+", left, right)


def subtract(left: Expr, right: Expr) -> Expr:
    """Return ``left - right``."""
    if left == right and left.type.kind == "float" and isinstance(left, (Literal, Name)):
        return number(0.0, left.type)
    return add(left, negate(right))


def multiply(left: Expr, right: Expr) -> Expr:
    """Return ``left * right``; zero times anything is zero."""
    for one, other in ((left, right), (right, left)):
        if is_number(one, 0.0):
            return number(0.0, _floating(left, right))
        if is_number(one, 1.0) and other.type.kind == "float":
            return other
        if is_number(one, -1.0) and other.type.kind == "float":
            return negate(other)
    folded = _folded("*", left, right)
    if folded is not None:
        return folded
    for one, other in ((left, right), (right, left)):
        positive = _without_sign(one)
        if positive is not None:
            return negate(multiply(positive, other) if one is left else multiply(other, positive))
    return binary("*", left, right)


def divide(left: Expr, right: Expr) -> Expr:
    """Return ``left / right`` of floating type; zero by anything is zero."""
    if is_number(left, 0.0):
        return number(0.0, _floating(left, right))
    if is_number(right, 1.0) and left.type.kind == "float":
        return left
    folded = _folded("/", left, right)
    if folded is not None:
        return folded
    positive = _without_sign(left)
    if positive is not None:
        return negate(divide(positive, right))
    if left.type.kind != "float" and right.type.kind != "float":
        left = Cast(left, SCALAR)
    return binary("/", left, right)


def total(terms: Sequence[Expr]) -> Expr:
    """Return the sum of terms, from the first on."""
    value: Expr = number(0.0)
    for term in terms:
        value = add(value, term)
    return value


def call(function: str, *args: Expr) -> Call:
    """Return a call of a function of the library."""
    return Call(function, args, result_type(_FUNCTIONS[function], tuple(a.type for a in args)))


def select(condition: Expr, then: Expr, other: Expr) -> Expr:
    """Return ``condition ? then : other``."""
    if then == other:
        return then
    if isinstance(condition, Literal):
        return then if condition.text == "true" else other
    vtype = then.type if then.type == other.type else common_type(then.type, other.type)
    return Ternary(condition, then, other, vtype)


def convert(e: Expr, vtype: ValueType) -> Expr:
    """Return a value as one of a type."""
    if e.type == vtype:
        return e
    value = number_of(e)
    return number(value, vtype) if value is not None and vtype.kind == "float" else Cast(e, vtype)


# ---- sums of products ----


def sum_of(
    e: Expr,
    vtype: ValueType,
    constant: Callable[[Expr], float | None],
    order: Callable[[Expr], Any],
    write: Callable[[sums.Sum[Expr]], Expr],
) -> sums.Sum[Expr]:
    """Return an expression as a sum of products; what is no arithmetic of its type is a factor as it stands.

    Parameters
    ----------
    e : expression
    vtype : ValueType
        The type of the sum.
    constant : function
        What is known to be a number, and which.
    order : function
        By what the factors of a product are sorted.
    write : function
        Returns a sum as an expression: a product of sums stays one, of what it writes.
    """
    known = constant(e)
    if known is not None:
        return {(): known}
    if e.type != vtype:
        # A factor of another type is converted first: products and sums of integers would otherwise wrap as such.
        return {(Cast(e, vtype),): 1.0}
    if isinstance(e, Unary) and e.op in "+-":
        return sums.scale(sum_of(e.operand, vtype, constant, order, write), -1.0 if e.op == "-" else 1.0)
    if not isinstance(e, Binary) or e.op not in ("+", "-", "*"):
        return {(e,): 1.0}
    left, right = (sum_of(part, vtype, constant, order, write) for part in (e.left, e.right))
    if e.op != "*":
        return sums.add(left, sums.scale(right, 1.0 if e.op == "+" else -1.0))
    for one, other in ((left, right), (right, left)):
        if set(one) <= {()}:
            return sums.scale(other, one.get((), 0.0))
    if len(left) == len(right) == 1:
        return sums.multiply(left, right, order)
    return {(Binary("*", write(left), write(right), e.type),): 1.0}


def gathered(e: Expr) -> Expr:
    """Return an expression with like terms taken together, where that makes it shorter."""
    if e.type != SCALAR:
        return e
    shorter = _written(sums.nonzero(sum_of(e, SCALAR, number_of, _names_first, _written)))
    return shorter if _length(shorter) < _length(e) else e


def _written(terms: sums.Sum[Expr]) -> Expr:
    def product(factors: tuple[Expr, ...]) -> Expr:
        value: Expr = number(1.0)
        for factor in factors:
            value = multiply(value, factor)
        return value

    return total([multiply(number(coefficient), product(factors)) for factors, coefficient in terms.items()])


def _names_first(e: Expr) -> tuple[bool, str]:
    return not isinstance(e, Name), repr(e)


def _length(e: Expr) -> int:
    return sum(1 for _ in walk(e))


# ---- conditions ----


def truth(value: bool) -> Literal:
    """Return ``true`` or ``false``."""
    return Literal("true" if value else "false", BOOL)


def both(left: Expr, right: Expr) -> Expr:
    """Return ``left && right``."""
    for one, other in ((left, right), (right, left)):
        if one == truth(True):
            return other
        if one == truth(False):
            return one
    return left if left == right else binary("&&", left, right)


def negation(condition: Expr) -> Expr:
    """Return ``!condition``."""
    if isinstance(condition, Literal):
        return truth(condition.text != "true")
    if isinstance(condition, Unary) and condition.op == "!":
        return condition.operand
    return Unary("!", condition, BOOL)


# ---- helpers ----


def _floating(*operands: Expr) -> ValueType:
    found = common_type(*(e.type for e in operands))
    return found if found.kind == "float" else SCALAR


def _without_sign(e: Expr) -> Expr | None:
    """Return what has a minus before it, without; None where there is none."""
    if isinstance(e, Unary) and e.op == "-":
        return e.operand
    if isinstance(e, Binary) and e.op in "*/" and (left := _without_sign(e.left)) is not None:
        return multiply(left, e.right) if e.op == "*" else Binary("/", left, e.right, e.type)
    return None


def _folded(op: str, left: Expr, right: Expr) -> Expr | None:
    """Return what two numbers make; None where one is none, or the result is."""
    a, b = number_of(left), number_of(right)
    if a is None or b is None or (op == "/" and b == 0.0):
        return None
    value = a + b if op == "+" else a * b if op == "*" else a / b
    return number(value, _floating(left, right)) if math.isfinite(value) else None
