"""Strength reduction: a quotient by a constant becomes a product with its reciprocal.

The reciprocal and the product round once each: such a quotient changes by less than two units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.kernels import Kernel, Operation, Plan
from snnlearn.codegen.plan.names import Names, label
from snnlearn.codegen.plan.parts import Code, Constant, Flag, Part, SavePreviousSpikeTime
from snnlearn.dialect import tree


def strength(plan: Plan) -> Plan:
    """Return the plan with divisions by constants turned into multiplications."""
    taken = plan.arrays_by_name
    groups: dict[str, tuple[Operation, ...]] = {
        group: tuple(_reduce(k, taken) if isinstance(k, Kernel) else k for k in kernels)
        for group, kernels in plan.custom_updates.items()
    }
    return replace(plan, step=tuple(_reduce(k, taken) for k in plan.step), custom_updates=groups)


def _reduce(kernel: Kernel, taken: Collection[str]) -> Kernel:
    reducer, reduced = _Reducer(kernel, taken), kernel
    if any(_divides(code.tree) for code in kernel.codes):
        reduced = replace(kernel, body=tuple(reducer.part(part) for part in kernel.body))
    used = {code.names[name] for code in reduced.codes for name in tree.names_in(code.tree) if name in code.names}
    constants = tuple(c for c in (*kernel.constants, *reducer.reciprocals.values()) if c.name in used)
    return reduced if constants == reduced.constants else replace(reduced, constants=constants)


class _Reducer:
    def __init__(self, kernel: Kernel, taken: Collection[str]) -> None:
        self.constants = {c.name: c for c in kernel.constants}
        self.names = Names(taken, kernel.local_names)
        self.reciprocals: dict[str, Constant] = {}

    def part(self, part: Part) -> Part:
        if isinstance(part, Code):
            return self.code(part)
        if isinstance(part, SavePreviousSpikeTime):
            return part
        if isinstance(part, Flag):
            return replace(part, condition=self.code(part.condition))
        return replace(
            part,
            condition=self.code(part.condition),
            before=tuple(self.code(c) for c in part.before),
            reset=tuple(self.code(c) for c in part.reset),
        )

    def code(self, code: Code) -> Code:
        extra: dict[str, str] = {}

        def change(node: Any) -> Any:
            divisor = None
            if isinstance(node, tree.Binary) and node.op == "/":
                divisor = node.right
            elif isinstance(node, tree.Assign) and node.op == "/=":
                divisor = node.value
            if divisor is None or node.type.kind != "float" or not isinstance(divisor, tree.Name):
                return node
            constant = self.constants.get(code.names.get(divisor.id, ""))
            if constant is None or constant.type.kind != "float" or not self.invertible(constant.value):
                return node
            known = f"1/{divisor.id}"  # no identifier, so no name of the code's own
            extra[known] = self.reciprocal(constant)
            factor = tree.Name(known, divisor.type)
            if isinstance(node, tree.Binary):
                return tree.Binary("*", node.left, factor, node.type)
            return tree.Assign("*=", node.target, factor, node.type)

        new = tree.rewrite(code.tree, change)
        return replace(code, tree=new, names={**code.names, **extra}) if extra else code

    def reciprocal(self, constant: Constant) -> str:
        if constant.name not in self.reciprocals:
            name = self.names.unique(f"one_over_{label(constant.name)}")
            self.reciprocals[constant.name] = Constant(name, constant.type, 1.0 / constant.value)
        return self.reciprocals[constant.name].name

    @staticmethod
    def invertible(value: float) -> bool:
        # Both the number and its reciprocal are normal in single precision.
        return math.isfinite(value) and 1e-37 < abs(value) < 1e37


@tree.memoised
def _divides(node: Any) -> bool:
    return any(isinstance(n, (tree.Binary, tree.Assign)) and n.op in ("/", "/=") for n in tree.walk(node))
