"""The parts of a declaration: parameters, variables, references to variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, TypeVar

from snnlearn.attributes import frozen
from snnlearn.declare.access import CustomUpdateVarAccess, VarAccess, VarAccessMode, VarAccessModeAttribute
from snnlearn.declare.interval import Interval
from snnlearn.declare.types import Precision, element_type, type_name, value_type
from snnlearn.declare.words import is_reserved
from snnlearn.errors import DeclarationError


def check_identifier(name: object, what: str) -> None:
    """Raise DeclarationError unless ``name`` is made as names in code are; ``what`` says whose it is."""
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise DeclarationError(f"{what} name {name!r} is not a C identifier")


def check_name(name: Any, what: str) -> None:
    """Raise DeclarationError unless ``name`` can be used in code strings; ``what`` says whose it is."""
    check_identifier(name, what)
    if is_reserved(name):
        raise DeclarationError(f"{what} name '{name}' is reserved; choose another, such as '{name}0'")


def _check_type(field: Any, find: Callable[[str], object]) -> None:
    """Raise DeclarationError for an unknown type; keep a known one as an object that can be resolved, as PyGeNN has."""
    find(field.type)
    object.__setattr__(field, "type", type_name(field.type))


@frozen
@dataclass(frozen=True)
class Param:
    """A number that is the same for a whole population; ``within``, an `Interval` or its text, says what it may be."""

    name: str
    type: str = "scalar"
    within: Interval | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "parameter")
        _check_type(self, value_type)
        within: Any = self.within
        if within is not None and not isinstance(within, Interval):
            object.__setattr__(self, "within", Interval(within))

    def fault(self, number: float, precision: Precision) -> str | None:
        """Return what is wrong with a value, to go on after the parameter's name; None where nothing is."""
        return None if self.within is None else self.within.fault(number, self.type, precision)


@frozen
@dataclass(frozen=True)
class DerivedParam:
    """A number computed once from the parameters and the timestep [ms]: ``func(params, dt)``."""

    name: str
    func: Callable[[Mapping[str, float], float], float]
    type: str = "scalar"

    def __post_init__(self) -> None:
        check_name(self.name, "derived parameter")
        _check_type(self, value_type)
        if not callable(self.func):
            raise DeclarationError(f"derived parameter '{self.name}' needs a function (params, dt) -> value")


@frozen
@dataclass(frozen=True)
class Var:
    """A state variable: one value for each neuron or synapse."""

    name: str
    type: str = "scalar"
    access: VarAccess = VarAccess.READ_WRITE

    def __post_init__(self) -> None:
        check_name(self.name, "variable")
        _check_type(self, value_type)
        if not isinstance(self.access, VarAccess):
            raise DeclarationError(f"variable '{self.name}': access {self.access!r} is not a VarAccess")

    @property
    def writable(self) -> bool:
        """Whether code may assign to it."""
        return self.access is VarAccess.READ_WRITE


class _UsedByMode:
    """What the mode of an access allows."""

    access: CustomUpdateVarAccess | VarAccessMode

    @property
    def writable(self) -> bool:
        """Whether code may assign to it."""
        return not self.access & VarAccessModeAttribute.READ_ONLY

    @property
    def readable(self) -> bool:
        """Whether code may read it: the target of a reduction or a broadcast has no value of its own."""
        return not self.access & (VarAccessModeAttribute.REDUCE | VarAccessModeAttribute.BROADCAST)


@frozen
@dataclass(frozen=True)
class CustomUpdateVar(_UsedByMode):
    """A variable of a custom update: one value for each element it runs over, or a reduction of them."""

    name: str
    type: str = "scalar"
    access: CustomUpdateVarAccess = CustomUpdateVarAccess.READ_WRITE

    def __post_init__(self) -> None:
        check_name(self.name, "variable")
        _check_type(self, value_type)
        if not isinstance(self.access, CustomUpdateVarAccess):
            raise DeclarationError(f"variable '{self.name}': access {self.access!r} is not a CustomUpdateVarAccess")


