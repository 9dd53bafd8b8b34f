"""Tracking on line: IDBD against the best single rate, in a short run; and what the command refuses."""

import csv
import dataclasses

import numpy as np
import pytest

from snnlearn.userproject import tracking
from snnlearn.userproject.tracking import main, track
from snnlearn.userproject.tracking_network import NUM_RELEVANT
from snnlearn.userproject.tracking_results import GRID, SeedResult


@pytest.fixture(scope="module")
def short():
    return track(seed=11, timesteps=24_000)


def test_idbd_halves_the_error_of_the_best_single_rate(short):
    idbd = short.mse[-1]
    for name in ("SGD", "RMSProp"):
        assert idbd < 0.5 * short.mse[short.best(name)]


def test_the_best_rates_are_inside_the_grid(short):
    for name in ("SGD", "RMSProp"):
        of = [index for index, (rule, _) in enumerate(GRID) if rule.name == name]
        assert short.best(name) in of[1:-1]


def test_rates_grow_where_inputs_matter(short):
    last = short.rates[-1]
    assert last[:NUM_RELEVANT].min() > 3.0 * last[NUM_RELEVANT:].max()


def test_without_learning_the_error_is_the_target(short):
    # 5 inputs of 10 Hz and weights of +-1 through two exponentials; the mean square of such shot noise.
    assert 0.01 < short.mse[0] < 0.025


def test_weights_that_diverge_are_no_best(short):
    errors = short.errors.copy()
    errors[:, 3] = np.nan
    again = SeedResult(1, errors, short.rates)
    assert again.mse[3] == np.inf
    assert again.best("SGD") != 3


def test_the_command_writes_its_table_and_its_figure(short, monkeypatch, tmp_path, capsys):
    def ran(seed, timesteps):
        assert timesteps == 24_000
        return dataclasses.replace(short, seed=seed)

    monkeypatch.setattr(tracking, "track", ran)
    assert main(["--seeds", "3", "--timesteps", "24000", "--output-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("seed 3: target 0.01")
    rows = list(csv.DictReader((tmp_path / "tracking.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["optimiser"] for row in rows] == [rule.name for rule, _ in GRID]
    assert (tmp_path / "tracking.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--timesteps", "100"], "--timesteps must be at least 16000, not 100"),
        (["--seeds", "0"], "--seeds must be from 1"),
        (["--output-dir", __file__], "test_tracking.py"),
    ],
)
def test_bad_input_is_one_line(args, message, capsys):
    assert main(args) == 2
    assert message in capsys.readouterr().err
