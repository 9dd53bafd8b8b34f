"""A parameter that leaves an integer division without a result is refused, unless a condition may guard it."""

from __future__ import annotations

import pytest

from snnlearn.codegen.plan import build_plan
from snnlearn.errors import NetworkError
from snnlearn.genn import GeNNModel, create_neuron_model


def build(code: str, n: int, dynamic: bool = False) -> None:
    neuron = create_neuron_model("Divides", params=[("n", "int")], vars=[("m", "int"), "V"], sim_code=code)
    model = GeNNModel("float", "m")
    p = model.add_neuron_population("P", 1, neuron, {"n": n}, {"m": 0, "V": 0.0})
    if dynamic:
        p.set_param_dynamic("n")
    build_plan(model._describe())


ALWAYS = [
    ("m = 7 / n;", 0),
    ("m %= n * 2;", 0),
    ("V = V + 1 / (n - 3);", 3),
    ("if (7 / n > 2) { V = 1.0; }", 0),
    ("for (int i = 0; i < 7 / n; i++) { V = 1.0; }", 0),
    ("while (V < 7 % n) { V = 1.0; }", 0),
    ("switch (7 / n) { case 1: V = 1.0; }", 0),
    ("{ int k = 7 / n; V = k; }", 0),
    ("V = (7 / n > 2 && m == 1) ? 1.0 : 2.0;", 0),
    ("m = (-2147483647 - 1) / n;", -1),
]


@pytest.mark.parametrize(("code", "n"), ALWAYS)
def test_what_always_runs_is_refused(code: str, n: int) -> None:
    with pytest.raises(NetworkError, match=rf"model 'Divides', sim_code, line 1: .*: 'n' is {n}\n"):
        build(code, n)
    build(code, 4)
    build(code, n, dynamic=True)


@pytest.mark.parametrize(
    "code",
    [
        "V = n != 0 ? 7 / n : 0;",
        "if (n != 0) { m = 7 / n; }",
        "if (n != 0 && 7 / n > 2) { m = 7; }",
        "for (int i = 0; i < n; i++) { m = i / n; }",
        "while (n > 0) { m = 7 / n; }",
        "switch (n) { case 1: m = 7 / n; }",
        "V = V / n;",
    ],
)
def test_what_may_be_guarded_is_not(code: str) -> None:
    build(code, 0)
