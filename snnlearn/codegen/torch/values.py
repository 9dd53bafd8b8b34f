"""What an expression of a code string is while it is emitted: a number known now, or a tensor of the emitted code."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Union

import numpy as np

from snnlearn.declare import Precision, ValueType, value_type

BOOL, INT, UINT = value_type("bool"), value_type("int"), value_type("unsigned int")
INT64, SCALAR, DOUBLE = value_type("int64_t"), value_type("scalar"), value_type("double")
# Along which of a kernel's axes values differ: presynaptic and postsynaptic neurons, synapses, or whatever there is.
PRE, POST, ALL = frozenset(["pre"]), frozenset(["post"]), frozenset(["pre", "post"])


@dataclass(frozen=True)
class Number:
    """A number that is known now."""

    value: Any
    type: ValueType


@dataclass(frozen=True, eq=False)
class Tensor:
    """A Python expression whose value is a tensor.

    Attributes
    ----------
    text : str
        A name, or an expression in brackets.
    type : ValueType
    uses : frozenset of str
        The local names in it.
    axes : frozenset of str
        Along which of the kernel's axes its elements differ.
    spike : str or None
        Of a condition that is the neuron's own threshold: the tensor of spikes, whose derivative is the surrogate's.
    factors : tuple of Value
        Of a product: its factors.
    soft : bool
        Of a condition: whether spikes decide, so that what is not chosen has a derivative too.
    """

    text: str
    type: ValueType
    uses: frozenset[str] = frozenset()
    axes: frozenset[str] = ALL
    spike: str | None = None
    factors: tuple[Value, ...] = ()
    soft: bool = False


Value = Union[Number, Tensor]
TRUE, FALSE = Number(True, BOOL), Number(False, BOOL)


def torch_type(vtype: ValueType, precision: Precision) -> str:
    """Return the name of the tensors' type; all integers are of 64 bits."""
    if vtype.kind == "float":
        return f"torch.{vtype.dtype_for(precision)}"
    return "torch.bool" if vtype.kind == "bool" else "torch.int64"


def spell(value: Any) -> str:
    """Return a number as Python source."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "(-inf)"
    return f"({value!r})" if not isinstance(value, bool) and value < 0 else repr(value)


def uses(*values: Value) -> frozenset[str]:
    """Return the local names in values."""
    return frozenset().union(*(v.uses for v in values if isinstance(v, Tensor)))


def axes(*values: Value) -> frozenset[str]:
    """Return the axes along which any of these values differ."""
    return frozenset().union(*(v.axes for v in values if isinstance(v, Tensor)))


def text(value: Value) -> str:
    """Return a value as Python source."""
    return value.text if isinstance(value, Tensor) else spell(value.value)


# ---- conversions ----


def convert_number(value: Any, to: ValueType, precision: Precision) -> Number:
    """Return a number as C converts it to a type; integers wrap."""
    if to.kind == "bool":
        return Number(bool(value), to)
    if to.kind == "float":
        with np.errstate(over="ignore"):
            rounded = np.float32(value) if to.dtype_for(precision) == "float32" else value
        return Number(float(rounded), to)
    limits = np.iinfo(to.dtype)
    low, high = int(limits.min), int(limits.max)
    whole = int(value) if math.isfinite(value) else 0
    return Number((whole - low) % (high - low + 1) + low, to)


def convert(value: Value, to: ValueType, precision: Precision) -> Value:
    """Return a value converted to a type."""
    if isinstance(value, Number):
        return convert_number(value.value, to, precision)
    before, after = torch_type(value.type, precision), torch_type(to, precision)
    if to.kind == "bool":
        return value if value.type.kind == "bool" else _like(value, f"({value.text} != 0)", to)
    if to.kind == "float":
        if before == after:
            return replace(value, type=to)
        if value.spike is not None:
            spike = Tensor(value.spike, SCALAR, frozenset([value.spike]), value.axes)
            return convert(spike, to, precision)
        return _like(value, f"{value.text}.to({after})", to)
    if before != after:
        value = _like(value, f"{value.text}.to(torch.int64)", value.type)
    return _like(value, _wrapped(value, to), to)


def _like(value: Tensor, text: str, to: ValueType) -> Tensor:
    return Tensor(text, to, value.uses, value.axes)


def _wrapped(value: Tensor, to: ValueType) -> str:
    if value.type.kind == "bool" or to.dtype in ("int64", "uint64"):
        return value.text
    after = np.iinfo(to.dtype)
    if value.type.kind == "int":
        before = np.iinfo(value.type.dtype)
        if after.min <= before.min and before.max <= after.max:
            return value.text
    return wrap(value.text, to)


def wrap(code: str, to: ValueType) -> str:
    """Return an expression of 64 bits as one of fewer."""
    if to.dtype in ("int64", "uint64"):
        return code
    limits = np.iinfo(to.dtype)
    mask = int(limits.max) - int(limits.min)
    return (
        f"({code} & {mask})" if limits.min == 0 else f"((({code} + {-int(limits.min)}) & {mask}) - {-int(limits.min)})"
    )


# ---- arithmetic of numbers ----


def _quotient(a: int, b: int) -> int:
    return 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_WHOLE: dict[str, Callable[[int, int], int]] = {
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
COMPARISONS = frozenset(_COMPARE)


def calculate(op: str, a: Number, b: Number, to: ValueType, precision: Precision) -> Number:
    """Return ``a op b`` of numbers whose type is that of the operation."""
    x, y = a.value, b.value
    if op in _COMPARE:
        return Number(bool(_COMPARE[op](x, y)), BOOL)
    if op in _WHOLE and to.kind != "float":
        return convert_number(_WHOLE[op](int(x), int(y)), to, precision)
    if to.kind != "float":
        x, y = int(x), int(y)
        return convert_number({"+": x + y, "-": x - y, "*": x * y}[op], to, precision)
    with np.errstate(all="ignore"):
        p, q = np.float64(x), np.float64(y)
        result = p + q if op == "+" else p - q if op == "-" else p * q if op == "*" else p / q
    return convert_number(float(result), to, precision)
