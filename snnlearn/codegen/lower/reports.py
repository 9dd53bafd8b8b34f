"""What generated code can report: whether it can report anything is a property of its nest."""

from __future__ import annotations

from typing import Any

from snnlearn.codegen.lower.expressions import Check, Scope
from snnlearn.codegen.lower.nest import Function, Unit, codes_of
from snnlearn.codegen.plan.checks import CHECK
from snnlearn.codegen.plan.parts import Accumulate, AddSynapse, Code
from snnlearn.declare import ValueType
from snnlearn.dialect import tree


def can_report(unit: Unit) -> bool:
    """Whether a unit can report an error or a warning."""
    functions = [part for part in unit.parts if isinstance(part, Function)]
    return any(isinstance(c, Check) or _code_reports(c.code, c.scope) for f in functions for c in codes_of(f))


def needs_fit(given: ValueType, to: ValueType, scalar: str) -> bool:
    """Whether a number of one type may be beyond the range of another, guarded one, and has to be looked at."""
    return to.kind != "float" or (_ctype(to, scalar), _ctype(given, scalar)) == ("float", "double")


def _ctype(vtype: ValueType, scalar: str) -> str:
    return scalar if vtype.name == "scalar" else vtype.name


def _code_reports(code: Code, scope: Scope) -> bool:
    return any(_reports(node, code, scope) for node in _suspects(code.tree))


@tree.memoised
def _suspects(code: Any) -> tuple[Any, ...]:
    """Return what of a tree might report, depending on what its names mean."""
    kinds = (tree.Call, tree.Index, tree.Assign, tree.Step)
    return tuple([n for n in tree.walk(code) if isinstance(n, kinds)])


def _reports(node: Any, code: Code, scope: Scope) -> bool:
    if isinstance(node, tree.Call):
        action = code.actions.get(node.function)
        if isinstance(action, AddSynapse):
            values = zip(node.args[1:], action.values, strict=True)
            return any(needs_fit(arg.type, scope.arrays[value.array].type, scope.scalar) for arg, value in values)
        checked = node.function == "assert" or node.function.startswith(CHECK)
        return checked if action is None else isinstance(action, Accumulate) and action.delayed
    if isinstance(node, tree.Index):
        return f"{node.array}[]" in code.names
    if isinstance(node, tree.Assign):
        return _guarded(node.target, code, scope) and needs_fit(node.value.type, node.type, scope.scalar)
    return isinstance(node, tree.Step) and node.type.kind == "int" and _guarded(node.target, code, scope)


def _guarded(target: tree.Expr, code: Code, scope: Scope) -> bool:
    return isinstance(target, tree.Name) and code.names.get(target.id) in scope.guards
