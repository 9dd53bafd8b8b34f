"""Checked builds: what code strings could do harm with is looked at before it is done.

That is an index into an array or a kernel, a number of elements to move or of spikes that there are to be, and, of
integers, a division or a shift. Each becomes a call, with the place in the code string as a text; of valid code the
results are the same. What checks need to know of arrays from outside, how many elements they have, is in arrays of one
element, which the host keeps up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Array, Code, Connect, Flag, OnSpike, Part, Transfer
from snnlearn.declare import value_type
from snnlearn.dialect import tree
from snnlearn.dialect.algebra import common_type
from snnlearn.errors import NetworkError
from snnlearn.network import Location

_INT, _COUNT, _WIDE = value_type("int"), value_type("uint64_t"), value_type("int64_t")
# The functions of compiled code, under names that no code string can have; see ``checks.h``.
CHECK = "check."
INDEX, MOVE = f"{CHECK}index", f"{CHECK}count"
OPERATIONS = {
    "/": f"{CHECK}divide",
    "%": f"{CHECK}remainder",
    "<<": f"{CHECK}shift_left",
    ">>": f"{CHECK}shift_right",
}
ASSIGNMENTS = {f"{op}=": f"{name}_assign" for op, name in OPERATIONS.items()}
_SAID = {
    "/": "an integer division without a result",
    "%": "an integer division without a result",
    "<<": "a shift by more bits than there are",
    ">>": "a shift by more bits than there are",
}


def with_checks(plan: Plan) -> Plan:
    """Return the plan of a checked build: the last thing that is made of it before it is emitted."""
    checks = _Checks(plan)
    changed = replace(
        plan,
        connect=checks.kernels(plan.connect),
        init=checks.kernels(plan.init),
        step=checks.kernels(plan.step),
        custom_updates={group: checks.operations(kernels) for group, kernels in plan.custom_updates.items()},
    )
    return replace(changed, arrays=(*plan.arrays, *checks.lengths.values()), checked=True)


def length_of(array: Array) -> Location:
    """Return where the number of elements of an array from outside is kept."""
    at = array.location
    return Location(at.group, "length", f"{at.space}.{at.name}")


class _Checks:
    """Changes kernels; collects the lengths of arrays that they need."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lengths: dict[str, Array] = {}
        self._names = Names()

    def operations(self, operations: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(self.kernel(k) if isinstance(k, Kernel) else k for k in operations)

    def kernels(self, kernels: Iterable[Kernel]) -> tuple[Kernel, ...]:
        return tuple(self.kernel(k) for k in kernels)

    def kernel(self, kernel: Kernel) -> Kernel:
        """Return a kernel whose code is checked; what is left of code in matrix form has nothing to check."""
        used: dict[str, None] = dict.fromkeys(kernel.arrays)
        counts = self._counts(kernel)
        body = tuple(self._part(part, used, counts) for part in kernel.body)
        return replace(kernel, body=body, arrays=tuple(used)) if body != kernel.body else kernel

    def _counts(self, kernel: Kernel) -> dict[str, int]:
        """Return the local copies of numbers of spikes that its code may set, and how many neurons there are."""
        found = {}
        for load in kernel.loads:
            at = self.plan.array(load.array).location
            if at.space != "spike_count" or not load.store:
                continue
            if load.how in ("sum", "max"):
                raise NetworkError(
                    f"{kernel.title}: a checked build cannot look at a reduction to a number of spikes; broadcast one"
                )
            spikes = next(a for a in self.plan.arrays if a.location == Location(at.group, "spikes"))
            assert spikes.size is not None
            found[load.name] = spikes.size
        return found

    def _part(self, part: Part, used: dict[str, None], counts: dict[str, int]) -> Part:
        def change(code: Code) -> Code:
            return _CodeChecks(self, code, used, counts).checked()

        if isinstance(part, Code):
            return change(part)
        if isinstance(part, Flag):
            return replace(part, condition=change(part.condition))
        if isinstance(part, OnSpike):
            before, reset = (tuple(map(change, codes)) for codes in (part.before, part.reset))
            return replace(part, condition=change(part.condition), before=before, reset=reset)
        return part

    def length(self, array: Array) -> Array:
        """Return the array that holds another's number of elements."""
        if array.name not in self.lengths:
            name = self._names.unique(f"length_of_{array.name}", prefix="")
            self.lengths[array.name] = Array(name, length_of(array), _COUNT, 1)
        return self.lengths[array.name]


class _CodeChecks:
    """Changes one piece of code."""

    def __init__(self, checks: _Checks, code: Code, used: dict[str, None], counts: dict[str, int]) -> None:
        self.checks, self.code, self.used, self.counts = checks, code, used, counts
        self.names = dict(code.names)

    def checked(self) -> Code:
        changed = tree.rewrite(self.code.tree, self._change)
        return self.code if changed is self.code.tree else replace(self.code, tree=changed, names=self.names)

    def _change(self, node: Any) -> Any:
        if isinstance(node, tree.Index) and f"{node.array}[]" not in self.names:
            return replace(node, index=self._index(node, self._length(self.names[node.array])))
        if isinstance(node, tree.Binary) and node.op in OPERATIONS and node.type.kind == "int":
            where = self._where(node, _SAID[node.op])
            return tree.Call(OPERATIONS[node.op], (node.left, node.right, where), node.type, at=node.at)
        if isinstance(node, (tree.Assign, tree.Step)) and isinstance(node.target, tree.Name):
            neurons = self.counts.get(self.names.get(node.target.id, ""))
            if neurons is not None:
                return self._count(node, neurons)
        if isinstance(node, tree.Assign) and node.op in ASSIGNMENTS:
            return self._assignment(node)
        if isinstance(node, tree.Call):
            return self._call(node)
        return node

    def _index(self, node: tree.Index, length: tree.Expr) -> tree.Expr:
        where = self._where(node, f"an index beyond the end of '{node.array}'")

        def checked(index: tree.Expr) -> tree.Expr:
            if isinstance(index, tree.Ternary) and _is_zero(index.other):
                # Where a condition guards an element, the first stands for it elsewhere; each array has room for one.
                return replace(index, then=checked(index.then))
            return tree.Call(INDEX, (index, length, where), index.type)

        return checked(node.index)

    def _assignment(self, node: tree.Assign) -> tree.Expr:
        op = node.op[:-1]
        vtype = common_type(node.target.type, *(() if op in ("<<", ">>") else (node.value.type,)))
        if vtype.kind == "float":
            return node
        where = self._where(node, _SAID[op])
        if isinstance(node.target, tree.Name):
            value = tree.Call(OPERATIONS[op], (node.target, node.value, where), vtype)
            return tree.Assign("=", node.target, value, node.type, at=node.at)
        # Its index may have an effect, which must not come twice: the function works on the element.
        return tree.Call(ASSIGNMENTS[node.op], (node.target, node.value, where), node.type, at=node.at)

    def _count(self, node: tree.Assign | tree.Step, neurons: int) -> tree.Assign:
        """Return an assignment to a number of spikes: at most one for each neuron."""
        where = self._where(node, "more spikes than there are neurons")
        if isinstance(node, tree.Step):
            value: tree.Expr = tree.Binary(node.op[0], node.target, tree.Literal("1", _INT), node.type)
        elif node.op == "=":
            value = node.value
        else:
            value = tree.Binary(node.op[:-1], node.target, node.value, common_type(node.type, node.value.type))
            value = self._change(value)
        count = _whole(value)
        checked = tree.Call(MOVE, (count, tree.Literal(str(neurons), _COUNT), where), count.type)
        return tree.Assign("=", node.target, checked, node.type, at=node.at)

    def _call(self, node: tree.Call) -> tree.Call:
        action = self.code.actions.get(node.function)
        if isinstance(action, Connect) and action.kernel:
            where = self._where(node, "an index beyond the end of the kernel")
            indices = [
                tree.Call(INDEX, (_whole(arg), tree.Literal(str(size), _INT), where), _whole(arg).type)
                for arg, size in zip(node.args[1:], action.kernel, strict=False)
            ]
            return replace(node, args=(node.args[0], *indices, *node.args[1 + len(indices) :]))
        if isinstance(action, Transfer) and node.args:
            array = self.checks.plan.array(action.array)
            if array.size is None:
                where = self._where(node, f"more elements than '{array.location.name}' has")
                count = _whole(node.args[0])
                return replace(node, args=(tree.Call(MOVE, (count, self._length(array.name), where), count.type),))
        return node

    def _length(self, name: str) -> tree.Expr:
        """Return how many elements an array has."""
        array = self.checks.plan.array(name)
        total = array.total(self.checks.plan.batch_size)
        if total is not None:
            return tree.Literal(str(total), _COUNT)
        length = self.checks.length(array).name
        self.used[length] = None
        self.names[length] = length
        return tree.Index(length, tree.Literal("0", _INT), _COUNT)

    def _where(self, node: Any, message: str) -> tree.Text:
        """Return the head of a report: what is wrong, where, with the line and a caret; numbers follow."""
        text = f"{self.code.title}: {message}" if node.at is None else str(node.at.error(message))
        return tree.Text("".join(c if c.isascii() else "?" for c in text) + "\n    ")


def _is_zero(e: tree.Expr) -> bool:
    return isinstance(e, tree.Literal) and e.text == "0"


def _whole(e: tree.Expr) -> tree.Expr:
    """Return a number as one that can be compared with integers before it is cut off."""
    return tree.Cast(e, _WIDE) if e.type.kind == "float" else e
