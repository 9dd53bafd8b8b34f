"""Folding: assignments in deferred kernels become sums of products with as few constants as there can be.

``e += (z * s - e / tau) * dt`` is ``e = z * s * dt + e * (1 - dt / tau)``: sums of products whose constants are known
now and multiplied out, like terms taken together. Sums are added in another order, so results round differently; and
constants are multiplied in double precision, where what would pass the largest number of single precision does not.

A factor close to 1 would lose digits when it is rounded to single precision: ``1 - 1e-5`` is off by up to 3e-8, 0.3 %
of what it takes away. Where that exceeds one part in 10^5 the two terms stay apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Code, Constant
from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import algebra, sums, tree

_HALF_ULP = 2.0**-25  # of numbers just below 1, in single precision
_MOST_BIAS = 1e-5
_OPERATORS = {"=": None, "+=": 1.0, "-=": -1.0}

Sum = sums.Sum[Any]  # its factors are trees that are no constants


def fold(plan: Plan) -> Plan:
    """Return the plan with the code of deferred kernels folded."""
    return replace(plan, step=tuple(_fold(k, plan) if k.deferral else k for k in plan.step))


def _fold(kernel: Kernel, plan: Plan) -> Kernel:
    folder = _Folder(kernel, plan)
    body = tuple(folder.code(part) if isinstance(part, Code) else part for part in kernel.body)
    folded = replace(kernel, body=body)
    used = {code.names[name] for code in folded.codes for name in tree.names_in(code.tree) if name in code.names}
    constants = (*kernel.constants, *folder.new.values())
    return replace(folded, constants=tuple(c for c in constants if c.name in used))


class _Folder:
    def __init__(self, kernel: Kernel, plan: Plan) -> None:
        self.dt = plan.dt
        self.values = {c.name: c for c in kernel.constants if c.type.kind == "float"}
        self.once_a_row = {load.name for load in kernel.loads if load.index in ("pre", "only")}
        # The code's own locals too: a constant of the same name would be taken for one of them.
        local = {name for code in kernel.codes for name in (*code.names, *tree.names_in(code.tree))}
        self.names = Names(plan.arrays_by_name, kernel.local_names, local)
        self.new: dict[tuple[float, ValueType], Constant] = {}
        self.bound: Mapping[str, str] = {}
        self.extra: dict[str, str] = {}
        self.vtype = value_type("scalar")  # of the assignment at hand

    def code(self, code: Code) -> Code:
        self.bound, self.extra = code.names, {}
        new = tree.rewrite(code.tree, self.change)
        return replace(code, tree=new, names={**code.names, **self.extra})

    def change(self, node: Any) -> Any:
        """Fold an assignment to a float."""
        if not isinstance(node, tree.Assign) or node.op not in _OPERATORS or node.type.kind != "float":
            return node
        if _has_effects(node.value) or not isinstance(node.target, tree.Name):
            return node
        self.vtype = node.type
        sign, total = _OPERATORS[node.op], self.sum_of(node.value)
        if sign is not None:
            total = sums.add({(node.target,): 1.0}, sums.scale(total, sign))
        value = self.expression(total, node.target)
        return tree.Assign("=", node.target, value, node.type)

    # ---- reading ----

    def sum_of(self, e: Any) -> Sum:
        """Return an expression as a sum of products; what is no arithmetic of floats is a factor as it stands."""
        return algebra.sum_of(e, self.vtype, self.constant, self.order, lambda total: self.expression(total, None))

    def constant(self, e: Any) -> float | None:
        if isinstance(e, tree.Literal):
            return algebra.number_of(e)
        if isinstance(e, tree.Name):
            if self.bound.get(e.id) == "dt":
                return self.dt
            known = self.values.get(self.bound.get(e.id, ""))
            return known.value if known is not None else None
        return None

    def order(self, factor: Any) -> tuple[int, str]:
        # What is the same along a row comes first, so that its product with the constant is formed once.
        row = isinstance(factor, tree.Name) and self.bound.get(factor.id) in self.once_a_row
        return (0 if row else 1), repr(factor)

    # ---- writing ----

    def expression(self, total: Sum, target: tree.Name | None) -> Any:
        """Return a sum as a tree; the target's own term comes last, as the one that waits for the timestep before."""
        vtype = self.vtype
        key = (target,) if target is not None else None
        terms = [self.term(f, c, vtype) for f, c in total.items() if f != key]
        if key in total:
            coefficient = total[key]
            away = abs(1.0 - coefficient)
            if 0.0 < away < 0.5 and _HALF_ULP / away > _MOST_BIAS:
                terms += [self.term(key, coefficient - 1.0, vtype), target]
            else:
                terms.append(self.term(key, coefficient, vtype))
        value = terms[0]
        for term in terms[1:]:
            value = tree.Binary("+", value, term, vtype)
        return value

    def term(self, factors: tuple[Any, ...], coefficient: float, vtype: Any) -> Any:
        parts: list[tree.Expr] = [] if coefficient == 1.0 and factors else [self.number(coefficient, vtype)]
        parts += factors
        value = parts[0]
        for part in parts[1:]:
            value = tree.Binary("*", value, part, vtype)
        return value

    def number(self, value: float, vtype: Any) -> tree.Name:
        key = value, vtype
        if key not in self.new:
            self.new[key] = Constant(self.names.unique("c"), vtype, value)
        name = self.new[key].name
        self.extra[name] = name
        return tree.Name(name, vtype)


def _has_effects(e: Any) -> bool:
    """Whether an expression assigns to something: then its parts must stay in their order."""
    found = False

    def look(node: Any) -> Any:
        nonlocal found
        found = found or isinstance(node, (tree.Assign, tree.Step))
        return node

    tree.rewrite(e, look)
    return found
