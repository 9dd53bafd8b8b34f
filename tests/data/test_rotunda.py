"""The bundled target is what its script draws, and can be learnt."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snnlearn.data import target_path
from snnlearn.io import read_ras

SCRIPT = Path(__file__).parents[2] / "data" / "draw_rotunda.py"


@pytest.fixture(scope="module")
def target():
    return read_ras(target_path(), 200, 1890.0)


def draw(*arguments, cwd):
    command = [sys.executable, "-W", "error", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_script_draws_the_bundled_file_again(tmp_path):
    done = draw(tmp_path / "again.ras", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "again.ras").read_bytes() == target_path().read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("a", "b"), "give one file name or none"), (("no/such.ras",), "the folder .*no does not exist")],
)
def test_script_refuses_in_one_line(tmp_path, arguments, message):
    done = draw(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(rf"draw_rotunda\.py: error: .*{message}.*\n", done.stderr)
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


def test_number_of_spikes(target):
    assert 8_000 <= target.num_spikes <= 12_000
    per_neuron = target.end_index - target.start_index
    assert per_neuron.min() >= 1


def test_spikes_of_a_neuron_are_at_least_6_ms_apart(target):
    same = np.diff(target.ids) == 0
    gaps_us = np.rint(np.diff(target.times)[same] * 1000.0)
    assert gaps_us.min() >= 6000


def test_has_light_and_dark_areas(target):
    counts = np.zeros((200, 189))
    counts[target.ids, (target.times // 10.0).astype(int)] = 1.0
    blocks = counts[:, :185].reshape(40, 5, 37, 5).mean(axis=(1, 3))
    assert (blocks < 0.05).mean() > 0.25
    assert (blocks > 0.6).mean() > 0.08


def test_is_a_building_on_the_middle(target):
    # Near the top there is only the lantern; the ground reaches from side to side.
    top = target.times[target.ids >= 197]
    assert np.all(np.abs(top - 945.0) < 60.0)
    ground = target.times[target.ids < 5]
    assert ground.min() < 60.0
    assert ground.max() > 1830.0
