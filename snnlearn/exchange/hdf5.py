"""SONATA's files of spikes (Dai et al. 2020): HDF5 with ``/spikes/<population>/{timestamps,node_ids}``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from snnlearn.errors import ExchangeError, did_you_mean
from snnlearn.exchange.asked import Asked
from snnlearn.exchange.recorded import as_trains, recorded
from snnlearn.exchange.units import in_ms, needed
from snnlearn.io import SpikeTrains, atomic_write
from snnlearn.io.optional import library

_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


def read(path: str | os.PathLike[str], asked: Asked) -> SpikeTrains:
    """Read one population; whether it is sorted, and how, does not matter."""
    h5py, name = library("h5py"), os.fspath(path)
    try:
        file = h5py.File(name, "r")
    except FileNotFoundError:
        raise ExchangeError(f"{name}: there is no such file") from None
    except OSError as error:
        raise ExchangeError(f"{name}: this is no HDF5 file that can be read: {error}") from error
    with file:
        group = _population(name, file, asked.population)
        times, ids = _dataset(name, group, "timestamps"), _dataset(name, group, "node_ids", "gids")
        own = times.attrs.get("units")
        own = own.decode() if isinstance(own, bytes) else own
        if own is not None and asked.unit not in (None, own):
            raise ExchangeError(f"{name}: the file says that its times are in {own}; unit={asked.unit!r} is not")
        unit = needed(asked.unit if own is None else own, name, "the times have no attribute 'units'")
        try:
            when, who = np.asarray(times[...], np.float64) * in_ms(unit, name), ids[...]
        except (OSError, TypeError, ValueError) as error:
            raise ExchangeError(f"{name}: the spikes cannot be read: {error}") from error
    if when.shape != who.shape or when.ndim != 1:
        raise ExchangeError(f"{name}: each spike needs a time and an id: got shapes {when.shape} and {who.shape}")
    return as_trains(name, recorded(name, when, who), asked.num_neurons, asked.first_id or 0)


def _population(name: str, file: Any, wanted: str | None) -> Any:
    spikes = file.get("spikes")
    if spikes is None or not hasattr(spikes, "keys"):
        raise ExchangeError(f"{name}: there is no group '/spikes'; SONATA's files of spikes have one")
    if "timestamps" in spikes:  # as before version 0.1 of the format
        return spikes
    found = [key for key in spikes if hasattr(spikes[key], "keys")]
    if wanted is None and len(found) == 1:
        return spikes[found[0]]
    if wanted is None:
        raise ExchangeError(
            f"{name}: say which population: population={found[0]!r}, …" if found else f"{name}: it is empty"
        )
    if wanted not in found:
        raise ExchangeError(f"{name}: there is no population {wanted!r}{did_you_mean(wanted, found)}")
    return spikes[wanted]


def _dataset(name: str, group: Any, *keys: str) -> Any:
    for key in keys:
        if key in group and hasattr(group[key], "shape"):
            return group[key]
    raise ExchangeError(f"{name}: there is no data set '{group.name}/{keys[0]}'")


def write(path: str | os.PathLike[str], trains: SpikeTrains, asked: Asked) -> None:
    """Write one population, sorted by time, in ms."""
    h5py = library("h5py")
    asked.without_unit(path, "times are written in ms, and the file says so")
    order = trains.times.argsort(kind="stable")
    with atomic_write(path, "wb") as target, h5py.File(target, "w") as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.array([0, 1], np.uint32)
        group = file.create_group(f"spikes/{asked.population or 'default'}")
        group.attrs.create("sorting", _SORTING["by_time"], dtype=h5py.enum_dtype(_SORTING, basetype="u1"))
        group.create_dataset("timestamps", data=trains.times[order]).attrs["units"] = "ms"
        group.create_dataset("node_ids", data=(trains.ids[order] + (asked.first_id or 0)).astype(np.uint64))
