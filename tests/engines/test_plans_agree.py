"""Optimised plans against the plain one: deferral and threads change no bit, reordered arithmetic only rounding."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from snnlearn.codegen.plan import DEFAULT
from snnlearn.genn import GeNNModel, create_var_ref, init_postsynaptic, init_var, init_weight_update
from snnlearn.models import SuperSpike, SuperSpikeHidden

STEPS = 300
SHAPES = [(1, 1), (3, 65), (130, 64), (31, 33)]
NEURON = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
SYNAPSE = {"tauRise": 5.0, "tauDecay": 10.0, "beta": 1000.0, "Vthresh": -50.0}


def run(pre: int, post: int, optimise: tuple[str, ...], threads: int = 1, accesses: int = 1) -> tuple[GeNNModel, Any]:
    """Run two populations connected both ways by SuperSpike; return every variable and the spikes."""
    model = GeNNModel("float", "plans", backend="cpu", optimise=optimise, threads=threads)
    model.dt, model.seed = 0.1, 5
    rng = np.random.default_rng(pre * 1000 + post)
    first = {"refracTime": 0.0, "errTilda": 0.0}
    a, b = (
        model.add_neuron_population(name, n, SuperSpikeHidden, NEURON, {**first, "V": rng.uniform(-60.0, -40.0, n)})
        for name, n in (("A", pre), ("B", post))
    )
    for name, source, target in [("AB", a, b), ("BA", b, a)]:
        synapses = model.add_synapse_population(
            name,
            "DENSE",
            source,
            target,
            init_weight_update(
                SuperSpike,
                SYNAPSE,
                {"w": init_var("Normal", {"mean": 30.0, "sd": 60.0}), "e": 0.0, "lambda": 0.0, "m": 0.0},
                {"z": 0.0, "zTilda": 0.0},
                {"sigmaPrime": 0.0},
                post_var_refs={"V": create_var_ref(target, "V"), "errTilda": create_var_ref(target, "errTilda")},
            ),
            init_postsynaptic("ExpCurr", {"tau": 5.0}),
        )
    # The second connection feeds the error, so that gradients are not all zero.
    synapses.post_target_var = "ISynFeedback"
    a.spike_recording_enabled = b.spike_recording_enabled = True
    model.build()
    model.load(num_recording_timesteps=STEPS)
    stops = np.unique(np.linspace(0, STEPS, accesses + 1, dtype=int))
    for begin, end in pairwise(stops.tolist()):
        model.run(end - begin)
        model.synapse_populations["AB"].vars["m"].pull_from_device()
    model.pull_recording_buffers_from_device()
    values = model.state()
    for n in (a, b):
        values[f"spikes of {n.name}"] = np.concatenate(n.spike_recording_data[0])
    model.unload()
    return model, values


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def plain(request: pytest.FixtureRequest) -> tuple[int, int, Any]:
    model, values = run(*request.param, ())
    assert "tile_" not in model.source()
    return *request.param, values


@pytest.mark.parametrize(("threads", "accesses"), [(1, 1), (2, 1), (3, 7), (16, 100)])
def test_deferral_and_threads_change_no_bit(plain: Any, threads: int, accesses: int) -> None:
    pre, post, expected = plain
    model, values = run(pre, post, ("defer",), threads, accesses)
    assert model.source().count("tile_synapse_dynamics_") > 0, "something has been deferred"
    assert expected["AB.synapse.lambda"].any()
    assert expected["BA.synapse.m"].any() or pre == 1, "there is something to compare"
    for name, value in values.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_arithmetic_in_another_order_changes_rounding_only(plain: Any) -> None:
    pre, post, expected = plain
    _, values = run(pre, post, DEFAULT)
    for name, value in values.items():
        if name.startswith("spikes"):
            np.testing.assert_array_equal(value, expected[name], err_msg=name)
            continue
        scale = np.abs(expected[name]).max(initial=0.0)
        # Every timestep adds a few roundings of 2^-24, and traces forget within some 100 timesteps.
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-5 * scale, err_msg=name)


def test_plain_plan_with_threads(plain: Any) -> None:
    pre, post, expected = plain
    _, values = run(pre, post, (), threads=2)
    for name, value in values.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
