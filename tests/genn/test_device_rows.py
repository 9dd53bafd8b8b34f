"""Rows that are read and written where they are on the device, and arrays that are the caller's memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.errors import LifecycleError
from snnlearn.genn import GeNNModel, VarAccess

SIZE, BATCH = 3, 2
ADDS = genn.create_neuron_model(
    "Adds",
    vars=[("x", "scalar", VarAccess.READ_ONLY_DUPLICATE), ("by", "scalar", VarAccess.READ_ONLY), "y"],
    sim_code="y += by * x;",
    threshold_condition_code="x > 0.5",
)


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    model = GeNNModel("double", "rows")
    model.batch_size = BATCH
    group = model.add_neuron_population("P", SIZE, ADDS, {}, {"x": 0.0, "by": 1.0, "y": 0.0})
    playback = model.play(group, "x", np.zeros((1, BATCH, SIZE)))
    recording = model.record(group, "y", timesteps=6, spikes=True)
    model.build()
    model.load()
    yield model, group, playback, recording
    model.unload()


@pytest.fixture(autouse=True)
def zero(made: Any) -> None:
    _, group, _, recording = made
    group.vars["y"].view[:] = 0.0
    group.vars["y"].push_to_device()
    recording.clear()


def rows(timesteps: int) -> Any:
    return np.random.default_rng(timesteps).uniform(size=(timesteps, BATCH, SIZE))


@pytest.mark.parametrize("timesteps", [2, 5, 3])
def test_what_is_written_is_played_and_what_is_recorded_is_there(made: Any, timesteps: int) -> None:
    model, _, playback, recording = made
    given = rows(timesteps)
    playback.fill(timesteps, lambda memory: memory.__setitem__(..., given), beyond=1)
    model.run(timesteps + 1)
    np.testing.assert_allclose(recording["y"].memory[:timesteps], np.cumsum(given, axis=0))
    assert recording["y"].memory.shape == (7, BATCH, SIZE)
    np.testing.assert_array_equal(recording["y"].memory[timesteps], recording["y"].memory[timesteps - 1])
    words = recording.spikes.memory[:timesteps]
    assert words.shape == (timesteps, BATCH, 1)
    found = (words >> np.arange(SIZE, dtype=np.uint32)) & 1
    np.testing.assert_array_equal(found, given > 0.5)
    with pytest.raises(LifecycleError, match="0 timesteps left"):
        model.run(1)


def test_rows_that_were_put_there_come_first(made: Any) -> None:
    model, _, playback, recording = made
    recording["y"].memory[:2] = [[[1.0] * SIZE] * BATCH, [[2.0] * SIZE] * BATCH]
    recording.follow(2)
    playback.fill(3, lambda memory: memory.__setitem__(..., 1.0))
    model.run(3)
    assert recording.written == 5
    np.testing.assert_array_equal(recording["y"].last(5)[:, 1, 2], [1.0, 2.0, 1.0, 2.0, 3.0])


def test_an_array_that_is_the_callers_memory(made: Any) -> None:
    model, group, playback, recording = made
    own = np.full(SIZE, 3.0)
    simulation = model._loaded_simulation()
    simulation.adopt(group.vars["by"].location, own)
    for factor in (3.0, 5.0):
        own[:] = factor
        recording.clear()
        playback.fill(1, lambda memory: memory.__setitem__(..., 1.0))
        before = group.vars["y"].device_array.copy()
        model.run(1)
        np.testing.assert_array_equal(recording["y"].memory[0], before + factor)
    group.vars["by"].view[:] = 1.0
    group.vars["by"].push_to_device()
    assert (own == 1.0).all(), "whatever writes to the array writes there"


def test_a_recording_cannot_be_filled() -> None:
    model = GeNNModel("double", "other")
    group = model.add_neuron_population("P", SIZE, ADDS, {}, {"x": 0.0, "by": 1.0, "y": 0.0})
    other = model.add_neuron_population("Q", SIZE, ADDS, {}, {"x": 0.0, "by": 1.0, "y": 0.0})
    playback = model.play(other, "x", model.record(group, "y")["y"])
    with pytest.raises(LifecycleError, match="plays a recording, not an array"):
        playback.fill(1, lambda memory: None)
