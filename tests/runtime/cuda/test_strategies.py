"""How timesteps are given of a device: which way is taken, and that all come to the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fake_device import SUM, X, load, program
from snnlearn.errors import BackendError
from snnlearn.runtime.cuda.strategies import CACHE_BYTES, STRATEGIES, Choice, choose_strategy

WAYS = [name for name in STRATEGIES if name != "auto"]
FITS: dict[str, Any] = {
    "timing": False,
    "cooperative": True,
    "wanted_blocks": 100,
    "max_resident_blocks": 132,
    "nbytes": 10 * 2**20,
}


@pytest.mark.parametrize(
    ("given", "changes", "name", "why"),
    [
        ("auto", {}, "persistent", "100 blocks and 10.0 MiB are on the chip at once"),
        ("auto", {"wanted_blocks": 132}, "persistent", "132 blocks"),
        ("auto", {"wanted_blocks": 133}, "persistent", "133 blocks, 132 at a time, and 10.0 MiB are on the chip"),
        ("auto", {"wanted_blocks": 265}, "graph", "up to 265 blocks at once, the device room for 132"),
        ("auto", {"nbytes": CACHE_BYTES}, "persistent", "32.0 MiB"),
        ("auto", {"nbytes": 200 * 2**20}, "graph", "its arrays, 200 MiB, are more than the 32 MiB of a cache"),
        ("auto", {"cooperative": False, "max_resident_blocks": 0}, "graph", "no cooperative launches"),
        ("auto", {"max_resident_blocks": 0}, "graph", "takes more registers than the device has"),
        ("auto", {"timing": True}, "loop", "kernels are timed one by one"),
        ("loop", {}, "loop", "asked for"),
        ("loop", {"timing": True}, "loop", "asked for"),
        ("graph", {}, "graph", "asked for"),
        ("persistent", {}, "persistent", "asked for"),
        ("persistent", {"wanted_blocks": 1000, "nbytes": 2**33}, "persistent", "asked for"),
    ],
)
def test_the_choice(given: str, changes: dict[str, Any], name: str, why: str) -> None:
    choice = choose_strategy(given, **{**FITS, **changes})
    assert choice.name == name
    assert why in choice.why


@pytest.mark.parametrize(
    ("given", "changes", "message"),
    [
        ("persistent", {"cooperative": False}, "no cooperative launches.*; use strategy='graph', or 'auto'"),
        (
            "persistent",
            {"max_resident_blocks": 0},
            "more registers than the device has; use strategy='graph', or 'auto'",
        ),
        ("persistent", {"timing": True}, "'persistent' and timing_enabled: .*; use strategy='loop', or 'auto'"),
        ("graph", {"timing": True}, "strategy='graph' and timing_enabled: .*; use strategy='loop', or 'auto'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(given: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        choose_strategy(given, **{**FITS, **changes})


def test_auto_goes_by_the_device() -> None:
    assert load()[0].choice == Choice("persistent", "3 blocks and 0.0 MiB are on the chip at once")
    assert load(cooperative=False)[0].choice.name == "graph"
    assert load(program(persistent_blocks=9))[0].choice.name == "graph"
    assert load(timing=True)[0].choice.name == "loop"
    with pytest.raises(BackendError, match="no cooperative launches"):
        load(cooperative=False, strategy="persistent")


def test_a_loop_launches_each_kernel() -> None:
    simulation, device = load(strategy="loop")
    device.launches()
    simulation.run(5)
    step = ["count", "finish"]
    assert device.launches() == step * 4 + ["add_up"] + step
    simulation.run(3)
    assert device.launches() == step * 3 + ["add_up"]


def test_graphs_are_blocks_that_begin_where_those_of_deferred_kernels_do() -> None:
    simulation, device = load(strategy="graph")
    device.launches()
    simulation.run(9)
    assert device.launches() == ["capture 9", "replay 9", "replay 9", "capture 2", "replay 2"]
    simulation.run(13)  # 3 to the next block, 2 blocks, 2 more
    assert device.launches() == ["replay 2"] * 3 + ["add_up", "replay 9", "replay 9"] + ["replay 2"] * 2
    simulation.read(SUM)
    assert device.launches() == ["snn_close_block", "add_up"]
    simulation.run(4)
    assert device.launches() == ["replay 9"]


def test_graphs_without_deferred_kernels_are_long() -> None:
    simulation, device = load(program(depth=0), strategy="graph")
    device.launches()
    simulation.run(130)
    assert device.launches() == ["capture 128", "replay 128", "replay 128", "capture 2", "replay 2", "replay 2"]
    simulation.run(64)
    assert device.launches() == ["replay 128"]


def test_a_persistent_kernel_is_one_launch() -> None:
    simulation, device = load(strategy="persistent")
    device.launches()
    simulation.run(4100)
    assert device.launches() == ["run 2000 on 3", "run 2000 on 3", "run 100 on 3"]
    wide, device = load(program(persistent_blocks=50), strategy="persistent")
    device.launches()
    wide.run(1)
    assert device.launches() == ["run 1 on 4"], "more do not run at once"


@pytest.mark.parametrize("depth", [0, 1, 4, 64])
@pytest.mark.parametrize("seed", range(5))
def test_all_ways_come_to_the_same_whatever_happens_between(depth: int, seed: int) -> None:
    found = []
    for way in WAYS:
        found.append([])
        simulation, device = load(program(depth), strategy=way)
        choose = random.Random(seed)
        x = total = steps = 0
        state: Any = None
        for _ in range(40):
            match choose.choice(["run", "run", "run", "read", "update", "time", "state", "put back"]):
                case "run":
                    for _ in range(choose.choice([1, 2, 5, 63, 64, 130, 200])):
                        x, steps = x + 1, steps + 1
                        total += x if depth else 0
                    simulation.run(steps - simulation.timestep)
                case "read":
                    assert set(simulation.read(X)) == {x}
                    assert set(simulation.device_array(SUM)) == {total}
                case "update":
                    simulation.custom_update("G")
                    x *= 2
                case "time":
                    steps = choose.randrange(100)
                    simulation.timestep = steps
                case "state":
                    state = simulation.state(), x, total
                case "put back" if state is not None:
                    simulation.set_state(state[0])
                    _, x, total = state
            clock = device.module.clock
            assert (clock["timestep"], clock["pending"]) == (simulation.timestep, simulation._pending)
            assert simulation.timestep == steps
            found[-1].append((x, steps))
        assert set(simulation.read(X)) == {x}
    assert found[0] == found[1] == found[2]
