"""What makes or changes synapses on a GPU, by rows, columns or diagonals; and code of the host."""

from __future__ import annotations

from snnlearn.codegen.lower.connectivity import change, connect
from snnlearn.codegen.lower.expressions import UINT, Num, Var, unequal
from snnlearn.codegen.lower.gpu.kernel import MINE, THREAD, GpuKernel
from snnlearn.codegen.lower.kernel_names import IX, ZERO
from snnlearn.codegen.lower.nest import Assign, If, Jump, Let, Unit, loop
from snnlearn.codegen.plan.domains import Diagonals, Rows

_ONE_THREAD = If(unequal(THREAD, 0), (Jump("return"),))


def edit(k: GpuKernel) -> Unit:
    """Return what makes or changes synapses: a thread has a row; one has all columns, or diagonals, in order."""
    domain = k.domain
    empty = Assign(k.view(domain.sparse.row_length)[IX], Num(0, UINT))
    if isinstance(domain, Rows):
        inside = (
            *((empty, connect(k)) if k.builds else change(k)),
            *k.loads("pre"),
            *k.random(IX, domain.pre),
            *k.body(),
            *k.stores("pre"),
        )
        return k.unit(k.head(), Let("i", UINT, MINE), If(domain.pre > IX, inside))
    name, number = ("d", domain.number) if isinstance(domain, Diagonals) else ("j", domain.post)
    every = loop(name, number, k.random(Var(name, UINT), number), k.body())
    return k.unit(k.head(), _ONE_THREAD, loop("i", domain.pre, empty), connect(k), every)


def once(k: GpuKernel) -> Unit:
    """Return code of the host: the device's copies of the host's arrays stand for those."""
    return k.unit(k.head(), _ONE_THREAD, k.random(ZERO, 1), k.body())
