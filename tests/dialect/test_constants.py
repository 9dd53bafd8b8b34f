"""Whole numbers that are known before code runs, and divisions by them."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Symbol, parse_code
from snnlearn.dialect.constants import whole_number
from snnlearn.errors import DialectError

SCOPE = Scope(
    {"n": Symbol("variable", value_type("int"), True), "V": Symbol("variable", value_type("scalar"), True)}, {}
)


def expression(text: str) -> Any:
    return parse_code(text, SCOPE, "here", expression=True)[0].tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("-7u", 2**32 - 7),
        ("~0", -1),
        ("!3", 0),
        ("true", 1),
        ("2147483647 + 1", -(2**31)),
        ("(uint8_t)300", 44),
        ("(bool)300", 1),
        ("(int64_t)1 * 3 - 5", -2),
        ("0x7FFFFFFF * 2u", 2**32 - 2),
        ("n - n", None),
        ("n", None),
        ("2.0", None),
        ("(int)2.5", None),
        ("1 < 2", None),
    ],
)
def test_numbers_are_as_c_computes_them(text: str, value: int | None) -> None:
    assert whole_number(expression(text)) == value


def test_names_may_be_known() -> None:
    assert whole_number(expression("2 * n - 1"), {"n": 5}) == 9


@pytest.mark.parametrize(
    ("code", "caret", "what"),
    [
        ("n = n / 0;", "0;", "an integer is divided by zero"),
        ("n = 1 % (3 - 3);", "3 - 3", "an integer is divided by zero"),
        ("n /= false;", "false", "an integer is divided by zero"),
        ("n %= (uint8_t)256;", "(uint8_t)", "an integer is divided by zero"),
        ("V = (-2147483647 - 1) / -1;", "1;", "the quotient is larger than the largest number of type int"),
    ],
)
def test_divisions_without_a_result_are_refused(code: str, caret: str, what: str) -> None:
    with pytest.raises(DialectError) as found:
        parse_code(code, SCOPE, "here")
    first, shown, pointer = str(found.value).split("\n")
    assert first == f"here, line 1: {what}"
    assert shown[pointer.index("^") :].startswith(caret)


@pytest.mark.parametrize(
    "code", ["V = V / 0;", "V /= 0;", "V = 1 / 0.0;", "n = 0 / n;", "n = n / -1;", "n = n % (n - n);"]
)
def test_other_divisions_are_not(code: str) -> None:
    parse_code(code, SCOPE, "here")
