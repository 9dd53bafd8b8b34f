"""From pycparser's expressions to our typed ones, checking every name, type and assignment on the way."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from pycparser import c_ast

from snnlearn.declare.types import ValueType, value_type
from snnlearn.dialect import tree
from snnlearn.dialect.algebra import common_type
from snnlearn.dialect.constants import division_fault
from snnlearn.dialect.formats import conversions, unescape
from snnlearn.dialect.library import Function, result_type
from snnlearn.dialect.pointers import Pointers
from snnlearn.dialect.scope import Symbol
from snnlearn.dialect.tokens import FLOATING, INTEGER
from snnlearn.errors import DeclarationError, DialectError, did_you_mean

_BOOL, _INT = value_type("bool"), value_type("int")
_INTEGERS = tuple(value_type(name) for name in ("int", "unsigned int", "int64_t", "uint64_t"))  # of literals
_MOST_DIGITS = 20  # that a decimal number of 64 bits has
_BY_SUFFIX = {"": value_type("scalar"), "f": value_type("float"), "d": value_type("double")}
_COMPARISONS = frozenset(["<", ">", "<=", ">=", "==", "!=", "&&", "||"])
_INTEGER_ONLY = frozenset(["%", "<<", ">>", "&", "|", "^"])
# What pycparser calls things that the dialect does not have.
_FOREIGN = {
    "CompoundLiteral": "there are no lists of values in the dialect",
    "InitList": "there are no lists of values in the dialect",
    "Label": "there are no labels in the dialect",
    "Case": "'case' outside a switch",
    "Default": "'default' outside a switch",
    "Compound": "a block has no value in the dialect",
}


class Expressions(Pointers):
    """Reads expressions."""

    def value(self, node: Any) -> tree.Expr:
        """Read an expression that must have a value."""
        expr = self.expression(node)
        if expr.type.name == "void":
            raise self.error(node, "this gives no value")
        return expr

    def expression(self, node: Any) -> tree.Expr:
        """Read an expression, which may be called for its effect only."""
        handler = getattr(self, f"_on_{type(node).__name__.lower()}", None)
        if handler is None:
            raise self.foreign(node)
        self.go_down(node)
        result: tree.Expr = tree.placed(handler(node), self.place(node))
        self.depth -= 1
        return result

    def _on_constant(self, node: Any) -> tree.Expr:
        if node.value.endswith('"'):
            raise self.error(node, "a text can only be the first argument of printf")
        # As written: the parser has not seen GeNN's suffix 'd'.
        at = self.offset(node)
        floating, integer = FLOATING.match(self.source.text, at), INTEGER.match(self.source.text, at)
        if floating:
            if math.isinf(float(floating[1])):
                raise self.error(node, f"{_shortened(floating[0])} is too large for a number")
            return tree.Literal(floating[1], _BY_SUFFIX[floating[2].lower()])
        assert integer is not None
        return tree.Literal(integer[1], self.integer_type(node, integer))

    def integer_type(self, node: Any, spelt: re.Match[str]) -> ValueType:
        """Return the first of C's types for an integer literal that holds it."""
        digits, unsigned = spelt[1], bool(spelt[2])
        hexadecimal = digits[:2] in ("0x", "0X")
        # Python reads no more than a few thousand decimal digits, and no type holds as many.
        number = int(digits, 16) if hexadecimal else int(digits) if len(digits) <= _MOST_DIGITS else 2**64
        for vtype in _INTEGERS:
            of_kind = vtype.name.startswith("u") if unsigned else hexadecimal or not vtype.name.startswith("u")
            if of_kind and number <= np.iinfo(vtype.dtype).max:
                return vtype
        hint = "add a 'u', or write it" if number < 2**64 else "write it"
        raise self.error(node, f"{_shortened(spelt[0])} is too large for an integer; {hint} with a '.0'")

    def _on_id(self, node: Any) -> tree.Expr:
        if node.name in ("true", "false"):
            return tree.Literal(node.name, _BOOL)
        if self.is_pointer(node):
            raise self.error(node, f"'{node.name}' is an array: index it, as in {node.name}[0]")
        name, symbol = self.use(node)
        return tree.Name(name, symbol.type)

    def target(self, node: Any, *, reading: bool) -> tree.Name | tree.Index:
        """Read what is assigned to."""
        if self.is_element(node):
            element = self.element(node, writing=True, reading=reading)
            return tree.Index(element.array, element.index, element.type, at=self.place(node))
        if not isinstance(node, c_ast.ID):
            raise self.error(node, "only a variable can be assigned to")
        if isinstance(found := self.find(node), Symbol) and (found.array or not found.writable):
            raise self.read_only(node, found)
        name, symbol = self.use(node, writing=True, reading=reading)
        if not symbol.writable:
            raise self.read_only(node, symbol)
        return tree.Name(name, symbol.type)

    def _on_assignment(self, node: Any) -> tree.Expr:
        if self.pure:
            hint = "; to compare, write '=='" if node.op == "=" else ""
            at = self.source.text.find(node.op, self.offset(node.lvalue))
            raise self.source.error_at(f"'{node.op}' changes a variable, which this code must not{hint}", at)
        if self.is_pointer(node.lvalue):
            return self.assign_pointer(node)
        value = self.value(node.rvalue)
        target = self.target(node.lvalue, reading=node.op != "=")
        if node.op[:-1] in _INTEGER_ONLY:
            self.need_integers(node.op, (node.lvalue, target), (node.rvalue, value))
        self.refuse_division(node.rvalue, node.op[:-1], target, value)
        return tree.Assign(node.op, target, value, target.type)

    def _on_exprlist(self, node: Any) -> tree.Expr:
        if self.pure:
            raise self.error(node.exprs[1], "expected one expression, not several")
        parts = (*(self.expression(part) for part in node.exprs[:-1]), self.value(node.exprs[-1]))
        return tree.Comma(parts, parts[-1].type)

    def _on_unaryop(self, node: Any) -> tree.Expr:
        if node.op in ("p++", "p--", "++", "--"):
            if self.pure:
                raise self.error(node, f"'{node.op[-2:]}' changes a variable, which this code must not")
            if self.is_pointer(node.expr):
                return self.step_pointer(node)
            target = self.target(node.expr, reading=True)
            return tree.Step(node.op[-2:], not node.op.startswith("p"), target, target.type)
        if self.is_element(node):
            return self.element(node)
        if node.op not in ("-", "+", "!", "~"):
            at = self.source.text.rfind(node.op, 0, self.offset(node.expr))
            hint = "it needs a pointer into an array" if node.op == "*" else "there are no addresses in the dialect"
            raise self.source.error_at(f"no such '{node.op}' here: {hint}", at)
        operand = self.value(node.expr)
        if node.op == "~":
            self.need_integers("~", (node.expr, operand))
        if node.op == "!":
            return tree.Unary("!", operand, _BOOL)
        return tree.Unary(node.op, operand, common_type(operand.type))

    def _on_binaryop(self, node: Any) -> tree.Expr:
        left, right = self.value(node.left), self.value(node.right)
        if node.op in _COMPARISONS:
            return tree.Binary(node.op, left, right, _BOOL)
        if node.op in _INTEGER_ONLY:
            self.need_integers(node.op, (node.left, left), (node.right, right))
        self.refuse_division(node.right, node.op, left, right)
        types = (left.type,) if node.op in ("<<", ">>") else (left.type, right.type)
        return tree.Binary(node.op, left, right, common_type(*types))

    def refuse_division(self, divisor: Any, op: str, left: tree.Expr, right: tree.Expr) -> None:
        """Refuse a division of integers that is known to have no result."""
        fault = division_fault(op, left, right)
        if fault:
            raise self.error(divisor, fault)

    def need_integers(self, op: str, *operands: tuple[Any, tree.Expr]) -> None:
        """Refuse operands that are not whole numbers."""
        for node, operand in operands:
            if operand.type.kind == "float":
                hint = "; for a remainder use fmod" if op[0] == "%" else ""
                raise self.error(node, f"'{op}' needs integers, not {operand.type.name}{hint}")

    def _on_ternaryop(self, node: Any) -> tree.Expr:
        condition, then, other = self.value(node.cond), self.value(node.iftrue), self.value(node.iffalse)
        vtype = then.type if then.type == other.type else common_type(then.type, other.type)
        return tree.Ternary(condition, then, other, vtype)

    def _on_cast(self, node: Any) -> tree.Expr:
        if not isinstance(node.to_type.type, c_ast.TypeDecl):
            raise self.error(node, "there are no casts to pointers and arrays in the dialect")
        return tree.Cast(self.value(node.expr), self.type_of(node.to_type.type))

    def _on_arrayref(self, node: Any) -> tree.Expr:
        return self.element(node)

    def _on_funccall(self, node: Any) -> tree.Expr:
        if not isinstance(node.name, c_ast.ID):
            raise self.error(node, "only a named function can be called")
        functions, name = self.functions, node.name.name
        if name not in functions:
            loop = self.scope.loop
            if loop is not None and name in loop.actions:
                raise self.error(node, f"{name} can only be called inside 'for_each_synapse'")
            raise self.error(node, f"unknown function '{name}'{did_you_mean(name, functions)}")
        given = list(node.args.exprs) if node.args else []
        if not functions[name].takes(len(given)):
            raise self.error(node, f"{name} takes {functions[name].wanted} argument(s), not {len(given)}")
        self.calls.add(name)
        if name == "printf":
            return self.printing(given, functions[name])
        args = tuple(self.value(arg) for arg in given)
        return tree.Call(name, args, result_type(functions[name], tuple(a.type for a in args)))

    def printing(self, given: list[Any], function: Function) -> tree.Call:
        """Read a call of ``printf``; its arguments are cast to what the format says that they are."""
        text = given[0]
        if not isinstance(text, c_ast.Constant) or not text.value.startswith('"'):
            raise self.error(text, 'printf needs a text first, such as "%d\\n"')
        value = unescape(text.value)
        try:
            types = conversions(value)
        except ValueError as error:
            raise self.error(text, str(error)) from None
        if len(types) != len(given) - 1:
            raise self.error(text, f"this text prints {len(types)} value(s), but printf is given {len(given) - 1}")
        args = [tree.Text(value), *(self.printed(a, t) for a, t in zip(given[1:], types, strict=True))]
        return tree.Call("printf", tuple(args), result_type(function, ()))

    def printed(self, node: Any, vtype: ValueType) -> tree.Expr:
        """Read a value to print as this type."""
        value = self.value(node)
        if (value.type.kind == "float") != (vtype.kind == "float"):
            right = "%f, %g or %e" if value.type.kind == "float" else "%d or %u"
            raise self.error(node, f"this is of type {value.type.name}: print it with {right}")
        return value if value.type == vtype else tree.Cast(value, vtype)

    def type_of(self, node: Any) -> ValueType:
        """Read the name of a type."""
        if node.type.names == ["timepoint"]:
            return self.scope.timepoint
        try:
            return value_type(" ".join(node.type.names))
        except DeclarationError as error:
            raise self.error(node.type, str(error)) from None

    def foreign(self, node: Any) -> DialectError:
        """Return an error for what the dialect does not have."""
        kind = type(node).__name__
        return self.error(node, _FOREIGN.get(kind, f"{kind} is not part of the dialect"))


def _shortened(literal: str) -> str:
    return literal if len(literal) <= _MOST_DIGITS + 1 else f"{literal[:_MOST_DIGITS]}…"
