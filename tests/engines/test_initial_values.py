"""Initial values: the right distribution, and numbers that depend on seed, group, variable and index alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    GeNNModel,
    create_neuron_model,
    create_var_init_snippet,
    create_weight_update_model,
    init_postsynaptic,
    init_var,
    init_weight_update,
)

PRE, POST = 100, 200
N = PRE * POST
EXPONENTIAL = create_var_init_snippet(
    "Exponential", params=["mean"], var_init_code="value = mean * gennrand_exponential();"
)
WORDS = create_var_init_snippet("Words", var_init_code="value = gennrand();")
NUMBERED = create_var_init_snippet("Numbered", var_init_code="value = id_pre * 1000 + id_post;")
UNSET = create_var_init_snippet("Unset")
NORMAL = NormalDist()


def phi(x: Any) -> Any:
    return np.vectorize(NORMAL.cdf)(x)


# name: the initialiser and its cumulative distribution function.
DISTRIBUTIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "uniform": (init_var("Uniform", {"min": -3.0, "max": 5.0}), lambda x: (x + 3.0) / 8.0),
    "normal": (init_var("Normal", {"mean": 10.0, "sd": 0.5}), lambda x: phi((x - 10.0) / 0.5)),
    "clipped": (
        init_var("NormalClipped", {"mean": 1.0, "sd": 2.0, "min": 0.0, "max": 4.0}),
        lambda x: (phi((x - 1.0) / 2.0) - phi(-0.5)) / (phi(1.5) - phi(-0.5)),
    ),
    "exponential": (init_var(EXPONENTIAL, {"mean": 4.0}), lambda x: 1.0 - np.exp(-np.asarray(x) / 4.0)),
}
WEIGHTS = create_weight_update_model(
    "Weights", vars=[*DISTRIBUTIONS, ("words", "unsigned int"), "numbered", "unset", "again"]
)
NEURON = create_neuron_model("N", vars=["x", ("big", "uint64_t"), ("small", "int64_t"), ("b", "bool")])


def build(
    engine: Any, start: Any, *, seed: int = 1, post: int = POST, other_first: bool = False, precision: str = "float"
) -> GeNNModel:
    model = engine.model(precision=precision)
    model.seed = seed

    def add(name: str, size: int) -> Any:
        first = {"x": DISTRIBUTIONS["normal"][0], "big": 2**64 - 1, "small": -(2**63), "b": True}
        return model.add_neuron_population(name, size, NEURON, {}, first)

    if other_first:
        add("Other", 7)
    pre, target = add("Pre", PRE), add("Post", post)
    values = {name: init for name, (init, _) in DISTRIBUTIONS.items()}
    values |= {
        "words": init_var(WORDS),
        "numbered": init_var(NUMBERED),
        "unset": init_var(UNSET),
        "again": values["uniform"],
    }
    model.add_synapse_population(
        "S", "DENSE", pre, target, init_weight_update(WEIGHTS, vars=values), init_postsynaptic("DeltaCurr")
    )
    return start(model)


def weights(model: GeNNModel, name: str) -> Any:
    return model.synapse_populations["S"].vars[name].view


@pytest.mark.parametrize("precision", ["float", "double"])
def test_distributions(engine: Any, start: Any, precision: str) -> None:
    model = build(engine, start, precision=precision)
    for name, (_, cdf) in DISTRIBUTIONS.items():
        values = np.sort(weights(model, name).astype(np.float64))
        # Kolmogorov-Smirnov: a bound that right code passes but once in 10^6 seeds (and the seed is fixed).
        bound = math.sqrt(math.log(2.0 / 1e-6) / (2.0 * N))
        steps = np.arange(N + 1) / N
        distance = max(np.abs(cdf(values) - steps[:-1]).max(), np.abs(cdf(values) - steps[1:]).max())
        assert distance < bound, name
        assert len(np.unique(values)) > 0.98 * N, "few ties"
    assert weights(model, "uniform").min() >= -3.0
    assert weights(model, "clipped").min() >= 0.0
    assert weights(model, "clipped").max() <= 4.0
    # Independent of one another: correlations of N pairs pass 6 / sqrt(N) but once in 10^9.
    columns = [weights(model, name).astype(np.float64) for name in (*DISTRIBUTIONS, "words", "again")]
    rows = columns[0].reshape(PRE, POST)
    columns += [np.roll(columns[0], 1), np.roll(columns[0], 2), np.roll(rows, 1, axis=0).ravel()]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 6.0 / math.sqrt(N)


def test_bits_are_even(engine: Any, start: Any) -> None:
    words = weights(build(engine, start), "words")
    shares = ((words[:, None] >> np.arange(32, dtype=np.uint32)) & 1).mean(axis=0)
    np.testing.assert_allclose(shares, 0.5, atol=6.0 * 0.5 / math.sqrt(N))  # six standard deviations


def test_a_value_depends_on_seed_group_variable_and_index_alone(engine: Any, start: Any) -> None:
    model = build(engine, start)
    same, other = build(engine, start), build(engine, start, seed=2)
    wider = build(engine, start, post=POST + 33, other_first=True)
    pre, post, third = (wider.neuron_populations[name].vars["x"].view for name in ("Pre", "Post", "Other"))
    for name in DISTRIBUTIONS:
        np.testing.assert_array_equal(weights(model, name), weights(same, name))
        assert np.mean(weights(model, name) == weights(other, name)) < 0.01
        # A synapse's index is its number, counted row by row.
        np.testing.assert_array_equal(weights(model, name), weights(wider, name)[:N])
    assert np.mean(weights(model, "uniform") == weights(model, "again")) < 0.01
    np.testing.assert_array_equal(model.neuron_populations["Pre"].vars["x"].view, pre)
    np.testing.assert_array_equal(model.neuron_populations["Post"].vars["x"].view, post[:POST])
    assert not np.intersect1d(pre, post).size
    assert not np.intersect1d(pre, third).size


def test_every_engine_draws_the_same(engines: Any, start: Any) -> None:
    models = [build(engine, start, seed=2**64 - 1) for engine in engines]
    for name in (*DISTRIBUTIONS, "words"):
        for model in models[1:]:
            np.testing.assert_array_equal(weights(model, name), weights(models[0], name))


def test_values_without_chance(engine: Any, start: Any) -> None:
    model = build(engine, start)
    i, j = np.indices((PRE, POST))
    np.testing.assert_array_equal(weights(model, "numbered"), (i * 1000 + j).ravel())
    assert not weights(model, "unset").any()
    neuron = model.neuron_populations["Pre"].vars
    assert (int(neuron["big"].view[3]), int(neuron["small"].view[3])) == (2**64 - 1, -(2**63))
    assert neuron["b"].view.all()
    assert neuron["b"].view.dtype == bool


def test_seed_zero_stands_for_a_fresh_one(engine: Any, start: Any) -> None:
    first, second = build(engine, start, seed=0), build(engine, start, seed=0)
    assert first.seed != second.seed
    assert np.mean(weights(first, "normal") == weights(second, "normal")) < 0.01
