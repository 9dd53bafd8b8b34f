"""Neurons' parts of arrays: a source of spikes whose times are not in its array, or do not ascend, is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError
from snnlearn.genn import init_var
from snnlearn.models import PatternSource, SpikeSourceArray, SuperSpikeOutput

ZEROS = dict.fromkeys(["V", "refracTime", "errRise", "errDecay", "errTilda", "avgSqrErr"], 0.0)
PARAMS = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0, "tauRise": 5.0}
PARAMS |= {"tauDecay": 10.0, "tauAvgErr": 1e4}
KINDS = [
    (SpikeSourceArray, {}, {}, "startSpike", "endSpike"),
    (PatternSource, {}, {}, "next", "last"),
    (SuperSpikeOutput, PARAMS, ZEROS, "startSpike", "endSpike"),
]
TIMES = [2.0, 5.0, 9.0, 1.0, 1.0, 4.0]  # of two neurons


def add(model: Any, kind: Any, times: Any, begin: Any, end: Any, size: int = 2) -> Any:
    declared, params, zeros, first, last = kind
    made = model.add_neuron_population("S", size, declared, params, {**zeros, first: begin, last: end})
    made.extra_global_params["spikeTimes"].set_init_values(times)
    return made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].name)
@pytest.mark.parametrize(
    ("times", "begin", "end", "message"),
    [
        (TIMES, [0, 3], [3, 7], r"'S': neuron 1's part of an array, 'spikeTimes\[3:7\]' .* which has 6 element"),
        (TIMES, [0, 3], [2, 2**32 - 1], r"neuron 1's part of an array, 'spikeTimes\[3:4294967295\]'"),
        (TIMES, [2, 3], [1, 6], r"neuron 0's part of an array, 'spikeTimes\[2:1\]' .* is not in the array"),
        (TIMES, [7, 3], [7, 6], r"neuron 0's part of an array, 'spikeTimes\[7:7\]' .* is not in the array"),
        (TIMES, [0, 3], [4, 6], r"neuron 0's part of an array, 'spikeTimes\[0:4\]' .* does not ascend: sort it"),
        ([1.0, 2.0, np.nan], [0, 2], [2, 3], r"neuron 1's part of an array, 'spikeTimes\[2:3\]' .* holds NaN"),
        ([1.0, np.nan, 2.0], [0, 0], [0, 3], r"neuron 1's part of an array, 'spikeTimes\[0:3\]' .* holds NaN"),
    ],
)
def test_what_is_no_part_is_refused_by_load(
    engine: Any, kind: Any, times: Any, begin: Any, end: Any, message: str
) -> None:
    model = engine.model()
    add(model, kind, times, begin, end)
    model.build()
    with pytest.raises(NetworkError, match=message):
        model.load()
    assert not model._loaded
    # What is mended can be loaded.
    model.neuron_populations["S"].extra_global_params["spikeTimes"].set_init_values(np.arange(10.0))
    model.neuron_populations["S"].vars[kind[3]].set_init_values(np.array([0, 3]))
    model.neuron_populations["S"].vars[kind[4]].set_init_values(np.array([0, 10]))
    model.load()
    model.run(3)
    model.unload()


def test_made_values_count_too(engine: Any) -> None:
    model = engine.model()
    add(model, KINDS[0], TIMES, 0, init_var("Constant", {"constant": 9}))
    model.build()
    with pytest.raises(NetworkError, match=r"neuron 0's part of an array, 'spikeTimes\[0:9\]'"):
        model.load()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].name)
def test_what_is_pushed_is_checked_before_the_next_timestep(engine: Any, start: Any, kind: Any) -> None:
    model = engine.model()
    s = add(model, kind, TIMES, [0, 3], [3, 6])
    start(model)
    begin, end, times = s.vars[kind[3]], s.vars[kind[4]], s.extra_global_params["spikeTimes"]
    model.run(2)
    end.view[1] = 7
    end.push_to_device()
    for _ in range(2):
        with pytest.raises(NetworkError, match=r"neuron 1's part of an array, 'spikeTimes\[.:7\]'"):
            model.step_time()
    assert model.timestep == 2
    end.view[1] = 6
    end.push_to_device()
    model.run(2)
    begin.view[:] = [0, 7]
    begin.push_to_device()
    with pytest.raises(NetworkError, match=r"neuron 1's part of an array, 'spikeTimes\[7:6\]'"):
        model.run(1)
    begin.view[:] = [0, 3]
    begin.push_to_device()
    times.view[:] = [2.0, 5.0, 4.0, 1.0, 1.0, 4.0]
    times.push_to_device()
    with pytest.raises(NetworkError, match=r"neuron 0's part of an array, 'spikeTimes\[0:3\]' .* does not ascend"):
        model.run(1)
    # In whatever order: what stands at the next timestep counts.
    begin.view[:], end.view[:] = [3, 0], [6, 2]
    begin.push_to_device()
    end.push_to_device()
    model.run(20)
    begin.pull_from_device()
    assert begin.view.tolist() == [6, 2]


def test_copies_of_a_batch_have_parts_of_their_own(engine: Any, start: Any) -> None:
    model = engine.model()
    model.batch_size = 2
    s = add(model, KINDS[0], TIMES, np.array([[0, 3], [0, 4]]), np.array([[3, 6], [2, 6]]))
    start(model)
    s.vars["endSpike"].view[:] = [[3, 6], [4, 6]]
    s.vars["endSpike"].push_to_device()
    with pytest.raises(NetworkError, match=r"neuron 0's part of an array, 'spikeTimes\[0:4\]' .* does not ascend"):
        model.run(1)


def test_a_source_that_is_rewound_is_not_looked_at_again(
    engine: Any, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = engine.model()
    s = add(model, KINDS[0], TIMES, [0, 3], [3, 6])
    start(model)
    model.run(12)
    read: list[Any] = []
    simulation = model._runtime
    real = simulation.read
    monkeypatch.setattr(simulation, "read", lambda at: read.append(at) or real(at))
    s.vars["startSpike"].push_to_device()
    model.run(12)
    assert read == []
    s.vars["startSpike"].pull_from_device()
    assert s.vars["startSpike"].view.tolist() == [3, 6]
