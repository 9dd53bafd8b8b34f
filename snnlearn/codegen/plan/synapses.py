"""Kernels of synapses: dynamics in every timestep, and what spikes and events do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.context import Context, Meanings, built_in, finish_step
from snnlearn.codegen.plan.domains import Domain, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.parts import Accumulate, Action, Index
from snnlearn.declare import value_type
from snnlearn.declare.built_in_names import SYNAPSE
from snnlearn.dialect import check_model, tree
from snnlearn.dialect.tree import Snippet
from snnlearn.network import Location, SynapsePopulation
from snnlearn.network.keys import called

_TIMERS = {
    "synapse_dynamics_code": "synapse_dynamics",
    "pre_event_syn_code": "presynaptic_update",
    "pre_spike_syn_code": "presynaptic_update",
    "post_event_syn_code": "postsynaptic_update",
    "post_spike_syn_code": "postsynaptic_update",
}
_NAMES = {"pre_event_syn_code": "presynaptic_event_update", "post_event_syn_code": "postsynaptic_event_update"}


def synapse_kernel(context: Context, s: SynapsePopulation, attribute: str) -> Kernel | None:
    """Return the kernel of one of a connection's code strings, if it has that."""
    model = s.weight_update.model
    snippet = check_model(model).snippets.get(attribute)
    if snippet is None:
        return None
    timer = _TIMERS[attribute]
    k = context.builder(
        f"{_NAMES.get(attribute, timer)}_{s.name}",
        f"{attribute} of {called(s.name)} ({model.name})",
        timer,
        _domain(context, s, attribute),
    )
    meanings = weight_update(context, s, "") | built_in(*SYNAPSE)
    meanings |= _variables(context, s) | _spike_times(context, s)
    k.add(k.code(f"{model.name}: {attribute}", _atomic_adds(s, snippet), meanings, _actions(context, s)))
    return finish_step(k)


def _atomic_adds(s: SynapsePopulation, snippet: Snippet) -> Snippet:
    """Return the code with ``atomic_add_g(x)`` as ``g += x`` where each synapse has a ``g`` of its own.

    Nothing else adds to that in the same kernel. Where synapses share it, the call stays. Either way the argument of an
    integer's is one of its type first, as of any function.
    """
    types = {f"atomic_add_{v.name}": (v.name, value_type(v.type)) for v in s.weight_update.model.vars}
    used = snippet.calls & types.keys()
    if not used:
        return snippet
    shared = s.connectivity.weights == "KERNEL"

    def change(node: Any) -> Any:
        if not isinstance(node, tree.Call) or node.function not in types:
            return node
        name, vtype = types[node.function]
        value = node.args[0] if vtype.kind == "float" else tree.Cast(node.args[0], vtype)
        if shared:
            return replace(node, args=(value,))
        return tree.Assign("+=", tree.Name(name, vtype), value, vtype)

    changed = replace(snippet, tree=tree.rewrite(snippet.tree, change))
    if shared:
        return changed
    names = {types[call][0] for call in used}
    return replace(changed, reads=snippet.reads | names, writes=snippet.writes | names, calls=snippet.calls - used)


def weight_update(context: Context, s: SynapsePopulation, prefix: str) -> Meanings:
    """Return what all code strings of a weight update see."""
    wu = s.weight_update
    found = context.numbers(s.name, wu.model, wu.params, s.weight_update_dynamic_params, prefix)
    num_pre, num_post = context.network.groups.ends(s)
    return found | context.sizes(num_pre=num_pre, num_post=num_post)


def _domain(context: Context, s: SynapsePopulation, attribute: str) -> Domain:
    sparse = context.memory.sparse(s)
    pre, post = context.network.groups.ends(s)
    if attribute == "synapse_dynamics_code":
        return Synapses(pre, post, sparse)
    side = "pre" if attribute.startswith("pre") else "post"
    if attribute.endswith("event_syn_code"):
        events = context.memory[Location(s.name, "pre_events" if side == "pre" else "post_events")]
        count = context.memory[Location(s.name, "pre_event_count" if side == "pre" else "post_event_count")]
    else:
        events, count = context.spikes(s.source if side == "pre" else s.target)
    if side == "pre":
        return SpikingRows(pre, post, events.name, count.name, s.axonal_delay_steps, sparse)
    return SpikingColumns(pre, post, events.name, count.name, s.back_prop_delay_steps, sparse)


def _variables(context: Context, s: SynapsePopulation) -> Meanings:
    model = s.weight_update.model
    index: Index = "kernel" if s.connectivity.weights == "KERNEL" else "synapse"
    before, back = s.axonal_delay_steps, s.back_prop_delay_steps
    found = context.elements(s.name, "synapse", model.vars, index)
    found |= context.elements(s.name, "pre", model.pre_vars, "pre", delay=before)
    found |= context.elements(s.name, "post", model.post_vars, "post", delay=back)
    for name, ref in s.pre_var_refs.items():
        found[name] = context.element(ref.to, "pre", name, before)
    for name, ref in (*s.post_var_refs.items(), *s.psm_var_refs.items()):
        found[name] = context.element(ref.to, "post", name, back)
    if s.connectivity.kernel_shape:
        at = Location(s.name, "kernel_ind")
        if at in context.memory:
            found["id_kernel"] = context.element(at, "synapse", "id_kernel")
    return found


def _spike_times(context: Context, s: SynapsePopulation) -> Meanings:
    """Return when spikes and events arrived: a timestep after they were emitted, or more."""
    found: Meanings = {}
    for side, population, delay in (
        ("pre", s.source, s.axonal_delay_steps),
        ("post", s.target, s.back_prop_delay_steps),
    ):
        index: Index = "pre" if side == "pre" else "post"
        places = {
            f"st_{side}": Location(population, "spike_time"),
            f"prev_st_{side}": Location(population, "prev_spike_time"),
            f"set_{side}": Location(s.name, "pre_event_time" if side == "pre" else "post_event_time"),
            f"prev_set_{side}": Location(s.name, "prev_pre_event_time" if side == "pre" else "prev_post_event_time"),
        }
        for name, at in places.items():
            if at in context.memory:
                found[name] = context.element(at, index, name, delay, arrives_after=delay + 1)
    return found


def _actions(context: Context, s: SynapsePopulation) -> dict[str, Action]:
    actions: dict[str, Action] = {
        "addToPost": Accumulate(context.memory[Location(s.name, "out_post")].name, "post"),
    }
    if s.uses("addToPre"):
        actions["addToPre"] = Accumulate(context.memory[Location(s.name, "out_pre")].name, "pre")
    delayed = Location(s.name, "den_delay")
    if delayed in context.memory:
        actions["addToPostDelay"] = Accumulate(context.memory[delayed].name, "post", delayed=True)
    if s.connectivity.weights == "KERNEL":
        for v in s.weight_update.model.vars:
            array = context.memory[Location(s.name, "synapse", v.name)]
            actions[f"atomic_add_{v.name}"] = Accumulate(array.name, "kernel")
    return actions
