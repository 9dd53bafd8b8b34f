"""Checkpoints: what can be asked for when, and what is said otherwise."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from kept_networks import counting
from snnlearn.errors import LifecycleError, NetworkError, SnnlearnError
from snnlearn.genn import GeNNModel, create_neuron_model


def test_checkpoints_need_recordings_with_room_for_a_block(ready: Any) -> None:
    model, population = counting()
    checkpoints = model.keep_checkpoints(100, every=10, overlap=2)
    for early in (checkpoints.begin, lambda: list(checkpoints.backwards()), lambda: checkpoints.nbytes):
        with pytest.raises(LifecycleError, match="the model is not loaded"):
            early()
    with pytest.raises(LifecycleError, match="the model keeps checkpoints already"):
        model.keep_checkpoints(100)
    recording = model.record(population, "x", timesteps=11)
    model.build()
    with pytest.raises(NetworkError, match="'P' holds 11 timesteps: checkpoints every 10 with an overlap of 2"):
        model.load()
    assert not model._loaded
    recording.timesteps = 12
    model.load()
    assert checkpoints.nbytes == 10 * (64 + 2 * 16), "x on a cache line, and two rows of it"
    with pytest.raises(LifecycleError, match="the model is loaded"):
        model.keep_checkpoints(100)
    model.unload()
    alone, _ = counting()
    alone.keep_checkpoints(100)
    alone.build()
    with pytest.raises(NetworkError, match="nothing is recorded"):
        alone.load()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"timesteps": 0}, "timesteps"),
        ({"timesteps": 1, "every": 0}, "every"),
        ({"timesteps": 1, "overlap": -1}, "over"),
    ],
)
def test_numbers_of_checkpoints(given: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=f"checkpoints: {message}"):
        counting()[0].keep_checkpoints(**given)


def test_code_that_changes_an_array_cannot_be_computed_again(ready: Any) -> None:
    model = GeNNModel("float", "egp", threads=1)
    neuron = create_neuron_model(
        "N", vars=["x"], extra_global_params=[("log", "scalar*")], sim_code="x = log[id]; log[id] = x + 1.0;"
    )
    population = model.add_neuron_population("P", 4, neuron, {}, {"x": 0.0})
    population.extra_global_params["log"].set_init_values(np.zeros(4))
    model.record(population, "x", timesteps=64)
    model.keep_checkpoints(100)
    model.build()
    with pytest.raises(NetworkError, match=r"code changes the extra global parameter 'P\.log', which checkpoints"):
        model.load()
    assert not model._loaded


def test_a_window_begins_with_the_timestep_that_runs_next(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=10)
    checkpoints = model.keep_checkpoints(100, every=10)
    ready(model)
    model.run(35)
    checkpoints.begin()
    model.timestep = 0
    population.vars["x"].view[:] = 1000.0
    population.vars["x"].push_to_device()
    model.run(25)
    for block in checkpoints.backwards():
        expected = 1001.0 + block.first + np.arange(block.timesteps)
        np.testing.assert_array_equal(recording["x"].last(block.timesteps)[:, 0, 0], expected)
    assert model.timestep == 25


def test_what_blocks_follow_from_stays_while_they_are_computed_again(ready: Any) -> None:
    model, population = counting()
    model.record(population, "x", timesteps=10)
    checkpoints = model.keep_checkpoints(100, every=10)
    ready(model)
    checkpoints.begin()
    model.run(35)
    blocks = checkpoints.backwards()
    next(blocks)
    population.vars["x"].push_to_device()
    with pytest.raises(LifecycleError, match=r"cannot be computed again: 'P\.x' was changed meanwhile"):
        next(blocks)
    population.vars["x"].pull_from_device()
    np.testing.assert_array_equal(population.vars["x"].view, 35.0)


def test_an_error_in_the_loop_puts_everything_back(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=10)
    checkpoints = model.keep_checkpoints(100, every=10)
    ready(model)
    checkpoints.begin()
    model.run(35)

    def fail() -> None:
        for block in checkpoints.backwards():
            if block.first == 10:
                raise SnnlearnError("a reader fails")

    with pytest.raises(SnnlearnError, match="a reader fails"):
        fail()
    gc.collect()
    assert model.timestep == 35
    model.run(5)
    np.testing.assert_array_equal(recording["x"].values[:, 0, 0], np.arange(31, 41))
