"""The plain plan of a network: which kernels, in which order, reading and writing what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from small_networks import RULE, network
from snnlearn.codegen.plan import Kernel, Neurons, Plan, SpikingColumns, SpikingRows, Synapses, build_plan, optimise
from snnlearn.codegen.plan.kernels import Transposition
from snnlearn.codegen.plan.names import label
from snnlearn.codegen.plan.rewrites.defer import DEPTH, why_not
from snnlearn.declare import CustomUpdateModel, VarInitSnippet, WeightUpdateModel
from snnlearn.errors import NetworkError, PreferenceError
from snnlearn.models import FixedProbability
from snnlearn.network import Connectivity, CustomUpdate, Location, SparseConnectInit, VarInit, WeightReference


def kernel(plan: Plan, name: str) -> Kernel:
    return next(k for k in plan.step if k.name == name)


def test_kernels_come_in_genns_order() -> None:
    plan = build_plan(network())
    assert [(k.name, type(k.domain)) for k in plan.step] == [
        ("synapse_dynamics_S", Synapses),
        ("synapse_dynamics_R", Synapses),
        ("presynaptic_update_S", SpikingRows),
        ("postsynaptic_update_S", SpikingColumns),
        ("neuron_update_A", Neurons),
        ("neuron_update_B", Neurons),
    ]
    assert plan.step[0].domain == Synapses(3, 5)
    assert plan.step[2].domain == SpikingRows(3, 5, "v_A_spikes", "v_A_spike_count")
    assert plan.step[3].domain == SpikingColumns(3, 5, "v_B_spikes", "v_B_spike_count")


def test_code_within_a_neuron_comes_in_genns_order() -> None:
    plan = build_plan(network())
    assert [code.title for code in kernel(plan, "neuron_update_A").codes] == [
        "R: DeltaCurr",
        "S: addToPre",
        "A: sim_code",
        "S: pre_dynamics_code",
        "A: threshold_condition_code",
        "S: pre_spike_code",
        "A: reset_code",
    ]


def test_reads_and_writes() -> None:
    plan = build_plan(network())
    sets = {k.name: (k.reads, k.writes) for k in plan.step}
    assert sets["synapse_dynamics_S"] == ({"v_S_z", "v_B_V", "v_S_e"}, {"v_S_e"})
    assert sets["synapse_dynamics_R"] == ({"v_R_w"}, {"v_R_out_post"})
    assert sets["presynaptic_update_S"] == ({"v_S_w", "v_A_spikes", "v_A_spike_count"}, {"v_S_out_post"})
    assert sets["postsynaptic_update_S"] == ({"v_S_w", "v_B_spikes", "v_B_spike_count"}, {"v_S_out_pre"})
    assert sets["neuron_update_A"] == (
        {"v_A_V", "v_R_out_post", "v_S_out_pre", "v_S_z"},
        {"v_A_V", "v_R_out_post", "v_S_out_pre", "v_S_z", "v_A_spikes", "v_A_spike_count", "v_A_recording"},
    )
    assert sets["neuron_update_B"][1] == {"v_B_V", "v_S_out_post", "v_B_spikes", "v_B_spike_count"}, "B is not recorded"


def test_threads_share_synapses_where_no_two_touch_one_element() -> None:
    def split(code: str) -> str | None:
        rule = replace(RULE, synapse_dynamics_code=code)
        return kernel(build_plan(network(rule)), "synapse_dynamics_S").split

    assert split("e += 1.0;") == "pre"
    assert split("addToPre(e);") == "pre"
    assert split("addToPost(e);") == "post"
    assert split("addToPost(e); addToPre(e);") is None
    assert kernel(build_plan(network()), "neuron_update_A").split is None


def test_a_variable_with_two_names_is_loaded_once() -> None:
    twice = CustomUpdateModel("Twice", var_refs=["a", "b"], update_code="a += 1.0; b += 1.0;")
    ref = WeightReference(Location("S", "synapse", "w"), Location("R", "synapse", "w"))
    update = CustomUpdate("U", "G", twice, var_refs={"a": ref, "b": ref})
    kernels = build_plan(network(updates=(update,))).custom_updates["G"]
    assert [load.array for load in kernels[0].loads] == ["v_S_w"]
    assert kernels[0].codes.__next__().names == {"a": "v_a", "b": "v_a"}
    assert isinstance(kernels[1], Transposition)
    assert (kernels[1].reads, kernels[1].writes) == ({"v_S_w"}, {"v_R_w"})


def test_a_name_without_a_value_in_this_loop_is_an_error() -> None:
    wrong = CustomUpdateModel("Wrong", var_refs=["a"], update_code="a = id;")
    update = CustomUpdate("U", "G", wrong, var_refs={"a": WeightReference(Location("S", "synapse", "w"))})
    with pytest.raises(NetworkError, match=r"custom update U \(Wrong\): 'id' has no value here"):
        build_plan(network(updates=(update,)))


def test_an_initialiser_without_code_leaves_zeros() -> None:
    plan = build_plan(network(vars={"w": VarInit(VarInitSnippet("Nothing"), {}), "e": 0.0}))
    assert "init_S_w" not in [k.name for k in plan.init]
    assert "init_S_e" in [k.name for k in plan.init]


def test_streams_differ_between_variables() -> None:
    noise = VarInitSnippet("Noise", var_init_code="value = gennrand_uniform();")
    plan = build_plan(network(vars={"w": VarInit(noise, {}), "e": VarInit(noise, {})}))
    streams = {k.name: k.stream for k in plan.init}
    assert streams["init_S_w"] not in (None, streams["init_S_e"])
    assert streams["init_A_V"] is None, "a constant draws no numbers"


REASONS = [
    ({"synapse_dynamics_code": "e += 1.0; addToPost(e);"}, "synapse_dynamics_S", "sends input in every timestep"),
    ({"pre_spike_syn_code": "addToPost(e);"}, "synapse_dynamics_S", "presynaptic_update_S needs S_e in every timestep"),
    ({"post_spike_syn_code": "w = e;"}, "synapse_dynamics_S", "postsynaptic_update_S needs S_e in every timestep"),
    (
        {"synapse_dynamics_code": "e += w;", "post_spike_syn_code": "w += 1.0;"},
        "synapse_dynamics_S",
        "postsynaptic_update_S changes S_w in every timestep",
    ),
    ({}, "neuron_update_A", "runs over neurons or spikes, not over all synapses"),
    ({}, "presynaptic_update_S", "runs over neurons or spikes, not over all synapses"),
    ({}, "synapse_dynamics_S", None),
]


@pytest.mark.parametrize(("codes", "name", "reason"), REASONS)
def test_why_a_kernel_cannot_be_deferred(codes: dict[str, str], name: str, reason: str | None) -> None:
    plan = build_plan(network(replace(RULE, **codes)))
    assert why_not(kernel(plan, name), plan) == reason
    deferred = kernel(optimise(plan, ["defer"]), name).deferral
    assert (deferred is not None) == (reason is None)


def test_a_deferred_kernel_keeps_the_changing_vectors_it_reads() -> None:
    plan = optimise(build_plan(network()), ["defer"])
    deferral = kernel(plan, "synapse_dynamics_S").deferral
    assert deferral is not None
    assert deferral.depth == DEPTH
    assert {b.array: b.buffer for b in deferral.buffers} == {"v_S_z": "v_S_z_kept", "v_B_V": "v_B_V_kept"}
    sizes = {a.name: a.size for a in plan.arrays}
    assert (sizes["v_S_z_kept"], sizes["v_B_V_kept"]) == (2 * 16 * DEPTH, 2 * 16 * DEPTH)


def constants(plan: Plan, name: str) -> dict[str, float]:
    return {label(c.name): c.value for c in kernel(plan, name).constants}


def test_strength_turns_quotients_by_constants_into_products() -> None:
    plan = build_plan(network())
    reduced = optimise(plan, ["strength"])
    assert constants(plan, "synapse_dynamics_S") == {"tau": 2.0}
    assert constants(reduced, "synapse_dynamics_S") == {"one_over_tau": 0.5}
    assert constants(reduced, "neuron_update_A") | {"R": 0} == constants(reduced, "neuron_update_A") | {"R": 0}
    assert constants(reduced, "neuron_update_A")["one_over_twin"] == 0.25
    # An infinite divisor has no usable reciprocal.
    assert constants(reduced, "neuron_update_B")["twin"] == float("inf")
    assert "one_over_twin" not in constants(reduced, "neuron_update_B")
    assert "/" not in str(kernel(reduced, "synapse_dynamics_S").body[0].tree).replace("1/tau", "")


@pytest.mark.parametrize(
    ("value", "changed"), [(1e-38, False), (1e-36, True), (-3.0, True), (1e36, True), (1e38, False), (0.0, False)]
)
def test_strength_needs_a_reciprocal_that_is_a_normal_number(value: float, changed: bool) -> None:
    plan = optimise(build_plan(network(params={"tau": value})), ["strength"])
    assert ("one_over_tau" in constants(plan, "synapse_dynamics_S")) == changed


def test_a_dynamic_parameter_is_no_constant() -> None:
    net = network()
    dynamic = replace(net.synapses["S"], weight_update_dynamic_params=frozenset(["tau"]))
    net = replace(net, synapses={**net.synapses, "S": dynamic})
    plan = optimise(build_plan(net), ["strength"])
    assert constants(plan, "synapse_dynamics_S") == {}


def test_integer_quotients_are_left_alone() -> None:
    rule = WeightUpdateModel("Int", params=[("k", "int")], vars=[("n", "int")], synapse_dynamics_code="n = n / k;")
    plan = build_plan(network(rule, params={"k": 4}))
    assert optimise(plan, ["strength"]).step[0] == plan.step[0]


def test_rewrites_leave_the_plan_they_are_given_alone() -> None:
    plan = build_plan(network())
    before = plan.step
    optimise(plan)
    assert plan.step is before
    assert optimise(plan, ()) is plan


def test_an_unknown_rewrite() -> None:
    with pytest.raises(PreferenceError, match="unknown optimisation 'defr'; did you mean 'defer'"):
        optimise(build_plan(network()), ["defr"])


def test_timers_are_named_once() -> None:
    timers = build_plan(network()).timers
    assert timers == ("init", "synapse_dynamics", "presynaptic_update", "postsynaptic_update", "neuron_update")


def test_strength_reaches_compound_assignments_and_the_code_of_spikes() -> None:
    rule = replace(RULE, synapse_dynamics_code="e /= tau;", pre_spike_code="z += w0 / tau;", params=("tau", "w0"))
    plan = optimise(build_plan(network(rule)), ["strength"])
    assert constants(plan, "synapse_dynamics_S") == {"one_over_tau": 0.5}
    assert constants(plan, "neuron_update_A")["S_w0"] == 2.0
    assert constants(plan, "neuron_update_A")["one_over_S_tau"] == 0.5


def test_columns_of_more_synapses_than_their_numbers_can_tell_apart_are_refused() -> None:
    net = network(sizes=(2, 5))

    def plan(room: int) -> Plan:
        connectivity = Connectivity("SPARSE", SparseConnectInit(FixedProbability, {"prob": 0.5}), max_connections=room)
        s = replace(net.synapses["S"], connectivity=connectivity)
        return build_plan(replace(net, synapses={**net.synapses, "S": s}))

    assert plan(2**31).column_indexing
    with pytest.raises(NetworkError, match=r"has room for 4,294,967,298 synapses; .*lower max_connections"):
        plan(2**31 + 1)
