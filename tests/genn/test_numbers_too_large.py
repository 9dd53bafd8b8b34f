"""A number that single precision would make infinite, or a timestep that it would make 0, is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.codegen.plan import Plan, build_plan
from snnlearn.errors import NetworkError
from snnlearn.genn.describe import describe

HUGE = 1e300
RANGE = r"which cannot hold 1e\+300, but numbers from -3\.40282347e\+38 to 3\.40282347e\+38"


def neurons(model: Any, code: str = "x += p;", p: float = 1.0, **declared: Any) -> Any:
    model_ = genn.create_neuron_model("N", params=["p"], vars=["x"], sim_code=code, **declared)
    return model.add_neuron_population("P", 2, model_, {"p": p}, {"x": 0.0})


def connect(model: Any, weight: float = 1.0, tau: float = 5.0, connectivity: float = 1.0) -> None:
    a = neurons(model)
    rule = genn.create_weight_update_model("W", params=["g"], pre_spike_syn_code="addToPost(g);")
    rows = genn.create_sparse_connect_init_snippet("Rows", params=["c"], row_build_code="if (c > 2.0) addSynapse(0);")
    model.add_synapse_population(
        "S",
        "SPARSE",
        a,
        a,
        genn.init_weight_update(rule, {"g": weight}),
        genn.init_postsynaptic("ExpCurr", {"tau": tau}),
        genn.init_sparse_connectivity(rows, {"c": connectivity}),
    )


def current(model: Any) -> None:
    model.add_current_source("C", "DC", neurons(model), {"amp": HUGE}, {})


def update(model: Any) -> None:
    add = genn.create_custom_update_model("Add", params=["p"], var_refs=["x"], update_code="x += p;")
    model.add_custom_update("U", "G", add, {"p": HUGE}, {}, {"x": genn.create_var_ref(neurons(model), "x")})


def derived(model: Any) -> None:
    neurons(model, "x += d;", derived_params=[("d", lambda pars, dt: HUGE * pars["p"])])


def timestep(model: Any, dt: float) -> None:
    model.dt = dt
    neurons(model)


CASES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "neurons": (lambda m: neurons(m, p=HUGE), f"neuron population 'P': parameter 'p' is of type 'scalar', {RANGE}"),
    "weights": (
        lambda m: connect(m, weight=HUGE),
        f"synapse population 'S': parameter 'g' is of type 'scalar', {RANGE}",
    ),
    "inputs": (lambda m: connect(m, tau=HUGE), f"synapse population 'S': parameter 'tau' is of type 'scalar', {RANGE}"),
    "connectivity": (
        lambda m: connect(m, connectivity=HUGE),
        f"synapse population 'S', connectivity 'Rows': parameter 'c' is of type 'scalar', {RANGE}",
    ),
    "current": (current, f"current source 'C': parameter 'amp' is of type 'scalar', {RANGE}"),
    "update": (update, f"custom update 'U': parameter 'p' is of type 'scalar', {RANGE}"),
    "derived": (derived, f"'P': derived parameter 'd' of model 'N' is of type 'scalar', {RANGE}"),
    "code": (
        lambda m: neurons(m, "x += p + 1e300;"),
        "P: sim_code: 1e300 is of type 'scalar', which holds -3.40282347e.38 to 3.40282347e.38",
    ),
    "timestep": (lambda m: timestep(m, HUGE), r"dt must be in \(0, inf\), but 1e\+300 is inf in single precision"),
    "small": (lambda m: timestep(m, 1e-60), r"dt must be in \(0, inf\), but 1e-60 is 0 in single precision"),
}


def plan(precision: str, describe_it: Callable[[Any], Any]) -> Plan:
    model = genn.GeNNModel(precision, "large", backend="cpu")
    model.dt = 1.0
    describe_it(model)
    return build_plan(describe(model))


@pytest.mark.parametrize("case", CASES)
def test_single_precision_has_no_place_for_it_and_double_precision_has(case: str) -> None:
    describe_it, message = CASES[case]
    with pytest.raises(NetworkError, match=message):
        plan("float", describe_it)
    plan("double", describe_it)


def test_the_largest_as_it_is_printed_and_infinity_are_numbers() -> None:
    for value in (3.4028235e38, float(np.finfo(np.float32).max), np.inf, -np.inf):
        plan("float", lambda m, value=value: neurons(m, "x += p + 3.4028235e38;", value))
    with pytest.raises(NetworkError, match=r"cannot hold 3[.]4028236e"):
        plan("float", lambda m: neurons(m, p=3.4028236e38))
