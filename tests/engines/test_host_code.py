"""Host code of connectivity updates: on the host copies that users see, and on its own where they see none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    VarLocation,
    create_custom_connectivity_update_model,
    create_neuron_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)

NEURON = create_neuron_model("N", vars=["V"])
FILL = create_custom_connectivity_update_model(
    "Fill",
    pre_vars=[("missing", "unsigned int")],
    extra_global_params=[("total", "uint64_t*")],
    host_update_code="""
    pullRowLengthFromDevice();
    total[0] = 0;
    for (unsigned int i = 0; i < num_pre; i++) {
        total[0] += row_length[i];
        missing[i] = 1000 + row_stride - row_length[i];
    }
    pushmissingToDevice();
    """,
    row_update_code="while (missing > 1000) { add_synapse(id_pre % num_post); missing--; }",
)


@pytest.mark.parametrize("where", [VarLocation.HOST_DEVICE, VarLocation.DEVICE])
def test_rows_are_counted_on_the_host(engine: Any, start: Any, where: VarLocation) -> None:
    size = 3000
    model = engine.model()
    model.default_sparse_connectivity_location = where
    pre = model.add_neuron_population("A", size, NEURON, {}, {"V": 0.0})
    post = model.add_neuron_population("B", 10, NEURON, {}, {"V": 0.0})
    connection = model.add_synapse_population(
        "AB",
        "SPARSE",
        pre,
        post,
        init_weight_update("StaticPulse", {}, {"g": 0.0}),
        init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("FixedProbability", {"prob": 0.1}),
    )
    connection.max_connections = 10
    update = model.add_custom_connectivity_update("U", "Fill", connection, FILL, {}, {}, {"missing": 0})
    update.set_pre_var_location("missing", where)
    update.extra_global_params["total"].set_init_values(np.zeros(1, dtype=np.uint64))
    start(model)
    totals = []
    for _ in range(2):
        model.custom_update("Fill")
        totals.append(int(update.extra_global_params["total"].view[0]))
    assert abs(totals[0] / (size * 10) - 0.1) < 0.01
    assert totals[1] == size * 10
    if where is VarLocation.HOST_DEVICE:
        assert set(update.pre_vars["missing"].view) == {1000}
        connection.pull_connectivity_from_device()
        np.testing.assert_array_equal(np.bincount(connection.get_sparse_pre_inds()), [10] * size)


def test_host_code_works_on_the_callers_memory(engine: Any, start: Any) -> None:
    model = engine.model()
    pre, post = (model.add_neuron_population(name, 4, NEURON, {}, {"V": 0.0}) for name in "AB")
    connection = model.add_synapse_population(
        "AB",
        "SPARSE",
        pre,
        post,
        init_weight_update("StaticPulse", {}, {"g": 0.0}),
        init_postsynaptic("DeltaCurr"),
    )
    connection.set_sparse_connections([0, 1, 1, 3], [0, 2, 3, 1])
    connection.max_connections = 4
    update = model.add_custom_connectivity_update("U", "Fill", connection, FILL, {}, {}, {"missing": 0})
    total = update.extra_global_params["total"]
    total.set_init_values(np.zeros(1, dtype=np.uint64))
    start(model)
    before, mine = total.view, np.zeros(1, dtype=np.uint64)
    total.set_array(mine)
    model.custom_update("Fill")
    assert (before.tolist(), mine.tolist()) == ([0], [4])
