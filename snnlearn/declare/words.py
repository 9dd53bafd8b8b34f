"""Words that no model may use as a name, or only where it declares them."""

from __future__ import annotations

import re

from snnlearn.declare.types import TYPE_NAMES

# Words of C and C++ that code strings do not know, unless a model declares something under them.
_FOREIGN = """alignas alignof asm auto constexpr enum extern goto inline nullptr offsetof register restrict return
    sizeof static static_assert struct thread_local typedef typeof typeof_unqual union void volatile"""
FOREIGN = frozenset(_FOREIGN.split())

# The keywords of code strings, and the words that types are made of.
_KEYWORDS = "break case const continue default do else for for_each_synapse if signed switch while true false"
_RESERVED = frozenset(_KEYWORDS.split()).union(*(name.split() for name in TYPE_NAMES))


def is_foreign(word: str) -> bool:
    """Whether code strings must not use the word undeclared: one of `FOREIGN`, or kept by C for its compilers."""
    return word in FOREIGN or re.match("_[A-Z_]", word) is not None


def is_reserved(word: str) -> bool:
    """Whether nothing can be declared under the word."""
    return word in _RESERVED
