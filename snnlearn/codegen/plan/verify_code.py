"""The code of a kernel against what the kernel has: every name stands for something of the type that the code takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snnlearn.codegen.plan.checks import CHECK
from snnlearn.codegen.plan.deferral import LinearForm
from snnlearn.codegen.plan.domains import Columns, Diagonals, Neurons, Once, Rows
from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Accumulate, Code, Flag, OnSpike, Part, SavePreviousSpikeTime
from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.dialect.library import MATHS, MESSAGES, RANDOM
from snnlearn.errors import PlanError

_BOOL = value_type("bool")
_PAIR = frozenset(["id_pre", "id_post", "id_syn"])
_OF_ALL = frozenset(["t", "dt", "batch"])


def verify_body(kernel: Kernel, plan: Plan) -> None:
    """Check the parts of a kernel's body, in their order; of its matrix form the names, which meet in any precision.

    Raises
    ------
    PlanError
        Names the kernel, the code and the name.
    """
    _Body(kernel, plan).verify()


class _Body:
    def __init__(self, kernel: Kernel, plan: Plan) -> None:
        self.kernel, self.plan = kernel, plan
        self.arrays = plan.arrays_by_name
        self.known: dict[str, ValueType] = {c.name: c.type for c in kernel.constants}
        self.known |= {x.name: x.type for x in kernel.loads} | {v.name: v.type for v in kernel.inputs}
        self.built_in = kernel.uses & (_OF_ALL | _numbered(kernel))
        self.fixed = {c.name for c in kernel.constants} | {x.name for x in kernel.loads if not (x.store or x.direct)}
        self.flags: set[str] = set()
        self.typed = True
        self.outermost: dict[str, ValueType] = {}  # locals of code that shares them

    def verify(self) -> None:
        for name in sorted(self.kernel.uses - self.built_in - {"num_batch"}):
            raise PlanError(f"{self.kernel.name}: its loop has no {name}")
        for part in self.kernel.body:
            self._part(part)
        form = self.kernel.deferral.linear if self.kernel.deferral is not None else None
        if form is not None:
            self.known |= _of_form(form)
            self.fixed, self.typed = set(), False
            for code in form.codes:
                self.code(code)

    def _part(self, part: Part) -> None:
        if isinstance(part, Code):
            self.code(part)
        elif isinstance(part, Flag):
            self.code(part.condition)
            self.known[part.name] = _BOOL
            self.flags.add(part.name)
            self.fixed.add(part.name)
        elif isinstance(part, SavePreviousSpikeTime):
            self._stored(part.before, "a time")
            if self._type(part.last, "a time") != self._type(part.before, "a time"):
                raise PlanError(f"{self.kernel.name}: {part.last} and {part.before} are times of two types")
        else:
            self._on_spike(part)

    def _on_spike(self, part: OnSpike) -> None:
        for code in (part.condition, *part.before, *part.reset):
            self.code(code)
        if part.unless is not None and part.unless not in self.flags:
            raise PlanError(f"{self.kernel.name}: no flag {part.unless} comes before the spike that it forbids")
        if part.time is not None:
            self._stored(part.time, "the time of a spike")
            if self._type(part.time, "the time of a spike") != self.plan.timepoint:
                raise PlanError(f"{self.kernel.name}: {part.time} has not the type of times")

    def _type(self, name: str, what: str) -> ValueType:
        if name not in self.known:
            raise PlanError(f"{self.kernel.name}: {what} has the name {name}, which nothing has given a value")
        return self.known[name]

    def _stored(self, name: str, what: str) -> None:
        self._type(name, what)
        if name in self.fixed:
            raise PlanError(f"{self.kernel.name} assigns to {name}, {what}, and never stores it")

    def code(self, code: Code) -> None:
        """Check one piece of code."""
        for action in code.actions.values():
            if isinstance(action, Accumulate) and action.index is None:
                inputs = {v.name for v in self.kernel.inputs}
                if action.target not in inputs:
                    raise PlanError(f"{self.kernel.name}: {code.title} adds to {action.target}, which is no input")
        scopes: list[dict[str, ValueType]] = [self.outermost]
        _Names(self, code, scopes).visit(code.tree, opens=code.scoped)


class _Names:
    """Goes through one tree with the local variables that are visible."""

    def __init__(self, body: _Body, code: Code, scopes: list[dict[str, ValueType]]) -> None:
        self.body, self.code, self.scopes = body, code, scopes

    def visit(self, node: Any, *, opens: bool = True) -> None:
        if isinstance(node, tuple):
            for item in node:
                self.visit(item)
        elif isinstance(node, (tree.Block, tree.For)) and opens:
            self.scopes.append({})
            self.visit_children(node)
            self.scopes.pop()
        elif node is not None:
            self.visit_children(node)

    def visit_children(self, node: Any) -> None:
        if isinstance(node, tree.Declare):
            self.visit(node.value)
            self.scopes[-1][node.name] = node.type
            return
        if isinstance(node, tree.Name):
            self.same(node.id, self.meaning(node.id), node.type)
        elif isinstance(node, tree.Index):
            self.element(node)
        elif isinstance(node, tree.Call):
            self.call(node)
        elif isinstance(node, (tree.Assign, tree.Step)) and isinstance(node.target, tree.Name):
            self.assigned(node.target.id)
        for child in tree.children(node):
            self.visit(child)

    def fault(self, what: str) -> PlanError:
        return PlanError(f"{self.body.kernel.name}: {self.code.title} {what}")

    def local(self, name: str) -> ValueType | None:
        inner = self.scopes[1:] if self.code.scoped else self.scopes
        return next((scope[name] for scope in reversed(inner) if name in scope), None)

    def meaning(self, name: str) -> ValueType | None:
        """Return the type of what a name stands for; None for what every loop has."""
        found = self.local(name)
        if found is not None:
            return found
        target = self.code.names.get(name)
        if target is None and name in self.body.outermost:
            return self.body.outermost[name]
        if target in self.body.built_in:
            return None
        if target not in self.body.known:
            raise self.fault(f"mentions '{name}', which stands for {target or 'nothing'}: that has no value there")
        return self.body.known[target]

    def same(self, name: str, found: ValueType | None, wanted: ValueType) -> None:
        if self.body.typed and found is not None and found != wanted:
            raise self.fault(f"takes '{name}' for a {wanted.name}, and it is a {found.name}")

    def element(self, node: tree.Index) -> None:
        past = self.code.names.get(f"{node.array}[]")
        name = past or self.code.names.get(node.array)
        if name is None or name not in self.body.arrays:
            raise self.fault(f"indexes '{node.array}', which is no array")
        reads = self.body.kernel.past if past is not None else self.body.kernel.arrays
        if name not in reads:
            raise self.fault(f"indexes {name}, of which the kernel does not know")
        self.same(node.array, self.body.arrays[name].type, node.type)

    def assigned(self, name: str) -> None:
        target = self.code.names.get(name)
        if self.local(name) is None and (target in self.body.fixed or target in self.body.built_in):
            raise self.fault(f"assigns to '{name}', {target}, which nothing stores")

    def call(self, node: tree.Call) -> None:
        function = node.function
        if function in self.code.actions or function in MATHS or function in MESSAGES or function.startswith(CHECK):
            return
        if function not in RANDOM:
            raise self.fault(f"calls {function}, which means nothing there")
        if self.body.kernel.stream is None:
            raise self.fault(f"calls {function}, and the kernel has no stream of random numbers")


def _numbered(kernel: Kernel) -> frozenset[str]:
    """Return what the loop of a kernel has numbers for."""
    if isinstance(kernel.domain, Neurons):
        return frozenset(["id"])
    if isinstance(kernel.domain, Once):
        return frozenset()
    if isinstance(kernel.domain, (Rows, Columns, Diagonals)):
        return _PAIR | {"id_diag"}
    return _PAIR


def _of_form(form: LinearForm) -> Mapping[str, ValueType]:
    """Return the variables of a matrix form."""
    items: list[Iterable[Any]] = [form.invariant, form.per_column, form.responses, form.sums]
    if form.silent is not None:
        items += [form.silent.start, form.silent.per_column]
    return {item.name: item.type for group in items for item in group}
