"""Arrays, and pointers into them: each stands for a declared array and a distance from its start.

No pointer survives the check. A local pointer becomes a local whole number, its distance, and whatever it points to
becomes an element of the array, so that later stages need not know and a code cannot leave what it was given.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from snnlearn.declare.types import ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.dialect.lookup import Local, Lookup
from snnlearn.dialect.scope import Symbol
from snnlearn.errors import DialectError

_INT, _DISTANCE = value_type("int"), value_type("int64_t")
_STEPS = ("++", "--", "p++", "p--")


@dataclass(frozen=True)
class Pointer:
    """Into which array, what that is here, and how many elements from its start; None is the start itself."""

    array: str
    symbol: Symbol
    distance: tree.Expr | None


class Pointers(Lookup):
    """Reads what points into arrays."""

    pure = False  # whether nothing may be assigned to

    @abstractmethod
    def value(self, node: Any) -> tree.Expr:
        """Read an expression that must have a value."""

    @abstractmethod
    def type_of(self, node: Any) -> ValueType:
        """Read the name of a type."""

    def is_pointer(self, node: Any) -> bool:
        """Whether an expression points into an array."""
        if isinstance(node, c_ast.ID):
            found = self.find(node) if node.name not in ("true", "false") else None
            return found.points_into is not None if isinstance(found, Local) else found is not None and found.array
        if isinstance(node, c_ast.BinaryOp) and node.op in ("+", "-"):
            parts = [node.left, node.right]
        else:
            parts = [node.expr] if isinstance(node, c_ast.UnaryOp) and node.op in _STEPS else []
        self.go_down(node)
        answer = any(self.is_pointer(part) for part in parts)
        self.depth -= 1
        return answer

    def pointer(self, node: Any) -> Pointer:
        """Read an expression that points into an array."""
        if isinstance(node, c_ast.ID):
            found = self.find(node)
            if isinstance(found, Symbol):
                return Pointer(node.name, found, None)
            assert found.points_into is not None
            return Pointer(found.points_into, found.symbol, tree.Name(found.id, _DISTANCE))
        if isinstance(node, c_ast.UnaryOp):
            before = self.pointer(node.expr)
            return Pointer(before.array, before.symbol, self.step_pointer(node))
        swapped = node.op == "+" and not self.is_pointer(node.left)
        start, by = (node.right, node.left) if swapped else (node.left, node.right)
        if self.is_pointer(by) or not self.is_pointer(start):
            raise self.error(node, "of pointers, only one and a whole number can be added or subtracted")
        before = self.pointer(start)
        return Pointer(before.array, before.symbol, self._moved(before.distance, node.op, self.whole(by)))

    def _moved(self, distance: tree.Expr | None, op: str, by: tree.Expr) -> tree.Expr:
        if distance is None and op == "+":
            return by
        start = distance or tree.Literal("0", _INT)
        if start.type.rank < _DISTANCE.rank:  # or the sum might be one of unsigned numbers, which are never below 0
            start = tree.Cast(start, _DISTANCE)
        return tree.Binary(op, start, by, max(by.type, _DISTANCE, key=lambda t: t.rank))

    def whole(self, node: Any) -> tree.Expr:
        """Read an index."""
        index = self.value(node)
        if index.type.kind == "float":
            raise self.error(node, f"an index must be an integer, not {index.type.name}")
        return index

    def read_only(self, node: Any, symbol: Symbol) -> DialectError:
        """Return an error for an assignment to what must not change."""
        if symbol.array and symbol.writable:
            return self.error(node, f"'{node.name}' is an array: only its elements change, as in {node.name}[0] = 1")
        return self.error(node, f"'{node.name}' is read-only here: it is {symbol}")

    # ---- elements ----

    def element(self, node: Any, *, writing: bool = False, reading: bool = True) -> tree.Index:
        """Read ``array[index]``, ``*pointer`` or, of a variable, ``V[delay]``."""
        array, at = (node.name, node.subscript) if isinstance(node, c_ast.ArrayRef) else (node.expr, None)
        if not self.is_pointer(array):
            return self._delayed(array, at, writing=writing)
        where = self.pointer(array)
        if writing and not where.symbol.writable:
            raise self.error(array, f"'{where.array}' is read-only here: it is {where.symbol}")
        self.reads.update([where.array] if reading else [])
        self.writes.update([where.array] if writing else [])
        index = where.distance or tree.Literal("0", _INT)
        if at is not None:
            index = self._moved(where.distance, "+", self.whole(at))
        return tree.Index(where.array, index, where.symbol.type)

    def _delayed(self, name: Any, at: Any, *, writing: bool) -> tree.Index:
        """Read a variable as it was some timesteps ago."""
        if not isinstance(name, c_ast.ID):
            raise self.error(name, "only a declared array can be indexed")
        found = self.find(name)
        symbol = found if isinstance(found, Symbol) else found.symbol
        if not symbol.indexable:
            raise self.error(name, f"'{name.name}' is {symbol}, not an array")
        if writing:
            raise self.error(name, f"'{name.name}' is read-only here: it is {symbol}")
        self.use(name)
        self.delayed.add(name.name)
        delay = self.value(at)
        if delay.type.kind == "float":
            raise self.error(at, f"a delay in timesteps must be an integer, not {delay.type.name}")
        return tree.Index(name.name, delay, symbol.type)

    def is_element(self, node: Any) -> bool:
        """Whether this is ``array[index]``, or ``*pointer``."""
        if isinstance(node, c_ast.ArrayRef):
            return True
        return isinstance(node, c_ast.UnaryOp) and node.op == "*" and self.is_pointer(node.expr)

    # ---- local pointers ----

    def declare_pointer(self, node: Any) -> tree.Declare:
        """Read ``type *name = pointer``: a local variable for the distance from the array's start."""
        if not isinstance(node.type.type, c_ast.TypeDecl):
            raise self.error(node, "there are no pointers to pointers in the dialect")
        if node.init is None or not self.is_pointer(node.init):
            raise self.error(node, f"'{node.name}' must point into an array from the start")
        where, vtype = self.pointer(node.init), self.type_of(node.type.type)
        if vtype != where.symbol.type:
            of = where.symbol.type.name
            raise self.error(node, f"'{node.name}' points to {vtype.name}, but '{where.array}' is an array of {of}")
        writable, fixed = "const" not in node.type.type.quals, "const" in node.type.quals
        symbol = Symbol(where.symbol.what, vtype, where.symbol.writable and writable, array=True)
        local = Local(symbol, f"{node.name}.at", points_into=where.array, fixed=fixed)
        self.blocks[-1][node.name] = local
        return tree.Declare(local.id, _DISTANCE, fixed, where.distance or tree.Literal("0", _INT))

    def assign_pointer(self, node: Any) -> tree.Assign:
        """Read an assignment to a local pointer."""
        target = self._movable(node.lvalue)
        if node.op in ("+=", "-="):
            return tree.Assign(node.op, target, self.whole(node.rvalue), _DISTANCE)
        if node.op != "=":
            raise self.error(node.lvalue, f"a pointer has no '{node.op}'")
        into = self.pointer(node.lvalue).array
        if not self.is_pointer(node.rvalue) or (where := self.pointer(node.rvalue)).array != into:
            raise self.error(node.rvalue, f"'{node.lvalue.name}' points into '{into}', and can point into nothing else")
        return tree.Assign("=", target, where.distance or tree.Literal("0", _INT), _DISTANCE)

    def step_pointer(self, node: Any) -> tree.Step:
        """Read ``pointer++`` and the like."""
        if self.pure:
            raise self.error(node, f"'{node.op[-2:]}' changes a variable, which this code must not")
        return tree.Step(node.op[-2:], not node.op.startswith("p"), self._movable(node.expr), _DISTANCE)

    def _movable(self, node: Any) -> tree.Name:
        if not isinstance(node, c_ast.ID):
            raise self.error(node, "only a local pointer can be moved")
        found = self.find(node)
        if isinstance(found, Symbol):
            raise self.read_only(node, found)
        if found.fixed:
            raise self.error(node, f"'{node.name}' is read-only here: it is a const pointer")
        return tree.Name(found.id, _DISTANCE)
