"""What is no loop over a model's code on a GPU: copies, fills, the index of columns, the count of calls."""

from __future__ import annotations

from typing import Any

from snnlearn.codegen.lower.expressions import SIZE, UINT, Atomic, Call, Cast, Expr, Memory, Num, Var, both, equal, size
from snnlearn.codegen.lower.gpu.kernel import FIRST, MINE, PART, THREAD, THREADS
from snnlearn.codegen.lower.kernel_names import JX, SX
from snnlearn.codegen.lower.nest import Assign, Body, Do, Function, If, Let, Parameter, Unit, Unused, View
from snnlearn.codegen.plan import Kernel, Plan
from snnlearn.codegen.plan.kernels import Fill, IndexColumns, Transposition

Items = dict[str, int]  # how many threads each function needs, by its name

_N = Var("n", SIZE)
_MINE = size(PART) * THREADS + THREAD  # which element of a large array a thread has


def _memory(plan: Plan, name: str) -> Memory:
    return Memory(name, plan.array(name).type.ctype_for(plan.precision))


def _function(name: str, *body: Any, title: str = "") -> Function:
    return Function(name, title, (Parameter("part", UINT),), (Unused(("sim",)), *body))


def transposition(x: Transposition, plan: Plan) -> tuple[Unit, Items]:
    """Return what copies the synapses of a connection, transposed."""
    number = x.pre * x.post
    copy, i, j, s = Var("copy", SIZE), Var("i", SIZE), Var("j", SIZE), SX
    there = _memory(plan, x.target)[copy * number + j * x.pre + i]
    inside = (
        Let("copy", SIZE, _N / number),
        Let("s", SIZE, _N % number),
        Let("i", SIZE, s / x.post),
        Let("j", SIZE, s % x.post),
        Assign(there, _memory(plan, x.source)[_N]),
    )
    body = (Let("n", SIZE, _MINE), If(x.copies * number > _N, inside))
    title = f"{x.target} = transpose of {x.source}"
    return Unit(x.name, (_function(x.name, *body, title=title),)), {x.name: x.copies * number}


def fill(x: Fill, plan: Plan) -> tuple[Unit, Items]:
    """Return what sets an array to the identity of a reduction."""
    array, number = _memory(plan, x.array), plan.array(x.array).total(plan.batch_size)
    assert number is not None
    inside = If(number > _N, (Assign(array[_N], Num(x.value, array.type)),))
    function = _function(x.name, Let("n", SIZE, _MINE), inside, title="The identity of the reduction.")
    return Unit(x.name, (function,)), {x.name: number}


def counter(kernel: Kernel, plan: Plan) -> Unit:
    """Return what counts how many times a kernel has run, which draws random numbers anew each time."""
    assert kernel.calls is not None
    name = f"tick_{kernel.name}"
    step = Assign(_memory(plan, kernel.calls)[0], Num(1, UINT), "+=")
    return Unit(name, (_function(name, If(both(equal(PART, 0), FIRST), (step,))),))


def index_columns(x: IndexColumns, plan: Plan) -> tuple[Unit, Items]:
    """Return what lists the synapses of each column, from the rows: counted, placed in any order, then sorted."""
    sparse, post = x.domain.sparse, x.domain.post
    assert sparse.column_start is not None
    assert sparse.column_synapses is not None
    start, synapses = _memory(plan, sparse.column_start), _memory(plan, sparse.column_synapses)
    column = start[_memory(plan, sparse.ind)[SX]]
    before, own_start = Var("before", UINT), Var("start", UINT)
    mine = Let("j", UINT, MINE)
    place = (
        # From the end of the column's place to its start, which is its number in the end.
        Let("before", UINT, Atomic("-", column, Num(1, UINT))),
        Assign(synapses[before - 1], Cast(UINT, SX)),
    )
    sort = Do(Call("sort", (synapses + own_start[0], own_start[1] - own_start[0])))
    room = x.domain.pre * sparse.stride
    steps: dict[str, tuple[int, Body]] = {
        "zero": (post + 1, (mine, If(Var("j", UINT) <= post, (Assign(start[JX], Num(0, UINT)),)))),
        "count": (room, _each_synapse(x, plan, Do(Atomic("+", column, Num(1, UINT))))),
        "sum": (1, (Unused(("part",)), Do(Call("running_sums", (start, Num(post + 1, UINT)))))),
        "place": (room, _each_synapse(x, plan, *place)),
        "sort": (post, (mine, If(post > JX, (View("start", UINT, start + JX, restrict=False), sort)))),
    }
    functions = tuple(_function(f"{step}_{x.name}", *body) for step, (_, body) in steps.items())
    return Unit(x.name, functions), {f"{step}_{x.name}": items for step, (items, _) in steps.items()}


def _each_synapse(x: IndexColumns, plan: Plan, *body: Any) -> Body:
    sparse = x.domain.sparse
    length: Expr = _memory(plan, sparse.row_length)[SX / sparse.stride]
    exists = both(x.domain.pre * sparse.stride > SX, SX % sparse.stride < length)
    return (Let("s", SIZE, _MINE), If(exists, body))
