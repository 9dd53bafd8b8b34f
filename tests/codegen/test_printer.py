"""Printing: what the C++ text means is what the tree means. Numbers are read back by the compiler itself elsewhere."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import pytest
from printed_code import printed_lines

from snnlearn.codegen.clike.pieces import literal
from snnlearn.codegen.lower.expressions import Sum, Var
from snnlearn.codegen.plan import Code, Kernel, Neurons
from snnlearn.codegen.plan.parts import Accumulate, Load
from snnlearn.declare import NeuronModel, value_type
from snnlearn.dialect import check_model

FLOAT = value_type("scalar")


def as_float(text: str) -> float:
    return float(text.strip("()").removesuffix("f"))


def floats() -> list[float]:
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**32, 2000, dtype=np.uint32).view(np.float32)
    edges = [0.0, 1.0, 0.1, 1e-45, 1.17549435e-38, 3.4028234e38, 16777217.0, 1 / 3, 1e22]
    return [float(x) for x in bits if np.isfinite(x)] + edges


def test_single_precision_literals_are_exact() -> None:
    for value in floats():
        for signed in (value, -value):
            text = literal(signed, "float")
            assert text.strip("()").endswith("f")
            assert np.float32(as_float(text)) == np.float32(signed)
            assert re.fullmatch(r"\(?-?\d+(\.\d+)?(e[+-]?\d+)?f\)?", text), text
            assert "." in text or "e" in text


def test_double_precision_literals_are_exact() -> None:
    rng = np.random.default_rng(2)
    for value in [*rng.integers(0, 2**63, 2000).view(np.float64).tolist(), 5e-324, 1.7976931348623157e308, 0.1]:
        if np.isfinite(value):
            text = literal(value, "double")
            assert struct.pack("d", as_float(text)) == struct.pack("d", value)


@pytest.mark.parametrize(
    ("value", "vtype", "expected"),
    [
        (-1.5, "scalar", "(-1.5f)"),
        (-0.0, "scalar", "(-0.0f)"),
        (3, "scalar", "3.0f"),
        (1e300, "scalar", "snn::infinity<float>()"),
        (-1e300, "scalar", "(-snn::infinity<float>())"),
        (float("inf"), "double", "snn::infinity<double>()"),
        (1e-300, "scalar", "0.0f"),
        (7, "int", "7"),
        (-7, "int", "(-7)"),
        (7.0, "unsigned int", "7u"),
        (2**64 - 1, "uint64_t", "18446744073709551615ull"),
        (-(2**63), "int64_t", "(-9223372036854775807ll - 1)"),
        (-(2**31), "int", "(-2147483647 - 1)"),
        (1, "bool", "true"),
        (0, "bool", "false"),
        (200, "uint8_t", "200u"),
    ],
)
def test_literals(value: Any, vtype: str, expected: str) -> None:
    assert literal(value, value_type(vtype).ctype_for("float")) == expected


def printed(code: str, names: dict[str, str] | None = None, taken: tuple[str, ...] = (), **kwargs: Any) -> list[str]:
    """Print a neuron's sim_code with variables x, y, z, n (integer) and b (bool), and an array, store."""
    variables = ["x", "y", "z", ("n", "int"), ("b", "bool"), ("u", "unsigned int")]
    model = NeuronModel("M", vars=variables, extra_global_params=[("store", "scalar*")], sim_code=code)
    snippet = check_model(model).snippets["sim_code"]
    bound = {name: (names or {}).get(name, name) for name in snippet.names}
    piece = Code("title", snippet.tree, bound, **kwargs)
    loads = tuple(Load(new, FLOAT, f"array_{new}", "neuron") for new in bound.values())
    kernel = Kernel("k", "t", "timer", Neurons(1), (), loads, (), (piece,), (), frozenset())
    return printed_lines(piece, kernel, "float", taken)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = x - (y - z);", "x = x - (y - z);"),
        ("x = x - y - z;", "x = (x - y) - z;"),
        ("x = x / (y * z);", "x = x / (y * z);"),
        ("x = -(-x);", "x = -(-x);"),
        ("x = - -1.0;", "x = -(-1.0f);"),
        ("x = -(x + y) * z;", "x = (-(x + y)) * z;"),
        ("b = !(x < y) && z > 1.0 || b;", "b = ((!(x < y)) && (z > 1.0f)) || b;"),
        ("x = b ? y : b ? 1.0 : 2.0;", "x = b ? y : (b ? 1.0f : 2.0f);"),
        ("x = (b ? y : z) * 2.0;", "x = (b ? y : z) * 2.0f;"),
        ("x += y = z;", "x += y = z;"),
        ("n = (int)(x * 2.0) % 3;", "n = (int)(x * 2.0f) % 3;"),
        ("n <<= 2; n = ~n & 7 | 1 ^ n;", "n <<= 2;"),
        ("x = fmax(x, n);", "x = snn::fmax(x, (float)(n));"),
        ("x = pow(x, 2);", "x = snn::pow(x, (float)(2));"),
        ("n = abs(n) + max(n, 3);", "n = snn::abs(n) + snn::max(n, 3);"),
        ("n = abs(u);", "n = snn::abs((int)(u));"),
        ("x = scalbn(x, n);", "x = snn::scalbn(x, n);"),
        ("x = 1.5f + 1e3;", "x = 1.5f + 1000.0f;"),
        ("b++;", "(b = true);"),
        ("b--;", "(b ^= true);"),
        ("scalar id = 1.0;", "float v_id_local = 1.0f;"),
        ("store[n] += x;", "store[n] += x;"),
        ("store[0]--;", "store[0]--;"),
        ("n = 3u > u;", "n = 3u > u;"),
        ("x = dt * t;", "x = dt * t;"),
        ("x = id;", "x = i;"),
        ("x -= y -= 1.0;", "x -= y -= 1.0f;"),
    ],
)
def test_expressions(code: str, expected: str) -> None:
    text = printed(code, {"id": "id"}, scoped=False)[0]
    assert text.replace("(!(x < y))", "(!(x < y))") == expected or _same(text, expected), text


