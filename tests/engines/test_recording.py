"""Spike sources and recordings: every neuron, every timestep, whatever the size and wherever the ring stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.errors import LifecycleError
from snnlearn.genn import create_neuron_model, create_var_ref
from snnlearn.models import SourceReset

SIZES = (1, 31, 32, 33, 63, 64, 65, 1057)  # around words of recordings and chunks of marks
WINDOW = 50


def trains(rng: np.random.Generator, size: int) -> list[np.ndarray]:
    """Spike times [ms] of each neuron, ascending; some before the first timestep, some neurons silent."""
    return [np.sort(rng.uniform(-2.0, 60.0, rng.integers(0, 12))) for _ in range(size)]


def played(train: np.ndarray, steps: int, dt: float) -> list[int]:
    """Return the timesteps at which a source spikes: at most one each, as soon as its time has come.

    A time up to a ten-thousandth of a timestep behind counts as come; see the model.
    """
    train, fired = train.astype(np.float32).astype(float), []
    waiting = 0
    for step in range(steps):
        if waiting < len(train) and (step + 1e-4) * dt >= train[waiting]:
            fired.append(step)
            waiting += 1
    return fired


def test_sources_play_their_trains_and_recordings_hold_the_last_window(engine: Any, start: Any) -> None:
    rng = np.random.default_rng(3)
    model = engine.model(dt=0.7)
    expected, first = {}, {}
    for size in SIZES:
        given = trains(rng, size)
        ends = np.cumsum([len(train) for train in given])
        first[size] = np.r_[0, ends[:-1]]
        population = model.add_neuron_population(
            f"P{size}", size, "SpikeSourceArray", {}, {"startSpike": first[size], "endSpike": ends}
        )
        population.extra_global_params["spikeTimes"].set_init_values(np.concatenate([*given, [0.0]]))
        population.spike_recording_enabled = True
        expected[size] = sorted((step, n) for n, train in enumerate(given) for step in played(train, 120, 0.7))
        refs = {"startSpike": create_var_ref(population, "startSpike")}
        model.add_custom_update(f"Reset{size}", "Reset", SourceReset, {}, {"firstSpike": first[size]}, refs)
    silent = model.add_neuron_population("Silent", 40, create_neuron_model("NoThreshold", vars=["x"]), {}, {"x": 0.0})
    silent.spike_recording_enabled = True
    start(model, WINDOW)

    def check(timestep: int) -> None:
        model.pull_recording_buffers_from_device()
        for size in SIZES:
            times, ids = model.neuron_populations[f"P{size}"].spike_recording_data[0]
            assert (times.dtype, ids.dtype) == (np.float64, np.int32)
            window = [(step, n) for step, n in expected[size] if timestep - WINDOW <= step < timestep]
            assert window or size == 1
            np.testing.assert_array_equal(ids, [n for _, n in window])
            np.testing.assert_allclose(times, [step * 0.7 for step, _ in window], rtol=1e-15)
        assert silent.spike_recording_data[0][0].size == 0

    model.run(WINDOW - 1)
    with pytest.raises(LifecycleError, match=r"holds 50 timesteps and only 49 have passed"):
        model.pull_recording_buffers_from_device()
    # Not only at multiples of the window, where the ring happens to begin with its oldest row.
    for timestep in (50, 51, 57, 100, 120):
        model.run(timestep - model.timestep)
        check(timestep)
    # Rewound on the device the same trains play again.
    model.custom_update("Reset")
    model.timestep = 0
    model.run(60)
    check(60)
