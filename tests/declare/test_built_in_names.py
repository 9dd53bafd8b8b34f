"""The table of names that code sees beside what is declared."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn import declare
from snnlearn.declare.built_in_names import BUILT_IN, INJECTS, SEEN, SENDS
from snnlearn.dialect.scopes import scopes_of


@pytest.mark.parametrize("kind", SEEN)
def test_nothing_may_be_called_what_code_of_its_kind_sees(kind: str) -> None:
    model: Any = getattr(declare, kind)("Empty")
    seen: set[str] = set()
    for scope in scopes_of(model).values():
        scopes = [scope, *([scope.loop] if scope.loop is not None else [])]
        for names in scopes:
            seen |= names.symbols.keys() | (names.actions.keys() & (SENDS.keys() | INJECTS.keys()))
    assert seen == set(SEEN[kind])


def test_what_is_seen_is_described() -> None:
    described = BUILT_IN.keys() | SENDS.keys() | INJECTS.keys() | {"value"}  # of the variable's type
    assert described == set().union(*SEEN.values())
