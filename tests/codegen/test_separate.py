"""What synapses send in a block of its own is separated from what can wait, and changes no bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.codegen.plan import build_plan
from snnlearn.codegen.plan.rewrites.separate import separate
from snnlearn.genn.describe import describe
from snnlearn.models import LIF

MEMBRANE = {"C": 1.0, "TauM": 20.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
SOURCE = genn.create_neuron_model(
    "Source",
    vars=["V", "back"],
    additional_input_vars=[("Error", "scalar", 0.0)],
    sim_code="V = 0.9 * V + 0.3 * gennrand_uniform(); back = 0.7 * back + Error;",
    threshold_condition_code="V >= 1.6",
    reset_code="V = 0.0;",
)
REST = "e = 0.9 * e + z; m -= e * x;"


def described(code: str, optimise: Any, pre: int) -> tuple[Any, Any, Any]:
    """Return a model, its source and its synapses."""
    model = genn.GeNNModel("float", "separated", threads=1, optimise=optimise)
    model.dt, model.seed = 1.0, 3
    source = model.add_neuron_population("Source", pre, SOURCE, {}, {"V": 0.0, "back": 0.0})
    target = model.add_neuron_population("Target", 13, LIF, MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
    rule = genn.create_weight_update_model(
        "Rule", vars=["g", "e", "m"], pre_vars=["z"],
        post_neuron_var_refs=[("x", "scalar", genn.VarAccessMode.READ_ONLY)],
        pre_spike_syn_code="addToPost(g);", pre_spike_code="z += 1.0;", pre_dynamics_code="z *= 0.8;",
        synapse_dynamics_code=code,
    )  # fmt: skip
    values = {"g": genn.init_var("Normal", {"mean": 2.0, "sd": 1.0}), "e": 0.0, "m": 0.0}
    init = genn.init_weight_update(rule, {}, values, {"z": 0.0}, post_var_refs={"x": genn.create_var_ref(target, "V")})
    psm = genn.init_postsynaptic("DeltaCurr")
    synapses = model.add_synapse_population("Synapses", "DENSE", source, target, init, psm)
    synapses.pre_target_var = "Error"
    return model, source, synapses


def run(code: str, optimise: Any, pre: int) -> tuple[Any, Any, str]:
    """Return what came back to the source, what synapses have summed up, and the plan in words."""
    model, source, synapses = described(code, optimise, pre)
    model.build()
    model.load()
    model.run(150)
    source.vars["back"].pull_from_device()
    synapses.vars["m"].pull_from_device()
    found = source.vars["back"].values.copy(), synapses.vars["m"].values.copy(), model.explain()
    model.unload()
    return found


@pytest.mark.parametrize("pre", [21, 5])  # tiles of rows and some more; fewer than a tile
def test_no_bit_changes(pre: int) -> None:
    code = f"{{ const scalar y = g * x; addToPre(y); }}\n{REST}"
    whole, parts = run(code, (), pre), run(code, ("separate", "defer"), pre)
    assert np.abs(whole[0]).min() > 0.0
    for one, other in zip(whole[:2], parts[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert "Synapses_send" not in whole[2]
    assert "synapse_dynamics_Synapses_send" in parts[2]
    assert "deferred: 64 timesteps at once" in parts[2]


@pytest.mark.parametrize(
    "code",
    [
        f"addToPre(g * x);\n{REST}",  # no block of its own
        f"{{ addToPre(e); }}\n{REST}",  # reads what the rest changes
        f"{{ addToPre(g); m += 1.0; }}\n{REST}",  # changes what the rest changes
        "{ addToPre(g * x); }",  # nothing else
    ],
)
def test_what_stays_one(code: str) -> None:
    model, _, _ = described(code, (), 21)
    plan = separate(build_plan(describe(model)))
    assert [k.name for k in plan.step if k.name.startswith("synapse_dynamics")] == ["synapse_dynamics_Synapses"]
