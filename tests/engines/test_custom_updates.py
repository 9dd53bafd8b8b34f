"""Custom updates: what they may refer to, transposes, and both forms of the optimiser on random gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.genn import (
    create_custom_update_model,
    create_neuron_model,
    create_postsynaptic_model,
    create_psm_var_ref,
    create_var_ref,
    create_weight_update_model,
    create_wu_post_var_ref,
    create_wu_pre_var_ref,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)
from snnlearn.models import RMaxProp, RMaxPropSafe

PRE, POST = 65, 130  # shared among threads
ADD = create_custom_update_model(
    "Add", params=["amount"], vars=["sum"], var_refs=["v"], update_code="v += amount; sum += v;"
)
NEURON = create_neuron_model("N", vars=["x"])
FORWARD = create_weight_update_model("Forward", vars=["w", "m"], pre_vars=["a"], post_vars=["b"])
BACK = create_weight_update_model("Back", vars=["w"])
PSM = create_postsynaptic_model("Psm", vars=["c"], sim_code="c = c;")


def network(engine: Any, w: Any = 0.0, m: Any = 0.0) -> tuple[Any, dict[str, Any]]:
    model = engine.model()
    pre = model.add_neuron_population("Pre", PRE, NEURON, {}, {"x": 1.0})
    post = model.add_neuron_population("Post", POST, NEURON, {}, {"x": 2.0})
    forward = model.add_synapse_population(
        "Forward",
        "DENSE",
        pre,
        post,
        init_weight_update(FORWARD, {}, {"w": w, "m": m}, {"a": 3.0}, {"b": 4.0}),
        init_postsynaptic(PSM, {}, {"c": 5.0}),
    )
    back = model.add_synapse_population(
        "Back", "DENSE", post, pre, init_weight_update(BACK, vars={"w": -1.0}), init_postsynaptic("DeltaCurr")
    )
    return model, {"pre": pre, "post": post, "forward": forward, "back": back}


def pulled(variable: Any) -> Any:
    variable.pull_from_device()
    return variable.values


def test_updates_reach_every_kind_of_variable_and_each_others(engine: Any, start: Any) -> None:
    model, groups = network(engine)
    forward = groups["forward"]
    targets = {
        "neuron": (create_var_ref(groups["pre"], "x"), groups["pre"].vars["x"], 1.0),
        "pre": (create_wu_pre_var_ref(forward, "a"), forward.pre_vars["a"], 3.0),
        "post": (create_wu_post_var_ref(forward, "b"), forward.post_vars["b"], 4.0),
        "psm": (create_psm_var_ref(forward, "c"), forward.psm_vars["c"], 5.0),
        "synapse": (create_wu_var_ref(forward, "w"), forward.vars["w"], 0.0),
    }
    updates = {
        name: model.add_custom_update(f"Add_{name}", "Add", ADD, {"amount": 0.5}, {"sum": 0.0}, {"v": ref})
        for name, (ref, _, _) in targets.items()
    }
    for name, ref in [("neuron", create_var_ref), ("synapse", create_wu_var_ref)]:
        refs = {"v": ref(updates[name], "sum")}
        updates[f"{name}2"] = model.add_custom_update(
            f"Again_{name}", "Again", ADD, {"amount": 100.0}, {"sum": 0.0}, refs
        )
    start(model)
    model.custom_update("Add")
    model.custom_update("Add")
    model.custom_update("Again")
    for name, (_, variable, begin) in targets.items():
        values, sums = pulled(variable), pulled(updates[name].vars["sum"])
        assert values.shape == sums.shape
        assert set(values) == {begin + 1.0}, name
        expected = 2 * begin + 1.5 + (100.0 if f"{name}2" in updates else 0.0)
        assert set(sums) == {expected}, name
    assert set(pulled(groups["post"].vars["x"])) == {2.0}, "others are left alone"


def test_a_transposed_copy_follows_each_update(engine: Any, start: Any) -> None:
    w = np.arange(PRE * POST, dtype=np.float32)
    model, groups = network(engine, w=w)
    ref = create_wu_var_ref(groups["forward"], "w", groups["back"], "w")
    model.add_custom_update("T", "Copy", "Transpose", {}, {}, {"variable": ref})
    model.add_custom_update("A", "AddAndCopy", ADD, {"amount": 7.0}, {"sum": 0.0}, {"v": ref})
    start(model)
    model.custom_update("Copy")
    np.testing.assert_array_equal(pulled(groups["back"].vars["w"]), w.reshape(PRE, POST).T.ravel())
    np.testing.assert_array_equal(pulled(groups["forward"].vars["w"]), w)
    model.custom_update("AddAndCopy")
    np.testing.assert_array_equal(pulled(groups["back"].vars["w"]), w.reshape(PRE, POST).T.ravel() + 7.0)


PARAMS = {"updateTime": 500.0, "tauRMS": 3000.0, "epsilon": 1e-32, "wMin": -0.5, "wMax": 0.75, "r0": 0.25}
# Single precision: each of some ten operations rounds by at most 2^-24, relative to operands no larger than 1.
TOLERANCE = 16 * 2.0**-24


@pytest.mark.parametrize("model_class", [RMaxProp, RMaxPropSafe], ids=lambda m: m.name)
def test_the_optimiser_steps_as_its_equations_say(engine: Any, start: Any, model_class: Any) -> None:
    rng = np.random.default_rng(7)
    w = rng.uniform(-0.5, 0.75, PRE * POST).astype(np.float32)
    model, groups = network(engine, w=w, m=rng.normal(0.0, 1000.0, PRE * POST))
    forward = groups["forward"]
    refs = {"m": create_wu_var_ref(forward, "m"), "variable": create_wu_var_ref(forward, "w")}
    optimiser = model.add_custom_update("O", "Learn", model_class, PARAMS, {"upsilon": 0.0}, refs)
    optimiser.set_param_dynamic("r0")
    start(model)
    weights, largest, r0 = w.astype(np.float64), np.zeros(PRE * POST), PARAMS["r0"]
    for update in range(5):
        if update == 3:
            r0 = 0.025
            optimiser.set_dynamic_param_value("r0", r0)
        if update:
            # From orders of magnitude below to above what came before; and exactly none.
            forward.vars["m"].view[:] = rng.normal(0.0, 1000.0, PRE * POST) * 10.0 ** rng.uniform(-3, 3, PRE * POST)
            forward.vars["m"].view[::17] = 0.0
            forward.vars["m"].push_to_device()
        g = forward.vars["m"].view.astype(np.float64) / 500.0
        before = pulled(forward.vars["w"])
        model.custom_update("Learn")
        after = pulled(forward.vars["w"])
        # Closed form for the pair (upsilon, w), in the root of upsilon, from the same weights.
        largest = np.maximum(largest * np.exp(-0.5 * 500.0 / 3000.0), np.abs(g))
        step = np.divide(r0 * g, largest, out=np.zeros_like(g), where=largest > 0.0)
        expected = np.clip(before + step, -0.5, 0.75)
        np.testing.assert_allclose(after, expected, rtol=0.0, atol=TOLERANCE)
        root = pulled(optimiser.vars["upsilon"]).astype(np.float64)
        root = np.sqrt(root) if model_class is RMaxProp else root
        np.testing.assert_allclose(root, largest, rtol=(update + 1) * TOLERANCE)
        assert not pulled(forward.vars["m"]).any(), "the gradient is cleared"
    assert np.abs(after - weights).max() > 0.2
    assert set(np.unique(after)) >= {-0.5, 0.75}, "bounds are reached, and kept"
