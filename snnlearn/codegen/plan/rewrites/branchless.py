"""Branch-free conditions: ``a && b`` with an array's element in b is evaluated as a whole, so that vectors can be used.

Of ``i != end && t >= times[i]`` the element may only be read where the first part holds. Elsewhere the array's first
element can stand for it, as every array has one: ``a & b`` with ``times[a ? i : 0]``. The value is the same; the loop
over neurons has one branch less, and the compiler can work on several of them at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.domains import Neurons
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Code, OnSpike, Part
from snnlearn.declare import value_type
from snnlearn.dialect import tree

_ZERO = tree.Literal("0", value_type("int"))
_COMPARISONS = frozenset(["==", "!=", "<", ">", "<=", ">=", "&&", "||"])


def branchless(plan: Plan) -> Plan:
    """Return the plan with conditions on array elements free of branches, in the neurons' kernels."""
    return replace(plan, step=tuple(_rewrite(k) if isinstance(k.domain, Neurons) else k for k in plan.step))


def _rewrite(kernel: Kernel) -> Kernel:
    return replace(kernel, body=tuple(_part(part) for part in kernel.body))


def _part(part: Part) -> Part:
    if isinstance(part, Code):
        return replace(part, tree=tree.rewrite(part.tree, _flatten))
    if isinstance(part, OnSpike):
        return replace(part, condition=replace(part.condition, tree=tree.rewrite(part.condition.tree, _flatten)))
    return part


def _flatten(node: Any) -> Any:
    if not isinstance(node, tree.Binary) or node.op != "&&":
        return node
    if not (_is_truth(node.left) and _is_truth(node.right) and _may_run(node.left) and _may_run(node.right)):
        return node
    if not _reads_elements(node.right):
        return node

    def guard(inner: Any) -> Any:
        if not isinstance(inner, tree.Index):
            return inner
        return replace(inner, index=tree.Ternary(node.left, inner.index, _ZERO, inner.index.type))

    return replace(node, op="&", right=tree.rewrite(node.right, guard))


def _is_truth(e: tree.Expr) -> bool:
    """Whether an expression is 0 or 1, so that ``&`` of two is what ``&&`` is."""
    return e.type.kind == "bool" or (isinstance(e, tree.Binary) and e.op in _COMPARISONS)


def _may_run(e: tree.Expr) -> bool:
    """Whether an expression may be evaluated where it was not to be, and more than once."""
    fine = True

    def look(node: Any) -> Any:
        nonlocal fine
        if isinstance(node, (tree.Assign, tree.Step, tree.Call)):
            fine = False
        if isinstance(node, tree.Binary) and node.op in "/%" and node.type.kind != "float":
            fine = False
        return node

    tree.rewrite(e, look)
    return fine


def _reads_elements(e: tree.Expr) -> bool:
    found = False

    def look(node: Any) -> Any:
        nonlocal found
        found = found or isinstance(node, tree.Index)
        return node

    tree.rewrite(e, look)
    return found
