"""The synapses of a connection one by one, whatever form it is stored in: for the connection that reverses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import GradientError
from snnlearn.genn.copy_weights import Weights, weighted
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.network import Location


@dataclass(frozen=True)
class Rows:
    """How variables of a connection and of its reversal correspond.

    Attributes
    ----------
    matrix_type : str
        Of the reversal.
    pre, post : ndarray of int, optional
        The neurons of each synapse; None where all are connected to all.
    source : ndarray of int, optional
        Which value of a variable each synapse of the reversal has: its own, or an element of a kernel.
    """

    matrix_type: str
    pre: NDArray[Any] | None = None
    post: NDArray[Any] | None = None
    source: NDArray[Any] | None = None

    @property
    def dense(self) -> bool:
        """Whether all are connected to all."""
        return self.source is None

    def copy(self, variable: Any, into: Any) -> None:
        """Copy a variable of the connection into the reversal's."""
        if self.source is None:
            into.device_array[...] = variable.device_array
            return
        variable.pull_from_device()
        into.values = variable.values[..., self.source]
        into.push_to_device()

    def gradient(self, variable: Any, summed: Any, weights: Weights | None) -> NDArray[Any]:
        """Return the reversal's sums in the connection's order, each times the weight of its copy of a batch.

        They are added up where the batch shares a value.
        """
        summed.pull_from_device()
        values = weighted(summed.values, weights)
        shape = variable.values.shape
        if values.ndim > len(shape):
            values = np.sum(values, axis=0)
        if self.source is None:
            return np.reshape(values, shape)
        found: NDArray[Any] = np.zeros(shape, values.dtype)
        np.add.at(found.T, self.source, values.T)
        return found


def rows_of(group: SynapseGroup) -> Rows:
    """Return the synapses of a connection of a loaded model.

    Raises
    ------
    GradientError
        For weights that are made anew with each spike.
    """
    connectivity = group.spec.connectivity
    if connectivity.dense:
        return Rows("DENSE")
    if connectivity.weights == "PROCEDURAL" and group.vars:
        raise GradientError(
            f"'{group.name}': weights of {connectivity.matrix_type} connectivity are made anew with each spike; "
            "use SPARSE"
        )
    simulation, rows, room = group._simulation(), group.src.num_neurons, group.max_connections
    lengths = simulation.copy(Location(group._key, "row_length"))
    used = (np.arange(room) < lengths[:, np.newaxis]).ravel()
    pre = np.repeat(np.arange(rows), lengths)
    post = simulation.copy(Location(group._key, "ind"))[used].astype(np.int64)
    order = np.lexsort((post, pre))  # in which the reversal stores them
    if connectivity.weights == "KERNEL":
        return Rows("SPARSE", pre, post, simulation.copy(Location(group._key, "kernel_ind"))[used][order])
    return Rows("SPARSE", pre, post, order)
