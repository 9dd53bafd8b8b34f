"""Spikes of other programs: as their files stand on disk, and there and back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snnlearn import exchange
from snnlearn.errors import ArgumentError, ExchangeError, OutputError, TargetWarning
from snnlearn.io import SpikeTrains

TRAINS = SpikeTrains.from_spikes([0.0, 2.5, 0.1, 1.3, 1.3, 17.000001], [0, 0, 2, 2, 3, 5], 6)


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file and gives its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def spikes(trains: SpikeTrains) -> list[tuple[float, int]]:
    return list(zip(trains.times.tolist(), trains.ids.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.ras", "0.001 0\n0.0025 1\n", {}),
        ("a.ras", "# Auryn\r\n0.0025 2\r\n0.001 1\r\n", {"num_neurons": 2}),
        ("a.ras", "0.001 1\n0.0025 2\n", {"first_id": 1}),
        ("a.txt", "1000 0\n2500 1\n", {"format": "auryn", "unit": "us"}),
        ("a.csv", "# Time [ms], Neuron ID\n1.000000,0\n2.500000,1\n", {}),
        ("a.csv", "1.0,0\n2.5,1\n", {"unit": "ms"}),
        ("a.csv", "Time [s], Neuron ID\n0.001,0\n0.0025,1\n", {}),
        (
            "a.dat",
            "# NEST version: 3.6.0\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n1\t1.000\n2\t2.500\n",
            {},
        ),
        ("a.dat", "sender\ttime_step\ttime_offset\n1\t10\t0.000\n2\t26\t0.100\n", {"unit": 0.1}),
        ("a.gdf", "101\t1.000\n102\t2.500\t\n", {"unit": "ms", "first_id": 101}),
        ("a.gdf", "1 10\r\n2 25\r\n", {"unit": 0.1}),
    ],
)
def test_files_as_they_are(file, name, content, options):
    trains = exchange.read(file(name, content), **options)
    assert trains.ids.tolist() == [0, 1]
    np.testing.assert_allclose(trains.times, [1.0, 2.5], rtol=1e-15)
    assert trains.num_neurons == 2


@pytest.mark.parametrize(
    ("name", "options", "unit_ms"),
    [
        ("a.ras", {}, 1e-3),
        ("a.ras", {"first_id": 0}, 1e-3),
        ("a.csv", {}, 1e-6),
        ("a.dat", {}, 0.0),
        ("a.dat", {"first_id": 40}, 0.0),
        ("a.h5", {}, 0.0),
        ("a.sonata", {"population": "cortex"}, 0.0),
        ("a.npy", {"sensor_size": (3, 1, 2)}, 1e-3),
        ("a.npy", {"sensor_size": (3, 2, 1), "unit": "ns"}, 1e-6),
        ("a.spikes", {"format": "nest"}, 0.0),
    ],
)
def test_there_and_back(tmp_path, name, options, unit_ms):
    if Path(name).suffix in (".h5", ".sonata"):
        pytest.importorskip("h5py", reason="the extra hdf5 is not installed")
    path = tmp_path / name
    exchange.write(path, TRAINS, **options)
    read_options = {"unit": "us", **options} if name.endswith(".npy") else options
    back = exchange.read(path, 6, **read_options)
    assert back.num_neurons == 6
    np.testing.assert_array_equal(back.ids, TRAINS.ids)
    expected = np.rint(TRAINS.times / unit_ms) * unit_ms if unit_ms else TRAINS.times
    np.testing.assert_allclose(back.times, expected, rtol=1e-15 if unit_ms else 0.0)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.xyz", "1 1\n", {}, "a.xyz: .xyz tells no format; say which: format= one of auryn (.ras), csv (.csv), nest"),
        ("spikes", "1 1\n", {}, "spikes: no suffix tells no format"),
        ("a.dat", "1 1\n", {"format": "nets"}, "unknown format 'nets'; did you mean 'nest'?"),
        ("a.gdf", "1 1.5\n", {}, "a.gdf: a file without the columns' names does not say whether its times are"),
        (
            "a.csv",
            "1.5,1\n",
            {},
            "a.csv: no line '# Time [ms], Neuron ID' says in which unit the times are; say it: unit=",
        ),
        (
            "a.csv",
            "# Time [s], Neuron ID\n1.5,1\n",
            {"unit": "ms"},
            "a.csv: the times are in s, as the first line says; unit='ms'",
        ),
        ("a.gdf", "1 1.5\n", {"unit": "mss"}, "a.gdf: 'mss' is no unit of time; did you mean 'ms'?"),
        (
            "a.gdf",
            "1 1.5\n",
            {"unit": 0.0},
            "a.gdf: a unit is one of s, ms, us, ns or a positive number of ms, not 0.0",
        ),
        (
            "a.gdf",
            "1 1.5\n",
            {"unit": True},
            "a.gdf: a unit is one of s, ms, us, ns or a positive number of ms, not True",
        ),
        ("a.dat", "sender\ttime_step\n1\t5\n", {}, "a.dat: the times count timesteps, of which the length is not in"),
        (
            "a.dat",
            "sender\ttime_ms\n1\t5\n",
            {"unit": "s"},
            "a.dat: the times are in ms, as their column says; unit='s'",
        ),
        ("a.dat", "sender\tV_m\n1\t5\n", {}, "a.dat: there is no column 'time_ms' or 'time_step', only sender, V_m"),
        ("a.dat", "id\ttime_ms\n1\t5\n", {}, "a.dat: there is no column 'sender', only id, time_ms"),
        ("a.dat", "sender\ttime_ms\n1\t5\t3\n", {}, "a.dat: 2 columns are named, but there are 3"),
        ("a.gdf", "1 1.5\n2 2.5 3\n", {"unit": "ms"}, "a.gdf:2: this line has 3 columns, those before it 2"),
        ("a.gdf", "1 1.5\n\nx 2.5\n", {"unit": "ms"}, "a.gdf:3: 'x' is not a number"),
        ("a.gdf", "1 1.5 3\n", {"unit": "ms"}, "a.gdf: without names of columns there are two, id and time, not 3"),
        (
            "a.gdf",
            "1 nan\n",
            {"unit": "ms"},
            "a.gdf: times must be finite and not negative, but that of spike 0 is nan",
        ),
        ("a.gdf", "1 -2\n", {"unit": "ms"}, "a.gdf: times must be finite and not negative, but that of spike 0 is -2"),
        ("a.gdf", "1.5 2\n", {"unit": "ms"}, "a.gdf: ids must be whole numbers, but that of spike 0 is 1.5"),
        (
            "a.gdf",
            "101 2\n103 2\n",
            {"unit": "ms", "num_neurons": 3},
            "a.gdf: the id 101 is out of the range 1..3 of 3 neurons; the file has 101 to 103; if the first neuron's "
            "id is 101, say first_id=101",
        ),
        ("a.gdf", "0 2\n", {"unit": "ms"}, "a.gdf: the id 0 is out of the range 1..1 of 1 neuron"),
        ("a.gdf", "", {"unit": "ms"}, "a.gdf: the file is empty"),
        ("a.gdf", "# none\n", {"unit": "ms"}, "a.gdf: there are no spikes in it"),
        ("a.gdf", b"1 1\n\xff\xfe", {"unit": "ms"}, "a.gdf: this is a binary file, where lines of text were expected"),
        ("a.ras", "0.1 1 1\n", {}, "a.ras: a .ras file has two columns without names, 'seconds neuron_id'"),
        ("a.npy", "1 1\n", {"sensor_size": (1, 1, 1), "unit": "us"}, "a.npy: this is no .npy file of numbers"),
        ("a.h5", "no HDF5", {}, "a.h5: this is no HDF5 file that can be read"),
    ],
)
def test_what_is_wrong_is_said(file, name, content, options, message):
    if name.endswith(".h5"):
        pytest.importorskip("h5py", reason="the extra hdf5 is not installed")
    path = file(name, content)
    with pytest.raises(ExchangeError, match=re.escape(message)):
        exchange.read(path, **options)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(ExchangeError, match=r"b\.gdf: there is no such file"):
        exchange.read(tmp_path / "b.gdf", unit="ms")
    with pytest.raises(ExchangeError, match="this is a folder"):
        exchange.read(tmp_path, format="nest", unit="ms")
    with pytest.raises(OutputError):
        exchange.write(tmp_path / "none" / "b.dat", TRAINS)
    with pytest.raises(ArgumentError, match="frist_id"):
        exchange.read(tmp_path, frist_id=1)


def test_ids_that_could_count_either_way_are_warned_of(file):
    with pytest.warns(TargetWarning, match="the ids, 1 to 2, could count from 0 or from 1"):
        assert exchange.read(file("a.ras", "0.001 1\n0.002 2\n"), 3).ids.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.dat", {"unit": "s"}, "there is no unit to choose: the column is called time_ms"),
        ("a.csv", {"first_id": 1}, "ids count from 0 in these files; first_id=1 is not one"),
        ("a.npy", {}, "say how large the sensor is: sensor_size=(width, height, polarities)"),
        ("a.npy", {"sensor_size": (2, 2, 2)}, "a sensor of 2 by 2 pixels and 2 polarities has 8 neurons; there are 6"),
        ("a.npy", {"sensor_size": (2, 3)}, "sensor_size is (width, height, polarities), all at least 1, not (2, 3)"),
    ],
)
def test_what_a_format_cannot_hold(tmp_path, name, options, message):
    with pytest.raises(ExchangeError, match=re.escape(message)):
        exchange.write(tmp_path / name, TRAINS, **options)
    assert not list(tmp_path.iterdir())


class TestSonata:
    """HDF5 files as simulators write them."""

    @pytest.fixture
    def hdf5(self, tmp_path):
        h5py = pytest.importorskip("h5py", reason="the extra hdf5 is not installed")

        def write(groups: dict[str, tuple[object, object]], units: str | None = "ms", ids: str = "node_ids") -> Path:
            with h5py.File(tmp_path / "a.h5", "w") as file:
                for name, (times, who) in groups.items():
                    group = file.create_group(name)
                    group["timestamps"], group[ids] = np.asarray(times), np.asarray(who)
                    if units is not None:
                        group["timestamps"].attrs["units"] = units
            return tmp_path / "a.h5"

        return write

    def test_sorted_or_not(self, hdf5):
        for times, who in [([1.0, 2.5, 3.0], [1, 0, 1]), ([2.5, 1.0, 3.0], [0, 1, 1]), ([3.0, 1.0, 2.5], [1, 1, 0])]:
            trains = exchange.read(hdf5({"spikes/all": (times, who)}), 4)
            assert spikes(trains) == [(2.5, 0), (1.0, 1), (3.0, 1)]
            assert trains.num_neurons == 4

    def test_units_and_populations(self, hdf5):
        path = hdf5({"spikes/a": ([1000.0], [0]), "spikes/b": ([2000.0], [1])}, units=None)
        with pytest.raises(ExchangeError, match="say which population: population='a'"):
            exchange.read(path)
        with pytest.raises(ExchangeError, match=r"there is no population 'c'; known: a, b"):
            exchange.read(path, population="c")
        with pytest.raises(ExchangeError, match="the times have no attribute 'units'; say it"):
            exchange.read(path, population="b")
        assert spikes(exchange.read(path, population="b", unit="us")) == [(2.0, 1)]
        path = hdf5({"spikes/a": ([1.0], [0])}, units="s")
        assert spikes(exchange.read(path)) == [(1000.0, 0)]
        with pytest.raises(ExchangeError, match="the file says that its times are in s; unit='ms' is not"):
            exchange.read(path, unit="ms")

    def test_the_older_layout(self, hdf5):
        assert spikes(exchange.read(hdf5({"spikes": ([1.0, 0.5], [0, 0])}, ids="gids"))) == [(0.5, 0), (1.0, 0)]

    def test_what_is_missing(self, hdf5):
        with pytest.raises(ExchangeError, match="there is no group '/spikes'"):
            exchange.read(hdf5({"other": ([1.0], [0])}))
        with pytest.raises(ExchangeError, match="there is no data set '/spikes/a/node_ids'"):
            exchange.read(hdf5({"spikes/a": ([1.0], [0])}, ids="ids"))
        with pytest.raises(ExchangeError, match="each spike needs a time and an id"):
            exchange.read(hdf5({"spikes/a": ([1.0, 2.0], [0])}))
