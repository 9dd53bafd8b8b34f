"""The typed syntax tree: plain frozen values, which stages downstream may print, compare and rewrite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, wraps
from typing import Any, TypeVar, Union

from snnlearn.declare.types import ValueType
from snnlearn.dialect.source import Place

Result = TypeVar("Result")
_MAX_MEMOISED = 4096  # trees


@dataclass(frozen=True)
class Node:
    """What all nodes have: where the code that they come from is, which neither equality nor `repr` looks at."""

    at: Place | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Literal(Node):
    """A number as written, without a suffix."""

    text: str
    type: ValueType


TEXT = ValueType("text", "int", -1, "")  # of no value that code could compute with
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", '"': '\\"', "?": "\\?"}


@dataclass(frozen=True)
class Text(Node):
    """The format of a ``printf``; ``value`` holds the characters that it stands for."""

    value: str

    @property
    def type(self) -> ValueType:
        """A type that nothing else has."""
        return TEXT

    @property
    def quoted(self) -> str:
        """The text as a literal of C."""
        return f'"{"".join(_ESCAPES.get(c, c) for c in self.value)}"'


@dataclass(frozen=True)
class Name(Node):
    """A declared name or a local variable; no local variable has the name of something declared."""

    id: str
    type: ValueType


@dataclass(frozen=True)
class Unary(Node):
    """``op operand`` for ``+ - ! ~``."""

    op: str
    operand: Expr
    type: ValueType


@dataclass(frozen=True)
class Binary(Node):
    """``left op right``."""

    op: str
    left: Expr
    right: Expr
    type: ValueType


@dataclass(frozen=True)
class Ternary(Node):
    """``condition ? then : other``."""

    condition: Expr
    then: Expr
    other: Expr
    type: ValueType


@dataclass(frozen=True)
class Call(Node):
    """A function of the library, or an action such as ``addToPost``."""

    function: str
    args: tuple[Expr, ...]
    type: ValueType


@dataclass(frozen=True)
class Index(Node):
    """An element of an array, or a variable's value of ``index`` timesteps ago (see `Snippet.delayed`)."""

    array: str
    index: Expr
    type: ValueType


@dataclass(frozen=True)
class Cast(Node):
    """``(type)operand``."""

    operand: Expr
    type: ValueType


@dataclass(frozen=True)
class Assign(Node):
    """``target op value`` for ``=`` and the compound assignments."""

    op: str
    target: Name | Index
    value: Expr
    type: ValueType


@dataclass(frozen=True)
class Step(Node):
    """``++target``, ``target++`` and their decrements."""

    op: str
    prefix: bool
    target: Name | Index
    type: ValueType


@dataclass(frozen=True)
class Comma(Node):
    """``first, second, ...``: the last one's value."""

    parts: tuple[Expr, ...]
    type: ValueType


Expr = Union[Literal, Text, Name, Unary, Binary, Ternary, Call, Index, Cast, Assign, Step, Comma]


@dataclass(frozen=True)
class Declare(Node):
    """``[const] type name [= value];``."""

    name: str
    type: ValueType
    const: bool
    value: Expr | None


@dataclass(frozen=True)
class Evaluate(Node):
    """An expression for its effect."""

    value: Expr


@dataclass(frozen=True)
class If(Node):
    """``if (condition) then else other``."""

    condition: Expr
    then: Block
    other: Block | None


@dataclass(frozen=True)
class For(Node):
    """``for (start; condition; step) body``; ``start`` holds declarations of one type, or one expression."""

    start: tuple[Declare | Evaluate, ...]
    condition: Expr | None
    step: Expr | None
    body: Block


@dataclass(frozen=True)
class While(Node):
    """``while (condition) body``, or ``do body while (condition);`` where ``test_last``."""

    condition: Expr
    body: Block
    test_last: bool


@dataclass(frozen=True)
class ForEachSynapse(Node):
    """``for_each_synapse body``: once for each synapse of a row, or of a diagonal."""

    body: Block


@dataclass(frozen=True)
class Jump(Node):
    """``break;`` or ``continue;``."""

    word: str


@dataclass(frozen=True)
class Case(Node):
    """``case label:`` (``default:`` without a label) and what follows it; runs on into the next case, as in C."""

    label: Expr | None
    body: Block


