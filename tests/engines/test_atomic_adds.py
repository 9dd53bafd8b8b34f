"""Every action of synapse code, on every kind of connectivity and weights: in whole numbers, so that sums are exact."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

SIZE, STEPS = 4, 4
CODES = ("pre_spike_syn_code", "post_spike_syn_code", "pre_event_syn_code", "post_event_syn_code")
KERNEL = {"conv_kh": 1, "conv_kw": 1, "conv_ih": 1, "conv_iw": 1, "conv_ic": SIZE, "conv_oh": 1, "conv_ow": 1}
KERNEL |= {"conv_oc": SIZE}
STRIDES = {"conv_sh": 1, "conv_sw": 1, "conv_padh": 0, "conv_padw": 0}
INDIVIDUAL = ("DENSE", "SPARSE", "BITMASK", "PROCEDURAL", "DENSE_PROCEDURALG")
SHARED = ("TOEPLITZ", "PROCEDURAL_KERNELG")
TYPES = {"g": "scalar", "d": "double", "n": "int", "small": "uint8_t", "wide": "int64_t"}


@cache
def ringing(g: Any) -> Any:
    """Return neurons that all spike in every timestep."""
    return g.create_neuron_model(
        "Ringing", vars=[("x", "scalar")], sim_code="x += Isyn;", threshold_condition_code="true"
    )


@cache
def adding(g: Any, *codes: str) -> Any:
    """Return a rule that adds 1 and -3 to what it has, and calls all else that such code can call."""
    adds = "".join(f"atomic_add_{name}(1.0); atomic_add_{name}(-3); " for name in TYPES if name != "small")
    code = f"{adds} atomic_add_small(2.75); addToPost(1.0); addToPre(1.0); addToPostDelay(1.0, 1);"
    return g.create_weight_update_model(
        "Adding",
        vars=list(TYPES.items()),
        pre_event_threshold_condition_code="true",
        post_event_threshold_condition_code="true",
        **dict.fromkeys(codes, code),
    )


def connectivity(g: Any, kind: str) -> Any:
    if kind == "TOEPLITZ":
        return g.init_toeplitz_connectivity("Conv2D", KERNEL)
    if kind == "PROCEDURAL_KERNELG":
        return g.init_sparse_connectivity("Conv2D", KERNEL | STRIDES)
    return None if kind.startswith("DENSE") else g.init_sparse_connectivity("FixedProbability", {"prob": 1.0})


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("kind", [*INDIVIDUAL, *SHARED])
def test_sums_on_every_kind_of_connectivity(engine: Any, start: Any, kind: str, batch: int) -> None:
    g, model = engine.api, engine.model()
    model.batch_size = batch
    codes = (*CODES, "synapse_dynamics_code")
    a, b = (model.add_neuron_population(name, SIZE, ringing(g), {}, {"x": 0.0}) for name in "AB")
    groups = {}
    for code in codes:
        rule = g.init_weight_update(adding(g, code), {}, dict.fromkeys(TYPES, 7))
        post, init = g.init_postsynaptic("DeltaCurr"), connectivity(g, kind)
        groups[code] = s = model.add_synapse_population(f"S_{code}", kind, a, b, rule, post, init)
        s.max_dendritic_delay_timesteps = 2
    start(model)
    model.run(STEPS)
    # What spikes and events do, they do from the timestep after the first on.
    calls = {code: STEPS - (code != "synapse_dynamics_code") for code in codes}
    stored = groups.items() if kind not in ("PROCEDURAL", "DENSE_PROCEDURALG") else ()
    for code, s in stored:
        for name, kind_of in TYPES.items():
            s.vars[name].pull_from_device()
            each = (2 if name == "small" else -2) * calls[code]
            assert set(np.asarray(s.vars[name].current_values).ravel().tolist()) == {7 + each}, (code, name, kind_of)
    for population in (a, b):
        population.vars["x"].pull_from_device()
    total = sum(calls.values())
    np.testing.assert_array_equal(a.vars["x"].values, SIZE * total)
    delayed = SIZE * (total - len(codes))  # what was sent in the last timestep is on its way
    np.testing.assert_array_equal(b.vars["x"].values, SIZE * total + delayed)
