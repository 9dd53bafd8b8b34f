"""Loop nests as data: what a schedule makes of a plan's kernels, and what printers print.

A `Function` has statements, which have expressions (`codegen.lower.expressions`). All are frozen values: they can be
printed, compared and verified. The code of users is a statement (`Run`) or an expression (`Value`), with the tree that
the check stage has made of it: places, and so carets, stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Union

from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Binary,
    Check,
    Expr,
    Memory,
    Num,
    Operand,
    Scope,
    Slot,
    State,
    Text,
    Value,
    Var,
    expr,
)
from snnlearn.codegen.plan.parts import Code

# ---- statements ----


@dataclass(frozen=True, slots=True)
class Let:
    """``[const] type name = value;``; without a value undefined, and not constant; ``known``: compilers know it."""

    name: str
    type: str
    value: Expr | None = None
    const: bool = True
    known: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A pointer into memory, or into a local array: ``[const] type *[__restrict__] const name = start;``."""

    name: str
    type: str  # of the elements
    start: Expr
    writes: bool = False
    restrict: bool = True


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for a variable: ``type &name = target;``."""

    name: str
    type: str
    target: Expr


@dataclass(frozen=True, slots=True)
class Room:
    """A local array, which the function, or on a GPU its block of threads (``shared``), has for itself."""

    name: str
    type: str
    shape: tuple[int | str, ...]  # numbers, or names of constants that compilers know
    aligned: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Scratch:
    """What a block of threads has in its own memory while the function runs: arrays, or numbers, each a `Member`."""

    name: str
    rooms: tuple[Room, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """``target op value;``; ``atomic``: other threads may do so to the same element."""

    target: Expr
    value: Expr
    op: str = "="
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Do:
    """An expression for its effect."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Draws:
    """The generator of random numbers of an element: ``random``, for the code that follows.

    Attributes
    ----------
    stream : int
    index : Expr
        Of the element.
    more : tuple of Expr
        What the numbers depend on besides; of ``each_step``, the words made ahead.
    each_step : bool
        Whether it belongs to a neuron's timestep (``StepRandom``).
    """

    stream: int
    index: Expr
    more: tuple[Expr, ...] = ()
    each_step: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """``for (type name = begin; condition; name += step)``, with what compilers may or must do as hints.

    Attributes
    ----------
    name, type
        Of the loop's variable.
    begin : Expr or None
        None where the variable is there already.
    condition : Expr
    body : tuple of statements
    step : Expr
        What is added; of a loop that counts down (``down``: ``for (name = begin; name-- > 0;)``) no matter.
    hints : tuple of str
        ``"independent"``: no two passes touch one element. ``"no unroll"``, ``"unroll"``, ``"unroll 8"``.
    """

    name: str
    type: str
    begin: Expr | None
    condition: Expr
    body: Body
    step: Expr
    hints: tuple[str, ...] = ()
    down: bool = False


@dataclass(frozen=True, slots=True)
class If:
    """``if (condition) then else other``."""

    condition: Expr
    then: Body
    other: Body = ()


@dataclass(frozen=True, slots=True)
class Block:
    """``{ statements }``: names in it end with it."""

    body: Body


@dataclass(frozen=True, slots=True)
class Jump:
    """``break``, ``continue`` or ``return``."""

    word: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A line for the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class Unused:
    """Names that the code need not use."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closure:
    """A function within a function, which sees its names."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy so many elements; the source is None for zeros."""

    target: Expr
    source: Expr | None
    count: Expr
    sized: Expr | str  # what an element is as large as: ``*pointer``, or a type


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Ask for memory of the next timestep: ``count`` elements, ``distance`` behind a pointer, or before (``-``)."""

    pointer: Expr
    sign: str
    distance: Expr
    count: Expr
    writes: bool


@dataclass(frozen=True, slots=True)
class Fence:
    """What compilers must not move code across; with a name, they must have its value here."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Barrier:
    """All threads of a block wait for one another."""


@dataclass(frozen=True, slots=True)
class Run:
    """Statements of a user's."""

    code: Code
    scope: Scope


Statement = Union[
    Let, View, Alias, Room, Scratch, Assign, Do, Draws, For, If, Block, Jump, Comment, Unused, Closure, Copy, Prefetch,
    Fence, Barrier, Run,
]  # fmt: skip
Body = tuple[Statement, ...]


