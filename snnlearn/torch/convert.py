"""From a described model to a PyTorch module."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from snnlearn.codegen.plan import Plan, build_plan
from snnlearn.codegen.torch import Options, SurrogateValues, emit_step
from snnlearn.declare import Surrogate
from snnlearn.errors import ArgumentError, GradientError, NetworkError, TorchError, did_you_mean
from snnlearn.genn import GeNNModel
from snnlearn.genn.describe import describe
from snnlearn.genn.group import Group
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.network import Location, Network, derive_params
from snnlearn.runtime.torch.module import SPIKES, SpikingModule
from snnlearn.runtime.torch.simulation import TorchSimulation

_PRECISION: dict[Any, Any] = {torch.float64: "double", torch.float32: "float"}
_DEFAULT = "FastSigmoid"


def to_module(
    model: GeNNModel,
    *,
    parameters: Sequence[Any] = (),
    surrogate: Surrogate | str | None = None,
    params: Mapping[str, float] | None = None,
    dtype: torch.dtype | None = None,
    smooth: bool = False,
    detach_reset: bool | Sequence[str] = False,
    record: Mapping[str, Sequence[str]] | None = None,
) -> SpikingModule:
    """Return a model as a PyTorch module, which starts as the model does, or from where a loaded one is.

    Parameters
    ----------
    model : GeNNModel
        Described; built or loaded or not. It stays as it is.
    parameters : sequence of Variable or (group, parameter's name)
        What is to be a parameter of the module: variables of any group, ``group.vars["w"]``, and dynamic parameters.
        ``Group_name`` is a parameter's name in the module. Weights of all-to-all connections have the shape
        (presynaptic, postsynaptic) neurons; those of sparse ones, (synapses,), by row.
    surrogate : Surrogate or str, optional
        The derivative of a spike with respect to the margin of the threshold. Without one spikes have none.
    params : mapping of str to float, optional
        The surrogate's parameters.
    dtype : torch.dtype, optional
        What ``scalar`` means: ``torch.float32`` or ``torch.float64``; by default the model's precision.
    smooth : bool
        Whether a spike is the surrogate's integral rather than a step, so that finite differences have a meaning.
    detach_reset : bool or sequence of str
        Whether derivatives by way of what a spike resets are cut; or of which variables.
    record : mapping of str to sequence of str, optional
        What a run returns: for each group the names of variables, and ``"spikes"``. By default all variables and the
        spikes of all populations. What none of it depends on is not computed.

    Returns
    -------
    SpikingModule

    Raises
    ------
    TorchError
        For code that has no counterpart among tensors, and what cannot be a parameter.
    GradientError
        For an unknown surrogate, and for parameters of it that are missing or unknown.
    NetworkError
        For names that the model does not have.
    ArgumentError
        For something else than a model of `snnlearn.genn`, or another dtype.
    """
    if not isinstance(model, GeNNModel):
        raise ArgumentError(f"to_module needs a GeNNModel of snnlearn.genn, not {type(model).__name__}")
    precision = model.precision if dtype is None else _PRECISION.get(dtype)
    if precision is None:
        raise ArgumentError(f"dtype must be torch.float32 or torch.float64, not {dtype!r}")
    if smooth and surrogate is None:
        raise GradientError(f"smooth=True needs a surrogate, whose integral takes the place of a spike: '{_DEFAULT}'")
    network = describe(model)
    plan = replace(build_plan(network), precision=precision)
    cut = _detached(network, detach_reset)
    options = Options(smooth, cut, surrogate is not None)
    values = None if surrogate is None else _values(surrogate, params or {}, network.dt, smooth)
    emit_step(plan, options, values)  # what it refuses is refused here
    simulation = _simulation(model, network, plan)
    places = _parameters(model, network, parameters)
    recorded = _recorded(network, record)
    return SpikingModule(simulation, places, recorded, values, options)


def _detached(network: Network, given: bool | Sequence[str]) -> bool | frozenset[str]:
    if isinstance(given, bool):
        return given
    known = {v.name for neurons in network.neurons.values() for v in neurons.model.vars}
    names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    for name in names:
        if name not in known:
            raise TorchError(f"detach_reset: no neuron has a variable {name!r}{did_you_mean(str(name), known)}")
    return frozenset(names)


def _values(surrogate: Surrogate | str, params: Mapping[str, float], dt: float, smooth: bool) -> SurrogateValues:
    found = find_surrogate(surrogate)
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


def _simulation(model: GeNNModel, network: Network, plan: Plan) -> TorchSimulation:
    """Return the tensors of a model: as the model is where it is loaded, else with initial values."""
    loaded = model._simulation
    # Spikes have no derivative in this source, of which a module runs another.
    seed = model.seed or int.from_bytes(os.urandom(4), "little")  # 0 stands for a fresh one
    simulation = TorchSimulation(network, plan, emit_step(plan, Options(surrogate=False)), seed=seed)
    if loaded is not None:
        simulation.set_extra_global_params(
            (at, loaded.copy(at)) for at in simulation.tensors.locations if at.space.endswith("egp") and loaded.has(at)
        )
        simulation.set_state(loaded.state())
        simulation.timestep = loaded.timestep
    return simulation


def _parameters(model: GeNNModel, network: Network, given: Sequence[Any]) -> dict[str, Location]:
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


def _recorded(network: Network, record: Mapping[str, Sequence[str]] | None) -> dict[str, list[Location]]:
    if record is None:
        own = {n.name: [Location(n.name, "own", v.name) for v in n.model.vars] for n in network.neurons.values()}
        return {name: [*places, Location(name, "spikes")] for name, places in own.items()}
    found: dict[str, list[Location]] = {}
    for group, names in record.items():
        if group not in network.groups.by_name:
            raise NetworkError(f"record: there is no group '{group}'{did_you_mean(group, network.groups.by_name)}")
        places = {at.name: at for at in network.variables if at.group == group and at.name}
        if group in network.neurons:
            places[SPIKES] = Location(group, "spikes")
        for name in names:
            if name not in places:
                raise NetworkError(f"record: '{group}' has no variable '{name}'{did_you_mean(name, places)}")
        found[group] = [places[name] for name in names]
    return found
