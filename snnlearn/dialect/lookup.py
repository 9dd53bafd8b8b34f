"""What a word of the code means where it stands, and a record of what the code has used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from snnlearn.dialect.library import Function
from snnlearn.dialect.scope import Scope, Symbol
from snnlearn.dialect.source import Place, Source
from snnlearn.errors import DialectError, did_you_mean

_DEEPEST = 100  # levels of a tree: later stages walk it by recursion too


@dataclass(frozen=True)
class Local:
    """A local variable.

    Attributes
    ----------
    symbol : Symbol
        What it is; of a pointer, what it points to.
    id : str
        Its name in the tree.
    points_into : str, optional
        The array that it is a pointer into; in the tree it is the distance from the array's start.
    fixed : bool
        Whether it is a pointer that always points to the same element.
    """

    symbol: Symbol
    id: str
    points_into: str | None = None
    fixed: bool = False


class Lookup:
    """The names within reach at a point of one code string.

    `blocks` are what the enclosing blocks have brought along, innermost last: local variables, and what
    ``for_each_synapse`` declares. They hide what is declared for the whole code.
    """

    def __init__(self, scope: Scope, source: Source, outer: Mapping[str, Local]) -> None:
        self.scope = scope
        self.source = source
        self.blocks: list[dict[str, Local | Symbol]] = [dict(outer), {}]
        self.looping = False  # whether this is in the body of a for_each_synapse
        self.depth = 0
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.delayed: set[str] = set()
        self.calls: set[str] = set()

    # ---- where ----

    def error(self, node: Any, message: str) -> DialectError:
        """Return an error that points at a piece of code."""
        return self.source.error_at(message, self.offset(node))

    def offset(self, node: Any) -> int:
        """Return where in the text a piece of code starts."""
        if isinstance(node, c_ast.CompoundLiteral):
            return self.offset(node.init)  # pycparser 2 does not know where it starts itself
        at = self.source.offset(node.coord.line, node.coord.column)
        if isinstance(node, c_ast.InitList):  # which starts at its first item
            return self.source.text.rfind("{", 0, at + 1)
        return self.source.text.find("{", at) if isinstance(node, c_ast.Compound) else at  # or only its line

    def place(self, node: Any) -> Place:
        """Return where a piece of code starts."""
        return Place(self.source, self.offset(node))

    def go_down(self, node: Any) -> None:
        """Count a level of nesting; the caller counts it off behind it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(node, f"the code is nested more than {_DEEPEST} levels deep")

    # ---- what ----

    def find(self, node: Any) -> Local | Symbol:
        """Return what a name means here: a local variable, or something declared."""
        for block in reversed(self.blocks):
            if node.name in block:
                return block[node.name]
        symbol = self.scope.symbols.get(node.name)
        if symbol is None:
            loop = self.scope.loop
            if loop is not None and node.name in loop.symbols:
                raise self.error(node, f"'{node.name}' has a value only inside 'for_each_synapse'")
            known = [*self.scope.symbols, *(name for block in self.blocks for name in block)]
            raise self.error(node, f"unknown name '{node.name}'{did_you_mean(node.name, known)}")
        return symbol

    def use(self, node: Any, *, writing: bool = False, reading: bool = True) -> tuple[str, Symbol]:
        """Return a name's name in the tree and what it means, and note its use if it is declared."""
        found = self.find(node)
        if isinstance(found, Local):
            return found.id, found.symbol
        if reading and not found.readable:
            raise self.error(node, f"'{node.name}' can only be assigned to, with '=': it is {found}")
        if reading:
            self.reads.add(node.name)
        if writing:
            self.writes.add(node.name)
        return node.name, found

    def add_local(self, name: str, symbol: Symbol) -> Local:
        """Note a local variable of the innermost block.

        Later stages look names up without knowing of blocks, so one that hides something declared is called
        something else in the tree: what no code can say itself.
        """
        loop = self.scope.loop
        hides = name in self.scope.symbols or (loop is not None and name in loop.symbols)
        local = Local(symbol, f"{name}.local" if hides else name)
        self.blocks[-1][name] = local
        return local

    @property
    def functions(self) -> dict[str, Function]:
        """What can be called here."""
        loop = self.scope.loop
        return self.scope.functions | dict(loop.actions if loop is not None and self.looping else {})
