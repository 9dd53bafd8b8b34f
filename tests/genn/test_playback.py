"""Variables that play recordings or arrays: what can be asked for when, and what is said otherwise."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from kept_networks import READER, READS, counting, reading
from snnlearn.errors import DialectError, LifecycleError, NetworkError
from snnlearn.genn import VarAccess, create_neuron_model


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("q", "neuron population 'R' has no variable 'q' to play a recording to"),
        ("own", "variable 'own' has access READ_WRITE; what a recording is played to is declared READ_ONLY_DUPLICATE"),
        ("small", "the variable is of type 'uint8_t', which has no place for all values of type 'float'"),
    ],
)
def test_what_cannot_be_played(variable: str, message: str) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    with pytest.raises(NetworkError, match=message):
        other.play(group, variable, recording["x"])


def test_sizes_agree_and_a_variable_plays_one_thing() -> None:
    model, population = counting()
    recording = model.record(population, ["x", "flag"], timesteps=5)
    other, group = reading(size=5)
    with pytest.raises(NetworkError, match="it has 5 neurons, and what was recorded of 'P' 4"):
        other.play(group, "r", recording["x"])
    wrong = [np.zeros((3, 4)), np.zeros((3, 2, 5)), np.zeros(5), np.zeros((0, 5)), 1.0]
    for values in wrong:
        with pytest.raises(NetworkError, match=r"must have shape \(timesteps, 1, 5\) or \(timesteps, 5\)"):
            other.play(group, "r", values)
    other.play(group, "r", np.zeros((3, 5)))
    with pytest.raises(NetworkError, match="variable 'r' has a recording to play already"):
        other.play(group, "r", np.zeros((3, 5)))
    with pytest.raises(NetworkError, match="lag must be an integer of at least 0"):
        other.play(group, "small", np.zeros((3, 5)), lag=-1)
    other.play(group, "small", np.ones((3, 5)))


def test_code_cannot_assign_to_what_is_played() -> None:
    with pytest.raises(DialectError, match=r"(?s)it is a read-only variable\n +r = 1\.0;\n +\^"):
        create_neuron_model("Bad", vars=[("r", "scalar", VarAccess.READ_ONLY_DUPLICATE)], sim_code="r = 1.0;")


def test_copies_of_a_batch_have_their_own(ready: Any) -> None:
    model, population = counting(batch=2)
    recording = model.record(population, "x", timesteps=5)
    shared, group = reading(batch=2)
    shared.play(group, "alike", recording["x"])
    with pytest.raises(NetworkError, match="variable 'alike' has access READ_ONLY, which all copies of a batch share"):
        shared.build()
    other, group = reading(batch=3)
    playback = other.play(group, "r", recording["x"])
    ready(model).run(5)
    ready(other)
    with pytest.raises(NetworkError, match=r"'R\.r' has 3 copies and what it plays 2"):
        playback.rewind()


def test_models_on_other_engines_are_given_an_array(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    playback = other.play(group, "r", recording["x"])
    ready(model).run(5)
    ready(other)
    model._backend = ("cuda", 1)
    with pytest.raises(
        NetworkError, match=r"'R\.r' is on cpu and what it plays on cuda:1: give play\(\) the recording's"
    ):
        playback.rewind()


# ---- when it can be played ----


def test_a_playback_is_rewound_and_ends(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    playback = other.play(group, "r", recording["x"], reverse=True)
    for early in (playback.rewind, lambda: playback.left):
        with pytest.raises(LifecycleError, match="the model is not loaded"):
            early()
    ready(other)
    with pytest.raises(LifecycleError, match="the model is not loaded"):
        playback.rewind()
    ready(model)
    with pytest.raises(LifecycleError, match=r"'R\.r' cannot play: nothing has been recorded yet"):
        playback.rewind()
    with pytest.raises(LifecycleError, match=r"played to 'R\.r' has not been started: call its rewind\(\)"):
        other.run(1)
    model.run(7)
    playback.rewind()
    for run in (lambda: other.run(6), lambda: other.run(2**40)):
        with pytest.raises(LifecycleError, match=r"has 5 timesteps left, and \d+ are to run"):
            run()
    assert other.timestep == 0
    other.run(3)
    assert playback.left == 2
    group.vars["r"].pull_from_device()
    np.testing.assert_array_equal(group.vars["r"].view, 5.0)
    with pytest.raises(NetworkError, match="beyond must be an integer of at least 0"):
        playback.rewind(beyond=-1)
    model.unload()
    with pytest.raises(LifecycleError, match="the model of 'P' has been unloaded, and what it recorded went with it"):
        other.run(1)
    model.load()
    model.run(5)
    playback.rewind()  # reads the rows where they are now
    other.run(1)
    group.vars["r"].pull_from_device()
    np.testing.assert_array_equal(group.vars["r"].view, 5.0)


def test_rows_that_have_been_recorded_over_are_not_played(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    backwards = other.play(group, "r", recording["x"], reverse=True)
    ready(model).run(5)
    ready(other)
    backwards.rewind()
    other.run(2)
    model.run(2)  # over the two oldest rows
    other.run(1)
    with pytest.raises(LifecycleError, match=r"what is played to 'R\.r' has been recorded over or forgotten: call its"):
        other.run(1)
    other.timestep = 100
    with pytest.raises(LifecycleError, match="has been recorded over"):
        other.run(1)
    backwards.rewind()
    other.run(5)
    group.vars["own"].pull_from_device()
    np.testing.assert_array_equal(group.vars["own"].view, 3.0)


def test_rows_outlive_a_model_that_nobody_unloads(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    playback = other.play(group, "r", recording["x"])
    model.build()
    model.load()
    model.run(5)
    ready(other)
    playback.rewind()
    del model, population, recording, playback
    gc.collect()
    with pytest.raises(LifecycleError, match="has been unloaded"):
        other.run(1)


def test_a_model_plays_what_it_has_recorded_itself(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5, start=2)
    group = model.add_neuron_population("R", 4, READER, {}, READS)
    playback = model.play(group, "r", recording["x"], reverse=True)
    ready(model)

    def own() -> float:
        group.vars["own"].pull_from_device()
        return float(group.vars["own"].view[0])

    model.run(4)
    assert own() == 0.0, "before it is rewound"
    playback.rewind()
    with pytest.raises(LifecycleError, match="'R\\.r' plays what the same model is to record: set `enabled`"):
        model.run(1)
    recording.enabled = False
    model.run(1)
    assert own() == 4.0
    recording.enabled = True
    with pytest.raises(LifecycleError, match="plays what the same model is to record"):
        model.run(1)
    recording.enabled = False
    model.run(1)
    assert own() == 3.0
    playback.rewind()
    recording.start = 9
    with pytest.raises(LifecycleError, match=r"what is played to 'R\.r' has been recorded over or forgotten"):
        model.run(1)


def test_an_array_is_played_from_load_on(ready: Any) -> None:
    other, group = reading(batch=2)
    values = np.arange(24.0).reshape(3, 2, 4)
    playback = other.play(group, "r", values, reverse=True)
    np.testing.assert_array_equal(playback.values, values)
    ready(other).run(2)
    group.vars["own"].pull_from_device()
    np.testing.assert_array_equal(group.vars["own"].view, values[1])
    playback.values = values[:, 0, :] + 100.0  # both copies have the same
    other.run(1)
    group.vars["own"].pull_from_device()
    np.testing.assert_array_equal(group.vars["own"].view, np.broadcast_to(values[2, :1] + 100.0, (2, 4)))
    with pytest.raises(NetworkError, match="must have shape"):
        playback.values = values[..., :3]


def test_who_plays_waits_for_no_run_of_another_thread(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=5)
    other, group = reading()
    playback = other.play(group, "r", recording["x"])
    ready(model).run(5)
    ready(other)
    playback.rewind()
    simulation = model._loaded_simulation()
    simulation._running = True  # as in a run
    try:
        with pytest.raises(LifecycleError, match=r"another thread runs the model 'counting', and 'R\.r' plays"):
            other.run(1)
    finally:
        simulation._running = False
