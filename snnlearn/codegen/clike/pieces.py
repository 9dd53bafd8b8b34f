"""What printers of the C family put out: pieces of text, some of which may differ between alike functions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, Union

import numpy as np

from snnlearn.declare.types import holds

LOCAL, ARRAY, NUMBER, TEXT, COMMENT = range(5)


class Hole(NamedTuple):
    """A piece of text in whose place an alike function may have another.

    Attributes
    ----------
    text : str
    kind : int
        Of `LOCAL` (a name within the function), `ARRAY` (memory of the simulation), `NUMBER`, `TEXT` and `COMMENT`.
    type : str
        Of a number, or of the pointer to memory.
    constant : str
        The name of memory, or of the constant that a number is the value of.
    """

    text: str
    kind: int
    type: str = ""
    constant: str = ""


Piece = Union[str, Hole]


def text_of(pieces: Iterable[Piece]) -> str:
    """Return pieces as one text."""
    return "".join([p if type(p) is str else p[0] for p in pieces])


# By the type of a number: what is behind its digits, and the type that the literal then has.
_SUFFIXES = {"uint64_t": "ull", "size_t": "", "int64_t": "ll"} | dict.fromkeys(
    ("uint8_t", "uint16_t", "unsigned int"), "u"
)
_TYPES = {"": "int", "u": "unsigned int", "ull": "uint64_t", "ll": "int64_t"}
_FLOAT = np.dtype(np.float32)
_LIMITS = {"int": 2**31, "unsigned int": 2**32, "uint64_t": 2**64, "int64_t": 2**63}


def literal(value: float, ctype: str) -> str:
    """Return a number as source text of this type, exact to the last bit."""
    if ctype == "bool":
        return "true" if value else "false"
    if ctype not in ("float", "double"):
        number, suffix = int(value), _SUFFIXES.get(ctype, "")
        if number >= 0:
            return f"{number}{suffix}"
        # The sign is no part of a literal, and the positive of the lowest number would not fit.
        return f"({number + 1}{suffix} - 1)" if number in (-(2**31), -(2**63)) else f"({number}{suffix})"
    text = _digits(value, ctype)
    if text is None:
        return f"snn::infinity<{ctype}>()" if value > 0 else f"(-snn::infinity<{ctype}>())"
    return f"({text})" if text.startswith("-") else text


def _digits(value: float, ctype: str) -> str | None:
    """Return the digits of a floating-point number, or None of one that the type has no place for."""
    if math.isinf(value) or (ctype == "float" and not holds(_FLOAT, value)):
        return None
    text = repr(float(value)) if ctype == "double" else str(np.float32(value))
    return text + ("" if "." in text or "e" in text else ".0") + ("f" if ctype == "float" else "")


def number(value: float, ctype: str, constant: str = "") -> Piece:
    """Return a number as a piece; a plain text where it cannot be an argument of alike functions."""
    text = literal(value, ctype)
    if ctype in ("float", "double"):
        return Hole(text, NUMBER, ctype, constant) if "i" not in text else text
    of = _TYPES[_SUFFIXES.get(ctype, "")]
    return Hole(text, NUMBER, of, constant) if ctype != "bool" and abs(value) < _LIMITS[of] else text
