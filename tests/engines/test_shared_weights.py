"""Weights that synapses share or make anew, on every engine that has them, and against NumPy's sums over pairs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agreement import assert_alive, assert_same, scalars, trace

STEPS = 12
KERNEL, INPUT, OUTPUT = (3, 2), (6, 7, 2), (6, 8, 3)
CONV = {"conv_kh": 3, "conv_kw": 2, "conv_ih": 6, "conv_iw": 7, "conv_ic": 2, "conv_oh": 6, "conv_ow": 8, "conv_oc": 3}
FULL = {**CONV, "conv_sh": 1, "conv_sw": 1, "conv_padh": 1, "conv_padw": 1}
PRE, POST = 6 * 7 * 2, 6 * 8 * 3
POOL = {"pool_kh": 2, "pool_kw": 2, "pool_sh": 2, "pool_sw": 2, "pool_ih": 12, "pool_iw": 14, "pool_ic": 2}
WEIGHTS = np.random.default_rng(11).integers(-4, 9, (*KERNEL, 2, 3)).astype(np.float32)
MASKS = np.random.default_rng(12).uniform(size=(STEPS, PRE)) < 0.3

POOLED_MASKS = np.random.default_rng(13).uniform(size=(STEPS, 12 * 14 * 2)) < 0.3


@cache
def scripted(g: Any) -> Any:
    """Return neurons that spike as an array says."""
    return g.create_neuron_model(
        "Scripted",
        extra_global_params=[("mask", "scalar*")],
        threshold_condition_code="mask[(int)t * num_neurons + id] > 0.5",
    )


@cache
def adder(g: Any) -> Any:
    return g.create_neuron_model("Adder", vars=scalars("x"), sim_code="x = Isyn;")


def populations(g: Any, model: Any, masks: NDArray[Any] = MASKS, targets: int = POST, number: int = 1) -> Any:
    source = model.add_neuron_population("In", masks.shape[1], scripted(g))
    source.extra_global_params["mask"].set_init_values(masks.ravel().astype(float))
    return source, [model.add_neuron_population(f"Out{i}", targets, adder(g), {}, {"x": 0.0}) for i in range(number)]


def connect(g: Any, model: Any, kind: str, source: Any, target: Any, rule: Any, init: Any) -> Any:
    name = f"{kind}{target.name}"
    return model.add_synapse_population(name, kind, source, target, rule, g.init_postsynaptic("DeltaCurr"), init)


def kernel(g: Any) -> Any:
    return g.init_weight_update("StaticPulse", {}, {"g": WEIGHTS.ravel()})


def copied_from_kernel(g: Any, model: Any) -> None:
    source, (out, diagonal) = populations(g, model, number=2)
    weights = g.init_var("Kernel", {})
    rule = g.init_weight_update("StaticPulse", {}, {"g": weights})
    s = connect(g, model, "SPARSE", source, out, rule, g.init_sparse_connectivity("Conv2D", FULL))
    s.vars["g"].extra_global_params["kernel"].set_init_values(WEIGHTS.ravel())
    connect(g, model, "TOEPLITZ", source, diagonal, kernel(g), g.init_toeplitz_connectivity("Conv2D", CONV))


def procedural(g: Any, model: Any) -> None:
    source, (out, constant) = populations(g, model, number=2)
    connect(g, model, "PROCEDURAL_KERNELG", source, out, kernel(g), g.init_sparse_connectivity("Conv2D", FULL))
    rule = g.init_weight_update("StaticPulseConstantWeight", {"g": 2.0})
    connect(g, model, "PROCEDURAL", source, constant, rule, g.init_sparse_connectivity("Conv2D", FULL))


def dense_matrix(weights: Any = WEIGHTS) -> NDArray[np.float64]:
    """Return all weights of the convolution, from its definition."""
    found = np.zeros((PRE, POST))
    for i, j, out in np.ndindex(6, 8, 3):
        for k, m, channel in np.ndindex(3, 2, 2):
            r, c = i + k - 1, j + m - 1
            if 0 <= r < 6 and 0 <= c < 7:
                found[(r * 7 + c) * 2 + channel, (i * 8 + j) * 3 + out] = weights[k, m, channel, out]
    return found


def expect(found: Any, name: str, matrix: NDArray[Any], masks: NDArray[Any] = MASKS) -> None:
    for step in range(1, STEPS):  # what is emitted in one timestep is seen in the next
        np.testing.assert_array_equal(found[f"{name}.vars.x"][step + 1], masks[step - 1] @ matrix)


def test_convolutions(other: Any, reference: Any) -> None:
    expected = reference(copied_from_kernel, STEPS)
    assert_alive(expected, "Out0.vars.x", "Out1.vars.x")
    expect(expected, "Out0", dense_matrix())
    # The Toeplitz form pads by what input and output leave over: half of it, rounded down, before the first row.
    expect(expected, "Out1", dense_matrix())
    assert_same(trace(other, copied_from_kernel, STEPS), expected)


def pooled(g: Any, model: Any) -> None:
    source, (out,) = populations(g, model, POOLED_MASKS)
    sizes = {name: size for name, size in CONV.items() if name[5] != "i"}
    connect(g, model, "TOEPLITZ", source, out, kernel(g), g.init_toeplitz_connectivity("AvgPoolConv2D", sizes | POOL))


def test_pooling(other: Any, reference: Any) -> None:
    expected = reference(pooled, STEPS)
    # Each input of the convolution is the sum of a pool; weights are to contain what an average divides by.
    sums = POOLED_MASKS.reshape(STEPS, 6, 2, 7, 2, 2).sum(axis=(2, 4)).reshape(STEPS, PRE)
    expect(expected, "Out0", dense_matrix(), sums)
    assert_same(trace(other, pooled, STEPS), expected)


def test_procedural_ones(engine: Any) -> None:
    found = trace(engine, procedural, STEPS)
    expect(found, "Out0", dense_matrix())
    expect(found, "Out1", dense_matrix(np.full_like(WEIGHTS, 2.0)))


@pytest.mark.parametrize("kind", ["SPARSE", "PROCEDURAL", "BITMASK"])
def test_drawn_connections_stay_the_same(engine: Any, kind: str) -> None:
    """What a spike sends is the same each time, in whatever form, and as often as probability says."""
    size = 200
    masks = np.zeros((STEPS, size), bool)
    masks[0], masks[3], masks[5, :100], masks[7, 100:] = True, True, True, True

    def network(g: Any, model: Any) -> None:
        source, (out,) = populations(g, model, masks, size)
        rule = g.init_weight_update("StaticPulseConstantWeight", {"g": 1.0})
        connect(g, model, kind, source, out, rule, g.init_sparse_connectivity("FixedProbability", {"prob": 0.3}))

    found = trace(engine, network, STEPS)["Out0.vars.x"]
    np.testing.assert_array_equal(found[2], found[5])
    np.testing.assert_array_equal(found[7] + found[9], found[2])
    assert not np.any(found[3])
    mean, deviation = size * 0.3, np.sqrt(size * 0.3 * 0.7)
    assert abs(found[2].mean() - mean) < 5 * deviation / np.sqrt(size)
    assert 0.7 * deviation < found[2].std() < 1.3 * deviation


def drawn(g: Any, model: Any) -> None:
    source, outs = populations(g, model, number=6)
    number = {"num": 9}
    for out, (name, params) in zip(
        outs,
        [
            ("FixedProbability", {"prob": 0.2}),
            ("FixedNumberPostWithReplacement", number),
            ("FixedNumberPreWithReplacement", number),
            ("FixedNumberTotalWithReplacement", {"num": 1000}),
        ],
        strict=False,
    ):
        rule = g.init_weight_update("StaticPulse", {}, {"g": 1.0})
        connect(g, model, "SPARSE", source, out, rule, g.init_sparse_connectivity(name, params))
    rule = g.init_weight_update("StaticPulseConstantWeight", {"g": 1.0})
    model.add_synapse_population(
        "Recurrent",
        "SPARSE",
        outs[4],
        outs[4],
        rule,
        g.init_postsynaptic("DeltaCurr"),
        g.init_sparse_connectivity("FixedProbabilityNoAutapse", {"prob": 0.9}),
    )


def test_drawn_lists(any_engine: Any) -> None:
    found = trace(any_engine, drawn, 1)
    pairs = {name.split()[0]: ends[-1] for name, ends in found.items() if name.endswith("synapses")}
    assert abs(pairs["SPARSEOut0"].shape[1] - 0.2 * PRE * POST) < 5 * np.sqrt(PRE * POST * 0.16)
    np.testing.assert_array_equal(np.bincount(pairs["SPARSEOut1"][0], minlength=PRE), 9)
    np.testing.assert_array_equal(np.bincount(pairs["SPARSEOut2"][1], minlength=POST), 9)
    assert pairs["SPARSEOut3"].shape[1] == 1000
    pre, post = pairs["Recurrent"]
    assert np.all(pre != post)
    assert abs(pre.size - 0.9 * POST * (POST - 1)) < 5 * np.sqrt(POST * (POST - 1) * 0.09)
    assert np.unique(pairs["SPARSEOut1"][1]).size > POST * 0.9


@cache
def counting(g: Any, kind: str) -> Any:
    """Return a rule whose synapses count spikes in the weights that they share."""
    return g.create_weight_update_model(
        "Counting", vars=[("w", kind)], pre_spike_syn_code="addToPost(1); atomic_add_w(1);"
    )


@pytest.mark.parametrize("kind", ["scalar", "double", "int", "uint32_t", "int64_t", "uint64_t", "int16_t", "uint8_t"])
def test_whole_numbers_are_added_to_shared_weights_of_any_type(other: Any, reference: Any, kind: str) -> None:
    expected = reference(counts(kind), STEPS)
    assert_alive(expected, "TOEPLITZOut0.vars.w", "Out0.vars.x")
    assert_same(trace(other, counts(kind), STEPS), expected)


@cache
def counts(kind: str) -> Any:
    def network(g: Any, model: Any) -> None:
        source, (out,) = populations(g, model)
        rule = g.init_weight_update(counting(g, kind), {}, {"w": 0})
        connect(g, model, "TOEPLITZ", source, out, rule, g.init_toeplitz_connectivity("Conv2D", CONV))

    return network


@pytest.mark.parametrize("kind", ["TOEPLITZ", "PROCEDURAL_KERNELG"])
def test_shared_weights_that_each_synapse_changes_in_turn(engine: Any, engines: Any, kind: str) -> None:
    def network(g: Any, model: Any) -> None:
        source, (out,) = populations(g, model)
        rule = g.create_weight_update_model(
            "InTurn", vars=scalars("w"), pre_spike_syn_code="addToPost(w); w = fmod(w + 1.0, 8.0);"
        )
        init = g.init_toeplitz_connectivity("Conv2D", CONV)
        if kind != "TOEPLITZ":
            init = g.init_sparse_connectivity("Conv2D", FULL)
        connect(g, model, kind, source, out, g.init_weight_update(rule, {}, {"w": 0.0}), init)

    found = trace(engine, network, STEPS)
    assert_same(found, trace(engines[0], network, STEPS))
    assert_alive(found, "Out0.vars.x")
