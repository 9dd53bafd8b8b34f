"""A threshold condition as a margin and gates: ``refracTime <= 0.0 && V >= Vthresh`` is V - Vthresh under a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snnlearn.codegen.plan import Code, Kernel
from snnlearn.declare import ValueType
from snnlearn.dialect import tree

_GREATER, _LESS = frozenset([">", ">="]), frozenset(["<", "<="])


@dataclass(frozen=True)
class Margin:
    """By how much a threshold is exceeded.

    Attributes
    ----------
    above, below : expression
        The margin is their difference.
    type : ValueType
        Of that.
    """

    above: tree.Expr
    below: tree.Expr
    type: ValueType


def conjuncts(condition: tree.Expr) -> tuple[tree.Expr, ...]:
    """Return the conditions that must all hold."""
    if isinstance(condition, tree.Binary) and condition.op == "&&":
        return (*conjuncts(condition.left), *conjuncts(condition.right))
    return (condition,)


def margin_of(condition: tree.Expr) -> Margin | None:
    """Return the margin of a comparison of floating-point numbers."""
    if not isinstance(condition, tree.Binary) or condition.op not in _GREATER | _LESS:
        return None
    vtype = max(condition.left.type, condition.right.type, key=lambda t: t.rank)
    if vtype.kind != "float":
        return None
    pair = (condition.left, condition.right)
    above, below = pair if condition.op in _GREATER else pair[::-1]
    return Margin(above, below, vtype)


def gates_and_margin(
    condition: tree.Expr, moves: Callable[[str], bool]
) -> tuple[tuple[tree.Expr, ...], tree.Expr | None]:
    """Return the gates of a threshold and the comparison whose margin counts.

    That is the last one of what the neuron's input moves, or else the last one.
    """
    parts = conjuncts(condition)
    numbers = [n for n, part in enumerate(parts) if margin_of(part) is not None]
    moving = [n for n in numbers if any(moves(name) for name in tree.names_in(parts[n]))]
    if not numbers:
        return parts, None
    number = (moving or numbers)[-1]
    return (*parts[:number], *parts[number + 1 :]), parts[number]


def moved_by_input(kernel: Kernel) -> frozenset[str]:
    """Return the names in a kernel of what depends on its inputs other than by way of a condition or a spike."""
    moved = {v.name for v in kernel.inputs}
    codes = [part for part in kernel.body if isinstance(part, Code)]
    before = -1
    while before != len(moved):
        before = len(moved)
        for code in codes:
            for node in tree.walk(code.tree):
                target, value = _assigned(node)
                if value is not None and any(code.names.get(n, n) in moved for n in tree.names_in(value)):
                    moved.add(code.names.get(target, target))
    return frozenset(moved)


def _assigned(node: Any) -> tuple[str, tree.Expr | None]:
    if isinstance(node, tree.Assign) and isinstance(node.target, tree.Name):
        return node.target.id, node.value
    return (node.name, node.value) if isinstance(node, tree.Declare) else ("", None)
