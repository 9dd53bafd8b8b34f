"""All groups of a network by name, and which connect or refer to which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar, Union

from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.references import Location
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate

Group = Union[NeuronPopulation, SynapsePopulation, CurrentSource, CustomUpdate, CustomConnectivityUpdate]
GroupOf = TypeVar("GroupOf")


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a network, each kind by name, in the order of their declaration."""

    neurons: Mapping[str, NeuronPopulation]
    synapses: Mapping[str, SynapsePopulation]
    current_sources: Mapping[str, CurrentSource]
    custom_updates: Mapping[str, CustomUpdate]
    custom_connectivity_updates: Mapping[str, CustomConnectivityUpdate]

    @property
    def kinds(self) -> list[Mapping[str, Any]]:
        """The groups of each kind, by name."""
        return [
            self.neurons,
            self.synapses,
            self.current_sources,
            self.custom_updates,
            self.custom_connectivity_updates,
        ]

    @cached_property
    def by_name(self) -> Mapping[str, Group]:
        """All groups by name."""
        return {name: group for groups in self.kinds for name, group in groups.items()}

    @property
    def updates(self) -> list[CustomUpdate | CustomConnectivityUpdate]:
        """All custom updates, of variables and of connectivity."""
        return [*self.custom_updates.values(), *self.custom_connectivity_updates.values()]

    @cached_property
    def incoming(self) -> Mapping[str, list[SynapsePopulation]]:
        """The connections to each population that has some, by its name."""
        return _listed(self.synapses.values(), lambda s: s.target)

    @cached_property
    def outgoing(self) -> Mapping[str, list[SynapsePopulation]]:
        """The connections from each population that has some, by its name."""
        return _listed(self.synapses.values(), lambda s: s.source)

    @cached_property
    def sources_into(self) -> Mapping[str, list[CurrentSource]]:
        """The current sources of each population that has some, by its name."""
        return _listed(self.current_sources.values(), lambda c: c.target)

    @cached_property
    def referred(self) -> frozenset[Location]:
        """The variables that custom updates refer to."""
        return frozenset(ref.to for u in self.custom_updates.values() for ref in u.var_refs.values())

    def ends(self, s: SynapsePopulation) -> tuple[int, int]:
        """Return how many presynaptic and how many postsynaptic neurons a connection has."""
        return self.neurons[s.source].size, self.neurons[s.target].size

    def row_stride(self, s: SynapsePopulation) -> int:
        """Return how many synapses a row of a connection has room for."""
        return s.connectivity.row_stride(*self.ends(s))

    def room(self, s: SynapsePopulation) -> int:
        """Return how many synapses a connection has room for."""
        return self.neurons[s.source].size * self.row_stride(s)

    def records_events(self, s: SynapsePopulation, side: Literal["pre", "post"]) -> bool:
        """Whether a connection's presynaptic or postsynaptic events are recorded."""
        if side == "pre":
            return s.pre_spike_event_recording_enabled or self.neurons[s.source].spike_event_recording_enabled
        return s.post_spike_event_recording_enabled or self.neurons[s.target].spike_event_recording_enabled

    def connection_of(self, at: Location) -> str | None:
        """Return the connection whose synapses a variable belongs to, if any."""
        if at.group in self.synapses:
            return at.group if at.space == "synapse" else None
        if at.group in self.custom_connectivity_updates:
            return self.custom_connectivity_updates[at.group].synapses if at.space == "synapse" else None
        if at.group in self.custom_updates and self.custom_updates[at.group].per_synapse:
            first = next(iter(self.custom_updates[at.group].var_refs.values()))
            return self.connection_of(first.to)
        return None


def _listed(groups: Iterable[GroupOf], of: Callable[[GroupOf], str]) -> dict[str, list[GroupOf]]:
    found: dict[str, list[GroupOf]] = {}
    for group in groups:
        found.setdefault(of(group), []).append(group)
    return found