# ---- functions ----


@dataclass(frozen=True, slots=True)
class Parameter:
    """A function's parameter; with a shape, a pointer to rows of so many: ``type (*name)[WIDTH]``."""

    name: str
    type: str
    shape: tuple[int | str, ...] = ()
    const: bool = False
    restrict: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the program; its first parameter is the simulation.

    Attributes
    ----------
    name, title : str
    parameters : tuple of Parameter
    body : tuple of statements
    widths : tuple of str
        Numbers that compilers know, a copy of the function for each.
    inline : bool or None
        Whether compilers should, or must not (False), make it part of what calls it.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    body: Body
    widths: tuple[str, ...] = ()
    inline: bool | None = None
    constant: bool = False  # whether it leaves the simulation as it is


@dataclass(frozen=True, slots=True)
class Global:
    """An array of the program's own, beside those of the plan."""

    name: str
    type: str
    size: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a schedule makes of a kernel: functions, and what they have in common."""

    name: str
    parts: tuple[Global | Function, ...]

    @property
    def alone(self) -> bool:
        """Whether it is one function, which has nothing in common with another."""
        return len(self.parts) == 1


_BYTES = {"double": 8, "int64_t": 8, "uint64_t": 8, "size_t": 8, "int16_t": 2, "uint16_t": 2} | dict.fromkeys(
    ("int8_t", "uint8_t", "bool"), 1
)


def scratch_bytes(unit: Unit) -> int:
    """Return how many bytes of its own memory a block needs for a unit's functions, which declare it in no loop."""
    bodies = [part.body for part in unit.parts if isinstance(part, Function)]
    return max((_size_of(s) for body in bodies for s in body if isinstance(s, Scratch)), default=0)


def _size_of(scratch: Scratch) -> int:
    end = 0
    for room in scratch.rooms:
        width = _BYTES.get(room.type, 4)
        end = -(-end // width) * width + width * math.prod(int(n) for n in room.shape)
    return end


# ---- loops in the usual forms ----


def loop(name: str, end: Operand, *body: Statement | Body, begin: Operand = 0, step: Operand = 1, **more: Any) -> For:
    """Return ``for (unsigned int name = begin; name < end; name += step)``; ``type=SIZE`` for large ones."""
    vtype = more.pop("type", UINT)
    start = Num(begin, vtype if vtype == SIZE else UINT) if isinstance(begin, int) else begin
    return For(name, vtype, start, Binary("<", Var(name, vtype), expr(end)), flat(body), expr(step), **more)


def flat(parts: tuple[Statement | Body, ...]) -> Body:
    """Return statements and tuples of statements as one tuple."""
    found: list[Statement] = []
    for part in parts:
        if isinstance(part, tuple):
            found.extend(part)
        else:
            found.append(part)
    return tuple(found)


def walk(node: Any) -> Iterator[Any]:
    """Yield a statement, expression, function or tuple of these, and all within it; not the trees of users' code."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        kind: Any = type(item)
        if kind is tuple:
            waiting.extend(item)
        elif (names := _parts(kind)) is not None:
            yield item
            waiting.extend([getattr(item, name) for name in names])


_LEAVES = frozenset([Var, Num, Memory, Text, State, Slot, Comment, Unused, Barrier, Jump, str, type(None)])


def codes_of(function: Function) -> tuple[Run | Value | Check, ...]:
    """Return all code of users in a function, and all checks."""
    found: list[Any] = []
    waiting: list[Any] = [function.body]
    while waiting:
        item = waiting.pop()
        kind: Any = type(item)
        if kind is tuple:
            waiting.extend(item)
        elif kind is Run or kind is Value:
            found.append(item)
        elif kind not in _LEAVES:
            if kind is Check:
                found.append(item)
            waiting.extend([getattr(item, name) for name in _parts(kind) or ()])
    return tuple(found)


@cache
def _parts(kind: Any) -> tuple[str, ...] | None:
    """Return the names of what may have statements or expressions in it; None of what is neither."""
    if not hasattr(kind, "__dataclass_fields__"):
        return None
    return tuple(f.name for f in fields(kind) if any(word in str(f.type) for word in ("Expr", "Body", "Function")))
