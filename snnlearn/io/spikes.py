"""The value that every target, input and picture becomes: the spikes of a group of neurons."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.calling import named_arguments
from snnlearn.errors import TargetError


# eq=False: comparing arrays with == gives an array, which a generated __eq__ cannot turn into a bool.
@named_arguments
@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Spike times of a group of neurons, sorted by neuron id, then time.

    The arrays are checked, copied and made read-only. Use :meth:`from_spikes` for spikes in any order.

    Parameters
    ----------
    times : ndarray of float64, shape (num_spikes,)
        Spike times [ms], finite and not negative.
    ids : ndarray of int64, shape (num_spikes,)
        Neuron of each spike, from 0 to ``num_neurons - 1``.
    num_neurons : int
        Number of neurons, at least 1; a neuron may have no spikes.

    Raises
    ------
    TargetError
        If an array has the wrong shape, type, values or order; the text names the first bad spike.
    """

    times: NDArray[np.float64]
    ids: NDArray[np.int64]
    num_neurons: int

    def __post_init__(self) -> None:
        """Check everything, then freeze the arrays."""
        num_neurons = checked_num_neurons(self.num_neurons)
        times = _checked_times(self.times)
        ids = _checked_ids(self.ids, num_neurons)
        _check_sizes(times, ids)
        behind = (ids[1:] < ids[:-1]) | ((ids[1:] == ids[:-1]) & (times[1:] < times[:-1]))
        if behind.any():
            raise TargetError(
                f"spikes must be sorted by id, then time, but spike {int(behind.argmax()) + 1} is not; "
                "SpikeTrains.from_spikes sorts them"
            )
        for array in (times, ids):
            array.setflags(write=False)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "num_neurons", num_neurons)

    @classmethod
    def from_spikes(cls, times: ArrayLike, ids: ArrayLike, num_neurons: int) -> SpikeTrains:
        """Make spike trains from spikes in any order.

        Parameters
        ----------
        times : array_like of float, shape (num_spikes,)
            Spike times [ms].
        ids : array_like of int, shape (num_spikes,)
            Neuron of each spike, from 0.
        num_neurons : int
            Number of neurons.

        Returns
        -------
        SpikeTrains
            The same spikes, sorted by neuron id, then time.

        Raises
        ------
        TargetError
            As for the class itself.
        """
        when = _checked_times(times)
        who = _checked_ids(ids, checked_num_neurons(num_neurons))
        _check_sizes(when, who)
        order = np.lexsort((when, who))
        return cls(when[order], who[order], num_neurons)

    @property
    def num_spikes(self) -> int:
        """Number of spikes of all neurons together."""
        return int(self.times.size)

    @property
    def end_index(self) -> NDArray[np.int64]:
        """Index one past each neuron's last spike, int64, shape (num_neurons,).

        With :attr:`start_index` this is what GeNN's ``SpikeSourceArray`` takes as ``endSpike`` and
        ``startSpike``. A neuron without spikes has equal start and end.
        """
        return np.cumsum(np.bincount(self.ids, minlength=self.num_neurons), dtype=np.int64)

    @property
    def start_index(self) -> NDArray[np.int64]:
        """Index of each neuron's first spike in :attr:`times`, int64, shape (num_neurons,)."""
        return np.concatenate((np.zeros(1, dtype=np.int64), self.end_index[:-1]))


def _check_sizes(times: NDArray[np.float64], ids: NDArray[np.int64]) -> None:
    if times.size != ids.size:
        raise TargetError(f"each spike needs a time and an id: got {times.size} times and {ids.size} ids")


def _vector(values: ArrayLike, what: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise TargetError(f"spike {what} must have one dimension, not shape {array.shape}")
    return array


def checked_num_neurons(value: int) -> int:
    """Return a number of neurons, which must be a positive integer; raises TargetError."""
    try:
        num_neurons = operator.index(value)
    except TypeError:
        raise TargetError(f"num_neurons must be an integer, not {value!r}") from None
    if num_neurons < 1:
        raise TargetError(f"num_neurons must be at least 1, not {num_neurons}")
    return num_neurons


def _checked_times(values: ArrayLike) -> NDArray[np.float64]:
    raw = _vector(values, "times")
    if raw.size and raw.dtype.kind not in "iuf":
        raise TargetError(f"spike times must be numbers [ms], not {raw.dtype}")
    times = raw.astype(np.float64)
    bad = ~(np.isfinite(times) & (times >= 0.0))
    if bad.any():
        first = int(bad.argmax())
        raise TargetError(f"times must be finite and >= 0 ms, but time {first} is {float(times[first])}")
    return times


def _checked_ids(values: ArrayLike, num_neurons: int) -> NDArray[np.int64]:
    raw = _vector(values, "ids")
    # An empty list becomes a float array, and there is nothing in it to be wrong.
    if raw.size and raw.dtype.kind not in "iu":
        raise TargetError(f"neuron ids must be integers, not {raw.dtype}")
    bad = (raw < 0) | (raw >= num_neurons)
    if bad.any():
        first = int(bad.argmax())
        raise TargetError(f"ids must be in 0..{num_neurons - 1}, but id {first} is {int(raw[first])}")
    return raw.astype(np.int64)
