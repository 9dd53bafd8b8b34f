"""Custom updates, over neurons, over synapses and of connectivity: descriptions with a user's handles on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snnlearn import network as net
from snnlearn.genn.arrays import Array, SynapseVariable, Variable
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.enums import VarLocation
from snnlearn.genn.group import GroupOfOneModel
from snnlearn.genn.protocols import ModelOfGroups
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.network.attachments import check_connection
from snnlearn.network.references import VariableSpace


class CustomUpdateBase(GroupOfOneModel[net.CustomUpdate]):
    """An operation on variables; made by ``GeNNModel.add_custom_update``."""

    def __init__(self, model: ModelOfGroups, spec: net.CustomUpdate, kind: type[Variable]) -> None:
        super().__init__(model, spec, spec.model)
        self.vars = self._variables(spec.model.vars, "own", kind)

    @property
    def update_group_name(self) -> str:
        """The group that it runs with."""
        return self.spec.group_name


class CustomUpdate(CustomUpdateBase):
    """An operation on variables of neurons."""

    def __init__(self, model: ModelOfGroups, spec: net.CustomUpdate, num_neurons: int) -> None:
        super().__init__(model, spec, Variable)
        self._num_neurons = num_neurons

    @property
    def num_neurons(self) -> int:
        """How many neurons."""
        return self._num_neurons


class CustomUpdateWU(CustomUpdateBase):
    """An operation on variables of synapses.

    Attributes
    ----------
    synapse_group : SynapseGroup
    """

    synapse_group: SynapseGroup

    def __init__(self, model: ModelOfGroups, spec: net.CustomUpdate, synapse_group: SynapseGroup) -> None:
        self.synapse_group = synapse_group
        super().__init__(model, spec, SynapseVariable)

    @deprecated("vars[name].values")
    def get_var_values(self, var_name: str) -> Any:
        """Return a variable's values."""
        return self.vars[var_name].values


class CustomConnectivityUpdate(GroupOfOneModel[net.CustomConnectivityUpdate]):
    """A change to a sparse connection's synapses; made by ``GeNNModel.add_custom_connectivity_update``.

    Attributes
    ----------
    synapse_group : SynapseGroup
    pre_vars, post_vars : dict of str to Variable
    """

    synapse_group: SynapseGroup
    pre_vars: Mapping[str, Variable]
    post_vars: Mapping[str, Variable]

    _space: VariableSpace = "synapse"

    def __init__(self, model: ModelOfGroups, spec: net.CustomConnectivityUpdate, synapse_group: SynapseGroup) -> None:
        self.synapse_group = synapse_group
        self._check_attached(spec)
        super().__init__(model, spec, spec.model)
        self.vars = self._variables(spec.model.vars, "synapse", SynapseVariable)
        self.pre_vars = self._variables(spec.model.pre_vars, "pre")
        self.post_vars = self._variables(spec.model.post_vars, "post")

    def _check_attached(self, spec: net.CustomConnectivityUpdate) -> None:
        synapses = self.synapse_group
        check_connection(spec, synapses.spec, synapses.src.spec, synapses.trg.spec)

    @property
    def update_group_name(self) -> str:
        """The group that it runs with."""
        return self.spec.group_name

    def _arrays(self) -> Iterable[Array]:
        yield from super()._arrays()
        yield from self.pre_vars.values()
        yield from self.post_vars.values()

    def get_pre_var_location(self, var_name: str) -> VarLocation:
        """Return where a presynaptic variable lives."""
        return self._location(self._place("pre", var_name))

    def set_pre_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a presynaptic variable lives; before ``build``."""
        self._set_location(self._place("pre", var_name), location)

    def get_post_var_location(self, var_name: str) -> VarLocation:
        """Return where a postsynaptic variable lives."""
        return self._location(self._place("post", var_name))

    def set_post_var_location(self, var_name: str, location: VarLocation) -> None:
        """Say where a postsynaptic variable lives; before ``build``."""
        self._set_location(self._place("post", var_name), location)

    @deprecated("vars[name].values")
    def get_var_values(self, var_name: str) -> Any:
        """Return a variable's values."""
        return self.vars[var_name].values