@dataclass(frozen=True)
class Switch(Node):
    """``switch (value) { cases }``."""

    value: Expr
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Block(Node):
    """``{ statements }``."""

    statements: tuple[Statement, ...]


Statement = Union[Declare, Evaluate, If, For, While, ForEachSynapse, Switch, Jump, Block]


@dataclass(frozen=True)
class Snippet:
    """A checked code string.

    Attributes
    ----------
    tree : Block or expression
        What it says.
    reads, writes : frozenset of str
        The declared names it may read and assign to, arrays with them; locals are not among them.
    calls : frozenset of str
        The functions and actions it calls.
    delayed : frozenset of str
        The variables it reads as ``V[delay]``, as they were ``delay`` timesteps ago; all are in ``reads`` too.
    """

    tree: Block | Expr
    reads: frozenset[str]
    writes: frozenset[str]
    calls: frozenset[str]
    delayed: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every declared name it mentions."""
        return self.reads | self.writes


def rewrite(node: Any, change: Any) -> Any:
    """Return the tree with ``change(node)`` applied to every node, children first.

    Parameters
    ----------
    node : a node of the tree, or a tuple of nodes
    change : function
        Takes a node whose children have been rewritten and returns its replacement (or the node itself).
    """
    if isinstance(node, tuple):
        items = tuple(rewrite(item, change) for item in node)
        return items if any(new is not old for new, old in zip(items, node, strict=True)) else node
    if node is None:
        return node
    kind: Any = type(node)
    changed = {}
    for name in _child_names(kind):
        old = getattr(node, name)
        new = rewrite(old, change)
        if new is not old:
            changed[name] = new
    return change(replace(node, **changed) if changed else node)


_PLAIN = frozenset(["str", "bool", "ValueType"])  # types of fields that hold no node


@cache
def _child_names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.compare and f.type not in _PLAIN)


def substitute(node: Any, values: Mapping[str, Expr]) -> Any:
    """Return the tree with an expression for each name of a mapping; arrays keep their names.

    A name that is assigned to can only become another name.
    """

    def change(found: Any) -> Any:
        return values.get(found.id, found) if isinstance(found, Name) else found

    return rewrite(node, change) if values else node


def placed(node: Any, at: Place) -> Any:
    """Return a node that its caller has just made, now with its place, unless it has one."""
    if node.at is None:
        object.__setattr__(node, "at", at)
    return node


def walk(node: Any) -> Iterator[Any]:
    """Yield every node of a tree, in no particular order."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif item is not None:
            yield item
            waiting.extend(children(item))


def children(node: Any) -> tuple[Any, ...]:
    """Return what a node has that may be a node, or a tuple of nodes."""
    kind: Any = type(node)
    return tuple(getattr(node, name) for name in _child_names(kind))


def memoised(function: Callable[[Any], Result]) -> Callable[[Any], Result]:
    """Have a function of a tree look at each tree once: many groups of one model share its very trees.

    Trees are told apart by identity; to compare them would take as long as to walk through them.
    """
    known: dict[int, tuple[Any, Result]] = {}

    @wraps(function)
    def look(node: Any) -> Result:
        found = known.get(id(node))
        if found is None or found[0] is not node:
            if len(known) >= _MAX_MEMOISED:
                known.clear()
            found = known[id(node)] = node, function(node)
        return found[1]

    return look


@memoised
def calls_in(node: Any) -> frozenset[str]:
    """Return every function and action that a tree calls."""
    return frozenset(n.function for n in walk(node) if isinstance(n, Call))


@memoised
def floats_in(node: Any) -> tuple[Literal, ...]:
    """Return the floating-point numbers that a tree has, as written."""
    return tuple(n for n in walk(node) if isinstance(n, Literal) and n.type.kind == "float")


@memoised
def names_in(node: Any) -> frozenset[str]:
    """Return every name that a tree mentions, declared or local."""
    found: set[str] = set()
    for n in walk(node):
        if isinstance(n, Name):
            found.add(n.id)
        elif isinstance(n, Index):
            found.add(n.array)
        elif isinstance(n, Declare):
            found.add(n.name)
    return frozenset(found)
