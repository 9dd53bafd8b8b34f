"""A second model of the same groups, not built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from snnlearn.declare import NeuronModel
from snnlearn.errors import LifecycleError
from snnlearn.genn.groups import CurrentSource, CustomUpdate, CustomUpdateWU, NeuronGroup, SynapseGroup
from snnlearn.genn.model import GeNNModel


def copy_model(
    model: GeNNModel, precision: str | None = None, declared: Mapping[str, NeuronModel] | None = None
) -> GeNNModel:
    """Return a model of the same groups and settings that is not built: described anew, with the same initial values.

    What is recorded and played is left out, and so are custom connectivity updates.

    Parameters
    ----------
    model : GeNNModel
        Described; built or loaded or not. It stays as it is.
    precision : {"float", "double"}, optional
        By default that of the model.
    declared : mapping of str to NeuronModel, optional
        The models of populations that have been given others since, by key.

    Raises
    ------
    LifecycleError
        Where a population plays something: what that was is not part of the description.
    """
    return _Copy(model, precision or model.precision).run(declared or {})


class _Copy:
    def __init__(self, model: GeNNModel, precision: str) -> None:
        own = model.time_precision if model._time_precision is not None else None
        self.old, self.new = model, GeNNModel(precision, model.name, model.backend_name, own)
        self.new._preferences, self.new._backend = model._preferences, model._backend
        self.new.dt, self.new.batch_size, self.new.seed = model.dt, model.batch_size, model.seed
        self.new.fuse_postsynaptic_models = model.fuse_postsynaptic_models
        self.by_old: dict[int, Any] = {}

    def run(self, declared: Mapping[str, NeuronModel]) -> GeNNModel:
        for name, group in self.old.neuron_populations.items():
            self._add_neurons(name, group, declared.get(group._key))
        for name, connection in self.old.synapse_populations.items():
            self._add_synapses(name, connection)
        for name, source in self.old.current_sources.items():
            spec = self._spec(source.spec)
            target = self.by_old[id(source.target_pop)]
            self.new._add(self.new.current_sources, name, CurrentSource(self.new, spec, target))
        for name, update in self.old.custom_updates.items():
            self._add_update(name, update)
        return self.new

    def _spec(self, spec: Any, **changes: Any) -> Any:
        """Return a description with this model's precision."""
        model = changes.pop("model", spec.model)
        return replace(spec, model=self.new._timed(model), precision=self.new.precision, **changes)

    def _add_neurons(self, name: str, group: NeuronGroup, declared: NeuronModel | None) -> None:
        spec = group.spec
        if spec.plays:
            raise LifecycleError(
                f"'{group.name}' plays something to '{spec.plays[0].variable}', which a copy of the model cannot"
            )
        changes: dict[str, Any] = {"records": (), "spike_recording_enabled": False}
        changes["spike_event_recording_enabled"] = False
        if declared is not None:
            own = {v.name for v in declared.vars}, {p.name for p in declared.params}
            changes |= {"model": declared, "vars": {k: v for k, v in spec.vars.items() if k in own[0]}}
            changes |= {"params": {k: v for k, v in spec.params.items() if k in own[1]}}
        made = NeuronGroup(self.new, self._spec(spec, **changes))
        self.by_old[id(group)] = self.new._add(self.new.neuron_populations, name, made)

    def _add_synapses(self, name: str, group: SynapseGroup) -> None:
        spec = group.spec
        rule = replace(spec.weight_update, model=self.new._timed(spec.weight_update.model))
        psm = replace(spec.postsynaptic, model=self.new._timed(spec.postsynaptic.model))
        ends = self.by_old[id(group.src)], self.by_old[id(group.trg)]
        made = SynapseGroup(self.new, group._key, spec.connectivity, *ends, rule, psm)
        left_out = {"pre_spike_event_recording_enabled", "post_spike_event_recording_enabled", "precision"}
        given = {f.name for f in fields(spec) if f.init} - left_out - {"weight_update", "postsynaptic", "name"}
        made._change(**{name: getattr(spec, name) for name in given - {"source", "target"}})
        self.by_old[id(group)] = self.new._add(self.new.synapse_populations, name, made)

    def _add_update(self, name: str, update: CustomUpdate | CustomUpdateWU) -> None:
        spec = self._spec(update.spec)
        made: CustomUpdate | CustomUpdateWU
        if isinstance(update, CustomUpdateWU):
            made = CustomUpdateWU(self.new, spec, self.by_old[id(update.synapse_group)])
        else:
            made = CustomUpdate(self.new, spec, update.num_neurons)
        self.new._add(self.new.custom_updates, name, made)
