"""Kernels of custom updates and custom connectivity updates."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from snnlearn.codegen.plan.bindings import BuiltInVariable, Element, KernelBuilder, WholeArray
from snnlearn.codegen.plan.context import Context, Meanings, built_in, stream_of
from snnlearn.codegen.plan.domains import Columns, Domain, Neurons, Once, Rows, Synapses
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Kernel, Operation, Transposition
from snnlearn.codegen.plan.names import label
from snnlearn.codegen.plan.parts import Action, AddSynapse, Index, NewValue, RemoveSynapse, Store, Transfer
from snnlearn.declare import VarAccessModeAttribute
from snnlearn.declare.built_in_names import SYNAPSE
from snnlearn.dialect import check_model
from snnlearn.dialect.tree import Snippet
from snnlearn.errors import NetworkError
from snnlearn.network import (
    CustomConnectivityUpdate,
    CustomUpdate,
    Location,
    SynapsePopulation,
    Variable,
    WeightReference,
)
from snnlearn.network.keys import called


def group_operations(context: Context, group: str) -> tuple[Operation, ...]:
    """Return what a group of custom updates does, in GeNN's order."""
    net = context.network
    updates = [u for u in net.custom_updates.values() if u.group_name == group]
    changes = [u for u in net.custom_connectivity_updates.values() if u.group_name == group]
    operations: list[Operation] = [k for u in changes for k in _host_kernel(context, u)]
    for per_synapse in (False, True):
        for u in updates:
            if u.per_synapse == per_synapse:
                operations += _update(context, u)
    operations += [k for u in changes for k in _row_kernel(context, u)]
    changed = dict.fromkeys(u.synapses for u in changes)
    operations += [indexer for name in changed for indexer in _index_columns(context, net.synapses[name], group)]
    # Transpositions copy what the updates have left, so they come last.
    operations += [t for u in updates for t in _transpositions(context, u)]
    return tuple(operations)


def column_indexer(context: Context, s: SynapsePopulation, name: str, timer: str) -> IndexColumns | None:
    """Return what lists each postsynaptic neuron's synapses, where anything needs that."""
    sparse = context.memory.sparse(s)
    if sparse is None or sparse.column_start is None:
        return None
    num_pre, num_post = context.network.groups.ends(s)
    room = num_pre * sparse.stride
    if room > 2**32:
        raise NetworkError(
            f"synapse population {s.name!r} has room for {room:,} synapses; with code of postsynaptic spikes or events "
            "2**32 is the most: lower max_connections, or split it"
        )
    return IndexColumns(context.kernel_name(name), timer, Columns(num_pre, num_post, sparse))


def _index_columns(context: Context, s: SynapsePopulation, group: str) -> Iterable[IndexColumns]:
    indexer = column_indexer(context, s, f"index_columns_{group}_{s.name}", f"custom_update_remap_{group}")
    return [] if indexer is None else [indexer]


# ---- custom updates ----


def _update(context: Context, u: CustomUpdate) -> list[Operation]:
    snippet = check_model(u.model).snippets.get("update_code")
    if snippet is None:
        return []
    refs = {name: context.network.variables[ref.to] for name, ref in u.var_refs.items()}
    widest = next((v for v in refs.values() if v.over != "only"), None)
    k = _update_builder(context, u, widest)
    meanings = _update_meanings(context, u, widest)
    k.add(k.code(f"{u.model.name}: update_code", snippet, meanings))
    kernel = finish_call(context, k, u.name, any(v.batched for v in refs.values()))
    fills = [
        Fill(
            context.kernel_name(f"fill_{u.name}_{label(load.name)}"),
            kernel.timer,
            load.array,
            _identity(load.how, load.type.dtype_for(precision)),
        )
        for precision in [context.network.precision]
        for load in kernel.loads
        if load.how in ("sum", "max") and load.store
    ]
    return [*fills, kernel]


