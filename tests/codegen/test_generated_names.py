"""Identifiers of generated source."""

from __future__ import annotations

import pytest

from snnlearn.codegen.plan.names import SCAFFOLDING, Names


def test_each_is_handed_out_once() -> None:
    names = Names(frozenset(["taken"]))
    assert [names.unique(n) for n in ("V", "V", "V_2", "taken", "V")] == ["V", "V_2", "V_2_2", "taken_2", "V_3"]
    assert names.taken >= {"V", "V_2", "V_2_2", "taken", "taken_2", "V_3"}


@pytest.mark.parametrize(
    "word", ["new", "class", "this", "co_await", "i", "sim", "std", "first_pending", "row", "kept", "own", "worker"]
)
def test_words_of_the_language_and_the_templates_step_aside(word: str) -> None:
    assert Names().unique(word) == f"{word}_2"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("WIDTH", "user_WIDTH"),
        ("M_PI", "user_M_PI"),
        ("_x", "user_x"),
        ("tile_w", "user_tile_w"),
        ("marks_0_V", "user_marks_0_V"),
        ("23E_V", "user_23E_V"),
        ("V", "V"),
        ("A_V_2", "A_V_2"),
    ],
)
def test_what_could_be_a_macro_or_reserved_gets_another_name(wanted: str, given: str) -> None:
    assert Names().unique(wanted) == given


def test_scaffolding_are_identifiers() -> None:
    assert all(word.isidentifier() for word in SCAFFOLDING)
