"""Reading and writing ``.ras`` files, and the spike trains they become."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snnlearn.errors import SnnlearnError, TargetError, TargetWarning
from snnlearn.io import SpikeTrains, read_ras, write_ras

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "oxford-target.ras"


@pytest.fixture
def ras(tmp_path):
    """Return a function that writes bytes or text to a file and gives its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "some.ras"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_sorts_by_neuron_then_time_and_counts_from_zero(ras):
    trains = read_ras(ras("0.0030 2\n0.001 3\n1e-3\t2\n0 1\n"), 4, 10.0, 1)
    assert trains.ids.tolist() == [0, 1, 1, 2]
    np.testing.assert_array_equal(trains.times, [0.0, 1.0, 3.0, 1.0])
    assert (trains.times.dtype, trains.ids.dtype) == (np.float64, np.int64)
    assert trains.start_index.tolist() == [0, 1, 3, 4]
    assert trains.end_index.tolist() == [1, 3, 4, 4]
    assert trains.start_index.dtype == trains.end_index.dtype == np.int64
    assert (trains.num_neurons, trains.num_spikes) == (4, 4)


@pytest.mark.parametrize(
    "content",
    ["# seconds id\n\n0.001 1\n   \n  # more\n0.002 2", "0.001 1\r\n0.002 2\r\n", "\ufeff0.001 1\n0.002 2\n"],
    ids=["comments", "crlf", "byte-order mark"],
)
def test_skips_what_is_not_a_spike(ras, content):
    assert read_ras(ras(content), 2, 10.0).times.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": the file is empty"),
        ("# nothing\n\n", ": the file has no spikes, only comments or blank lines"),
        (b"0.1 1\n\xff\xfe 2\n", ": this is a binary file; a .ras file is lines of text, 'seconds neuron_id'"),
        (b"0.1 1\n\0\n", ": this is a binary file; a .ras file is lines of text, 'seconds neuron_id'"),
        ("0.1 1\n\n0.2\n", ":3: a line must have two columns, 'seconds neuron_id', but this one has 1"),
        ("0.1 1 1\n", ":1: a line must have two columns, 'seconds neuron_id', but this one has 3"),
        ("0.1,1\n", ":1: a line must have two columns, 'seconds neuron_id', but this one has 1"),
        ("abc 1\n", ":1: the time 'abc' is not a number of seconds"),
        ("0_1.0 1\n", ":1: the time '0_1.0' is not a number of seconds"),
        (f"{'x' * 99} 1\n", f":1: the time '{'x' * 37}...' is not a number of seconds"),
        ("0.1 1\n-0.1 1\n", ":2: the time '-0.1' must be finite and not negative"),
        ("nan 1\n", ":1: the time 'nan' must be finite and not negative"),
        ("inf 1\n", ":1: the time 'inf' must be finite and not negative"),
        ("1e999 1\n", ":1: the time '1e999' must be finite and not negative"),
        ("0.1 1.5\n", ":1: the neuron id '1.5' is not an integer from 1 to 3"),
        ("0.1 one\n", ":1: the neuron id 'one' is not an integer from 1 to 3"),
        ("0.1 ١\n", ":1: the neuron id '١' is not an integer from 1 to 3"),
        (f"0.1 {'9' * 5000}\n", f":1: the neuron id '{'9' * 37}...' is not an integer from 1 to 3"),
        ("0.1 3\n0.1 0\n", ":2: the neuron id 0 is out of the range 1..3"),
        (
            "0.1 1\n0.1 0\n",
            ":2: the neuron id 0 is out of the range 1..3; if ids count from 0, say so: first_id=0 (--first-id 0)",
        ),
        ("0.1 4\n", ":1: the neuron id 4 is out of the range 1..3"),
        ("0.1 -1\n", ":1: the neuron id -1 is out of the range 1..3"),
        (
            "0.1 1\n#\n1.5 2\n0.2 2\n0.5 1\n",
            ":3: 2 of 4 spikes are at or after the end of the trial of 0.5 s, the first of them at 1.5 s",
        ),
        (
            "0.1 1\n100 2\n200 2\n",
            ":2: 2 of 3 spikes are at or after the end of the trial of 0.5 s, the first of them at 100 s; "
            "are the times in ms? A .ras file has seconds",
        ),
    ],
)
def test_says_what_is_wrong_and_where(ras, content, message):
    path = ras(content)
    with pytest.raises(TargetError) as error:
        read_ras(path, 3, 500.0)
    assert str(error.value) == f"{path}{message}"