def finish_call(context: Context, k: KernelBuilder, group: str, batched: bool) -> Kernel:
    """Return the kernel of an update, with random numbers of its own where it draws any."""
    if k.draws:
        calls = context.memory[Location(group, "calls")].name
        return k.finish(batched=batched, stream=stream_of(k.name), draws="each call", calls=calls)
    return k.finish(batched=batched)


def _identity(how: Store, dtype: str) -> float:
    """Return the identity of the reduction."""
    if how == "sum":
        return 0
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return -math.inf
    return 0 if kind.kind == "b" else int(np.iinfo(kind).min)


def _update_builder(context: Context, u: CustomUpdate, widest: Variable | None) -> KernelBuilder:
    domain: Domain = Neurons(1 if widest is None else widest.size)
    if widest is not None and widest.over == "synapse":
        name = context.network.groups.connection_of(widest.location)
        assert name is not None
        s = context.network.synapses[name]
        domain = Synapses(*context.network.groups.ends(s), context.memory.sparse(s))
    title = f"custom update {called(u.name)} ({u.model.name})"
    return context.builder(f"custom_update_{u.name}", title, f"custom_update_{u.group_name}", domain)


def _update_meanings(context: Context, u: CustomUpdate, widest: Variable | None) -> Meanings:
    index: Index = "synapse" if widest is not None and widest.over == "synapse" else "neuron"
    if widest is not None and widest.over == "synapse":
        meanings = context.synapse(*_ends(context, widest))
    else:
        meanings = context.neuron(1 if widest is None else widest.size)
        if widest is not None and widest.over == "kernel":
            meanings["id_kernel"] = BuiltInVariable("id")
    meanings |= context.numbers(u.name, u.model, u.params, u.dynamic_params, "")
    for v in u.model.vars:
        meanings[v.name] = _element(context, Location(u.name, "own", v.name), v.name, v.access, index, widest)
    for ref in u.model.var_refs:
        meanings[ref.name] = _element(context, u.var_refs[ref.name].to, ref.name, ref.access, index, widest)
    for name, to in u.egp_refs.items():
        meanings[name] = WholeArray(context.memory[to.to].name)
    return meanings


def _ends(context: Context, v: Variable) -> tuple[int, int]:
    name = context.network.groups.connection_of(v.location)
    assert name is not None
    return context.network.groups.ends(context.network.synapses[name])


def _element(context: Context, at: Location, name: str, access: int, index: Index, widest: Variable | None) -> Element:
    array, variable = context.memory[at], context.network.variables[at]
    how: Store = "replace"
    if access & VarAccessModeAttribute.REDUCE:
        how = "sum" if access & VarAccessModeAttribute.SUM else "max"
    elif access & VarAccessModeAttribute.BROADCAST:
        how = "broadcast"
    scalar = variable.over == "only" and widest is not None
    return Element(name, array.name, array.type, "only" if scalar else index, how=how)


def _transpositions(context: Context, u: CustomUpdate) -> Iterable[Transposition]:
    for name, ref in u.var_refs.items():
        if not isinstance(ref, WeightReference) or ref.transpose is None:
            continue
        if ref.transpose == ref.to:
            raise NetworkError(f"custom update {u.name!r}: {ref.to} cannot be its own transposed copy")
        source, target = context.memory[ref.to], context.memory[ref.transpose]
        if source.batched != target.batched:
            raise NetworkError(
                f"custom update {u.name!r}: {ref.to} and {ref.transpose} differ in their copies of a batch"
            )
        copies = context.network.batch_size if source.batched else 1
        unique = context.kernel_name(f"transpose_{u.name}_{name}")
        timer = f"custom_update_transpose_{u.group_name}"
        shape = context.network.variables[ref.to].shape
        yield Transposition(unique, timer, source.name, target.name, shape[0], shape[1], copies)


# ---- custom connectivity updates ----


