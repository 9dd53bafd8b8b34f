"""Numbers and arrays, checked against the type that has to hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.declare import NeuronModel, VarInitSnippet, value_type
from snnlearn.declare.types import TYPE_NAMES
from snnlearn.errors import DialectError, NetworkError
from snnlearn.models import Constant, Uniform
from snnlearn.network import VarInit, derive_params
from snnlearn.network.values import as_array, as_initial_value, as_number, check_keys, check_params

MODEL: Any = NeuronModel("m", params=["tau", ("n", "unsigned int"), ("on", "bool")])
GOOD = {"tau": 1.0, "n": 3, "on": True}


@pytest.mark.parametrize("value", [3, 2.5, True, np.float32(0.5), np.int8(4), np.array(7.0), float("inf"), 10**30])
def test_numbers(value: Any) -> None:
    number = as_number(value, "it")
    assert number == value
    assert type(number) in (int, float, bool)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("3", "it must be a number, not '3'"),
        (None, "it must be a number, not None"),
        (float("nan"), "it must be a number, not nan"),
        (np.float32("nan"), "it must be a number, not nan"),
        (1j, "it must be a number"),
        ([1.0], "it must be a number"),
        (np.array([1.0]), "it must be a number"),
        (10**400, "it is too large for a number"),
        (-(10**400), "it is too large for a number"),
    ],
)
def test_what_is_no_number(value: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=f"^{message}"):
        as_number(value, "it")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"taus": 1.0}, "owner: unknown parameter 'taus'; did you mean 'tau'\\?"),
        ({3: 1.0}, "owner: unknown parameter '3'"),
        ({"tau": "10"}, "owner: parameter 'tau' must be a number, not '10'"),
        ({"n": 2.5}, "owner: parameter 'n' is of type 'unsigned int', which cannot hold 2.5"),
        ({"n": -1}, "owner: parameter 'n' is of type 'unsigned int', which cannot hold -1"),
        ({"n": 2**32}, "which cannot hold 4294967296"),
        ({"n": float("inf")}, "which cannot hold inf"),
        ({"on": 2}, "owner: parameter 'on' is of type 'bool', which cannot hold 2"),
    ],
)
def test_parameters_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        check_params(MODEL, GOOD | changes, "owner")


def test_parameters() -> None:
    params = check_params(MODEL, GOOD, "owner")
    assert params == GOOD
    with pytest.raises(TypeError, match="does not support item assignment"):
        params["tau"] = 2.0
    with pytest.raises(NetworkError, match="owner: no value for parameter 'n', 'on'"):
        check_params(MODEL, {"tau": 1.0}, "owner")


@pytest.mark.parametrize("given", [None, [("a", 1)], "a", 3])
def test_values_come_by_name(given: Any) -> None:
    with pytest.raises(NetworkError, match="owner: parameter values must be a mapping of names"):
        check_keys(given, ["a"], "parameter", "owner")


def test_derived_parameters() -> None:
    model: Any = NeuronModel("m", derived_params=[("half", lambda p, dt: p["x"] * np.float64(dt) / 2)])
    assert derive_params(model, {"x": 3.0}, 0.5, "owner") == {"half": 0.75}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, dt: 1 / 0, "cannot be computed: ZeroDivisionError: division by zero"),
        (lambda p, dt: p["typo"], "cannot be computed: KeyError: 'typo'"),
        (lambda p: 1, "cannot be computed: TypeError"),
        (lambda p, dt: None, "must be a number, not None"),
        (lambda p, dt: float("nan"), "must be a number, not nan"),
        (lambda p, dt: [1.0], "must be a number"),
    ],
)
def test_derived_parameters_that_fail_are_named(function: Any, message: str) -> None:
    model: Any = NeuronModel("m", derived_params=[("bad", function)])
    with pytest.raises(NetworkError, match=f"^owner: derived parameter 'bad' of model 'm' {message}"):
        derive_params(model, {}, 0.1, "owner")


def test_derived_parameters_cannot_change_the_parameters() -> None:
    model: Any = NeuronModel("m", derived_params=[("d", lambda p, dt: p.pop("x"))])
    params = {"x": 1.0}
    derive_params(model, params, 0.1, "owner")
    assert params == {"x": 1.0}


# ---- arrays ----


@pytest.mark.parametrize("precision", ["float", "double"])
@pytest.mark.parametrize("name", TYPE_NAMES)
def test_arrays_of_every_type_hold_their_extremes_and_nothing_beyond(name: str, precision: Any) -> None:
    vtype = value_type(name)
    dtype = np.dtype(vtype.dtype_for(precision))
    if dtype.kind == "f":
        low, high = float(np.finfo(dtype).min), float(np.finfo(dtype).max)
        beyond = [1e39] if dtype.itemsize == 4 else []
    elif dtype.kind == "b":
        low, high, beyond = 0, 1, [2, -1, 0.5]
    else:
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        beyond = [low * 2.0 - 2.0, high + 1.0, 0.5, float("inf"), float("-inf")]
    array = as_array(np.array([low, high], dtype), 2, vtype, precision, "it")
    assert array.dtype == dtype
    assert [array[0], array[1]] == [low, high]
    for value in beyond:
        with pytest.raises(NetworkError, match=r"it is of type '.*', which cannot hold .* \(index 1\)"):
            as_array(np.array([0.0, value]), None, vtype, precision, "it")


def test_an_array_is_a_copy() -> None:
    given = np.zeros(3, np.float32)
    array = as_array(given, 3, value_type("float"), "float", "it")
    given[0] = 1.0
    assert array[0] == 0.0


@pytest.mark.parametrize("given", [[1, 2, 3], (1.0, 2.0, 3.0), np.arange(1, 4, dtype=np.int8), range(1, 4)])
def test_sequences_of_numbers_will_do(given: Any) -> None:
    np.testing.assert_array_equal(as_array(given, 3, value_type("int"), "float", "it"), [1, 2, 3])


def test_infinity_is_kept_and_an_empty_array_fits_where_any_length_does() -> None:
    assert as_array([np.inf], 1, value_type("scalar"), "float", "it")[0] == np.inf
    assert as_array([], None, value_type("int"), "float", "it").size == 0


@pytest.mark.parametrize(
    ("given", "size", "message"),
    [
        ([1, 2], 3, r"it must have shape \(3,\), not shape \(2,\)"),
        ([[1, 2, 3]], 3, r"it must have shape \(3,\), not shape \(1, 3\)"),
        ([[1], [2]], None, r"it must have one dimension, not shape \(2, 1\)"),
        ([1, [2, 3]], 2, "it must be an array of numbers"),
        (["a", "b"], 2, "it must be an array of numbers"),
        ([None, 1], 2, "it must be an array of numbers"),
        ([1j, 1], 2, "it must be an array of numbers"),
        ([10**400, 1], 2, "it must be an array of numbers"),
        ([0.0, np.nan], 2, r"it contains NaN \(first at index 1\)"),
    ],
)
def test_arrays_refused(given: Any, size: int | None, message: str) -> None:
    with pytest.raises(NetworkError, match=f"^{message}"):
        as_array(given, size, value_type("scalar"), "float", "it")


# ---- initial values ----


@pytest.mark.parametrize("given", [2, 2.0, np.float32(2.0), np.array(2.0)])
def test_a_number_becomes_a_constant(given: Any) -> None:
    init = as_initial_value(given, 5, value_type("int"), "float", "it")
    assert isinstance(init, VarInit)
    assert (init.snippet, dict(init.params)) == (Constant, {"constant": 2.0})


def test_nothing_becomes_zero() -> None:
    init = as_initial_value(None, 5, value_type("int"), "float", "it")
    assert isinstance(init, VarInit)
    assert (init.snippet, dict(init.params)) == (Constant, {"constant": 0})


def test_an_array_may_have_a_row_for_each_copy_of_a_batch() -> None:
    array = as_initial_value(np.arange(6).reshape(2, 3), 3, value_type("int"), "float", "it")
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(NetworkError, match=r"it must have shape \(3,\), not shape \(3, 2\)"):
        as_initial_value(np.zeros((3, 2)), 3, value_type("int"), "float", "it")


def test_an_initialiser_stays_and_an_array_is_checked() -> None:
    init = VarInit(Uniform, {"min": 0.0, "max": 1.0})
    assert as_initial_value(init, 5, value_type("scalar"), "float", "it") is init
    array = as_initial_value([1.0, 2.0], 2, value_type("scalar"), "double", "it")
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float64


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (2.5, "it is of type 'int', which cannot hold 2.5"),
        (2**31, "it is of type 'int', which cannot hold 2147483648"),
        ("2", "it must be a number, not '2'"),
        ({"a": 1}, "it must be a number"),
        ([1, [2]], "it must be an array of numbers"),
        ([1, 2, 3], r"it must have shape \(2,\)"),
    ],
)
def test_initial_values_refused(given: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=f"^{message}"):
        as_initial_value(given, 2, value_type("int"), "float", "it")


def test_initialisers_are_checked_when_they_are_made() -> None:
    with pytest.raises(NetworkError, match="initialiser 'Uniform': no value for parameter 'max'"):
        VarInit(Uniform, {"min": 0.0})
    with pytest.raises(NetworkError, match="an initialiser needs a VarInitSnippet, not 'Uniform'"):
        VarInit("Uniform", {})
    with pytest.raises(DialectError, match="model 'bad', var_init_code, line 1: unknown name 'valu'"):
        VarInit(VarInitSnippet("bad", var_init_code="valu = 1;"), {})
