"""A second model of the same groups, not built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from snnlearn.declare import Model
from snnlearn.errors import LifecycleError
from snnlearn.genn.groups import CurrentSource, CustomUpdate, CustomUpdateWU, NeuronGroup, SynapseGroup
from snnlearn.genn.model import GeNNModel


def copy_model(
    model: GeNNModel, precision: str | None = None, declared: Mapping[str, Model] | None = None
) -> GeNNModel:
    """Return a model of the same groups and settings that is not built: described anew, with the same initial values.

    What is recorded and played is left out, and so are custom connectivity updates.

    Parameters
    ----------
    model : GeNNModel
        Described; built or loaded or not. It stays as it is.
    precision : {"float", "double"}, optional
        By default that of the model.
    declared : mapping of str to Model, optional
        The models of populations, and the weight update models of connections, that have been given others since, by
        key.

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

    def run(self, declared: Mapping[str, Model]) -> GeNNModel:
        for name, group in self.old.neuron_populations.items():
            self._add_neurons(name, group, declared.get(group._key))
        for name, connection in self.old.synapse_populations.items():
            self._add_synapses(name, connection, declared.get(connection._key))
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

    def _add_neurons(self, name: str, group: NeuronGroup, declared: Model | None) -> None:
        spec = group.spec
        if spec.plays:
            raise LifecycleError(
                f"'{group.name}' plays something to '{spec.plays[0].variable}', which a copy of the model cannot"
            )
        changes: dict[str, Any] = {"records": (), "spike_recording_enabled": False}
        changes["spike_event_recording_enabled"] = False
        if declared is not None:
            changes |= _values_of(declared, spec)
        made = NeuronGroup(self.new, self._spec(spec, **changes))
        self.by_old[id(group)] = self.new._add(self.new.neuron_populations, name, made)

    def _add_synapses(self, name: str, group: SynapseGroup, declared: Model | None) -> None:
        spec = group.spec
        given = spec.weight_update
        rule = replace(given, **_values_of(declared or given.model, given))
        rule = replace(rule, model=self.new._timed(rule.model))
        psm = replace(spec.postsynaptic, model=self.new._timed(spec.postsynaptic.model))
        ends = self.by_old[id(group.src)], self.by_old[id(group.trg)]
        made = SynapseGroup(self.new, group._key, spec.connectivity, *ends, rule, psm)
        left_out = {"pre_spike_event_recording_enabled", "post_spike_event_recording_enabled", "precision"}
        left_out |= {"weight_update", "postsynaptic", "name", "source", "target"}
        made._change(**{f.name: getattr(spec, f.name) for f in fields(spec) if f.init and f.name not in left_out})
        self.by_old[id(group)] = self.new._add(self.new.synapse_populations, name, made)

    def _add_update(self, name: str, update: CustomUpdate | CustomUpdateWU) -> None:
        spec = self._spec(update.spec)
        made: CustomUpdate | CustomUpdateWU
        if isinstance(update, CustomUpdateWU):
            made = CustomUpdateWU(self.new, spec, self.by_old[id(update.synapse_group)])
        else:
            made = CustomUpdate(self.new, spec, update.num_neurons)
        self.new._add(self.new.custom_updates, name, made)


def _values_of(declared: Any, given: Any) -> dict[str, Any]:
    """Return a declared model, and the values that are of it among those that were given."""
    variables, params = ({x.name for x in kind} for kind in (declared.vars, declared.params))
    return {
        "model": declared,
        "vars": {name: value for name, value in given.vars.items() if name in variables},
        "params": {name: value for name, value in given.params.items() if name in params},
    }
