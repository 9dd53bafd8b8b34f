"""From a model or a program to what engines are made from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from snnlearn.declare import Model, Surrogate
from snnlearn.errors import GradientError, TorchError
from snnlearn.genn import GeNNModel
from snnlearn.genn.adjoint_parts import Task
from snnlearn.genn.copies import copy_model
from snnlearn.genn.describe import describe
from snnlearn.genn.program import Program
from snnlearn.grad.constants import given_to
from snnlearn.grad.reverse import EMITTED
from snnlearn.grad.step import Constant
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.network import Location, Network
from snnlearn.runtime.torch.inputs import SPIKES, Given
from snnlearn.torch.arguments import parameter_places, precision_of, recorded_places, surrogate_values
from snnlearn.torch.engine import Design, Output
from snnlearn.torch.given import GIVEN, find_given, take_inputs

Names = Mapping[str, Sequence[str]]


def design_of(
    source: GeNNModel | Program,
    parameters: Sequence[Any] | None,
    surrogate: Surrogate | str | None,
    params: Mapping[str, float] | None,
    dtype: torch.dtype | None,
    detach_reset: bool | None,
    record: Names | None,
    inputs: Names | None,
) -> Design:
    """Return what engines are made from; parameters and errors are those of `EngineModule`."""
    model = source.model if isinstance(source, Program) else source
    declared: dict[str, Model] = {}
    if isinstance(source, Program):
        if source._task.surrogate is None:
            raise GradientError(
                "EngineModule takes a program of method='bptt': of 'eventprop' its outputs have no surrogate; "
                "give it a model that is not differentiated, with surrogate="
            )
        if surrogate is not None or params is not None or detach_reset is not None:
            raise GradientError("a program has its surrogate, with params, and detach_reset: leave them out")
        declared |= source._parts.declared
        declared |= {name: c.synapse.model for name, c in source._parts.connections.items() if c.wrt}
        rule, cut = source._task.surrogate, source._task.detach_reset
        values = {p.name: given_to(Constant(rule, "params", p.name), source._constants) for p in rule.params}
        constants = {name: value for name, value in values.items() if value is not None}
        parameters = _variables(source) if parameters is None else parameters
    else:
        rule, cut = _surrogate(surrogate), bool(detach_reset)
        if detach_reset is not None and not isinstance(detach_reset, bool):
            raise GradientError(
                f"detach_reset is True or False for an engine, not {detach_reset!r}; to_module takes names of variables"
            )
        if model._programs:
            raise GradientError(
                "the model has been differentiated and its populations record: give EngineModule the program"
            )
        known = surrogate_values(rule, params or {}, model.dt).values
        constants = {p.name: known[p.name] for p in rule.params}
    precision = precision_of(model, dtype)
    given = tuple(find_given(model, inputs))
    copied = copy_model(model, precision, declared)
    network = describe(copied)
    places = parameter_places(model, network, parameters or ())
    outputs = _outputs(copied, network, record)
    take_inputs(copied, given, spikes=True)
    copied.seed = copied.seed or int.from_bytes(os.urandom(4), "little") or 1  # all engines have the same
    task = _task(copied, places, outputs, given, rule, cut)
    simulation = model._simulation
    loaded = None
    if simulation is not None:
        arrays = [a.location for a in simulation.plan.arrays if a.location.space.endswith("egp")]
        loaded = {**simulation.state(), **{at.key: simulation.copy(at) for at in arrays}}
    timestep = 0 if simulation is None else simulation.timestep
    return Design(copied, loaded, timestep, task, constants, places, given, outputs)


def _variables(program: Program) -> list[Any]:
    """Return what a program differentiates with respect to."""
    groups, task = program.model._by_key, program._task
    kinds = (task.weights, task.states)
    found: list[Any] = [groups[key].vars[v] for kind in kinds for key, names in kind.items() for v in names]
    return found + [(groups[key], name) for key, names in task.parameters.items() for name in names]


def _surrogate(surrogate: Surrogate | str | None) -> Surrogate:
    if surrogate is None:
        raise GradientError("an EngineModule needs a surrogate, the derivative of a spike: surrogate='FastSigmoid'")
    return find_surrogate(surrogate)


def _outputs(model: GeNNModel, network: Network, record: Names | None) -> tuple[Output, ...]:
    by_key = {group._key: name for name, group in model.neuron_populations.items()}
    found = []
    for places in recorded_places(network, record).values():
        for at in places:
            if at.space not in ("own", "spikes") or at.group not in by_key:
                raise TorchError(
                    f"record: {at} is no variable of neurons, which is what an engine records; a module of "
                    "snnlearn.torch.to_module records it"
                )
            whole = at.space == "spikes" or network.variables[at].shape == (network.neurons[at.group].size,)
            if whole or record is not None:
                found.append((by_key[at.group], at.name or SPIKES))
    return tuple(found)


def _task(
    model: GeNNModel,
    places: Mapping[str, Location],
    outputs: Sequence[Output],
    given: Sequence[Given],
    surrogate: Surrogate,
    detach_reset: bool,
) -> Task:
    """Return all that may be differentiated: every output with respect to every parameter and input."""
    weights: dict[str, tuple[str, ...]] = {}
    states: dict[str, tuple[str, ...]] = {}
    parameters: dict[str, tuple[str, ...]] = {}
    neurons = {group._key for group in model.neuron_populations.values()}
    for at in places.values():
        kinds = {"own": states, "param": parameters} if at.group in neurons else {"synapse": weights}
        kind = kinds.get(at.space)
        if kind is None:
            raise TorchError(
                f"{at} cannot be a parameter of an EngineModule: those are variables of synapses, and variables and "
                "dynamic parameters of neurons; a module of snnlearn.torch.to_module takes it"
            )
        kind[at.group] = (*kind.get(at.group, ()), at.name)
    seeds: dict[str, frozenset[str]] = {}
    for population, name in outputs:
        group = model.neuron_populations[population]
        declared = {v.name: v.type for v in group.spec.model.vars}
        if name == SPIKES or declared[name] == "scalar":
            seeds[group._key] = seeds.get(group._key, frozenset()) | {EMITTED if name == SPIKES else name}
    keys = {one: model.neuron_populations[one.population]._key for one in given}
    values = {k: frozenset(one.variable for one in given if keys[one] == k) for k in keys.values()}
    own = {keys[one]: GIVEN for one in given if one.name == SPIKES}
    return Task({}, weights, surrogate, states, parameters, seeds, {}, detach_reset, values, values, own)
