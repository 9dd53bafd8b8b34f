"""The functions that code may call are GeNN's documented ones."""

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect.library import MATHS, RANDOM, VOID, Function, action, result_type

DOCUMENTED = """cos sin tan acos asin atan atan2 cosh sinh tanh acosh asinh atanh exp expm1 exp2 pow scalbn log log1p
log2 log10 ldexp ilogb sqrt cbrt hypot ceil floor fmod round rint trunc nearbyint nextafter remainder fabs fdim fmax
fmin erf erfc tgamma lgamma copysign fma min max abs"""  # GeNN's custom_models.rst, without printf


def test_functions_are_those_that_genn_documents() -> None:
    assert set(MATHS) == set(DOCUMENTED.split())
    assert not set(MATHS) & set(RANDOM)


@pytest.mark.parametrize("name", sorted(MATHS))
def test_a_function_of_single_precision_stays_there_and_of_integers_becomes_scalar(name: str) -> None:
    function = MATHS[name]
    single, whole = value_type("float"), value_type("int")
    of_single = result_type(function, (single,) * function.arity)
    of_whole = result_type(function, (whole,) * function.arity)
    if name == "ilogb":
        assert of_single == of_whole == whole
    elif name in ("min", "max", "abs"):
        assert (of_single, of_whole) == (single, whole)
    else:
        assert (of_single, of_whole) == (single, value_type("scalar"))


def test_actions_and_random_numbers() -> None:
    assert result_type(action(2), (value_type("int"),) * 2) == VOID
    assert [result_type(RANDOM[name], ()).name for name in sorted(RANDOM)] == ["unsigned int"] + ["scalar"] * 3
    assert {f.arity for f in RANDOM.values()} == {0}
    assert action() == Function(1, "void")
