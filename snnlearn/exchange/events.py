"""Arrays of events as cameras and Tonic's data sets have them: fields ``t``, ``x``, ``p``, with or without ``y``."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.exchange.asked import Asked
from snnlearn.exchange.recorded import as_trains, recorded
from snnlearn.exchange.text import read_bytes
from snnlearn.exchange.units import in_ms, needed
from snnlearn.io import SpikeTrains, atomic_write

_DIMENSIONS = ("p", "y", "x")  # as Tonic's frames are laid out: polarity first, then rows
_UNIT = "an array of events does not say in which unit its times are; Tonic's data sets have unit='us'"


def from_events(events: NDArray[Any], sensor_size: Sequence[int], unit: str | float | None = None) -> SpikeTrains:
    """Take over an array of events.

    Parameters
    ----------
    events : ndarray, structured, shape (num_events,)
        Fields ``t``, ``x``, ``p`` and, for cameras, ``y``: one event each, in any order.
    sensor_size : sequence of int
        How many values ``x``, ``y`` and ``p`` have, as Tonic's data sets say it: ``(34, 34, 2)`` for N-MNIST,
        ``(700, 1, 1)`` for SHD. Neuron ``(p * height + y) * width + x`` is the pixel's.
    unit : {"s", "ms", "us", "ns"} or float
        The unit of ``t``; a float is milliseconds a tick.

    Returns
    -------
    SpikeTrains
        Times in ms, one neuron for each pixel and polarity.

    Raises
    ------
    ExchangeError
        If a field, the unit or the sensor's size is missing, or an event is outside.
    """
    return _from_events("the events", events, sensor_size, unit)


def _from_events(name: str, events: Any, sensor_size: Sequence[int] | None, unit: str | float | None) -> SpikeTrains:
    width, height, polarities = _checked_size(name, sensor_size)
    fields = getattr(getattr(events, "dtype", None), "names", None) or ()
    lacking = [field for field in ("t", "x", "p") if field not in fields] + (
        ["y"] if height > 1 and "y" not in fields else []
    )
    if lacking:
        raise ExchangeError(
            f"{name}: a structured array with the fields t, x, y and p was expected; it lacks {', '.join(lacking)}"
        )
    ids = np.zeros(events.shape, np.int64)
    for field, size in zip(_DIMENSIONS, (polarities, height, width), strict=True):
        values = events[field].astype(np.int64) if field in fields else np.zeros(events.shape, np.int64)
        outside = (values < 0) | (values >= size)
        if outside.any():
            raise ExchangeError(
                f"{name}: {field} must be in 0..{size - 1}, but event {int(outside.argmax())} has "
                f"{int(values[outside][0])}; is sensor_size={tuple(sensor_size or ())} right?"
            )
        ids = ids * size + values
    times = events["t"] * in_ms(needed(unit, name, _UNIT), name)
    return as_trains(name, recorded(name, times, ids), width * height * polarities, 0)


def to_events(trains: SpikeTrains, sensor_size: Sequence[int], unit: str | float = "us") -> NDArray[Any]:
    """Return spike trains as an array of events, in order of time; `from_events` takes them back.

    Parameters
    ----------
    trains : SpikeTrains
        As many neurons as the sensor has pixels, times its polarities.
    sensor_size : sequence of int
        As for `from_events`.
    unit : {"s", "ms", "us", "ns"} or float
        The unit of ``t``, which is rounded to a whole number of it.

    Returns
    -------
    ndarray, structured, shape (num_events,)
        Fields ``x`` and ``y`` (int16), ``t`` (int64) and ``p`` (int8).

    Raises
    ------
    ExchangeError
        If the numbers of neurons and of pixels differ.
    """
    width, height, polarities = _checked_size("the events", sensor_size)
    if width * height * polarities != trains.num_neurons:
        raise ExchangeError(
            f"a sensor of {width} by {height} pixels and {polarities} polarities has {width * height * polarities} "
            f"neurons; there are {trains.num_neurons}"
        )
    order = trains.times.argsort(kind="stable")
    events = np.zeros(trains.num_spikes, [("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.int8)])
    pixel = trains.ids[order]
    events["x"], events["y"], events["p"] = pixel % width, pixel // width % height, pixel // (width * height)
    events["t"] = np.rint(trains.times[order] / in_ms(unit, "the events"))
    return events


def _checked_size(name: str, size: Sequence[int] | None) -> tuple[int, int, int]:
    if size is None:
        raise ExchangeError(f"{name}: say how large the sensor is: sensor_size=(width, height, polarities)")
    sizes = tuple(int(n) for n in size)
    if len(sizes) != 3 or min(sizes) < 1 or max(sizes) > np.iinfo(np.int16).max:
        raise ExchangeError(f"{name}: sensor_size is (width, height, polarities), all at least 1, not {tuple(size)}")
    return sizes[0], sizes[1], sizes[2]


def read(path: str | os.PathLike[str], asked: Asked) -> SpikeTrains:
    """Read a structured array from an ``.npy`` file."""
    name, data = read_bytes(path)
    try:
        events = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ExchangeError(f"{name}: this is no .npy file of numbers: {error}") from error
    return _from_events(name, events, asked.sensor_size, asked.unit)


def write(path: str | os.PathLike[str], trains: SpikeTrains, asked: Asked) -> None:
    """Write a structured array to an ``.npy`` file, times in whole microseconds unless said otherwise."""
    events = to_events(
        trains, _checked_size(os.fspath(path), asked.sensor_size), "us" if asked.unit is None else asked.unit
    )
    with atomic_write(path, "wb") as file:
        np.save(file, events)
