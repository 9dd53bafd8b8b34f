"""Kernels that run once, before the first timestep: connectivity, and initial values of variables."""

from __future__ import annotations

from dataclasses import replace

from snnlearn.codegen.plan.bindings import BuiltInVariable, Element, WholeArray
from snnlearn.codegen.plan.context import Context, Meanings, built_in, stream_of
from snnlearn.codegen.plan.domains import Columns, Diagonals, Domain, Neurons, Rows, Synapses
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.memory import init_egp
from snnlearn.codegen.plan.names import label
from snnlearn.codegen.plan.parts import Action, Connect, Index, Store
from snnlearn.declare import Param, Precision, ValueType, VarInitSnippet
from snnlearn.dialect import check_initialiser, check_model
from snnlearn.models import Constant
from snnlearn.network import Location, SynapsePopulation, Variable, VarInit
from snnlearn.network.keys import called


def init_kernel(context: Context, v: Variable) -> Kernel | None:
    """Return what makes a variable's initial values, where a snippet does."""
    if not isinstance(v.init, VarInit):
        return None
    snippet, params = _for_type(v.init, v.type, context.network.precision), v.init.params
    checked = check_initialiser(snippet, v.type).snippets.get("var_init_code")
    if checked is None:
        return None
    array = context.memory[v.location]
    domain, index, meanings = _loop(context, v)
    k = context.builder(f"init_{label(array.name)}", f"initial values of {v.location}: {snippet.name}", "init", domain)
    meanings |= context.numbers(v.location.group, snippet, params, frozenset(), "")
    for egp in snippet.extra_global_params:
        meanings[egp.name] = WholeArray(context.memory[init_egp(v.location, egp.name)].name)
    how: Store = "replace" if array.slots == 1 else "broadcast"
    guard = context.guard(v.location, f"its initialiser '{snippet.name}'")
    meanings["value"] = Element("value", array.name, v.type, index, how=how, guard=guard)
    k.add(k.code(snippet.name, checked, meanings))
    stream = stream_of(f"{v.location.group}.{v.location.space}.{v.location.name}") if k.draws else None
    return k.finish(batched=v.batched, stream=stream)


def _for_type(init: VarInit, vtype: ValueType, precision: Precision) -> VarInitSnippet:
    """Return the snippet as it makes a variable of this type.

    The parameter of ``Constant`` is the value itself: of the variable's type, so that not a digit of it is lost.
    """
    if init.snippet is not Constant:
        return init.snippet
    fits = vtype.holds(init.params["constant"], precision)
    return replace(Constant, params=(Param("constant", vtype.name if fits else "double"),))


def _loop(context: Context, v: Variable) -> tuple[Domain, Index, Meanings]:
    if v.over != "synapse":
        meanings = context.neuron(v.size)
        if v.over == "kernel":
            meanings["id_kernel"] = BuiltInVariable("id")
        return Neurons(v.size), "neuron", meanings
    name = context.network.groups.connection_of(v.location)
    assert name is not None
    s = context.network.synapses[name]
    ends = context.network.groups.ends(s)
    meanings = context.synapse(*ends)
    kernel = Location(s.name, "kernel_ind")
    if kernel in context.memory:
        meanings["id_kernel"] = context.element(kernel, "synapse", "id_kernel")
    return Synapses(*ends, context.memory.sparse(s)), "synapse", meanings


_BUILDERS = {"row_build_code": "pre", "col_build_code": "post", "diagonal_build_code": "diagonal"}


def connect_kernel(context: Context, s: SynapsePopulation) -> Kernel | None:
    """Return what makes a connection's connectivity, where a snippet does."""
    init, sparse = s.connectivity.init, context.memory.sparse(s)
    if init is None or sparse is None or s.connectivity.connections is not None:
        return None
    snippets = check_model(init.snippet).snippets
    attribute = next((name for name in _BUILDERS if name in snippets), None)
    if attribute is None:
        return None
    pre, post = context.network.groups.ends(s)
    domains: dict[str, Domain] = {
        "row_build_code": Rows(pre, post, sparse),
        "col_build_code": Columns(pre, post, sparse),
        "diagonal_build_code": Diagonals(pre, post, s.connectivity.diagonals(pre, post), sparse),
    }
    title = f"{attribute} of {called(s.name)} ({init.snippet.name})"
    k = context.builder(f"connect_{s.name}", title, "init_sparse", domains[attribute])
    meanings = built_in("id_pre", "id_post", "id_diag")
    meanings |= context.sizes(num_pre=pre, num_post=post, id_pre_begin=0, id_post_begin=0, num_threads=1, id_thread=0)
    meanings |= context.numbers(s.name, init.snippet, init.params, frozenset(), "", arrays="connect_egp")
    end = "pre" if attribute == "col_build_code" else "post"
    kernel = s.connectivity.kernel_shape if sparse.kernel_ind is not None else ()
    actions: dict[str, Action] = {"addSynapse": Connect("pre" if end == "pre" else "post", kernel)}
    k.add(k.code(title, snippets[attribute], meanings, actions))
    return k.finish(stream=stream_of(f"{s.name}.connectivity") if k.draws else None)
