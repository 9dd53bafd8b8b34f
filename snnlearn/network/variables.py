"""Every variable of a network: its shape, how many copies of it there are, and how much of its past is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from snnlearn.declare import Precision, ValueType, Var, VarAccessDim, get_var_access_dim, value_type
from snnlearn.dialect import check_model
from snnlearn.models import Constant
from snnlearn.network.groups import Groups
from snnlearn.network.references import Location, Space
from snnlearn.network.synapses import SynapsePopulation
from snnlearn.network.values import VarInit

_SCALAR, _UINT = value_type("scalar"), value_type("unsigned int")
# What a variable has a value for each of.
Over = Literal["neuron", "synapse", "kernel", "only"]


@dataclass(frozen=True, eq=False)
class Variable:
    """One variable of a network.

    Attributes
    ----------
    location : Location
    type : ValueType
    shape : tuple of int
        ``(neurons,)``, or ``(presynaptic, postsynaptic)`` neurons, or ``(presynaptic, row_stride)``, or
        ``(kernel elements,)``, or ``(1,)``.
    init : VarInit, array or None
        None leaves zeros. An array has one value for each neuron, synapse or kernel element, or a row of them for
        each copy of a batch.
    over : str
    batched : bool
        Whether each copy of a batch has its own.
    queue : Location or None
        The pointer to the newest slot, where the past is kept.
    slots : int
        How many timesteps are kept.
    """

    location: Location
    type: ValueType
    shape: tuple[int, ...]
    init: Any
    over: Over = "neuron"
    batched: bool = False
    queue: Location | None = None
    slots: int = 1

    @property
    def size(self) -> int:
        """How many values one copy has at one time."""
        return math.prod(self.shape)


def queue_of(population: str) -> Location:
    """Return where the pointer to a population's newest slot lives."""
    return Location(population, "queue")


class Slots:
    """How much of their past the populations of a network keep, and which variables are kept."""

    def __init__(self, synapses: Iterable[SynapsePopulation]) -> None:
        self._slots: dict[str, int] = {}
        self._kept: set[Location] = set()
        for s in synapses:
            self._keep(s.source, s.axonal_delay_steps, (r.to for r in s.pre_var_refs.values()))
            self._keep(s.target, s.back_prop_delay_steps, (r.to for r in s.post_var_refs.values()))
            delayed = [Location(s.name, "post", v.name) for v in s.weight_update.model.post_vars]
            delayed = [at for at in delayed if at.name in s.delayed_reads or s.back_prop_delay_steps > 0]
            delayed += [r.to for name, r in s.post_var_refs.items() if name in s.delayed_reads]
            delayed += [r.to for name, r in s.psm_var_refs.items() if name in s.delayed_reads]
            if s.back_prop_delay_steps > 0:
                delayed += [r.to for r in s.psm_var_refs.values()]
            if s.delayed_reads:
                self._keep(s.target, s.max_dendritic_delay_timesteps or 0, ())
            self._kept.update(delayed)
            if s.axonal_delay_steps > 0:
                self._kept.update(Location(s.name, "pre", v.name) for v in s.weight_update.model.pre_vars)

    def _keep(self, population: str, delay: int, variables: Iterable[Location]) -> None:
        self._slots[population] = max(self._slots.get(population, 1), delay + 1)
        if delay > 0:
            self._kept.update(variables)

    def of(self, population: str) -> int:
        """Return how many timesteps of a population's spikes are kept."""
        return self._slots.get(population, 1)

    def of_variable(self, at: Location, population: str) -> tuple[Location | None, int]:
        """Return a variable's queue and how many timesteps of it are kept, given the population it belongs to."""
        slots = self.of(population) if at in self._kept else 1
        return (queue_of(population) if slots > 1 else None), slots


