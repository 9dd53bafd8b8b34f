"""Groups that are alike share compiled code, and each has its own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from snnlearn.genn import (
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)

INTEGRATE = create_neuron_model(
    "Integrate",
    params=["threshold"],
    vars=["V", "n"],
    sim_code="V += Isyn + 0.3;",
    threshold_condition_code="V >= threshold",
    reset_code="V = 0.0; n += 1.0;",
)
SCALE = create_custom_update_model("Scale", params=["by"], var_refs=["n"], update_code="n *= by;")


def state(engine: Any, start: Any, numbers: range) -> dict[str, Any]:
    """Run populations of those numbers, each by itself; return all their variables."""
    model = engine.model()
    model.batch_size = 2
    for k in numbers:
        population = model.add_neuron_population(
            f"P{k}",
            10 + k,
            INTEGRATE,
            {"threshold": 1.0 + k},
            {"V": init_var("Uniform", {"min": 0, "max": k}), "n": 0.0},
        )
        connection = model.add_synapse_population(
            f"S{k}",
            "SPARSE",
            population,
            population,
            init_weight_update("StaticPulse", {}, {"g": init_var("Normal", {"mean": 0.1 * k, "sd": 0.05})}),
            init_postsynaptic("DeltaCurr"),
            init_sparse_connectivity("FixedProbability", {"prob": 0.1 * k}),
        )
        connection.axonal_delay_steps = 2
        model.add_custom_update(f"U{k}", "Scale", SCALE, {"by": k + 0.5}, {}, {"n": create_var_ref(population, "n")})
    start(model)
    merges = "merge" in model.preferences.optimise
    assert ("SNN_MERGED static" in model.source()) == (len(numbers) > 1 and merges)
    model.run(20)
    model.custom_update("Scale")
    found = {}
    for k in numbers:
        for group in (model.neuron_populations[f"P{k}"], model.synapse_populations[f"S{k}"]):
            for variable in group.vars.values():
                variable.pull_from_device()
                found[str(variable.location)] = variable.values
    return found


def test_many_groups_are_each_what_one_is_alone(engine: Any, start: Any) -> None:
    together = state(engine, start, range(1, 6))
    assert len({values.tobytes() for values in together.values()}) == 15
    for k in range(1, 6):
        for name, values in state(engine, start, range(k, k + 1)).items():
            assert values.any(), name
            np.testing.assert_array_equal(together[name], values)


def test_updates_may_differ_in_nothing_but_their_names(engine: Any, start: Any) -> None:
    model = engine.model()
    population = model.add_neuron_population("P", 5, INTEGRATE, {"threshold": 1.0}, {"V": 0.0, "n": 1.0})
    for name in ("First", "Second"):
        refs = {"n": create_var_ref(population, "n")}
        model.add_custom_update(name, name, SCALE, {"by": 3.0}, {}, refs)
    start(model)
    model.custom_update("First")
    model.custom_update("Second")
    population.vars["n"].pull_from_device()
    assert set(population.vars["n"].view) == {9.0}
