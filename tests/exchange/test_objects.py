"""Arrays of events and Neo's objects."""

from __future__ import annotations

import re

import numpy as np
import pytest

from snnlearn import exchange
from snnlearn.errors import ExchangeError
from snnlearn.io import SpikeTrains

CAMERA = [("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)]
TRAINS = SpikeTrains.from_spikes([0.0, 2.5, 0.125, 1.375, 1.375, 17.0], [0, 0, 2, 2, 3, 5], 6)


def test_the_neuron_of_a_pixel():
    """As Tonic's frames are laid out: polarity, row, column."""
    events = np.array([(2, 1, 1500, True), (0, 0, 500, False), (1, 0, 250, True)], CAMERA)
    trains = exchange.from_events(events, (3, 2, 2), "us")
    frames = np.zeros((2, 2, 3))
    for x, y, t, p in events.tolist():
        frames[int(p), y, x] = t / 1000.0
    np.testing.assert_array_equal(trains.ids, np.flatnonzero(frames))
    np.testing.assert_allclose(trains.times, frames.ravel()[trains.ids])
    assert trains.num_neurons == 12


def test_events_of_a_cochlea_have_no_rows():
    events = np.array([(1500, 3, 1), (500, 699, 1)], [("t", "<i8"), ("x", "<i8"), ("p", "<i8")])
    with pytest.raises(
        ExchangeError, match=re.escape("p must be in 0..0, but event 0 has 1; is sensor_size=(700, 1, 1) right?")
    ):
        exchange.from_events(events, (700, 1, 1), "us")
    events["p"] = 0
    trains = exchange.from_events(events, (700, 1, 1), "us")
    assert (trains.ids.tolist(), trains.times.tolist()) == ([3, 699], [1.5, 0.5])


def test_events_there_and_back():
    for size in [(6, 1, 1), (3, 2, 1), (1, 3, 2)]:
        back = exchange.from_events(exchange.to_events(TRAINS, size, "us"), size, "us")
        np.testing.assert_array_equal(back.ids, TRAINS.ids)
        np.testing.assert_allclose(back.times, TRAINS.times, rtol=1e-15)


@pytest.mark.parametrize(
    ("events", "size", "unit", "message"),
    [
        (
            np.zeros(3),
            (1, 1, 1),
            "us",
            "a structured array with the fields t, x, y and p was expected; it lacks t, x, p",
        ),
        (np.zeros(1, [("t", int), ("x", int), ("p", int)]), (1, 2, 1), "us", "it lacks y"),
        (np.zeros(1, CAMERA), (1, 1, 1), None, "an array of events does not say in which unit its times are"),
        (np.zeros(0, CAMERA), (1, 1, 1), "us", "there are no spikes in it"),
        (np.full(1, -1, CAMERA), (1, 1, 2), "us", "y must be in 0..0, but event 0 has -1"),
    ],
)
def test_wrong_events(events, size, unit, message):
    with pytest.raises(ExchangeError, match=re.escape(message)):
        exchange.from_events(events, size, unit)


class TestNeo:
    """Recordings of the package Neo."""

    @pytest.fixture
    def neo(self):
        return pytest.importorskip("neo", reason="the extra neo is not installed")

    def test_there_and_back(self, neo):
        block = exchange.to_neo(TRAINS, 20.0)
        assert [len(train) for train in block.segments[0].spiketrains] == [2, 0, 2, 1, 0, 1]
        for recording in (block, block.segments[0], block.segments[0].spiketrains, list(block.segments[0].spiketrains)):
            back = exchange.from_neo(recording)
            np.testing.assert_array_equal(back.ids, TRAINS.ids)
            np.testing.assert_array_equal(back.times, TRAINS.times)

    def test_units_and_the_start_of_a_recording(self, neo):
        trains = [
            neo.SpikeTrain([2.0, 2.5], units="s", t_start=1.0, t_stop=3.0),
            neo.SpikeTrain([1500.0], units="ms", t_start=1000.0, t_stop=3000.0),
        ]
        back = exchange.from_neo(trains, 5)
        assert (back.ids.tolist(), back.times.tolist(), back.num_neurons) == ([0, 0, 1], [1000.0, 1500.0, 500.0], 5)
        assert exchange.from_neo(trains[0]).times.tolist() == [1000.0, 1500.0]

    def test_what_is_wrong(self, neo):
        with pytest.raises(ExchangeError, match="spike trains of Neo were expected"):
            exchange.from_neo([1.0, 2.0])
        with pytest.raises(ExchangeError, match="the recording has 6 spike trains, for 3 neurons"):
            exchange.from_neo(exchange.to_neo(TRAINS), 3)
        with pytest.raises(ExchangeError, match="the recording ends at 5 ms, and the last spike comes at 17 ms"):
            exchange.to_neo(TRAINS, 5.0)
        block = exchange.to_neo(TRAINS)
        block.segments.append(neo.Segment())
        with pytest.raises(ExchangeError, match="the block has 2 segments; give the one that is meant"):
            exchange.from_neo(block)
