"""Functions that differ in nothing but names and numbers become one, which runs with a table of arguments.

A network of many populations and connections has as many kernels, most of them alike. To compile each on its own would
take the compiler most of its time. Two functions are alike if a printer puts out the same pieces for both, but for the
holes (`clike.pieces`), in which they may have

- other names for what is declared within them, each for the same name throughout,
- other memory of the simulation, with elements of the same type,
- other numbers of the same type, and other texts.

One function is left of those, the first; what differs otherwise than by a local name is a field of its arguments. The
numbers are the same, only known later: nothing is computed otherwise, but for calls of maths functions that a compiler
would have computed itself. Where there could be any, constants must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from snnlearn.codegen.clike.pieces import ARRAY, COMMENT, LOCAL, NUMBER, TEXT, Hole, Piece, text_of
from snnlearn.codegen.plan.checks import CHECK
from snnlearn.dialect import tree

# Functions that are rounded exactly: a compiler and a processor agree.
_EXACT = {
    "sqrt", "fabs", "abs", "min", "max", "fmin", "fmax", "floor", "ceil",
    "round", "rint", "trunc", "nearbyint", "printf", "assert",
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """A function as a printer puts it out.

    Attributes
    ----------
    name : str
    pieces : list of pieces
    trees : list of trees
        The code of users in it.
    """

    name: str
    pieces: list[Piece]
    trees: list[Any]


@dataclass(frozen=True)
class Merged:
    """One function for several, or for one that is like no other.

    Attributes
    ----------
    name : str
        That of the first.
    text : str
        Of several, their arguments' type, the table of them, and the function.
    members : tuple of str
        The names of all, in the order of the table.
    """

    name: str
    text: str
    members: tuple[str, ...]


@dataclass
class _Group:
    """Functions that are alike: the pieces of the first, and of each, by name, what is in the holes."""

    pieces: list[Piece]
    members: dict[str, list[str]] = field(default_factory=dict)


def merge(functions: Iterable[Printed], owners: Mapping[str, str]) -> list[Merged]:
    """Return what functions can be merged to, in their order.

    Parameters
    ----------
    functions : iterable of Printed
        Looked at one after the other.
    owners : mapping of str to str
        The classes of the objects that memory is a member of: ``{"sim": "Simulation"}``.
    """
    groups: dict[Any, _Group] = {}
    for f in functions:
        holes = [p for p in f.pieces if isinstance(p, Hole)]
        fixed = "".join([p if type(p) is str else "\0" for p in f.pieces])
        form = fixed, _form(holes, any(_calls_maths(t) for t in f.trees))
        group = groups.get(form)
        if group is None:
            group = groups[form] = _Group(f.pieces)
        group.members[f.name] = [hole[0] for hole in holes]
    return [_merged(group, owners) for group in groups.values()]


def _form(holes: list[Hole], constants_agree: bool) -> tuple[Any, ...]:
    """Return of each hole what alike functions have in common."""
    names: dict[str, int] = {}
    form: list[Any] = []
    for text, kind, vtype, constant in holes:
        if kind == LOCAL:
            form.append(names.setdefault(text, len(names)))
        elif kind == NUMBER and constants_agree and (constant or vtype != "unsigned int"):
            form.append(text)
        else:
            form.append(vtype or kind)
    return tuple(form)


# ---- what a compiler could compute ----


@tree.memoised
def _calls_maths(node: Any) -> bool:
    """Whether a compiler could know the result of a maths function, were all constants known to it."""
    drawn = _drawn(node)
    return any(
        isinstance(n, tree.Call) and _is_maths(n.function) and not any(_by_chance(a, drawn) for a in n.args)
        for n in tree.walk(node)
    )


def _is_maths(function: str) -> bool:
    exact = function in _EXACT or function.startswith(("gennrand", CHECK))
    return not exact and function == function.lower() and function not in _ACTIONS


_ACTIONS = frozenset(["add_synapse", "remove_synapse"])


def _drawn(node: Any) -> frozenset[str]:
    """Return the local constants whose values depend on random numbers, wherever a constant of that name is defined."""
    drawn: set[str] = set()
    known: set[str] = set()
    for n in _in_order(node):
        if isinstance(n, tree.Declare) and n.const and n.value is not None:
            (drawn if _by_chance(n.value, frozenset(drawn - known)) else known).add(n.name)
    return frozenset(drawn - known)


def _in_order(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for item in node:
            yield from _in_order(item)
    elif node is not None:
        yield node
        yield from _in_order(tree.children(node))


def _by_chance(expression: tree.Expr, drawn: frozenset[str]) -> bool:
    """Whether an expression depends on a random number, in all cases."""
    nodes = list(tree.walk(expression))
    if any(isinstance(n, tree.Ternary) for n in nodes):
        return False
    return any(
        (isinstance(n, tree.Call) and n.function.startswith("gennrand")) or (isinstance(n, tree.Name) and n.id in drawn)
        for n in nodes
    )


# ---- the one function ----


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    values: tuple[str, ...]


def _merged(group: _Group, owners: Mapping[str, str]) -> Merged:
    members = group.members
    name = next(iter(members))
    if len(members) == 1:
        return Merged(name, text_of(group.pieces), (name,))
    fields: dict[tuple[int, tuple[str, ...]], _Field] = {}
    pieces: list[str] = []
    number = 0
    for piece in group.pieces:
        if type(piece) is str:
            pieces.append(piece)
            continue
        assert isinstance(piece, Hole)
        values = tuple([texts[number] for texts in members.values()])
        number += 1
        if piece.kind in (LOCAL, COMMENT) or len(set(values)) == 1:
            pieces.append(piece.text)
            continue
        key = piece.kind, values
        if key not in fields:
            fields[key] = _field(piece, values, owners, {f.name for f in fields.values()})
        of = fields[key].name
        pieces.append(f"({piece.text.split('.')[0]}.*args.{of})" if piece.kind == ARRAY else f"args.{of}")
    # By value: what is known to stay need not be read again in every pass of a loop.
    start = next(n for n, piece in enumerate(group.pieces) if isinstance(piece, str) and piece.startswith("("))
    pieces[start] += f", const merged_{name} args"
    pieces[start - 2] = pieces[start - 2].replace("static", "SNN_MERGED static")
    return Merged(name, "\n".join([*_table(name, members, list(fields.values())), "".join(pieces)]), tuple(members))


def _field(hole: Hole, values: tuple[str, ...], owners: Mapping[str, str], taken: set[str]) -> _Field:
    if hole.kind == ARRAY:
        of, name = owners[hole.text.split(".")[0]], hole.constant
        ctype = f"{hole.type}{' ' * (hole.type[-1] != '*')}{of}::*"
        values = tuple(f"&{of}::{v.split('.')[1]}" for v in values)
    elif hole.kind == TEXT:
        name, ctype = "where", "const char *"
    else:
        name, ctype = hole.constant or "number", f"{hole.type} "
    wanted, number = name, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return _Field(name, ctype, values)


def _table(name: str, members: Iterable[str], fields: list[_Field]) -> list[str]:
    rows = [(member, [f.values[n] for f in fields]) for n, member in enumerate(members)]
    return [
        f"// The same for {len(rows)} kernels, written with the names of the first.",
        f"struct merged_{name} {{",
        *(f"    {f.type}{f.name};" for f in fields),
        "};",
        f"static const merged_{name} table_{name}[] = {{",
        *(f"    {{{', '.join(values)}}}, // {member}" for member, values in rows),
        "};",
    ]
