"""Dynamic parameters within derivatives: the adjoint network has the values that the forward model had in a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from snnlearn.errors import GradientError
from snnlearn.genn.adjoint_parts import Parts, inputs_of
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.network import Location


class Followed(NamedTuple):
    """A dynamic parameter of the forward model, and what it is called in the adjoint group of the same name."""

    at: Location
    group: str
    name: str


def dynamic_params(model: Any, parts: Parts) -> list[Followed]:
    """Return the dynamic parameters that derivatives depend on."""
    return [*_of_neurons(model, parts), *_of_synapses(parts)]


def _of_neurons(model: Any, parts: Parts) -> Iterator[Followed]:
    for name, reversal in parts.neurons.items():
        spec = model._by_key[name].spec
        for parameter in sorted(spec.dynamic_params & {p.name for p in parts.declared[name].params}):
            yield Followed(Location(name, "param", parameter), name, parameter)
        for key, given in parts.inputs[name].items():
            if not given.group and given in reversal.inputs:
                own = model._by_key[key].spec.postsynaptic_dynamic_params
                yield from (
                    Followed(Location(key, "psm_param", p), name, reversal.input_names[given.name][p]) for p in own
                )


def _of_synapses(parts: Parts) -> Iterator[Followed]:
    for name, c in parts.connections.items():
        for parameter in sorted(c.group.spec.weight_update_dynamic_params):
            yield Followed(Location(name, "param", parameter), name, parameter)


def check_dynamic(model: Any, parts: Parts) -> None:
    """Check that derivatives can follow dynamic parameters, and that all input was there when they were derived.

    Raises
    ------
    GradientError
        For input that was added later, and for dynamic parameters of what a neuron's timestep has as a part, or of
        postsynaptic models that several connections were taken to share.
    """
    synapses, sources = model.synapse_populations.values(), model.current_sources.values()
    for name in parts.neurons:
        known = parts.inputs[name]
        later = [key for key in inputs_of(name, synapses, sources) if key not in known]
        if later:
            raise GradientError(
                f"'{later[0]}', which '{name}' gets input from, was added after differentiate(...): add it before"
            )
        shared = list(known.values())
        for key, given in known.items():
            group = model._by_key[key]
            dynamic = group.spec.dynamic_params if _is_source(group) else group.spec.postsynaptic_dynamic_params
            if dynamic and given.group:
                raise GradientError(
                    f"'{key}' has the dynamic parameter '{min(dynamic)}', and what it injects into '{name}' depends on "
                    "more than what arrives: make it a variable of the neuron"
                )
            if dynamic and shared.count(given) > 1:
                raise GradientError(
                    f"'{min(dynamic)}' of '{key}' was made dynamic after differentiate(...): make it so before"
                )


def _is_source(group: Any) -> bool:
    return not hasattr(group.spec, "postsynaptic_dynamic_params")


def values_now(model: Any, followed: list[Followed]) -> Mapping[Followed, float]:
    """Return what dynamic parameters are."""
    simulation = model._loaded_simulation()
    return {one: float(simulation.copy(one.at)[0]) for one in followed}


def make_dynamic(adjoint: Any, followed: list[Followed]) -> None:
    """Make the parameters of an adjoint model dynamic that follow others, before it is built."""
    for one in followed:
        for group in _groups(adjoint, one):
            if isinstance(group, NeuronGroup):
                group.set_param_dynamic(one.name)
            else:
                group.set_wu_param_dynamic(one.name)


def set_values(adjoint: Any, values: Mapping[Followed, float]) -> None:
    """Give the adjoint model the forward model's values."""
    for one, value in values.items():
        for group in _groups(adjoint, one):
            group.set_dynamic_param_value(one.name, value)


def _groups(adjoint: Any, one: Followed) -> Iterator[Any]:
    """Yield the adjoint groups that have a parameter: some derivatives do not depend on it."""
    for key in (one.group, f"{one.group}Backward"):
        group = adjoint._by_key.get(key)
        if group is not None and any(p.name == one.name for p in group.model.params):
            yield group