def _row_kernel(context: Context, u: CustomConnectivityUpdate) -> Iterable[Kernel]:
    snippet = check_model(u.model).snippets.get("row_update_code")
    if snippet is None:
        return []
    s, memory = context.network.synapses[u.synapses], context.memory
    sparse = memory.sparse(s)
    assert sparse is not None
    title = f"row_update_code of {called(u.name)} ({u.model.name})"
    rows = Rows(*context.network.groups.ends(s), sparse)
    k = context.builder(f"custom_connectivity_update_{u.name}", title, f"custom_update_{u.group_name}", rows)
    meanings = _connectivity_meanings(context, u)
    meanings |= built_in(*SYNAPSE)
    meanings |= context.sizes(row_stride=sparse.stride)
    meanings["row_length"] = context.element(Location(s.name, "row_length"), "pre", "row_length", direct=True)
    meanings |= context.elements(u.name, "synapse", u.model.vars, "synapse", direct=True)
    meanings |= context.elements(u.name, "pre", u.model.pre_vars, "pre")
    meanings |= context.elements(u.name, "post", u.model.post_vars, "post", direct=True)
    for name, ref in u.var_refs.items():
        meanings[name] = context.element(ref.to, "synapse", name, direct=True)
    for name, before in u.pre_var_refs.items():
        meanings[name] = context.element(before.to, "pre", name)
    for name, behind in u.post_var_refs.items():
        meanings[name] = context.element(behind.to, "post", name, direct=True)
    locations = [Location(u.name, "synapse", v.name) for v in u.model.vars]
    values = [*locations, *(u.var_refs[ref.name].to for ref in u.model.var_refs)]
    actions: dict[str, Action] = {
        "add_synapse": AddSynapse(
            tuple(NewValue(memory[at].name, context.guard(at, f"add_synapse of {u.name!r}")) for at in values)
        ),
        "remove_synapse": RemoveSynapse(),
    }
    k.add(k.code(title, snippet, meanings, actions))
    kernel = finish_call(context, k, u.name, batched=False)
    variables = context.network.variables.values()
    moved = [v for v in variables if v.over == "synapse" and context.network.groups.connection_of(v.location) == s.name]
    return [replace(kernel, moved=tuple(memory[v.location].name for v in moved))]


def _connectivity_meanings(context: Context, u: CustomConnectivityUpdate) -> Meanings:
    num_pre, num_post = context.network.groups.ends(context.network.synapses[u.synapses])
    meanings = context.numbers(u.name, u.model, u.params, u.dynamic_params, "")
    meanings |= context.sizes(num_pre=num_pre, num_post=num_post)
    for name, to in u.egp_refs.items():
        meanings[name] = WholeArray(context.memory[to.to].name)
    return meanings


def _host_kernel(context: Context, u: CustomConnectivityUpdate) -> Iterable[Kernel]:
    snippet: Snippet | None = check_model(u.model).snippets.get("host_update_code")
    if snippet is None:
        return []
    groups, memory = context.network.groups, context.memory
    s = groups.synapses[u.synapses]
    title = f"host_update_code of {called(u.name)} ({u.model.name})"
    once = Once(*groups.ends(s))
    k = context.builder(f"custom_host_update_{u.name}", title, f"custom_update_host_{u.group_name}", once)
    meanings = _connectivity_meanings(context, u) | context.sizes(row_stride=groups.row_stride(s))
    arrays = {v.name: Location(u.name, "pre", v.name) for v in u.model.pre_vars}
    arrays |= {v.name: Location(u.name, "post", v.name) for v in u.model.post_vars}
    arrays |= {egp.name: Location(u.name, "egp", egp.name) for egp in u.model.extra_global_params}
    arrays["row_length"] = Location(s.name, "row_length")
    meanings |= {name: WholeArray(memory[at].name) for name, at in arrays.items()}
    actions: dict[str, Action] = {}
    for name, at in arrays.items():
        moved = "RowLength" if name == "row_length" else name
        for call, to_device in ((f"push{moved}ToDevice", True), (f"pull{moved}FromDevice", False)):
            if call in snippet.calls:
                actions[call] = Transfer(memory[at].name, to_device)
                k.note_array(memory[at].name)
    k.add(k.code(title, snippet, meanings, actions))
    return [finish_call(context, k, u.name, batched=False)]
