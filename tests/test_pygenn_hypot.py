"""``hypot`` written out for GeNN."""

import math

import pytest

from snnlearn.pygenn_hypot import without_hypot


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = y;", "x = y;"),
        ("r = hypot(a, b);", "r = sqrt((double)(a) * (double)(a) + (double)(b) * (double)(b));"),
        ("myhypot(a, b)", "myhypot(a, b)"),
        ("hypot (a)", "hypot (a)"),
        ("hypot(a, b", "hypot(a, b"),
    ],
)
def test_calls(code: str, expected: str) -> None:
    assert without_hypot(code) == expected


@pytest.mark.parametrize(
    "code", ["hypot(3.0, 4.0)", "hypot(fmin(3.0, 9.0), v[(1 + 1)])", "1.0 * hypot(hypot(2.0, 2.0), hypot(1.0, 4.0))"]
)
def test_values(code: str) -> None:
    given = {"sqrt": math.sqrt, "fmin": min, "v": [0.0, 0.0, 4.0], "double": float}
    plain = without_hypot(code).replace("(double)", "1.0 * ")
    assert "hypot" not in plain
    assert eval(plain, given) == pytest.approx(5.0)
