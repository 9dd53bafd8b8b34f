"""Which neurons or synapses a recording is of: a slice or indices of them, and where their values are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import NetworkError
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.synapse_group import SynapseGroup
from snnlearn.network import Location
from snnlearn.network.history import Elements

_MAX = 2**32  # indices are kept as 32 bits


def chosen(owner: str, what: str, given: Any, number: int | None) -> Elements:
    """Return which elements a slice, or indices, means.

    Parameters
    ----------
    owner, what : str
        Whose elements, and what they are called.
    given : slice, array of int or of bool, or int
    number : int or None
        How many there are; None where that is known only once the model is loaded.

    Raises
    ------
    NetworkError
        For no indices, and those of elements that are not there.
    """
    if isinstance(given, slice):
        return _range(owner, what, given, number)
    found = np.atleast_1d(np.asarray(given))
    if found.dtype == bool and number is not None and found.shape == (number,):
        found = np.flatnonzero(found)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise NetworkError(f"{owner}: {what} takes a slice or indices, not {given!r}")
    if not found.size:
        raise NetworkError(f"{owner}: {what} is empty")
    least, most = int(found.min()), int(found.max())
    if most >= (_MAX if number is None else number) or least < (0 if number is None else -number):
        wrong = most if most >= (_MAX if number is None else number) else least
        known = "0 to 2**32 - 1" if number is None else f"0 to {number - 1}"
        raise NetworkError(f"{owner}: {what} has the index {wrong}; they go from {known}")
    return tuple((found % number if number is not None else found).tolist())


def _range(owner: str, what: str, given: slice, number: int | None) -> range:
    try:
        if number is not None:
            found = range(number)[given]
        else:
            start, stop, step = given.start or 0, given.stop, given.step or 1
            if stop is None or start < 0 or stop < 0 or step < 0:
                raise NetworkError(
                    f"{owner}: how many {what} there are is known only once the model is loaded: give a slice that "
                    "says where it ends, such as slice(0, 100)"
                )
            found = range(start, stop, step)
    except TypeError as error:
        raise NetworkError(f"{owner}: {what} takes a slice or indices, not {given!r}: {error}") from None
    if not found:
        raise NetworkError(f"{owner}: {what} is empty")
    return found


def number_of(group: NeuronGroup | SynapseGroup) -> int | None:
    """Return how many neurons, or values of a variable of synapses; None where that is known only after ``load``."""
    if isinstance(group, NeuronGroup):
        return int(group.spec.size)
    connectivity = group.spec.connectivity
    if connectivity.weights == "KERNEL":
        return int(np.prod(connectivity.kernel_shape))
    return int(group.src.num_neurons * group.trg.num_neurons) if connectivity.dense else None


def _check_recordable(owner: str, group: SynapseGroup) -> None:
    """Raise NetworkError for a connection whose synapses are made anew, or come and go."""
    if group.spec.connectivity.weights == "PROCEDURAL":
        raise NetworkError(f"{owner}: its variables are made anew with each spike, and stored nowhere")
    if group._model._changes_connectivity_of(group):
        raise NetworkError(f"{owner}: a custom connectivity update moves its synapses: pull its variables instead")


def places(owner: str, group: NeuronGroup | SynapseGroup, elements: Elements) -> NDArray[np.uint32]:
    """Return where in the memory of a loaded model the values of elements are.

    Raises
    ------
    NetworkError
        For synapses that are not there, or do not stay where they are.
    """
    found = np.array(elements, np.int64)
    if isinstance(group, SynapseGroup):
        _check_recordable(owner, group)
    if isinstance(group, SynapseGroup) and number_of(group) is None:
        lengths = group._simulation().copy(Location(group._key, "row_length"))
        used = np.flatnonzero(np.arange(group.max_connections) < lengths[:, np.newaxis])
        if found.max() >= len(used):
            raise NetworkError(f"{owner}: there is no synapse {found.max()}: the connection has {len(used)}")
        found = used[found]
    return found.astype(np.uint32)
