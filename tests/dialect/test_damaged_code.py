"""Whatever is thrown at the checker, it accepts code or raises a located DialectError; nothing else escapes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from dialect_damage import GOOD, damaged, noise
from snnlearn.dialect import Snippet
from snnlearn.errors import DialectError

SCOPE_NAMES = {"V", "n", "a", "tau", "id_post"}


@pytest.mark.parametrize("make", [damaged, noise])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_but_a_located_error_escapes(
    parse: Callable[..., Snippet], make: Callable[[random.Random], str], seed: int
) -> None:
    rng = random.Random(f"{make.__name__} {seed}")
    accepted = 0
    for _ in range(60):
        code = make(rng)
        try:
            snippet = parse(code, expression=rng.random() < 0.2)
        except DialectError as error:
            head, shown, caret = str(error).split("\n")
            line = int(re.fullmatch(r"here, line (\d+): .+", head)[1])
            assert 1 <= line <= code.count("\n") + 1
            assert 5 <= len(caret) <= len(shown) + 1
            assert caret.strip() == "^"
        else:
            accepted += 1
            assert snippet.names <= SCOPE_NAMES
    assert accepted < 60, "the damage does no harm"


def test_the_undamaged_code_is_accepted(parse: Callable[..., Snippet]) -> None:
    assert parse(GOOD).writes == {"V", "n"}
