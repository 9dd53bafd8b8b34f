"""Intervals: what is in them, what rounding takes out of them, and what the nearest number there is."""

import math

import numpy as np
import pytest

from snnlearn.declare import Interval, NeuronModel, Param
from snnlearn.errors import DeclarationError

NUMBERS = [-math.inf, -1e300, -2.0, -1e-320, 0.0, 1e-320, 0.3, 1.0 - 2**-53, 1.0, 1.0 + 2**-52, 1e300, math.inf]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("[0, 1)", [0.0, 1e-320, 0.3, 1.0 - 2**-53]),
        ("(0, 1]", [1e-320, 0.3, 1.0 - 2**-53, 1.0]),
        ("(0, inf)", [1e-320, 0.3, 1.0 - 2**-53, 1.0, 1.0 + 2**-52, 1e300]),
        ("(-inf, inf)", NUMBERS[1:-1]),
        ("[-inf, inf]", NUMBERS),
        (" (-2e0 ,.5] "[1:-1], [-1e-320, 0.0, 1e-320, 0.3]),
    ],
)
def test_what_is_in_an_interval(text, inside):
    assert [number for number in NUMBERS if number in Interval(text)] == inside
    assert math.nan not in Interval(text)


@pytest.mark.parametrize("text", ["", "[0, 1", "0, 1", "[1, 0)", "[1, 1]", "(nan, 1)", "[a, b]", "[0; 1]", 3, None])
def test_what_is_no_interval(text):
    with pytest.raises(DeclarationError, match=r"is no interval; write one as in '\[0, 1\)'"):
        Interval(text)


@pytest.mark.parametrize(
    ("text", "number", "rounded", "nearest"),
    [
        ("[0, 1)", 0.99999999, "1", np.nextafter(np.float32(1), np.float32(0))),
        ("(-1, 1)", -0.99999999, "-1", -np.nextafter(np.float32(1), np.float32(0))),
        ("(1, 2)", 1.00000001, "1", np.nextafter(np.float32(1), np.float32(2))),
        ("(0, inf)", 1e-50, "0", np.finfo(np.float32).tiny),
        ("(0, inf)", 1e-40, "0", np.finfo(np.float32).tiny),
        ("(-inf, 0)", -1e-50, "0", -np.finfo(np.float32).tiny),
        ("[0, inf)", 1e39, "inf", np.finfo(np.float32).max),
        ("(-inf, inf)", -1e39, "-inf", np.finfo(np.float32).min),
    ],
)
def test_what_rounding_takes_out_of_it(text, number, rounded, nearest):
    interval = Interval(text)
    assert interval.fault(number, "scalar", "double") is None
    for type_name, precision, hint in (("scalar", "float", "; double precision holds it"), ("float", "double", "")):
        assert interval.fault(number, type_name, precision) == (
            f"must be in {text}, but {number!r} is {rounded} in single precision ('float'), "
            f"where the nearest is {nearest!s}{hint}"
        )
    assert interval.fault(float(nearest), "scalar", "float") is None
    assert interval.fault(number, "double", "float") is None


def test_ends_that_are_in_it_may_be_rounded():
    assert float(np.float32(0.7)) < 0.7
    assert Interval("[0.7, 1]").fault(0.7, "scalar", "float") is None
    assert Interval("[0, 1]").fault(1.0 - 1e-12, "scalar", "float") is None


def test_numbers_outside_and_whole_numbers():
    assert Interval("[0, 1)").fault(1.0, "scalar", "double") == "must be in [0, 1), not 1.0"
    assert Interval("[0, 10]").fault(11, "int", "float") == "must be in [0, 10], not 11"
    assert Interval("[0, 10]").fault(10, "int", "float") is None


def test_a_parameter_may_have_an_interval():
    model = NeuronModel("n", params=["a", ("tau", "scalar", "(0, inf)"), Param("p", within=Interval("[0, 1]"))])
    assert [param.within for param in model.params] == [None, Interval("(0, inf)"), Interval("[0, 1]")]
    assert hash(model) == hash(NeuronModel("n", params=list(model.params)))
    with pytest.raises(DeclarationError, match="is no interval"):
        Param("p", within="positive")
