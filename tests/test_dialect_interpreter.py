"""The reference that engines are held against agrees with C by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dialect_interpreter import run_snippet
from snnlearn.declare import value_type
from snnlearn.dialect import Scope, Symbol, parse_code
from snnlearn.dialect.library import MATHS, RANDOM, action
from snnlearn.dialect.scope import SynapseLoop
from snnlearn.errors import NetworkError

TYPES = {"x": "scalar", "y": "scalar", "n": "int", "u": "unsigned int", "b": "bool", "c": "uint8_t", "s": "int8_t"}
SYMBOLS = {name: Symbol("variable", value_type(t), writable=True) for name, t in TYPES.items()}
SYMBOLS["a"] = Symbol("array", value_type("scalar"), array=True)
SCOPE = Scope(SYMBOLS, {"addToPost": action(), "addToPre": action(), **RANDOM})


def run(code: str, expression: bool = False, random: Any = None, **values: Any) -> dict[str, Any]:
    snippet, _ = parse_code(code, SCOPE, "test", expression=expression)
    given = {"x": 1.5, "y": -2.0, "n": 7, "u": 3, "b": True, "c": 250, "s": -3} | values
    return run_snippet(snippet, given, {"a": [10.0, 20.0, 30.0]}, random)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("n / 2", 3),
        ("-n / 2", -3),
        ("n % 3", 1),
        ("-n % 3", -1),
        ("n % -3", 1),
        ("n / 2.0", 3.5),
        ("1 / 2 * x", 0.0),
        ("x / 0.0", math.inf),
        ("y / 0.0", -math.inf),
        ("u - 4", 2**32 - 1),
        ("-1 < u", False),
        ("-1 < n", True),
        ("s < u", False),
        ("c + 10", 260),
        ("(unsigned char)(c + 10)", 4),
        ("(char)200", -56),
        ("(int)-1.9", -1),
        ("(bool)0.1", True),
        ("b + b", 2),
        ("!x", False),
        ("~n", -8),
        ("-s", 3),
        ("1 << 4", 16),
        ("-8 >> 1", -4),
        ("6 & 3 | 8 ^ 1", 2 | 9),
        ("b ? n : x", 7.0),
        ("0 && a[99]", False),
        ("1 || a[99]", True),
        ("a[n - 5]", 30.0),
        ("0x10 + 1u", 17),
        ("fmod(7.5, -2)", 1.5),
        ("round(-2.5)", -3.0),
        ("rint(-2.5)", -2.0),
        ("trunc(y - 0.9)", -2.0),
        ("fdim(1, 3)", 0.0),
        ("atan2(0.0, -1.0)", math.pi),
        ("ldexp(1.5, 3)", 12.0),
        ("ilogb(10.0)", 3),
        ("pow(2, 0.5)", math.sqrt(2)),
        ("min(n, u)", 3),
        ("max(x, 2)", 2.0),
        ("max(u, s)", 2**32 - 3),
        ("abs(-5)", 5),
        ("abs(u - 7)", 4),
        ("exp(1000.0)", math.inf),
        ("tgamma(5.0)", 24.0),
    ],
)
def test_values(code: str, value: Any) -> None:
    assert run(code, expression=True)["return"] == value


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("x += n; n += 0.75;", {"x": 8.5, "n": 7}),
        ("c += 10; s -= 126;", {"c": 4, "s": 127}),
        ("u -= 4; n %= 4; n <<= 3;", {"u": 2**32 - 1, "n": 24}),
        ("x = n++; y = ++n;", {"x": 7.0, "y": 9.0, "n": 9}),
        ("b = 0.5; n = b; n -= 2;", {"b": True, "n": -1}),
        ("x = y = n = 2.9;", {"x": 2.0, "y": 2.0, "n": 2}),
        ("for (int i = 0; i < 5; i++) { if (i == 1) continue; if (i == 4) break; x += i; }", {"x": 6.5}),
        ("while (n > 0) n -= 3;", {"n": -2}),
        ("do n -= 30; while (n > 0);", {"n": -23}),
        ("for (n = 0, u = 9; n < 3; n++, u--) ;", {"n": 3, "u": 6}),
        ("int k = 1; { int k = 5; x = k; } y = k;", {"x": 5.0, "y": 1.0, "k": 1}),
        ("x = (n++, u);", {"x": 3.0, "n": 8}),
        ("const scalar z = x * 2; x = z;", {"x": 3.0, "z": 3.0}),
        ("addToPost(x); addToPost(n); ", {"addToPost": 8.5}),
        ("if (x > 2) addToPre(1);", {"addToPre": 0.0}),
    ],
)
def test_statements(code: str, after: dict[str, Any]) -> None:
    result = run(code)
    assert {name: result[name] for name in after} == after


@pytest.mark.parametrize(
    ("n", "x"), [(0, 100.0), (1, 111.0), (2, 110.0), (3, 5.0), (-4, 7.0)], ids=["default", "falls", "2", "breaks", "-4"]
)
def test_switch(n: int, x: float) -> None:
    code = """
    x = 0;
    switch (n) {
    case 1: x += 1;
    case 2: x += 10;
    default: x += 100; break;
    case 3: x = 5; break;
    case -4: x = 7;
    }
    """
    assert run(code, n=n)["x"] == x


def test_a_loop_goes_on_from_inside_a_switch() -> None:
    code = "x = 0; for (n = 0; n < 5; n++) { switch (n) { case 1: continue; case 3: break; } x += 1; }"
    assert run(code)["x"] == 4.0


def test_random_numbers_come_from_where_they_are_told() -> None:
    draws = {"gennrand_uniform": iter([0.25, 0.5]), "gennrand": iter([2**32 + 5])}
    assert run("x = gennrand_uniform() - gennrand_uniform(); u = gennrand();", random=draws)["x"] == -0.25


def test_arguments_are_left_alone() -> None:
    snippet, _ = parse_code("x = 2;", SCOPE, "test")
    given = {"x": 1.0}
    assert run_snippet(snippet, given)["x"] == 2.0
    assert given == {"x": 1.0}


def test_an_index_outside_is_an_error() -> None:
    with pytest.raises(
        NetworkError, match="a: an index beyond the end of the array: it is -1, and there are 3 elements"
    ):
        run("a[n]", expression=True, n=-1)


@pytest.mark.parametrize("name", sorted(MATHS))
def test_every_function_of_the_dialect_is_there(name: str) -> None:
    args = {1: "0.5", 2: "1.5, 2", 3: "1.5, 2, 3"}[MATHS[name].arity]
    value = run(f"{'acosh(1.5)' if name == 'acosh' else f'{name}({args})'}", expression=True)["return"]
    assert np.isfinite(value)


def test_a_loop_over_synapses_goes_through_those_it_is_given() -> None:
    loop = SynapseLoop(
        {"id_post": Symbol("number", value_type("int")), "w": Symbol("variable", value_type("scalar"), writable=True)},
        {"remove_synapse": action(0)},
        frozenset(["break", "continue"]),
    )
    scope = Scope(SYMBOLS, {"add_synapse": action(2)}, loop)
    code = """
    for_each_synapse {
        if (id_post == 5) break;
        if (id_post == 3) { remove_synapse(); continue; }
        w *= 2.0;
        add_synapse(id_post + 1, w);
        n = id_post;
    }
    """
    snippet, _ = parse_code(code, scope, "test")
    synapses = [{"id_post": j, "w": 1.5 * j} for j in (1, 3, 4, 5, 6)]
    after = run_snippet(snippet, {"n": 0}, synapses=synapses)
    assert [s["w"] for s in synapses] == [3.0, 4.5, 12.0, 7.5, 9.0]
    assert after["add_synapse"] == [(2, 3.0), (5, 12.0)]
    assert after["remove_synapse"] == [()]
    assert after["n"] == 4
