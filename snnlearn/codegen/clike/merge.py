"""Functions that differ in nothing but names and numbers become one, which runs with a table of arguments.

A network of many populations and connections has as many kernels, most of them alike. To compile each on its own would
take the compiler most of its time. Two printed kernels are alike if they are the same word for word but for

- names declared within them, each of which stands for the same name throughout,
- members of the simulation of one type (``sim.name``; in CUDA ``snn_arrays.name`` too),
- numbers and texts.

One function is left of those, the first; what differs otherwise than by a local name is a field of its arguments. The
numbers are the same, only known later: nothing is computed otherwise, but for calls of maths functions that a compiler
would have computed itself. Where there could be any, constants must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_BARE = r"(?<![\w.])[0-9](?:[\w.]|(?<=e)[-+])*"
_NUMBER = rf"\(-{_BARE}\)|{_BARE}"
_COMMENT, _TEXT, _WORD = r"//[^\n]*", r'"(?:[^"\\]|\\.)*"', r"[A-Za-z_]\w*"
# White space, a piece, and the piece once more as what it is.
_TOKEN = re.compile(rf"(\s*)(({_COMMENT})|({_TEXT})|({_NUMBER})|({_WORD})|[^\w\s]|$)")
_OTHERS, _COMMENTS, _TEXTS, _NUMBERS, _WORDS = range(5)
_VARYING = re.compile(f"({_COMMENT}|{_TEXT}|{_NUMBER}|{_WORD})")
_TYPES = frozenset(
    re.split(
        r"\s+",
        """const * & auto bool char short int long unsigned float double size_t
