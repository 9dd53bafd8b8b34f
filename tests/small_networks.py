"""A small network of hand-written models, for tests of plans and of generated source."""

from __future__ import annotations

from typing import Any

from snnlearn.declare import NeuronModel, VarAccessMode, WeightUpdateModel
from snnlearn.models import DeltaCurr, ExpCurr
from snnlearn.network import (
    CustomUpdate,
    Location,
    Network,
    NeuronPopulation,
    PostsynapticInit,
    Reference,
    SynapsePopulation,
    WeightUpdateInit,
)

READ = VarAccessMode.READ_ONLY
LIF = NeuronModel(
    "Lif",
    params=["tau", "twin"],
    vars=["V"],
    sim_code="V += (Isyn - V / tau / twin) * dt;",
    threshold_condition_code="V > 1.0",
    reset_code="V = 0.0;",
)
RULE = WeightUpdateModel(
    "Rule",
    params=["tau"],
    vars=["w", "e"],
    pre_vars=["z"],
    post_neuron_var_refs=[("V", "scalar", READ)],
    pre_spike_syn_code="addToPost(w);",
    post_spike_syn_code="addToPre(w);",
    synapse_dynamics_code="e += (z * V - e / tau) * dt;",
    pre_dynamics_code="z -= z / tau;",
    pre_spike_code="z += 1.0;",
)


def network(
    rule: WeightUpdateModel = RULE, updates: tuple[CustomUpdate, ...] = (), sizes: tuple[int, int] = (3, 5), **wu: Any
) -> Network:
    a = NeuronPopulation("A", sizes[0], LIF, {"tau": 4.0, "twin": 4.0}, {"V": 2.0}, spike_recording_enabled=True)
    b = NeuronPopulation("B", sizes[1], LIF, {"tau": 8.0, "twin": float("inf")}, {"V": 2.0})
    values = {
        "params": {p.name: 2.0 for p in rule.params},
        "vars": {v.name: 0.0 for v in rule.vars},
        "pre_vars": {v.name: 0.0 for v in rule.pre_vars},
        "pre_var_refs": {r.name: Reference(Location("A", "own", "V")) for r in rule.pre_neuron_var_refs},
        "post_var_refs": {r.name: Reference(Location("B", "own", "V")) for r in rule.post_neuron_var_refs},
    }
    forward = SynapsePopulation(
        "S", "A", "B", WeightUpdateInit(rule, **values | wu), PostsynapticInit(ExpCurr, {"tau": 5.0})
    )
    back_rule = WeightUpdateModel("Back", vars=["w"], synapse_dynamics_code="addToPost(w);")
    back = SynapsePopulation("R", "B", "A", WeightUpdateInit(back_rule, vars={"w": 0.0}), PostsynapticInit(DeltaCurr))
    return Network("n", 0.5, "float", {"A": a, "B": b}, {"S": forward, "R": back}, {u.name: u for u in updates})
