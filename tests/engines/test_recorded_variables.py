"""Recorded variables are what pulling them after each timestep gives; played ones are the rows, in either direction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn.genn import (
    GeNNModel,
    Recording,
    VarAccess,
    VarAccessMode,
    create_current_source_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)
from snnlearn.network import Record

NOISY = create_neuron_model(
    "Noisy",
    params=["tau"],
    vars=["V", ("number", "uint8_t"), ("wide", "double"), ("above", "bool"), ("still", "int")],
    sim_code="V += (Isyn + 2.0 * gennrand_uniform() - V) * dt / tau; number++; wide = V * 0.1; above = V > 0.8;",
    threshold_condition_code="V >= 1.0",
    reset_code="V = -0.25 * V;",
)
SPLIT = create_neuron_model("Split", vars=["V", ("still", "int")], sim_code="V = 0.9 * V + Isyn;")
QUIET = create_neuron_model("Quiet", vars=["x"], sim_code="x = 0.5 * x + Isyn;")
SIZES = (1, 37, 1100)  # 1100 neurons are more than a strip of the CPU's, and than a block of a GPU's threads lists
STEPS = 40
Pulled = dict[str, list[NDArray[Any]]]


def forward(engine: Any, batch: int, timesteps: int, every: int = 1) -> tuple[GeNNModel, list[Recording]]:
    """Return a network whose populations are all recorded; of the largest the past of V is kept too."""
    model = engine.model("forward", dt=0.5)
    model.batch_size = batch
    start = {"V": 0.5, "number": 0, "wide": 0.0, "above": False, "still": 7}
    noisy = [model.add_neuron_population(f"P{size}", size, NOISY, {"tau": 4.0}, start) for size in SIZES]
    # Code of inputs that draws random numbers is a loop of its own on the CPU, with one of two recorded variables.
    noise = create_current_source_model(
        "Noise",
        neuron_var_refs=[("still", "int", VarAccessMode.READ_ONLY)],
        injection_code="injectCurrent(0.01 * gennrand_normal() * still);",
    )
    split = model.add_neuron_population("Split", 50, SPLIT, {}, {"V": 0.0, "still": 3})
    model.add_current_source("Noise", noise, split, {}, {}, {"still": "still"})
    quiet = model.add_neuron_population("Quiet", 70, QUIET, {}, {"x": 1.0})
    reads = create_weight_update_model(
        "Reads",
        params=["w"],
        pre_neuron_var_refs=["V_pre"],
        pre_spike_syn_code="addToPost(w * V_pre);",
        pre_event_threshold_condition_code="V_pre > 0.5",  # not what spikes are
        pre_event_syn_code="addToPost(0.1 * w);",
    )
    connection = model.add_synapse_population(
        "C",
        "DENSE",
        noisy[-1],
        quiet,
        init_weight_update(reads, {"w": 0.01}, pre_var_refs={"V_pre": "V"}),
        init_postsynaptic("DeltaCurr"),
    )
    connection.axonal_delay_steps = 3
    recordings = [model.record(p, ["V", "number", "wide", "above", "still"], timesteps, every, True) for p in noisy]
    recordings.append(model.record(split, ["V", "still"], timesteps, every))
    return model, [*recordings, model.record(quiet, "x", timesteps, every)]


def pulled(model: GeNNModel, recordings: list[Recording], found: dict[str, Pulled]) -> None:
    """Run a timestep, and keep what is recorded of it, pulled."""
    model.step_time()
    model.pull_recording_buffers_from_device()
    for recording in recordings:
        group: Any = recording.population
        keep = found.setdefault(group.name, {})
        for name in recording.variables:
            group.vars[name].pull_from_device()
            view = group.vars[name].current_view.reshape(model.batch_size, group.num_neurons)
            keep.setdefault(name, []).append(view.copy())
        if group.name.startswith("P"):
            row = np.zeros((model.batch_size, group.num_neurons), np.uint8)
            for copy, (_, ids) in enumerate(group.spike_recording_data):
                row[copy, ids] = 1
            keep.setdefault("spikes", []).append(row)


def assert_rows(recordings: list[Recording], found: dict[str, Pulled], rows: slice) -> None:
    for recording in recordings:
        keep = found[recording.population.name]
        for name in recording.variables:
            expected = np.array(keep[name])[rows]
            assert recording[name].values.dtype == expected.dtype
            np.testing.assert_array_equal(
                recording[name].values, expected, err_msg=f"{recording.population.name} {name}"
            )
        if "spikes" in keep:
            np.testing.assert_array_equal(recording.spikes.values, np.array(keep["spikes"])[rows])


def test_rows_are_what_pulling_each_timestep_gives(engine: Any, start: Any) -> None:
    model, recordings = forward(engine, 2, timesteps=25)
    for population in model.neuron_populations.values():
        population.spike_recording_enabled = True
    start(model, 1)
    found: dict[str, Pulled] = {}
    for _ in range(STEPS):
        pulled(model, recordings, found)
    assert np.array(found["P1100"]["spikes"])[-25:].any(axis=(1, 2)).all(), "there is something to compare"
    assert_rows(recordings, found, slice(-25, None))
    np.testing.assert_array_equal(recordings[0].times, 0.5 * np.arange(STEPS - 25, STEPS))
    np.testing.assert_array_equal(recordings[0]["V"].last(3), np.array(found["P1"]["V"])[-3:])

    # An assignment to the timestep disturbs nothing; a pause leaves timesteps out.
    model.timestep = 1000
    for _ in range(7):
        pulled(model, recordings, found)
    assert recordings[0].written == STEPS + 7
    assert_rows(recordings, found, slice(-25, None))
    np.testing.assert_array_equal(recordings[0].times[-8:], [0.5 * (STEPS - 1), *(0.5 * np.arange(1000, 1007))])
    for recording in recordings:
        recording.enabled = False
    model.run(6)
    for recording in recordings:
        recording.enabled = True
    pulled(model, recordings, found)
    assert_rows(recordings, found, slice(-25, None))
    np.testing.assert_array_equal(recordings[0].times[-2:], [0.5 * 1006, 0.5 * 1013])

    # A window ends by itself, whatever runs after it.
    for recording in recordings:
        recording.start = 1017
    model.run(3)
    assert recordings[0].written == 0
    in_window: dict[str, Pulled] = {}
    for _ in range(25):
        pulled(model, recordings, in_window)
    model.run(100)
    assert recordings[0].written == 25
    assert_rows(recordings, in_window, slice(None))
    np.testing.assert_array_equal(recordings[0].times, 0.5 * np.arange(1017, 1042))


def test_every_third_timestep_is_a_row(engine: Any, start: Any) -> None:
    model, recordings = forward(engine, 1, timesteps=10, every=3)
    for population in model.neuron_populations.values():
        population.spike_recording_enabled = True
    start(model, 1)
    found: dict[str, Pulled] = {}
    for _ in range(20):
        pulled(model, recordings, found)
    assert_rows(recordings, found, slice(9, None, 3))  # rows of timesteps 9, 12, 15 and 18
    np.testing.assert_array_equal(recordings[0].times, 0.5 * np.arange(9, 20, 3))


SENDS = create_weight_update_model(
    "Grows", vars=["w", "x"], pre_spike_syn_code="addToPost(w); w += 0.125;", synapse_dynamics_code="x += 0.25 * w;"
)
CHOSEN: dict[str, dict[str, Any]] = {
    "few": {"neurons": [49, 3, 3, -50]},
    "mask": {"neurons": np.arange(50) % 7 == 1},
    "every third": {"neurons": slice(1, None, 3)},
    "alone": {"neurons": 5},
}


@pytest.mark.few_engines
def test_rows_of_some_neurons_and_synapses_are_what_pulling_gives(engine: Any, start: Any) -> None:
    model = engine.model("some", dt=0.5)
    model.batch_size = 2
    a = model.add_neuron_population(
        "A", 50, NOISY, {"tau": 4.0}, {"V": 0.5, "number": 0, "wide": 0.0, "above": False, "still": 7}
    )
    grows = init_weight_update(SENDS, {}, {"w": 0.01, "x": 0.0})
    sparse = model.add_synapse_population(
        "S", "SPARSE", a, a, grows, init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("FixedProbability", {"prob": 0.1}),
    )  # fmt: skip
    dense = model.add_synapse_population("D", "DENSE", a, a, grows, init_postsynaptic("DeltaCurr"))
    dense.axonal_delay_steps = 3  # the past of V is kept, in slots
    model.record(a, "V", timesteps=10)
    of_neurons = {name: model.record(a, ["V", "number"], 10, **given) for name, given in CHOSEN.items()}
    of_sparse = model.record(sparse, ["w", "x"], 10, synapses=slice(2, 60, 5))
    of_dense = model.record(dense, "x", 20, every=4, synapses=[7, 2499, 0])
    whole = model.record(dense, "w", timesteps=1)
    start(model)

    def rows(variable: Any) -> NDArray[Any]:
        variable.pull_from_device()
        return variable.current_values.reshape(2, -1)

    found: dict[str, list[NDArray[Any]]] = {"V": [], "number": [], "sparse w": [], "sparse x": [], "dense x": []}
    for _ in range(20):
        model.step_time()
        for name in ("V", "number"):
            found[name].append(rows(a.vars[name]))
        for name in "wx":
            found[f"sparse {name}"].append(rows(sparse.vars[name])[:, slice(2, 60, 5)])
        found["dense x"].append(rows(dense.vars["x"])[:, [7, 2499, 0]])
    assert np.ptp(found["sparse w"]) > 0.0
    for name, recording in of_neurons.items():
        chosen = np.arange(50)[CHOSEN[name]["neurons"]].reshape(-1)
        np.testing.assert_array_equal(recording.elements, chosen)
        for variable in ("V", "number"):
            expected = np.array(found[variable])[-10:, :, chosen]
            np.testing.assert_array_equal(recording[variable].values, expected, err_msg=name)
            assert recording[variable].values.dtype == expected.dtype
    for name in "wx":
        np.testing.assert_array_equal(of_sparse[name].values, np.array(found[f"sparse {name}"])[-10:])
    np.testing.assert_array_equal(of_dense.values, np.array(found["dense x"])[::4])
    np.testing.assert_array_equal(of_dense.times, 0.5 * np.arange(0, 20, 4))
    np.testing.assert_array_equal(whole.values[0], rows(dense.vars["w"]))


DERIVED = {
    "vars": ["V", "twice", ("small", "uint8_t")],
    "sim_code": "twice = 2.0 * V; small = V > 1.0 ? 2 : 0; V += 0.1 * id + Isyn;",
}


@pytest.mark.few_engines
def test_what_is_nowhere_but_in_rows_is_computed_where_there_is_one(engine: Any, start: Any, tmp_path: Path) -> None:
    """The rows are those of variables that are kept; where nothing is recorded, neither is there anything to see."""
    quiet = create_neuron_model("Derived", **DERIVED)
    spiking = create_neuron_model(
        "Spiking", **DERIVED, threshold_condition_code="V > 3.0", reset_code="V = 0.0; small += 1;"
    )
    model = engine.model("derived")
    model.batch_size = 2
    found = {}
    for neuron, size in ((quiet, 37), (spiking, 1100)):
        for only in (False, True):
            values = {"V": 0.0, "twice": 0.0, "small": 0}
            group = model.add_neuron_population(f"{neuron.name}{only}", size, neuron, {}, values)
            first = model.record(group, "V", timesteps=8)
            found[neuron.name, only] = first, model._record(group, Record(("twice", "small"), False, 8, only=only))
    start(model)

    def assert_alike() -> None:
        for name in (quiet.name, spiking.name):
            (v, kept), (other, rows) = found[name, False], found[name, True]
            np.testing.assert_array_equal(other["V"].values, v["V"].values)
            for variable in ("twice", "small"):
                assert kept[variable].values.any(), variable
                np.testing.assert_array_equal(rows[variable].values, kept[variable].values, err_msg=variable)

    model.run(13)
    assert_alike()
    for _, recording in found.values():
        recording.enabled = False
    model.run(5)
    for _, recording in found.values():
        recording.enabled = True
    model.run(11)
    assert_alike()

    # Files hold all rows, of which the recordings hold the last eight.
    streams = [recording.stream(tmp_path / f"{n}.npy") for n, (_, recording) in enumerate(found.values())]
    model.run(29)
    assert all(len(np.load(tmp_path / f"{n}.small.npy")) < 29 for n in range(4)), "the newest rows are not in them yet"
    for stream in streams:
        stream.close()
    model.run(1)
    for variable in ("twice", "small"):
        rows = [np.load(tmp_path / f"{n}.{variable}.npy") for n in range(4)]
        for plain, only in (rows[:2], rows[2:]):
            assert plain.any()
            np.testing.assert_array_equal(only, plain, err_msg=variable)
        for values, (_, recording) in zip(rows, found.values(), strict=True):
            assert values.shape == (29, 2, recording.population.num_neurons)
            np.testing.assert_array_equal(values[-7:], recording[variable].values[:7])
    np.testing.assert_array_equal(np.load(tmp_path / "0.times.npy"), 1.0 * np.arange(29, 58))


READER = create_neuron_model(
    "Reader",
    params=["gain"],
    vars=[
        ("V", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("spiked", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("number", "uint8_t", VarAccess.READ_ONLY_DUPLICATE),
        ("given", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        "sum",
        "seen",
    ],
    sim_code="seen = V; sum += gain * (V + given) + 10.0 * spiked + number;",
)


def reader(engine: Any, recordings: list[Recording], given: NDArray[Any], reverse: bool) -> tuple[GeNNModel, Any]:
    """Return a network of its own that plays recordings, and its playbacks."""
    batch = given.shape[1]
    model = engine.model("reader")
    model.batch_size = batch
    playbacks = []
    values = dict.fromkeys(["V", "spiked", "number", "given", "sum", "seen"], 0)
    groups = {}
    for recording, rows in zip(recordings, [given[:, :, :size] for size in SIZES], strict=True):
        size = recording.population.spec.size
        group = groups[size] = model.add_neuron_population(f"R{size}", size, READER, {"gain": 0.5}, values)
        playbacks += [
            model.play(group, "V", recording["V"], reverse),
            model.play(group, "spiked", recording.spikes, reverse, lag=2),
            model.play(group, "number", recording["number"], reverse),
            model.play(group, "given", rows, reverse),
        ]
    # What refers to a variable that is played sees the row of the last timestep.
    sends = create_weight_update_model(
        "Sends", pre_neuron_var_refs=["V_pre"], synapse_dynamics_code="addToPost(V_pre);"
    )
    echo = model.add_neuron_population("Echo", SIZES[1], QUIET, {}, {"x": 0.0})
    one = init_weight_update(sends, pre_var_refs={"V_pre": "V"})
    model.add_synapse_population("E", "DENSE", groups[1], echo, one, init_postsynaptic("DeltaCurr"))
    return model, playbacks


def played_rows(recordings: list[Recording], given: NDArray[Any], reverse: bool, beyond: int) -> list[Pulled]:
    """Return, for each population, what its variables are in each timestep: the rows in order, then zeros."""
    found = []
    for recording in recordings:
        size = recording.population.spec.size
        tracks = {"V": recording["V"].values, "number": recording["number"].values, "spiked": recording.spikes.values}
        tracks["given"] = given[:, :, :size]
        rows = {}
        for name, values in tracks.items():
            ordered = (values[::-1] if reverse else values)[2 if name == "spiked" else 0 :].astype(float)
            rows[name] = list(np.concatenate([ordered, np.zeros((beyond + 2, *values.shape[1:]))]))
        found.append(rows)
    return found


@pytest.mark.parametrize("reverse", [True, False])
def test_another_network_plays_the_rows(engine: Any, start: Any, reverse: bool) -> None:
    batch = 2
    model, recordings = forward(engine, batch, timesteps=25)
    recordings = recordings[: len(SIZES)]
    start(model)
    model.run(STEPS)
    given = np.random.default_rng(1).normal(size=(25, batch, max(SIZES))).astype(np.float32)
    other, playbacks = reader(engine, recordings, given, reverse)
    start(other)
    groups = [other.neuron_populations[f"R{size}"] for size in SIZES]
    echo = other.neuron_populations["Echo"].vars["x"]

    def values(variable: Any) -> NDArray[Any]:
        variable.pull_from_device()
        return variable.view.reshape(batch, -1).astype(float)

    expected = played_rows(recordings, given, reverse, beyond=2)
    for timestep in (0, 5):  # a second pass is like the first, wherever the clock stands
        other.timestep = timestep
        for playback in playbacks:
            playback.rewind(beyond=2)
        for step in range(27):
            sums, heard, sent = [values(g.vars["sum"]) for g in groups], values(echo), values(groups[0].vars["V"])
            other.step_time()
            for group, rows, before in zip(groups, expected, sums, strict=True):
                np.testing.assert_array_equal(values(group.vars["V"]), rows["V"][step])
                np.testing.assert_array_equal(values(group.vars["seen"]), rows["V"][step])
                more = (
                    0.5 * (rows["V"][step] + rows["given"][step]) + 10.0 * rows["spiked"][step] + rows["number"][step]
                )
                np.testing.assert_allclose(values(group.vars["sum"]), before + more, rtol=1e-5)
            np.testing.assert_allclose(values(echo), 0.5 * heard + sent, rtol=1e-5, atol=1e-6)
    assert not any(playback.left for playback in playbacks if not playback.lag)


@pytest.mark.parametrize("reverse", [True, False])
def test_rows_last_for_several_timesteps_and_those_that_are_forgotten_are_zeros(
    engine: Any, start: Any, reverse: bool
) -> None:
    model = engine.model("forward")
    counter = create_neuron_model("Counter", vars=["x"], sim_code="x += 1.0;")
    recording = model.record(model.add_neuron_population("P", 5, counter, {}, {"x": 100.0}), "x", 12, every=3)
    start(model)
    other = engine.model("reader")
    plays = create_neuron_model("Plays", vars=[("x", "scalar", VarAccess.READ_ONLY_DUPLICATE)])
    group = other.add_neuron_population("R", 5, plays, {}, {"x": -1.0})
    playback = other.play(group, "x", recording["x"], reverse)
    start(other)

    def seen(timesteps: int) -> list[float]:
        found = []
        for _ in range(timesteps):
            other.step_time()
            group.vars["x"].pull_from_device()
            assert len(set(group.vars["x"].view)) == 1
            found.append(float(group.vars["x"].view[0]))
        return found

    model.run(20)  # rows are of timesteps 9, 12, 15 and 18; the last has lasted for two timesteps
    playback.rewind(beyond=2)
    assert playback.left == 13
    held = [110.0] * 3 + [113.0] * 3 + [116.0] * 3 + [119.0] * 2
    assert seen(13) == [*(reversed(held) if reverse else held), 0.0, 0.0]
    playback.rewind(skip=4)
    assert playback.left == 7
    assert seen(7) == [*(reversed(held) if reverse else held)][4:]
    recording.clear()
    model.run(5)
    assert recording.written == 5
    playback.rewind(beyond=3)
    held = [121.0] * 3 + [124.0] * 2
    assert seen(8) == [*(reversed(held) if reverse else held), 0.0, 0.0, 0.0]


def test_what_engines_put_off_sees_each_row(engine: Any, start: Any) -> None:
    """Sums over synapses of products with a played variable, which no recurrence of its neurons foretells."""
    steps = 100
    rows = np.random.default_rng(2).normal(size=(steps, 8)).astype(np.float32)
    # A neuron that hardly ever spikes: in the blocks where it does not, sums might be taken in closed form.
    pre = create_neuron_model(
        "Pre",
        vars=[("V", "scalar", VarAccess.READ_ONLY_DUPLICATE), "filtered"],
        sim_code="filtered = 0.5 * filtered + V;",
        threshold_condition_code="V > 100.0",
    )
    sums = create_weight_update_model(
        "Sums",
        vars=["m", "n"],
        pre_neuron_var_refs=["V_pre", "filtered_pre"],
        post_neuron_var_refs=["x_post"],
        synapse_dynamics_code="m += V_pre * x_post; n += filtered_pre * x_post;",
    )
    model = engine.model("sums")
    source = model.add_neuron_population("Pre", 8, pre, {}, {"V": 0.0, "filtered": 0.0})
    target = model.add_neuron_population("Post", 16, QUIET, {}, {"x": np.arange(1.0, 17.0)})
    for name, variables in (("A", ["V", "V"]), ("B", ["filtered", "V"])):
        refs = {"V_pre": create_var_ref(source, variables[1]), "filtered_pre": create_var_ref(source, variables[0])}
        made = init_weight_update(
            sums, {}, {"m": 0.0, "n": 0.0}, pre_var_refs=refs, post_var_refs={"x_post": create_var_ref(target, "x")}
        )
        model.add_synapse_population(name, "DENSE", source, target, made, init_postsynaptic("DeltaCurr"))
    model.play(source, "V", rows)
    start(model)
    model.run(steps)
    x = np.outer(0.5 ** np.arange(1, steps), np.arange(1.0, 17.0))  # as the next timestep's synapses see it
    filtered = np.zeros_like(rows, dtype=float)
    for step in range(steps):
        filtered[step] = (0.5 * filtered[step - 1] if step else 0.0) + rows[step]
    plain, traced = rows[:-1].T.astype(float) @ x, filtered[:-1].T @ x
    for group, name, expected in (("A", "m", plain), ("A", "n", plain), ("B", "m", plain), ("B", "n", traced)):
        variable = model.synapse_populations[group].vars[name]
        variable.pull_from_device()
        np.testing.assert_allclose(variable.view.reshape(8, 16), expected, rtol=1e-4, atol=1e-3)
