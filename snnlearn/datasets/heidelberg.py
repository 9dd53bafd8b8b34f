"""The Heidelberg spiking data sets: spoken digits (SHD) and commands (SSC) as spikes of an artificial cochlea."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from snnlearn.datasets.spiking import SpikingExamples
from snnlearn.errors import ExchangeError
from snnlearn.io import SpikeTrains
from snnlearn.io.optional import library

_CHANNELS = 700


class HeidelbergDigits(SpikingExamples):
    """A file of SHD or SSC, ``shd_train.h5`` or ``ssc_test.h5`` (Cramer et al. 2022).

    Parameters
    ----------
    path : path-like
        The HDF5 file, unpacked: data sets ``spikes/times`` [s], ``spikes/units`` and ``labels``.

    Attributes
    ----------
    num_neurons : int
        700, one for each channel of the cochlea.
    labels : ndarray of int64, shape (num_examples,)
        0 to 19 for SHD (German digits are behind the English ones), 0 to 34 for SSC.
    speakers : ndarray of int64, shape (num_examples,), or None
        Who speaks, where the file says it.

    Raises
    ------
    ExchangeError
        If the file cannot be read or is another.
    MissingLibraryError
        If h5py is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._name = os.fspath(path)
        try:
            self._file = library("h5py").File(self._name, "r")
        except FileNotFoundError:
            raise ExchangeError(f"{self._name}: there is no such file") from None
        except OSError as error:
            raise ExchangeError(f"{self._name}: this is no HDF5 file that can be read: {error}") from error
        lacking = [key for key in ("spikes/times", "spikes/units", "labels") if key not in self._file]
        if lacking:
            raise ExchangeError(f"{self._name}: this is no file of SHD or SSC: it lacks {', '.join(lacking)}")
        labels = np.asarray(self._file["labels"][...], np.int64)
        super().__init__(_CHANNELS, labels)
        self._times: Any = self._file["spikes/times"]
        self._units: Any = self._file["spikes/units"]
        if not len(self._times) == len(self._units) == len(labels):
            raise ExchangeError(
                f"{self._name}: {len(labels)} labels, but {len(self._times)} examples of times and "
                f"{len(self._units)} of units"
            )
        self.speakers = (
            np.asarray(self._file["extra/speaker"][...], np.int64) if "extra/speaker" in self._file else None
        )

    def _spikes(self, index: int) -> SpikeTrains:
        times = np.asarray(self._times[index], np.float64) * 1000.0
        units = np.asarray(self._units[index], np.int64)
        return SpikeTrains.from_spikes(times, units, _CHANNELS)

    def close(self) -> None:
        """Close the file; examples can no longer be read."""
        self._file.close()
