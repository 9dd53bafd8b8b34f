"""A local variable that hides a declared name hides it in its own code only."""

from __future__ import annotations

from typing import Any

from snnlearn.genn import (
    create_neuron_model,
    create_postsynaptic_model,
    create_weight_update_model,
    init_postsynaptic,
    init_weight_update,
)

NEURON = create_neuron_model(
    "Hider",
    params=["p"],
    vars=["V", "seen"],
    sim_code="V = p + Isyn; scalar p = 10.0 * p; { scalar V = 3.0; p += V; } scalar dt = p; seen = dt;",
    threshold_condition_code="p > 20.0",
    reset_code="V += p; { scalar p = 1.0; V += p; }",
)
CURRENT = create_postsynaptic_model("Current", params=["p"], sim_code="scalar q = p; injectCurrent(q + dt);")
SILENT = create_weight_update_model("Silent", pre_spike_syn_code="scalar dt = 0.0; addToPost(dt);")


def test_hidden_names(engine: Any, start: Any) -> None:
    model = engine.model()
    model.dt = 0.5
    quiet, loud = (model.add_neuron_population(f"N{p}", 1, NEURON, {"p": p}, {"V": 0.0, "seen": 0.0}) for p in (1, 2))
    for source, target in [(quiet, loud), (loud, quiet)]:
        model.add_synapse_population(
            f"{source.name}{target.name}",
            "DENSE",
            source,
            target,
            init_weight_update(SILENT),
            init_postsynaptic(CURRENT, {"p": 4.0}),
        )
    start(model)
    model.step_time()
    values = {}
    for population in (quiet, loud):
        for name in ("V", "seen"):
            population.vars[name].pull_from_device()
            values[population.name, name] = float(population.vars[name].view[0])
    current = 4.0 + 0.5
    assert values == {
        ("N1", "V"): 1.0 + current,
        ("N1", "seen"): 13.0,
        ("N2", "V"): 2.0 + current + 23.0 + 1.0,
        ("N2", "seen"): 23.0,
    }
