"""Checks that groups of all kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

import numpy as np

from snnlearn.declare import Model, Precision, VarAccess, element_type, value_type
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.references import Location, Reference
from snnlearn.network.values import as_array, as_initial_value, check_keys

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


def check_vars(
    owner: str, what: str, variables: Iterable[Any], given: Mapping[str, Any], size: int | None, precision: Precision
) -> Mapping[str, Any]:
    """Return the initial values of variables, each a number's or an array's initialiser.

    ``size=None`` allows arrays of any length: how many synapses there are is not known yet.
    """
    declared = list(variables)
    check_keys(given, [v.name for v in declared], what, owner)
    return MappingProxyType(
        {
            v.name: as_initial_value(
                given[v.name],
                size if v.access not in _SHARED else 1,
                value_type(v.type),
                precision,
                f"{owner}: initial value of '{v.name}'",
            )
            for v in declared
        }
    )


def check_dynamic(owner: str, model: Model, names: Iterable[str]) -> None:
    """Raise NetworkError unless the model has parameters of these names."""
    known = [p.name for p in model.params]
    for name in names:
        if name not in known:
            raise NetworkError(f"{owner}: no parameter '{name}' to make dynamic{did_you_mean(name, known)}")


def check_egps(owner: str, model: Model, given: Mapping[str, Any], precision: Precision) -> Mapping[str, Any]:
    """Return the extra global parameters that have values so far, as arrays."""
    known = {e.name: element_type(e.type) for e in model.extra_global_params}
    if not isinstance(given, Mapping):
        raise NetworkError(f"{owner}: extra global parameters must be a mapping of names, not {given!r}")
    arrays = {}
    for name, value in given.items():
        if name not in known:
            raise NetworkError(f"{owner}: unknown extra global parameter '{name}'{did_you_mean(name, known)}")
        what = f"{owner}: extra global parameter '{name}'"
        arrays[name] = as_array(value, None, known[name], precision, what, any_float=True)
    return MappingProxyType(arrays)


def check_references(
    given: Mapping[str, Any], expected: Iterable[Any], what: str, owner: str, kinds: tuple[type, ...] = (Reference,)
) -> None:
    """Raise NetworkError unless there is a reference of the right kind for each that is declared."""
    check_keys(given, [r.name for r in expected], what, owner)
    for name, ref in given.items():
        if not isinstance(ref, kinds):
            raise NetworkError(f"{owner}: {what} '{name}' is no {kinds[-1].__name__}, but {ref!r}")


def check_input(owner: str, what: str, population: Any, name: str) -> None:
    """Raise NetworkError unless the neurons have an input of this name."""
    if name not in population.inputs:
        raise NetworkError(
            f"{owner}: {what}: '{population.name}' has no input '{name}'{did_you_mean(name, population.inputs)}"
        )


def resolve_references(population: Any, given: Mapping[str, Any]) -> dict[str, Reference]:
    """Return references to a population's variables, which may be given by name."""
    return {
        name: Reference(Location(population.name, "own", ref)) if isinstance(ref, str) else ref
        for name, ref in given.items()
    }
