"""Checks that groups of all kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import field, replace
from typing import Any, TypeVar, Union

import numpy as np

from snnlearn.declare import CustomUpdateVar, Model, Precision, Var, VarAccess, element_type, value_type
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.checked_values import CheckedValues, checked
from snnlearn.network.references import Location, Reference, plain
from snnlearn.network.values import as_array, as_initial_value, check_keys, check_params

AnyVar = Union[Var, CustomUpdateVar]
Described = TypeVar("Described")

_SHARED = (VarAccess.READ_ONLY_SHARED_NEURON,)


def no_values() -> Any:
    """Return the default of a field that maps names to values."""
    return field(default_factory=dict)


def check_group_name(name: Any, what: str) -> None:
    """Raise NetworkError unless a group may be called so: by letters, digits and underscores, in any order."""
    if not isinstance(name, str) or not f"_{name}".isidentifier() or not name.isascii() or not name:
        raise NetworkError(f"{what} name {name!r} is not made of letters, digits and underscores")


def check_model_kind(owner: str, model: Any, kind: type[Model]) -> None:
    """Raise NetworkError unless it is a model of that kind, DialectError for an error in its code."""
    if not isinstance(model, kind):
        raise NetworkError(f"{owner}: needs a {kind.__name__}, not {type(model).__name__}")
    check_model(model)


def check_size(owner: str, what: str, size: Any, least: int = 1) -> int:
    """Return a whole number that is large enough."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < least:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise NetworkError(f"{owner}: {what} must be {kind}, not {size!r}")
    return int(size)


def changed(described: Described, **changes: Any) -> Described:
    """Return a description with parts replaced; itself, not checked anew, where they are what they were."""
    if all(getattr(described, name) is value for name, value in changes.items()):
        return described
    new: Described = replace(described, **changes)  # type: ignore[type-var]
    return new


def with_checked(described: Described, **parts: Any) -> Described:
    """Return a description with parts in which only what has been checked differs: the rest is not checked anew."""
    new = copy(described)
    vars(new).update(parts)
    return new


def check_vars(
    owner: str, what: str, variables: Iterable[AnyVar], given: Mapping[str, Any], size: int | None, precision: Precision
) -> CheckedValues:
    """Return the initial values of variables, each an initialiser or an array of its own.

    ``size=None`` allows arrays of any length: how many values there are is known where all groups are, and
    `check_lengths` looks at it then.
    """
    needed = {v.name: (size if v.access not in _SHARED else 1, value_type(v.type), precision) for v in variables}
    check_keys(given, needed, what, owner)

    def check(name: str, value: Any) -> Any:
        return as_initial_value(value, *needed[name], _initial_value(owner, name))

    return checked(given, needed, check)


def check_lengths(owner: str, variables: Iterable[Var], values: Mapping[str, Any], size: int) -> None:
    """Raise NetworkError unless each array has one initial value for each neuron, synapse or kernel element."""
    for v in variables:
        value, wanted = values[v.name], size if v.access not in _SHARED else 1
        if isinstance(value, np.ndarray) and value.shape[-1] != wanted:
            what = _initial_value(owner, v.name)
            raise NetworkError(f"{what} must have shape ({wanted},), not shape {value.shape}")


def _initial_value(owner: str, variable: str) -> str:
    return f"{owner}: initial value of '{variable}'"


def check_dynamic(owner: str, model: Model, names: Iterable[str]) -> None:
    """Raise NetworkError unless the model has parameters of these names."""
    known = [p.name for p in model.params]
    for name in names:
        if name not in known:
            raise NetworkError(f"{owner}: no parameter '{name}' to make dynamic{did_you_mean(name, known)}")


def check_egps(owner: str, model: Model, given: Mapping[str, Any], precision: Precision) -> CheckedValues:
    """Return the extra global parameters that have values so far, as arrays of their own."""
    known = {e.name: element_type(e.type) for e in model.extra_global_params}
    if not isinstance(given, Mapping):
        raise NetworkError(f"{owner}: extra global parameters must be a mapping of names, not {given!r}")
    for name in given:
        if name not in known:
            raise NetworkError(f"{owner}: unknown extra global parameter '{name}'{did_you_mean(name, known)}")

    def check(name: str, value: Any) -> Any:
        what = f"{owner}: extra global parameter '{name}'"
        return as_array(value, None, known[name], precision, what, any_float=True)

    return checked(given, {name: (known[name], precision) for name in given}, check)


def check_of_one_model(group: Any, owner: str, kind: type[Model], size: int | None = None) -> None:
    """Check what all groups of one model have, and let them keep it as checked values.

    Raises
    ------
    NetworkError
        For another kind of model; parameters, variables and arrays that are not its, and values that do not fit them.
    DialectError
        For an error in the model's code.
    """
    model, precision = group.model, group.precision
    check_model_kind(owner, model, kind)
    check_dynamic(owner, model, group.dynamic_params)
    checked_parts = {
        "params": check_params(model, group.params, owner, precision),
        "vars": check_vars(owner, "variable", model.vars, group.vars, size, precision),
        "extra_global_params": check_egps(owner, model, group.extra_global_params, precision),
    }
    for attribute, value in checked_parts.items():
        object.__setattr__(group, attribute, value)


def check_references(
    given: Mapping[str, Any], expected: Iterable[Any], what: str, owner: str, kinds: tuple[type, ...] = (Reference,)
) -> dict[str, Any]:
    """Return the references, one of the right kind for each that is declared, as plain values."""
    check_keys(given, [r.name for r in expected], what, owner)
    for name, ref in given.items():
        if not isinstance(ref, kinds):
            raise NetworkError(f"{owner}: {what} '{name}' is no {kinds[-1].__name__}, but {ref!r}")
    return {name: ref if isinstance(ref, str) else plain(ref) for name, ref in given.items()}


def resolve_references(population: str, given: Mapping[str, Any]) -> Mapping[str, Reference]:
    """Return references to a population's variables, which may be given by name, as plain values."""
    if all(type(ref) is Reference for ref in given.values()):
        return given
    return {
        name: Reference(Location(population, "own", ref)) if isinstance(ref, str) else plain(ref)
        for name, ref in given.items()
    }
