"""The value types a model may name, and what they mean to C and to NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from snnlearn.calling import named_arguments
from snnlearn.errors import DeclarationError, did_you_mean

Precision = Literal["float", "double"]
Kind = Literal["bool", "int", "float"]


@named_arguments
@dataclass(frozen=True)
class ValueType:
    """A type of GeNN's dialect.

    Attributes
    ----------
    name : str
        Canonical name, e.g. ``"unsigned int"``; ``"scalar"`` stands for the network's precision.
    kind : {"bool", "int", "float"}
        What arithmetic it takes part in.
    rank : int
        The wider of two operands' types (the higher rank) is the type of their result, as in C.
    dtype : str
        NumPy's name of it; for ``scalar`` that of single precision (see `dtype_for`).
    """

    name: str
    kind: Kind
    rank: int
    dtype: str

    def ctype_for(self, precision: Precision) -> str:
        """Return the C++ spelling of the type in a network of this precision."""
        return precision if self.name == "scalar" else self.name

    def dtype_for(self, precision: Precision) -> str:
        """Return NumPy's name of the type in a network of this precision."""
        if self.name == "scalar":
            return "float64" if precision == "double" else "float32"
        return self.dtype

    def holds(self, number: float, precision: Precision) -> bool:
        """Whether a number fits; rounding to a floating type, its infinities and NaN do."""
        return holds(np.dtype(self.dtype_for(precision)), number)

    def range_for(self, precision: Precision) -> str:
        """Return what fits, for messages: ``"0 to 255"``."""
        return range_text(np.dtype(self.dtype_for(precision)))


@cache
def limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the least and the greatest finite number of a NumPy type."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


# The least number that single precision rounds to infinity: half a unit in the last place above the largest.
_TO_INFINITY = (2.0 - 2.0**-24) * 2.0**127


def holds(dtype: np.dtype[Any], number: float) -> bool:
    """Whether a NumPy type has a place for a number; see `ValueType.holds`."""
    if dtype.kind == "f":
        return not math.isfinite(number) or dtype.itemsize == 8 or abs(number) < _TO_INFINITY
    low, high = limits(dtype)
    return bool(low <= number <= high and number == int(number))


def range_text(dtype: np.dtype[Any]) -> str:
    """Return what a NumPy type has a place for, for messages."""
    low, high = limits(dtype)
    return f"{low:.9g} to {high:.9g}" if dtype.kind == "f" else f"{low} to {high}"


_TYPES = (
    ValueType("bool", "bool", 0, "bool"),
    ValueType("int8_t", "int", 1, "int8"),
    ValueType("uint8_t", "int", 2, "uint8"),
    ValueType("int16_t", "int", 3, "int16"),
    ValueType("uint16_t", "int", 4, "uint16"),
    ValueType("int", "int", 5, "int32"),
    ValueType("unsigned int", "int", 6, "uint32"),
    ValueType("int64_t", "int", 7, "int64"),
    ValueType("uint64_t", "int", 8, "uint64"),
    ValueType("float", "float", 9, "float32"),
    ValueType("scalar", "float", 10, "float32"),
    ValueType("double", "float", 11, "float64"),
)

# C's synonyms, with `long` of 64 bits on every platform, and GeNN's.
_ALIASES = {
    "timepoint": "scalar",
    "size_t": "uint64_t",
    "int32_t": "int",
    "uint32_t": "unsigned int",
    "unsigned": "unsigned int",
    "char": "int8_t",
    "unsigned char": "uint8_t",
}
for _bits, _words in [(16, "short"), (64, "long"), (64, "long long")]:
    _ALIASES |= {_words: f"int{_bits}_t", f"{_words} int": f"int{_bits}_t"}
    _ALIASES |= {f"unsigned {_words}": f"uint{_bits}_t", f"unsigned {_words} int": f"uint{_bits}_t"}

_BY_NAME = {t.name: t for t in _TYPES}
_BY_NAME |= {alias: _BY_NAME[name] for alias, name in _ALIASES.items()}

TYPE_NAMES = tuple(_BY_NAME)
_WORDS = ["unsigned", "short", "long", "char", "int"]  # in the order of the table's names
_SIGNED = frozenset(["char", "short", "long", "int"])  # what "signed" may stand before


def _canonical(name: str) -> str:
    """Return a type's name with its words in order and without ``signed``, which changes none of them."""
    words = sorted(name.split(), key=lambda w: _WORDS.index(w) if w in _WORDS else 0)
    if words.count("signed") == 1 and _SIGNED.issuperset({*words} - {"signed"}):
        words.remove("signed")
        words = words or ["int"]
    return " ".join(words)


def value_type(name: str) -> ValueType:
    """Return the type of this name (GeNN's names and their C synonyms).

    Raises
    ------
    DeclarationError
        If there is no such type; names the nearest.
    """
    found = _BY_NAME.get(name) or _BY_NAME.get(_canonical(name)) if isinstance(name, str) else None
    if found is None:
        raise DeclarationError(f"unknown type {name!r}{did_you_mean(str(name), TYPE_NAMES)}")
    return found


def element_type(name: str) -> ValueType:
    """Return the type of an array's elements, given the array's type such as ``"scalar*"``.

    Raises
    ------
    DeclarationError
        If the name does not end in ``*`` or names no known type before it.
    """
    stripped = name.strip() if isinstance(name, str) else ""
    if not stripped.endswith("*"):
        raise DeclarationError(f"an extra global parameter is an array: type {name!r} must end in '*'")
    return value_type(stripped[:-1])


class ResolvedType(str):
    """The name of a type that means the same in every model; one of GeNN's, such as ``uint32_t``."""

    __slots__ = ()


class UnresolvedType(str):
    """The name of a type that may be ``scalar``, which a model's precision decides."""

    __slots__ = ()

    def resolve(self, context: Mapping[str, str]) -> ResolvedType:
        """Return the type that this is in a model, given a mapping of names such as ``{"scalar": types.Float}``."""
        if self in context:
            return ResolvedType(context[self])
        found = _BY_NAME.get(_canonical(self))
        if found is None:
            return ResolvedType(self)
        return ResolvedType(f"{found.dtype}_t" if found.kind == "int" else found.name)


def type_name(name: str) -> str:
    """Return the name of a type as an object of PyGeNN's kind, which can be resolved; one that is stays as it is."""
    return name if isinstance(name, ResolvedType) else UnresolvedType(name)
