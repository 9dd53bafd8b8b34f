"""What recorded values follow from: what a snapshot has to hold, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.codegen.plan import DEFAULT, DEFAULT_GPU, build_plan, optimise
from snnlearn.codegen.plan.dependencies import Needs, needs_of_recorders
from snnlearn.genn import (
    GeNNModel,
    VarAccess,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    init_postsynaptic,
    init_weight_update,
)


def needs(model: GeNNModel, rewrites: tuple[str, ...] = ()) -> Needs:
    return needs_of_recorders(optimise(build_plan(model._describe()), rewrites))


def names(arrays: Any) -> set[str]:
    return {name.removeprefix("v_") for name in arrays}


CODES = {
    "assigned": ("x = V;", False),
    "in a block": ("{ { x = V; } }", False),
    "by itself": ("x = x + V;", True),
    "by more": ("x += V;", True),
    "in one case": ("if (V > 0.0) { x = V; }", True),
    "in a loop": ("for (int i = 0; i < n; i++) { x = V; }", True),
    "after it is read": ("y = x; x = V;", True),
    "after it is read by a condition": ("if (x > 0.0) { y = V; } x = V;", True),
    "before it is read": ("x = V; y = x;", False),
    "hidden": ("{ scalar x = 0.0; x = V; y = x; }", True),
    "never": ("y = V;", True),
    "stepped": ("x++;", True),
    "as a value": ("y = (x = V);", True),
}


@pytest.mark.parametrize("rewrites", [(), DEFAULT, DEFAULT_GPU], ids=["plain", "cpu", "gpu"])
@pytest.mark.parametrize(("code", "kept"), CODES.values(), ids=CODES)
def test_what_code_replaces_is_not_kept(code: str, kept: bool, rewrites: tuple[str, ...]) -> None:
    model = GeNNModel("float", "case")
    neuron = create_neuron_model("N", params=["n"], vars=["V", "x", "y"], sim_code=f"V += 1.0; {code}")
    population = model.add_neuron_population("P", 4, neuron, {"n": 2.0}, {"V": 0.0, "x": 0.0, "y": 0.0})
    model.record(population, ["x", "y"], timesteps=10)
    found = needs(model, rewrites)
    state = names(found.state) | names(found.constant)
    assert ("P_x" in state) == kept
    assert "P_V" in state
    changed = {"P_V"} | ({"P_x"} if "x =" in code or "x +" in code or "x++" in code else set())
    changed |= {"P_y"} if "y =" in code else set()
    if code != CODES["hidden"][0]:
        assert names(found.state) | (names(found.rest) - {"P_x_recorded", "P_y_recorded"}) == changed


def test_a_spike_replaces_nothing_and_reads_what_it_resets() -> None:
    model = GeNNModel("float", "case")
    neuron = create_neuron_model(
        "N",
        vars=["V", "reset", "since", "unread"],
        sim_code="V += 1.0;",
        threshold_condition_code="V > since",
        reset_code="V = 0.0; reset = 1.0; unread = V;",
    )
    values = dict.fromkeys(["V", "reset", "since", "unread"], 0.0)
    model.record(model.add_neuron_population("P", 4, neuron, {}, values), "V", timesteps=10)
    found = needs(model)
    assert names(found.state) == {"P_V", "P_reset", "P_unread"}
    assert names(found.constant) == {"P_since"}
    assert {"P_spikes", "P_spike_count", "P_V_recorded"} == names(found.rest), "no synapse reads the spikes"


def network(recorded: str, **sends: Any) -> GeNNModel:
    """Return a chain A, B, C of populations, of which A plays an array."""
    model = GeNNModel("float", "chain")
    played = ("given", "scalar", VarAccess.READ_ONLY_DUPLICATE)
    code = {"threshold_condition_code": "V > 1.0", "reset_code": "V = 0.0;"}
    first = create_neuron_model("F", vars=["V", played], sim_code="V = 0.5 * V + given;", **code)
    other = create_neuron_model("O", vars=["V"], sim_code="V = 0.5 * V + Isyn;", **code)
    a = model.add_neuron_population("A", 4, first, {}, {"V": 0.0, "given": 0.0})
    model.play(a, "given", np.ones((5, 4)))
    b, c = (model.add_neuron_population(name, 4, other, {}, {"V": 0.0}) for name in "BC")
    rule = create_weight_update_model(
        "W",
        vars=["w", "m"],
        pre_vars=["z"],
        pre_neuron_var_refs=["V_pre"],
        pre_spike_code="z += 1.0;",
        pre_dynamics_code="z *= 0.9;",
        pre_spike_syn_code="addToPost(w);",
        synapse_dynamics_code="m += z * V_pre;",
    )
    for pre, post in ((a, b), (b, c)):
        refs = {"V_pre": create_var_ref(pre, "V")}
        init = init_weight_update(rule, {}, {"w": 0.1, "m": 0.0}, {"z": 0.0}, pre_var_refs=refs)
        made = model.add_synapse_population(
            f"{pre.name}{post.name}", "DENSE", pre, post, init, init_postsynaptic("ExpCurr", {"tau": 5.0})
        )
        made.axonal_delay_steps = 2 if pre is a else 0
    model.record(model.neuron_populations[recorded], "V", timesteps=10, spikes=True)
    return model


@pytest.mark.parametrize("rewrites", [(), DEFAULT], ids=["plain", "cpu"])
def test_what_comes_before_is_kept_and_what_comes_after_is_not(rewrites: tuple[str, ...]) -> None:
    found = needs(network("B"), rewrites)
    upstream = {"A_V", "A_queue", "A_spikes", "A_spike_count", "AB_out_post", "B_V", "AB_z"}
    assert names(found.state) == upstream | {"BC_z"}, "traces of its own kernel, and slots of spikes on their way"
    assert {"AB_w", "A_given_played", "A_given_player"} <= names(found.constant)
    assert not {"BC_w", "AB_m", "C_V", "A_given"} & (names(found.constant) | names(found.state))
    assert {"AB_m", "BC_m", "C_V", "B_V_recorded", "A_given", "BC_out_post"} <= names(found.rest)
    found = needs(network("C"), rewrites)
    assert {"B_spikes", "B_spike_count", "BC_out_post", "C_V", *upstream} <= names(found.state)
    assert "BC_w" in names(found.constant)
