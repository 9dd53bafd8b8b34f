"""Random networks in double precision: every engine, with every rewrite and with none, against the reference in Python.

A few run by default. ``pytest -m slow tests/engines/test_random_networks.py`` runs 600, ``--networks 50
--first-network 1000`` fifty others. Ten share a model, as compiling takes longest; names begin with a network's seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from random_networks import RandomNetwork, add_network

TOGETHER = 10
State = dict[str, NDArray[Any]]
LISTS = {"spikes": "spike_count", "pre_events": "pre_event_count", "post_events": "post_event_count"}
BOUND = 1e-12  # of the largest value of a variable


def states(engine: Any, first: int, number: int) -> tuple[list[State], set[str]]:
    """Run networks of these seeds, and return all that they are at a few times, with what they are made of."""
    rng = random.Random(first)
    model = engine.model(f"networks{first}", "double", rng.choice([0.25, 0.5, 1.0]))
    model.batch_size = rng.choice([1, 1, 3])
    networks = [add_network(model, seed, f"N{seed}_") for seed in range(first, first + number)]
    timesteps = [rng.choice([1, 7, 20]), rng.choice([64, 70]), rng.choice([3, 45])]
    model.build()
    model.load(num_recording_timesteps=sum(timesteps))
    try:
        found = [_after(model, networks, steps) for steps in timesteps]
        found[-1] |= dict(_recorded(model, networks))
    finally:
        model.unload()
    return found, {f"{model.batch_size} copies"}.union(*(n.features for n in networks))


def _after(model: Any, networks: list[RandomNetwork], timesteps: int) -> State:
    """Run timesteps, then all custom updates."""
    model.run(timesteps)
    found: State = {f"{key} before updates": values for key, values in model.state().items()}
    for network in networks:
        for group in network.groups:
            model.custom_update(group)
        for population in network.dynamic:
            population.set_dynamic_param_value("theta", 0.8)
    return found | model.state()


def _recorded(model: Any, networks: list[RandomNetwork]) -> Iterator[tuple[str, NDArray[Any]]]:
    for network in networks:
        for recording in network.recordings:
            for name in recording.variables:
                yield f"{recording.population.name}.recorded.{name}", recording[name].values


def assert_agree(found: list[State], expected: list[State], who: str) -> None:
    """Compare states: what counts exactly, numbers to `BOUND`."""
    for number, (here, there) in enumerate(zip(found, expected, strict=True)):
        assert here.keys() == there.keys()
        for key, values in there.items():
            message = f"{key} of {who} after part {number}"
            name = key.removesuffix(" before updates").rpartition(".")[2]
            if name in LISTS:
                same_lists(here, there, key, LISTS[name], message)
            elif values.dtype.kind != "f" or name.endswith("_time"):
                np.testing.assert_array_equal(here[key], values, err_msg=message)
            else:
                assert np.isfinite(values).all(), message
                bound = BOUND * np.abs(values).max(initial=0.0)
                np.testing.assert_allclose(here[key], values, rtol=0.0, atol=bound, err_msg=message)


def same_lists(here: Mapping[str, Any], there: Mapping[str, Any], key: str, count: str, message: str) -> None:
    """Compare the neurons that have spiked, of which a list holds as many as its count says."""
    suffix = " before updates" if key.endswith(" before updates") else ""
    counts = there[key.removesuffix(suffix).rpartition(".")[0] + f".{count}{suffix}"]
    listed = np.arange(there[key].size // counts.size) < counts[:, None]
    for_each_count = (x[key].reshape(counts.size, -1)[listed] for x in (here, there))
    np.testing.assert_array_equal(*for_each_count, err_msg=message)


def agree(engines: list[Any], reference: Any, first: int, number: int) -> set[str]:
    expected, features = states(reference, first, number)
    for engine in engines:
        found, _ = states(engine, first, number)
        assert_agree(found, expected, engine.name)
    return features


@pytest.mark.few_engines
def test_a_few_networks(engine: Any, python_engine: Any) -> None:
    agree([engine], python_engine, 3, 2)


@pytest.mark.slow
def test_many_networks(first_network: int, engines: list[Any], python_engine: Any) -> None:
    agree(engines, python_engine, first_network, TOGETHER)


@pytest.mark.slow
def test_networks_take_what_there_is(python_engine: Any) -> None:
    features: set[str] = set()
    for first in range(0, 60, TOGETHER):
        features |= states(python_engine, first, TOGETHER)[1]
    assert features >= {"loop", "DENSE", "SPARSE", "BITMASK", "PROCEDURAL", "TOEPLITZ", "KERNEL", "traces", "events"}
    assert features >= {"plastic", "axonal delay", "dendritic delay", "back-propagation delay", "custom update"}
    assert features >= {"refractory", "recorded variables", "1 copies", "3 copies", "own current"}
