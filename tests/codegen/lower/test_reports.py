"""Whether a kernel can report an error follows from its nest."""

from __future__ import annotations

import pytest

from snnlearn import genn
from snnlearn.codegen.lower.gpu.schedule import schedule
from snnlearn.codegen.lower.reports import can_report, needs_fit
from snnlearn.codegen.plan import build_plan, with_checks
from snnlearn.declare import value_type
from snnlearn.genn.describe import describe


def reports(code: str, checked: bool = False) -> bool:
    model = genn.GeNNModel("float", "m", backend="cuda")
    model.dt = 1.0
    neuron = genn.create_neuron_model(
        "N", vars=[("x", "scalar"), ("n", "int"), ("d", "double")], sim_code=code, extra_global_params=[("e", "float*")]
    )
    population = model.add_neuron_population("A", 4, neuron, {}, {"x": 0.0, "n": 0, "d": 0.0})
    population.extra_global_params["e"].set_init_values([0.0] * 4)
    plan = build_plan(describe(model))
    made = schedule(with_checks(plan) if checked else plan, 32)
    (unit,) = (unit for unit in made.units if unit.name == "neuron_update_A")
    return can_report(unit)


@pytest.mark.parametrize(
    "code", ["x = 1.0;", "n = 3;", "x = e[id];", "x += exp(x);", "d = x;", "if (x > 1.0) { x = 0.0; }"]
)
def test_plain_code_reports_nothing(code: str) -> None:
    assert not reports(code)


def test_an_assertion_reports() -> None:
    assert reports("if (x > 1.0) { assert(x < 2.0); }")


def test_a_checked_index_reports_and_an_unchecked_one_does_not() -> None:
    assert reports("x = e[n];", checked=True)
    assert not reports("x = e[n];")


def test_numbers_that_may_not_fit_are_looked_at() -> None:
    scalar, double, integer = value_type("scalar"), value_type("double"), value_type("int")
    assert needs_fit(double, integer, "float")
    assert needs_fit(double, scalar, "float")
    assert not needs_fit(double, scalar, "double")
    assert not needs_fit(integer, scalar, "float")
