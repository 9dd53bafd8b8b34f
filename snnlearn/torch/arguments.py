"""What makes a module of a model: which names are its parameters, inputs and outputs, and the values of a surrogate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from snnlearn.codegen.torch import SurrogateValues
from snnlearn.declare import Precision, Surrogate
from snnlearn.errors import ArgumentError, GradientError, NetworkError, TorchError, did_you_mean
from snnlearn.genn import GeNNModel
from snnlearn.genn.group import Group
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.network import Location, Network, derive_params
from snnlearn.runtime.torch.inputs import SPIKES

_PRECISION: dict[Any, Any] = {torch.float64: "double", torch.float32: "float"}


def precision_of(model: GeNNModel, dtype: torch.dtype | None) -> Precision:
    """Return the precision of a module: that of a type, or the model's.

    Raises
    ------
    ArgumentError
        For another type.
    """
    precision: Precision | None = model.precision if dtype is None else _PRECISION.get(dtype)
    if precision is None:
        raise ArgumentError(f"dtype must be torch.float32 or torch.float64, not {dtype!r}")
    return precision


def detached_of(network: Network, given: bool | Sequence[str]) -> bool | frozenset[str]:
    """Return whether resets pass no derivative, or along which variables; TorchError for unknown ones."""
    if isinstance(given, bool):
        return given
    known = {v.name for neurons in network.neurons.values() for v in neurons.model.vars}
    names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    for name in names:
        if name not in known:
            raise TorchError(f"detach_reset: no neuron has a variable {name!r}{did_you_mean(str(name), known)}")
    return frozenset(names)


def surrogate_values(
    surrogate: Surrogate | str, params: Mapping[str, float], dt: float, smooth: bool = False
) -> SurrogateValues:
    """Return a surrogate with its values; GradientError for what is missing or unknown."""
    found = find_surrogate(surrogate)
    if not isinstance(params, Mapping):
        raise GradientError(f"params is a mapping of names to numbers, {{'beta': 1.0}}, not {params!r}")
    if smooth and not found.integral_code:
        raise GradientError(f"surrogate '{found.name}' has no integral_code, which a smooth neuron needs")
    known = {p.name: p for p in found.params}
    for name, value in params.items():
        if name not in known:
            raise GradientError(
                f"params: surrogate '{found.name}' has no parameter '{name}'{did_you_mean(name, known)}"
            )
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise GradientError(f"params: {name} must be a number, not {value!r}")
        fault = known[name].fault(float(value), "double")
        if fault is not None:
            raise GradientError(f"params: {name} {fault}")
    missing = [name for name in known if name not in params]
    if missing:
        raise GradientError(f"params: surrogate '{found.name}' needs a value of '{missing[0]}'")
    derived = derive_params(found, params, dt, f"surrogate '{found.name}'")
    return SurrogateValues(found, {name: float(value) for name, value in {**params, **derived}.items()})


def parameter_places(model: GeNNModel, network: Network, given: Sequence[Any]) -> dict[str, Location]:
    """Return the arrays that are parameters by their names in the module; TorchError for what cannot be one."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TorchError(f"parameters is a sequence, such as [connection.vars['g']], not {given!r}")
    found: dict[str, Location] = {}
    for what in given:
        group = what[0] if isinstance(what, tuple) and what else getattr(what, "group", None)
        if isinstance(group, Group) and model._by_key.get(group._key) is not group:
            raise TorchError(f"'{group.name}' is no group of this model, but of another")
        at = _location(network, what)
        name = f"{at.group}_{at.name}"
        if name in found:
            raise TorchError(f"two parameters of the module would be called '{name}'; leave one out")
        found[name] = at
    return found


def _location(network: Network, what: Any) -> Location:
    at = getattr(what, "location", None)
    if isinstance(at, Location):
        if at not in network.variables:
            raise TorchError(f"{at} is no variable of this model")
        return at
    if isinstance(what, tuple) and len(what) == 2 and hasattr(what[0], "name"):
        group = network.groups.by_name.get(what[0].name)
        kinds = ("dynamic_params", "weight_update_dynamic_params")
        if any(what[1] in getattr(group, kind, ()) for kind in kinds):
            return Location(what[0].name, "param", what[1])
        raise TorchError(
            f"'{what[1]}' of '{what[0].name}' is no dynamic parameter: call set_param_dynamic('{what[1]}') before"
        )
    raise TorchError(f"a parameter is a variable, as in group.vars['w'], or (group, name), not {what!r}")


def recorded_places(network: Network, record: Mapping[str, Sequence[str]] | None) -> dict[str, list[Location]]:
    """Return what a run gives, by population; NetworkError for unknown names."""
    if record is None:
        own = {n.name: [Location(n.name, "own", v.name) for v in n.model.vars] for n in network.neurons.values()}
        return {name: [*places, Location(name, "spikes")] for name, places in own.items()}
    if not isinstance(record, Mapping):
        raise NetworkError(f"record maps populations to names, {{'Output': ['V', 'spikes']}}; this is {record!r}")
    found: dict[str, list[Location]] = {}
    for group, given in record.items():
        if group not in network.groups.by_name:
            raise NetworkError(f"record: there is no group '{group}'{did_you_mean(group, network.groups.by_name)}")
        places = {at.name: at for at in network.variables if at.group == group and at.name}
        if group in network.neurons:
            places[SPIKES] = Location(group, "spikes")
        names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
        for name in names:
            if name not in places:
                raise NetworkError(f"record: '{group}' has no variable '{name}'{did_you_mean(name, places)}")
        found[group] = [places[name] for name in names]
    return found
