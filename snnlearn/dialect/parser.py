"""From pycparser's syntax tree to our typed one, checking every name, type and assignment on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycparser import c_ast

from snnlearn.declare.types import TYPE_NAMES, ValueType, value_type
from snnlearn.dialect import syntax, tree
from snnlearn.dialect.library import result_type
from snnlearn.dialect.scope import Scope, Symbol
from snnlearn.dialect.source import Source
from snnlearn.dialect.tokens import FLOATING, INTEGER
from snnlearn.errors import DeclarationError, DialectError, did_you_mean

_BOOL, _INT, _UINT = value_type("bool"), value_type("int"), value_type("unsigned int")
_BY_SUFFIX = {"": value_type("scalar"), "f": value_type("float"), "d": value_type("double")}
_COMPARISONS = frozenset(["<", ">", "<=", ">=", "==", "!=", "&&", "||"])
_INTEGER_ONLY = frozenset(["%", "<<", ">>", "&", "|", "^"])
_DEEPEST = 100  # levels of a tree: later stages walk it by recursion too
# What pycparser calls things that the dialect does not have.
_FOREIGN = {
    "CompoundLiteral": "there are no lists of values in the dialect",
    "InitList": "there are no lists of values in the dialect",
    "Label": "there are no labels in the dialect",
    "Case": "'case' outside a switch",
    "Default": "'default' outside a switch",
    "Compound": "a block has no value in the dialect",
}


def parse_code(
    text: str, scope: Scope, origin: str, *, expression: bool = False, outer: dict[str, Symbol] | None = None
) -> tuple[tree.Snippet, dict[str, Symbol]]:
    """Check a code string and return it as a typed tree.

    Parameters
    ----------
    text : str
        Statements, or one expression where ``expression`` is set.
    scope : Scope
        The declared names and actions it may use.
    origin : str
        Where it comes from, for messages.
    outer : dict, optional
        Local variables of a code string that runs before it in the same place.

    Returns
    -------
    snippet : Snippet
    local_variables : dict
        Its local variables of the outermost level, with ``outer``.

    Raises
    ------
    DialectError
        For anything outside the dialect; shows the line and a caret.
    """
    reader = _Reader(scope, Source(text, origin), dict(outer or {}), pure=expression)
    node: tree.Block | tree.Expr
    if expression:
        node = reader.value(syntax.parse_expression(reader.source))
    else:
        node = tree.Block(reader.statements(syntax.parse_statements(reader.source)))
    snippet = tree.Snippet(node, frozenset(reader.reads), frozenset(reader.writes), frozenset(reader.calls))
    return snippet, reader.blocks[0] | reader.blocks[1]


class _Reader:
    """Walks one code string; `blocks` are the local variables of the enclosing blocks, innermost last.

    Where `pure` is set, nothing may be assigned to.
    """

    def __init__(self, scope: Scope, source: Source, outer: dict[str, Symbol], *, pure: bool) -> None:
        self.scope = scope
        self.source = source
        self.pure = pure
        self.blocks: list[dict[str, Symbol]] = [outer, {}]
        self.jumps: list[frozenset[str]] = [frozenset()]  # which are allowed, innermost last
        self.depth = 0
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.calls: set[str] = set()

    def error(self, node: Any, message: str) -> DialectError:
        return self.source.error_at(message, self.offset(node))

    def offset(self, node: Any) -> int:
        """Return where in the text a piece of code starts."""
        if isinstance(node, c_ast.CompoundLiteral):
            return self.offset(node.init)  # pycparser 2 does not know where it starts itself
        at = self.source.offset(node.coord.line, node.coord.column)
        if isinstance(node, c_ast.InitList):  # which starts at its first item
            return self.source.text.rfind("{", 0, at + 1)
        return self.source.text.find("{", at) if isinstance(node, c_ast.Compound) else at  # or only its line

    def foreign(self, node: Any) -> DialectError:
        kind = type(node).__name__
        return self.error(node, _FOREIGN.get(kind, f"{kind} is not part of the dialect"))

    def go_down(self, node: Any) -> None:
        """Count a level of nesting; the caller counts it off behind it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(node, f"the code is nested more than {_DEEPEST} levels deep")

    # ---- statements ----

    def statements(self, nodes: Sequence[Any]) -> tuple[tree.Statement, ...]:
        return tuple(s for node in nodes for s in self.statement(node))

    def statement(self, node: Any) -> tuple[tree.Statement, ...]:
        handler = getattr(self, f"_do_{type(node).__name__.lower()}", None)
        if handler is not None:
            result: tuple[tree.Statement, ...] = handler(node)
            return result
        return (tree.Evaluate(self.expression(node)),)

    def block(self, *nodes: Any) -> tree.Block:
        """Read statements with local variables of their own."""
        if len(nodes) == 1 and isinstance(nodes[0], c_ast.Compound):
            nodes = tuple(nodes[0].block_items or [])
        self.blocks.append({})
        if nodes:
            self.go_down(nodes[0])
            statements = self.statements(nodes)
            self.depth -= 1
        else:
            statements = ()
        self.blocks.pop()
        return tree.Block(statements)

    def _do_compound(self, node: Any) -> tuple[tree.Statement, ...]:
        return (self.block(node),)

    def _do_emptystatement(self, node: Any) -> tuple[tree.Statement, ...]:
        return ()

    def _do_decl(self, node: Any) -> tuple[tree.Statement, ...]:
        return (self.declaration(node),)

    def _do_if(self, node: Any) -> tuple[tree.Statement, ...]:
        condition = self.value(node.cond)
        other = self.block(node.iffalse) if node.iffalse is not None else None
        return (tree.If(condition, self.block(node.iftrue), other),)

    def _do_for(self, node: Any) -> tuple[tree.Statement, ...]:
        self.blocks.append({})
        if node.init is None:
            start: tuple[tree.Declare | tree.Evaluate, ...] = ()
        elif isinstance(node.init, c_ast.DeclList):
            start = tuple(self.declaration(d) for d in node.init.decls)
        else:
            start = (tree.Evaluate(self.expression(node.init)),)
        condition = self.value(node.cond) if node.cond is not None else None
        step = self.expression(node.next) if node.next is not None else None
        body = self.loop_body(node.stmt)
        self.blocks.pop()
        return (tree.For(start, condition, step, body),)

    def _do_while(self, node: Any) -> tuple[tree.Statement, ...]:
        return (tree.While(self.value(node.cond), self.loop_body(node.stmt), test_last=False),)

    def _do_dowhile(self, node: Any) -> tuple[tree.Statement, ...]:
        body = self.loop_body(node.stmt)
        return (tree.While(self.value(node.cond), body, test_last=True),)

    def loop_body(self, node: Any) -> tree.Block:
        self.jumps.append(frozenset(["break", "continue"]))
        body = self.block(node)
        self.jumps.pop()
        return body

    def jump(self, node: Any, word: str) -> tuple[tree.Statement, ...]:
        if word not in self.jumps[-1]:
            raise self.error(node, f"'{word}' outside a loop{' or switch' if word == 'break' else ''}")
        return (tree.Jump(word),)

    def _do_switch(self, node: Any) -> tuple[tree.Statement, ...]:
        value = self.value(node.cond)
        if value.type.kind == "float":
            raise self.error(node.cond, f"'switch' needs an integer, not {value.type.name}")
        self.jumps.append(self.jumps[-1] | {"break"})
        seen: set[int | None] = set()
        items = (node.stmt.block_items or []) if isinstance(node.stmt, c_ast.Compound) else [node.stmt]
        cases = tuple(self.case(item, value.type, seen) for item in items)
        self.jumps.pop()
        return (tree.Switch(value, cases),)

    def case(self, node: Any, vtype: ValueType, seen: set[int | None]) -> tree.Case:
        """Read one case of a switch over a value of this type, and add its number to those seen."""
        if not isinstance(node, (c_ast.Case, c_ast.Default)):
            raise self.error(node, "expected 'case' or 'default'")
        label = self.value(node.expr) if isinstance(node, c_ast.Case) else None
        number = _constant(label) if label is not None else None
        if label is not None and number is None:
            raise self.error(node.expr, "a case needs a whole number")
        limits = np.iinfo(_common(vtype).dtype)
        if number is not None and not limits.min <= number <= limits.max:
            raise self.error(node.expr, f"a value of type {vtype.name} is never {number}")
        if number in seen:
            raise self.error(node, "this case is in the switch twice")
        seen.add(number)
        return tree.Case(label, self.block(*(node.stmts or [])))

    def _do_break(self, node: Any) -> tuple[tree.Statement, ...]:
        return self.jump(node, "break")

    def _do_continue(self, node: Any) -> tuple[tree.Statement, ...]:
        return self.jump(node, "continue")

    def declaration(self, node: Any) -> tree.Declare:
        if not isinstance(node.type, c_ast.TypeDecl) or node.name is None:
            raise self.error(node, "there are no local arrays, pointers and functions in the dialect")
        if node.name in TYPE_NAMES or node.name in ("true", "false"):
            raise self.error(node, f"'{node.name}' is a word of the language; choose another name")
        if node.name in self.blocks[-1]:
            raise self.error(node, f"'{node.name}' is declared twice in this block")
        if node.name in self.scope.symbols:
            raise self.error(
                node, f"'{node.name}' is already {self.scope.symbols[node.name]} here; choose another name"
            )
        vtype = self.type_of(node.type)
        value = self.value(node.init) if node.init is not None else None
        const = "const" in node.quals
        if const and value is None:
            raise self.error(node, f"'{node.name}' is const but has no value")
        self.blocks[-1][node.name] = Symbol("const local variable" if const else "local variable", vtype, not const)
        return tree.Declare(node.name, vtype, const, value)

    def type_of(self, node: Any) -> ValueType:
        try:
            return value_type(" ".join(node.type.names))
        except DeclarationError as error:
            raise self.error(node.type, str(error)) from None

    # ---- expressions ----

    def value(self, node: Any) -> tree.Expr:
        """Read an expression that must have a value."""
        expr = self.expression(node)
        if expr.type.name == "void":
            raise self.error(node, "this gives no value")
        return expr

    def expression(self, node: Any) -> tree.Expr:
        handler = getattr(self, f"_on_{type(node).__name__.lower()}", None)
        if handler is None:
            raise self.foreign(node)
        self.go_down(node)
        result: tree.Expr = handler(node)
        self.depth -= 1
        return result

    def _on_constant(self, node: Any) -> tree.Expr:
        # As written: the parser has not seen GeNN's suffix 'd'.
        at = self.offset(node)
        floating, integer = FLOATING.match(self.source.text, at), INTEGER.match(self.source.text, at)
        if floating:
            if math.isinf(float(floating[1])):
                raise self.error(node, f"{floating[0]} is too large for a number")
            return tree.Literal(floating[1], _BY_SUFFIX[floating[2].lower()])
        assert integer is not None
        number, unsigned = int(integer[1], 0), bool(integer[2])
        if number > 0xFFFFFFFF or (number > 0x7FFFFFFF and not unsigned and integer[1][:2] not in ("0x", "0X")):
            hint = "add a 'u', or write it with a '.0'" if number <= 0xFFFFFFFF else "write it with a '.0'"
            raise self.error(node, f"{integer[0]} is too large for an integer; {hint}")
        return tree.Literal(integer[1], _UINT if unsigned or number > 0x7FFFFFFF else _INT)

    def _on_id(self, node: Any) -> tree.Expr:
        if node.name in ("true", "false"):
            return tree.Literal(node.name, _BOOL)
        symbol = self.look_up(node)
        if symbol.array:
            raise self.error(node, f"'{node.name}' is an array: index it, as in {node.name}[0]")
        return tree.Name(node.name, symbol.type)

    def look_up(self, node: Any, *, writing: bool = False, reading: bool = True) -> Symbol:
        for block in reversed(self.blocks):
            if node.name in block:
                return block[node.name]
        symbol = self.scope.symbols.get(node.name)
        if symbol is None:
            known = [*self.scope.symbols, *(name for block in self.blocks for name in block)]
            raise self.error(node, f"unknown name '{node.name}'{did_you_mean(node.name, known)}")
        if reading:
            self.reads.add(node.name)
        if writing:
            self.writes.add(node.name)
        return symbol

    def target(self, node: Any, *, reading: bool) -> tree.Name:
        """Read what is assigned to."""
        if isinstance(node, c_ast.ArrayRef):
            raise self.error(node, "extra global parameters are read-only")
        if not isinstance(node, c_ast.ID):
            raise self.error(node, "only a variable can be assigned to")
        symbol = self.look_up(node, writing=True, reading=reading)
        if symbol.array or not symbol.writable:
            raise self.error(node, f"'{node.name}' is read-only here: it is {symbol}")
        return tree.Name(node.name, symbol.type)

    def _on_assignment(self, node: Any) -> tree.Expr:
        if self.pure:
            hint = "; to compare, write '=='" if node.op == "=" else ""
            at = self.source.text.find(node.op, self.offset(node.lvalue))
            raise self.source.error_at(f"'{node.op}' changes a variable, which this code must not{hint}", at)
        value = self.value(node.rvalue)
        target = self.target(node.lvalue, reading=node.op != "=")
        if node.op[:-1] in _INTEGER_ONLY:
            self.need_integers(node.op, (node.lvalue, target), (node.rvalue, value))
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
            target = self.target(node.expr, reading=True)
            return tree.Step(node.op[-2:], not node.op.startswith("p"), target, target.type)
        if node.op not in ("-", "+", "!", "~"):
            at = self.source.text.rfind(node.op, 0, self.offset(node.expr))
            raise self.source.error_at(f"there are no pointers in the dialect, so no such '{node.op}'", at)
        operand = self.value(node.expr)
        if node.op == "~":
            self.need_integers("~", (node.expr, operand))
        if node.op == "!":
            return tree.Unary("!", operand, _BOOL)
        return tree.Unary(node.op, operand, _common(operand.type))

    def _on_binaryop(self, node: Any) -> tree.Expr:
        left, right = self.value(node.left), self.value(node.right)
        if node.op in _COMPARISONS:
            return tree.Binary(node.op, left, right, _BOOL)
        if node.op in _INTEGER_ONLY:
            self.need_integers(node.op, (node.left, left), (node.right, right))
        types = (left.type,) if node.op in ("<<", ">>") else (left.type, right.type)
        return tree.Binary(node.op, left, right, _common(*types))

    def need_integers(self, op: str, *operands: tuple[Any, tree.Expr]) -> None:
        for node, operand in operands:
            if operand.type.kind == "float":
                hint = "; for a remainder use fmod" if op[0] == "%" else ""
                raise self.error(node, f"'{op}' needs integers, not {operand.type.name}{hint}")

    def _on_ternaryop(self, node: Any) -> tree.Expr:
        condition, then, other = self.value(node.cond), self.value(node.iftrue), self.value(node.iffalse)
        vtype = then.type if then.type == other.type else _common(then.type, other.type)
        return tree.Ternary(condition, then, other, vtype)

    def _on_cast(self, node: Any) -> tree.Expr:
        if not isinstance(node.to_type.type, c_ast.TypeDecl):
            raise self.error(node, "there are no casts to pointers and arrays in the dialect")
        return tree.Cast(self.value(node.expr), self.type_of(node.to_type.type))

    def _on_arrayref(self, node: Any) -> tree.Expr:
        if not isinstance(node.name, c_ast.ID):
            raise self.error(node, "only a declared array can be indexed")
        symbol = self.look_up(node.name)
        if not symbol.array:
            raise self.error(node, f"'{node.name.name}' is {symbol}, not an array")
        index = self.value(node.subscript)
        if index.type.kind == "float":
            raise self.error(node.subscript, f"an index must be an integer, not {index.type.name}")
        return tree.Index(node.name.name, index, symbol.type)

    def _on_funccall(self, node: Any) -> tree.Expr:
        if not isinstance(node.name, c_ast.ID):
            raise self.error(node, "only a named function can be called")
        functions, name = self.scope.functions, node.name.name
        if name not in functions:
            raise self.error(node, f"unknown function '{name}'{did_you_mean(name, functions)}")
        args = tuple(self.value(arg) for arg in (node.args.exprs if node.args else []))
        if len(args) != functions[name].arity:
            raise self.error(node, f"{name} takes {functions[name].arity} argument(s), not {len(args)}")
        self.calls.add(name)
        return tree.Call(name, args, result_type(functions[name], tuple(a.type for a in args)))


def _common(*types: ValueType) -> ValueType:
    """Return the type in which operands of these types meet: the widest, at least ``int``."""
    return max(*types, _INT, key=lambda t: t.rank)


def _constant(label: tree.Expr) -> int | None:
    """Return a case's number; None if it is not one."""
    if isinstance(label, tree.Unary) and label.op == "-":
        number = _constant(label.operand)
        return -number if number is not None and label.operand.type == _INT else None
    if not isinstance(label, tree.Literal) or label.type.kind == "float":
        return None
    return int(label.text, 0) if label.type.kind == "int" else int(label.text == "true")
