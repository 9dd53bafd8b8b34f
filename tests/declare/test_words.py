"""Which words can be names."""

import keyword

import pytest

from snnlearn.declare.words import FOREIGN, is_foreign, is_reserved
from snnlearn.dialect.tokens import MARK, unmarked


@pytest.mark.parametrize("word", [*sorted(FOREIGN), "__asm__", "_Generic", "_Pragma", "__", "__LINE__"])
def test_foreign_words_are_free_where_they_are_declared(word: str) -> None:
    assert is_foreign(word)
    assert not is_reserved(word)
    assert unmarked(MARK + word[1:]) == word


@pytest.mark.parametrize(
    "word", ["if", "scalar", "true", "switch", "for_each_synapse", "unsigned", "long", "uint8_t", "size_t", "timepoint"]
)
def test_words_of_the_dialect_are_reserved_but_not_foreign(word: str) -> None:
    assert is_reserved(word)
    assert not is_foreign(word)


@pytest.mark.parametrize("word", ["V", "_mean", "x_", "a__b", "lambda", "tau2", "T", "t", "id", "value", "min", "exp"])
def test_other_words_are_free(word: str) -> None:
    assert not is_reserved(word)
    assert not is_foreign(word)


def test_words_of_python_alone_are_free() -> None:
    assert not any(is_foreign(word) for word in {"lambda", "None", "def"} & set(keyword.kwlist))
