"""Plans that contradict themselves are refused, by the kernel's and the array's names; what models make is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from random_networks import add_network
from snnlearn import genn
from snnlearn.codegen.plan import DEFAULT, Kernel, Plan, build_plan, optimise, verify_plan, with_checks
from snnlearn.codegen.plan.parts import Accumulate, Load, OnSpike
from snnlearn.declare import value_type
from snnlearn.dialect import tree
from snnlearn.errors import PlanError
from snnlearn.genn.describe import describe

INT, SCALAR = value_type("int"), value_type("scalar")


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Two populations with a plastic connection, with delays, and one of traces."""
    model = genn.GeNNModel("float", "verified")
    neuron = genn.create_neuron_model(
        "Neuron", params=["a"], vars=["V"], sim_code="V += a * Isyn + 0.1 * gennrand_uniform();",
        threshold_condition_code="V > 1.0", reset_code="V = 0.0;", auto_refractory_required=True,
    )  # fmt: skip
    p, q = (model.add_neuron_population(name, n, neuron, {"a": 0.5}, {"V": 0.0}) for name, n in (("P", 5), ("Q", 7)))
    rule = genn.create_weight_update_model(
        "Rule", vars=["w", ("d", "uint8_t"), "e"], pre_vars=["x"], post_neuron_var_refs=["V"],
        pre_event_threshold_condition_code="x > 1.5", pre_event_syn_code="w += 0.1;",
        pre_spike_code="x += 1.0;", post_spike_syn_code="w -= 0.01;",
        pre_spike_syn_code="addToPostDelay(w, d); w += 0.01 * (t - st_pre);",
        synapse_dynamics_code="e = 0.9 * e + x;",
    )  # fmt: skip
    update = genn.init_weight_update(
        rule, {}, {"w": 0.1, "d": 1, "e": 0.0}, {"x": 0.0}, post_var_refs={"V": genn.create_var_ref(q, "V")}
    )
    s = model.add_synapse_population("S", "DENSE", p, q, update, genn.init_postsynaptic("DeltaCurr"))
    s.max_dendritic_delay_timesteps, s.axonal_delay_steps = 4, 0
    return verify_plan(build_plan(describe(model)))


def change(plan: Plan, name: str, how: Callable[[Kernel], Kernel]) -> Plan:
    """Return a plan with a kernel of the timestep changed."""
    assert any(k.name == name for k in plan.step)
    return replace(plan, step=tuple(how(k) if k.name == name else k for k in plan.step))


def load(kernel: Kernel, name: str, **changes: Any) -> Kernel:
    """Return a kernel with a local copy changed."""
    assert any(x.name == name for x in kernel.loads)
    return replace(kernel, loads=tuple(replace(x, **changes) if x.name == name else x for x in kernel.loads))


def spike(kernel: Kernel, **changes: Any) -> Kernel:
    return replace(kernel, body=tuple(replace(x, **changes) if isinstance(x, OnSpike) else x for x in kernel.body))


def first_code(kernel: Kernel, **changes: Any) -> Kernel:
    first, *others = kernel.body
    return replace(kernel, body=(replace(first, **changes), *others))


NEURONS, ROWS, DYNAMICS = "neuron_update_Q", "presynaptic_update_S", "synapse_dynamics_S"
ASSIGNS = tree.Block((tree.Evaluate(tree.Assign("=", tree.Name("a", SCALAR), tree.Literal("1.0", SCALAR), SCALAR)),))
CALLS = tree.Block((tree.Evaluate(tree.Call("gennrand_uniform", (), SCALAR)),))
SHARED = Load("v_one", SCALAR, "v_Q_V", "only", store=True)

