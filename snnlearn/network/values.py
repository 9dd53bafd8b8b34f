"""Numbers and arrays given by the user, checked against what the models declare."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.attributes import frozen
from snnlearn.declare import Model, Param, Precision, ValueType, VarInitSnippet, value_type
from snnlearn.declare.types import holds, limits, range_text
from snnlearn.dialect import check_initialiser, check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.models import Constant

InitialValue = Union["VarInit", NDArray[Any]]
_LONGEST = 60  # characters of a value that is shown in a message


def check_keys(given: object, expected: Iterable[str], what: str, owner: str) -> None:
    """Raise NetworkError unless exactly the expected names are given.

    Parameters
    ----------
    given : mapping by name
    expected : names
    what : str
        For the message, e.g. ``"parameter"``.
    owner : str
        Whose they are, e.g. ``"neuron population 'Hidden'"``.
    """
    if not isinstance(given, Mapping):
        raise NetworkError(f"{owner}: {what} values must be a mapping of names, not {given!r}")
    names = list(expected)
    for name in given:
        if name not in names:
            raise NetworkError(f"{owner}: unknown {what} '{name}'{did_you_mean(str(name), names)}")
    missing = [name for name in names if name not in given]
    if missing:
        raise NetworkError(f"{owner}: no value for {what} {', '.join(map(repr, missing))}")


def check_params(
    model: Model, params: Mapping[str, Any], owner: str, precision: Precision = "double"
) -> Mapping[str, float]:
    """Return the parameters as a read-only mapping of numbers, one for each that the model declares.

    Raises
    ------
    NetworkError
        For unknown and missing names, and as `check_param`.
    """
    check_keys(params, [p.name for p in model.params], "parameter", owner)
    return MappingProxyType({p.name: check_param(p, params[p.name], owner, precision) for p in model.params})


def check_together(model: Model, params: Mapping[str, float], owner: str) -> None:
    """Raise NetworkError for parameters that do not go together, though each is what its declaration wants."""
    check = getattr(model, "check_params_func", None)
    fault = check(params) if check is not None else ""
    if fault:
        raise NetworkError(f"{owner}: {fault}")


def check_param(param: Param, value: Any, owner: str, precision: Precision) -> float:
    """Return a parameter's value as a plain number.

    Raises
    ------
    NetworkError
        For a value that is no number, is NaN, does not fit the parameter's type, or is not in its interval; also where
        only this precision makes it so: a finite number is not to become infinite.
    """
    what, vtype = f"{owner}: parameter '{param.name}'", value_type(param.type)
    number = _number(value, vtype, what, precision)
    if vtype.kind != "float":
        _check_range(number, vtype, what, precision)
    fault = param.fault(number, precision)
    if fault is not None:
        raise NetworkError(f"{what} {fault}")
    if vtype.kind == "float":  # behind the interval, which says more of what is allowed
        _check_range(number, vtype, what, precision)
    return number


def typed_number(value: Any, vtype: ValueType, what: str, precision: Precision = "double") -> float:
    """Return a plain number that a type can hold.

    Raises
    ------
    NetworkError
        If the value is no number, is NaN, or does not fit: a finite one that would be infinite does not.
    """
    number = _number(value, vtype, what, precision)
    _check_range(number, vtype, what, precision)
    return number


def _number(value: Any, vtype: ValueType, what: str, precision: Precision) -> float:
    try:
        return as_number(value, what)
    except NetworkError as error:
        raise NetworkError(f"{error}{_holder(vtype.name, np.dtype(vtype.dtype_for(precision)))}") from None


def _check_range(number: float, vtype: ValueType, what: str, precision: Precision) -> None:
    dtype = np.dtype(vtype.dtype_for(precision))
    if not holds(dtype, number):
        raise _out_of_range(number, dtype, vtype.name, what)


def as_number(value: Any, what: str) -> float:
    """Return a plain number (``int`` stays ``int``).

    Raises
    ------
    NetworkError
        If the value is not a real number, is NaN, or is an integer beyond all floating-point numbers.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0 and value is not np.ma.masked:
        value = value[()]
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        value = float(value) if value.dtype.kind == "f" else value.item()
    if not isinstance(value, (int, float)) or value != value:
        raise NetworkError(f"{what} must be a number, not {_shortened(value)}")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise NetworkError(f"{what} is too large for a number")
    return value


