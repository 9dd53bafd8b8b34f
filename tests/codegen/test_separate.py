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


def described(code: str, optimise: Any, *sizes: int) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return a model, and its sources and their synapses."""
    model = genn.GeNNModel("float", "separated", threads=1, optimise=optimise)
    model.dt, model.seed = 1.0, 3
    target = model.add_neuron_population("Target", 13, LIF, MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
    rule = genn.create_weight_update_model(
        "Rule", vars=["g", "e", "m"], pre_vars=["z"],
        post_neuron_var_refs=[("x", "scalar", genn.VarAccessMode.READ_ONLY)],
        pre_spike_syn_code="addToPost(g);", pre_spike_code="z += 1.0;", pre_dynamics_code="z *= 0.8;",
        synapse_dynamics_code=code,
    )  # fmt: skip
    values = {"g": genn.init_var("Normal", {"mean": 2.0, "sd": 1.0}), "e": 0.0, "m": 0.0}
    init = genn.init_weight_update(rule, {}, values, {"z": 0.0}, post_var_refs={"x": genn.create_var_ref(target, "V")})
    pairs = []
    for size in sizes:
        source = model.add_neuron_population(f"Source{size}", size, SOURCE, {}, {"V": 0.0, "back": 0.0})
        psm = genn.init_postsynaptic("DeltaCurr")
        synapses = model.add_synapse_population(f"Synapses{size}", "DENSE", source, target, init, psm)
        synapses.pre_target_var = "Error"
        pairs.append((source, synapses))
    return model, pairs


def run(code: str, optimise: Any, *sizes: int) -> tuple[list[Any], list[Any], str]:
    """Return what came back to each source, what synapses have summed up, and the plan in words."""
    model, pairs = described(code, optimise, *sizes)
    model.build()
    model.load()
    model.run(150)
    for source, synapses in pairs:
        source.vars["back"].pull_from_device()
        synapses.vars["m"].pull_from_device()
    back, sums = zip(*((a.vars["back"].values.copy(), b.vars["m"].values.copy()) for a, b in pairs), strict=True)
    text = model.explain()
    model.unload()
    return list(back), list(sums), text


def test_no_bit_changes() -> None:
    """Of tiles of rows and some more, nor of fewer rows than a tile."""
    code = f"{{ const scalar y = g * x; addToPre(y); }}\n{REST}"
    whole, parts = run(code, (), 21, 5), run(code, ("separate", "defer"), 21, 5)
    assert all(np.abs(back).min() > 0.0 for back in whole[0])
    for one, other in zip(whole[0] + whole[1], parts[0] + parts[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert "_send" not in whole[2]
    for size in (21, 5):
        assert f"synapse_dynamics_Synapses{size}_send" in parts[2]
    assert parts[2].count("deferred: 64 timesteps at once") == 2


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
    model, _ = described(code, (), 21)
    plan = separate(build_plan(describe(model)))
    assert [k.name for k in plan.step if k.name.startswith("synapse_dynamics")] == ["synapse_dynamics_Synapses21"]