@pytest.mark.parametrize(
    ("first_id", "content", "expected"),
    [
        (0, "0.010000 1\n0.020000 4\n", [1, 4]),
        (0, "0.010000 0\n0.020000 2\n", [0, 2]),
        (1, "0.010000 1\n0.020000 4\n", [0, 3]),
        (1, "0.010000 5\n0.020000 2\n", [1, 4]),
        (None, "0.010000 5\n0.020000 2\n", [1, 4]),  # the last of five neurons proves that they count from 1
    ],
)
def test_ids_count_from_where_the_caller_says(ras, first_id, content, expected):
    assert read_ras(ras(content), 5, 100.0, first_id).ids.tolist() == expected


def test_a_file_that_could_count_either_way_is_told(ras):
    path = ras("0.010000 1\n0.020000 4\n")
    with pytest.warns(TargetWarning) as told:
        assert read_ras(path, 5, 100.0).ids.tolist() == [0, 3]
    assert str(told[0].message) == (
        f"{path}: the ids, 1 to 4 for 5 neurons, could count from 0 or from 1; they are taken to count from 1. "
        "first_id (--first-id) says which it is"
    )
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("first_id", "content", "message"),
    [
        (
            1,
            "0.1 2\n0.1 0\n",
            r":2: .* 0 is out of the range 1\.\.5; if ids count from 0, say so: first_id=0 \(--first",
        ),
        (
            0,
            "0.1 5\n0.1 1\n",
            r":1: .* 5 is out of the range 0\.\.4; if ids count from 1, say so: first_id=1 \(--first",
        ),
        (0, "0.1 5\n0.1 0\n", r":1: the neuron id 5 is out of the range 0\.\.4$"),
        (0, "0.1 -1\n", r":1: the neuron id -1 is out of the range 0\.\.4$"),
        (0, "0.1 x\n", ":1: the neuron id 'x' is not an integer from 0 to 4$"),
        (2, "0.1 1\n", "first_id must be 0 or 1, not 2$"),
        (True, "0.1 1\n", "first_id must be 0 or 1, not True$"),
        ("0", "0.1 1\n", "first_id must be 0 or 1, not '0'$"),
    ],
)
def test_an_id_that_does_not_fit_names_the_other_count(ras, first_id, content, message):
    with pytest.raises(TargetError, match=message):
        read_ras(ras(content), 5, 500.0, first_id)


@pytest.mark.parametrize("num_neurons", [0, -1, 2.5])
def test_refuses_a_number_of_neurons_that_cannot_be(ras, num_neurons):
    with pytest.raises(TargetError, match="num_neurons must be"):
        read_ras(ras("0.1 1\n"), num_neurons, 500.0)


def test_last_moment_before_the_end_is_part_of_the_trial(ras):
    assert read_ras(ras("1.889999 1\n"), 1, 1890.0).num_spikes == 1
    with pytest.raises(TargetError, match="1 of 1 spikes are at or after the end"):
        read_ras(ras("1.89 1\n"), 1, 1890.0)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(TargetError, match=r"the name of the \.ras file is empty"):
        read_ras("", 4, 100.0)
    with pytest.raises(TargetError, match=re.escape(f"{tmp_path / 'no.ras'}: there is no such file")):
        read_ras(tmp_path / "no.ras", 3, 500.0)
    with pytest.raises(TargetError, match=re.escape(f"{tmp_path}: this is a folder, not a .ras file")):
        read_ras(tmp_path, 3, 500.0)


