"""A checkpoint that is not as it was written: every damage is one error, and no value ends the process."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.errors import CheckpointError, SnnlearnError, TrainingError, TrainingWarning
from snnlearn.models import SourceReset
from snnlearn.training import Learner, Mean, TrainedConnection
from snnlearn.training.archive import read_archive, write_archive
from snnlearn.training.checkpoint import Checkpoint


class Spikes(Mean):
    """How many of the output neurons have spiked in the last timestep."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def of_trial(self, data: Any, index: int) -> float:
        self.output.vars["V"].pull_from_device()
        return float(np.nan_to_num(self.output.vars["V"].view, posinf=1.0, neginf=1.0).mean() / 1e30)


def make() -> Learner:
    """Return a learner of a network with whatever a state has: sparse rows, columns, queues, parts of arrays."""
    model = genn.GeNNModel("float", "whatever_a_state_has", threads=1)
    model.seed, model.dt = 1, 1.0
    source = model.add_neuron_population(
        "Source", 4, "SpikeSourceArray", {}, {"startSpike": [0, 2, 4, 6], "endSpike": [2, 4, 6, 8]}
    )
    source.extra_global_params["spikeTimes"].set_init_values([1.0, 5.0] * 4)
    reset = genn.create_var_ref(source, "startSpike")
    model.add_custom_update(
        "reset", "Reset", SourceReset, {}, {"firstSpike": np.arange(0, 8, 2)}, {"startSpike": reset}
    )
    lif = {"C": 1.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.2, "TauRefrac": 2.0}
    output = model.add_neuron_population("Output", 6, "LIF", lif, {"V": 0.0, "RefracTime": 0.0})
    learning = genn.create_weight_update_model(
        "learning",
        vars=["w", "m", ("d", "uint8_t")],
        pre_spike_syn_code="addToPostDelay(w, d); m += 0.1;",
        post_spike_syn_code="m -= 0.2 * w;",
    )
    start = {"w": genn.init_var("Uniform", {"min": 0.0, "max": 1.0}), "m": 0.0, "d": 3}
    synapses = model.add_synapse_population(
        "S", "SPARSE", source, output, genn.init_weight_update(learning, {}, start),
        genn.init_postsynaptic("ExpCurr", {"tau": 5.0}),
        genn.init_sparse_connectivity("FixedProbability", {"prob": 0.7}),
    )  # fmt: skip
    synapses.axonal_delay_steps, synapses.max_dendritic_delay_timesteps = 3, 5
    return Learner(
        genn, model, [TrainedConnection(synapses, bounds=(-5, 5))], trial_timesteps=12, update_timesteps=12,
        loss=Spikes(output), metrics=[Spikes(output)], reset_groups=["Reset"], quiet=True, optimisers=["Adam"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Learner, Path]:
    """A learner after three trials, and its checkpoint."""
    learner = make()
    learner.fit(3, 0.01, "Adam")
    return learner, learner.save(tmp_path_factory.mktemp("saved") / "one")


def test_each_bit_counts(saved: tuple[Learner, Path], tmp_path: Path) -> None:
    data, bits = saved[1].read_bytes(), random.Random(1)
    places = [*range(0, len(data), len(data) // 100), *range(len(data) - 150, len(data))]
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << bits.randrange(8)
        (tmp_path / "bad.npz").write_bytes(flipped)
        with pytest.raises(CheckpointError):
            Checkpoint.read(tmp_path / "bad.npz")
    for length in (0, 1, 30, len(data) // 2, len(data) - 1):
        (tmp_path / "bad.npz").write_bytes(data[:length])
        with pytest.raises(CheckpointError, match="no checkpoint, or is damaged"):
            Checkpoint.read(tmp_path / "bad.npz")


def test_sizes_are_checked_before_they_are_believed(saved: tuple[Learner, Path], tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.npz"
    np.savez_compressed(bomb, progress=np.array("{}"), x=np.zeros(10_000_000))
    with pytest.raises(CheckpointError, match="damaged"):
        Checkpoint.read(bomb)
    lie = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    lie += b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("progress.npy", lie)
    with pytest.raises(CheckpointError, match="damaged"):
        Checkpoint.read(bomb)
    os.mkfifo(tmp_path / "fifo.npz")
    for file in (tmp_path / "fifo.npz", Path("/dev/zero").with_suffix(""), tmp_path):
        with pytest.raises(CheckpointError):
            read_archive(file)


def test_pickles_and_objects_are_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", progress=np.array("{}"), x=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="damaged"):
        Checkpoint.read(tmp_path / "objects.npz")


def test_texts_are_of_characters(tmp_path: Path) -> None:
    # One beyond the last: Python's strings of it end in a SystemError.
    text = np.array([ord(c) for c in '{"a": "b?"}'], dtype=np.uint32)
    text[8] = 0x110000
    write_archive(tmp_path / "characters.npz", {"progress": text.view(f"U{len(text)}").reshape(())})
    with pytest.raises(CheckpointError, match="damaged"):
        Checkpoint.read(tmp_path / "characters.npz")


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("Source.spikes", 0, 4, r"Source\.spikes\[0\] is 4, and can be 3 at most"),
        ("Output.spike_count", 0, 7, r"Output\.spike_count\[0\] is 7, and can be 6"),
        ("Source.queue", 0, 4, r"Source\.queue\[0\] is 4, and can be 3"),
        ("S.den_queue", 0, 6, r"S\.den_queue\[0\] is 6, and can be 5"),
        ("S.row_length", 2, 7, r"S\.row_length\[2\] is 7, and can be 6"),
        ("S.ind", 1, 6, r"S\.ind\[1\] is 6, and can be 5"),
        ("Source.own.endSpike", 3, 9, r"neuron 3's part of an array, 'spikeTimes\[\d:9\]' .* is not in the array"),
    ],
)
def test_counts_and_indices_are_in_range(
    name: str, place: int, value: int, message: str, saved: tuple[Learner, Path], tmp_path: Path
) -> None:
    learner, file = saved
    learner.load(file)
    before = learner.model.state()
    checkpoint = Checkpoint.read(file)
    arrays = {key: array.copy() for key, array in checkpoint.arrays.items()}
    arrays[name][place] = value
    bad = dataclasses.replace(checkpoint, arrays=arrays).write(tmp_path / "bad")
    with pytest.raises(CheckpointError, match=message):
        learner.load(bad)
    assert all(np.array_equal(before[key], array, equal_nan=True) for key, array in learner.model.state().items())
    assert learner.runner.trial == 3


def test_nan_is_said(saved: tuple[Learner, Path], tmp_path: Path) -> None:
    checkpoint = Checkpoint.read(saved[1])
    arrays = {key: array.copy() for key, array in checkpoint.arrays.items()}
    arrays["Output.own.V"][2:4] = math.nan
    with pytest.warns(TrainingWarning, match=r"holds NaN: 2 of 6 values of Output\.own\.V$"):
        saved[0].load(dataclasses.replace(checkpoint, arrays=arrays).write(tmp_path / "nan"))


def test_weights_alone(saved: tuple[Learner, Path], tmp_path: Path) -> None:
    other = make()
    other.fit(1, 0.5, "Adam")
    other.load(saved[1], weights_only=True)
    there = Checkpoint.read(saved[1]).arrays
    np.testing.assert_array_equal(other.model.state()["S.synapse.w"], there["S.synapse.w"])
    assert other.runner.trial == 1
    assert not np.array_equal(other.model.state()["Adam_S.own.mean"], there["Adam_S.own.mean"])
    without = dataclasses.replace(Checkpoint.read(saved[1]), arrays={"T.synapse.w": there["S.synapse.w"]})
    with pytest.raises(TrainingError, match=r"no weights 'S\.synapse\.w'; it has: T\.synapse\.w"):
        other.load(without, weights_only=True)
    bad = {**there, "S.synapse.w": np.full_like(there["S.synapse.w"], np.nan)}
    with pytest.raises(CheckpointError, match="not all finite"):
        other.load(dataclasses.replace(without, arrays=bad), weights_only=True)
    np.testing.assert_array_equal(other.model.state()["S.synapse.w"], there["S.synapse.w"])


# ---- any value, with a digest that fits ----

_NUMBERS = (0, 1, -1, 2, 3, 5, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, 2**63, -(2**63), 10**400, 0.5, math.nan)
_VALUES = (*_NUMBERS, math.inf, -math.inf, 1e308, None, True, "", "x" * 1000, [], {}, [[]], {"a": 1})


def mutate_plain(values: Any, chance: random.Random) -> Any:
    """Return plain values of which one is another, or is gone."""
    if isinstance(values, dict) and values and chance.random() < 0.9:
        key = chance.choice(sorted(values))
        if chance.random() < 0.05:
            return {k: v for k, v in values.items() if k != key}
        return {**values, key: mutate_plain(values[key], chance)}
    if isinstance(values, list) and values and chance.random() < 0.9:
        place = chance.randrange(len(values))
        if chance.random() < 0.1:
            return values[:place] + values[place + 1 :] * chance.randrange(3)
        return [*values[:place], mutate_plain(values[place], chance), *values[place + 1 :]]
    return chance.choice(_VALUES)


def mutate_array(array: np.ndarray, chance: random.Random) -> np.ndarray:
    """Return an array of which some bytes are others."""
    data = bytearray(np.ascontiguousarray(array).tobytes())
    for _ in range(chance.choice((1, 1, 2, 8, len(data)))):
        if data:
            data[chance.randrange(len(data))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    return np.frombuffer(bytes(data), array.dtype).reshape(array.shape)


def check_mutations(saved: tuple[Learner, Path], number: int, seed: int, tmp_path: Path) -> None:
    """Load mutated checkpoints; what is loaded can be run."""
    learner, file = saved
    whole, chance, loaded = Checkpoint.read(file), random.Random(seed), 0
    for n in range(number):
        # Most of a description is compared, and refused; what is behind that is to be reached too.
        parts = [part for part in whole.progress if part not in ("fingerprint", "format") or n % 10 == 0]
        if chance.random() < 0.5:
            key = chance.choice(parts)
            changed = dataclasses.replace(
                whole, progress={**whole.progress, key: mutate_plain(whole.progress[key], chance)}
            )
        else:
            key = chance.choice(list(whole.arrays))
            changed = dataclasses.replace(whole, arrays={**whole.arrays, key: mutate_array(whole.arrays[key], chance)})
        text = json.dumps({"format": 2, **changed.progress})
        write_archive(
            tmp_path / "mutated.npz",
            {"progress": np.array(text), **{f"array/{k}": v for k, v in changed.arrays.items()}},
        )
        try:
            learner.load(tmp_path / "mutated.npz", force=n % 3 == 0)
            loaded += 1
            learner.fit(1, 0.01, "Adam")
        except SnnlearnError:
            pass
    assert loaded > number // 20, "most are refused, but not all"


@pytest.mark.filterwarnings("ignore")
def test_no_value_ends_the_process(saved: tuple[Learner, Path], tmp_path: Path) -> None:
    check_mutations(saved, 120, 1, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_none_of_very_many_values_ends_the_process(
    saved: tuple[Learner, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)  # no power cut is waited for
    check_mutations(saved, 100_000, 2, tmp_path)
