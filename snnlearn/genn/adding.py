"""The part of ``GeNNModel`` that adds groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from snnlearn import network as net
from snnlearn.attributes import Named
from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    NeuronModel,
)
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.genn import obsolete
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.enums import SynapseMatrixType
from snnlearn.genn.groups import (
    CurrentSource,
    CustomConnectivityUpdate,
    CustomUpdate,
    CustomUpdateWU,
    Group,
    NeuronGroup,
    SynapseGroup,
)
from snnlearn.genn.initialise import AnyModel, LocalReferences, Values, resolve
from snnlearn.genn.spec import ModelSpec
from snnlearn.network import ArrayReference, Connectivity, Location, Reference, WeightReference
from snnlearn.network.keys import GroupKey
from snnlearn.runtime import Simulation

AnyGroup = TypeVar("AnyGroup", bound=Group[Any])
References = Mapping[str, Reference] | None
WeightReferences = Mapping[str, WeightReference] | None
ArrayReferences = Mapping[str, ArrayReference] | None


class AddsGroups(ModelSpec, ABC):
    """A model under construction.

    Attributes
    ----------
    neuron_populations, synapse_populations, current_sources, custom_updates, custom_connectivity_updates : dict
        The groups by name.
    """

    neuron_populations: Named[NeuronGroup]
    synapse_populations: Named[SynapseGroup]
    current_sources: Named[CurrentSource]
    custom_updates: Named[CustomUpdate | CustomUpdateWU]
    custom_connectivity_updates: Named[CustomConnectivityUpdate]
    _simulation: Simulation | None

    def __init__(self) -> None:
        super().__init__()
        self._by_key: dict[str, Group[Any]] = {}
        self.neuron_populations = Named({}, "neuron population", "the model")
        self.synapse_populations = Named({}, "synapse population", "the model")
        self.current_sources = Named({}, "current source", "the model")
        self.custom_updates = Named({}, "custom update", "the model")
        self.custom_connectivity_updates = Named({}, "custom connectivity update", "the model")

    @property
    def num_neurons(self) -> int:
        """How many neurons all populations have together."""
        return sum(group.num_neurons for group in self.neuron_populations.values())

    @checked_arguments
    def add_neuron_population(
        self,
        pop_name: str,
        num_neurons: int,
        neuron: NeuronModel | str,
        params: Values = None,
        vars: Values = None,
    ) -> NeuronGroup:
        """Add a number of neurons of one model.

        Parameters
        ----------
        pop_name : str
        num_neurons : int
        neuron : NeuronModel or str
        params : mapping of str to float
        vars : mapping of str to number, array of shape (num_neurons,) or (batch_size, num_neurons), or `init_var(...)`

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values that do not fit.
        """
        key = self._new_key("neuron_populations", pop_name)
        spec = net.NeuronPopulation(
            key,
            _whole(num_neurons),
            self._timed(resolve(NeuronModel, neuron)),
            dict(params or {}),
            dict(vars or {}),
            precision=self.precision,
        )
        return self._add(self.neuron_populations, pop_name, NeuronGroup(self, spec))

    @checked_arguments
    def add_synapse_population(
        self,
        pop_name: str,
        matrix_type: SynapseMatrixType | str,
        source: NeuronGroup,
        target: NeuronGroup,
        weight_update_init: net.WeightUpdateInit,
        postsynaptic_init: net.PostsynapticInit,
        connectivity_init: net.SparseConnectInit | net.ToeplitzConnectInit | None = None,
    ) -> SynapseGroup:
        """Connect two populations.

        Parameters
        ----------
        pop_name : str
        matrix_type : SynapseMatrixType or str
        source, target : NeuronGroup
        weight_update_init : `init_weight_update(...)`
        postsynaptic_init : `init_postsynaptic(...)`
        connectivity_init : `init_sparse_connectivity(...)` or `init_toeplitz_connectivity(...)`, optional
            Not for DENSE; may be left out for SPARSE, where `set_sparse_connections` is called.

        Raises
        ------
        NetworkError
            For an unknown matrix type, and values that do not fit.
        """
        key = self._new_key("synapse_populations", pop_name)
        owner = f"synapse population '{pop_name}'"
        for end in (source, target):
            self._check_ours(owner, end, NeuronGroup, "neuron population")
        connectivity = _connectivity(owner, matrix_type, connectivity_init)
        if self._time_type != "scalar":
            weight_update_init = replace(weight_update_init, model=self._timed(weight_update_init.model))
            postsynaptic_init = replace(postsynaptic_init, model=self._timed(postsynaptic_init.model))
        group = SynapseGroup(self, key, connectivity, source, target, weight_update_init, postsynaptic_init)
        self._check_references(owner, weight_update_init.pre_var_refs)
        self._check_references(owner, weight_update_init.post_var_refs)
        self._check_references(owner, postsynaptic_init.var_refs)
        return self._add(self.synapse_populations, pop_name, group)

    @checked_arguments
    def add_current_source(
        self,
        cs_name: str,
        current_source_model: CurrentSourceModel | str,
        pop: NeuronGroup,
        params: Values = None,
        vars: Values = None,
        var_refs: LocalReferences = None,
    ) -> CurrentSource:
        """Add a current into every neuron of a population.

        Parameters
        ----------
        cs_name : str
        current_source_model : CurrentSourceModel or str
        pop : NeuronGroup
        params : mapping of str to float
        vars : mapping of str to number, array or `init_var(...)`
        var_refs : mapping of str to Reference or str
            Variables of the population: by name, or made with `create_var_ref`.

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values that do not fit.
        """
        key = self._new_key("current_sources", cs_name)
        owner = f"current source '{cs_name}'"
        self._check_ours(owner, pop, NeuronGroup, "neuron population")
        refs = self._check_references(owner, var_refs)
        spec = net.CurrentSource(
            key,
            self._timed(resolve(CurrentSourceModel, current_source_model)),
            pop._key,
            dict(params or {}),
            dict(vars or {}),
            refs,
            precision=self.precision,
        )
        return self._add(self.current_sources, cs_name, CurrentSource(self, spec, pop))

    @checked_arguments
    def add_custom_update(
        self,
        cu_name: str,
        group_name: str,
        custom_update_model: CustomUpdateModel | str,
        params: Values = None,
        vars: Values = None,
        var_refs: Mapping[str, Reference | WeightReference] | None = None,
        egp_refs: ArrayReferences = None,
    ) -> CustomUpdate | CustomUpdateWU:
        """Add an operation on variables, to be run by ``custom_update(group_name)``.

        Parameters
        ----------
        cu_name, group_name : str
        custom_update_model : CustomUpdateModel or str
        params : mapping of str to float
        vars : mapping of str to number, array or `init_var(...)`
        var_refs : mapping of str to reference
            Made with `create_var_ref` and its like, or all with `create_wu_var_ref`.
        egp_refs : mapping of str to reference
            Made with `create_egp_ref` and its like.

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values or references that do not fit.
        """
        key = self._new_key("custom_updates", cu_name)
        owner = f"custom update '{cu_name}'"
        refs = self._check_references(owner, var_refs)
        spec = net.CustomUpdate(
            key,
            group_name,
            self._timed(resolve(CustomUpdateModel, custom_update_model)),
            dict(params or {}),
            dict(vars or {}),
            refs,
            self._check_references(owner, egp_refs),
            precision=self.precision,
        )
        first = next(iter(refs.values()))
        if spec.per_synapse:
            over = self._connection_of(first)
            return self._add(self.custom_updates, cu_name, CustomUpdateWU(self, spec, over))
        return self._add(self.custom_updates, cu_name, CustomUpdate(self, spec, self._size_of(first)))

    @checked_arguments
    def add_custom_connectivity_update(
        self,
        cu_name: str,
        group_name: str,
        syn_group: SynapseGroup,
        custom_conn_update_model: CustomConnectivityUpdateModel | str,
        params: Values = None,
        vars: Values = None,
        pre_vars: Values = None,
        post_vars: Values = None,
        var_refs: WeightReferences = None,
        pre_var_refs: References = None,
        post_var_refs: References = None,
        egp_refs: ArrayReferences = None,
    ) -> CustomConnectivityUpdate:
        """Add a change to a sparse connection's synapses, to be run by ``custom_update(group_name)``.

        Parameters
        ----------
        cu_name, group_name : str
        syn_group : SynapseGroup
            SPARSE.
        custom_conn_update_model : CustomConnectivityUpdateModel or str
        params : mapping of str to float
        vars, pre_vars, post_vars : mapping of str to number, array or `init_var(...)`
        var_refs, pre_var_refs, post_var_refs : mapping of str to reference
            Made with `create_wu_var_ref`; with `create_var_ref` and its like.
        egp_refs : mapping of str to reference
            Made with `create_egp_ref` and its like.

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values or references that do not fit.
        """
        key = self._new_key("custom_connectivity_updates", cu_name)
        owner = f"custom connectivity update '{cu_name}'"
        self._check_ours(owner, syn_group, SynapseGroup, "connection")
        spec = net.CustomConnectivityUpdate(
            key,
            group_name,
            syn_group._key,
            self._timed(resolve(CustomConnectivityUpdateModel, custom_conn_update_model)),
            dict(params or {}),
            dict(vars or {}),
            dict(pre_vars or {}),
            dict(post_vars or {}),
            self._check_references(owner, var_refs),
            self._check_references(owner, pre_var_refs),
            self._check_references(owner, post_var_refs),
            self._check_references(owner, egp_refs),
            precision=self.precision,
        )
        group = CustomConnectivityUpdate(self, spec, syn_group)
        return self._add(self.custom_connectivity_updates, cu_name, group)

    # ---- helpers ----

    @abstractmethod
    def _loaded_simulation(self) -> Simulation:
        """Return the simulation; raise LifecycleError where there is none."""

    @abstractmethod
    def _note_param(self, at: Location, value: float) -> None:
        """Tell programs of a dynamic parameter that is about to change."""

    def _changes_connectivity_of(self, connection: object) -> bool:
        """Whether a custom connectivity update is over a connection."""
        return any(update.synapse_group is connection for update in self.custom_connectivity_updates.values())

    def _timed(self, model: AnyModel) -> AnyModel:
        """Return a model for times of this model's precision."""
        return model.with_times(self._time_type)

    def _kinds(self) -> tuple[Mapping[str, Group[Any]], ...]:
        return (
            self.neuron_populations,
            self.synapse_populations,
            self.current_sources,
            self.custom_connectivity_updates,
            self.custom_updates,
        )

    def _groups(self) -> list[Group[Any]]:
        return [group for groups in self._kinds() for group in groups.values()]

    def _referenced_arrays(self) -> set[Location]:
        """Return the extra global parameters that updates refer to."""
        updates = (*self.custom_updates.values(), *self.custom_connectivity_updates.values())
        return {ref.to for update in updates for ref in update.spec.egp_refs.values()}

    def _has_groups(self) -> bool:
        return any(self._kinds())

    def _new_key(self, kind: str, name: Any) -> Any:
        """Return what a new group is called in the network, where names are unique over all kinds of groups.

        That is its name, unless a group of another kind is called so: then its kind and perhaps a number are behind it.
        """
        self._need_unbuilt("its groups")
        if not isinstance(name, str) or name not in self._by_key:
            return name
        if name in getattr(self, kind):
            raise NetworkError(f"there is a group called '{name}' in {kind} already")
        keys = (f"{name}_{kind}{number}" for number in ("", *range(2, len(self._by_key) + 2)))
        return GroupKey(next(key for key in keys if key not in self._by_key), name)

    def _add(self, groups: Named[Any], name: str, group: AnyGroup) -> AnyGroup:
        group.name = name
        groups.add(name, group)
        self._by_key[group._key] = group
        return group

    def _check_ours(self, owner: str, group: Any, kind: type[Group[Any]], what: str) -> None:
        if not isinstance(group, kind) or group._owner() is not self:
            name = f"'{group.name}'" if isinstance(group, Group) else repr(group)
            hint = "; give the object that adding it returned, not its name" if isinstance(group, str) else ""
            raise NetworkError(f"{owner}: {name} is no {what} of this model{hint}")

    def _check_references(self, owner: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return references, all of them to groups of this model."""
        refs = dict(given or {})
        for name, ref in refs.items():
            to = getattr(ref, "to", None)
            group = getattr(ref, "group", None)
            if to is None:
                continue
            if to.group not in self._by_key or (group is not None and group._owner() is not self):
                near = did_you_mean(to.group, [g.name for g in self._groups()]) if to.group not in self._by_key else ""
                name_of = to.group if group is None else group.name
                raise NetworkError(f"{owner}: reference '{name}' is to '{name_of}', no group of this model{near}")
        return refs

    def _connection_of(self, ref: WeightReference) -> SynapseGroup:
        """Return the connection that a reference's synapses are of."""
        group: Any = self._by_key[ref.to.group]
        connection: SynapseGroup = group.synapse_group
        return connection

    def _size_of(self, ref: Reference) -> int:
        """Return how many neurons a reference is to."""
        group: Any = self._by_key[ref.to.group]
        if isinstance(group, (NeuronGroup, CustomUpdate)):
            return group.num_neurons
        if isinstance(group, CurrentSource):
            return group.target_pop.num_neurons
        connection = group.synapse_group
        end: NeuronGroup = connection.src if ref.to.space == "pre" else connection.trg
        return end.num_neurons


def _whole(number: Any) -> Any:
    """Return a float that is whole as an integer, as PyGeNN does; others as they are, to be refused."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _connectivity(owner: str, matrix_type: SynapseMatrixType | str, init: Any) -> Connectivity:
    """Return a connection's structure, without the initialiser that initialises nothing."""
    if isinstance(matrix_type, SynapseMatrixType):
        name = matrix_type.name
    elif matrix_type in SynapseMatrixType.__members__:
        name = str(matrix_type)
    else:
        text = obsolete.explain(str(matrix_type), obsolete.MATRIX_TYPES)
        near = f": {text}" if text else did_you_mean(str(matrix_type), SynapseMatrixType.__members__)
        raise NetworkError(f"{owner}: unknown matrix type {matrix_type!r}{near}")
    if init is not None and not isinstance(init, (net.SparseConnectInit, net.ToeplitzConnectInit)):
        raise NetworkError(
            f"{owner}: connectivity_init must be made with init_sparse_connectivity or init_toeplitz_connectivity, "
            f"not {init!r}"
        )
    if isinstance(init, net.SparseConnectInit) and not init.makes_connections:
        init = None
    if init is not None and name.startswith("DENSE"):
        raise NetworkError(f"{owner}: {name} connects all to all, so '{init.snippet.name}' has nothing to say")
    try:
        return Connectivity(name, init)
    except NetworkError as error:
        raise NetworkError(f"{owner}: {error}") from None