BROKEN: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "no such array": (
        lambda p: change(p, NEURONS, lambda k: load(k, "v_V", array="v_gone")),
        "neuron_update_Q: there is no array v_gone",
    ),
    "another type": (
        lambda p: change(p, NEURONS, lambda k: load(k, "v_V", type=INT)),
        "neuron_update_Q: the copy v_V of v_Q_V is not of its type",
    ),
    "one name twice": (lambda p: replace(p, arrays=(*p.arrays, p.arrays[0])), "two arrays have one name"),
    "one kernel twice": (lambda p: replace(p, step=(*p.step, p.step[0])), "synapse_dynamics_S: another kernel has"),
    "a queue that does not move": (lambda p: replace(p, queues=()), "v_S_den_delay has 5 slots, and its queue"),
    "too long ago": (
        lambda p: change(p, ROWS, lambda k: load(k, "v_st_pre", delay=3)),
        "presynaptic_update_S reads v_P_spike_time as it was 3 timesteps ago: it has 1",
    ),
    "a copy that nothing stores": (
        lambda p: change(p, DYNAMICS, lambda k: load(k, "v_x", store=True)),
        "synapse_dynamics_S changes a copy of an element 'pre' of v_S_x, and never stores it",
    ),
    "an element that a loop has not": (
        lambda p: change(p, NEURONS, lambda k: load(k, "v_V", index="post")),
        "neuron_update_Q: its loop has no element 'post' of v_Q_V",
    ),
    "a loop beyond the end": (
        lambda p: change(p, NEURONS, lambda k: replace(k, domain=replace(k.domain, size=8))),
        "neuron_update_Q: v_S_out_post has 7 elements, and its loop 8",
    ),
    "all neurons store one element": (
        lambda p: change(p, NEURONS, lambda k: replace(k, loads=(*k.loads, SHARED))),
        "neuron_update_Q: every neuron stores the only element of v_Q_V",
    ),
    "threads store one element": (
        lambda p: change(p, DYNAMICS, lambda k: replace(k, loads=(*k.loads, SHARED))),
        "synapse_dynamics_S: threads share it by the 'pre' end, and several would write one element of v_Q_V",
    ),
    "two copies of one element": (
        lambda p: change(p, NEURONS, lambda k: replace(k, loads=(*k.loads, Load("v_W", SCALAR, "v_Q_V", "neuron")))),
        "neuron_update_Q has two copies of an element of v_Q_V, and stores one",
    ),
    "nobody writes events": (
        lambda p: replace(p, step=tuple(k for k in p.step if k.name != "neuron_update_P")),
        "presynaptic_event_update_S reads v_S_pre_event_count, which nothing writes",
    ),
    "a list for fewer": (
        lambda p: change(p, NEURONS, lambda k: spike(k, spikes="v_P_spikes", count="v_P_spike_count")),
        "neuron_update_Q: a list of its spikes has not the size of its population",
    ),
    "no flag": (
        lambda p: change(p, NEURONS, lambda k: spike(k, unless="v_no_flag")),
        "neuron_update_Q: no flag v_no_flag comes before the spike",
    ),
    "a time of another type": (
        lambda p: replace(p, timepoint=value_type("double")),
        "has not the type of times",
    ),
    "a name of nothing": (
        lambda p: change(p, DYNAMICS, lambda k: first_code(k, names={})),
        "synapse_dynamics_S: Rule: synapse_dynamics_code mentions 'e', which stands for nothing",
    ),
    "a constant that changes": (
        lambda p: change(p, NEURONS, lambda k: first_code(k, tree=ASSIGNS, names={"a": "v_a"})),
        "assigns to 'a', v_a, which nothing stores",
    ),
    "no stream": (
        lambda p: change(p, DYNAMICS, lambda k: first_code(k, tree=CALLS, names={})),
        "calls gennrand_uniform, and the kernel has no stream of random numbers",
    ),
    "what the loop has not": (
        lambda p: change(p, NEURONS, lambda k: replace(k, uses=k.uses | {"id_post"})),
        "neuron_update_Q: its loop has no id_post",
    ),
    "adds to no input": (
        lambda p: change(
            p, NEURONS, lambda k: first_code(k, actions={"injectCurrent": Accumulate("v_V", None)})
        ),
        "adds to v_V, which is no input",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plans_are_refused(plan: Plan, name: str) -> None:
    breaks, message = BROKEN[name]
    with pytest.raises(PlanError, match=message.replace("(", r"\(").replace(")", r"\)")):
        verify_plan(breaks(plan))


def test_deferred_kernels_write_nothing_that_others_see(plan: Plan) -> None:
    deferred = optimise(plan, DEFAULT)
    kernel = next(k for k in deferred.step if k.deferral is not None)
    assert kernel.name == DYNAMICS
    with pytest.raises(PlanError, match="synapse_dynamics_S is deferred, and writes v_Q_V, which others see"):
        verify_plan(change(deferred, DYNAMICS, lambda k: replace(k, loads=(*k.loads, replace(SHARED, how="sum")))))
    assert kernel.deferral is not None
    short = replace(kernel.deferral, depth=2 * kernel.deferral.depth)
    with pytest.raises(PlanError, match=r"synapse_dynamics_S: v_S_x_kept has no room for 256 rows of v_S_x"):
        verify_plan(change(deferred, DYNAMICS, lambda k: replace(k, deferral=short)))


def test_random_networks_pass_with_every_rewrite() -> None:
    model = genn.GeNNModel("double", "random")
    for seed in range(4):
        add_network(model, seed, f"N{seed}_")
    plain = build_plan(describe(model))
    verify_plan(with_checks(optimise(plain, ())))
    verify_plan(optimise(plain, DEFAULT))
