"""Conditions on array elements without branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from printed_code import printed_lines

from small_networks import LIF
from snnlearn import genn
from snnlearn.codegen.plan import Kernel, Plan, build_plan, optimise
from snnlearn.declare import NeuronModel


def source(condition: str, **changes: Any) -> NeuronModel:
    """A neuron that spikes at the times listed for it."""
    parts = {
        "vars": [("next", "unsigned int"), ("stop", "unsigned int"), "x"],
        "extra_global_params": [("times", "scalar*"), ("order", "unsigned int*")],
        "sim_code": "x = (next != stop && t + 0.5 >= times[next]) ? 1.0 : x * 0.5;",
        "threshold_condition_code": condition,
        "reset_code": "next++;",
    }
    return NeuronModel("Source", **(parts | changes))


def kernel_of(condition: str, rewrites: tuple[str, ...] = ("branchless",)) -> tuple[Plan, Kernel]:
    net = described(source(condition), rewrites)
    plan = optimise(build_plan(net._describe()), rewrites)
    return plan, plan.step[-1]


def described(model: NeuronModel, rewrites: tuple[str, ...]) -> Any:
    net = genn.GeNNModel("float", "branches", threads=1, optimise=rewrites)
    net.dt = 1.0
    ends = np.array([3, 3, 7, 8, 8])
    starts = np.array([0, 3, 3, 7, 8])
    group = net.add_neuron_population("A", 5, model, {}, {"next": starts, "stop": ends, "x": 0.0})
    group.extra_global_params["times"].set_init_values(np.array([0, 3, 4, 1, 1, 5, 8, 2], dtype=np.float32))
    group.extra_global_params["order"].set_init_values(np.arange(8)[::-1].astype(np.uint32))
    group.spike_recording_enabled = True
    return net


CONDITION = "next != stop && t >= times[next]"


def printed(condition: str) -> str:
    plan, kernel = kernel_of(condition)
    return printed_lines(kernel.body[-1].condition, kernel, plan.precision)[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "condition",
    [
        CONDITION,
        "next != stop && t >= times[order[7 - next]]",
        "next < 8 && next != stop && times[next] <= t && order[next] < 9",
        "!(next == stop) && (times[next] < 1.0 || t >= times[next])",
    ],
)
def test_spikes_are_the_same(condition: str) -> None:
    found = []
    for rewrites in ((), ("branchless",)):
        net = described(source(condition), rewrites)
        net.build()
        net.load(num_recording_timesteps=12)
        net.run(12)
        net.pull_recording_buffers_from_device()
        (group,) = net.neuron_populations.values()
        group.vars["x"].pull_from_device()
        found.append((*group.spike_recording_data[0], np.array(group.vars["x"].values)))
        net.unload()
    assert len(found[0][0]) > 5
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_element_is_read_only_where_it_may_be() -> None:
    assert printed(CONDITION) == "((v_next != v_stop) & (t >= v_A_times[(v_next != v_stop) ? v_next : 0]))"


@pytest.mark.parametrize(
    "condition",
    [
        "next != stop && t >= 3.0",  # nothing of an array
        "next != stop && order[next]",  # no truth value
        "next && times[next] < t",
        "next != stop && 6 / next < order[next]",  # would divide by zero
        "next != stop && 6 % next < order[next]",
        "next != stop && exp(times[next]) < t",  # takes long
        "next != stop || times[next] < t",
    ],
)
def test_other_conditions_stay(condition: str) -> None:
    assert kernel_of(condition)[1].body[-1] == kernel_of(condition, ())[1].body[-1]


def test_a_model_without_arrays_stays() -> None:
    net = genn.GeNNModel("float", "plain", threads=1)
    net.add_neuron_population("A", 3, LIF, {"tau": 1.0, "twin": 1.0}, {"V": 0.0})
    plan = build_plan(net._describe())
    assert optimise(plan, ["branchless"]) == plan


@pytest.mark.parametrize("size", [1, 31, 1024, 1025, 3000])
def test_spikes_are_listed_in_order_in_populations_of_any_size(size: int) -> None:
    # Neurons are taken in chunks, whose spikes are listed behind each.
    every = NeuronModel("Every", vars=["x"], sim_code="x += 1.0;", threshold_condition_code="fmod(x + id, 3.0) < 0.5")
    net = genn.GeNNModel("float", "chunks", threads=1)
    net.dt = 1.0
    group = net.add_neuron_population("A", size, every, {}, {"x": 0.0})
    group.spike_recording_enabled = True
    net.build()
    net.load(num_recording_timesteps=4)
    net.run(4)
    net.pull_recording_buffers_from_device()
    times, ids = group.spike_recording_data[0]
    expected = [(t, i) for t in range(4) for i in range(size) if (t + 1 + i) % 3 == 0]
    np.testing.assert_array_equal(np.stack([times, ids], axis=1), np.array(expected).reshape(-1, 2))
    net.unload()
