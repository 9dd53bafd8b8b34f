"""The names that a code string may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnlearn.declare.types import ValueType
from snnlearn.dialect.library import MATHS, Function


@dataclass(frozen=True)
class Symbol:
    """A name's meaning.

    Attributes
    ----------
    what : str
        For messages: "parameter", "variable", …
    type : ValueType
        The type of the value, or of an array's elements.
    writable : bool
        Whether code may assign to it.
    array : bool
        Whether it must be indexed.
    """

    what: str
    type: ValueType
    writable: bool = False
    array: bool = False

    def __str__(self) -> str:
        return f"{'an' if self.what[0] in 'aeiou' else 'a'} {self.what}"


@dataclass(frozen=True)
class Scope:
    """The declared names and the functions within reach of a code string."""

    symbols: Mapping[str, Symbol]
    actions: Mapping[str, Function]

    @property
    def functions(self) -> dict[str, Function]:
        """All that can be called: the maths library and what this place allows besides."""
        return {**MATHS, **self.actions}
