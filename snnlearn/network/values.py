"""Numbers and arrays given by the user, checked against what the models declare."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.declare import Model, Precision, ValueType, VarInitSnippet, value_type
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.models import Constant

InitialValue = Union["VarInit", NDArray[Any]]


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


def check_params(model: Model, params: Mapping[str, Any], owner: str) -> Mapping[str, float]:
    """Return the parameters as a read-only mapping of numbers, one for each that the model declares.

    Raises
    ------
    NetworkError
        For unknown and missing names, and for a value that is no number, is NaN or does not fit an integer type.
    """
    check_keys(params, [p.name for p in model.params], "parameter", owner)
    return MappingProxyType(
        {p.name: _typed_number(params[p.name], p.type, f"{owner}: parameter '{p.name}'") for p in model.params}
    )


def _typed_number(value: Any, type_name: str, what: str) -> float:
    """Return a plain number that its type can hold; too large ones for a floating type become infinite there."""
    number, vtype = as_number(value, what), value_type(type_name)
    if vtype.kind != "float":
        as_array([number], 1, vtype, "double", what)
    return number


def as_number(value: Any, what: str) -> float:
    """Return a plain number (``int`` stays ``int``).

    Raises
    ------
    NetworkError
        If the value is not a real number, is NaN, or is an integer beyond all floating-point numbers.
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if not isinstance(value, (int, float)) or value != value:
        raise NetworkError(f"{what} must be a number, not {value!r}")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise NetworkError(f"{what} is too large for a number")
    return value


def derive_params(model: Model, params: Mapping[str, float], dt: float, owner: str) -> dict[str, float]:
    """Compute a model's derived parameters; ``dt`` in ms.

    Raises
    ------
    NetworkError
        If a function fails or gives no number; names it.
    """
    derived = {}
    for d in model.derived_params:
        what = f"{owner}: derived parameter '{d.name}' of model '{model.name}'"
        try:
            value = d.func(dict(params), dt)
        except Exception as error:
            raise NetworkError(f"{what} cannot be computed: {type(error).__name__}: {error}") from error
        derived[d.name] = _typed_number(value, d.type, what)
    return derived


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
        For another shape, and for values that the type cannot hold.
    """
    if isinstance(given, VarInit):
        return given
    if given is None:
        return VarInit(Constant, {"constant": 0})
    if not isinstance(given, (list, tuple)) and np.ndim(given) == 0:
        number = as_number(given, what)
        as_array([number], 1, vtype, precision, what)
        return VarInit(Constant, {"constant": number})
    copies = np.asarray(given) if _has_two_dimensions(given) else None
    if copies is not None and size in (None, copies.shape[-1]):
        return as_array(copies.ravel(), None, vtype, precision, what, any_float=True).reshape(copies.shape)
    return as_array(given, size, vtype, precision, what, any_float=True)


def _has_two_dimensions(given: Any) -> bool:
    """Whether there is an array for each copy of a batch."""
    try:
        return np.ndim(given) == 2
    except ValueError:  # rows of different length
        return False


def as_array(
    given: ArrayLike, size: int | None, vtype: ValueType, precision: Precision, what: str, *, any_float: bool = False
) -> NDArray[Any]:
    """Return a one-dimensional array of the variable's type; ``size=None`` allows any length.

    With ``any_float`` NaN is a number like others and too large ones become infinite: users hand over memory that
    nothing has been written to yet, and mark elements with NaN.

    Raises
    ------
    NetworkError
        For another shape, NaN, and values that the type cannot hold.
    """
    try:
        array = np.asarray(given)
        numeric = array.dtype.kind in "buif" or array.size == 0
    except (ValueError, OverflowError):
        numeric = False
    if not numeric:
        raise NetworkError(f"{what} must be an array of numbers")
    if array.ndim != 1 or (size is not None and array.size != size):
        wanted = "one dimension" if size is None else f"shape ({size},)"
        raise NetworkError(f"{what} must have {wanted}, not shape {array.shape}")
    if any_float and vtype.kind == "float":
        with np.errstate(over="ignore"):
            return np.array(array, dtype=vtype.dtype_for(precision))
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise NetworkError(f"{what} contains NaN (first at index {int(np.isnan(array).argmax())})")
    dtype = np.dtype(vtype.dtype_for(precision))
    bad = _misfits(array, dtype)
    if bad.any():
        at = int(bad.argmax())
        raise NetworkError(f"{what} is of type '{vtype.name}', which cannot hold {array[at]!s} (index {at})")
    return np.array(array, dtype=dtype)


def _misfits(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Return which values the type cannot hold; rounding to a floating type is no misfit."""
    bad: NDArray[np.bool_]
    if dtype.kind == "f":
        bad = np.isfinite(array) & (np.abs(array) > np.finfo(dtype).max)
    else:
        low, high = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        # As a float, the largest 64-bit integer is one too large: so is all that reaches the next one.
        above = array >= float(high) + 1.0 if array.dtype.kind == "f" else array > high
        bad = (array < low) | above | (array != np.floor(array))
    return bad
