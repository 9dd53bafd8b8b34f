"""Texts of what goes wrong in compiled code: the same from C and from Python."""

from __future__ import annotations

import pytest

from snnlearn.codegen.cpp import support_source
from snnlearn.codegen.reports import REPORT_KINDS, describe


@pytest.mark.parametrize("number", range(len(REPORT_KINDS)))
def test_c_and_python_say_the_same(number: int) -> None:
    given = ("here", 7, 8)
    form = REPORT_KINDS[number].c_format
    printed = form.replace("%lld", "%d") % given[: form.count("%")]
    assert describe(number, *given) == printed
    assert f'"{form}"' in support_source()


def test_kinds_are_numbered_in_order() -> None:
    names = ", ".join(kind.name for kind in REPORT_KINDS)
    assert f"enum Kind {{ {names} }};" in support_source()
    assert describe(1, "S: rows", 3, 9) == "S: rows: connects neuron 3 to neuron 9, which does not exist"
