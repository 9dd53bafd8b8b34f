"""Auryn's ``.ras`` files (Zenke and Gerstner 2014): ``seconds neuron_id``."""

from __future__ import annotations

import os

from snnlearn.errors import ExchangeError
from snnlearn.exchange.asked import Asked
from snnlearn.exchange.recorded import Recorded, as_trains, first_of_two, recorded
from snnlearn.exchange.text import read_table
from snnlearn.exchange.units import in_ms
from snnlearn.io import SpikeTrains, write_ras


def read(path: str | os.PathLike[str], asked: Asked) -> SpikeTrains:
    """Read a recording or a target; its times are in seconds unless another unit is given."""
    name, table = read_table(path)
    if len(table.columns) != 2 or table.names:
        raise ExchangeError(f"{name}: a .ras file has two columns without names, 'seconds neuron_id'")
    unit = in_ms("s" if asked.unit is None else asked.unit, name)
    spikes: Recorded = recorded(name, table.columns[0] * unit, table.columns[1])
    first = first_of_two(name, spikes, asked.num_neurons) if asked.first_id is None else asked.first_id
    return as_trains(name, spikes, asked.num_neurons, first)


def write(path: str | os.PathLike[str], trains: SpikeTrains, asked: Asked) -> None:
    """Write times rounded to microseconds; ids count from 1 unless said otherwise."""
    asked.without_unit(path, "'.ras' files have seconds")
    write_ras(path, trains, 1 if asked.first_id is None else asked.first_id)
