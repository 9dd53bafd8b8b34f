"""Recordings of variables, what plays them, and checkpoints: what can be asked for when, and what is said otherwise."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import DialectError, LifecycleError, NetworkError, SnnlearnError
from snnlearn.genn import GeNNModel, VarAccess, create_neuron_model

COUNTER = create_neuron_model(
    "Counter",
    vars=["x", ("flag", "uint8_t"), ("shared", "scalar", VarAccess.READ_ONLY_SHARED_NEURON)],
    sim_code="x += 1.0; flag = 1;",
)
SPIKING = create_neuron_model("Spiking", vars=["V"], sim_code="V += 1.0;", threshold_condition_code="V > 2.0")
READER = create_neuron_model(
    "Reader",
    vars=[
        ("r", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("alike", "scalar", VarAccess.READ_ONLY),
        ("small", "uint8_t", VarAccess.READ_ONLY_DUPLICATE),
        "own",
    ],
    sim_code="own = r;",
)
START = {"x": 0.0, "flag": 0, "shared": 1.0}
READS = {"r": 0.0, "alike": 0.0, "small": 0, "own": 0.0}


def counting(batch: int = 1, **given: Any) -> tuple[GeNNModel, Any]:
    model = GeNNModel("float", "counting", threads=1, **given)
    model.batch_size = batch
    return model, model.add_neuron_population("P", 4, COUNTER, {}, START)


def reading(size: int = 4, batch: int = 1) -> tuple[GeNNModel, Any]:
    model = GeNNModel("float", "reading", threads=1)
    model.batch_size = batch
    return model, model.add_neuron_population("R", size, READER, {}, READS)


@pytest.fixture
def ready() -> Iterator[Callable[[GeNNModel], GeNNModel]]:
    """Build and load a model; it is unloaded after the test."""
    made = []

    def load(model: GeNNModel) -> GeNNModel:
        model.build()
        model.load()
        made.append(model)
        return model

    yield load
    for model in made:
        if model._loaded:
            model.unload()


# ---- what can be recorded ----


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"variables": "y"}, "neuron population 'P' has no variable 'y' to record; known: flag, shared, x"),
        ({"variables": "spikes"}, "no variable 'spikes' to record; spikes=True records spikes"),
        ({"variables": ["x", "x"]}, "variable 'x' is recorded twice"),
        ({"variables": "shared"}, "variable 'shared' has one value for all neurons"),
        ({}, "a recording needs names of variables, or spikes=True"),
        ({"spikes": True}, "spikes cannot be recorded: model 'Counter' has no threshold_condition_code"),
        ({"variables": "x", "timesteps": 0}, "timesteps must be a positive integer, not 0"),
        ({"variables": "x", "every": 1.5}, "every must be a positive integer, not 1.5"),
        ({"variables": "x", "every": 2**32}, r"every must be below 2\*\*32"),
        ({"variables": "x", "start": -1}, "start must be an integer of at least 0, not -1"),
    ],
)
def test_what_cannot_be_recorded(record: dict[str, Any], message: str) -> None:
    model, population = counting()
    with pytest.raises(NetworkError, match=message):
        model.record(population, **record)
    assert model.record(population, "x")["x"].dtype == np.float32, "the model is as it was before"


def test_a_variable_is_recorded_once() -> None:
    model, population = counting()
    model.record(population, "x")
    with pytest.raises(NetworkError, match="variable 'x' is recorded twice; once is enough for all readers"):
        model.record(population, ["flag", "x"])
    spiking = model.add_neuron_population("S", 4, SPIKING, {}, {"V": 0.0})
    model.record(spiking, spikes=True)
    with pytest.raises(NetworkError, match="its spikes are recorded twice"):
        model.record(spiking, "V", spikes=True)


def test_a_recording_is_of_this_model_and_asked_for_before_it_is_built(ready: Any) -> None:
    model, population = counting()
    other, _ = reading()
    with pytest.raises(NetworkError, match="'P' is no neuron population of this model"):
        other.record(population, "x")
    recording = model.record(population, "x", timesteps=5)
    with pytest.raises(NetworkError, match="the recording of 'P' has no variable 'flag'"):
        _ = recording["flag"]
    with pytest.raises(NetworkError, match=r"has no spikes: record\(..., spikes=True\)"):
        _ = recording.spikes
    assert list(recording) == ["x"]
    ready(model)
    with pytest.raises(LifecycleError, match="the model is built already: too late for what is recorded"):
        model.record(population, "flag")


def test_the_number_of_timesteps_can_change_until_load(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, ["x", "flag"], timesteps=5)
    model.build()
    source = model.source()
    recording.timesteps = 3
    model.load()
    assert model.source() == source
    model.run(7)
    np.testing.assert_array_equal(recording["x"].values[:, 0, 0], [5, 6, 7])
    assert recording.nbytes == 4 * 4 * (4 + 1), "three rows and one of zeros"
    with pytest.raises(LifecycleError, match="timesteps can be changed before load"):
        recording.timesteps = 4
    model.unload()
    recording.timesteps = 2
    model.load()
    model.run(2)
    np.testing.assert_array_equal(recording["x"].values[:, 0, 0], [1, 2])
    model.unload()


def test_what_does_not_fit_into_memory_is_refused_with_the_bytes_it_needs() -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=10**15)
    model.build()
    needed = f"{(10**15 + 1) * 16:,}"
    assert recording.nbytes == (10**15 + 1) * 16
    with pytest.raises(NetworkError, match=f"the recordings of variables would take {needed} bytes"):
        model.load()
    assert not model._loaded
    recording.timesteps = 65
    model.keep_checkpoints(10**15, every=64)
    with pytest.raises(NetworkError, match=r"the checkpoints would take [\d,]+ bytes"):
        model.load()
    assert not model._loaded


# ---- when it can be read ----


def test_a_recording_is_read_once_it_is_full(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=10)
    read: list[Callable[[], Any]] = [
        lambda: recording["x"].values,
        lambda: recording.times,
        lambda: recording["x"].last(1),
        lambda: recording.written,
        recording.clear,
    ]
    for unloaded in read:
        with pytest.raises(LifecycleError, match="the model is not loaded"):
            unloaded()
    ready(model)
    model.run(6)
    for early in read[:2]:
        with pytest.raises(LifecycleError, match=r"'P' holds 10 timesteps and only 6 have been recorded: .*last\(n\)"):
            early()
    np.testing.assert_array_equal(recording["x"].last(2)[:, 0, 3], [5, 6])
    with pytest.raises(LifecycleError, match="the recording of 'P' holds 6 rows, not 7"):
        recording["x"].last(7)
    with pytest.raises(NetworkError, match="the number of rows must be an integer of at least 0"):
        recording["x"].last(-1)
    model.run(6)
    values = recording["x"].values
    np.testing.assert_array_equal(values[:, 0, 0], np.arange(3, 13))
    model.run(1)
    np.testing.assert_array_equal(values[:, 0, 0], np.arange(3, 13)), "a copy"
    model.unload()
    for unloaded in read:
        with pytest.raises(LifecycleError, match="the model is not loaded"):
            unloaded()


def test_settings_are_kept_for_the_next_load(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=2, start=3)
    recording.enabled = False
    ready(model)
    model.run(4)
    assert (recording.written, recording.start, recording.enabled) == (0, 3, False)
    recording.enabled = True  # one timestep of its window has passed: it begins with the next
    model.run(10)
    np.testing.assert_array_equal(recording["x"].values[:, 0, 0], [5, 6])
    np.testing.assert_array_equal(recording.times, [4 * model.dt, 5 * model.dt])
    recording.start = None
    model.run(10)
    assert recording.written == 10


def test_states_are_without_recordings(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=3)
    ready(model)
    plain, _ = counting()
    ready(plain)
    assert model.state().keys() == plain.state().keys()
    model.run(2)
    state = model.state()
    model.run(2)
    model.set_state(state)
    model.run(1)
    np.testing.assert_array_equal(recording["x"].values[:, 0, 0], [3, 4, 3]), "what has run, in order"


# ---- what can be played ----


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
    recording.start = 6
    model.run(1)
    assert own() == 3.0


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


# ---- checkpoints ----


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
    with pytest.raises(
        NetworkError, match="'P' holds 11 timesteps, every 1: checkpoints every 10 with an overlap of 2"
    ):
        model.load()
    assert not model._loaded
    recording.timesteps = 12
    model.load()
    assert checkpoints.nbytes == 10 * (2 * 64 + 2 * 16), "x and flag, each on a cache line, and two rows of x"
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
