"""The arrays of a simulation: one for each variable, and what synapses and spikes need besides."""

from __future__ import annotations

from snnlearn.codegen.plan.domains import Sparse
from snnlearn.codegen.plan.history import COUNTER, PLAYER, RECORDER, WORD
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Array
from snnlearn.declare import Model, ValueType, element_type, value_type
from snnlearn.dialect import check_model
from snnlearn.network import Location, Network, NeuronPopulation, SynapsePopulation, Variable, VarInit
from snnlearn.network.references import Space
from snnlearn.network.variables import queue_of

_UINT = value_type("unsigned int")


class Memory:
    """All arrays of a network, found by what they hold."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._names = Names()
        self._arrays: dict[Location, Array] = {}
        self._shared: dict[Location, Array] = {}
        self._add_queues()
        for variable in network.variables.values():
            self._add_variable(variable)
        for n in network.neurons.values():
            self._add_neurons(n)
        for s in network.synapses.values():
            self._add_synapses(s)
            self._share_input(s)
        for c in network.current_sources.values():
            self._add_model(c.name, c.model, c.dynamic_params)
        for u in network.groups.updates:
            self._add_model(u.name, u.model, u.dynamic_params)
            if any(
                call.startswith("gennrand")
                for snippet in check_model(u.model).snippets.values()
                for call in snippet.calls
            ):
                self._add(Location(u.name, "calls"), "calls", value_type("uint64_t"), 1)

    def _add(
        self,
        at: Location,
        name: str,
        vtype: ValueType,
        size: int | None,
        *,
        batched: bool = False,
        slots: int = 1,
        queue: Location | None = None,
    ) -> None:
        pointer = self._arrays[queue].name if queue is not None and slots > 1 else None
        copies = batched and self.network.batch_size > 1
        self._arrays[at] = Array(self._names.unique(f"{at.group}_{name}"), at, vtype, size, copies, slots, pointer)

    def _add_queues(self) -> None:
        for n in self.network.neurons:
            if self.network.slots.of(n) > 1:
                self._add(queue_of(n), "queue", _UINT, 1)
        for s in self.network.synapses.values():
            if self._leads(s) and s.uses("addToPostDelay") and s.dendritic_slots > 1:
                self._add(Location(s.name, "den_queue"), "den_queue", _UINT, 1)

    def _add_variable(self, v: Variable) -> None:
        name = v.location.name or v.location.space
        self._add(v.location, name, v.type, v.size, batched=v.batched, slots=v.slots, queue=v.queue)
        if isinstance(v.init, VarInit):
            for egp in v.init.snippet.extra_global_params:
                self._add(init_egp(v.location, egp.name), f"{name}_{egp.name}", element_type(egp.type), None)

    def _add_neurons(self, n: NeuronPopulation) -> None:
        self._add_model(n.name, n.model, n.dynamic_params)
        slots = self.network.slots.of(n.name)
        self._add(
            Location(n.name, "spikes"), "spikes", _UINT, n.size, batched=True, slots=slots, queue=queue_of(n.name)
        )
        if n.spike_recording_enabled:
            self._add(Location(n.name, "recording"), "recording", _UINT, None)
        self._add_history(n)

    def _add_history(self, n: NeuronPopulation) -> None:
        """Add the rows that are recorded and played, and where in them the simulation is."""
        self._add_records(n)
        for play in n.plays:
            self._add(
                Location(n.name, "played", play.variable),
                f"{play.variable}_played",
                WORD if play.bits else play.type,
                None,
            )
            self._add(Location(n.name, "player", play.variable), f"{play.variable}_player", COUNTER, len(PLAYER))

    def _add_records(self, group: NeuronPopulation | SynapsePopulation) -> None:
        for number, record in enumerate(group.records):
            for name in record.variables:
                vtype = self[Location(group.name, group.recorded_space, name)].type
                self._add(record.rows_at(group.name, number, name), f"{name}_recorded", vtype, None)
            if record.spikes:
                self._add(Location(group.name, "recorded_spikes", str(number)), "recorded_spikes", WORD, None)
            if record.elements is not None:
                at = Location(group.name, "recorder_index", str(number))
                self._add(at, "recorder_index", WORD, len(record.elements))
            self._add(Location(group.name, "recorder", str(number)), "recorder", COUNTER, len(RECORDER))

    def _add_synapses(self, s: SynapsePopulation) -> None:
        self._add_records(s)
        self._add_model(s.name, s.weight_update.model, s.weight_update_dynamic_params)
        self._add_arrays(s.name, s.postsynaptic.model, "psm_egp")
        self._add_dynamic(s.name, s.postsynaptic.model, s.postsynaptic_dynamic_params, "psm_param")
        self._add_events(s)
        if s.connectivity.dense:
            return
        pre, post = self.network.groups.ends(s)
        room = self.network.groups.room(s)
        self._add(Location(s.name, "row_length"), "row_length", _UINT, pre)
        self._add(Location(s.name, "ind"), "ind", value_type(s.connectivity.index_type(post)), room)
        if needs_kernel(self.network, s):
            self._add(Location(s.name, "kernel_ind"), "kernel_ind", _UINT, room)
        if needs_columns(s):
            self._add(Location(s.name, "column_start"), "column_start", _UINT, post + 1)
            self._add(Location(s.name, "column_synapses"), "column_synapses", _UINT, room)
        if s.connectivity.init is not None:
            self._add_arrays(s.name, s.connectivity.init.snippet, "connect_egp")

    def _leads(self, s: SynapsePopulation) -> bool:
        return self.network.leaders[s.name] == s.name

    def _share_input(self, s: SynapsePopulation) -> None:
        """Let a connection add to the summed input of the one that it is fused with."""
        if not self._leads(s):
            spaces: tuple[Space, ...] = ("out_post", "den_delay", "den_queue")
            for space in spaces:
                at = Location(self.network.leaders[s.name], space)
                if at in self._arrays:
                    self._shared[Location(s.name, space)] = self._arrays[at]

    def _add_events(self, s: SynapsePopulation) -> None:
        codes = check_model(s.weight_update.model).snippets
        spaces: dict[str, tuple[Space, Space, Space]] = {
            "pre": ("pre_events", "pre_event_count", "pre_event_recording"),
            "post": ("post_events", "post_event_count", "post_event_recording"),
        }
        groups = self.network.groups
        for side, end, recorded in [
            ("pre", s.source, groups.records_events(s, "pre")),
            ("post", s.target, groups.records_events(s, "post")),
        ]:
            if f"{side}_event_threshold_condition_code" not in codes:
                continue
            size, slots, queue = groups.neurons[end].size, self.network.slots.of(end), queue_of(end)
            events, count, recording = spaces[side]
            self._add(Location(s.name, events), events, _UINT, size, batched=True, slots=slots, queue=queue)
            self._add(Location(s.name, count), count, _UINT, 1, batched=True, slots=slots, queue=queue)
            if recorded:
                self._add(Location(s.name, recording), recording, _UINT, None)

    def _add_model(self, group: str, model: Model, dynamic: frozenset[str]) -> None:
        self._add_arrays(group, model, "egp")
        self._add_dynamic(group, model, dynamic, "param")

    def _add_arrays(self, group: str, model: Model, space: Space) -> None:
        for egp in model.extra_global_params:
            self._add(Location(group, space, egp.name), egp.name, element_type(egp.type), None)

    def _add_dynamic(self, group: str, model: Model, dynamic: frozenset[str], space: Space) -> None:
        for p in model.params:
            if p.name in dynamic:
                self._add(Location(group, space, p.name), p.name, value_type(p.type), 1)

    def __getitem__(self, at: Location) -> Array:
        return self._arrays[at] if at in self._arrays else self._shared[at]

    def __contains__(self, at: Location) -> bool:
        return at in self._arrays or at in self._shared

    def name(self, at: Location) -> str | None:
        """Return the name of an array, where there is one."""
        return self[at].name if at in self else None

    @property
    def arrays(self) -> tuple[Array, ...]:
        """All arrays, in the order of declaration."""
        return tuple(self._arrays.values())

    def sparse(self, s: SynapsePopulation) -> Sparse | None:
        """Return where a connection's connectivity is stored, unless it is all-to-all."""
        if s.connectivity.dense:
            return None
        return Sparse(
            self.network.groups.row_stride(s),
            self[Location(s.name, "ind")].name,
            self[Location(s.name, "row_length")].name,
            self.name(Location(s.name, "column_start")),
            self.name(Location(s.name, "column_synapses")),
            self.name(Location(s.name, "kernel_ind")),
        )


def init_egp(variable: Location, name: str) -> Location:
    """Return where an array that a variable's initialiser reads lives."""
    return Location(variable.group, "init_egp", f"{variable.space}.{variable.name}.{name}")


def needs_columns(s: SynapsePopulation) -> bool:
    """Whether anything walks through the synapses of a postsynaptic neuron."""
    codes = check_model(s.weight_update.model).snippets
    return "post_spike_syn_code" in codes or "post_event_syn_code" in codes


def needs_kernel(network: Network, s: SynapsePopulation) -> bool:
    """Whether anything needs to know which element of the kernel a synapse points to."""
    if not s.connectivity.kernel_shape:
        return False
    inits = [network.variables[Location(s.name, "synapse", v.name)].init for v in s.weight_update.model.vars]
    by_init = any(isinstance(i, VarInit) and check_model(i.snippet).uses("id_kernel") for i in inits)
    return s.connectivity.weights == "KERNEL" or by_init or s.uses("id_kernel")
