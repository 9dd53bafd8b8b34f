"""Reports of deferred kernels come when they are flushed, whatever flushes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agreement import scalars
from snnlearn import genn
from snnlearn.errors import NetworkError

COUNT = genn.create_neuron_model("Count", vars=scalars("V"), sim_code="V += 1.0;")
CHECKED = genn.create_weight_update_model(
    "Checked",
    vars=scalars("e"),
    post_neuron_var_refs=scalars("V"),
    synapse_dynamics_code="e += 0.0 * V; assert(V < 3.0); e = V;",
)


@pytest.mark.parametrize("look", ["pull", "state", "device_array", "update"])
def test_an_assertion_of_deferred_code_is_not_lost(engine: Any, start: Any, look: str) -> None:
    model = engine.model()
    pre = model.add_neuron_population("A", 2, COUNT, {}, {"V": 0.0})
    post = model.add_neuron_population("B", 3, COUNT, {}, {"V": 0.0})
    rule = genn.init_weight_update(CHECKED, vars={"e": 0.0}, post_var_refs={"V": genn.create_var_ref(post, "V")})
    s = model.add_synapse_population("S", "DENSE", pre, post, rule, genn.init_postsynaptic("DeltaCurr"))
    add = genn.create_custom_update_model("Add", var_refs=scalars("V"), update_code="V += 0.0;")
    model.add_custom_update("U", "G", add, {}, {}, {"V": genn.create_var_ref(pre, "V")})
    start(model)
    model.run(2)
    s.vars["e"].pull_from_device()
    looks: dict[str, Callable[[], Any]] = {
        "pull": s.vars["e"].pull_from_device,
        "state": model.state,
        "device_array": lambda: s.vars["e"].device_array,
        "update": lambda: model.custom_update("G"),
    }

    def run() -> None:
        model.run(10)  # which tells of it itself where nothing is deferred
        looks[look]()

    with pytest.raises(NetworkError, match="an assertion failed"):
        run()
    s.vars["e"].pull_from_device()  # it is told once
