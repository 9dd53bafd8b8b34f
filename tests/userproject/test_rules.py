"""The demos train by derived rules, through the same learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_demo, yin_yang


@pytest.mark.parametrize(
    "rule", [*(pytest.param(r, marks=pytest.mark.slow) for r in ("superspike", "symmetric")), "bptt"]
)
def test_the_demo_trains(rule: str, tmp_path: Path) -> None:
    options = [
        "--num-trials",
        "12",
        "--seed",
        "1",
        "--backend",
        "cpu",
        "--save-data",
        "--quiet",
        "--schedule",
        "constant",
    ]
    assert superspike_demo.main(["--record-trial", "--rule", rule, *options, "--output-dir", str(tmp_path)]) == 0
    curve = np.loadtxt(tmp_path / "learning_curve.csv", delimiter=",", skiprows=1)
    assert curve[-1, -1] < 0.4
    assert curve[0, -1] > 0.9


@pytest.mark.parametrize("rule", ["superspike", pytest.param("bptt", marks=pytest.mark.slow)])
def test_yin_yang_learns(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--num-train", "400", "--num-valid", "300", "--num-hidden", "60", "--quiet", "--backend", "cpu"]
    assert yin_yang.main(["--rule", rule, "--epochs", "8", *options]) == 0
    accuracy = float(capsys.readouterr().out.split()[-1].rstrip("%"))
    assert accuracy > 75.0


def run_of(rule: str) -> tuple[Any, Any]:
    """Return the hidden layer's spikes in the first timesteps, and what the first connection has summed up."""
    inputs = ss.frozen_poisson(1, duration_ms=400.0)
    network = ss.describe(genn, inputs, ss.frozen_poisson(2), seed=3, num_hidden=60, rule=rule, recording=True)
    network.model.build()
    network.model.load(num_recording_timesteps=4000)
    if network.output_hidden is not None:
        network.model.custom_update("CalculateTranspose")
    network.model.run(4000)
    network.model.pull_recording_buffers_from_device()
    network.input_hidden.vars["m"].pull_from_device()
    found = network.hidden.spike_recording_data[0], network.input_hidden.vars["m"].values.copy()
    network.model.unload()
    return found


def test_rules_start_alike() -> None:
    """All have the same weights and the same spikes before the first update."""
    spikes = [run_of(rule)[0] for rule in ss.RULES if rule != "symmetric"]
    for times, ids in spikes[1:]:
        np.testing.assert_array_equal(times, spikes[0][0])
        np.testing.assert_array_equal(ids, spikes[0][1])
    assert len(spikes[0][0]) > 5


@pytest.mark.slow
def test_errors_come_back_alike() -> None:
    """Through the forward weights, as through copies of them."""
    (spikes, expected), (same, found) = run_of("superspike"), run_of("symmetric")
    np.testing.assert_array_equal(same[1], spikes[1])
    most = np.abs(expected).max()
    assert most > 0.0
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-5 * most)
