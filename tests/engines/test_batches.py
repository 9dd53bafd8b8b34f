"""A batch of copies against as many runs of one, and states against runs without a break, over all that is kept.

GeNN's CPU back end has no batches, so the embedded engine's runs of one copy, which are compared with it elsewhere, are
the reference here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import Trace, assert_alive, scalars

STEPS, COPIES, COUNTED = 48, 5, 4  # the last copy counts for nothing in sums
A, B = 35, 33


@cache
def oscillator(g: Any) -> Any:
    duplicate = g.VarAccess.READ_ONLY_DUPLICATE
    return g.create_neuron_model(
        "Oscillator",
        vars=[*scalars("V", "noise"), ("drive", "scalar", duplicate), ("total", "scalar", duplicate)],
        sim_code="V = fmod(V + drive + Isyn, 256.0);",
        threshold_condition_code="V >= 24.0",
        reset_code="V -= 24.0;",
    )


@cache
def rule(g: Any, hears: str) -> Any:
    return g.create_weight_update_model(
        "Rule",
        vars=[("w", "scalar", g.VarAccess.READ_ONLY), *scalars("e"), ("delay", "uint8_t", g.VarAccess.READ_ONLY)],
        pre_vars=scalars("p"),
        post_vars=scalars("q"),
        post_neuron_var_refs=scalars("Vpost"),
        pre_spike_syn_code="addToPostDelay(w, delay); e = fmod(e + q + t - st_pre, 256.0);",
        post_event_threshold_condition_code="Vpost > 18.0",
        post_event_syn_code="e = fmod(e + 2.0 + t - prev_set_post > 64.0 ? e : e + 1.0, 256.0);",
        synapse_dynamics_code=f"e = fmod(e + p + {hears}, 256.0);",
        pre_spike_code="p = fmod(p + 1.0, 16.0);",
        pre_dynamics_code="p = floor(p * 0.75);",
        post_spike_code="q = fmod(q + 3.0, 16.0);",
    )


@cache
def source(g: Any) -> Any:
    return g.create_current_source_model(
        "Source", vars=scalars("phase"), injection_code="injectCurrent(fmod(phase, 3.0)); phase += 1.0;"
    )


@cache
def add_up(g: Any) -> Any:
    return g.create_custom_update_model(
        "AddUp",
        params=[("present", "unsigned int")],
        vars=[("sum", "scalar", g.CustomUpdateVarAccess.REDUCE_BATCH_SUM)],
        var_refs=[("x", "scalar")],
        update_code="sum = (batch < present) ? x : 0.0; x = fmod(x, 64.0);",
    )


@cache
def most(g: Any) -> Any:
    return g.create_custom_update_model(
        "Most",
        vars=[("most", "scalar", g.CustomUpdateVarAccess.REDUCE_NEURON_MAX)],
        var_refs=[("x", "scalar", g.VarAccessMode.READ_ONLY)],
        update_code="most = x;",
    )


def network(g: Any, model: Any, drives: Any) -> Any:
    """Add neurons with these drives, of shape (A,) or (copies, A)."""
    rng = np.random.default_rng(3)
    first = {"V": 0.0, "noise": 0.0, "total": 0.0}
    a = model.add_neuron_population("A", A, oscillator(g), {}, {**first, "drive": drives})
    b = model.add_neuron_population("B", B, oscillator(g), {}, {**first, "drive": 1.0})
    for name, kind, before, after, delay, hears in [
        ("AB", "SPARSE", a, b, 3, "Vpost[delay]"),
        ("BB", "DENSE", b, b, 0, "Vpost"),
    ]:
        pre, post = np.nonzero(rng.uniform(size=(before.num_neurons, after.num_neurons)) < 0.3)
        number = pre.size if kind == "SPARSE" else before.num_neurons * after.num_neurons
        values = {"w": rng.integers(-1, 4, number), "e": 0.0, "delay": rng.integers(0, 4, number)}
        refs = {"Vpost": g.create_var_ref(after, "V")}
        init = g.init_weight_update(rule(g, hears), {}, values, {"p": 0.0}, {"q": 0.0}, {}, refs)
        s = model.add_synapse_population(name, kind, before, after, init, g.init_postsynaptic("DeltaCurr"))
        s.axonal_delay_steps, s.max_dendritic_delay_timesteps = delay, 4
        if kind == "SPARSE":
            s.set_sparse_connections(pre, post)
        refs = {"x": g.create_wu_var_ref(s, "e")}
        model.add_custom_update(f"AddUp{name}", "Add", add_up(g), {"present": COUNTED}, {"sum": 0.0}, refs)
    model.add_current_source("I", source(g), b, {}, {"phase": 0.0})
    model.add_custom_update("Most", "Add", most(g), {}, {"most": 0.0}, {"x": g.create_var_ref(b, "V")})
    a.spike_recording_enabled = b.spike_recording_enabled = b.spike_event_recording_enabled = True


NAMES = ("A.V", "B.V", "AB.e", "BB.e", "AB.p", "BB.q", "I.phase", "Most.most", "AddUpAB.sum", "AddUpBB.sum")


def step(model: Any) -> None:
    model.step_time()
    if model.timestep % 5 == 0:
        model.custom_update("Add")


def look(model: Any) -> dict[str, Any]:
    found = {}
    groups = {**model.neuron_populations, **model.synapse_populations, **model.current_sources, **model.custom_updates}
    for full in NAMES:
        group, _, name = full.partition(".")
        spaces = [getattr(groups[group], space, {}) for space in ("vars", "pre_vars", "post_vars")]
        (variable,) = [s[name] for s in spaces if name in s]
        variable.pull_from_device()
        found[full] = variable.current_values
    return found


def spikes(model: Any) -> list[Any]:
    model.pull_recording_buffers_from_device()
    recorded = [n.spike_recording_data for n in model.neuron_populations.values()]
    recorded += [s.post_spike_event_recording_data for s in model.synapse_populations.values()]
    return [[np.stack(one) for one in copies] for copies in recorded]


def follow(model: Any) -> tuple[Trace, list[Any]]:
    found: Trace = {}
    for _ in range(STEPS):
        step(model)
        for name, values in look(model).items():
            found.setdefault(name, []).append(values)
    return found, spikes(model)


def test_a_batch_is_as_many_runs(engine: Any, start: Any) -> None:
    drives = np.random.default_rng(4).integers(0, 6, (COPIES, A)).astype(np.float32)
    drives[2] = 0.0
    together = engine.model()
    together.batch_size = COPIES
    network(engine.api, together, drives)
    found, recorded = follow(start(together, STEPS))
    sums: dict[str, Any] = {}
    for copy in range(COPIES):
        alone = engine.model()
        network(engine.api, alone, drives[copy])
        expected, spiked = follow(start(alone, STEPS))
        if copy != 2:
            assert_alive(expected, "A.V", "B.V", "AB.e", "BB.e", "AB.p", "BB.q", "Most.most")
            assert all(one[0].size for one in spiked)
        for name, values in expected.items():
            if name.endswith(".sum"):
                sums[name] = sums.get(name, 0.0) + np.array(values) * (copy < COUNTED)
                continue
            np.testing.assert_array_equal([v[copy] for v in found[name]], values, err_msg=f"{name} of {copy}")
        for here, there in zip(recorded, spiked, strict=True):
            np.testing.assert_array_equal(here[copy], there[0])
    for name, values in sums.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("copies", [1, 3])
def test_a_state_is_all_that_the_future_depends_on(engine: Any, start: Any, copies: int) -> None:
    drives = np.random.default_rng(4).integers(0, 6, (copies, A)).astype(np.float32)

    def made() -> Any:
        model = engine.model()
        model.batch_size = copies
        network(engine.api, model, drives if copies > 1 else drives[0])
        return start(model, 10)

    first = made()
    for _ in range(23):
        step(first)
    state, timestep = first.state(), first.timestep

    def go_on(model: Any) -> tuple[list[Any], Any]:
        model.timestep = timestep
        found = []
        for _ in range(17):
            step(model)
            found.append(look(model))
        return found, spikes(model)

    expected = go_on(first)
    second = made()
    for _ in range(7):  # so that queues stand elsewhere
        step(second)
    second.set_state(state)
    for model in (second, first):
        if model is first:
            model.set_state(state)
        found, recorded = go_on(model)
        for here, there in zip(found, expected[0], strict=True):
            for name, values in there.items():
                np.testing.assert_array_equal(here[name], values, err_msg=name)
        for here, there in zip(recorded, expected[1], strict=True):
            for one, other in zip(here, there, strict=True):
                np.testing.assert_array_equal(one, other)
