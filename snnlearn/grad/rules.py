"""Derivatives of expressions: one rule for each kind of node, and one for each function of the library."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from snnlearn.dialect import algebra, tree
from snnlearn.dialect.algebra import add, call, divide, is_number, multiply, negate, number, select, subtract
from snnlearn.dialect.tree import Binary, Call, Cast, Expr, Name, Ternary, Unary
from snnlearn.errors import GradientError

Tangents = Mapping[str, Expr]

_ZERO, _ONE = number(0.0), number(1.0)
# Constant between jumps: the derivative is zero wherever there is one.
_STEPS = frozenset(["ceil", "floor", "round", "rint", "trunc", "nearbyint", "ilogb"])


def tangent(e: Expr, tangents: Tangents) -> Expr:
    """Return the derivative of an expression in a direction.

    Parameters
    ----------
    e : expression
        Without assignments.
    tangents : mapping of str to expression
        The derivatives of the names in it; those that are missing have none. A condition may be one of them: that of
        a spike, whose derivative is the surrogate's. Every other comparison counts as constant.

    Returns
    -------
    expression
        The number 0.0 where it does not depend on any of them.

    Raises
    ------
    GradientError
        For a function without a rule.
    """
    if isinstance(e, Name):
        return tangents.get(e.id, _ZERO)
    if isinstance(e, Unary):
        inner = tangent(e.operand, tangents)
        return inner if e.op == "+" else negate(inner) if e.op in "-!" else _ZERO
    if isinstance(e, Binary):
        return _of_binary(e, tangents)
    if isinstance(e, Ternary):
        chosen = select(e.condition, tangent(e.then, tangents), tangent(e.other, tangents))
        jump = tangent(e.condition, tangents)
        if is_number(jump, 0.0):
            return chosen
        return add(chosen, multiply(jump, difference(_as_number(e.then), _as_number(e.other))))
    if isinstance(e, Cast):
        inner = tangent(e.operand, tangents)
        whole = e.type.kind == "int" and e.operand.type.kind == "float"
        return _ZERO if whole else algebra.convert(inner, e.type) if e.type.kind == "float" else inner
    if isinstance(e, Call):
        return _of_call(e, tangents)
    return _ZERO


def depends(e: Expr, names: frozenset[str] | set[str]) -> bool:
    """Whether an expression has a derivative with respect to any of these names."""
    # One by one: along a common direction, differences would have none.
    return any(not is_number(tangent(e, {name: _ONE}), 0.0) for name in tree.names_in(e) & names)


def difference(one: Expr, other: Expr) -> Expr:
    """Return ``one - other``, where one may be the other and something more."""
    if isinstance(one, Binary) and one.op in "+-" and one.left == other:
        return one.right if one.op == "+" else negate(one.right)
    if isinstance(one, Binary) and one.op == "+" and one.right == other:
        return one.left
    return subtract(one, other)


def _as_number(e: Expr) -> Expr:
    return algebra.convert(e, algebra.SCALAR) if e.type.kind == "bool" else e


def _of_binary(e: Binary, tangents: Tangents) -> Expr:
    if e.op not in ("+", "-", "*", "/", "&&", "||"):
        return _ZERO
    left, right = tangent(e.left, tangents), tangent(e.right, tangents)
    if is_number(left, 0.0) and is_number(right, 0.0):
        return _ZERO
    if e.op == "+":
        return add(left, right)
    if e.op == "-":
        return subtract(left, right)
    if e.op == "&&":
        return add(select(e.right, left, _ZERO), select(e.left, right, _ZERO))
    if e.op == "||":
        return add(select(e.right, _ZERO, left), select(e.left, _ZERO, right))
    if e.op == "*":
        return add(multiply(left, e.right), multiply(e.left, right))
    if e.type.kind != "float":
        return _ZERO  # a division of whole numbers
    return divide(left, e.right) if is_number(right, 0.0) else divide(subtract(left, multiply(e, right)), e.right)


def _of_call(e: Call, tangents: Tangents) -> Expr:
    inner = [tangent(a, tangents) for a in e.args]
    if e.function in _STEPS or all(is_number(d, 0.0) for d in inner):
        return _ZERO
    if e.function not in _RULES:
        message = f"'{e.function}' has no derivative here; those that have one: {', '.join(sorted(_RULES))}"
        raise GradientError(message if e.at is None else str(e.at.error(message)))
    partials = _RULES[e.function](e, *e.args)
    terms = [multiply(p, d) for p, d in zip(partials, inner, strict=True) if not is_number(d, 0.0)]
    return algebra.total(terms)


def _sign(x: Expr) -> Expr:
    minus = select(algebra.binary("<", x, _ZERO), number(-1.0), _ZERO)
    return select(algebra.binary(">", x, _ZERO), _ONE, minus)


def _chosen(op: str, a: Expr, b: Expr) -> tuple[Expr, ...]:
    first = algebra.binary(op, a, b)
    return select(first, _ONE, _ZERO), select(first, _ZERO, _ONE)


def _square(x: Expr) -> Expr:
    return multiply(x, x)


def _power(e: Expr, x: Expr, y: Expr) -> tuple[Expr, ...]:
    # The second is only taken where y is driven, which it is of a positive x alone.
    return multiply(y, call("pow", x, subtract(y, _ONE))), multiply(e, call("log", x))


def _less_square(x: Expr) -> Expr:
    return subtract(_ONE, _square(x))


# The partial derivatives by each argument, of the call and its arguments.
_RULES: Mapping[str, Callable[..., tuple[Expr, ...]]] = {
    "cos": lambda e, x: (negate(call("sin", x)),),
    "sin": lambda e, x: (call("cos", x),),
    "tan": lambda e, x: (add(_ONE, _square(e)),),
    "acos": lambda e, x: (divide(number(-1.0), call("sqrt", _less_square(x))),),
    "asin": lambda e, x: (divide(_ONE, call("sqrt", _less_square(x))),),
    "atan": lambda e, x: (divide(_ONE, add(_ONE, _square(x))),),
    "cosh": lambda e, x: (call("sinh", x),),
    "sinh": lambda e, x: (call("cosh", x),),
    "tanh": lambda e, x: (_less_square(e),),
    "acosh": lambda e, x: (divide(_ONE, call("sqrt", subtract(_square(x), _ONE))),),
    "asinh": lambda e, x: (divide(_ONE, call("sqrt", add(_square(x), _ONE))),),
    "atanh": lambda e, x: (divide(_ONE, _less_square(x)),),
    "exp": lambda e, x: (e,),
    "expm1": lambda e, x: (add(e, _ONE),),
    "exp2": lambda e, x: (multiply(number(math.log(2.0)), e),),
    "log": lambda e, x: (divide(_ONE, x),),
    "log1p": lambda e, x: (divide(_ONE, add(_ONE, x)),),
    "log2": lambda e, x: (divide(number(1.0 / math.log(2.0)), x),),
    "log10": lambda e, x: (divide(number(1.0 / math.log(10.0)), x),),
    "sqrt": lambda e, x: (divide(number(0.5), e),),
    "cbrt": lambda e, x: (divide(_ONE, multiply(number(3.0), _square(e))),),
    "erf": lambda e, x: (multiply(number(2.0 / math.sqrt(math.pi)), call("exp", negate(_square(x)))),),
    "erfc": lambda e, x: (multiply(number(-2.0 / math.sqrt(math.pi)), call("exp", negate(_square(x)))),),
    "fabs": lambda e, x: (_sign(x),),
    "abs": lambda e, x: (_sign(x),),
    "atan2": lambda e, y, x: (
        divide(x, add(_square(x), _square(y))),
        divide(negate(y), add(_square(x), _square(y))),
    ),
    "pow": _power,
    "hypot": lambda e, x, y: (divide(x, e), divide(y, e)),
    "fmod": lambda e, x, y: (_ONE, negate(call("trunc", divide(x, y)))),
    "remainder": lambda e, x, y: (_ONE, negate(call("rint", divide(x, y)))),
    "fdim": lambda e, x, y: tuple(select(algebra.binary(">", x, y), s, _ZERO) for s in (_ONE, number(-1.0))),
    "fmax": lambda e, x, y: _chosen(">=", x, y),
    "fmin": lambda e, x, y: _chosen("<=", x, y),
    "max": lambda e, x, y: _chosen(">=", x, y),
    "min": lambda e, x, y: _chosen("<=", x, y),
    "copysign": lambda e, x, y: (multiply(_sign(x), call("copysign", _ONE, y)), _ZERO),
    "fma": lambda e, x, y, z: (y, x, _ONE),
}