class Collector:
    """Finds all variables of a network.

    Parameters
    ----------
    groups : Groups
    leaders : mapping of str to str
        For each connection the one whose summed input it shares, by default its own.
    batch_size : int
    time_type : str
        The type of times.
    never : float
        The time of a spike that has not been.
    """

    def __init__(
        self, groups: Groups, leaders: Mapping[str, str], batch_size: int, time_type: str, never: float
    ) -> None:
        self.groups, self.leaders = groups, leaders
        self.batched = batch_size > 1
        self.time_type, self.never = value_type(time_type), never
        self.slots = Slots(groups.synapses.values())
        self.found: dict[Location, Variable] = {}

    def collect(self) -> dict[Location, Variable]:
        """Return the variables by location; those of custom updates follow what these refer to."""
        groups = self.groups
        for n in groups.neurons.values():
            self.add(n.name, "own", n.model.vars, n.vars, (n.size,), "neuron", n.name)
            self.add_state(Location(n.name, "spike_count"), 1, n.name, vtype=_UINT)
            self.add_spike_times(n.name, n.size)
        for c in groups.current_sources.values():
            self.add(c.name, "own", c.model.vars, c.vars, (groups.neurons[c.target].size,), "neuron", c.target)
        for s in groups.synapses.values():
            self.add_synapses(s)
        for u in groups.custom_connectivity_updates.values():
            s = groups.synapses[u.synapses]
            num_pre, num_post = groups.ends(s)
            self.add(u.name, "synapse", u.model.vars, u.vars, (num_pre, groups.row_stride(s)), "synapse", None)
            self.add(u.name, "pre", u.model.pre_vars, u.pre_vars, (num_pre,), "neuron", None)
            self.add(u.name, "post", u.model.post_vars, u.post_vars, (num_post,), "neuron", None)
        return self.found

    def add(
        self,
        group: str,
        space: Space,
        declared: tuple[Var, ...],
        values: Mapping[str, Any],
        shape: tuple[int, ...],
        over: Over,
        population: str | None,
    ) -> None:
        """Add declared variables; ``population`` is the one whose delays apply to them, if any."""
        for v in declared:
            dims = get_var_access_dim(v.access)
            shared = not dims & VarAccessDim.ELEMENT
            at = Location(group, space, v.name)
            queue, slots = self.slots.of_variable(at, population) if population is not None else (None, 1)
            # Connectivity is the same in all copies of a batch, and so is what its updates keep.
            unbatched = group in self.groups.custom_connectivity_updates
            self.found[at] = Variable(
                at,
                value_type(v.type),
                (1,) if shared else shape,
                values[v.name],
                "only" if shared else over,
                bool(dims & VarAccessDim.BATCH) and self.batched and not unbatched,
                queue,
                slots,
            )

    def add_state(
        self,
        at: Location,
        size: int,
        population: str | None,
        start: float = 0,
        slots: int | None = None,
        vtype: ValueType = _SCALAR,
    ) -> None:
        """Add what the simulation keeps beside the models' own variables."""
        queue: Location | None = None
        if population is not None:
            number = self.slots.of(population) if slots is None else slots
            queue = queue_of(population) if slots is None else Location(population, "den_queue")
            queue, slots = (queue, number) if number > 1 else (None, 1)
        init = VarInit(Constant, {"constant": start}) if start != 0 else None
        over: Over = "only" if at.space == "spike_count" else "neuron"
        self.found[at] = Variable(at, vtype, (size,), init, over, self.batched, queue, slots or 1)

    def add_spike_times(self, name: str, size: int) -> None:
        """Add a population's times of last spikes, where anything needs them."""
        for space, names in spike_time_names(self.groups, name).items():
            if names:
                self.add_times(Location(name, space), size, name)

    def add_times(self, at: Location, size: int, population: str) -> None:
        """Add times of spikes or events."""
        self.add_state(at, size, population, self.never, vtype=self.time_type)

    def add_synapses(self, s: SynapsePopulation) -> None:
        """Add all that belongs to a connection."""
        wu, psm = s.weight_update.model, s.postsynaptic.model
        num_pre, num_post = self.groups.ends(s)
        shape: tuple[int, ...] = (num_pre, self.groups.row_stride(s))
        over: Over = "synapse"
        if s.connectivity.weights == "KERNEL":
            shape, over = (s.connectivity.kernel_size,), "kernel"
        self.add(s.name, "synapse", wu.vars, s.vars, shape, over, None)
        self.add(s.name, "pre", wu.pre_vars, s.pre_vars, (num_pre,), "neuron", s.source)
        self.add(s.name, "post", wu.post_vars, s.post_vars, (num_post,), "neuron", s.target)
        self.add(s.name, "psm", psm.vars, s.psm_vars, (num_post,), "neuron", s.target)
        own = self.leaders[s.name] == s.name
        if own:
            self.add_state(Location(s.name, "out_post"), num_post, None)
        if s.uses("addToPre"):
            self.add_state(Location(s.name, "out_pre"), num_pre, None)
        if own and s.uses("addToPostDelay"):
            at = Location(s.name, "den_delay")
            self.add_state(at, num_post, s.name, slots=s.dendritic_slots)
        for population, size, side in ((s.source, num_pre, "pre"), (s.target, num_post, "post")):
            for prefix in ("", "prev_"):
                if _needs_event_time(s, side, prefix):
                    space: Any = f"{prefix}{side}_event_time"
                    self.add_times(Location(s.name, space), size, population)


def _needs_event_time(s: SynapsePopulation, side: str, prefix: str) -> bool:
    """Whether code of a connection reads when the last event of one of its ends was, at all or before this timestep."""
    condition = check_model(s.weight_update.model).snippets.get(f"{side}_event_threshold_condition_code")
    in_condition = condition is not None and f"{prefix}set" in condition.names
    before = prefix == "" and _needs_event_time(s, side, "prev_")
    return before or in_condition or s.uses(f"{prefix}set_{side}")


def time_type(precision: Precision, time_precision: Precision | None) -> str:
    """Return the type of a network's times: ``"scalar"`` where they have no precision of their own."""
    return "scalar" if time_precision in (None, precision) else str(time_precision)


def never_in(precision: str) -> float:
    """Return the time of a spike that has not been, as GeNN has it, given the precision of times."""
    return -float(np.finfo(np.float32 if precision == "float" else np.float64).max)


def spike_time_names(groups: Groups, name: str) -> dict[Any, bool]:
    """Return whether anything needs the times of a population's last spikes, and of those before."""
    outgoing, incoming = groups.outgoing.get(name, ()), groups.incoming.get(name, ())
    own = check_model(groups.neurons[name].model).uses("st")

    def used(prefix: str) -> bool:
        as_source = any(s.uses(f"{prefix}st_pre") for s in outgoing)
        return as_source or any(s.uses(f"{prefix}st_post") for s in incoming)

    last, before = Location(name, "spike_time"), Location(name, "prev_spike_time")
    needs_before = used("prev_") or before in groups.referred
    return {
        "spike_time": own or used("") or needs_before or last in groups.referred,
        "prev_spike_time": needs_before,
    }
