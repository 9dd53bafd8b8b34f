"""The names that a code string may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnlearn.declare.types import ValueType, value_type
from snnlearn.dialect.library import MATHS, MESSAGES, Function

_SCALAR = value_type("scalar")


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
        Whether code may assign to it, or to an array's elements.
    array : bool
        Whether it must be indexed.
    readable : bool
        Whether it has a value; else code may only assign to it, with ``=``.
    indexable : bool
        Whether it may be indexed: by how many timesteps ago.
    """

    what: str
    type: ValueType
    writable: bool = False
    array: bool = False
    readable: bool = True
    indexable: bool = False

    def __str__(self) -> str:
        return f"{'an' if self.what[0] in 'aeiou' else 'a'} {self.what}"


@dataclass(frozen=True)
class SynapseLoop:
    """What ``for_each_synapse`` means in a place.

    Attributes
    ----------
    symbols, actions : mapping
        What its body sees besides.
    jumps : frozenset of str
        How its body may be left early: ``break``, ``continue``.
    """

    symbols: Mapping[str, Symbol]
    actions: Mapping[str, Function]
    jumps: frozenset[str]


@dataclass(frozen=True)
class Scope:
    """The declared names and the functions within reach of a code string, the loop where it has one, ``timepoint``."""

    symbols: Mapping[str, Symbol]
    actions: Mapping[str, Function]
    loop: SynapseLoop | None = None
    timepoint: ValueType = _SCALAR

    @property
    def names(self) -> frozenset[str]:
        """All that is declared, in the body of the loop too."""
        return frozenset(self.symbols).union(self.loop.symbols if self.loop is not None else ())

    @property
    def functions(self) -> dict[str, Function]:
        """All that can be called: the maths library and what this place allows besides."""
        return {**MATHS, **MESSAGES, **self.actions}