def _same(text: str, expected: str) -> bool:
    # A unary operator binds tighter than all others: its own parentheses may be left out.
    return text == expected.replace("(-(x + y))", "-(x + y)").replace("(!(x < y))", "!(x < y)")


def test_control_flow() -> None:
    text = "\n".join(
        printed(
            """
            for (int k = 0, l = 3; k < l; k++) { if (x > 1.0) continue; else x += k; }
            do { x -= 1.0; } while (x > 0.0);
            while (true) break;
            switch (n) { case 1: x = 1.0; case -2: y = 2.0; break; default: z = 3.0; }
            """,
            scoped=False,
        )
    )
    expected = ["int v_k = 0;", "int v_l = 3;", "for (; v_k < v_l; v_k++) {", "continue;", "else {"]
    expected += ["do {", "} while (x > 0.0f);", "while (true) {", "break;"]
    expected += ["switch (n) {", "case 1: {", "case (-2): {", "default: {"]
    for piece in expected:
        assert piece in text, text


def test_locals_step_aside_for_the_kernels_names_and_for_each_other() -> None:
    lines = printed(
        "scalar a = x; scalar i = a; scalar i_2 = i; { scalar a = i_2; x = a; }", taken=("v_a",), scoped=False
    )
    assert lines[:3] == ["float v_a_2 = x;", "float v_i = v_a_2;", "float v_i_2 = v_i;"]
    assert "    float v_a_3 = v_i_2;" in lines
    assert "    x = v_a_3;" in lines


def test_a_local_may_be_made_from_the_one_it_hides() -> None:
    lines = printed("scalar a = x; { scalar a = a + 1.0; x = a; }", scoped=False)
    assert "    float v_a_2 = v_a + 1.0f;" in lines


def test_a_local_that_hides_a_declared_name_has_another_name() -> None:
    lines = printed("y = x; scalar x = x + 1.0; { scalar x = x + 2.0; y = x; } y = x;", scoped=False)
    assert lines[:2] == ["y = x;", "float v_x_local = x + 1.0f;"]
    assert "    float v_x_local_2 = v_x_local + 2.0f;" in lines
    assert "    y = v_x_local_2;" in lines
    assert lines[-1] == "y = v_x_local;"


def test_a_local_without_a_value_starts_from_zero() -> None:
    assert printed("scalar a; x = a;", scoped=False)[0] == "float v_a = 0;"


def test_names_are_the_kernels() -> None:
    assert printed("x = y;", {"x": "S_x", "y": "V"}, scoped=True) == ["{", "    S_x = V;", "}"]


def test_actions_become_additions() -> None:
    kernel = Kernel("k", "t", "timer", Neurons(1), (), (), (), (), (), frozenset())
    from snnlearn.declare import WeightUpdateModel

    model = WeightUpdateModel("W", vars=["w"], pre_spike_syn_code="addToPost(w); addToPre(-w);")
    code = Code(
        "title",
        check_model(model).snippets["pre_spike_syn_code"].tree,
        {"w": "w"},
        {"addToPost": Accumulate("out_post", "post"), "addToPre": Accumulate("total", None)},
        scoped=False,
    )
    sums = {("out_post", "post"): Sum(Var("out_post", "float")[Var("j", "unsigned int")])}
    assert printed_lines(code, kernel, "float", sums=sums) == ["out_post[j] += w;", "total += -w;"]
