"""Synapses on a GPU, of a timestep or an update: a thread has a synapse, a row or a column; a warp has a spike."""

from __future__ import annotations

from typing import Any

from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Cast,
    Choose,
    Expr,
    Member,
    Num,
    Var,
    both,
    equal,
    size,
)
from snnlearn.codegen.lower.gpu import threads as rules
from snnlearn.codegen.lower.gpu.kernel import (
    FIRST,
    MINE,
    PART,
    THREAD,
    THREADS,
    GpuKernel,
    least,
)
from snnlearn.codegen.lower.gpu.threads import WARP
from snnlearn.codegen.lower.kernel_names import IX, JX, SX
from snnlearn.codegen.lower.nest import (
    Assign,
    Barrier,
    Block,
    Body,
    Comment,
    Fence,
    For,
    If,
    Jump,
    Let,
    Room,
    Scratch,
    Statement,
    Unit,
    Unused,
    loop,
)
from snnlearn.codegen.plan import SpikingRows
from snnlearn.codegen.plan.domains import SpikingDomain

_GROUP, _SPIKE, _COUNT, _N = Var("group", UINT), Var("spike", UINT), Var("count", UINT), Var("n", UINT)
_SPIKES, _LISTED, _SHARED = Var("spikes", UINT), Var("listed", UINT), Var("shared", "")


def each_synapse(k: GpuKernel) -> Unit:
    """Return a kernel whose threads have one synapse each, or share them where they sum something up."""
    synapse = (
        *k.loads("pre", "post", "synapse", "kernel"),
        *k.random(SX, k.synapses),
        *k.body(),
        *k.stores_or_reduces("synapse", "kernel"),
    )
    if k.reductions:
        every = loop("s", k.synapses, _ends(k), synapse, begin=Cast(SIZE, THREAD), step=THREADS, type=SIZE)
        return k.unit(k.head(), k.reduction_start(), every, k.reduction_end())
    mine = Let("s", SIZE, size(PART) * THREADS + THREAD)
    return k.unit(k.head(), mine, If(k.synapses > SX, (*_ends(k), *synapse)))


def _ends(k: GpuKernel) -> Body:
    domain = k.domain
    sparse = domain.sparse
    width = domain.post if sparse is None else sparse.stride
    synapse = Cast(UINT, SX) if k.synapses < 2**32 else SX  # to divide by 64 bits takes longer
    row = Let("i", UINT, Cast(UINT, synapse / width))
    place = SX - size(IX) * width
    if sparse is None:
        return (row, Let("j", UINT, Cast(UINT, place)), Unused(("j",)))
    beyond = place >= k.view(sparse.row_length)[IX]
    leave = If(beyond, (Jump("continue" if k.reductions else "return"),))
    return (row, leave, Let("j", UINT, k.view(sparse.ind)[SX]), Unused(("j",)))


def by_one_thread(k: GpuKernel) -> Unit:
    """Return a kernel of which one thread does everything, in order."""
    domain = k.domain
    synapse = (
        *k.loads("post", "synapse", "kernel"),
        *k.random(SX, k.synapses),
        *k.body(),
        *k.stores("synapse", "kernel"),
    )
    rows = loop("i", domain.pre, k.loads("pre"), k.along_row(*synapse))
    return k.unit(k.head(), If(FIRST, (rows,)))


# ---- a thread a column, of all-to-all connectivity ----


def columns(k: GpuKernel) -> Unit:
    """Return a kernel whose threads have a column each; groups of threads share its rows, or the spikes."""
    domain = k.domain
    width, groups = k.columns_per_block, k.groups
    along_spikes = isinstance(domain, SpikingDomain)
    inside = domain.post > JX
    start: list[Any] = [
        Let("group", UINT, THREAD / width if groups > 1 else Num(0, UINT)),
        Let("j", UINT, PART * width + THREAD % width if groups > 1 else MINE),
        Comment("Loads that depend on nothing are issued here, early."),
    ]
    for name in k.owned:
        mine = k.partial(name)
        first = Choose(both(equal(_GROUP, 0), inside), k.view(name)[JX], Num(0, mine.type))
        start.append(Let(mine.name, mine.type, first, const=False))
    if along_spikes:
        start.append(Let("listed", UINT, k.past(domain.spikes, domain.delay)[_GROUP], const=False))
        start += [Comment("A compiler would put it off until there are spikes."), Fence("listed")]
        start += k.spikes_or_nothing()
    ends = tuple(Assign(k.view(name)[JX], k.partial(name)) for name in k.owned)
    passes = _column_spikes(k) if along_spikes else _column_rows(k)
    body = (*k.loads("post"), passes, *(ends if groups == 1 else ()))
    combine = _combine(k, inside, ends) if groups > 1 and k.owned else ()
    return k.unit(k.head(), *start, If(inside, body), combine)


def _column_spikes(k: GpuKernel) -> For:
    domain = k.domain
    after = Assign(_LISTED, _SPIKES[least(_SPIKE + k.groups, domain.pre - 1)])
    synapse = _column_synapse(k, None)
    return loop("spike", _COUNT, Let("i", UINT, _LISTED), after, synapse, begin=_GROUP, step=k.groups)


