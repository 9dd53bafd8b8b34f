"""What ``printf`` may be told to print: numbers only, each as the format says."""

from __future__ import annotations

import re

from snnlearn.declare.types import ValueType, value_type

_CONVERSION = re.compile(r"%[-+ #0]*\d{0,3}(?:\.\d{0,3})?(?P<letter>.?)", re.DOTALL)
_LETTERS = dict.fromkeys("di", "int") | dict.fromkeys("uxX", "unsigned int") | dict.fromkeys("feEgGF", "double")
_ESCAPED = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def unescape(text: str) -> str:
    """Return the characters that a text in C's quotes stands for."""
    return re.sub(r"\\(.)", lambda found: _ESCAPED[found[1]], text[1:-1])


def conversions(text: str) -> tuple[ValueType, ...]:
    """Return the types that C takes a format's arguments to have.

    Raises
    ------
    ValueError
        For a conversion of anything but a number; its text names it.
    """
    types = []
    for match in _CONVERSION.finditer(text):
        if match[0] == "%%":
            continue
        if match["letter"] not in _LETTERS:
            raise ValueError(f"'{match[0]}' is not a conversion of the dialect: %d, %u, %x, %f, %g and %e are")
        types.append(value_type(_LETTERS[match["letter"]]))
    return tuple(types)