def derive_params(
    model: Model, params: Mapping[str, float], dt: float, owner: str, precision: Precision = "double"
) -> dict[str, float]:
    """Compute a model's derived parameters; ``dt`` in ms.

    Raises
    ------
    NetworkError
        If a function fails, or gives no number or one that its type cannot hold; names it.
    """
    derived = {}
    for d in model.derived_params:
        what = f"{owner}: derived parameter '{d.name}' of model '{model.name}'"
        try:
            value = d.func(dict(params), dt)
        except Exception as error:
            raise NetworkError(f"{what} cannot be computed: {type(error).__name__}: {error}") from error
        derived[d.name] = typed_number(value, value_type(d.type), what, precision)
    return derived


@frozen
@dataclass(frozen=True, eq=False)
class VarInit:
    """A snippet that makes initial values, with its parameters.

    ``extra_global_params`` may be given later, but before the simulation is loaded.
    """

    snippet: VarInitSnippet
    params: Mapping[str, float]
    extra_global_params: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.snippet, VarInitSnippet):
            raise NetworkError(f"an initialiser needs a VarInitSnippet, not {self.snippet!r}")
        check_model(self.snippet)
        owner = f"initialiser '{self.snippet.name}'"
        object.__setattr__(self, "params", check_params(self.snippet, self.params, owner))
        check_together(self.snippet, self.params, owner)


def as_initial_value(given: Any, size: int | None, vtype: ValueType, precision: Precision, what: str) -> InitialValue:
    """Turn a number, an array or an initialiser into one that fits a variable.

    Parameters
    ----------
    given : number, array of shape (size,) or (batch_size, size), VarInit, or None for zeros
    size : int or None
        How many values the variable has; None where that is not known yet.
    vtype : ValueType
        The variable's type.
    precision : {"float", "double"}
        What ``scalar`` means.
    what : str
        The variable, for messages.

    Raises
    ------
    NetworkError
        For another shape, for values that the type cannot hold, and for parameters of an initialiser that ``scalar``
        cannot hold.
    DialectError
        For an initialiser's code that has no meaning for a variable of this type.
    """
    if isinstance(given, VarInit):
        _check_for(given, vtype, precision, what)
        return given
    if given is None:
        return VarInit(Constant, {"constant": 0})
    if not isinstance(given, (list, tuple)) and np.ndim(given) == 0:
        return VarInit(Constant, {"constant": typed_number(given, vtype, what, precision)})
    if _has_two_dimensions(given) and size in (None, np.shape(given)[-1]):
        return _as_own_numbers(given, np.dtype(vtype.dtype_for(precision)), vtype.name, what)
    return as_array(given, size, vtype, precision, what, any_float=True)


def _check_for(init: VarInit, vtype: ValueType, precision: Precision, what: str) -> None:
    """Raise an error unless an initialiser can be one of a variable of this type."""
    check_initialiser(init.snippet, vtype)
    if init.snippet is Constant:  # whose parameter is of the variable's type: its code tells what does not fit
        return
    for p in init.snippet.params:
        check_param(p, init.params[p.name], f"{what}, initialiser '{init.snippet.name}'", precision)


def _has_two_dimensions(given: Any) -> bool:
    """Whether there is an array for each copy of a batch."""
    try:
        return np.ndim(given) == 2
    except ValueError:  # rows of different length
        return False


def as_array(
    given: ArrayLike, size: int | None, vtype: ValueType, precision: Precision, what: str, *, any_float: bool = False
) -> NDArray[Any]:
    """Return a one-dimensional array of its own, of the variable's type; ``size=None`` allows any length.

    With ``any_float`` NaN is a number like others: users hand over memory that nothing has been written to yet, and
    mark elements with NaN.

    Raises
    ------
    NetworkError
        For another shape, NaN, and values that the type cannot hold.
    """
    dtype = np.dtype(vtype.dtype_for(precision))
    array = _as_own_numbers(given, dtype, vtype.name, what)
    if array.ndim != 1 or (size is not None and array.size != size):
        wanted = "one dimension" if size is None else f"shape ({size},)"
        raise NetworkError(f"{what} must have {wanted}, not shape {array.shape}")
    if not any_float and dtype.kind == "f" and np.isnan(array).any():
        raise NetworkError(f"{what} contains NaN (first at index {int(np.isnan(array).argmax())})")
    return array


