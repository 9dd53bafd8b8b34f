"""From pycparser's syntax tree to our typed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycparser import c_ast

from snnlearn.declare.types import TYPE_NAMES, ValueType, value_type
from snnlearn.dialect import syntax, tree
from snnlearn.dialect.algebra import common_type
from snnlearn.dialect.expressions import Expressions
from snnlearn.dialect.lookup import Local
from snnlearn.dialect.scope import Scope, Symbol
from snnlearn.dialect.source import Source
from snnlearn.dialect.tokens import SYNAPSES

_SIGNED = (value_type("int"), value_type("int64_t"))
_MARKER = len("while(")  # how far behind its word the parser's stand-in for for_each_synapse has a name


def parse_code(
    text: str, scope: Scope, origin: str, *, expression: bool = False, outer: Mapping[str, Local] | None = None
) -> tuple[tree.Snippet, dict[str, Local]]:
    """Check a code string and return it as a typed tree.

    Parameters
    ----------
    text : str
        Statements, or one expression where ``expression`` is set.
    scope : Scope
        The declared names and actions it may use.
    origin : str
        Where it comes from, for messages.
    outer : mapping, optional
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
    reader = _Reader(scope, Source(text, origin), outer or {}, pure=expression)
    declared = scope.names
    node: tree.Block | tree.Expr
    if expression:
        node = reader.value(syntax.parse_expression(reader.source, declared))
    else:
        node = tree.Block(reader.statements(syntax.parse_statements(reader.source, declared)))
    used = (frozenset(names) for names in (reader.reads, reader.writes, reader.calls, reader.delayed))
    seen = {name: found for block in reader.blocks for name, found in block.items() if isinstance(found, Local)}
    return tree.Snippet(node, *used), seen


class _Reader(Expressions):
    """Walks the statements of one code string."""

    def __init__(self, scope: Scope, source: Source, outer: Mapping[str, Local], *, pure: bool) -> None:
        super().__init__(scope, source, outer)
        self.pure = pure
        self.jumps: list[frozenset[str]] = [frozenset()]  # which are allowed, innermost last

    def statements(self, nodes: Sequence[Any]) -> tuple[tree.Statement, ...]:
        return tuple(s for node in nodes for s in self.statement(node))

    def statement(self, node: Any) -> tuple[tree.Statement, ...]:
        handler = getattr(self, f"_do_{type(node).__name__.lower()}", None)
        if handler is None:
            return (tree.placed(tree.Evaluate(self.expression(node)), self.place(node)),)
        result: tuple[tree.Statement, ...] = handler(node)
        return tuple(tree.placed(s, self.place(node)) for s in result)

    def block(self, *nodes: Any, brought: Mapping[str, Symbol] | None = None) -> tree.Block:
        """Read statements with local variables of their own, in reach of what a loop has brought along."""
        if len(nodes) == 1 and isinstance(nodes[0], c_ast.Compound):
            nodes = tuple(nodes[0].block_items or [])
        self.blocks += [dict(brought or {}), {}]
        if nodes:
            self.go_down(nodes[0])
            statements = self.statements(nodes)
            self.depth -= 1
        else:
            statements = ()
        del self.blocks[-2:]
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
        if isinstance(node.cond, c_ast.ID) and node.cond.name == SYNAPSES:
            return (self.for_each_synapse(node),)
        return (tree.While(self.value(node.cond), self.loop_body(node.stmt), test_last=False),)

    def for_each_synapse(self, node: Any) -> tree.ForEachSynapse:
        """Read a loop over the synapses of a row, or of a diagonal."""
        loop = self.scope.loop
        if loop is None:
            raise self.error(node, "'for_each_synapse' has no meaning here: there are no synapses to go through")
        if self.looping:
            raise self.error(node, "a 'for_each_synapse' cannot be inside another")
        self.looping = True
        self.jumps.append(loop.jumps)
        body = self.block(node.stmt, brought=loop.symbols)
        self.jumps.pop()
        self.looping = False
        return tree.ForEachSynapse(body)

    def _do_dowhile(self, node: Any) -> tuple[tree.Statement, ...]:
        if isinstance(node.cond, c_ast.ID) and node.cond.name == SYNAPSES:
            at = self.offset(node.cond) - _MARKER
            raise self.source.error_at("expected 'while' before this 'for_each_synapse'", at)
        body = self.loop_body(node.stmt)
        return (tree.While(self.value(node.cond), body, test_last=True),)

    def loop_body(self, node: Any) -> tree.Block:
        self.jumps.append(frozenset(["break", "continue"]))
        body = self.block(node)
        self.jumps.pop()
        return body

    def jump(self, node: Any, word: str) -> tuple[tree.Statement, ...]:
        if word not in self.jumps[-1]:
            if self.looping:
                raise self.error(node, f"'for_each_synapse' cannot be left by '{word}' here")
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
        limits = np.iinfo(common_type(vtype).dtype)
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
        if not isinstance(node.type, (c_ast.TypeDecl, c_ast.PtrDecl)) or node.name is None:
            raise self.error(node, "there are no local arrays and functions in the dialect")
        if node.name in TYPE_NAMES or node.name in ("true", "false"):
            raise self.error(node, f"'{node.name}' is a word of the language; choose another name")
        if node.name in self.blocks[-1]:
            raise self.error(node, f"'{node.name}' is declared twice in this block")
        if isinstance(node.type, c_ast.PtrDecl):
            return self.declare_pointer(node)
        vtype = self.type_of(node.type)
        value = self.value(node.init) if node.init is not None else None
        const = "const" in node.quals
        if const and value is None:
            raise self.error(node, f"'{node.name}' is const but has no value")
        what = "const local variable" if const else "local variable"
        local = self.add_local(node.name, Symbol(what, vtype, writable=not const))
        return tree.Declare(local.id, vtype, const, value)


def _constant(label: tree.Expr) -> int | None:
    """Return a case's number; None if it is not one."""
    if isinstance(label, tree.Unary) and label.op == "-":
        number = _constant(label.operand)
        return -number if number is not None and label.operand.type in _SIGNED else None
    if not isinstance(label, tree.Literal) or label.type.kind == "float":
        return None
    return int(label.text, 0) if label.type.kind == "int" else int(label.text == "true")
