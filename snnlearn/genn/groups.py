"""Neuron groups, synapse groups and custom updates: checked descriptions with a user's handles on them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union
from weakref import proxy

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn import network as net
from snnlearn.declare import Model
from snnlearn.errors import LifecycleError, NetworkError, did_you_mean
from snnlearn.genn.arrays import ExtraGlobalParameter, HostArray, Variable
from snnlearn.network import Location
from snnlearn.network.references import Space, VariableSpace
from snnlearn.network.values import as_number
from snnlearn.runtime import Simulation
from snnlearn.runtime.simulation import Recording

if TYPE_CHECKING:
    from snnlearn.genn.model import GeNNModel

Spec = TypeVar("Spec", bound=Union[net.NeuronPopulation, net.SynapsePopulation, net.CustomUpdate])


class SynapseMatrixType(enum.Enum):
    """How a connection is stored."""

    DENSE = "DENSE"


class Group(Generic[Spec]):
    """What all groups share: arrays by name, and dynamic parameters."""

    def __init__(self, model: GeNNModel, spec: Spec, declared: Model, space: VariableSpace) -> None:
        self._model: GeNNModel = proxy(model)
        self.spec: Spec = spec
        self.name = spec.name
        self.vars = self._variables(declared, "vars", space)
        self.extra_global_params = self._egps(declared)

    def _simulation(self) -> Simulation:
        try:
            return self._model._loaded_simulation()
        except ReferenceError:
            raise LifecycleError(
                f"the model of '{self.name}' is gone: keep the GeNNModel for as long as its groups"
            ) from None

    def _variables(self, model: Model, attribute: str, space: VariableSpace) -> dict[str, Variable]:
        return {
            v.name: Variable(Location(self.name, space, v.name), self._simulation) for v in getattr(model, attribute)
        }

    def _egps(self, model: Model) -> dict[str, ExtraGlobalParameter]:
        return {
            e.name: ExtraGlobalParameter(Location(self.name, "egp", e.name), self._simulation, self._set_egp)
            for e in model.extra_global_params
        }

    def _set_egp(self, name: str, values: ArrayLike) -> None:
        self._change(extra_global_params={**self.spec.extra_global_params, name: values})

    def _change(self, **changes: Any) -> None:
        """Replace parts of the description; checked as a whole at once."""
        self.spec = replace(self.spec, **changes)

    def _need_unbuilt(self, what: str) -> None:
        if self._model._built:
            raise LifecycleError(f"'{self.name}': {what} can only be changed before the model is built")

    def _check_arrays(self) -> None:
        """Raise LifecycleError unless every extra global parameter has values."""
        for name in self.extra_global_params:
            if name not in self.spec.extra_global_params:
                raise LifecycleError(
                    f"'{self.name}' has no values for the extra global parameter '{name}'; "
                    f'call extra_global_params["{name}"].set_init_values(...) before load()'
                )

    def _arrays(self) -> list[HostArray]:
        return [*self.vars.values(), *self.extra_global_params.values()]

    def _set_dynamic(self, space: Space, dynamic: frozenset[str], model: Model, name: str, value: float) -> None:
        if name not in dynamic:
            known = [p.name for p in model.params]
            hint = did_you_mean(name, known) if name not in known else "; call set_param_dynamic before build"
            raise NetworkError(f"'{self.name}' has no dynamic parameter '{name}'{hint}")
        number = as_number(value, f"'{self.name}': parameter '{name}'")
        self._simulation().set_dynamic_param(Location(self.name, space, name), number)


class NeuronGroup(Group[net.NeuronPopulation]):
    """A population of neurons; made by ``GeNNModel.add_neuron_population``."""

    def __init__(self, model: GeNNModel, spec: net.NeuronPopulation) -> None:
        super().__init__(model, spec, spec.model, "own")
        self._recording: Recording | None = None

    @property
    def num_neurons(self) -> int:
        """How many neurons."""
        return self.spec.size

    @property
    def model(self) -> Model:
        """The neuron model."""
        return self.spec.model

    @property
    def params(self) -> Mapping[str, float]:
        """The parameters' values, by name."""
        return self.spec.params

    @property
    def spike_recording_enabled(self) -> bool:
        """Whether spikes are recorded; set it before ``build``."""
        return self.spec.spike_recording_enabled

    @spike_recording_enabled.setter
    def spike_recording_enabled(self, enabled: bool) -> None:
        self._need_unbuilt("spike_recording_enabled")
        self._change(spike_recording_enabled=bool(enabled))

    @property
    def spike_recording_data(self) -> list[tuple[NDArray[np.float64], NDArray[np.int32]]]:
        """The spikes of the last ``num_recording_timesteps`` timesteps before they were pulled.

        A list with one pair, as for GeNN's batch size 1: times [ms], float64, ascending; and neuron ids, int32,
        ascending within a timestep.

        Raises
        ------
        LifecycleError
            If nothing was recorded or pulled.
        """
        if not self.spike_recording_enabled:
            raise LifecycleError(f"'{self.name}' records no spikes; set spike_recording_enabled before build")
        if self._recording is None:
            raise LifecycleError(f"'{self.name}': call pull_recording_buffers_from_device first")
        return [self._recording.decode()]

    def set_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter be changed while the simulation runs; before ``build``."""
        self._need_unbuilt("which parameters are dynamic")
        self._change(dynamic_params=_switch(self.spec.dynamic_params, param_name, dynamic))

    def set_dynamic_param_value(self, name: str, value: float) -> None:
        """Change a dynamic parameter, from the next timestep on."""
        self._set_dynamic("param", self.spec.dynamic_params, self.spec.model, name, value)


class SynapseGroup(Group[net.SynapsePopulation]):
    """All-to-all connections; made by ``GeNNModel.add_synapse_population``."""

    def __init__(
        self,
        model: GeNNModel,
        name: str,
        source: NeuronGroup,
        target: NeuronGroup,
        weight_update: net.WeightUpdateInit,
        postsynaptic: net.PostsynapticInit,
    ) -> None:
        spec = net.SynapsePopulation(
            name, source.spec, target.spec, weight_update, postsynaptic, precision=source.spec.precision
        )
        wu, psm = weight_update.model, postsynaptic.model
        super().__init__(model, spec, wu, "synapse")
        self.src, self.trg = source, target
        self.pre_vars = self._variables(wu, "pre_vars", "pre")
        self.post_vars = self._variables(wu, "post_vars", "post")
        self.psm_vars = self._variables(psm, "vars", "psm")

    def _arrays(self) -> list[HostArray]:
        return [*super()._arrays(), *self.pre_vars.values(), *self.post_vars.values(), *self.psm_vars.values()]

    @property
    def post_target_var(self) -> str:
        """The input of the target population that receives the current; set it before ``build``."""
        return self.spec.post_target_var

    @post_target_var.setter
    def post_target_var(self, name: str) -> None:
        self._need_unbuilt("post_target_var")
        self._change(post_target_var=name)

    def set_wu_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter of the weight update be changed while the simulation runs; before ``build``."""
        self._need_unbuilt("which parameters are dynamic")
        names = _switch(self.spec.weight_update_dynamic_params, param_name, dynamic)
        self._change(weight_update_dynamic_params=names)

    def set_ps_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter of the postsynaptic model be changed while the simulation runs; before ``build``."""
        self._need_unbuilt("which parameters are dynamic")
        names = _switch(self.spec.postsynaptic_dynamic_params, param_name, dynamic)
        self._change(postsynaptic_dynamic_params=names)

    def set_dynamic_param_value(self, name: str, value: float) -> None:
        """Change a dynamic parameter of the weight update or the postsynaptic model, from the next timestep on."""
        spec = self.spec
        if name in spec.postsynaptic_dynamic_params and name not in spec.weight_update_dynamic_params:
            model: Model = spec.postsynaptic.model
            self._set_dynamic("psm_param", spec.postsynaptic_dynamic_params, model, name, value)
        else:
            self._set_dynamic("param", spec.weight_update_dynamic_params, spec.weight_update.model, name, value)


class CustomUpdate(Group[net.CustomUpdate]):
    """An operation on variables; made by ``GeNNModel.add_custom_update``."""

    def __init__(self, model: GeNNModel, spec: net.CustomUpdate) -> None:
        super().__init__(model, spec, spec.model, "own")

    def set_param_dynamic(self, param_name: str, dynamic: bool = True) -> None:
        """Let a parameter be changed while the simulation runs; before ``build``."""
        self._need_unbuilt("which parameters are dynamic")
        self._change(dynamic_params=_switch(self.spec.dynamic_params, param_name, dynamic))

    def set_dynamic_param_value(self, name: str, value: float) -> None:
        """Change a dynamic parameter, from the next update on."""
        self._set_dynamic("param", self.spec.dynamic_params, self.spec.model, name, value)


def _switch(names: frozenset[str], name: str, on: bool) -> frozenset[str]:
    return names | {name} if on else names - {name}
