"""Work that is shared among threads, or would be if it could: kernels large enough, against one thread's plain plan."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import assert_alive, assert_same, scalars, trace

WIDE = 520  # squared, more synapses than it takes to share a kernel of each timestep
MANY = 9001  # neurons that a custom update shares
STEPS = 6


@cache
def counter(g: Any) -> Any:
    return g.create_neuron_model(
        "Counter",
        vars=scalars("V"),
        sim_code="V = fmod(V + 1.0 + fmod(id, 5.0) + Isyn, 64.0);",
        threshold_condition_code="V > 32.0",
    )


@cache
def sends(g: Any, code: str) -> Any:
    return g.create_weight_update_model(
        "Sends",
        vars=[*scalars("w", "e"), ("delay", "uint8_t")],
        post_neuron_var_refs=scalars("V"),
        pre_spike_syn_code="e = fmod(e + 3.0, 128.0);",
        synapse_dynamics_code=f"e = fmod(e + w + V, 128.0); {code}",
    )


@cache
def adds(g: Any) -> Any:
    return g.create_custom_update_model(
        "Adds",
        vars=[("sum", "scalar", g.CustomUpdateVarAccess.REDUCE_NEURON_SUM)],
        var_refs=scalars("V"),
        update_code="V = fmod(V + 1.0, 32.0); sum = V;",
    )


@cache
def changes(g: Any) -> Any:
    return g.create_custom_update_model(
        "Changes", vars=scalars("n"), var_refs=scalars("w"), update_code="n += w; w += 1.0;"
    )


CODES = [
    pytest.param("addToPost(w > 2.0 ? 1.0 : 0.0);", marks=pytest.mark.slow),
    pytest.param("addToPre(w > 2.0 ? 1.0 : 0.0);", marks=pytest.mark.slow),
    "addToPost(w > 2.0 ? 1.0 : 0.0); addToPre(1.0);",
    "addToPostDelay(w > 2.0 ? 1.0 : 0.0, delay);",
]


@pytest.fixture(scope="module", params=CODES)
def network(request: Any) -> Any:
    def build(g: Any, model: Any) -> Any:
        rng = np.random.default_rng(1)
        a = model.add_neuron_population("A", WIDE, counter(g), {}, {"V": np.arange(WIDE) % 32})
        for name, kind in [("Dense", "DENSE"), ("Sparse", "SPARSE")]:
            pre, post = np.nonzero(rng.uniform(size=(WIDE, WIDE)) < 0.8)
            number = pre.size if kind == "SPARSE" else WIDE * WIDE
            values = {"w": rng.integers(0, 4, number), "e": 0.0, "delay": rng.integers(0, 3, number)}
            refs = {"V": g.create_var_ref(a, "V")}
            init = g.init_weight_update(sends(g, request.param), {}, values, {}, {}, {}, refs)
            s = model.add_synapse_population(name, kind, a, a, init, g.init_postsynaptic("DeltaCurr"))
            s.max_dendritic_delay_timesteps = 3
            if kind == "SPARSE":
                s.set_sparse_connections(pre, post)
            refs = {"w": g.create_wu_var_ref(s, "w")}
            model.add_custom_update(f"Change{name}", "Change", changes(g), {}, {"n": 0.0}, refs)
        many = model.add_neuron_population("Many", MANY, counter(g), {}, {"V": np.arange(MANY) % 32})
        model.add_custom_update("Add", "Change", adds(g), {}, {"sum": 0.0}, {"V": g.create_var_ref(many, "V")})
        return lambda timestep: model.custom_update("Change") if timestep % 2 else None

    return build


def test_threads_change_nothing(network: Any, engines: Any, reference: Any) -> None:
    expected = reference(network, STEPS)
    assert_alive(expected, "A.vars.V", "Dense.vars.e", "Sparse.vars.e", "Add.vars.sum", "ChangeSparse.vars.n")
    for engine in engines[1:]:
        assert_same(trace(engine, network, STEPS), expected)
