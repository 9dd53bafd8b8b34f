"""Expressions of loop nests: whatever has a value, put together with Python's operators: ``base[i * 4 + n]``.

A number is an ``unsigned int`` there. Types are names of C's: those of the dialect (``ValueType.ctype_for``) and
``size_t``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from snnlearn.codegen.plan.domains import Domain
from snnlearn.codegen.plan.parts import Array, Code, Index

UINT, SIZE, U64, BOOL = "unsigned int", "size_t", "uint64_t", "bool"
_RANKS = {t: n for n, t in enumerate([BOOL, "int", UINT, "int64_t", U64, SIZE, "float", "double"])}
_TRUTHS = frozenset(["<", "<=", ">", ">=", "==", "!=", "&&", "||"])


class Expr:
    """Whatever has a value; put together by operators, `equal`, `unequal`, `both` and `either`."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Binary:
        return Binary("+", self, expr(other))

    def __sub__(self, other: Operand) -> Binary:
        return Binary("-", self, expr(other))

    def __mul__(self, other: Operand) -> Binary:
        return Binary("*", self, expr(other))

    def __truediv__(self, other: Operand) -> Binary:
        return Binary("/", self, expr(other))

    def __mod__(self, other: Operand) -> Binary:
        return Binary("%", self, expr(other))

    def __lshift__(self, other: Operand) -> Binary:
        return Binary("<<", self, expr(other))

    def __rshift__(self, other: Operand) -> Binary:
        return Binary(">>", self, expr(other))

    def __and__(self, other: Operand) -> Binary:
        return Binary("&", self, expr(other))

    def __lt__(self, other: Operand) -> Binary:
        return Binary("<", self, expr(other))

    def __le__(self, other: Operand) -> Binary:
        return Binary("<=", self, expr(other))

    def __gt__(self, other: Operand) -> Binary:
        return Binary(">", self, expr(other))

    def __ge__(self, other: Operand) -> Binary:
        return Binary(">=", self, expr(other))

    def __getitem__(self, index: Operand) -> Element:
        return Element(self, expr(index))


Operand = Union[Expr, int]


def expr(value: Operand) -> Expr:
    """Return a whole number as an expression; an expression as it is."""
    return Num(value, UINT) if isinstance(value, int) else value


def equal(a: Operand, b: Operand) -> Binary:
    """Return ``a == b``."""
    return Binary("==", expr(a), expr(b))


def unequal(a: Operand, b: Operand) -> Binary:
    """Return ``a != b``."""
    return Binary("!=", expr(a), expr(b))


def both(a: Expr, b: Expr) -> Binary:
    """Return ``a && b``."""
    return Binary("&&", a, b)


def size(value: Operand) -> Cast:
    """Return a number as a ``size_t``: what indices into large arrays are computed with."""
    return Cast(SIZE, expr(value))


@dataclass(frozen=True, slots=True)
class Var(Expr):
    """A local name: a variable, constant, parameter or view of an array; its type is that of its elements, if any."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A number known when the nest is made."""

    value: float
    type: str


@dataclass(frozen=True, slots=True)
class Text(Expr):
    """A text for a report."""

    value: str
    type: str = "const char *"


@dataclass(frozen=True, slots=True)
class Memory(Expr):
    """Where an array of the plan begins; ``host``: the host's copy of it."""

    array: str
    type: str  # of its elements
    host: bool = False


@dataclass(frozen=True, slots=True)
class State(Expr):
    """What the simulation or a thread knows: ``timestep``, ``seed``, ``block_kept``; the index of a thread."""

    name: str
    type: str = U64


@dataclass(frozen=True, slots=True)
class Slot(Expr):
    """The number of a queue's newest slot."""

    queue: str
    type: str = UINT


@dataclass(frozen=True, slots=True)
class Member(Expr):
    """``base.name``: an array, or number, of a block's `Scratch`."""

    base: Expr
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Element(Expr):
    """``base[index]``."""

    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """``op operand`` for ``- ! ~ *  &``."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Step(Expr):
    """A counter steps: ``target++``, its value before; or ``--target``, its value after."""

    target: Expr
    down: bool = False


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """``left op right``."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Choose(Expr):
    """``condition ? then : other``."""

    condition: Expr
    then: Expr
    other: Expr


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """``type(operand)``."""

    type: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function of the run-time library or (``own``) of the program; ``at``: arguments that compilers know."""

    function: str
    args: tuple[Expr, ...] = ()
    type: str = "void"
    own: bool = False
    at: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Atomic(Expr):
    """What an element was before a number is added to it (``+``) or subtracted (``-``), while other threads do so."""

    op: str
    target: Expr
    value: Expr
    type: str = UINT


@dataclass(frozen=True, slots=True)
class Check(Expr):
    """Whether a condition holds; where it does not, a report of a kind (`codegen.reports`)."""

    condition: Expr
    kind: str
    where: Text
    numbers: tuple[Expr, ...] = ()
    type: str = BOOL


@dataclass(frozen=True, slots=True)
class Sum:
    """Where ``addToPost(x)`` and its like add to: an element, or a thread's own variable."""

    target: Expr
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What names and calls in the code of users stand for; one for all code of a kernel.

    Attributes
    ----------
    title : str
        The kernel's.
    scalar : str
        The type that ``scalar`` is.
    names : mapping of str to Expr
        Of the kernel's names, those that are no local variables: elements, indices.
    guards : mapping of str to str
        How the report begins of a number assigned to a variable whose type has no place for it.
    sums : mapping of (str, str) to Sum
        By the target and index of a plan's `Accumulate`; of delayed ones, by index: ``any_slot_…[slot + index]``.
    arrays : mapping of str to Array
        All of the plan.
    domain : Domain
        Of the kernel: what ``for_each_synapse`` goes through.
    """

    title: str
    scalar: str
    names: Mapping[str, Expr]
    guards: Mapping[str, str]
    sums: Mapping[tuple[str, Index], Sum]
    arrays: Mapping[str, Array]
    domain: Domain
    taken: frozenset[str] = frozenset()  # the kernel's names, which no local variable of the code has


@dataclass(frozen=True, slots=True)
class Value(Expr):
    """An expression of a user's."""

    code: Code
    scope: Scope


def type_of(e: Expr) -> str:
    """Return the C type of an expression; of a view or array, that of its elements."""
    if isinstance(e, Element):
        return type_of(e.base)
    if isinstance(e, Unary):
        return BOOL if e.op == "!" else type_of(e.operand)
    if isinstance(e, Step):
        return type_of(e.target)
    if isinstance(e, Binary):
        return BOOL if e.op in _TRUTHS else _wider(type_of(e.left), type_of(e.right))
    if isinstance(e, Choose):
        return _wider(type_of(e.then), type_of(e.other))
    if isinstance(e, Value):
        vtype = e.code.tree.type  # type: ignore[union-attr]
        return e.scope.scalar if vtype.name == "scalar" else vtype.name
    found: str = getattr(e, "type")  # noqa: B009
    return found


def _wider(a: str, b: str) -> str:
    return a if _RANKS.get(a, 1) >= _RANKS.get(b, 1) else b
