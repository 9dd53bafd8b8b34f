"""Files of rows that grow as rows come: NumPy's ``.npy``, and HDF5."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import OutputError
from snnlearn.io.optional import library

_HEADER = 128  # bytes of a header of ours, a multiple of 64, with room for any number of rows
TIMES = "times"
HDF5 = (".h5", ".hdf5")


class RowFile(ABC):
    """A file that rows of several tracks, and their times, are added to; whole after each `append`."""

    @abstractmethod
    def append(self, rows: Mapping[str, NDArray[Any]], at: int) -> None:
        """Add rows of each track, as many of each, behind the first ``at``; OutputError where that fails.

        After an interruption half-way, the same rows can be added at the same place again.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left; nothing can be added afterwards."""


def row_file(path: str | os.PathLike[str], tracks: Mapping[str, NDArray[Any]]) -> RowFile:
    """Return a new file of rows.

    Parameters
    ----------
    path : path-like
        ``.npy``: a file of one track under this name, of several each with the track's name in it, ``V`` in
        ``trial.V.npy``; the times in ``trial.times.npy``. ``.h5``, ``.hdf5``: a data set for each track, and ``times``;
        needs h5py.
    tracks : mapping of str to ndarray
        No rows of each, shape (0, ...), with the type and shape of those to come; ``times`` among them.

    Raises
    ------
    OutputError
        For another suffix, and a file that cannot be written.
    MissingLibraryError
        For HDF5, where h5py is not installed.
    """
    to = Path(path)
    if to.suffix.lower() in HDF5:
        return _Hdf5(to, tracks)
    if to.suffix.lower() != ".npy":
        raise OutputError(f"{to}: rows go to files of the formats .npy and .h5, not '{to.suffix}'")
    return _Npy(to, tracks)


class _Npy(RowFile):
    """A file for each track, whose header says how many rows there are by now."""

    def __init__(self, path: Path, tracks: Mapping[str, NDArray[Any]]) -> None:
        alone = len([name for name in tracks if name != TIMES]) == 1
        names = {
            name: path if alone and name != TIMES else path.with_name(f"{path.stem}.{name}{path.suffix}")
            for name in tracks
        }
        self._like = {name: np.ascontiguousarray(rows) for name, rows in tracks.items()}
        self._files: dict[str, IO[bytes]] = {}
        self._rows = 0
        try:
            for name, to in names.items():
                self._files[name] = to.open("wb")
                self._write_header(name)
        except OSError as error:
            self.close()
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from None

    def _write_header(self, name: str) -> None:
        like, file = self._like[name], self._files[name]
        shape = (self._rows, *like.shape[1:])
        text = repr({"descr": np.lib.format.dtype_to_descr(like.dtype), "fortran_order": False, "shape": shape})
        start = b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little")
        file.seek(0)
        file.write(start + text.encode("latin1").ljust(_HEADER - 11) + b"\n")
        file.flush()

    def append(self, rows: Mapping[str, NDArray[Any]], at: int) -> None:
        """Add rows; the headers come last, so that what they count is there."""
        number = len(next(iter(rows.values())))
        try:
            for name, values in rows.items():
                file, like = self._files[name], self._like[name]
                file.seek(_HEADER + at * like.dtype.itemsize * int(np.prod(like.shape[1:])))
                file.write(np.ascontiguousarray(values, like.dtype).tobytes())
            self._rows = at + number
            for name in self._files:
                self._write_header(name)
        except OSError as error:
            raise OutputError(f"rows cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class _Hdf5(RowFile):
    """A data set for each track."""

    def __init__(self, path: Path, tracks: Mapping[str, NDArray[Any]]) -> None:
        h5py = library("h5py")
        try:
            self._file = h5py.File(path, "w")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error}") from None
        for name, like in tracks.items():
            self._file.create_dataset(name, data=like, maxshape=(None, *like.shape[1:]), chunks=True)

    def append(self, rows: Mapping[str, NDArray[Any]], at: int) -> None:
        """Add rows to each data set."""
        try:
            for name, values in rows.items():
                track = self._file[name]
                track.resize(at + len(values), axis=0)
                track[at:] = values
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self._file.filename}: rows cannot be written: {error}") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
