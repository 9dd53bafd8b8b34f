"""The schedule on a CPU of all kernels but those of neurons and of deferred blocks: loops, and shares for threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snnlearn.codegen.lower.connectivity import change, connect
from snnlearn.codegen.lower.cpu.deferred import tiles
from snnlearn.codegen.lower.cpu.kernel import ROWS_AT_ONCE, CpuKernel
from snnlearn.codegen.lower.cpu.linear import linear
from snnlearn.codegen.lower.cpu.neurons import NeuronKernel
from snnlearn.codegen.lower.cpu.strips import neurons
from snnlearn.codegen.lower.expressions import SIZE, UINT, Call, Cast, Element, Expr, Memory, Num, Unary, Var, size
from snnlearn.codegen.lower.kernel_names import IX, JX, SX, ZERO
from snnlearn.codegen.lower.nest import (
    Assign,
    Block,
    Body,
    Copy,
    Do,
    Fence,
    For,
    Function,
    Let,
    Room,
    Unused,
    View,
    loop,
)  # fmt: skip
from snnlearn.codegen.plan import Kernel, Neurons, Plan, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import BuildDomain, Columns, Diagonals
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Operation, Transposition


def lower(operation: Operation, plan: Plan, any_size: bool = False) -> list[Function]:
    """Return the functions of an operation, the last of which is called.

    Parameters
    ----------
    operation : Operation
        Of the plan.
    plan : Plan
    any_size : bool
        Whether the nest is to suit populations of any size, so that more kernels are alike.
    """
    if isinstance(operation, Kernel):
        return lower_kernel(cpu_kernel(operation, plan, any_size))
    if isinstance(operation, Transposition):
        return [_transposition(operation, plan)]
    return [_fill(operation, plan) if isinstance(operation, Fill) else _index_columns(operation, plan)]


def cpu_kernel(kernel: Kernel, plan: Plan, any_size: bool = False) -> CpuKernel:
    """Return a kernel on its way to the nest of a CPU."""
    return (NeuronKernel if isinstance(kernel.domain, Neurons) else CpuKernel)(kernel, plan, any_size)


def lower_kernel(k: CpuKernel) -> list[Function]:
    """Return the functions of a kernel, the last of which is called."""
    if k.linear is not None:
        return linear(k)
    if k.kernel.deferral is not None:
        return tiles(k)
    shape: Callable[[Any], Body] = _once
    if isinstance(k, NeuronKernel):
        shape = neurons
    elif isinstance(k.domain, Synapses):
        shape = _synapses
    elif isinstance(k.domain, SpikingRows):
        shape = _spiking_rows
    elif isinstance(k.domain, SpikingColumns):
        shape = _spiking_columns
    elif isinstance(k.domain, BuildDomain):
        shape = _edit
    return [k.function((*k.head(), *shape(k)))]


# ---- synapses ----


def _synapses(k: CpuKernel) -> Body:
    domain = k.domain
    number = domain.pre * (domain.sparse.stride if domain.sparse is not None else domain.post)
    by_rows, by_columns = k.shared == "pre", k.shared == "post"
    begin, end = (Var("begin", UINT), Var("end", UINT)) if by_rows else (ZERO, Num(domain.pre, UINT))
    several: Body = ()
    if k.rows_at_once:
        several, begin = _several_rows(k, begin, end), Var("first", UINT)
    row = k.along_row(
        *k.loads("post", "synapse", "kernel"),
        *k.random(SX, number),
        *k.body(),
        *k.stores("synapse", "kernel"),
        begin=Var("begin", UINT) if by_columns else 0,
        end=Var("end", UINT) if by_columns else None,
    )
    work = Num(domain.post, UINT)
    return (*k.spent(), *several, loop("i", end, *k.ask(work), *k.loads("pre"), row, begin=begin))


def _several_rows(k: CpuKernel, begin: Expr, end: Expr) -> Body:
    """Go through several rows side by side, each added up in its order: a sum alone waits for each of its additions."""
    first, post = Var("first", UINT), k.domain.post
    sums = [(k.view(name), Var(f"all_{name}", k.view(name).type)) for name in k.row_sums]
    copies = [Copy(v, every, Num(ROWS_AT_ONCE, UINT), Unary("*", every)) for v, every in sums]
    synapse = loop(
        "i",
        ROWS_AT_ONCE,
        Let("s", SIZE, size(first + IX) * post + JX),
        *k.loads("synapse"),
        *k.body(),
        hints=(f"unroll {ROWS_AT_ONCE}",),
    )
    # A fence keeps compilers from making vectors of a row, whose elements they would add one by one.
    rows: Body = (
        *(Room(v.name, v.type, (ROWS_AT_ONCE,)) for v, _ in sums),
        *copies,
        loop("j", post, *k.loads("post"), Fence(), synapse),
        *(Copy(c.source, c.target, c.count, c.sized) for c in copies if c.source is not None),
    )
    body = (
        *k.ask(Num(post, UINT) * ROWS_AT_ONCE),
        *(View(every.name, v.type, v + first, True, restrict=False) for v, every in sums),
        Block(rows),
    )
    step = Num(ROWS_AT_ONCE, UINT)
    return (Let("first", UINT, begin, const=False), For("first", UINT, None, first + step <= end, body, step))


def _spiking_rows(k: CpuKernel) -> Body:
    row = k.along_row(*k.loads("post", "synapse", "kernel"), *k.body(), *k.stores("synapse", "kernel"))
    return _for_each_spike(k, "i", k.domain.post, (*k.loads("pre"), row))


def _spiking_columns(k: CpuKernel) -> Body:
    domain = k.domain
    inside = (*k.loads("pre", "synapse", "kernel"), *k.body(), *k.stores("synapse", "kernel"))
    if domain.sparse is None:
        column = loop("i", domain.pre, Let("s", SIZE, size(IX) * domain.post + JX), *inside)
    else:
        start, n = k.view(domain.sparse.column_start), Var("n", UINT)
        synapse = (
            Let("s", SIZE, k.view(domain.sparse.column_synapses)[n]),
            Let("i", UINT, Cast(UINT, SX / domain.sparse.stride)),
            Unused(("i",)),
        )
        column = loop("n", start[JX + Num(1, "int")], *synapse, *inside, begin=start[JX])
    return _for_each_spike(k, "j", domain.pre, (*k.loads("post"), column))


def _for_each_spike(k: CpuKernel, end: str, work: int, body: Body) -> Body:
    """Run a body for each neuron, at this end of its synapses, that has spiked."""
    spike = Let(end, UINT, Var("spikes", UINT)[Var("spike", UINT)])
    each = loop("spike", Var("count", UINT), *k.ask(Num(work, UINT)), spike, *body)
    return (*k.spikes, *k.spent(), each)


# ---- connectivity, and code of the host ----


def _edit(k: CpuKernel) -> Body:
    """Go through rows, columns or diagonals of which code makes or changes the synapses."""
    domain = k.domain
    build: Body = ()
    if k.builds:
        build = (Copy(k.view(domain.sparse.row_length), None, Num(domain.pre, UINT), UINT), connect(k))
    if isinstance(domain, Diagonals):
        number, name = domain.number, "d"
    else:
        number, name = (domain.post, "j") if isinstance(domain, Columns) else (domain.pre, "i")
    inside = (*k.random(Var(name, UINT), number), *k.body())
    if name == "i":
        inside = (*(() if k.builds else change(k)), *k.loads("pre"), *inside, *k.stores("pre"))
    return (*build, loop(name, number, *inside), *k.count_call())


def _once(k: CpuKernel) -> Body:
    return (*k.random(ZERO, 1), *k.body(), *k.count_call())


# ---- what is no loop over a model's code ----


def _transposition(x: Transposition, plan: Plan) -> Function:
    ctype = plan.array(x.source).type.ctype_for(plan.precision)
    start = Var("copy", SIZE) * (x.pre * x.post)
    source, target = Var("source", ctype), Var("target", ctype)
    inner = loop("j", x.post, Assign(target[size(JX) * x.pre + IX], source[size(IX) * x.post + JX]))
    copy = (
        View("source", ctype, Memory(x.source, ctype) + start),
        View("target", ctype, Memory(x.target, ctype) + start, writes=True),
        loop("i", x.pre, inner),
    )
    return Function(x.name, f"{x.target} = transpose of {x.source}", (), (loop("copy", x.copies, *copy, type=SIZE),))


def _fill(x: Fill, plan: Plan) -> Function:
    array = plan.array(x.array)
    ctype, number = array.type.ctype_for(plan.precision), array.total(plan.batch_size)
    assert number is not None
    element = Element(Memory(x.array, ctype), Var("n", SIZE))
    body = (loop("n", number, Assign(element, Num(x.value, ctype)), type=SIZE),)
    return Function(x.name, "The identity of the reduction.", (), body)


def _index_columns(x: IndexColumns, plan: Plan) -> Function:
    domain, sparse = x.domain, x.domain.sparse
    assert sparse.column_start is not None
    assert sparse.column_synapses is not None
    names = (sparse.row_length, sparse.ind, sparse.column_start, sparse.column_synapses)
    arrays = [Memory(name, plan.array(name).type.ctype_for(plan.precision)) for name in names]
    numbers = [Num(n, UINT) for n in (domain.pre, domain.post, sparse.stride)]
    body = (Do(Call("index_columns", (*numbers, *arrays))),)
    return Function(x.name, "The synapses of each column, from the rows.", (), body)