def _as_own_numbers(given: Any, dtype: np.dtype[Any], type_name: str, what: str) -> NDArray[Any]:
    """Return what `as_numbers` does, in memory that nobody else has; copied once."""
    array = as_numbers(given, dtype, type_name, what)
    fresh = isinstance(given, (list, tuple)) or (type(given) is np.ndarray and given.dtype != dtype)
    return array if fresh else np.array(array)


def as_numbers(given: ArrayLike, dtype: np.dtype[Any], type_name: str, what: object) -> NDArray[Any]:
    """Return an array of this NumPy type and any shape; a copy only where the type is another.

    Parameters
    ----------
    given : array_like
    dtype : dtype
        What is to hold it.
    type_name : str
        What messages call the type.
    what : object
        The same of what is of that type.

    Raises
    ------
    NetworkError
        For what are no numbers, masked elements, and values that the type cannot hold.
    """
    array = _numbers_of(given, whole=dtype.kind in "iu")
    if array is None:
        raise NetworkError(f"{what} must be an array of numbers, not {_shortened(given)}{_holder(type_name, dtype)}")
    if array.dtype == dtype:
        return array
    converted, bad = _rounded(array, dtype) if dtype.kind == "f" else (None, _misfits(array, dtype))
    if bad.any():
        at = int(bad.argmax())
        raise _out_of_range(array.ravel()[at], dtype, type_name, what, _index(at, array.shape))
    return array.astype(dtype) if converted is None else converted


def _numbers_of(given: Any, *, whole: bool) -> NDArray[Any] | None:
    """Return an array of numbers, or None for what is none; where ``whole``, Python's integers as they are."""
    try:
        array = np.asarray(given)
        if array.dtype.kind in ("fO" if whole else "O") and isinstance(given, (list, tuple, int)):
            # NumPy makes floating-point numbers of integers of which some need a 64th bit, and objects of larger ones.
            objects = np.asarray(given, dtype=object)
            if all(isinstance(x, int) or (isinstance(x, np.generic) and x.dtype.kind in "iu") for x in objects.flat):
                return objects if whole else objects.astype(np.float64)
    except (TypeError, ValueError, OverflowError):  # rows of different length, memory of a GPU
        return None
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        return None
    return array if array.dtype.kind in "buif" or not array.size else None


def _rounded(array: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return numbers of a floating type, and which of them are infinite and were not."""
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    bad: NDArray[np.bool_] = np.isinf(converted)
    return converted, bad & np.isfinite(array) if bad.any() else bad


def _misfits(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Return which numbers are none of an integer type."""
    bad: NDArray[np.bool_]
    low, high = limits(dtype)
    if array.dtype.kind == "b":  # which NumPy compares with no number that a C long does not hold
        return np.zeros_like(array)
    if array.dtype.kind != "f":
        bad = (array < low) | (array > high)
        return bad
    # As a float, the largest 64-bit integer is one too large: so is all that reaches the next one.
    bad = (array < low) | (array >= float(high) + 1.0) | (array != np.floor(array))
    return bad


def _holder(type_name: str, dtype: np.dtype[Any]) -> str:
    return f": it is of type '{type_name}', which holds {range_text(dtype)}"


def _out_of_range(value: Any, dtype: np.dtype[Any], type_name: str, what: object, index: str = "") -> NetworkError:
    return NetworkError(
        f"{what} is of type '{type_name}', which cannot hold {value!s}{index}, but {'whole ' * (dtype.kind != 'f')}"
        f"numbers from {range_text(dtype)}"
    )


def _index(at: int, shape: tuple[int, ...]) -> str:
    """Return where in an array an element is, for messages."""
    places = [int(place) for place in np.unravel_index(at, shape)] if shape else []
    return f" (index {', '.join(map(str, places))})" if places else ""


def _shortened(given: Any) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
