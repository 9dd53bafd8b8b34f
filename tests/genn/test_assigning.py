"""What is assigned once a model is loaded: only what the type holds, as before it is loaded."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import snnlearn.genn as genn
from snnlearn.errors import DialectError, NetworkError
from snnlearn.genn import GeNNModel

RANGES = {
    "uint8_t": "0 to 255",
    "int8_t": "-128 to 127",
    "int": "-2147483648 to 2147483647",
    "unsigned int": "0 to 4294967295",
    "int64_t": "-9223372036854775808 to 9223372036854775807",
    "uint64_t": "0 to 18446744073709551615",
    "bool": "0 to 1",
    "scalar": "-3.40282347e+38 to 3.40282347e+38",
    "double": "-1.79769313e+308 to 1.79769313e+308",
}
NAMES = {ctype: f"x_{ctype.replace(' ', '_')}" for ctype in RANGES}
NO_NUMBERS = [
    None,
    "3",
    1j,
    datetime.date(2020, 1, 1),
    np.datetime64("2020-01-01"),
    np.timedelta64(5, "ns"),
    Decimal(3),
    [1, None, 3],
    ["1", "2", "3"],
    [[1], [2, 3]],
    np.array([1, 2, 3], dtype=object),
    np.array([1, 2, 3], dtype=complex),
    np.array([1, 2, 3], dtype="M8[s]"),
    np.array([(1,), (2,), (3,)], dtype=[("n", int)]),
    np.ma.masked,
    np.ma.array([1, 2, 3], mask=[False, True, False]),
    {1: 2},
]
MISFITS: list[tuple[str, Any]] = [
    *(("uint8_t", value) for value in (300, -1, 1.7, np.nan, -0.5, 256.0, np.int16(-1), np.float32(255.5))),
    *(("int8_t", value) for value in (128, -129, np.uint8(200))),
    *(("int", value) for value in (2**31, -(2**31) - 1, 1.5, np.inf, -np.inf, 2.0**31, 2**70)),
    *(("unsigned int", value) for value in (-1, 2**32, 1e300)),
    *(("int64_t", value) for value in (2**63, 2.0**63, 0.5, -(2**63) - 1, np.uint64(2**63))),
    *(("uint64_t", value) for value in (2**64, -1, 2.0**64)),
    *(("bool", value) for value in (2, -1, 0.5, np.nan)),
    *(("scalar", value) for value in (1e300, -1e39, np.float64(3.5e38))),
]


@pytest.fixture(scope="module")
def loaded() -> Any:
    """A loaded model with a variable, an array and a dynamic parameter of each type."""
    neuron = genn.create_neuron_model(
        "N",
        params=[(f"p_{name}", ctype) for ctype, name in NAMES.items()],
        vars=[(name, ctype) for ctype, name in NAMES.items()],
        extra_global_params=[(f"e_{name}", f"{ctype}*") for ctype, name in NAMES.items()],
    )
    weights = genn.create_weight_update_model("W", vars=[(name, ctype) for ctype, name in NAMES.items()])
    model = GeNNModel("float", "assigning", threads=1)
    zeros = dict.fromkeys(NAMES.values(), 0)
    population = model.add_neuron_population("P", 3, neuron, dict.fromkeys((f"p_{n}" for n in zeros), 0), zeros)
    for name in zeros:
        population.set_param_dynamic(f"p_{name}")
        population.extra_global_params[f"e_{name}"].set_init_values([0, 0, 0])
    sparse = model.add_synapse_population(
        "S",
        "SPARSE",
        population,
        population,
        genn.init_weight_update(weights, {}, zeros),
        genn.init_postsynaptic("DeltaCurr"),
    )
    sparse.set_sparse_connections([0, 1, 1], [0, 0, 2])
    model.build()
    model.load()
    yield model
    model.unload()


def ways(model: GeNNModel, ctype: str) -> dict[str, Callable[[Any], None]]:
    """Return the ways to assign to what is of a type, by what messages call that."""
    population, name = model.neuron_populations["P"], NAMES[ctype]
    variable, array = population.vars[name], population.extra_global_params[f"e_{name}"]
    weights = model.synapse_populations["S"].vars[name]
    return {
        f"'P.{name}'": lambda x: setattr(variable, "values", x),
        f"'P.{name}' ": lambda x: setattr(variable, "view", x),
        f"'P.e_{name}'": lambda x: setattr(array, "values", x),
        f"'P.e_{name}' ": lambda x: setattr(array, "view", x),
        f"'S.{name}'": lambda x: setattr(weights, "values", x),
        f"'P': parameter 'p_{name}'": lambda x: population.set_dynamic_param_value(f"p_{name}", x),
    }


@pytest.mark.parametrize(("ctype", "value"), MISFITS, ids=str)
def test_what_a_type_cannot_hold(loaded: GeNNModel, ctype: str, value: Any) -> None:
    for what, assign in ways(loaded, ctype).items():
        given: list[Any] = [value]
        if "parameter" not in what:
            given += [[0, value, 0], np.array([0, 0, value]), (value, 0, 0)]
        for numbers in given:
            with pytest.raises(NetworkError) as caught:
                assign(numbers)
            text = str(caught.value)
            assert text.startswith(what.strip())
            assert f"of type '{ctype}'" in text
            assert RANGES[ctype] in text
            shown = {str(value), str(float(value)), repr(numbers)}
            assert any(x in text for x in shown), text


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda x: type(x).__name__)
def test_what_is_no_number(loaded: GeNNModel, value: Any) -> None:
    for ctype in ("uint8_t", "scalar", "bool", "double"):
        for what, assign in ways(loaded, ctype).items():
            with pytest.raises(NetworkError) as caught:
                assign(value)
            text = str(caught.value)
            kind = "a number" if "parameter" in what else "an array of numbers"
            assert text.startswith(f"{what.strip()} must be {kind}, not ")
            assert text.endswith(f": it is of type '{ctype}', which holds {RANGES[ctype]}")


@pytest.mark.parametrize(
    ("ctype", "values"),
    [
        ("uint8_t", [0, 255.0, True]),
        ("int", [-(2**31), 2.0**31 - 1.0, 300.0]),
        ("int64_t", [2**63 - 1, -(2**63), 2**53 + 1]),
        ("uint64_t", [2**64 - 1, 0, 1]),
        ("uint64_t", np.array([2**64 - 1, 0, 1], dtype=np.uint64)),
        ("uint64_t", [True, False, True]),
        ("uint64_t", np.array([True, False, True])),
        ("bool", [1.0, 0, True]),
        ("scalar", [np.inf, -np.inf, 3.4e38]),
        ("scalar", [2**64, -(2**70), 1]),
        ("double", [1e300, -1e-300, 2**53]),
        ("double", [10**300, -(2**64), 2**63]),
        ("unsigned int", np.ma.array([1, 2, 3], mask=False)),
        ("unsigned int", np.array([1, 2, 3], dtype=">i2")),
    ],
    ids=str,
)
def test_what_fits(loaded: GeNNModel, ctype: str, values: Any) -> None:
    population, name = loaded.neuron_populations["P"], NAMES[ctype]
    arrays = (
        population.vars[name],
        population.extra_global_params[f"e_{name}"],
        loaded.synapse_populations["S"].vars[name],
    )
    for array in arrays:
        array.values = 0
        array.values = values
        right = np.array(list(values), dtype=object).astype(array.values.dtype)
        np.testing.assert_array_equal(array.values, right)
        array.push_to_device()
        array.values = 0
        array.pull_from_device()
        np.testing.assert_array_equal(array.values, right)
    for value in list(values):
        population.set_dynamic_param_value(f"p_{name}", value)


def test_not_a_number_marks_elements_of_floating_types(loaded: GeNNModel) -> None:
    variable = loaded.neuron_populations["P"].vars["x_scalar"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        variable.values = [0.0, np.nan, np.inf]
        variable.values = np.array([0.0, np.nan, -np.inf])
    np.testing.assert_array_equal(variable.values, np.float32([0.0, np.nan, -np.inf]))
    with pytest.raises(NetworkError, match="parameter 'p_x_scalar' must be a number, not nan: it is of type 'scalar'"):
        loaded.neuron_populations["P"].set_dynamic_param_value("p_x_scalar", np.nan)


def test_values_stay_as_they_are_where_some_do_not_fit(loaded: GeNNModel) -> None:
    variable = loaded.neuron_populations["P"].vars["x_uint8_t"]
    variable.values = [1, 2, 3]
    with pytest.raises(NetworkError, match=r"'P.x_uint8_t' is of type 'uint8_t', which cannot hold 300 \(index 2\)"):
        variable.values = [4, 5, 300]
    assert variable.values.tolist() == [1, 2, 3]


def test_what_was_written_into_a_view_of_truth_values(loaded: GeNNModel) -> None:
    population = loaded.neuron_populations["P"]
    for array in (population.vars["x_bool"], population.extra_global_params["e_x_bool"]):
        array.view.view(np.uint8)[1] = 2
        with pytest.raises(NetworkError, match=r"x_bool' is of type 'bool', which cannot hold 2 \(index 1\)"):
            array.push_to_device()
        array.values = [True, False, True]
        array.push_to_device()


def test_arrays_before_load() -> None:
    neuron = genn.create_neuron_model("N", vars=[("n", "uint8_t"), "x"], extra_global_params=[("e", "int*")])
    model = GeNNModel("float", "before", threads=1)
    population = model.add_neuron_population("P", 3, neuron, {}, {"n": 0, "x": 0.0})
    for variable, values in [("n", [0, 300, 0]), ("n", 1.5), ("x", [0.0, 1e300, 0.0]), ("x", 1e39), ("x", [1j, 0, 0])]:
        with pytest.raises(NetworkError, match=f"initial value of '{variable}' .*of type '(uint8_t|scalar)', which"):
            population.vars[variable].set_init_values(values)
    masked = np.ma.array([[1, 2, 3]], mask=[[False, True, False]])
    for two_dimensional in (masked, [[1, 2, 300]], np.full((2, 3), -1)):
        with pytest.raises(NetworkError, match=r"initial value of 'n' .*of type 'uint8_t', which"):
            population.vars["n"].set_init_values(two_dimensional)
    for given in ([1, 2**31], [1.5], [np.inf], "3", [2**70]):
        with pytest.raises(NetworkError, match=r"extra global parameter 'e' .*of type 'int', which"):
            population.extra_global_params["e"].set_init_values(given)


def test_connections() -> None:
    neuron = genn.create_neuron_model("N")
    model = GeNNModel("float", "connections", threads=1)
    population = model.add_neuron_population("P", 3, neuron, {}, {})
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        population,
        population,
        genn.init_weight_update("StaticPulseConstantWeight", {"g": 1.0}),
        genn.init_postsynaptic("DeltaCurr"),
    )
    for given in ([0, -1], [0, 3], [0, 2**40], [0.0, 1.5], ["0", "1"], [[0], [1, 2]], np.ma.array([0, 1], mask=[0, 1])):
        with pytest.raises(NetworkError, match="presynaptic ind"):
            s.set_sparse_connections(given, [0, 1])


def test_parameters_of_initialisers_fit_the_network() -> None:
    neuron = genn.create_neuron_model("N", vars=["x", ("n", "int")])
    first = {"x": 0.0, "n": 0}
    halves = genn.create_var_init_snippet("Halves", var_init_code="value = id % 2; value %= 2;")
    for precision in ("float", "double"):
        model = GeNNModel(precision, "initialisers", threads=1)
        wide = {**first, "x": genn.init_var("Uniform", {"min": 0.0, "max": 1e300})}
        if precision == "double":
            model.add_neuron_population("P", 3, neuron, {}, wide)
        else:
            with pytest.raises(
                NetworkError, match="'x', initialiser 'Uniform': parameter 'max' is of type 'scalar', which"
            ):
                model.add_neuron_population("P", 3, neuron, {}, wide)
        model.add_neuron_population("Q", 3, neuron, {}, {**first, "n": genn.init_var(halves)})
        with pytest.raises(
            DialectError, match="model 'Halves', var_init_code, line 1: '%=' needs integers, not scalar"
        ):
            model.add_neuron_population("R", 3, neuron, {}, {**first, "x": genn.init_var(halves)})
