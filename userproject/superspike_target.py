"""The demo's target: the bundled drawing, or spikes of a file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from snnlearn import exchange
from snnlearn.data import target_path
from snnlearn.errors import TargetError, TargetWarning
from snnlearn.io import SpikeTrains, read_ras
from snnlearn.userproject import superspike as ss
from snnlearn.userproject.superspike_error import spike_timesteps

# Whatever is called otherwise is taken for one of Auryn's. An array of events has a sensor, and no place here.
_OTHER_FORMATS = (".csv", ".dat", ".gdf", ".h5", ".hdf5", ".sonata")


def read_target(
    file: str | None, first_id: int | None = None, unit: str | None = None, population: str | None = None
) -> SpikeTrains:
    """Return the target of a file, or the bundled one.

    Parameters
    ----------
    file : str, optional
        The file, in a format of `snnlearn.exchange.read`.
    first_id, unit, population : optional
        As there; a unit that is a number, the length of a timestep [ms], is text here.

    Raises
    ------
    TargetError, ExchangeError
        If the file cannot be read, or no spike of it can take place in a trial.
    """
    if file is None:
        return read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS, 1 if first_id is None else first_id)
    target = _read(file, first_id, unit, population)
    late = np.count_nonzero(spike_timesteps(target) >= ss.TRIAL_TIMESTEPS)
    if late:
        last_ms = (ss.TRIAL_TIMESTEPS - 1) * ss.TIMESTEP_MS
        text = (
            f"{file}: {late} of {target.num_spikes} spikes come after the trial's last timestep, which begins at "
            f"{last_ms / 1000.0:g} s, and cannot take place"
        )
        if late == target.num_spikes:
            raise TargetError(text)
        warnings.warn(text, TargetWarning, stacklevel=2)
    return target


def _read(file: str, first_id: int | None, unit: str | None, population: str | None) -> SpikeTrains:
    if Path(file).suffix.lower() not in _OTHER_FORMATS:
        if unit is not None or population is not None:
            said = "--target-unit" if unit is not None else "--target-population"
            raise TargetError(f"{file}: {said} is for {', '.join(_OTHER_FORMATS)}; a .ras file has seconds")
        return read_ras(file, ss.NUM_OUTPUT, ss.TRIAL_MS, first_id)
    target = exchange.read(file, ss.NUM_OUTPUT, unit=_number(unit), first_id=first_id, population=population)
    late = np.count_nonzero(target.times >= ss.TRIAL_MS)
    if late:
        raise TargetError(
            f"{file}: {late} of {target.num_spikes} spikes are at or after the end of the trial of {ss.TRIAL_MS:g} ms"
        )
    return target


def _number(unit: str | None) -> str | float | None:
    try:
        return unit if unit is None else float(unit)
    except ValueError:
        return unit
