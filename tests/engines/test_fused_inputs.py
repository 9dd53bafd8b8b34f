"""Connections whose postsynaptic models are fused give what they give apart; those that updates look at stay apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    GeNNModel,
    create_custom_connectivity_update_model,
    create_custom_update_model,
    create_neuron_model,
    create_out_post_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)

SUM = create_neuron_model("Sum", vars=["x"], sim_code="x += Isyn;")
EVERY = create_neuron_model("Every", threshold_condition_code="id % 2 == 0")
CLEAR = create_custom_update_model("Clear", var_refs=["input"], update_code="input = 0.0;")
ADD = create_custom_connectivity_update_model(
    "Add", post_var_refs=[("input", "scalar")], row_update_code="if (row_length == 0) { add_synapse(id_pre); }"
)


def describe(engine: Any, fused: bool, refer: str = "") -> GeNNModel:
    model: GeNNModel = engine.model("fused")
    model.fuse_postsynaptic_models = fused
    source = model.add_neuron_population("Source", 6, EVERY)
    target = model.add_neuron_population("Target", 6, SUM, {}, {"x": 0.0})
    for name, weight, tau in [("One", 1.0, 4.0), ("Two", 2.0, 4.0), ("Other", 4.0, 8.0)]:
        synapses = model.add_synapse_population(
            name,
            "SPARSE",
            source,
            target,
            init_weight_update("StaticPulseConstantWeight", {"g": weight}),
            init_postsynaptic("ExpCurr", {"tau": tau}),
            init_sparse_connectivity("OneToOne"),
        )
    two = model.synapse_populations["Two"]
    if refer == "update":
        model.add_custom_update("Clear", "Clear", CLEAR, {}, {}, {"input": create_out_post_var_ref(two)})
    if refer == "connectivity":
        refs = {"input": create_out_post_var_ref(two)}
        model.add_custom_connectivity_update("Add", "Add", two, ADD, {}, {}, {}, {}, {}, {}, refs)
    assert synapses.name == "Other"
    return model


def test_fused_inputs_add_up(engine: Any, start: Callable[..., GeNNModel]) -> None:
    found = []
    for fused in (False, True):
        model = start(describe(engine, fused))
        model.run(20)
        x = model.neuron_populations["Target"].vars["x"]
        x.pull_from_device()
        found.append(np.array(x.view))
        outputs = [s.out_post is not None for s in model.synapse_populations.values()]
        assert outputs == ([True, False, True] if fused else [True] * 3)
    assert found[0].any()
    # One addition more or less of three numbers in each of 20 timesteps: at most 20 roundings of 2^-24 each.
    np.testing.assert_allclose(found[1], found[0], rtol=20 * 2.0**-24)


@pytest.mark.parametrize("refer", ["update", "connectivity"])
def test_an_input_that_an_update_refers_to_is_its_own(engine: Any, start: Callable[..., GeNNModel], refer: str) -> None:
    model = start(describe(engine, True, refer))
    model.run(3)
    model.custom_update("Clear" if refer == "update" else "Add")
    model.run(2)
    assert all(s.out_post is not None for s in model.synapse_populations.values())
