"""The whole network: groups by name, every variable with its shape, and the checks across groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, Union, get_args

from snnlearn.declare import Model, Precision
from snnlearn.errors import NetworkError
from snnlearn.network import crossings
from snnlearn.network.fusion import postsynaptic_leaders
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.references import Location
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate
from snnlearn.network.values import as_number
from snnlearn.network.variables import Collector, Slots, Variable, time_type

Group = Union[NeuronPopulation, SynapsePopulation, CurrentSource, CustomUpdate, CustomConnectivityUpdate]


GroupOf = TypeVar("GroupOf")


def _listed(groups: Iterable[GroupOf], of: Callable[[GroupOf], str]) -> dict[str, list[GroupOf]]:
    found: dict[str, list[GroupOf]] = {}
    for group in groups:
        found.setdefault(of(group), []).append(group)
    return found


def _none() -> Any:
    return field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Network:
    """A checked network: what to simulate, and nothing about how.

    Parameters
    ----------
    name : str
    dt : float
        Timestep [ms].
    precision : {"float", "double"}
        Meaning of ``scalar``.
    neurons, synapses, custom_updates, current_sources, custom_connectivity_updates : mapping of str to group
        By name, in the order of their declaration.
    batch_size : int
        How many copies run at once, of all variables but those that are shared.
    fuse_postsynaptic_models : bool
        Whether connections into one population may share their summed input, where all else is alike: sums are added
        up in another order, and the inputs of single connections are no longer there to be looked at.
    time_precision : {"float", "double"}, optional
        Meaning of ``timepoint``, the type of ``t``, ``dt`` and the times of spikes; by default that of ``scalar``. The
        groups' models must be made for it (see `snnlearn.declare.Model.with_times`).

    Attributes
    ----------
    variables : mapping of Location to Variable
    slots : Slots
        How much of their past populations keep.
    leaders : mapping of str to str
        For each connection the one whose summed input it shares, by default its own.

    Raises
    ------
    NetworkError
        For a name used twice, a timestep that is not positive, and references that do not fit.
    """

    name: str
    dt: float
    precision: Precision
    neurons: Mapping[str, NeuronPopulation]
    synapses: Mapping[str, SynapsePopulation]
    custom_updates: Mapping[str, CustomUpdate] = _none()
    current_sources: Mapping[str, CurrentSource] = _none()
    custom_connectivity_updates: Mapping[str, CustomConnectivityUpdate] = _none()
    batch_size: int = 1
    fuse_postsynaptic_models: bool = False
    time_precision: Precision | None = None
    variables: Mapping[Location, Variable] = field(init=False)
    slots: Slots = field(init=False)
    leaders: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        owner = f"network '{self.name}'"
        if not 0 < as_number(self.dt, f"{owner}: dt") < math.inf:
            raise NetworkError(f"{owner}: dt must be a positive number of ms, not {self.dt!r}")
        for what, precision in (("precision", self.precision), ("time_precision", self.time_precision)):
            if precision not in get_args(Precision) and (what, precision) != ("time_precision", None):
                raise NetworkError(f"{owner}: {what} must be 'float' or 'double', not {precision!r}")
        self._check_names(owner)
        self._check_times(owner)
        object.__setattr__(self, "leaders", postsynaptic_leaders(self))
        collector = Collector(self)
        object.__setattr__(self, "slots", collector.slots)
        variables = collector.collect()
        object.__setattr__(self, "variables", variables)
        for synapses in self.synapses.values():
            crossings.check_synapses(self, synapses)
        for source in self.current_sources.values():
            crossings.check_current_source(self, source)
        for update in self.custom_updates.values():
            variables.update(crossings.check_update(self, update))
        for connectivity_update in self.custom_connectivity_updates.values():
            crossings.check_connectivity_update(self, connectivity_update)
        for variable in variables.values():
            crossings.check_copies(self, variable)

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """All groups by name."""
        found: dict[str, Group] = {}
        for groups in self._kinds():
            found.update(groups)
        return found

    @cached_property
    def incoming(self) -> Mapping[str, list[SynapsePopulation]]:
        """The connections to each population that has some, by its name."""
        return _listed(self.synapses.values(), lambda s: s.target.name)

    @cached_property
    def outgoing(self) -> Mapping[str, list[SynapsePopulation]]:
        """The connections from each population that has some, by its name."""
        return _listed(self.synapses.values(), lambda s: s.source.name)

    @cached_property
    def sources_into(self) -> Mapping[str, list[CurrentSource]]:
        """The current sources of each population that has some, by its name."""
        return _listed(self.current_sources.values(), lambda c: c.target.name)

    @cached_property
    def kept(self) -> list[Location]:
        """The variables of neurons whose past is kept."""
        return [at for at, v in self.variables.items() if v.slots > 1 and v.over == "neuron"]

    @cached_property
    def referred(self) -> frozenset[Location]:
        """The variables that custom updates refer to."""
        return frozenset(ref.to for u in self.custom_updates.values() for ref in u.var_refs.values())

    @property
    def updates(self) -> list[CustomUpdate | CustomConnectivityUpdate]:
        """All custom updates, of variables and of connectivity."""
        return [*self.custom_updates.values(), *self.custom_connectivity_updates.values()]

    @property
    def time_type(self) -> str:
        """The type of times: ``"scalar"``, or what else they are."""
        return time_type(self.precision, self.time_precision)

    def _check_times(self, owner: str) -> None:
        for group in self.groups.values():
            for model in _models(group):
                if model.time_type != self.time_type:
                    types = f"{model.time_type}, not {self.time_type}"
                    raise NetworkError(f"{owner}: the model of '{group.name}' is for times of type {types}")

    def _kinds(self) -> list[Mapping[str, Any]]:
        return [
            self.neurons,
            self.synapses,
            self.current_sources,
            self.custom_updates,
            self.custom_connectivity_updates,
        ]

    def _check_names(self, owner: str) -> None:
        seen: set[str] = set()
        for groups in self._kinds():
            for name, group in groups.items():
                if name in seen:
                    raise NetworkError(f"{owner}: two groups are called '{name}'")
                if group.name != name:
                    raise NetworkError(f"{owner}: '{name}' is another name for '{group.name}'")
                if group.precision != self.precision:
                    raise NetworkError(f"{owner}: '{name}' is of {group.precision} precision, not {self.precision}")
                seen.add(name)


def _models(group: Group) -> tuple[Model, ...]:
    if isinstance(group, SynapsePopulation):
        return group.weight_update.model, group.postsynaptic.model
    return (group.model,)
