"""Words that no model may use as a name, or not at all."""

from __future__ import annotations

import re

# Words of C and C++ that say nothing a model may say; code strings do not know them.
_FOREIGN = """alignas alignof asm auto constexpr enum extern goto inline nullptr offsetof register restrict return
    sizeof static static_assert struct thread_local typedef typeof typeof_unqual union void volatile"""
FOREIGN = frozenset(_FOREIGN.split())

# Words with a meaning of their own in code strings.
_DIALECT = """break case char const continue default do double else float for
    for_each_synapse if int long scalar short signed switch
    timepoint unsigned while bool true false dt t id id_pre id_post id_syn num_neurons num_pre num_post Isyn
    inSyn addToPost addToPre addToPostDelay injectCurrent"""
_OWN = frozenset(_DIALECT.split())


def is_foreign(word: str) -> bool:
    """Whether code strings must not use the word: one of `FOREIGN`, or kept by C for its compilers."""
    return word in FOREIGN or "__" in word or re.match("_[A-Z]", word) is not None


def is_reserved(word: str) -> bool:
    """Whether nothing can be declared under the word."""
    return word in _OWN or is_foreign(word)
