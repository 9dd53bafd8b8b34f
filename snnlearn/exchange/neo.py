"""Neo's objects (Garcia et al. 2014): spike trains with units, of one segment."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn.errors import ExchangeError
from snnlearn.io import SpikeTrains
from snnlearn.io.optional import library


def from_neo(recording: Any, num_neurons: int | None = None) -> SpikeTrains:
    """Take over a recording.

    Parameters
    ----------
    recording : neo.SpikeTrain, neo.Segment, neo.Block or iterable of neo.SpikeTrain
        Its spike trains, in their order, are neurons 0, 1, …; a block has one segment.
    num_neurons : int, optional
        How many neurons there are; those behind the last spike train have no spikes.

    Returns
    -------
    SpikeTrains
        Times in ms since the start of the recording, the earliest ``t_start``.

    Raises
    ------
    ExchangeError
        If these are no spike trains, there are several segments, or more spike trains than neurons.
    """
    trains = _spike_trains(recording)
    count = len(trains) if num_neurons is None else num_neurons
    if len(trains) > count or not trains:
        raise ExchangeError(f"the recording has {len(trains)} spike trains, for {count} neurons")
    start = min(_ms(train.t_start) for train in trains)
    times = [np.asarray(train.rescale("ms").magnitude, np.float64).ravel() - start for train in trains]
    ids = np.repeat(np.arange(len(times)), [len(t) for t in times])
    return SpikeTrains.from_spikes(np.concatenate(times), ids, count)


def to_neo(trains: SpikeTrains, duration_ms: float | None = None) -> Any:
    """Return spike trains as a ``neo.Block`` of one segment, one ``neo.SpikeTrain`` a neuron.

    Parameters
    ----------
    trains : SpikeTrains
        The spikes.
    duration_ms : float, optional
        When the recording ends [ms] (default: with the last spike).

    Raises
    ------
    ExchangeError
        If a spike is later than the end.
    MissingLibraryError
        If Neo is not installed.
    """
    neo, last = library("neo"), float(trains.times.max(initial=0.0))
    end = last if duration_ms is None else float(duration_ms)
    if not last <= end < float("inf"):
        raise ExchangeError(f"the recording ends at {end:g} ms, and the last spike comes at {last:g} ms")
    segment = neo.Segment(name="snnlearn")
    for first, behind in zip(trains.start_index.tolist(), trains.end_index.tolist(), strict=True):
        segment.spiketrains.append(neo.SpikeTrain(trains.times[first:behind], units="ms", t_stop=end))
    block = neo.Block(name="snnlearn")
    block.segments.append(segment)
    return block


def _spike_trains(recording: Any) -> list[Any]:
    if hasattr(recording, "segments"):
        if len(recording.segments) != 1:
            raise ExchangeError(
                f"the block has {len(recording.segments)} segments; give the one that is meant: block.segments[0]"
            )
        recording = recording.segments[0]
    if hasattr(recording, "spiketrains"):
        recording = recording.spiketrains
    if hasattr(recording, "magnitude"):
        recording = [recording]
    try:
        trains = list(recording)
    except TypeError:
        trains = []
    wrong = [train for train in trains if not (hasattr(train, "t_start") and hasattr(train, "magnitude"))]
    if wrong or not trains:
        what = type(wrong[0] if wrong else recording).__name__
        raise ExchangeError(f"spike trains of Neo were expected (SpikeTrain, Segment, Block, a list), not {what}")
    return trains


def _ms(quantity: Any) -> float:
    return float(quantity.rescale("ms").magnitude)
