"""Groups may be called what GeNN lets them be called: any word of letters, digits and underscores."""

from __future__ import annotations

from typing import Any

import pytest

from snnlearn.genn import (
    create_current_source_model,
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    init_postsynaptic,
    init_sparse_connectivity,
    init_weight_update,
)

COUNTER = create_neuron_model(
    "Counter",
    vars=["V", "n"],
    sim_code="V += Isyn;",
    threshold_condition_code="V >= 2.0",
    reset_code="V = 0.0; n += 1.0;",
)
ONE = create_current_source_model("One", vars=["given"], injection_code="injectCurrent(1.0); given += 1.0;")
TRACED = create_weight_update_model(
    "Traced",
    vars=["g"],
    pre_vars=["x"],
    pre_spike_syn_code="addToPost(g); g += 1.0;",
    pre_spike_code="x += 1.0;",
    synapse_dynamics_code="g *= 1.0;",
    post_spike_syn_code="g += 0.0;",
)
DOUBLE = create_custom_update_model("Double", var_refs=["n"], update_code="n *= 2.0;")


@pytest.mark.few_engines
@pytest.mark.parametrize("name", ["23E", "3", "3_", "float", "new", "_a", "__a__", "T", "id_pre", "sim", "NULL"])
def test_any_word_names_any_group(engine: Any, start: Any, name: str) -> None:
    model = engine.model()
    population = model.add_neuron_population(name, 2, COUNTER, {}, {"V": 0.0, "n": 0.0})
    population.spike_recording_enabled = True
    source = model.add_current_source(f"{name}1", ONE, population, {}, {"given": 0.0})
    weights = init_weight_update(TRACED, vars={"g": 0.0}, pre_vars={"x": 0.0})
    connect = init_sparse_connectivity("OneToOne")
    groups = [
        model.add_synapse_population(
            f"{name}{number}", kind, population, population, weights, init_postsynaptic("DeltaCurr"), connectivity
        )
        for number, (kind, connectivity) in enumerate([("SPARSE", connect), ("DENSE", None)], start=2)
    ]
    update = model.add_custom_update(f"{name}4", name, DOUBLE, var_refs={"n": create_var_ref(population, "n")})
    start(model, 4)
    for _ in range(4):
        model.step_time()
    model.custom_update(name)
    # A spike in the second step, two in the fourth: weights are 0 at first and 1 after the first spike.
    model.pull_recording_buffers_from_device()
    assert population.spike_recording_data[0][0].tolist() == [1.0, 1.0, 3.0, 3.0]
    for variable, expected in [
        (population.vars["n"], 4),
        (source.vars["given"], 4),
        (groups[0].vars["g"], 1),
        (groups[1].vars["g"], 1),
        (groups[1].pre_vars["x"], 2),
    ]:
        variable.pull_from_device()
        assert set(variable.values) == {expected}, variable.name
    assert update.name == f"{name}4"
