"""Synapse dynamics that something in the timestep waits for, or whose inputs it changes, keep their turn."""

from __future__ import annotations

from typing import Any

from snnlearn.genn import create_neuron_model, create_weight_update_model, init_postsynaptic, init_weight_update

CLOCK = create_neuron_model(
    "Clock", vars=["total"], sim_code="total += Isyn;", threshold_condition_code="fmod(t, 5.0) == 0.0"
)
READ = create_weight_update_model(
    "Read", vars=["w"], synapse_dynamics_code="w += 1.0;", pre_spike_syn_code="addToPost(w);"
)
CHANGED = create_weight_update_model(
    "Changed", vars=["w", "sum"], synapse_dynamics_code="sum += w;", post_spike_syn_code="w += 2.0;"
)
STEPS = 150


def test_they_run_in_every_timestep(engine: Any, start: Any) -> None:
    model = engine.model()
    clock = model.add_neuron_population("Clock", 1, CLOCK, {}, {"total": 0.0})
    read, changed = (
        model.add_synapse_population(
            wu.name,
            "DENSE",
            clock,
            clock,
            init_weight_update(wu, vars={v.name: 0.0 for v in wu.vars}),
            init_postsynaptic("DeltaCurr"),
        )
        for wu in (READ, CHANGED)
    )
    start(model)
    model.run(STEPS)
    total = w = summed = 0
    for t in range(STEPS):
        summed += w  # dynamics come first
        if t % 5 == 1:  # one timestep after the spike; by now t + 1 dynamics have run
            total += t + 1
            w += 2
    for variable, expected in [
        (clock.vars["total"], total),
        (read.vars["w"], STEPS),
        (changed.vars["w"], w),
        (changed.vars["sum"], summed),
    ]:
        variable.pull_from_device()
        assert variable.view[0] == expected, variable.location