@pytest.mark.parametrize("duration_ms", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_a_trial_without_an_end(ras, duration_ms):
    with pytest.raises(TargetError, match="the trial must last longer than 0 ms"):
        read_ras(ras("0.1 1\n"), 3, duration_ms)


def test_writes_microseconds_sorted_by_time_then_id(tmp_path):
    trains = SpikeTrains.from_spikes([2.0, 1.0, 1.0000001, 1234.5678], [1, 2, 0, 0], 3)
    write_ras(tmp_path / "out.ras", trains)
    assert (tmp_path / "out.ras").read_bytes() == b"0.001000 1\n0.001000 3\n0.002000 2\n1.234568 1\n"


def test_writes_ids_from_0_too(tmp_path):
    write_ras(tmp_path / "out.ras", SpikeTrains.from_spikes([2.0, 1.0], [1, 0], 2), 0)
    assert (tmp_path / "out.ras").read_bytes() == b"0.001000 0\n0.002000 1\n"
    with pytest.raises(TargetError, match="first_id must be 0 or 1, not 3"):
        write_ras(tmp_path / "other.ras", SpikeTrains.from_spikes([2.0], [1], 2), 3)


@pytest.mark.parametrize("first_id", [0, 1])
def test_round_trip(tmp_path, first_id):
    rng = np.random.default_rng(7)
    trains = SpikeTrains.from_spikes(rng.integers(0, 10**6, 500) / 1000.0, rng.integers(0, 20, 500), 20)
    write_ras(tmp_path / "out.ras", trains, first_id)
    again = read_ras(tmp_path / "out.ras", 20, 1000.0, first_id)
    np.testing.assert_array_equal(again.ids, trains.ids)
    # Seconds times 1000 is rounded once more than milliseconds: one unit in the last place.
    np.testing.assert_array_max_ulp(again.times, trains.times, maxulp=1)


def test_reads_a_published_target():
    if not REFERENCE.is_file():
        pytest.skip("the published target is not here")
    trains = read_ras(REFERENCE, 200, 1890.0)
    raw = np.loadtxt(REFERENCE)
    assert trains.num_spikes == len(raw) == 10367
    np.testing.assert_array_equal(trains.end_index - trains.start_index, np.bincount(raw[:, 1].astype(int) - 1))


@pytest.mark.parametrize(
    ("times", "ids", "num_neurons", "message"),
    [
        ([1.0, 2.0], [0], 2, "got 2 times and 1 ids"),
        ([[1.0]], [0], 2, r"spike times must have one dimension, not shape \(1, 1\)"),
        ([1.0, np.nan], [0, 0], 2, "finite and >= 0 ms, but time 1 is nan"),
        ([-0.5], [0], 2, r"finite and >= 0 ms, but time 0 is -0\.5"),
        (["1"], [0], 2, "spike times must be numbers"),
        ([1.0], [2], 2, r"ids must be in 0\.\.1, but id 0 is 2"),
        ([1.0], [-1], 2, r"ids must be in 0\.\.1, but id 0 is -1"),
        ([1.0], [0.0], 2, "neuron ids must be integers, not float64"),
        ([], [], 0, "num_neurons must be at least 1, not 0"),
        ([], [], 2.5, r"num_neurons must be an integer, not 2\.5"),
    ],
)
@pytest.mark.parametrize("make", [SpikeTrains, SpikeTrains.from_spikes])
def test_spike_trains_check_themselves(make, times, ids, num_neurons, message):
    with pytest.raises(TargetError, match=message) as error:
        make(times, ids, num_neurons)
    assert isinstance(error.value, SnnlearnError)


@pytest.mark.parametrize(("times", "ids"), [([1.0, 2.0], [1, 0]), ([2.0, 1.0], [0, 0])])
def test_spike_trains_must_be_sorted(times, ids):
    with pytest.raises(TargetError, match=r"but spike 1 is not; SpikeTrains\.from_spikes sorts them"):
        SpikeTrains(times, ids, 2)


def test_spike_trains_do_not_share_or_change():
    times = np.array([1.0, 2.0])
    trains = SpikeTrains(times, np.array([0, 1]), 2)
    times[0] = 9.0
    assert trains.times.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        trains.times[0] = 3.0


def test_spike_trains_without_spikes():
    trains = SpikeTrains([], [], 3)
    assert trains.start_index.tolist() == trains.end_index.tolist() == [0, 0, 0]
