"""One function to read and one to write, for every format."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from snnlearn.calling import named
from snnlearn.errors import ExchangeError, did_you_mean
from snnlearn.exchange import auryn, csv, events, hdf5, nest
from snnlearn.exchange.asked import Asked
from snnlearn.io import SpikeTrains


class _Format(NamedTuple):
    suffixes: tuple[str, ...]
    read: Callable[[str | os.PathLike[str], Asked], SpikeTrains]
    write: Callable[[str | os.PathLike[str], SpikeTrains, Asked], None]


FORMATS = {
    "auryn": _Format((".ras",), auryn.read, auryn.write),
    "csv": _Format((".csv",), csv.read, csv.write),
    "nest": _Format((".dat", ".gdf"), nest.read, nest.write),
    "sonata": _Format((".h5", ".hdf5", ".sonata"), hdf5.read, hdf5.write),
    "events": _Format((".npy",), events.read, events.write),
}


@named
def read(
    path: str | os.PathLike[str],
    num_neurons: int | None = None,
    *,
    format: str | None = None,
    unit: str | float | None = None,
    first_id: int | None = None,
    population: str | None = None,
    sensor_size: Sequence[int] | None = None,
) -> SpikeTrains:
    """Read spikes that another program recorded.

    Parameters
    ----------
    path : path-like
        The file.
    num_neurons : int, optional
        How many neurons there are (default: up to the highest id).
    format : {"auryn", "csv", "nest", "sonata", "events"}, optional
        The format (default: what the file's suffix says): ``.ras`` of Auryn, the project's own ``.csv``, ``.dat`` and
        ``.gdf`` of NEST, SONATA's ``.h5``, ``.npy`` with an array of events.
    unit : {"s", "ms", "us", "ns"} or float, optional
        The unit of the times; a float is the length of a timestep [ms], for times that count timesteps. Needed where
        neither the format nor the file says it.
    first_id : int, optional
        The id that the file gives the first neuron (default: 1 for NEST; 0 for CSV and SONATA; for Auryn 0 if there is
        such an id, else 1, with a warning unless the last neuron spikes).
    population : str, optional
        The population, where a SONATA file has several.
    sensor_size : sequence of int, optional
        For events: how many values x, y and p have, as for `from_events`.

    Returns
    -------
    SpikeTrains
        Times in ms, ids from 0.

    Raises
    ------
    ExchangeError
        If the file cannot be read, its format cannot be told, a unit is missing, or an id is outside the population.
    MissingLibraryError
        If the format needs a library that is not installed: h5py for SONATA.
    """
    asked = Asked(num_neurons, unit, first_id, population, None if sensor_size is None else tuple(sensor_size))
    return _format(path, format).read(path, asked)


@named
def write(
    path: str | os.PathLike[str],
    trains: SpikeTrains,
    *,
    format: str | None = None,
    unit: str | float | None = None,
    first_id: int | None = None,
    population: str | None = None,
    sensor_size: Sequence[int] | None = None,
) -> None:
    """Write spikes for another program; `read` gives them back.

    Auryn's times are rounded to microseconds, those of CSV to nanoseconds, those of events to whole units; NEST's and
    SONATA's are exact.

    Parameters
    ----------
    path : path-like
        The file; it appears only when it is complete.
    trains : SpikeTrains
        The spikes.
    format, first_id, population, sensor_size
        As for `read`; a population is called ``default`` unless it is named.
    unit : {"s", "ms", "us", "ns"} or float, optional
        For events, the unit of the times (default: ``"us"``); the other formats have their own.

    Raises
    ------
    ExchangeError
        If the format cannot be told or has no room for what is asked.
    OutputError
        If the file cannot be written.
    MissingLibraryError
        As for `read`.
    """
    asked = Asked(None, unit, first_id, population, None if sensor_size is None else tuple(sensor_size))
    _format(path, format).write(path, trains, asked)


def _format(path: str | os.PathLike[str], name: str | None) -> _Format:
    if name is not None:
        if name not in FORMATS:
            raise ExchangeError(f"unknown format {name!r}{did_you_mean(str(name), FORMATS)}")
        return FORMATS[name]
    suffix = Path(path).suffix.lower()
    for found in FORMATS.values():
        if suffix in found.suffixes:
            return found
    if suffix == ".nir":
        raise ExchangeError(
            f"{os.fspath(path)}: this is a network, no spikes: exchange.from_nir reads it, to_nir writes it"
        )
    known = ", ".join(f"{key} ({', '.join(found.suffixes)})" for key, found in FORMATS.items())
    raise ExchangeError(
        f"{os.fspath(path)}: {suffix or 'no suffix'} tells no format; say which: format= one of {known}"
    )
