"""What code calls that makes or changes synapses, as functions within a kernel's."""

from __future__ import annotations

from collections.abc import Iterator

from snnlearn.codegen.lower.expressions import SIZE, UINT, Check, Expr, Num, Step, Text, Unary, Var, both, equal, size
from snnlearn.codegen.lower.kernel_names import IX, JX, SX, ZERO
from snnlearn.codegen.lower.lowering import Lowering
from snnlearn.codegen.lower.nest import Assign, Body, Closure, Comment, If, Jump, Let, Parameter, Statement, Unused
from snnlearn.codegen.plan import Array

_RETURN = (Jump("return"),)


def connect(k: Lowering) -> Closure:
    """Return ``connect(i, j, kernel)``."""
    domain, title = k.domain, Text(k.kernel.title)
    sparse = domain.sparse
    n, row_length = Var("n", UINT), k.view(sparse.row_length)[IX]
    room = Check(n < sparse.stride, "ROW_IS_FULL", title, (IX, Num(sparse.stride, "int")))
    body: list[Statement] = [
        Unused(("kernel",)),
        If(Unary("!", _both_exist(k)), _RETURN),
        Comment("Beyond the end of the row synapses are counted: that many there must be room for."),
        Let("n", UINT, Step(row_length)),
        If(Unary("!", room), _RETURN),
        Let("s", SIZE, size(IX) * sparse.stride + n),
        Assign(k.view(sparse.ind)[SX], JX),
    ]
    if sparse.kernel_ind is not None:
        body.append(Assign(k.view(sparse.kernel_ind)[SX], Var("kernel", UINT)))
    return Closure("connect", tuple(Parameter(name, UINT) for name in ("i", "j", "kernel")), tuple(body))


def _both_exist(k: Lowering) -> Check:
    inside = both(k.domain.pre > IX, k.domain.post > JX)
    return Check(inside, "NO_SUCH_NEURON", Text(k.kernel.title), (IX, JX))


def change(k: Lowering) -> Body:
    """Return ``add_synapse(j, values...)`` and ``remove_synapse(s)`` of row i."""
    domain, title = k.domain, Text(k.kernel.title)
    sparse = domain.sparse
    row_length, last = k.view(sparse.row_length)[IX], Var("last", SIZE)
    exists = Check(domain.post > JX, "NO_SUCH_NEURON", title, (IX, JX))
    room = Check(row_length < sparse.stride, "ROW_IS_FULL", title, (IX, Num(sparse.stride, "int")))
    moved = [k.arrays[name] for name in k.kernel.moved]
    values = [(a, Var(f"value_{n}", k.ctype(a))) for n, a in enumerate(k.added, 1)]
    add = Closure(
        "add_synapse",
        (Parameter("j", UINT), *(Parameter(v.name, v.type) for _, v in values)),
        (
            If(Unary("!", both(exists, room)), _RETURN),
            Let("s", SIZE, size(IX) * sparse.stride + Step(row_length)),
            Assign(k.view(sparse.ind)[SX], JX),
            *(Assign(element, ZERO) for array in moved for element in _copies(k, array, SX)),
            *(Assign(element, value) for array, value in values for element in _copies(k, array, SX)),
        ),
    )
    remove = Closure(
        "remove_synapse",
        (Parameter("s", SIZE),),
        (
            Comment("removed twice"),
            If(equal(row_length, 0), _RETURN),
            Let("last", SIZE, size(IX) * sparse.stride + Step(row_length, down=True)),
            Assign(k.view(sparse.ind)[SX], k.view(sparse.ind)[last]),
            *(
                Assign(to, source)
                for array in moved
                for to, source in zip(_copies(k, array, SX), _copies(k, array, last), strict=True)
            ),
        ),
    )
    return (add, remove, Unused(("add_synapse", "remove_synapse")))


def _copies(k: Lowering, array: Array, s: Expr) -> Iterator[Expr]:
    """Yield a synapse's element in all copies of a batch."""
    for n in range(k.plan.batch_size if array.batched else 1):
        yield k.view(array.name)[Num(n * k.size_of(array.name), UINT) + s]