@frozen
@dataclass(frozen=True)
class VarRef(_UsedByMode):
    """A name for some other group's variable; the network says which."""

    name: str
    type: str = "scalar"
    access: VarAccessMode = VarAccessMode.READ_WRITE

    def __post_init__(self) -> None:
        check_name(self.name, "variable reference")
        _check_type(self, value_type)
        if not isinstance(self.access, VarAccessMode):
            raise DeclarationError(f"reference '{self.name}': access {self.access!r} is not a VarAccessMode")


@frozen
@dataclass(frozen=True)
class ExtraGlobalParam:
    """An array of any length, shared by a population; indexed in code as in C."""

    name: str
    type: str

    def __post_init__(self) -> None:
        check_name(self.name, "extra global parameter")
        _check_type(self, element_type)


@frozen
@dataclass(frozen=True)
class ArrayPart:
    """That each neuron owns a part of an array, which ascends: ``array[begin:end]``, given two of its variables.

    Whoever gives the values learns of a part that is not in the array, and of one that does not ascend.
    """

    array: str
    begin: str
    end: str


@frozen
@dataclass(frozen=True)
class ExtraGlobalParamRef:
    """A name for some other group's extra global parameter; the network says which."""

    name: str
    type: str

    def __post_init__(self) -> None:
        check_name(self.name, "extra global parameter reference")
        _check_type(self, element_type)


@frozen
@dataclass(frozen=True)
class InputVar:
    """An input of a neuron beside ``Isyn``: set to ``init`` before the inputs of each timestep are summed."""

    name: str
    type: str = "scalar"
    init: float = 0.0

    def __post_init__(self) -> None:
        check_name(self.name, "additional input variable")
        _check_type(self, value_type)
        init: object = self.init
        if isinstance(init, bool) or not isinstance(init, Real) or math.isnan(init):
            raise DeclarationError(f"input '{self.name}': init must be a number, not {self.init!r}")
        vtype = value_type(self.type)
        if vtype.kind != "float" and not vtype.holds(self.init, "double"):
            raise DeclarationError(
                f"input '{self.name}' is of type '{vtype.name}', which holds {vtype.range_for('double')}; its init is "
                f"{self.init!r}"
            )

    @property
    def value(self) -> float:
        """PyGeNN's name of ``init``."""
        return self.init


Field = TypeVar(
    "Field",
    Param,
    DerivedParam,
    Var,
    CustomUpdateVar,
    VarRef,
    ExtraGlobalParam,
    ArrayPart,
    ExtraGlobalParamRef,
    InputVar,
)


Typed = TypeVar(
    "Typed", Param, DerivedParam, Var, CustomUpdateVar, VarRef, ExtraGlobalParam, ExtraGlobalParamRef, InputVar
)


def with_times(field: Typed, time_type: str) -> Typed:
    """Return a field whose type, if it is ``timepoint``, is that of a network's times."""
    name = field.type.strip()
    if time_type == "scalar" or name.removesuffix("*").rstrip() != "timepoint":
        return field
    return replace(field, type=name.replace("timepoint", time_type))


def as_fields(kind: type[Field], given: object, what: str) -> tuple[Field, ...]:
    """Turn PyGeNN's shorthand (a name, or a tuple of constructor arguments) into fields.

    Raises
    ------
    DeclarationError
        If an entry has neither form.
    """
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise DeclarationError(f"{what}: expected a sequence, not {given!r}")
    fields = []
    for entry in given:
        if isinstance(entry, kind):
            fields.append(entry)
            continue
        args = (entry,) if isinstance(entry, str) else entry
        try:
            fields.append(kind(*args))
        except TypeError as error:
            raise DeclarationError(f"{what}: {entry!r} does not describe a {kind.__name__} ({error})") from None
    return tuple(fields)
