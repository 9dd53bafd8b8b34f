"""One description of a network, made of those of its groups, which copy large arrays once: where they are given."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn.declare import CustomUpdateModel, NeuronModel, PostsynapticModel, WeightUpdateModel
from snnlearn.genn import (
    GeNNModel,
    create_var_ref,
    create_wu_egp_ref,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)
from snnlearn.genn.describe import describe
from snnlearn.network import ArrayReference, Location, Reference, WeightReference

NEURON = NeuronModel("Cell", vars=["V"], extra_global_params=[("table", "scalar*")], sim_code="V += table[0];")
RULE = WeightUpdateModel(
    "Rule",
    vars=["w", "e"],
    pre_vars=["p"],
    post_vars=["q"],
    pre_neuron_var_refs=["V"],
    extra_global_params=[("gain", "scalar*")],
    pre_spike_syn_code="addToPost(w * e * p * q * V * gain[0]);",
)
CURRENT = PostsynapticModel("Current", vars=["x"], sim_code="injectCurrent(x * inSyn);")
SCALE = CustomUpdateModel(
    "Scale",
    vars=["by"],
    var_refs=["w"],
    extra_global_param_refs=[("gain", "scalar*")],
    update_code="w *= by * gain[0];",
)
SIZES = (300, 200)


def given(size: int) -> Any:
    return np.full(size, 0.5, np.float32)


def network(**changes: Any) -> tuple[GeNNModel, Any, Any]:
    """Return a model of one dense connection, its source and the connection."""
    pre, post = SIZES
    model = GeNNModel("float", "described")
    a = model.add_neuron_population("A", pre, NEURON, {}, {"V": given(pre)})
    b = model.add_neuron_population("B", post, NEURON, {}, {"V": 0.0})
    values = {"w": given(pre * post), "e": given(pre * post)} | changes
    ends: dict[str, Any] = {"pre_vars": {"p": given(pre)}, "post_vars": {"q": given(post)}}
    rule = init_weight_update(RULE, {}, values, **ends, pre_var_refs={"V": create_var_ref(a, "V")})
    s = model.add_synapse_population("S", "DENSE", a, b, rule, init_postsynaptic(CURRENT, {}, {"x": given(post)}))
    s.extra_global_params["gain"].set_init_values(given(1000))
    refs, egp_refs = {"w": create_wu_var_ref(s, "w")}, {"gain": create_wu_egp_ref(s, "gain")}
    model.add_custom_update("U", "G", SCALE, {}, {"by": given(pre * post)}, refs, egp_refs)
    return model, a, s


def arrays_of(*groups: Any) -> dict[tuple[str, str], Any]:
    """Return the arrays that groups' descriptions hold."""
    places = ("vars", "pre_vars", "post_vars", "psm_vars", "extra_global_params")
    found = {}
    for group in groups:
        for place in places:
            for name, value in getattr(group.spec, place, {}).items():
                if isinstance(value, np.ndarray):
                    found[group.name + "." + place, name] = value
    return found


def test_a_change_and_the_whole_description_take_arrays_as_they_are() -> None:
    model, a, s = network()
    before = arrays_of(a, s, model.custom_updates["U"])
    assert [name for _, name in before] == ["V", "w", "e", "p", "q", "x", "gain", "by"]
    a.spike_recording_enabled = a.spike_event_recording_enabled = True
    s.axonal_delay_steps = s.max_dendritic_delay_timesteps = 2
    s.narrow_sparse_ind_enabled = s.pre_spike_event_recording_enabled = True
    s.post_target_var = "Isyn"
    s.vars["e"].set_init_values(given(SIZES[0] * SIZES[1]))
    after = arrays_of(a, s, model.custom_updates["U"])
    assert after.keys() == before.keys()
    assert [key for key in before if after[key] is not before[key]] == [("S.vars", "e")]
    found = describe(model)
    spaces = [("A", "own", "V"), *(("S", "synapse", name) for name in "we"), ("S", "pre", "p"), ("S", "post", "q")]
    initial: list[tuple[Any, ...]] = [*spaces, ("S", "psm", "x")]
    described = [found.variables[Location(*at)].init for at in initial]
    described += [found.synapses["S"].extra_global_params["gain"], found.variables[Location("U", "own", "by")].init]
    assert all(one is other for one, other in zip(described, after.values(), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_what_sets_an_array_copies_it_once(dtype: str) -> None:
    number = SIZES[0] * SIZES[1]
    weights = np.arange(number).astype(dtype)
    model, _, s = network()
    one_copy = 4 * number
    # Of another type, an array is looked through for what does not fit: a boolean for each element.
    assert one_copy <= memory_of(lambda: s.vars["w"].set_init_values(weights)) < 1.5 * one_copy
    assert memory_of(lambda: setattr(s, "axonal_delay_steps", 3)) < 0.5 * one_copy
    assert memory_of(lambda: describe(model)) < 0.5 * one_copy
    kept = weights.copy()
    weights[:] = 0
    np.testing.assert_array_equal(describe(model).variables[Location("S", "synapse", "w")].init, kept)


def test_a_connection_copies_the_arrays_that_it_is_added_with() -> None:
    weights = given(SIZES[0] * SIZES[1])
    model, _, s = network(w=weights)
    weights[:] = 7.0
    s.axonal_delay_steps = 1
    assert set(describe(model).variables[Location("S", "synapse", "w")].init) == {0.5}


def test_descriptions_refer_to_groups_by_name() -> None:
    model, _, s = network()
    found = describe(model)
    assert (found.synapses["S"].source, found.synapses["S"].target) == ("A", "B")
    update = found.custom_updates["U"]
    assert update.var_refs == {"w": WeightReference(Location("S", "synapse", "w"))}
    assert [type(ref) for ref in update.var_refs.values()] == [WeightReference]
    assert [type(ref) for ref in update.egp_refs.values()] == [ArrayReference]
    assert [type(ref) for ref in s.spec.pre_var_refs.values()] == [Reference]


def memory_of(do: Callable[[], object]) -> int:
    """Return how many bytes more than before there are at the most, while something is done."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
