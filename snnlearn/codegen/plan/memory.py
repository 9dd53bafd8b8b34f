"""The arrays of a simulation: one for each variable, and what synapses and spikes need besides."""

from __future__ import annotations

from snnlearn.codegen.plan.kernels import Array
from snnlearn.codegen.plan.names import Names
from snnlearn.declare import Model, ValueType, element_type, value_type
from snnlearn.network import Location, Network

_UINT, _SCALAR = value_type("unsigned int"), value_type("scalar")


class Memory:
    """All arrays of a network, found by what they hold."""

    def __init__(self, network: Network) -> None:
        self._names = Names()
        self._arrays: dict[Location, Array] = {}
        for at, variable in network.variables.items():
            self._add(at, at.name, variable.type, variable.size)
        for n in network.neurons.values():
            self._add_model(n.name, n.model, n.dynamic_params)
            self._add(Location(n.name, "spikes", ""), "spikes", _UINT, n.size)
            self._add(Location(n.name, "spike_count", ""), "spike_count", _UINT, 1)
            if n.spike_recording_enabled:
                self._add(Location(n.name, "recording", ""), "recording", _UINT, None)
        for s in network.synapses.values():
            self._add_model(s.name, s.weight_update.model, s.weight_update_dynamic_params)
            self._add_dynamic(s.name, s.postsynaptic.model, s.postsynaptic_dynamic_params, "psm_param")
            self._add(Location(s.name, "out_post", ""), "out_post", _SCALAR, s.target.size)
            self._add(Location(s.name, "out_pre", ""), "out_pre", _SCALAR, s.source.size)
        for u in network.custom_updates.values():
            self._add_model(u.name, u.model, u.dynamic_params)

    def _add(self, at: Location, name: str, vtype: ValueType, size: int | None) -> None:
        self._arrays[at] = Array(self._names.unique(f"{at.group}_{name}"), at, vtype, size)

    def _add_model(self, group: str, model: Model, dynamic: frozenset[str]) -> None:
        for egp in model.extra_global_params:
            self._add(Location(group, "egp", egp.name), egp.name, element_type(egp.type), None)
        self._add_dynamic(group, model, dynamic, "param")

    def _add_dynamic(self, group: str, model: Model, dynamic: frozenset[str], space: str) -> None:
        for p in model.params:
            if p.name in dynamic:
                at = Location(group, "param" if space == "param" else "psm_param", p.name)
                self._add(at, p.name, value_type(p.type), 1)

    def __getitem__(self, at: Location) -> Array:
        return self._arrays[at]

    def __contains__(self, at: Location) -> bool:
        return at in self._arrays

    @property
    def arrays(self) -> tuple[Array, ...]:
        """All arrays, in the order of declaration."""
        return tuple(self._arrays.values())
