"""What the gates of a threshold decide: which branches a neuron takes while it may spike.

A neuron that spikes only where ``refracTime <= 0`` is not refractory wherever its surrogate is not zero. Conditions
that ask for the same, and those that the values of parameters decide with it, are known then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from snnlearn.dialect import algebra, tree
from snnlearn.dialect.tree import Binary, Expr, Literal, Name, Unary
from snnlearn.grad.single import Assignment
from snnlearn.grad.step import Step

Range = tuple[float, float]
_ANY: Range = (-math.inf, math.inf)
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}


@dataclass(frozen=True)
class Facts:
    """What is known of a step's names.

    Attributes
    ----------
    ranges : mapping of str to (float, float)
        The least and the greatest value; bounds belong to the range.
    true : frozenset of expression
        Conditions that hold.
    """

    ranges: Mapping[str, Range]
    true: frozenset[Expr] = frozenset()

    def decide(self, condition: Expr) -> bool | None:
        """Return whether a condition holds; None where the facts do not say."""
        if isinstance(condition, Literal):
            return condition.text == "true"
        if condition in self.true:
            return True
        if algebra.negation(condition) in self.true:
            return False
        if isinstance(condition, Unary) and condition.op == "!":
            inner = self.decide(condition.operand)
            return None if inner is None else not inner
        if not isinstance(condition, Binary):
            return None
        if condition.op in ("&&", "||"):
            parts = {self.decide(condition.left), self.decide(condition.right)}
            short = condition.op == "||"
            return short if short in parts else None if None in parts else not short
        return _compare(condition.op, self.range_of(condition.left), self.range_of(condition.right))

    def range_of(self, e: Expr) -> Range:
        """Return between which values an expression is."""
        value = algebra.number_of(e)
        if value is not None:
            return value, value
        if isinstance(e, Name):
            return self.ranges.get(e.id, _ANY)
        if isinstance(e, Unary) and e.op == "-":
            low, high = self.range_of(e.operand)
            return -high, -low
        if isinstance(e, Binary) and e.op in "+-":
            (a, b), (c, d) = self.range_of(e.left), self.range_of(e.right)
            return (a + c, b + d) if e.op == "+" else (a - d, b - c)
        return _ANY


def facts_of(step: Step, values: Mapping[str, float]) -> Facts:
    """Return what holds where a step's neuron may spike, now and in the timestep before.

    Parameters
    ----------
    step : Step
    values : mapping of str to float
        Of parameters and derived parameters, by their names in the step, and ``dt`` [ms]; as far as they are known.
    """
    before = {e.id: Name(x, e.type) for x, e in step.tilde.items() if isinstance(e, Name) and e.id != x}
    gates = [] if step.gate is None else list(_parts(step.gate))
    gates += [tree.substitute(g, before) for g in gates]
    ranges: dict[str, Range] = {name: (float(v), float(v)) for name, v in values.items()}
    known = Facts(ranges, frozenset(gates))
    for gate in gates:
        if isinstance(gate, Binary) and gate.op in _TURNED:
            for one, op, other in ((gate.left, gate.op, gate.right), (gate.right, _TURNED[gate.op], gate.left)):
                if isinstance(one, Name) and one.id not in values:
                    ranges[one.id] = _narrowed(ranges.get(one.id, _ANY), op, known.range_of(other))
    return Facts(ranges, frozenset(gates))


def _narrowed(now: Range, op: str, by: Range) -> Range:
    """Return the range of a value of which a comparison holds."""
    low = max(now[0], by[0]) if op in (">", ">=", "==") else now[0]
    high = min(now[1], by[1]) if op in ("<", "<=", "==") else now[1]
    return low, high


def _parts(e: Expr) -> tuple[Expr, ...]:
    if isinstance(e, Binary) and e.op == "&&":
        return (*_parts(e.left), *_parts(e.right))
    return (e,)


def _compare(op: str, left: Range, right: Range) -> bool | None:
    (a, b), (c, d) = left, right
    if op in (">", ">="):
        return _compare("<" if op == ">" else "<=", right, left)
    if op == "<":
        return True if b < c else False if a >= d else None
    if op == "<=":
        return True if b <= c else False if a > d else None
    if op in ("==", "!="):
        apart, same = b < c or d < a, a == b == c == d
        return (op == "!=") if apart else (op == "==") if same else None
    return None


def assume(step: Step, facts: Facts) -> Step:
    """Return a step without the branches that the facts rule out."""
    values: dict[str, Expr] = {}
    kept: list[Assignment] = []
    own = {e.id for e in (step.spike, step.margin) if e is not None}
    for a in step.assignments:
        value = None if a.value is None else _settled(tree.substitute(a.value, values), facts)
        if value is not None and a.type == algebra.BOOL and a.name not in own:
            known = facts.decide(value)
            value = value if known is None else algebra.truth(known)
        if isinstance(value, (Name, Literal)) and value.type == a.type and a.name not in own:
            values[a.name] = value
        else:
            kept.append(replace(a, value=value, under=_when(a.under, values, facts)))

    def known_now(names: Mapping[str, Expr]) -> dict[str, Expr]:
        return {x: tree.substitute(e, values) for x, e in names.items()}

    return replace(
        step,
        assignments=tuple(kept),
        inputs=known_now(step.inputs),
        tilde=known_now(step.tilde),
        after=known_now(step.after),
        gate=None if step.gate is None else tree.substitute(step.gate, values),
    )


def _when(under: Expr | None, values: Mapping[str, Expr], facts: Facts) -> Expr | None:
    if under is None:
        return None
    condition = tree.substitute(under, values)
    known = facts.decide(condition)
    return condition if known is None else None if known else algebra.truth(False)


def _settled(e: Expr, facts: Facts) -> Any:
    def change(n: Any) -> Any:
        if isinstance(n, tree.Ternary):
            known = facts.decide(n.condition)
            return n if known is None else n.then if known else n.other
        return n

    return tree.rewrite(e, change)
