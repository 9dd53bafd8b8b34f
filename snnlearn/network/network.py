"""The whole network: groups by name, every variable with its shape, and the checks across groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

from snnlearn.declare import Interval, Model, Precision
from snnlearn.errors import NetworkError
from snnlearn.network import cross_checks
from snnlearn.network.attachments import check_attachments
from snnlearn.network.fusion import postsynaptic_leaders
from snnlearn.network.groups import Group, Groups
from snnlearn.network.neurons import CurrentSource, NeuronPopulation
from snnlearn.network.references import Location
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.updates import CustomConnectivityUpdate, CustomUpdate
from snnlearn.network.values import as_number
from snnlearn.network.variables import Collector, Slots, Variable, never_in, time_type

_TIMESTEPS = Interval("(0, inf)")


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
    groups : Groups
        All of them, and which connect or refer to which.
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
    groups: Groups = field(init=False)
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
        fault = _TIMESTEPS.fault(self.dt, "scalar", self.time_precision or self.precision)
        if fault is not None:
            raise NetworkError(f"{owner}: dt {fault}")
        groups = Groups(
            self.neurons, self.synapses, self.current_sources, self.custom_updates, self.custom_connectivity_updates
        )
        object.__setattr__(self, "groups", groups)
        self._check_names(owner)
        self._check_times(owner)
        check_attachments(groups)
        leaders = postsynaptic_leaders(groups, self.fuse_postsynaptic_models)
        never = never_in(self.time_precision or self.precision)
        collector = Collector(groups, leaders, self.batch_size, self.time_type, never)
        variables = collector.collect()
        for synapses in self.synapses.values():
            cross_checks.check_synapses(variables, groups, synapses)
        for source in self.current_sources.values():
            cross_checks.check_current_source(variables, groups, source)
        for update in self.custom_updates.values():
            variables.update(cross_checks.check_update(variables, groups, self.batch_size, update))
        for connectivity_update in self.custom_connectivity_updates.values():
            cross_checks.check_connectivity_update(variables, groups, connectivity_update)
        for variable in variables.values():
            cross_checks.check_copies(groups, self.batch_size, variable)
        for n in self.neurons.values():
            cross_checks.check_played(variables, self.batch_size, n)
        object.__setattr__(self, "leaders", leaders)
        object.__setattr__(self, "slots", collector.slots)
        object.__setattr__(self, "variables", variables)

    @cached_property
    def kept(self) -> list[Location]:
        """The variables of neurons whose past is kept."""
        return [at for at, v in self.variables.items() if v.slots > 1 and v.over == "neuron"]

    @property
    def time_type(self) -> str:
        """The type of times: ``"scalar"``, or what else they are."""
        return time_type(self.precision, self.time_precision)

    def _check_times(self, owner: str) -> None:
        for group in self.groups.by_name.values():
            for model in _models(group):
                if model.time_type != self.time_type:
                    types = f"{model.time_type}, not {self.time_type}"
                    raise NetworkError(f"{owner}: the model of {group.name!r} is for times of type {types}")

    def _check_names(self, owner: str) -> None:
        seen: set[str] = set()
        for groups in self.groups.kinds:
            for name, group in groups.items():
                if name in seen:
                    raise NetworkError(f"{owner}: two groups are called '{name}'")
                if group.name != name:
                    raise NetworkError(f"{owner}: '{name}' is another name for {group.name!r}")
                if group.precision != self.precision:
                    raise NetworkError(f"{owner}: '{name}' is of {group.precision} precision, not {self.precision}")
                seen.add(name)


def _models(group: Group) -> tuple[Model, ...]:
    if isinstance(group, SynapsePopulation):
        return group.weight_update.model, group.postsynaptic.model
    return (group.model,)
