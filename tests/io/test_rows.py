"""Files of rows: whole after each addition, whatever comes later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import MissingLibraryError, OutputError
from snnlearn.io.rows import row_file

EMPTY = {"V": np.zeros((0, 2, 3), np.float32), "n": np.zeros((0, 2, 3), np.uint8), "times": np.zeros(0)}


def rows(first: int, number: int) -> dict[str, Any]:
    values = np.arange(first * 6, (first + number) * 6).reshape(number, 2, 3)
    return {
        "V": values.astype(np.float32),
        "n": values.astype(np.uint8),
        "times": 0.5 * np.arange(first, first + number),
    }


def test_npy_files_can_be_read_while_they_grow(tmp_path: Path) -> None:
    file = row_file(tmp_path / "trial.npy", EMPTY)
    assert np.load(tmp_path / "trial.V.npy").shape == (0, 2, 3)
    file.append(rows(0, 4), 0)
    file.append(rows(4, 3), 4)
    for name, expected in rows(0, 7).items():
        found = np.load(tmp_path / f"trial.{name}.npy")
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    file.close()


def test_a_file_of_one_track_has_the_name_that_was_asked_for(tmp_path: Path) -> None:
    file = row_file(tmp_path / "V.npy", {"V": EMPTY["V"], "times": EMPTY["times"]})
    file.append({name: rows(0, 2)[name] for name in ("V", "times")}, 0)
    file.close()
    np.testing.assert_array_equal(np.load(tmp_path / "V.npy"), rows(0, 2)["V"])
    np.testing.assert_array_equal(np.load(tmp_path / "V.times.npy"), [0.0, 0.5])


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="HDF5 needs h5py, the extra 'hdf5'")
    file = row_file(tmp_path / "trial.h5", EMPTY)
    file.append(rows(0, 4), 0)
    file.append(rows(4, 3), 4)
    file.close()
    with h5py.File(tmp_path / "trial.h5") as found:
        for name, expected in rows(0, 7).items():
            np.testing.assert_array_equal(found[name][:], expected)
            assert found[name].dtype == expected.dtype


@pytest.mark.parametrize("name", ["none/V.npy", "V.csv", "V"])
def test_files_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"cannot be written|formats .npy and .h5"):
        row_file(tmp_path / name, EMPTY)


def test_without_h5py_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "snnlearn\[hdf5\]"'):
        row_file(tmp_path / "V.h5", EMPTY)
