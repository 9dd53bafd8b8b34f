"""The project's own CSV files: ``# Time [ms], Neuron ID``, as `snnlearn.io.write_spikes` writes them."""

from __future__ import annotations

import os
import re

from snnlearn.errors import ExchangeError
from snnlearn.exchange.asked import Asked
from snnlearn.exchange.recorded import as_trains, recorded
from snnlearn.exchange.text import read_table
from snnlearn.exchange.units import in_ms, needed
from snnlearn.io import SpikeTrains, write_spikes

_HEADER = re.compile(r"time\s*\[(?P<unit>\w+)\]\s*,\s*neuron id", re.IGNORECASE)


def read(path: str | os.PathLike[str], asked: Asked) -> SpikeTrains:
    """Read a file with that header, or two columns, time and id, of which the unit is given."""
    name, table = read_table(path, ",")
    if len(table.columns) != 2:
        raise ExchangeError(f"{name}: a file of spikes has two columns, time and id, but this has {len(table.columns)}")
    heads = [found for line in (*table.comments, ",".join(table.names)) if (found := _HEADER.fullmatch(line.strip()))]
    if heads and asked.unit not in (None, heads[0]["unit"]):
        raise ExchangeError(
            f"{name}: the times are in {heads[0]['unit']}, as the first line says; unit={asked.unit!r} is not"
        )
    given = heads[0]["unit"] if heads else asked.unit
    unit = needed(given, name, "no line '# Time [ms], Neuron ID' says in which unit the times are")
    spikes = recorded(name, table.columns[0] * in_ms(unit, name), table.columns[1])
    return as_trains(name, spikes, asked.num_neurons, asked.first_id or 0)


def write(path: str | os.PathLike[str], trains: SpikeTrains, asked: Asked) -> None:
    """Write times [ms] rounded to six decimals, in order of time, then id."""
    asked.without_unit(path, "the first line says [ms]")
    if asked.first_id:
        raise ExchangeError(
            f"{os.fspath(path)}: ids count from 0 in these files; first_id={asked.first_id!r} is not one"
        )
    order = trains.times.argsort(kind="stable")  # of each neuron's spikes, which are in order already
    write_spikes(path, trains.times[order], trains.ids[order])