int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t""",
    )
)
# Functions that are rounded exactly: a compiler and a processor agree.
_EXACT_NAMES = "sqrt fabs abs min max fmin fmax floor ceil round rint trunc nearbyint later earlier arrival just_now"
_CHECKED = ("index", "count", "divide", "remainder", "shift_left", "shift_right")
_EXACT = frozenset([*_EXACT_NAMES.split(), *(f"checked_{name}" for name in _CHECKED)])
_CALL = re.compile(r"snn::([a-z]\w*)\(")
_CONSTANT = re.compile(r"const \w+ (\w+) = ([^;]*);")


@dataclass(frozen=True)
class Spelling:
    """How a language spells what functions can differ in.

    Attributes
    ----------
    owners : mapping of str to str
        The objects whose members a function may use, and their classes.
    parameter : str
        The first parameter of every function.
    """

    owners: Mapping[str, str]
    parameter: str


CPP = Spelling({"sim": "Simulation"}, "Simulation &sim")
CUDA = Spelling({"snn_arrays": "Arrays", "sim": "Sim"}, "const Sim &sim")
Types = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Function:
    """A printed function, by name."""

    name: str
    text: str


@dataclass(frozen=True)
class Merged:
    """One function for several.

    Attributes
    ----------
    name : str
        That of the first.
    text : str
        Its arguments' type, the table of them, and the function.
    members : tuple of str
        The names of all, in the order of the table.
    """

    name: str
    text: str
    members: tuple[str, ...]


def merge(functions: Iterable[Function], ctypes: Types, spelling: Spelling = CPP) -> list[Merged]:
    """Return what functions can be merged to, in their order; functions unlike all others are left out.

    Parameters
    ----------
    functions : iterable of Function
        Each ``static void name(Simulation &sim…)``.
    ctypes : mapping of (str, str) to str
        Type of each member that functions may differ in, by object and name: ``"float *"``.
    spelling : Spelling
        The language's.
    """
    groups: dict[str, dict[Any, _Group]] = {}
    last: dict[str, _Group] = {}  # most often the next function of a shape is like the last
    for function in functions:
        parts = _VARYING.split(function.text)
        shape, words = "#".join(parts[::2]), parts[1::2]
        group = last.get(shape)
        if group is None or not group.takes(function.name, words):
            tokens = _Tokens(function, spelling)
            form = _form(tokens, ctypes)
            group = groups.setdefault(shape, {}).setdefault(form, _Group(tokens, form, ctypes))
        last[shape] = group
        group.members[function.name] = words
    return [_merged(group) for alike in groups.values() for group in alike.values() if len(group.members) > 1]


class _Group:
    """Functions that are alike.

    Attributes
    ----------
    first : _Tokens
        The first of them.
    ctypes : mapping
        As `merge` has it.
    members : dict of str to list of str
        Of each, by name, the pieces that may vary.
    """

    def __init__(self, first: _Tokens, form: Sequence[Any], ctypes: Types) -> None:
        self.first, self.ctypes = first, ctypes
        self.members: dict[str, list[str]] = {}
        places = [at for at, kind in enumerate(first.kinds) if kind != _OTHERS]
        self._number_of = {at: n for n, at in enumerate(places)}
        self._names: dict[int, list[int]] = {}  # where each local name is, and the function's own, which is number 0
        self._fixed: list[tuple[int, str]] = []
        self._arguments: list[tuple[int, str, int, Any]] = []
        for n, at in enumerate(places):
            piece, kind, common = first.pieces[at], first.kinds[at], form[at]
            if kind == _WORDS and isinstance(common, int):
                self._names.setdefault(common, []).append(n)
            elif isinstance(common, str) or (kind == _NUMBERS and common[1]):
                self._fixed.append((n, piece))
            else:
                self._arguments.append((n, piece, kind, common))
        self._not_local = frozenset(piece for _, piece in self._fixed)

    def takes(self, name: str, words: list[str]) -> bool:
        """Whether a function of the same shape has the same form, as far as can be told without taking it apart."""
        if any(words[n] != piece for n, piece in self._fixed):
            return False
        names = {key: words[numbers[0]] for key, numbers in self._names.items()}
        renamed = frozenset(names.values())
        if names[0] != name or len(renamed) < len(names) or renamed & self._not_local:
            return False
        if any(words[n] != names[key] for key, numbers in self._names.items() for n in numbers):
            return False
        return all(
            words[n] == piece or self._alike(words[n], kind, common) for n, piece, kind, common in self._arguments
        )

    def _alike(self, there: str, kind: int, common: Any) -> bool:
        if kind == _WORDS:
            return bool(self.ctypes.get((common[0], there)) == common[1])
        if kind == _NUMBERS:
            return bool(_type_of(there) == common[0])
        return there.startswith('"' if kind == _TEXTS else "//")

    def values(self, at: int) -> tuple[str, ...]:
        """Return what all members have in place of a piece of the first."""
        n = self._number_of[at]
        return tuple(words[n] for words in self.members.values())


class _Tokens:
    """A function's text in pieces, with the white space before each and what kind of piece it is."""

    def __init__(self, function: Function, spelling: Spelling) -> None:
        self.name, self.spelling = function.name, spelling
        self.spaces, self.pieces, *kinds = zip(*_TOKEN.findall(function.text), strict=True)
        self.kinds = [
            _WORDS if w else _NUMBERS if n else _COMMENTS if c else _TEXTS if t else _OTHERS
            for c, t, n, w in zip(*kinds, strict=True)
        ]

    def owner(self, at: int) -> str | None:
        """Return the object that a name is a member of, if that is one whose members may differ."""
        owner = self.pieces[at - 2] if at >= 2 and self.pieces[at - 1] == "." else ""
        return owner if owner in self.spelling.owners else None

    def foreign(self, at: int) -> bool:
        """Whether a name means something outside of the function."""
        return self.pieces[at - 1] in (".", ":")

    def declared(self, at: int) -> bool:
        """Whether a local variable is declared here."""
        return self.pieces[at - 1] in _TYPES and self.pieces[at + 1] in ("=", ";", "[", ",", ")")

    def constant(self, at: int) -> str | None:
        """Return the name of the constant that a number is the value of, if it is: ``const float name = number;``."""
        complete = self.pieces[at - 1] == "=" and self.pieces[at + 1] == ";"
        return self.pieces[at - 2] if complete and "const" in self.pieces[max(at - 6, 0) : at - 2] else None


def _form(tokens: _Tokens, ctypes: Types) -> tuple[Any, ...]:
    """Return what two functions have in common that differ only in what can be a local name or an argument."""
    constants_agree = _may_be_folded(tokens)
    names: dict[str, int | str] = {tokens.name: 0}
    form: list[Any] = []
    for at, (piece, kind) in enumerate(zip(tokens.pieces, tokens.kinds, strict=True)):
        common: Any = piece
        if kind in (_TEXTS, _COMMENTS):
            common = kind
        elif kind == _NUMBERS:
            common = _form_of_number(tokens, at, constants_agree)
        elif kind == _WORDS and tokens.foreign(at):
            owner = tokens.owner(at)
            if owner is not None and (owner, piece) in ctypes:
                common = owner, ctypes[owner, piece]
        elif kind == _WORDS:
            if piece not in names:
                names[piece] = len(names) if tokens.declared(at) else piece
            common = names[piece]
        form.append(common)
    return tuple(form)


def _form_of_number(tokens: _Tokens, at: int, constants_agree: bool) -> tuple[str | None, str]:
    """Return what a number must share with others to be an argument: its type; the number where it cannot be one."""
    number = tokens.pieces[at]
    ctype = _type_of(number)
    fixed = tokens.pieces[at - 1] in ("[", "case") or tokens.pieces[at + 1] == ">"  # sizes, labels, template arguments
    if constants_agree:
        fixed = fixed or tokens.constant(at) is not None or ctype != "unsigned int"
    return ctype, number if fixed or ctype is None else ""


