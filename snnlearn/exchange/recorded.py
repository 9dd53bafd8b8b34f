"""What every reader gives: spikes with the ids that stand in the file, and the step from there to spike trains."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import ExchangeError, TargetWarning
from snnlearn.io import SpikeTrains
from snnlearn.io.spikes import checked_num_neurons


class Recorded(NamedTuple):
    """Spikes as they were recorded: times [ms] and the ids of the file, in any order."""

    times: NDArray[np.float64]
    ids: NDArray[np.int64]


def recorded(name: str, times: ArrayLike, ids: ArrayLike) -> Recorded:
    """Check the values of two columns.

    Raises
    ------
    ExchangeError
        If there is no spike, a time is not finite or negative, or an id is not a whole number.
    """
    when, who = np.asarray(times, dtype=np.float64), np.asarray(ids)
    if not when.size:
        raise ExchangeError(f"{name}: there are no spikes in it")
    bad = ~(np.isfinite(when) & (when >= 0.0))
    if bad.any():
        first = int(bad.argmax())
        raise ExchangeError(
            f"{name}: times must be finite and not negative, but that of spike {first} is {when[first]}"
        )
    bad = (who != np.floor(who)) | (np.abs(who) > 2**53) if who.dtype.kind == "f" else np.zeros(who.shape, bool)
    if bad.any():
        first = int(bad.argmax())
        raise ExchangeError(f"{name}: ids must be whole numbers, but that of spike {first} is {who[first]}")
    return Recorded(when, who.astype(np.int64))


def as_trains(name: str, spikes: Recorded, num_neurons: int | None, first_id: int) -> SpikeTrains:
    """Count ids from 0 and check them against the population.

    Raises
    ------
    ExchangeError
        If an id is not one of the population's; says with which `first_id` all would be.
    """
    ids = spikes.ids - first_id
    count = max(int(ids.max()) + 1, 1) if num_neurons is None else checked_num_neurons(num_neurons)
    bad = (ids < 0) | (ids >= count)
    if bad.any():
        lowest, highest = int(spikes.ids.min()), int(spikes.ids.max())
        fits = highest - lowest < count
        hint = f"; if the first neuron's id is {lowest}, say first_id={lowest}" if fits else ""
        raise ExchangeError(
            f"{name}: the id {int(spikes.ids[bad][0])} is out of the range {first_id}..{first_id + count - 1} of "
            f"{count} neuron{'s' * (count != 1)}; the file has {lowest} to {highest}{hint}"
        )
    return SpikeTrains.from_spikes(spikes.times, ids, count)


def first_of_two(name: str, spikes: Recorded, num_neurons: int | None) -> int:
    """Return the id of the first neuron where ids count from 0 or from 1 and nothing in the file says which.

    Warns
    -----
    TargetWarning
        If both could be.
    """
    lowest, highest = int(spikes.ids.min()), int(spikes.ids.max())
    if lowest == 0:
        return 0
    if highest != num_neurons:
        warnings.warn(
            f"{name}: the ids, {lowest} to {highest}, could count from 0 or from 1; they are taken to count from 1. "
            "first_id says which it is",
            TargetWarning,
            stacklevel=4,
        )
    return 1
