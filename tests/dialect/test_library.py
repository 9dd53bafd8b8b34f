"""The functions that code may call are GeNN's documented ones."""

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect.library import MATHS, MESSAGES, RANDOM, VOID, Function, action, result_type

DOCUMENTED = """cos sin tan acos asin atan atan2 cosh sinh tanh acosh asinh atanh exp expm1 exp2 pow scalbn log log1p
log2 log10 ldexp ilogb sqrt cbrt hypot ceil floor fmod round rint trunc nearbyint nextafter remainder fabs fdim fmax
fmin erf erfc tgamma lgamma copysign fma min max abs printf"""  # GeNN's custom_models.rst


def test_functions_are_those_that_genn_documents() -> None:
    assert {*MATHS, *MESSAGES} == {*DOCUMENTED.split(), "assert"}  # which GeNN knows without a word of it
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
    whole = {name for name, f in RANDOM.items() if result_type(f, (value_type("int"),) * f.arity).name != "scalar"}
    assert whole == {"gennrand", "gennrand_binomial"}
    arguments = {"gennrand_log_normal": 2, "gennrand_gamma": 1, "gennrand_binomial": 2}
    assert {name: f.arity for name, f in RANDOM.items() if f.arity} == arguments
    assert action() == Function(1, "void")


def test_how_many_arguments_a_function_takes() -> None:
    assert [action(2).takes(n) for n in (1, 2, 3)] == [False, True, False]
    assert [action(2, most=3).takes(n) for n in (1, 2, 3, 4)] == [False, True, True, False]
    assert (action(2).wanted, action(1, most=9).wanted) == ("2", "1 to 9")
