"""Recordings of variables: what can be asked for when, and what is said otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kept_networks import SPIKING, counting, reading
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn import (
    GeNNModel,
    create_weight_update_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)
from snnlearn.io import rows
from snnlearn.meta import extract_state, recover_state


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
        ({"variables": "x", "neurons": [0, 4]}, "neurons has the index 4; they go from 0 to 3"),
        ({"variables": "x", "neurons": -5}, "neurons has the index -5; they go from 0 to 3"),
        ({"variables": "x", "neurons": []}, "neurons takes a slice or indices"),
        ({"variables": "x", "neurons": slice(2, 2)}, "neurons is empty"),
        ({"variables": "x", "neurons": slice("a")}, "neurons takes a slice or indices, not slice"),
        ({"variables": "x", "neurons": [0.5]}, "neurons takes a slice or indices, not"),
        ({"variables": "x", "neurons": [True, False]}, "neurons takes a slice or indices, not"),
        ({"variables": "x", "synapses": [0]}, "it is of neurons: give neurons="),
    ],
)
def test_what_cannot_be_recorded(record: dict[str, Any], message: str) -> None:
    model, population = counting()
    with pytest.raises(NetworkError, match=message):
        model.record(population, **record)
    assert model.record(population, "x")["x"].dtype == np.float32, "the model is as it was before"


def connected(matrix_type: str = "DENSE") -> tuple[GeNNModel, Any]:
    """Return a model with a connection that has a variable for each synapse."""
    model, population = counting()
    send = create_weight_update_model("Send", vars=["w"], pre_spike_syn_code="addToPost(w);")
    given = init_weight_update(send, {}, {"w": 1.0})
    made = {} if matrix_type == "DENSE" else {"connectivity_init": init_sparse_connectivity("OneToOne")}
    psm = init_postsynaptic("DeltaCurr")
    spiking = model.add_neuron_population("S", 4, SPIKING, {}, {"V": 0.0})
    return model, model.add_synapse_population("C", matrix_type, spiking, population, given, psm, **made)


@pytest.mark.parametrize(
    ("matrix_type", "record", "message"),
    [
        ("DENSE", {"variables": "v"}, "synapse population 'C' has no variable of synapses 'v'"),
        ("DENSE", {"spikes": True, "variables": "w"}, "spikes are recorded of all neurons"),
        ("DENSE", {}, "a recording of synapses needs names of variables"),
        ("DENSE", {"variables": "w", "synapses": [16]}, "synapses has the index 16; they go from 0 to 15"),
        ("DENSE", {"variables": "w", "neurons": [1]}, "it is of synapses: give synapses="),
        ("SPARSE", {"variables": "w"}, "known only once the model is loaded: give synapses="),
        ("SPARSE", {"variables": "w", "synapses": slice(2, None)}, r"give a slice that says where it ends"),
        ("SPARSE", {"variables": "w", "synapses": [-1]}, "synapses has the index -1"),
    ],
)
def test_what_cannot_be_recorded_of_synapses(matrix_type: str, record: dict[str, Any], message: str) -> None:
    model, connection = connected(matrix_type)
    with pytest.raises(NetworkError, match=message):
        model.record(connection, **record)
    assert model.record(connection, "w", synapses=[0])["w"].dtype == np.float32, "the model is as it was before"


def test_synapses_that_are_not_there_are_found_before_anything_runs() -> None:
    model, connection = connected("SPARSE")
    model.record(connection, "w", synapses=slice(0, 6))
    model.build()
    with pytest.raises(NetworkError, match="the recording of 'C': there is no synapse 5: the connection has 4"):
        model.load()
    assert not model._loaded


def test_a_recording_of_one_variable_has_values(ready: Any) -> None:
    model, population = counting()
    recording = model.record(population, ["x", "flag"], timesteps=2)
    with pytest.raises(NetworkError, match=r"is of x, flag: recording\['x'\].values are those of one"):
        _ = recording.values
    alone = model.record(population, "x", timesteps=2, neurons=slice(2))
    assert alone.nbytes == 3 * 2 * 4
    ready(model)
    model.run(3)
    np.testing.assert_array_equal(alone.values[:, 0], [[2, 2], [3, 3]])


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


def test_a_stream_ends_with_the_model(ready: Any, tmp_path: Path) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=4)
    with pytest.raises(LifecycleError, match="the model is not loaded"):
        recording.stream(tmp_path / "x.npy")
    ready(model)
    model.run(3)
    stream = recording.stream(tmp_path / "x.npy")
    with pytest.raises(LifecycleError, match="streamed already: close that stream first"):
        recording.stream(tmp_path / "y.npy")
    model.run(2)
    model.timestep = 100
    model.run(1)
    recording.enabled = False
    model.run(10)
    recording.enabled = True
    model.run(4)
    recording.clear()  # which forgets no row that is to be in the file
    state = extract_state(model)
    model.run(2)
    recover_state(model, state)
    model.run(1)
    model.unload()
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy")[:, 0, 0], [4, 5, 6, 17, 18, 19, 20, 21, 22, 21])
    timesteps = np.array([3, 4, 100, 111, 112, 113, 114, 115, 116, 115])
    np.testing.assert_array_equal(np.load(tmp_path / "x.times.npy"), model.dt * timesteps)
    with pytest.raises(LifecycleError):
        stream.close()


@pytest.mark.parametrize("calls", range(1, 4))
def test_ctrl_c_within_a_stream_repeats_no_row(
    calls: int, ready: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=4)
    ready(model)
    write, left = rows._Npy._write_header, [calls]

    def interrupted(file: Any, name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        write(file, name)

    stream = recording.stream(tmp_path / "x.npy")
    monkeypatch.setattr(rows._Npy, "_write_header", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.run(30)
    stream.close()
    found = np.load(tmp_path / "x.npy")[:, 0, 0]
    np.testing.assert_array_equal(found, 1 + np.arange(len(found)))
    np.testing.assert_array_equal(np.load(tmp_path / "x.times.npy"), model.dt * np.arange(len(found)))


def test_a_stream_of_a_window(ready: Any, tmp_path: Path) -> None:
    model, population = counting()
    recording = model.record(population, "x", timesteps=4, start=3)
    ready(model)
    with recording.stream(tmp_path / "x.npy"):
        model.run(30)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy")[:, 0, 0], [4, 5, 6, 7])
    np.testing.assert_array_equal(np.load(tmp_path / "x.times.npy"), model.dt * np.arange(3, 7))


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


def test_what_the_page_says_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "genn.md").read_text(encoding="utf-8")
    section = page.split("## Recording variables")[1].split("\n## ")[0]
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(block, names)
    assert names["recording"]["V"].values.shape == (500, 1, 100)
    assert names["recording"].spikes.values.any()
    values = names["recording"]["V"].values[::-1, 0, 0].astype(float)
    names["reader"].vars["sum"].pull_from_device()
    expected = np.sum(values * 0.9 ** np.arange(500)[::-1])
    np.testing.assert_allclose(names["reader"].vars["sum"].view, expected, rtol=1e-5)
