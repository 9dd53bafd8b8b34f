"""Spike recorders of NEST: ``.dat`` of NEST 3, with the columns' names, and ``.gdf`` of NEST 2, without."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.exchange.asked import Asked
from snnlearn.exchange.recorded import as_trains, recorded
from snnlearn.exchange.text import Table, read_table
from snnlearn.exchange.units import in_ms, needed
from snnlearn.io import SpikeTrains, atomic_write


def read(path: str | os.PathLike[str], asked: Asked) -> SpikeTrains:
    """Read what a ``spike_recorder`` wrote to a file; the first neuron's id is NEST's, 1 unless given."""
    name, table = read_table(path)
    if table.names:
        times, ids = _named(name, table, asked.unit)
    elif len(table.columns) == 2:
        why = "a file without the columns' names does not say whether its times are milliseconds or timesteps"
        times, ids = table.columns[1] * in_ms(needed(asked.unit, name, why), name), table.columns[0]
    else:
        raise ExchangeError(f"{name}: without names of columns there are two, id and time, not {len(table.columns)}")
    return as_trains(
        name, recorded(name, times, ids), asked.num_neurons, 1 if asked.first_id is None else asked.first_id
    )


def _named(name: str, table: Table, unit: str | float | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(table.names) != len(table.columns):
        raise ExchangeError(f"{name}: {len(table.names)} columns are named, but there are {len(table.columns)}")
    columns = dict(zip(table.names, table.columns, strict=True))
    if "sender" not in columns:
        raise ExchangeError(f"{name}: there is no column 'sender', only {', '.join(table.names)}")
    if "time_ms" in columns:
        if unit not in (None, "ms"):
            raise ExchangeError(f"{name}: the times are in ms, as their column says; unit={unit!r} is not")
        return columns["time_ms"], columns["sender"]
    if "time_step" not in columns:
        raise ExchangeError(f"{name}: there is no column 'time_ms' or 'time_step', only {', '.join(table.names)}")
    step = in_ms(needed(unit, name, "the times count timesteps, of which the length is not in the file"), name)
    offset = columns.get("time_offset", 0.0)
    return columns["time_step"] * step - offset, columns["sender"]


def write(path: str | os.PathLike[str], trains: SpikeTrains, asked: Asked) -> None:
    """Write a file as NEST 3 does, in order of time, each time [ms] as the shortest number that reads back the same."""
    asked.without_unit(path, "the column is called time_ms")
    first = 1 if asked.first_id is None else asked.first_id
    order = trains.times.argsort(kind="stable")
    with atomic_write(path) as file:
        file.write("# RecordingBackendASCII version: 2\nsender\ttime_ms\n")
        pairs = zip(trains.times[order].tolist(), trains.ids[order].tolist(), strict=True)
        file.writelines(f"{neuron + first}\t{time!r}\n" for time, neuron in pairs)
