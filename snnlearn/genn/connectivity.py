"""What a connection offers of its sparse connectivity: giving, reading and changing which neurons are connected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn import network as net
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn.arrays import Array
from snnlearn.genn.enums import SynapseMatrixConnectivity, SynapseMatrixType, SynapseMatrixWeight, VarLocation
from snnlearn.genn.group import Group
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.protocols import ModelOfGroups
from snnlearn.network import Connections, Location
from snnlearn.network.checks import check_size
from snnlearn.runtime import Simulation


class HasConnectivity(Group[net.SynapsePopulation]):
    """The part of `SynapseGroup` that is about which neurons are connected."""

    src: NeuronGroup
    trg: NeuronGroup

    @property
    def matrix_type(self) -> SynapseMatrixType:
        """How it is stored."""
        return SynapseMatrixType[self.spec.connectivity.matrix_type]

    def _make_connectivity_arrays(self, model: ModelOfGroups) -> None:
        self._row_lengths = Array(Location(self._key, "row_length"), self, "uint32_t")
        self._ind = Array(Location(self._key, "ind"), self, "uint32_t")
        self._max_source_connections: int | None = None
        for array in (self._row_lengths, self._ind):
            self._locations[array.location] = model.default_sparse_connectivity_location

    def _connectivity_arrays(self) -> Iterable[Array]:
        return (self._row_lengths, self._ind) if self._sparse else ()

    @property
    def _sparse(self) -> bool:
        return bool(self.spec.connectivity.structure == "SPARSE")

    @property
    def max_connections(self) -> int:
        """How many synapses a row has room for; set it before ``build``.

        Where rows are made at random or from an array, it is an estimate until ``load``, which makes room for the
        longest.
        """
        return self.spec.connectivity.row_stride(self.src.num_neurons, self.trg.num_neurons)

    @max_connections.setter
    def max_connections(self, number: int) -> None:
        self._need_unbuilt("max_connections")
        owner = f"synapse population '{self.name}'"
        connectivity = self.spec.connectivity
        number = check_size(owner, "max_connections", number)
        needed, why = 1, ""
        if connectivity.connections is not None:
            needed = int(connectivity.connections.lengths(self.src.num_neurons).max(initial=0))
            why = "the longest row of the connections given has"
        elif connectivity.init is not None:
            needed = replace(connectivity, max_connections=None).row_stride(self.src.num_neurons, self.trg.num_neurons)
            why = f"'{connectivity.init.snippet.name}' may make"
        if number < needed:
            raise NetworkError(f"{owner}: max_connections is {number}, but {why} {needed}")
        self._change(connectivity=replace(connectivity, max_connections=number))

    def _make_room(self, longest: int) -> None:
        """Give rows room for as many synapses as the longest has."""
        self._change(connectivity=replace(self.spec.connectivity, longest_drawn=longest))

    @property
    def max_source_connections(self) -> int:
        """How many synapses a column can have at most; set it before ``build``. It has no effect here."""
        if self._max_source_connections is not None:
            return self._max_source_connections
        init = self.spec.connectivity.init
        longest = init.snippet.calc_max_col_len_func if isinstance(init, net.SparseConnectInit) else None
        if init is None or longest is None:
            return self.src.num_neurons
        return int(longest(self.src.num_neurons, self.trg.num_neurons, dict(init.params)))

    @max_source_connections.setter
    def max_source_connections(self, number: int) -> None:
        self._need_unbuilt("max_source_connections")
        owner = f"synapse population '{self.name}'"
        self._max_source_connections = check_size(owner, "max_source_connections", number)

    @property
    def weight_update_var_size(self) -> int:
        """How many values a variable of synapses has room for.

        Raises
        ------
        NetworkError
            Where none are stored.
        """
        if self.matrix_type & SynapseMatrixWeight.KERNEL:
            return self.spec.connectivity.kernel_size
        if self.matrix_type & (SynapseMatrixConnectivity.DENSE | SynapseMatrixConnectivity.SPARSE):
            return self.src.num_neurons * self.max_connections
        raise NetworkError(f"'{self.name}': {self.matrix_type.name} connectivity stores no variables of synapses")

    @property
    def sparse_connectivity_location(self) -> VarLocation:
        """Where it lives which neurons are connected; set it before ``build``."""
        return self._location(self._ind.location)

    @sparse_connectivity_location.setter
    def sparse_connectivity_location(self, location: VarLocation) -> None:
        for array in (self._row_lengths, self._ind):
            self._set_location(array.location, location)

    @property
    def connections_set(self) -> bool:
        """Whether `set_sparse_connections` has been called."""
        return self.spec.connectivity.connections is not None

    def set_sparse_connections(self, pre_indices: ArrayLike, post_indices: ArrayLike) -> None:
        """Say which neurons are connected; before ``build``.

        Parameters
        ----------
        pre_indices, post_indices : array_like of int, shape (synapses,)
            Initial values of variables that are given as arrays are in the same order.

        Raises
        ------
        NetworkError
            For other than SPARSE connectivity, and indices out of range.
        """
        self._need_unbuilt("its connections")
        self._need_sparse("set_sparse_connections")
        owner = f"synapse population '{self.name}'"
        connections = Connections.checked(pre_indices, post_indices, self.src.num_neurons, self.trg.num_neurons, owner)
        self._change(connectivity=replace(self.spec.connectivity, connections=connections, max_connections=None))

    @property
    def synapse_order(self) -> NDArray[np.int64]:
        """What sorts the connections given by presynaptic, then postsynaptic neuron."""
        return self._given_connections().order

    @property
    def row_lengths(self) -> NDArray[np.uint32]:
        """How many of the connections given each presynaptic neuron has."""
        return self._given_connections().lengths(self.src.num_neurons)

    @property
    def ind(self) -> NDArray[np.int64]:
        """The postsynaptic neurons of the connections given, sorted."""
        given = self._given_connections()
        return given.post[given.order]

    def get_sparse_pre_inds(self) -> NDArray[np.uint32]:
        """Return the presynaptic neuron of each synapse, in the order of variables' ``values``.

        Raises
        ------
        NetworkError
            For other than SPARSE connectivity.
        LifecycleError
            Before ``load``, unless connections were given and nothing changes them.
        """
        self._need_sparse("get_sparse_pre_inds")
        return np.repeat(np.arange(self.src.num_neurons, dtype=np.uint32), self._lengths())

    def get_sparse_post_inds(self) -> NDArray[np.uint32]:
        """Return the postsynaptic neuron of each synapse; see `get_sparse_pre_inds`."""
        self._need_sparse("get_sparse_post_inds")
        given = self._fixed_connections()
        if given is not None:
            ordered: NDArray[np.uint32] = given.post[given.order].astype(np.uint32)
            return ordered
        return self._ind.view[self._occupied().ravel()]

    def pull_connectivity_from_device(self) -> None:
        """Copy which neurons are connected from device to host; nothing for other than SPARSE connectivity."""
        self._simulation().in_turn(self._pull_connectivity)

    def _pull_connectivity(self) -> None:
        for array in self._connectivity_arrays():
            array.pull_from_device()

    def push_connectivity_to_device(self) -> None:
        """Copy which neurons are connected from host to device; nothing for other than SPARSE connectivity.

        Raises
        ------
        NetworkError
            For rows longer than ``max_connections`` and indices out of range.
        """
        simulation = self._simulation()
        if not self._sparse:
            return
        lengths, post = self._row_lengths.view, self._ind.view
        if (lengths > self.max_connections).any():
            row = int((lengths > self.max_connections).argmax())
            raise NetworkError(
                f"'{self.name}': row {row} has {lengths[row]} synapses, but max_connections is {self.max_connections}"
            )
        used = post[self._occupied().ravel()]
        if used.size and used.max() >= self.trg.num_neurons:
            raise NetworkError(
                f"'{self.name}': postsynaptic index {used.max()} is out of range: there are {self.trg.num_neurons}"
            )
        simulation.in_turn(self._push_connectivity, simulation)

    def _push_connectivity(self, simulation: Simulation) -> None:
        for array in self._connectivity_arrays():
            array.push_to_device()
        simulation.connectivity_changed(self._key)

    def _need_sparse(self, what: str) -> None:
        if not self._sparse:
            raise NetworkError(f"'{self.name}': {what} is for SPARSE connectivity, not {self.matrix_type.name}")

    def _given_connections(self) -> Connections:
        given = self.spec.connectivity.connections
        if given is None:
            raise NetworkError(f"'{self.name}' was not given its connections: set_sparse_connections was not called")
        return given

    def _fixed_connections(self) -> Connections | None:
        """Return the connections given, unless something changes them as the simulation runs."""
        if self._model._changes_connectivity_of(self):
            return None
        return self.spec.connectivity.connections

    def _lengths(self) -> NDArray[np.uint32]:
        """Return how many synapses each row has, as the host knows."""
        given = self._fixed_connections()
        return given.lengths(self.src.num_neurons) if given is not None else self._row_lengths.view

    def _occupied(self) -> NDArray[np.bool_]:
        """Return which elements of each row are synapses, shape (presynaptic, max_connections)."""
        lengths = np.minimum(self._lengths(), self.max_connections)
        return np.arange(self.max_connections) < lengths[:, np.newaxis]

    def _check_connections(self) -> None:
        """Raise LifecycleError unless something says which neurons are connected."""
        init = self.spec.connectivity.init
        makes = isinstance(init, net.SparseConnectInit) and init.makes_connections
        if self._sparse and not self.connections_set and not makes:
            raise LifecycleError(
                f"'{self.name}' has no connections: give init_sparse_connectivity(...) or call set_sparse_connections "
                "before build()"
            )
