"""Which words can be names."""

import keyword

import pytest

from snnlearn.declare.words import FOREIGN, is_foreign, is_reserved


@pytest.mark.parametrize("word", [*sorted(FOREIGN), "__asm__", "_Generic", "_Pragma", "a__b", "__"])
def test_foreign_words(word: str) -> None:
    assert is_foreign(word)
    assert is_reserved(word)


@pytest.mark.parametrize("word", ["if", "scalar", "true", "t", "dt", "Isyn", "inSyn", "addToPost", "switch"])
def test_words_of_the_dialect_are_reserved_but_not_foreign(word: str) -> None:
    assert is_reserved(word)
    assert not is_foreign(word)


@pytest.mark.parametrize("word", ["V", "_mean", "x_", "lambda", "tau2", "T", "value", "min", "exp"])
def test_other_words_are_free(word: str) -> None:
    assert not is_reserved(word)


def test_words_of_python_alone_are_free() -> None:
    assert not any(is_foreign(word) for word in {"lambda", "None", "def"} & set(keyword.kwlist))
