"""Blocks that are computed again from checkpoints are what was recorded, and leave no trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn.errors import LifecycleError
from snnlearn.genn import (
    Checkpoints,
    GeNNModel,
    Recording,
    VarAccess,
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)

NEURON = create_neuron_model(
    "Noisy",
    params=["tau"],
    vars=["V", ("spent", "uint8_t"), "unrelated"],
    sim_code="V += (Isyn + 2.5 * gennrand_uniform() - V) * dt / tau; spent = V > 0.9;",
    threshold_condition_code="V >= 1.0",
    reset_code="V = -0.5 * V;",
)
# Its sums follow from the neurons, and nothing follows from them: engines put it off. They are in no matrix form, where
# the last digits follow from where blocks end.
SUMS = create_weight_update_model(
    "Sums",
    vars=["w", "m"],
    pre_vars=["z"],
    post_neuron_var_refs=["V_post"],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="z *= 0.9;",
    synapse_dynamics_code="m += fabs(z * V_post);",
)
PULSE = create_weight_update_model("Pulse", vars=["w"], pre_spike_syn_code="addToPostDelay(w, 3);")
NUDGE = create_custom_update_model("Nudge", var_refs=["x"], update_code="x += 0.25;")
STEPS, EVERY, OVERLAP = 150, 64, 2


def network(engine: Any, batch: int, kept: bool) -> tuple[GeNNModel, list[Recording], Checkpoints | None]:
    """Return a recurrent network with delays, and recordings of all timesteps or, with checkpoints, of a block."""
    model = engine.model("checkpoints", dt=0.5)
    model.batch_size = batch
    start = {"V": 0.0, "spent": 0, "unrelated": 1.0}
    a = model.add_neuron_population("A", 40, NEURON, {"tau": 4.0}, start)
    b = model.add_neuron_population("B", 100, NEURON, {"tau": 3.0}, start)
    for population in (a, b):
        population.spike_recording_enabled = True
    refs = {"V_post": create_var_ref(b, "V")}
    sums = init_weight_update(SUMS, {}, {"w": 0.1, "m": 0.0}, {"z": 0.0}, {}, {}, refs)
    model.add_synapse_population("AB", "DENSE", a, b, sums, init_postsynaptic("ExpCurr", {"tau": 2.0}))
    back = model.add_synapse_population(
        "BA",
        "SPARSE",
        b,
        a,
        init_weight_update(PULSE, {}, {"w": -0.2}),
        init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("FixedProbability", {"prob": 0.2}),
    )
    back.axonal_delay_steps, back.max_dendritic_delay_timesteps = 2, 5
    for name, variable in (("V", "V"), ("unrelated", "unrelated")):
        model.add_custom_update(f"nudge_{name}", f"Nudge{name}", NUDGE, {}, {}, {"x": create_var_ref(a, variable)})
    length = EVERY + OVERLAP if kept else STEPS
    recordings = [model.record(population, ["V", "spent"], length, spikes=True) for population in (a, b)]
    model.record(b, "V", STEPS, every=7, neurons=[99, 3])  # which computing again leaves alone
    return model, recordings, model.keep_checkpoints(STEPS, EVERY, OVERLAP) if kept else None


def rows(recordings: list[Recording], number: int) -> list[NDArray[Any]]:
    return [track.last(number) for r in recordings for track in (r["V"], r["spent"], r.spikes)]


def assert_equal(found: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_blocks_are_what_was_recorded(engine: Any, start: Any) -> None:
    reference, all_of_them, _ = network(engine, 2, kept=False)
    start(reference, STEPS)
    model, recordings, checkpoints = network(engine, 2, kept=True)
    assert checkpoints is not None
    start(model, 40)  # so that blocks, computed again, would be recorded over later ones
    for window in range(2):
        reference.run(10)
        model.run(10)
        model.custom_update("NudgeV")
        reference.custom_update("NudgeV")
        checkpoints.begin()
        for timesteps in (70, 1, 79):  # wherever runs end
            reference.run(timesteps)
            model.run(timesteps)
            if window and timesteps == 70:  # what is changed in the middle of a block begins another
                reference.custom_update("NudgeV")
                model.custom_update("NudgeV")
        expected = rows(all_of_them, STEPS)
        assert expected[2].any()
        assert expected[5].any()
        before = model.state()
        assert_equal(
            {k: v for k, v in before.items() if "recording" not in k},
            {k: v for k, v in reference.state().items() if "recording" not in k},
        )
        latest = rows(recordings, EVERY)
        seldom, all_of_seldom = (m.neuron_populations["B"]._kept[-1] for m in (model, reference))
        few, seen = seldom["V"].last(20), []
        np.testing.assert_array_equal(few, all_of_seldom["V"].last(20))
        for block in checkpoints.backwards():
            begin = block.first - (10 + window * (STEPS + 10))
            seen.append((begin, block.timesteps))
            overlap = min(OVERLAP, begin)
            for found, values in zip(rows(recordings, block.timesteps + overlap), expected, strict=True):
                np.testing.assert_array_equal(found, values[begin - overlap : begin + block.timesteps])
            np.testing.assert_array_equal(seldom["V"].last(20), few)
            times = recordings[0].times if recordings[0].written >= EVERY + OVERLAP else np.array([])
            np.testing.assert_array_equal(times[-1:], [0.5 * (block.first + block.timesteps - 1)][: len(times)])
        assert seen == ([(134, 16), (70, 64), (64, 6), (0, 64)] if window else [(128, 22), (64, 64), (0, 64)])
        assert model.timestep == reference.timestep
        assert_equal(model.state(), before)
        np.testing.assert_array_equal(seldom["V"].last(20), few)
        for found, values in zip(rows(recordings, EVERY), latest, strict=True):
            np.testing.assert_array_equal(found, values)
    reference.run(30)
    model.run(30)
    model.pull_recording_buffers_from_device()
    for found, values in zip(rows(recordings, 30), rows(all_of_them, 30), strict=True):
        np.testing.assert_array_equal(found, values)


def test_what_has_been_changed_is_not_computed_again(engine: Any, start: Any) -> None:
    model, _, checkpoints = network(engine, 1, kept=True)
    assert checkpoints is not None
    start(model, 40)
    a = model.neuron_populations["A"]

    def push(name: str) -> None:
        variable = a.vars[name]
        variable.pull_from_device()
        variable.view[:] += 0.25
        variable.push_to_device()

    def window(change: Any, first: int, then: int = 30) -> int:
        checkpoints.begin()
        model.run(first)
        change()
        for timesteps in (then, 1):
            model.run(timesteps)
        return len(list(checkpoints.backwards()))

    # What nothing follows from may change; the state may too, and begins another block.
    assert window(lambda: push("unrelated"), 40) == 2
    assert window(lambda: model.custom_update("Nudgeunrelated"), 40) == 2
    assert window(lambda: push("V"), 64) == 2
    checkpoints.begin()
    model.run(40)
    push("V")
    assert len(list(checkpoints.backwards())) == 1
    assert window(lambda: push("V"), 40) == 2
    before = checkpoints.nbytes
    assert window(lambda: [push("V"), model.run(1), push("V"), model.run(1), push("V")], 10, 126) == 5
    assert checkpoints.nbytes > before, "there was room for three snapshots"
    weights = model.synapse_populations["AB"].vars["w"]
    with pytest.raises(LifecycleError, match=r"cannot be computed again: 'AB\.w' was changed before timestep \d+"):
        window(weights.push_to_device, 64)
    with pytest.raises(LifecycleError, match="the timestep was set to 0"):
        window(lambda: setattr(model, "timestep", 0), 64)
    with pytest.raises(LifecycleError, match=f"more than the {STEPS} timesteps that there is room for"):
        window(lambda: None, STEPS)
    checkpoints.begin()
    with pytest.raises(LifecycleError, match=r"there are no timesteps to compute again: call begin\(\), then run"):
        list(checkpoints.backwards())
    model.run(100)
    blocks = checkpoints.backwards()
    next(blocks)
    for refused in (lambda: model.run(1), model.step_time, checkpoints.begin, lambda: list(checkpoints.backwards())):
        with pytest.raises(LifecycleError, match="computes blocks of timesteps again"):
            refused()
    blocks.close()
    model.run(1)


def test_a_recording_that_pauses_does_so_again(engine: Any, start: Any) -> None:
    reference, (_, all_of_them), _ = network(engine, 1, kept=False)
    start(reference, STEPS)
    model, (paused, recording), checkpoints = network(engine, 1, kept=True)
    assert checkpoints is not None
    start(model, STEPS)
    checkpoints.begin()
    for timesteps, enabled in ((EVERY, True), (EVERY, False), (10, True)):
        paused.enabled = enabled
        model.run(timesteps)
        reference.run(timesteps)
    expected = all_of_them["V"].last(2 * EVERY + 10)
    latest = paused["V"].last(EVERY + OVERLAP)
    for block in checkpoints.backwards():
        begin, end = block.first, block.first + block.timesteps
        np.testing.assert_array_equal(recording["V"].last(block.timesteps), expected[begin:end])
        assert paused.written == min(end, EVERY) + max(end - 2 * EVERY, 0)
    np.testing.assert_array_equal(paused["V"].last(EVERY + OVERLAP), latest)
    assert paused.written == EVERY + 10


def test_an_adjoint_plays_block_after_block(engine: Any, start: Any) -> None:
    """In reverse, across the borders of blocks, with a lag: the same as from rows of all timesteps."""
    reader = create_neuron_model(
        "Reader",
        vars=[(name, "scalar", VarAccess.READ_ONLY_DUPLICATE) for name in ("V", "spiked")] + ["x"],
        sim_code="x = 0.9 * x + V * (1.0 - spiked);",
    )
    found = []
    for kept in (False, True):
        model, recordings, checkpoints = network(engine, 2, kept)
        start(model, STEPS)
        other = engine.model("adjoint")
        other.batch_size = 2
        group = other.add_neuron_population("R", 40, reader, {}, {"V": 0.0, "spiked": 0.0, "x": 0.0})
        playbacks = [
            other.play(group, "V", recordings[0]["V"], reverse=True),
            other.play(group, "spiked", recordings[0].spikes, reverse=True, lag=OVERLAP),
        ]
        start(other)
        if checkpoints is not None:
            checkpoints.begin()
        model.run(STEPS)
        for timesteps in [STEPS] if checkpoints is None else (b.timesteps for b in checkpoints.backwards()):
            for playback in playbacks:
                playback.rewind()
            other.run(timesteps)
        group.vars["x"].pull_from_device()
        found.append(group.vars["x"].values)
    assert found[0].any()
    np.testing.assert_array_equal(found[1], found[0])
