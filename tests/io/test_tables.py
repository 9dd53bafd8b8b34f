"""The CSV files of a training run."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from snnlearn.errors import OutputError, TrainingError
from snnlearn.io import CurvePoint, write_learning_curve, write_spikes


def test_spikes_are_what_savetxt_would_write(tmp_path):
    rng = np.random.default_rng(3)
    times, ids = rng.uniform(0.0, 1890.0, 100).astype(np.float32), rng.integers(0, 200, 100, dtype=np.int32)
    write_spikes(tmp_path / "ours.csv", times, ids)
    np.savetxt(tmp_path / "numpy.csv", np.column_stack((times, ids)), fmt="%f,%d", header="Time [ms], Neuron ID")
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "numpy.csv").read_bytes()
    assert (tmp_path / "ours.csv").read_text().startswith("# Time [ms], Neuron ID\n")


def test_no_spikes_is_a_header(tmp_path):
    write_spikes(tmp_path / "none.csv", [], [])
    assert (tmp_path / "none.csv").read_text() == "# Time [ms], Neuron ID\n"


def test_spikes_need_as_many_ids_as_times(tmp_path):
    with pytest.raises(OutputError, match="there are 2 times but 1 ids"):
        write_spikes(tmp_path / "bad.csv", [1.0, 2.0], [0])
    assert not list(tmp_path.iterdir())


def test_curve_reads_back_exactly(tmp_path):
    points = [
        CurvePoint(1, 1.0, 8744892.12345679, 1.0459),
        CurvePoint(2, 0.1, 1e-300, 1.0 / 3.0),
        CurvePoint(3, np.float32(0.1), math.inf, np.float64(0.1) + 0.2),
    ]
    write_learning_curve(tmp_path / "curve.csv", points)
    text = (tmp_path / "curve.csv").read_text()
    assert text.splitlines()[:2] == ["trial,r0,error,error_of_silent", "1,1.0,8744892.12345679,1.0459"]
    rows = list(csv.DictReader(text.splitlines()))
    again = [CurvePoint(int(row.pop("trial")), *map(float, row.values())) for row in rows]
    assert again == points


def test_curve_keeps_nan(tmp_path):
    write_learning_curve(tmp_path / "curve.csv", [CurvePoint(1, 1.0, math.nan, math.nan)])
    assert (tmp_path / "curve.csv").read_text().splitlines()[1] == "1,1.0,nan,nan"


def test_empty_curve_is_a_header(tmp_path):
    write_learning_curve(tmp_path / "curve.csv", [])
    assert (tmp_path / "curve.csv").read_text() == "trial,r0,error,error_of_silent\n"


@pytest.mark.parametrize(
    ("trial", "r0", "message"),
    [
        (-1, 1.0, "trial counts completed trials and cannot be -1"),
        (1, -1.0, "r0 must be finite and >= 0, not -1"),
        (1, math.nan, "r0 must be finite and >= 0, not nan"),
    ],
)
def test_curve_points_check_themselves(trial, r0, message):
    with pytest.raises(TrainingError, match=message):
        CurvePoint(trial, r0, 1.0, 1.0)
