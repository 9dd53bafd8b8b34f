"""Neuron populations and current sources: checked descriptions with a user's handles on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import network as net
from snnlearn.declare import NeuronModel
from snnlearn.errors import LifecycleError
from snnlearn.genn.array_parts import PartArray, PartCheck, PartVariable
from snnlearn.genn.arrays import Array, StateArray
from snnlearn.genn.enums import VarLocation
from snnlearn.genn.group import GroupOfOneModel
from snnlearn.genn.playback import Playback
from snnlearn.genn.protocols import ModelOfGroups
from snnlearn.genn.recording import Recording as VariableRecording
from snnlearn.network import Location
from snnlearn.network.attachments import check_target
from snnlearn.runtime import Recording

Events = list[tuple[NDArray[np.float64], NDArray[np.int32]]]


class NeuronGroup(GroupOfOneModel[net.NeuronPopulation]):
    """A population of neurons; made by ``GeNNModel.add_neuron_population``."""

    def __init__(self, model: ModelOfGroups, spec: net.NeuronPopulation) -> None:
        super().__init__(model, spec, spec.model)
        self.vars = self._variables(spec.model.vars, "own")
        at = [Location(self._key, "spike_time"), Location(self._key, "prev_spike_time")]
        self._times = [StateArray(place, self, spec.model.time_type) for place in at]
        self._watch_parts()
        self._recording: list[Recording] | None = None
        self._kept: list[VariableRecording | Playback] = []

    @property
    def num_neurons(self) -> int:
        """How many neurons."""
        return self.spec.size

    @property
    def spike_times(self) -> StateArray | None:
        """The times of last spikes [ms], where any code asks for them and the model is loaded."""
        return self._times[0] if self._times[0]._view is not None else None

    @property
    def prev_spike_times(self) -> StateArray | None:
        """The times of the last spikes before the last timestep [ms], where code asks for them, while loaded."""
        return self._times[1] if self._times[1]._view is not None else None

    @property
    def spike_time_location(self) -> VarLocation:
        """Where the times of last spikes live; set it before ``build``."""
        return self._location(self._times[0].location)

    @spike_time_location.setter
    def spike_time_location(self, location: VarLocation) -> None:
        self._set_location(self._times[0].location, location)

    @property
    def prev_spike_time_location(self) -> VarLocation:
        """Where the times of the last spikes before the last timestep live; set it before ``build``."""
        return self._location(self._times[1].location)

    @prev_spike_time_location.setter
    def prev_spike_time_location(self, location: VarLocation) -> None:
        self._set_location(self._times[1].location, location)

    def _become(self, model: NeuronModel, params: Mapping[str, float], variables: Mapping[str, Any]) -> None:
        """Replace the model by one with further parameters and variables."""
        self._need_unbuilt("its model")
        spec = self.spec
        self._change(model=model.with_times(spec.model.time_type), params=params, vars={**spec.vars, **variables})
        self._declared = self.spec.model
        for name, variable in self._variables([v for v in model.vars if v.name in variables], "own").items():
            self.vars.add(name, variable)

    def _watch_parts(self) -> None:
        """Have pushes of arrays' parts noted."""
        self._part_checks: list[PartCheck] = []
        for part in self.spec.model.array_parts:
            array = self.extra_global_params[part.array]
            watched = PartArray(array.location, self, array.type, array._set_spec)
            self.extra_global_params.add(part.array, watched)
            for name in (part.begin, part.end):
                self.vars.add(name, PartVariable(self.vars[name].location, self, self.vars[name].type))

    def _note_pushed(self, at: Location, values: NDArray[Any]) -> None:
        for check in self._part_checks:
            check.note(at, values)

    def _note_state(self) -> None:
        """Be told that a state has been put back on the device."""
        for check in self._part_checks:
            check.note_all()

    def _arrays(self) -> Iterable[Array]:
        yield from super()._arrays()
        yield from self._times

    def _stored(self, at: Location) -> bool:
        return at.space == "egp" or at.space == "init_egp" or at in self._simulation().network.variables

    @property
    def spike_recording_enabled(self) -> bool:
        """Whether spikes are recorded; set it before ``build``."""
        return self.spec.spike_recording_enabled

    @spike_recording_enabled.setter
    def spike_recording_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("spike_recording_enabled")
        self._change(spike_recording_enabled=bool(enabled))

    @property
    def spike_event_recording_enabled(self) -> bool:
        """Whether connections from and to it record its spike-like events; set it before ``build``."""
        return self.spec.spike_event_recording_enabled

    @spike_event_recording_enabled.setter
    def spike_event_recording_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("spike_event_recording_enabled")
        self._change(spike_event_recording_enabled=bool(enabled))

    @property
    def recording_zero_copy_enabled(self) -> bool:
        """Accepted, and without effect: a matter of GeNN's GPU back ends."""
        return False

    @recording_zero_copy_enabled.setter
    def recording_zero_copy_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("recording_zero_copy_enabled")
        self._model._note_no_effect("recording_zero_copy_enabled")

    @property
    def spike_recording_data(self) -> Events:
        """The spikes of the last ``num_recording_timesteps`` timesteps before they were pulled.

        A pair for each copy of the batch: times [ms], float64, ascending; and neuron ids, int32, ascending within a
        timestep.

        Raises
        ------
        LifecycleError
            If nothing was recorded or pulled.
        """
        if not self.spike_recording_enabled:
            raise LifecycleError(f"'{self.name}' records no spikes; set spike_recording_enabled before build")
        if self._recording is None:
            raise LifecycleError(f"'{self.name}': call pull_recording_buffers_from_device first")
        return [recording.decode() for recording in self._recording]

    def _load(self) -> None:
        super()._load()
        parts, simulation = self.spec.model.array_parts, self._simulation()
        self._part_checks = [PartCheck(self, part, simulation) for part in parts]
        for one in self._kept:
            one._load()

    def _unload(self) -> None:
        super()._unload()
        for one in self._kept:
            one._unload()
        self._recording = None
        self._part_checks = []

    def _recorded(self) -> Iterable[Location]:
        if self.spike_recording_enabled:
            yield Location(self._key, "recording")

    def _keep_recording(self, at: Location, recording: list[Recording]) -> None:
        self._recording = recording


class CurrentSource(GroupOfOneModel[net.CurrentSource]):
    """A current into every neuron of a population; made by ``GeNNModel.add_current_source``.

    Attributes
    ----------
    target_pop : NeuronGroup
    """

    target_pop: NeuronGroup

    def __init__(self, model: ModelOfGroups, spec: net.CurrentSource, target: NeuronGroup) -> None:
        super().__init__(model, spec, spec.model)
        self.target_pop = target
        self._check_attached(spec)
        self.vars = self._variables(spec.model.vars, "own")

    def _check_attached(self, spec: net.CurrentSource) -> None:
        check_target(spec, self.target_pop.spec)

    @property
    def target_var(self) -> str:
        """The input that the current is added to; set it before ``build``."""
        return self.spec.target_var

    @target_var.setter
    def target_var(self, name: str) -> None:
        self._need_unbuilt("target_var")
        self._change(target_var=name)
