"""A copy of a model describes the same network, whatever the model has been through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.errors import LifecycleError
from snnlearn.genn import GeNNModel, VarAccess, init_postsynaptic, init_var, init_weight_update
from snnlearn.genn.copies import copy_model

MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 2.0}


def described(**preferences: Any) -> GeNNModel:
    """Return a model with a group of each kind."""
    model = GeNNModel("float", "original", **preferences)
    model.dt, model.seed, model.batch_size = 0.5, 7, 2
    first = {"V": init_var("Uniform", {"min": -60.0, "max": -50.0}), "RefracTime": 0.0}
    a, b = (model.add_neuron_population(name, 6, "LIF", MEMBRANE, first) for name in "AB")
    b.set_param_dynamic("Ioffset")
    source = model.add_current_source("Current", "DC", a, {"amp": 0.3})
    assert source.target_pop is a
    weights = {"g": init_var("Normal", {"mean": 1.0, "sd": 0.5})}
    rule, psm = init_weight_update("StaticPulse", {}, weights), init_postsynaptic("ExpCurr", {"tau": 5.0})
    dense = model.add_synapse_population("AB", "DENSE", a, b, rule, psm)
    dense.axonal_delay_steps = 3
    random = genn.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
    model.add_synapse_population("BA", "SPARSE", b, a, rule, psm, random)
    given = model.add_synapse_population("BB", "SPARSE", b, b, init_weight_update("StaticPulse", {}, {"g": 0.5}), psm)
    given.set_sparse_connections([0, 3, 5], [1, 1, 2])
    halve = genn.create_custom_update_model("Halve", var_refs=[("w", "scalar")], update_code="w *= 0.5;")
    model.add_custom_update("Weights", "Halve", halve, {}, {}, {"w": genn.create_wu_var_ref(dense, "g")})
    model.add_custom_update("Potentials", "Halve", halve, {}, {}, {"w": genn.create_var_ref(a, "V")})
    return model


def test_it_describes_the_same_network_and_starts_alike() -> None:
    model = described()
    copied = copy_model(model)
    assert copied.description() == model.description()
    for one in (model, copied):
        one.build()
        one.load()
        one.run(40)
        one.custom_update("Halve")
    try:
        found, expected = copied.state(), model.state()
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
        assert copy_model(model).description() == model.description(), "of a loaded model too"
    finally:
        model.unload()
        copied.unload()


def test_another_precision_and_what_is_recorded() -> None:
    model = described()
    model.record(model.neuron_populations["A"], "V", timesteps=5)
    copied = copy_model(model, "double")
    assert copied.precision == "double"
    assert model.neuron_populations["A"].spec.records
    assert not copied.neuron_populations["A"].spec.records
    assert {group.spec.precision for group in copied.neuron_populations.values()} == {"double"}


def test_what_is_played_has_no_copy() -> None:
    reads = genn.create_neuron_model("Reads", vars=[("x", "scalar", VarAccess.READ_ONLY_DUPLICATE)], sim_code="")
    model = GeNNModel("float", "plays")
    population = model.add_neuron_population("P", 2, reads, {}, {"x": 0.0})
    model.play(population, "x", np.zeros((3, 2)))
    with pytest.raises(LifecycleError, match="'P' plays something to 'x'"):
        copy_model(model)