def _may_be_folded(tokens: _Tokens) -> bool:
    """Whether a compiler could know the result of a maths function, were all constants known to it."""
    kept = [n for n, kind in enumerate(tokens.kinds) if kind != _COMMENTS]
    text = "".join(tokens.spaces[n] + tokens.pieces[n] for n in kept)
    drawn = _drawn(text)
    return any(
        call.group(1) not in _EXACT and not _by_chance(_argument(text, call.end()), drawn)
        for call in _CALL.finditer(text)
    )


def _drawn(text: str) -> frozenset[str]:
    """Return the local constants whose values depend on random numbers, wherever a constant of that name is defined."""
    drawn: set[str] = set()
    known: set[str] = set()
    for name, value in _CONSTANT.findall(text):
        (drawn if _by_chance(value, frozenset(drawn - known)) else known).add(name)
    return frozenset(drawn - known)


def _by_chance(expression: str, drawn: frozenset[str]) -> bool:
    """Whether an expression depends on a random number, in all cases."""
    return "?" not in expression and ("random." in expression or not drawn.isdisjoint(re.findall(_WORD, expression)))


def _argument(text: str, begin: int) -> str:
    """Return what follows an opening parenthesis, up to the one that closes it."""
    depth, end = 1, begin
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[begin : end - 1]


def _type_of(number: str) -> str | None:
    """Return the C++ type that an argument for a literal has; None if it cannot be one."""
    bare = number.strip("()")
    digits = bare.rstrip("ul")
    if digits.lstrip("-").isdigit():
        if bare != digits:
            if bare == f"{digits}u" and int(digits) >= 2**32:
                return None  # of which type is not told by its looks
            return {"u": "unsigned int", "ull": "uint64_t", "ll": "int64_t"}.get(bare[len(digits) :])
        return "int" if int(digits) < 2**31 else None
    if re.fullmatch(r"-?[0-9]+\.?[0-9]*(e[-+]?[0-9]+)?f?", bare):
        return "float" if bare.endswith("f") else "double"
    return None


# ---- the one function ----


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    values: tuple[str, ...]


def _merged(group: _Group) -> Merged:
    first, ctypes = group.first, group.ctypes
    fields: dict[tuple[int, str | None, tuple[str, ...]], _Field] = {}
    pieces = list(first.pieces)
    for at, kind in enumerate(first.kinds):
        owner = first.owner(at) if kind == _WORDS else None
        if kind in (_OTHERS, _COMMENTS) or (kind == _WORDS and owner is None):
            continue
        values = group.values(at)
        if len(set(values)) == 1:
            continue
        key = (kind, owner, values)
        if key not in fields:
            fields[key] = _field(first, at, values, ctypes, {f.name for f in fields.values()})
        if owner is not None:
            pieces[at - 2 : at + 1] = ["", "", f"({owner}.*args.{fields[key].name})"]
        else:
            pieces[at] = f"args.{fields[key].name}"
    text = "".join(part for pair in zip(first.spaces, pieces, strict=True) for part in pair)
    # By value: what is known to stay need not be read again in every pass of a loop.
    parameter = first.spelling.parameter
    text = text.replace(f"({parameter}", f"({parameter}, const merged_{first.name} args", 1)
    text = text.replace("static void", "SNN_MERGED static void", 1)
    members = tuple(group.members)
    return Merged(first.name, "\n".join([*_table(first.name, members, list(fields.values())), text]), members)


def _field(first: _Tokens, at: int, values: tuple[str, ...], ctypes: Types, taken: set[str]) -> _Field:
    value = first.pieces[at]
    owner = first.owner(at) if first.kinds[at] == _WORDS else None
    if owner is not None:
        of = first.spelling.owners[owner]
        name, ctype = value, f"{ctypes[owner, value]}{' ' * (ctypes[owner, value][-1] != '*')}{of}::*"
        values = tuple(f"&{of}::{v}" for v in values)
    elif first.kinds[at] == _TEXTS:
        name, ctype = "where", "const char *"
    else:
        name, ctype = first.constant(at) or "number", f"{_type_of(value)} "
    wanted, number = name, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return _Field(name, ctype, values)


def _table(name: str, members: tuple[str, ...], fields: list[_Field]) -> list[str]:
    rows = [(member, [f.values[n] for f in fields]) for n, member in enumerate(members)]
    return [
        f"// The same for {len(members)} kernels, written with the names of the first.",
        f"struct merged_{name} {{",
        *(f"    {f.type}{f.name};" for f in fields),
        "};",
        f"static const merged_{name} table_{name}[] = {{",
        *(f"    {{{', '.join(values)}}}, // {member}" for member, values in rows),
        "};",
    ]
