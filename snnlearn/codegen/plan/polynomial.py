"""Code as polynomials: what straight-line arithmetic makes of its variables, multiplied out.

A value is a sum of products, ``{(factor, factor, ...): coefficient}``, over names of the kernel; the constants are
known and multiplied in double precision. Code with branches, loops, function calls or integers has no such form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from snnlearn.codegen.plan.parts import Code, Constant
from snnlearn.declare import value_type
from snnlearn.dialect import algebra, sums, tree

Monomial = tuple[str, ...]
Polynomial = sums.Sum[str]

_SCALAR = value_type("scalar")
_MOST_TERMS = 64  # beyond, products of sums would only become slower
_COMPOUND = {"=": "", "+=": "+", "-=": "-", "*=": "*", "/=": "/"}


class NotPolynomialError(Exception):
    """The code has no such form; says why."""


def variable(name: str) -> Polynomial:
    """Return a name as a polynomial."""
    return {(name,): 1.0}


def known(constants: Iterable[Constant], dt: float) -> dict[str, Polynomial]:
    """Return the numbers that are known to a kernel as polynomials."""
    numbers = {c.name: float(c.value) for c in constants} | {"dt": dt}
    return {name: {(): number} for name, number in numbers.items()}


def run(code: Code, values: Mapping[str, Polynomial], *, partly: bool = False) -> dict[str, Polynomial]:
    """Return what the names of a kernel are worth after a piece of code.

    Parameters
    ----------
    code : Code
        A block, or an expression.
    values : mapping of str to dict
        What they are worth before, by the kernel's names; a name that is missing has no such form.
    partly : bool
        Leave names out that have no such form afterwards, rather than raise an error.

    Raises
    ------
    NotPolynomialError
    """
    walk = _Walk(code, dict(values))
    for statement in code.tree.statements if isinstance(code.tree, tree.Block) else [tree.Evaluate(code.tree)]:
        try:
            walk.statement(statement)
        except NotPolynomialError:
            if not partly:
                raise
            walk.forget(statement)
    return walk.values


class _Walk:
    def __init__(self, code: Code, values: dict[str, Polynomial]) -> None:
        self.code, self.values = code, values
        self.local: dict[str, Polynomial | None] = {}

    def statement(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Declare) and s.value is not None:
            _check_type(s.type)
            self.local[s.name] = self.value(s.value)
        elif isinstance(s, tree.Evaluate) and isinstance(s.value, tree.Assign):
            self.assign(s.value)
        else:
            raise NotPolynomialError("its code does not run straight on")

    def forget(self, s: tree.Statement) -> None:
        """Take whatever a statement may change for unknown."""
        if isinstance(s, tree.Declare):
            self.local[s.name] = None

        def look(node: Any) -> Any:
            if isinstance(node, (tree.Assign, tree.Step)) and isinstance(node.target, tree.Name):
                if node.target.id in self.local:
                    self.local[node.target.id] = None
                else:
                    self.values.pop(self.code.names.get(node.target.id, ""), None)
            return node

        tree.rewrite(s, look)

    def assign(self, a: tree.Assign) -> None:
        _check_type(a.type)
        if a.op not in _COMPOUND:
            raise NotPolynomialError(f"its code assigns with {a.op}")
        if not isinstance(a.target, tree.Name):
            raise NotPolynomialError(f"its code writes to {a.target.array}")
        value = self.value(a.value)
        op = _COMPOUND[a.op]
        result = _combine(op, self.name(a.target), value) if op else _tidy(value)
        if a.target.id in self.local:
            self.local[a.target.id] = result
        else:
            self.values[self.bound(a.target)] = result

    def value(self, e: tree.Expr) -> Polynomial:
        if isinstance(e, tree.Literal) and (number := algebra.number_of(e)) is not None:
            return {(): number}
        if isinstance(e, tree.Name):
            return self.name(e)
        if isinstance(e, tree.Unary) and e.op in "+-":
            _check_type(e.type)
            return _scale(self.value(e.operand), -1.0 if e.op == "-" else 1.0)
        if isinstance(e, tree.Binary) and e.op in "+-*/":
            _check_type(e.type)
            return _combine(e.op, self.value(e.left), self.value(e.right))
        if isinstance(e, tree.Call):
            raise NotPolynomialError(f"its code calls {e.function}")
        raise NotPolynomialError("its code does more than add and multiply")

    def name(self, n: tree.Name) -> Polynomial:
        found = self.local[n.id] if n.id in self.local else self.values.get(self.bound(n))
        if found is None:
            raise NotPolynomialError(f"its code reads {n.id}")
        return found

    def bound(self, n: tree.Name) -> str:
        # A name that is neither bound nor local here is a local of other code in the kernel.
        if n.id not in self.code.names:
            raise NotPolynomialError(f"its code shares {n.id} with other code")
        return self.code.names[n.id]


def _check_type(vtype: Any) -> None:
    if vtype != _SCALAR:
        raise NotPolynomialError(f"its code computes with numbers of type {vtype.name}")


def _combine(op: str, left: Polynomial, right: Polynomial) -> Polynomial:
    if op in "+-":
        return _tidy(sums.add(left, right if op == "+" else sums.scale(right, -1.0)))
    if op == "/":
        divisor = right.get((), 0.0)
        if set(right) != {()} or divisor == 0.0:
            raise NotPolynomialError("its code divides by what is no constant")
        return _scale(left, 1.0 / divisor)
    return _tidy(sums.multiply(left, right))


def _scale(total: Polynomial, factor: float) -> Polynomial:
    return _tidy(sums.scale(total, factor))


def _tidy(total: Polynomial) -> Polynomial:
    if len(total) > _MOST_TERMS:
        raise NotPolynomialError("its code multiplies out to too many terms")
    if not all(math.isfinite(coefficient) for coefficient in total.values()):
        raise NotPolynomialError("its constants pass the largest number")
    return sums.nonzero(total)