def _column_rows(k: GpuKernel) -> For:
    domain = k.domain
    unroll = rules.unroll_of(k.kernel, k.threads)
    if unroll == 1:
        return loop("i", domain.pre, _column_synapse(k, None), begin=_GROUP, step=k.groups)
    row = Var("row", UINT)
    some = loop(
        "n",
        unroll,
        Let("row", UINT, Var("first", UINT) + _N * k.groups),
        Let("i", UINT, least(row, domain.pre - 1)),
        _column_synapse(k, row < domain.pre),
        hints=("unroll",),
    )
    return loop("first", domain.pre, some, begin=_GROUP, step=unroll * k.groups)


def _column_synapse(k: GpuKernel, condition: Expr | None) -> Body:
    """Return synapse (i, j); its elements are loaded whatever a condition says: memory need not wait for it."""
    domain = k.domain
    body = (*k.random(SX, domain.pre * domain.post), *k.body(), *k.stores("synapse", "kernel"))
    loads = (*k.loads("pre"), *k.loads("synapse", "kernel"))
    return (k.synapse(), *loads, Block(body) if condition is None else If(condition, body))


def _combine(k: GpuKernel, inside: Expr, ends: Body) -> Body:
    """Return what adds up the sums of the groups, in their order."""
    shared = [(k.partial(name), Member(_SHARED, name, k.partial(name).type)) for name in k.owned]
    add = [Assign(mine, theirs[_N * k.columns_per_block + THREAD], "+=") for mine, theirs in shared]
    return (
        Scratch("shared", tuple(Room(theirs.name, theirs.type, (k.threads,)) for _, theirs in shared)),
        *(Assign(theirs[THREAD], mine) for mine, theirs in shared),
        Barrier(),
        If(both(equal(_GROUP, 0), inside), (loop("n", k.groups, *add, begin=1), *ends)),
        Barrier(),
    )


# ---- a thread a row, of all-to-all connectivity ----


def rows(k: GpuKernel) -> Unit:
    """Return a kernel whose threads have a row each."""
    domain = k.domain
    synapse = (
        k.synapse(),
        *k.loads("post", "synapse", "kernel"),
        *k.random(SX, domain.pre * domain.post),
        *k.body(),
        *k.stores("synapse", "kernel"),
    )
    if isinstance(domain, SpikingDomain):
        passes = loop("spike", _COUNT, Let("j", UINT, _SPIKES[_SPIKE]), synapse)
    else:
        passes = loop("j", domain.post, synapse)
    body = (
        *(Let(k.partial(name).name, k.partial(name).type, k.view(name)[IX], const=False) for name in k.owned),
        *k.loads("pre"),
        passes,
        *(Assign(k.view(name)[IX], k.partial(name)) for name in k.owned),
    )
    spikes = k.spikes_or_nothing() if isinstance(domain, SpikingDomain) else ()
    return k.unit(k.head(), spikes, Let("i", UINT, MINE), If(domain.pre > IX, body))


# ---- a warp a spike, along its row or column of sparse connectivity ----


def spiking(k: GpuKernel) -> Unit:
    """Return a kernel whose warps have a spike each; or one thread has all, in order."""
    along = _along_row if isinstance(k.domain, SpikingRows) else _along_column
    if k.serial:
        every: Statement = If(FIRST, (Let("lane", UINT, Num(0, UINT)), loop("spike", _COUNT, along(k))))
        return k.unit(k.head(), k.spikes_or_nothing(), every)
    every = loop("spike", _COUNT, along(k), begin=MINE / WARP, step=Num(k.parts_of_copy, UINT) * (THREADS / WARP))
    return k.unit(k.head(), k.spikes_or_nothing(), Let("lane", UINT, THREAD % WARP), every)


def _along_row(k: GpuKernel) -> Body:
    sparse = k.domain.sparse
    synapses = loop(
        "n",
        k.view(sparse.row_length)[IX],
        Let("s", SIZE, size(IX) * sparse.stride + _N),
        Let("j", UINT, k.view(sparse.ind)[SX]),
        Unused(("j",)),
        k.loads("post", "synapse", "kernel"),
        k.body(),
        k.stores("synapse", "kernel"),
        begin=Var("lane", UINT),
        step=1 if k.serial else WARP,
    )
    return (Let("i", UINT, _SPIKES[_SPIKE]), *k.loads("pre"), synapses)


def _along_column(k: GpuKernel) -> Body:
    sparse = k.domain.sparse
    start = k.view(sparse.column_start)
    synapses = loop(
        "n",
        start[JX + 1],
        Let("s", SIZE, k.view(sparse.column_synapses)[_N]),
        Let("i", UINT, Cast(UINT, SX / sparse.stride)),
        Unused(("i",)),
        k.loads("pre", "synapse", "kernel"),
        k.body(),
        k.stores("synapse", "kernel"),
        begin=start[JX] + Var("lane", UINT),
        step=1 if k.serial else WARP,
    )
    return (Let("j", UINT, _SPIKES[_SPIKE]), *k.loads("post"), synapses)
