"""Custom updates on every engine: all kinds of references, reductions, broadcasts, transposes, while a network runs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from agreement import assert_alive, assert_same, scalars, trace

STEPS = 40
EVERY = {"Change": 3, "Again": 5, "Reduce": 4, "Broadcast": 7, "Transpose": 6, "Shift": 9}
A, B = 33, 41


@cache
def oscillator(g: Any) -> Any:
    return g.create_neuron_model(
        "Oscillator",
        params=[("theta", "scalar")],
        vars=[("V", "scalar"), ("total", "scalar", g.VarAccess.READ_ONLY_SHARED_NEURON), ("k", "int")],
        sim_code="V = fmod(V + 3.0 + Isyn + fmod(total, 2.0), 128.0); k += id; table[id] += 1.0;",
        threshold_condition_code="V >= theta",
        reset_code="V -= theta;",
        extra_global_params=[("table", "scalar*")],
    )


@cache
def rule(g: Any) -> Any:
    return g.create_weight_update_model(
        "Rule",
        vars=scalars("w", "e"),
        pre_vars=scalars("p"),
        post_vars=scalars("q"),
        pre_spike_syn_code="addToPost(w); e = fmod(e + q, 256.0);",
        post_spike_syn_code="w = fmod(w + p, 8.0); e = fmod(e + t - st_post + t - st_pre, 256.0);",
        pre_spike_code="p = fmod(p + 1.0, 16.0);",
        post_spike_code="q = fmod(q + 1.0, 16.0);",
    )


@cache
def back(g: Any) -> Any:
    return g.create_weight_update_model("Back", vars=scalars("w"), pre_spike_syn_code="addToPost(w);")


@cache
def filtering(g: Any) -> Any:
    return g.create_postsynaptic_model(
        "Filtering",
        vars=scalars("y"),
        sim_code="y = floor(y * 0.5) + inSyn; injectCurrent(y); inSyn = floor(inSyn * 0.5);",
    )


@cache
def change(g: Any) -> Any:
    return g.create_custom_update_model(
        "Change",
        params=[("by", "scalar")],
        derived_params=[("twice", lambda pars, dt: 2.0 * pars["by"])],
        vars=scalars("calls"),
        var_refs=[("x", "scalar")],
        extra_global_params=[("g", "scalar*")],
        update_code="x = fmod(x + twice + g[0], 64.0); calls += x + t;",
    )


@cache
def reduce(g: Any, access: str) -> Any:
    kind = getattr(g.CustomUpdateVarAccess, access)
    return g.create_custom_update_model(
        access.title(),
        vars=[("to", "scalar", kind)],
        var_refs=[("x", "scalar", g.VarAccessMode.READ_ONLY)],
        update_code="to = x;",
    )


@cache
def reduce_into(g: Any, mode: str) -> Any:
    return g.create_custom_update_model(
        mode.title(),
        var_refs=[("x", "scalar", g.VarAccessMode.READ_ONLY), ("to", "scalar", getattr(g.VarAccessMode, mode))],
        update_code="to = x;",
    )


@cache
def zero(g: Any) -> Any:
    return g.create_custom_update_model(
        "Zero", var_refs=[("x", "scalar", g.VarAccessMode.BROADCAST)], update_code="x = 1.0;"
    )


@cache
def shift_times(g: Any) -> Any:
    return g.create_custom_update_model("Shift", var_refs=[("x", "timepoint")], update_code="x -= 1.0;")


@cache
def look_up(g: Any) -> Any:
    return g.create_custom_update_model(
        "LookUp",
        vars=scalars("found"),
        var_refs=[("V", "scalar", g.VarAccessMode.READ_ONLY)],
        extra_global_param_refs=[("table", "scalar*")],
        update_code="found = table[id]; table[id] = fmod(found + V, 512.0);",
    )


def add_updates(g: Any, model: Any, pops: dict[str, Any], synapses: dict[str, Any], transposed: Any) -> None:
    a, b, sparse, dense = pops["A"], pops["B"], synapses["Sparse"], synapses["Dense"]
    later = {
        "Neuron": g.create_var_ref(b, "V"),
        "Psm": g.create_psm_var_ref(dense, "y"),
        "Pre": g.create_wu_pre_var_ref(sparse, "p"),
        "DelayedPre": g.create_wu_pre_var_ref(dense, "p"),
        "Post": g.create_wu_post_var_ref(dense, "q"),
        "Out": g.create_out_post_var_ref(sparse),
        "Sparse": g.create_wu_var_ref(sparse, "e"),
        "Dense": g.create_wu_var_ref(dense, "e"),
    }
    changes = {}
    for number, (name, ref) in enumerate(later.items()):
        u = model.add_custom_update(f"Change{name}", "Change", change(g), {"by": number}, {"calls": 0.0}, {"x": ref})
        u.extra_global_params["g"].set_init_values([number % 2])
        changes[name] = u
    refs = {"x": g.create_var_ref(changes["Neuron"], "calls")}
    extra = model.add_custom_update("Again", "Again", change(g), {"by": 1.0}, {"calls": 0.0}, refs)
    extra.extra_global_params["g"].set_init_values([2.0])
    for access in ("REDUCE_NEURON_SUM", "REDUCE_NEURON_MAX"):
        for name in ("A", "B"):
            refs = {"x": g.create_var_ref(pops[name], "V")}
            model.add_custom_update(f"{access}{name}", "Reduce", reduce(g, access), {}, {"to": 0.0}, refs)
    refs = {"x": g.create_var_ref(a, "V"), "to": g.create_var_ref(a, "total")}
    model.add_custom_update("IntoShared", "Reduce", reduce_into(g, "REDUCE_SUM"), {}, {}, refs)
    refs = {"x": g.create_wu_pre_var_ref(dense, "p")}
    model.add_custom_update("Broadcast", "Broadcast", zero(g), {}, {}, refs)
    refs = {"variable": g.create_wu_var_ref(dense, "w", transposed, "w")}
    model.add_custom_update("Transpose", "Transpose", "Transpose", {}, {}, refs)
    refs = {"x": g.create_spike_time_var_ref(b)}
    model.add_custom_update("Shift", "Shift", shift_times(g), {}, {}, refs)
    refs, table = {"V": g.create_var_ref(a, "V")}, {"table": g.create_egp_ref(a, "table")}
    model.add_custom_update("LookUp", "Reduce", look_up(g), {}, {"found": 0.0}, refs, table)


def network(g: Any, model: Any) -> Any:
    rng = np.random.default_rng(2)
    pops = {}
    for name, size in [("A", A), ("B", B)]:
        first = {"V": np.arange(size) * 5 % 24, "total": 0.0, "k": 0}
        pops[name] = model.add_neuron_population(name, size, oscillator(g), {"theta": 24.0}, first)
        pops[name].extra_global_params["table"].set_init_values(np.arange(size) * 0.5)
    a, b = pops["A"], pops["B"]
    pre, post = np.nonzero(rng.uniform(size=(A, B)) < 0.3)
    synapses = {}
    for name, kind, delay in [("Sparse", "SPARSE", 0), ("Dense", "DENSE", 3)]:
        number = pre.size if kind == "SPARSE" else A * B
        init = g.init_weight_update(rule(g), {}, {"w": rng.integers(0, 3, number), "e": 0.0}, {"p": 0.0}, {"q": 0.0})
        s = model.add_synapse_population(name, kind, a, b, init, g.init_postsynaptic(filtering(g), {}, {"y": 0.0}))
        s.axonal_delay_steps = delay
        synapses[name] = s
    sparse = synapses["Sparse"]
    sparse.set_sparse_connections(pre, post)
    transposed = model.add_synapse_population(
        "Back", "DENSE", b, a, g.init_weight_update(back(g), {}, {"w": 0.0}), g.init_postsynaptic("DeltaCurr")
    )
    add_updates(g, model, pops, synapses, transposed)

    def act(timestep: int) -> dict[str, Any]:
        for name, every in [
            ("Change", 3),
            ("Again", 5),
            ("Reduce", 4),
            ("Broadcast", 7),
            ("Transpose", 6),
            ("Shift", 9),
        ]:
            if timestep % every == 0:
                model.custom_update(name)
        sparse.out_post.pull_from_device()
        table = a.extra_global_params["table"]
        table.pull_from_device()
        return {"out": sparse.out_post.view.ravel().copy(), "table": table.view.copy()}

    return act


def test_updates_while_a_network_runs(other: Any, reference: Any) -> None:
    expected = reference(network, STEPS)
    assert_alive(expected, "spikes A", "spikes B", "ChangeSparse.vars.calls", "ChangeDelayedPre.vars.calls", "out")
    assert_alive(expected, "REDUCE_NEURON_SUMA.vars.to", "REDUCE_NEURON_MAXB.vars.to", "A.vars.total", "Back.vars.w")
    assert_same(trace(other, network, STEPS), expected)


@cache
def clear(g: Any, kind: str, value: str) -> Any:
    mode = g.VarAccessMode.BROADCAST
    return g.create_custom_update_model("Clear", var_refs=[("x", kind, mode)], update_code=f"x = {value};")


@cache
def delayed(g: Any) -> Any:
    return g.create_weight_update_model(
        "Delayed",
        vars=[*scalars("w", "seen"), ("delay", "uint8_t")],
        pre_spike_syn_code="addToPostDelay(w, delay); addToPre(1.0); seen = fmin(t - st_pre, 512.0);",
        post_spike_syn_code="seen += fmin(t - st_pre, 512.0) + fmin(t - st_post, 512.0);",
    )


def clearing(g: Any, model: Any) -> Any:
    """Add a network whose spikes, times and input on their way are wiped out now and then, as between trials."""
    rng = np.random.default_rng(6)
    pops = []
    for name, size in [("A", A), ("B", B)]:
        first = {"V": np.arange(size) * 5 % 24, "total": 0.0, "k": 0}
        pops.append(model.add_neuron_population(name, size, oscillator(g), {"theta": 24.0}, first))
        pops[-1].extra_global_params["table"].set_init_values(np.zeros(size))
    a, b = pops
    values = {"w": rng.integers(0, 3, A * B), "seen": 0.0, "delay": rng.integers(0, 5, A * B)}
    rule = g.init_weight_update(delayed(g), {}, values)
    s = model.add_synapse_population("S", "DENSE", a, b, rule, g.init_postsynaptic("DeltaCurr"))
    s.axonal_delay_steps, s.max_dendritic_delay_timesteps = 3, 5
    never = "-8192.0"
    for name, model_of, ref in [
        ("Den", clear(g, "scalar", "0.0"), g.create_den_delay_var_ref(s)),
        ("Out", clear(g, "scalar", "0.0"), g.create_out_post_var_ref(s)),
        ("Times", clear(g, "timepoint", never), g.create_spike_time_var_ref(a)),
        ("TimesB", clear(g, "timepoint", never), g.create_spike_time_var_ref(b)),
        ("Count", clear(g, "uint32_t", "0"), g.create_src_spike_count_var_ref(s)),
    ]:
        model.add_custom_update(name, "Count" if name == "Count" else "Clear", model_of, {}, {}, {"x": ref})

    def act(timestep: int) -> None:
        if timestep % 13 == 0:
            model.custom_update("Count")
        if timestep % 26 == 0:
            model.custom_update("Clear")

    return act


def test_wiping_out_what_is_on_its_way(other: Any, reference: Any) -> None:
    expected = reference(clearing, 60)
    assert_alive(expected, "spikes A", "spikes B", "S.vars.seen", "B.vars.V")
    assert_same(trace(other, clearing, 60), expected)
