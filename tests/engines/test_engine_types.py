"""Every type of variable, in both precisions, and numbers at the edge of what a type holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.genn import create_custom_update_model, create_neuron_model, create_var_ref

INTEGERS = ["int8_t", "uint8_t", "int16_t", "uint16_t", "int", "unsigned int", "int64_t", "uint64_t"]
SIZE = 33


@pytest.mark.parametrize("precision", ["float", "double"])
def test_variables_of_every_type_start_count_and_wrap(engine: Any, start: Any, precision: str) -> None:
    names = {name.replace(" ", "_") + "_v": name for name in INTEGERS}
    neuron = create_neuron_model(
        "Types",
        vars=[
            *names.items(),
            ("flag", "bool"),
            ("up", "bool"),
            ("x", "scalar"),
            ("single", "float"),
            ("wide", "double"),
        ],
        sim_code="".join(f"{name}++; " for name in names)
        + "flag = !flag; up++; x = x / 3.0; single = single / 3.0f; wide = wide / 3.0;",
    )
    model = engine.model(precision=precision)
    given: dict[str, Any] = {}
    for name, ctype in names.items():
        dtype = {"int": "int32", "unsigned int": "uint32"}.get(ctype, ctype.removesuffix("_t"))
        given[name] = int(np.iinfo(dtype).max) if dtype.startswith("u") else int(np.iinfo(dtype).max) - 1
    flags = np.arange(SIZE) % 2 == 0
    given |= {"flag": flags, "up": flags, "x": 1.0, "single": 1.0, "wide": 1.0}
    population = model.add_neuron_population("P", SIZE, neuron, {}, given)
    start(model)
    for name in names:
        assert set(population.vars[name].view) == {given[name]}, "initial values are exact to the largest"
    model.step_time()
    for variable in population.vars.values():
        variable.pull_from_device()
    for name, ctype in names.items():
        # Unsigned integers wrap to zero; signed ones reach their largest value.
        assert set(population.vars[name].view) == {0 if ctype.startswith("u") else given[name] + 1}, name
    np.testing.assert_array_equal(population.vars["flag"].view, ~flags)
    assert population.vars["up"].view.all()
    scalar = np.float32 if precision == "float" else np.float64
    assert population.vars["x"].view.dtype == scalar
    for name, kind in [("x", scalar), ("single", np.float32), ("wide", np.float64)]:
        # A quotient by a literal is never rewritten.
        np.testing.assert_array_equal(population.vars[name].view, np.full(SIZE, kind(1) / kind(3)))


def test_infinite_and_extreme_parameters(engine: Any, start: Any) -> None:
    update = create_custom_update_model(
        "Clip",
        params=["low", "high", "tiny", "huge", "dynamic"],
        var_refs=["x"],
        update_code="x = fmin(high, fmax(low, x)); x += tiny * 0.0; x += 1.0 / huge; x += 1.0 / low; x += dynamic;",
    )
    neuron = create_neuron_model("N", vars=["x"])
    model = engine.model()
    population = model.add_neuron_population("P", 3, neuron, {}, {"x": np.array([-1.0, 0.0, 1e38])})
    params = {"low": -np.inf, "high": np.inf, "tiny": 1e-300, "huge": np.inf, "dynamic": 0.0}
    clip = model.add_custom_update("C", "G", update, params, {}, {"x": create_var_ref(population, "x")})
    clip.set_param_dynamic("dynamic")
    start(model)
    model.custom_update("G")
    population.vars["x"].pull_from_device()
    np.testing.assert_array_equal(population.vars["x"].view, np.float32([-1.0, 0.0, 1e38]))
    clip.set_dynamic_param_value("dynamic", np.inf)
    model.custom_update("G")
    population.vars["x"].pull_from_device()
    assert np.isposinf(population.vars["x"].view).all()


def test_nan_and_signed_zero_keep_their_meaning(engine: Any, start: Any) -> None:
    neuron = create_neuron_model(
        "NaN",
        params=["zero"],
        vars=["x", "larger", "smaller", "quotient", "same"],
        sim_code="""
        x = zero / zero;
        larger = fmax(x, 2.0) + fmax(2.0, x);
        smaller = fmin(x, 2.0) + fmin(2.0, x);
        quotient = 1.0 / copysign(0.0, -1.0);
        same = x == x ? 1.0 : 0.0;
        """,
    )
    model = engine.model()
    zeros = dict.fromkeys(["x", "larger", "smaller", "quotient", "same"], 0.0)
    population = model.add_neuron_population("P", 17, neuron, {"zero": 0.0}, zeros)
    start(model)
    model.step_time()
    values = {}
    for name, variable in population.vars.items():
        variable.pull_from_device()
        values[name] = set(variable.view.tolist())
    assert np.isnan(population.vars["x"].view).all()
    assert (values["larger"], values["smaller"]) == ({4.0}, {4.0}), "the number wins, as in C"
    assert values["quotient"] == {-np.inf}
    assert values["same"] == {0.0}


def test_denormals_are_flushed_unless_asked_not_to(engine: Any, start: Any) -> None:
    neuron = create_neuron_model("Decay", vars=["x", "y"], sim_code="x *= 0.5; y = x * 1.0e10;")
    seen = []
    for flush in (True, False):
        model = engine.model(flush_denormals=flush)
        population = model.add_neuron_population("P", 40, neuron, {}, {"x": 2.0**-126, "y": 0.0})
        start(model)
        model.step_time()
        for variable in population.vars.values():
            variable.pull_from_device()
        seen.append((population.vars["x"].view[0], population.vars["y"].view[0] > 0.0))
    assert seen == [(0.0, False), (np.float32(2.0**-127), True)]
