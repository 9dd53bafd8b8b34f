"""Groups of different kinds may have one name, as in GeNN."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError

X = [("x", "scalar")]


@cache
def models(g: Any) -> dict[str, Any]:
    return {
        "neuron": g.create_neuron_model(
            "N",
            params=[("p", "scalar")],
            vars=X,
            extra_global_params=[("e", "scalar*")],
            sim_code="x += Isyn + p + e[0];",
            threshold_condition_code="x > 3.0",
        ),
        "rule": g.create_weight_update_model(
            "W", params=[("p", "scalar")], vars=X, pre_vars=[("y", "scalar")], pre_spike_syn_code="addToPost(x * p);"
        ),
        "source": g.create_current_source_model(
            "C",
            params=[("p", "scalar")],
            vars=X,
            extra_global_params=[("e", "scalar*")],
            injection_code="injectCurrent(x + p + e[0]); x += 1.0;",
        ),
        "update": g.create_custom_update_model(
            "U", params=[("p", "scalar")], vars=X, var_refs=[("r", "scalar")], update_code="x += 1.0; r = r * 2.0 + p;"
        ),
        "change": g.create_custom_connectivity_update_model(
            "CC", params=[("p", "scalar")], pre_vars=X, row_update_code="x += p + row_length;"
        ),
    }


def same(g: Any, model: Any, names: dict[str, str]) -> tuple[Any, ...]:
    """Add a group of each kind, called as told."""
    m = models(g)
    a = model.add_neuron_population(names["neuron"], 2, m["neuron"], {"p": 1.0}, {"x": 1.0})
    rule = g.init_weight_update(m["rule"], {"p": 2.0}, {"x": 10.0}, {"y": 0.0})
    one = g.init_sparse_connectivity("OneToOne")
    post = g.init_postsynaptic("DeltaCurr")
    s = model.add_synapse_population(names["synapse"], "SPARSE", a, a, rule, post, one)
    c = model.add_current_source(names["source"], m["source"], a, {"p": 0.25}, {"x": 0.5})
    refs = {"r": g.create_var_ref(c, "x")}
    u = model.add_custom_update(names["update"], "G", m["update"], {"p": 100.0}, {"x": 0.0}, refs)
    refs = {"r": g.create_wu_var_ref(s, "x")}
    w = model.add_custom_update(f"{names['update']}W", "G", m["update"], {"p": 1.0}, {"x": 0.0}, refs)
    change = model.add_custom_connectivity_update(names["change"], "G", s, m["change"], {"p": 0.5}, {}, {"x": 0.0}, {})
    a.extra_global_params["e"].set_init_values(np.array([0.125]))
    c.extra_global_params["e"].set_init_values(np.array([0.0625]))
    for group in (a, c):
        group.set_param_dynamic("p")
    return a, s, c, u, w, change


ALIKE = dict.fromkeys(["neuron", "synapse", "source", "update", "change"], "out")
CROSSED = {
    "neuron": "out",
    "synapse": "out",
    "source": "out_synapse_populations",
    "update": "out_current_sources",
    "change": "out_synapse_populations",
}


@pytest.mark.parametrize("names", [ALIKE, CROSSED], ids=["alike", "crossed"])
def test_each_is_its_own(any_engine: Any, names: dict[str, str]) -> None:
    g, model = any_engine.api, any_engine.model()
    a, s, c, u, w, change = same(g, model, names)
    a.spike_recording_enabled = True
    assert [group.name for group in (a, s, c, u, change)] == [*names.values()]
    model.build()
    model.load(num_recording_timesteps=2)
    model.step_time()
    c.set_dynamic_param_value("p", 1.25)
    model.step_time()

    def values(variable: Any) -> list[float]:
        variable.pull_from_device()
        return np.asarray(variable.values).ravel().tolist()

    first = 1.0 + (0.5 + 0.25 + 0.0625) + 1.0 + 0.125
    second = first + (1.5 + 1.25 + 0.0625) + 1.0 + 0.125
    assert values(a.vars["x"]) == [second] * 2
    assert second > 3.0 > first
    assert values(c.vars["x"]) == [2.5] * 2
    model.custom_update("G")
    assert values(c.vars["x"]) == [2.5 * 2.0 + 100.0] * 2
    assert values(s.vars["x"]) == [10.0 * 2.0 + 1.0] * 2
    assert values(u.vars["x"]) == values(w.vars["x"]) == [1.0] * 2
    assert values(change.pre_vars["x"]) == [0.5 + 1.0] * 2
    model.pull_recording_buffers_from_device()
    times, ids = a.spike_recording_data[0]
    assert (times.tolist(), sorted(ids.tolist())) == ([1.0, 1.0], [0, 1])
    # The spike of the second timestep arrives in the third, by the weight as the update has left it.
    model.step_time()
    assert values(a.vars["x"]) == [second + (105.0 + 1.25 + 0.0625) + 21.0 * 2.0 + 1.0 + 0.125] * 2
    model.unload()


def test_the_state_holds_all_of_them(engine: Any, start: Any) -> None:
    model = engine.model()
    a, s, c, *_ = same(engine.api, model, ALIKE)
    start(model)
    before = model.state()
    model.run(2)
    after = model.state()
    model.set_state(before)
    for variable, first in ((a.vars["x"], 1.0), (s.vars["x"], 10.0), (c.vars["x"], 0.5)):
        variable.pull_from_device()
        assert set(np.asarray(variable.values).ravel()) == {first}
    model.set_state(after)
    c.vars["x"].pull_from_device()
    assert set(c.vars["x"].values) == {2.5}
    if "cuda" not in engine.name:
        assert "neuron_update_out" in model.explain()


def test_random_numbers_of_two_groups_of_one_name_differ(engine: Any, start: Any) -> None:
    g, model = engine.api, engine.model()
    normal = g.init_var("Normal", {"mean": 0.0, "sd": 1.0})
    neuron = g.create_neuron_model("N", vars=X, sim_code="")
    source = g.create_current_source_model("C", vars=X, injection_code="injectCurrent(0.0);")
    a = model.add_neuron_population("out", 50, neuron, {}, {"x": normal})
    c = model.add_current_source("out", source, a, {}, {"x": normal})
    start(model)
    for group in (a, c):
        group.vars["x"].pull_from_device()
    assert not np.isin(a.vars["x"].values, c.vars["x"].values).any()


def test_one_kind_has_a_name_once(engine: Any) -> None:
    model = engine.model()
    a, s, c, *_ = same(engine.api, model, ALIKE)
    with pytest.raises(NetworkError, match="there is a group called 'out' in neuron_populations already"):
        model.add_neuron_population("out", 2, a.model, {"p": 1.0}, {"x": 0.0})
    with pytest.raises(NetworkError, match="there is a group called 'out' in current_sources already"):
        model.add_current_source("out", c.model, a, {"p": 1.0}, {"x": 0.0})
    assert model.synapse_populations["out"] is s
    assert model.current_sources["out"] is c
