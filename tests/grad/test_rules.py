"""Each rule of differentiation agrees with a difference quotient, and the derivative of code is code."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dialect_interpreter import run_snippet
from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Symbol, algebra, parse_code, tree, unparse
from snnlearn.dialect.library import MATHS
from snnlearn.errors import DialectError, GradientError
from snnlearn.grad import derivative
from snnlearn.grad.rules import _RULES, _STEPS, tangent
from snnlearn.models import surrogates

TYPES = {"x": "scalar", "y": "scalar", "z": "scalar", "n": "int", "b": "bool", "h": "scalar", "beta": "scalar"}
TYPES |= {"height": "scalar"}
SCOPE = Scope({name: Symbol("number", value_type(t)) for name, t in TYPES.items()}, {})


def value(code: str, **names: Any) -> float:
    snippet = parse_code(code, SCOPE, "test", expression=True)[0]
    return float(run_snippet(snippet, {n: v for n, v in names.items() if n in snippet.names})["return"])


def quotient(code: str, wrt: str, step: float = 1e-6, **names: Any) -> float:
    high, low = ({**names, wrt: names[wrt] + s} for s in (step, -step))
    return (value(code, **high) - value(code, **low)) / (2.0 * step)


@pytest.mark.parametrize("wrt", ["x", "y"])
@pytest.mark.parametrize(
    "code",
    [
        "x + y - x * y",
        "-x / y",
        "x / (x + y) / 3.0",
        "2 * x - n * y + n / 2",
        "(x + y) * (x - y)",
        "b ? x * x : y",
        "(float)x * (double)y",
        "x * fabs(y) + fabs(x) / y",
        "+x - -y",
        "(x > y) * x + y",
    ],
)
@pytest.mark.parametrize("b", [True, False])
def test_arithmetic(code: str, wrt: str, b: bool) -> None:
    names = {"x": 1.3, "y": -0.7, "n": 5, "b": b}
    if wrt not in code:
        pytest.skip("does not depend on it")
    assert value(derivative(code, wrt), **names) == pytest.approx(quotient(code, wrt, **names), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", sorted(_RULES))
@pytest.mark.parametrize("at", [0, 1])
def test_functions(name: str, at: int) -> None:
    args = ["x", "y", "z"][: MATHS[name].arity]
    # Within the domain of each function, and away from its jumps.
    inside = {"acosh": (1.7, 2.9), "fmod": (7.3, 2.1), "remainder": (7.3, 2.1), "pow": (1.7, 0.6)}
    of_any = len(args) == 1 and name not in ("log", "log2", "log10", "sqrt")
    points = inside.get(name, (0.45, -0.35) if of_any else (0.4, 0.8))
    names = {"x": points[at], "y": points[1 - at], "z": 0.3}
    code = f"{name}({', '.join(args)}) * 1.5"
    for wrt in args:
        found = value(derivative(code, wrt), **names)
        assert found == pytest.approx(quotient(code, wrt, **names), rel=1e-6, abs=1e-8), (name, wrt)


@pytest.mark.parametrize("name", sorted(_STEPS))
def test_what_only_jumps_has_derivative_zero(name: str) -> None:
    assert derivative(f"{name}(x) + 2.0 * x", "x") == "2.0"


def test_every_function_has_a_rule_or_says_that_it_has_none() -> None:
    for name in MATHS.keys() - _RULES.keys() - _STEPS:
        args = ", ".join(["x", "2.0", "2.0"][: MATHS[name].arity])
        with pytest.raises(GradientError, match=f"^derivative, line 1: '{name}' has no derivative here.*\n.*\n +\\^$"):
            derivative(f"1.0 + {name}({args})", "x")


def test_the_analytic_example() -> None:
    """d/dx x^2 e^x = 2x e^x + x^2 e^x."""
    code = derivative("x * x * exp(x)", "x")
    assert code == "(x + x) * exp(x) + x * x * exp(x)"
    for x in (-2.0, -0.3, 0.0, 1.0, 2.5):
        exact = 2.0 * x * math.exp(x) + x * x * math.exp(x)
        assert value(code, x=x) == pytest.approx(exact, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("code", "wrt", "text"),
    [
        ("alpha - ExpTC * (alpha - V)", "V", "ExpTC"),
        ("0.0 * V + W", "V", "0.0"),
        ("0.5 * e * e", "e", "e"),
        ("a * V + b * V", "V", "a + b"),
        ("V - V", "V", "0.0"),
        ("exp(-V)", "V", "-exp(-V)"),
        ("n == 3 ? V : 2.0 * V", "V", "n == 3 ? 1.0 : 2.0"),
    ],
)
def test_derivatives_are_short(code: str, wrt: str, text: str) -> None:
    assert derivative(code, wrt) == text


def test_misuse() -> None:
    with pytest.raises(GradientError, match=r"there is no 'taus' in 'V / tau'; did you mean 'tau'\?"):
        derivative("V / tau", "taus")
    with pytest.raises(DialectError, match="derivative, line 1: "):
        derivative("V /", "V")


def test_a_spike_passes_its_derivative_on() -> None:
    spike, other = tree.Name("s", algebra.BOOL), tree.Name("c", algebra.BOOL)
    psi = {"s": tree.Name("psi", algebra.SCALAR)}
    x, y = (tree.Name(n, algebra.SCALAR) for n in "xy")

    def text(e: Any) -> str:
        return unparse(tangent(e, psi))

    assert text(algebra.convert(spike, algebra.SCALAR)) == "psi"
    assert text(algebra.select(spike, x, y)) == "psi * (x - y)"
    assert text(algebra.select(algebra.negation(spike), x, y)) == "-(psi * (x - y))"
    assert text(algebra.select(algebra.both(other, spike), x, y)) == "(c ? psi : 0.0) * (x - y)"
    assert text(algebra.select(other, x, y)) == "0.0"


@pytest.mark.parametrize("surrogate", surrogates.ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("h", [-1.3, -0.2, 0.1, 0.45, 2.0])
def test_a_surrogate_is_the_derivative_of_its_integral(surrogate: Any, h: float) -> None:
    names = {"h": h, "beta": 1.7, "height": 0.6}
    slope = value(surrogate.derivative_code, **names)
    integral = surrogate.integral_code.strip()
    assert slope == pytest.approx(quotient(integral, "h", **names), rel=1e-6, abs=1e-9)
    assert value(derivative(integral, "h"), **names) == pytest.approx(slope, rel=1e-12, abs=1e-12)
    assert slope >= 0.0
