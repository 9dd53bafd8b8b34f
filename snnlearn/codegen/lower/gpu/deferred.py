"""Deferred kernels on a GPU: what they need of the past, and blocks of timesteps."""

from __future__ import annotations

from typing import Any

from snnlearn.codegen.lower.expressions import (
    BOOL,
    SIZE,
    UINT,
    Call,
    Choose,
    Expr,
    Member,
    Num,
    Slot,
    State,
    Unary,
    Var,
    both,
    equal,
    size,
)
from snnlearn.codegen.lower.gpu import threads as rules
from snnlearn.codegen.lower.gpu.kernel import MINE, PART, THREAD, THREADS, GpuKernel, ceil, least
from snnlearn.codegen.lower.kernel_names import IX, JX, SX
from snnlearn.codegen.lower.nest import (
    Alias,
    Assign,
    Barrier,
    Body,
    Comment,
    For,
    Function,
    If,
    Jump,
    Let,
    Parameter,
    Room,
    Scratch,
    Unit,
    Unused,
    View,
    loop,
)
from snnlearn.codegen.plan import Load
from snnlearn.codegen.plan.deferral import Deferral, LinearForm
from snnlearn.codegen.plan.parts import Input

_K, _KEPT, _OLDEST, _N, _ROW = Var("k", UINT), Var("kept", UINT), Var("oldest", SIZE), Var("n", UINT), Var("row", UINT)
_PARAMETERS = (Parameter("part", UINT),)


# ---- what is kept in each timestep ----


def keep(k: GpuKernel) -> Unit:
    """Return what keeps the past that a deferred kernel will read: a function for each array, and one for spikes."""
    deferral = _deferral(k)
    functions = [_keep(k, n) for n in range(len(deferral.buffers))]
    if k.linear is not None and k.linear.silent is not None:
        functions.append(_mark(k))
    return Unit(f"keep_{k.kernel.name}", tuple(functions))


def _keep(k: GpuKernel, n: int) -> Function:
    deferral = _deferral(k)
    b, pending = deferral.buffers[n], State("pending", UINT)
    array = k.arrays[b.array]
    newest: Expr = IX if array.queue is None else size(Slot(array.queue)) * k.size_of(b.array) + IX
    mine = k.size_of(b.array) > IX
    copy = (
        Let("row", SIZE, size(State("filling", UINT)) * deferral.depth + pending),
        Assign(k.memory(b.buffer)[Var("row", SIZE) * b.stride + IX], k.memory(b.array)[newest]),
    )
    body = (Let("i", UINT, MINE), If(both(mine, equal(pending, 0)) if b.first_only else mine, copy))
    return Function(f"keep_{n}_{k.kernel.name}", "", _PARAMETERS, body)


def _mark(k: GpuKernel) -> Function:
    """Return what marks the neurons that have spiked since the first timestep of the block being kept."""
    assert k.linear is not None
    assert k.linear.silent is not None
    silent, first, number = k.linear.silent, Var("first", BOOL), Var("number", UINT)
    spiked = Var("spiked", "uint8_t")
    place = Choose(first, _N, k.memory(silent.spikes)[_N])
    body = (
        Unused(("part",)),
        View("spiked", spiked.type, _spiked(k, State("filling", UINT)), writes=True, restrict=False),
        Let("first", BOOL, equal(State("pending", UINT), 0)),
        Let("number", UINT, Choose(first, Num(k.domain.pre, UINT), k.memory(silent.count)[0])),
        loop(
            "n",
            number,
            Assign(spiked[place], Choose(first, Num(0, "int"), Num(1, "int"))),
            begin=THREAD,
            step=THREADS,
        ),
    )
    title = "Mark the neurons that have spiked since the first timestep of the block being kept."
    return Function(f"mark_{k.kernel.name}", title, _PARAMETERS, body)


def _spiked(k: GpuKernel, block: Expr) -> Expr:
    assert k.linear is not None
    assert k.linear.silent is not None
    pre: int = k.domain.pre
    return k.memory(k.linear.silent.spiked) + block * pre


def _deferral(k: GpuKernel) -> Deferral:
    assert k.kernel.deferral is not None
    return k.kernel.deferral


# ---- what both forms have in common ----


def _head(k: GpuKernel) -> Body:
    oldest = size(State("block", UINT)) * _deferral(k).depth  # row of the kept past
    return (
        Let("kept", UINT, State("block_kept", UINT)),
        Let("oldest", SIZE, oldest),
        *k.constants(),
        *k.views(),
        *k.loads("only"),
    )


def _known(**numbers: int) -> Body:
    return tuple(Let(name, UINT, Num(number, UINT), known=True) for name, number in numbers.items())


def _state(k: GpuKernel) -> list[Load]:
    """Return the variables of synapses that it changes."""
    return [load for load in k.kernel.loads_at("synapse") if load.store]


def _tile(k: GpuKernel, item: Load | Input, name: str = "tile") -> Var:
    return Var(f"{name}_{item.name}", k.ctype(item))


def _local(k: GpuKernel, item: Load | Input) -> Var:
    return Var(item.name, k.ctype(item))


def _rooms(k: GpuKernel, items: Any, rows: int | str, name: str = "tile") -> Body:
    tiles = [_tile(k, item, name) for item in items]
    return tuple(Room(tile.name, tile.type, (rows,)) for tile in tiles)


def _lets(k: GpuKernel, items: Any, const: bool = False, name: str = "tile") -> Body:
    """Return local copies of what a tile has in a row."""
    return tuple(Let(x.name, k.ctype(x), _tile(k, x, name)[_ROW], const) for x in items)


def _fetch(k: GpuKernel, condition: Expr) -> Body:
    """Return what loads the state of a row; all loads come before the first store, which might alias them."""
    return tuple(
        Assign(_tile(k, x)[_ROW], Choose(condition, k.view(x.array)[SX], Num(0, k.ctype(x)))) for x in _state(k)
    )


def _put_back(k: GpuKernel) -> Body:
    return tuple(Assign(k.view(x.array)[SX], _local(k, x)) for x in _state(k))


def _number(k: GpuKernel, row: Expr) -> Let:
    return Let("s", SIZE, size(row) * k.domain.post + JX)


def _rows(count: int | str, *body: Any) -> For:
    end = Var(count, UINT) if isinstance(count, str) else count
    return loop("row", end, *body, hints=("unroll",))


# ---- timestep after timestep ----


def tiles(k: GpuKernel) -> Unit:
    """Return a kernel whose threads pass a few rows of one column through the timesteps."""
    domain, state = k.domain, _state(k)
    mine = Var("first", UINT) + _ROW
    begin: list[Any] = []
    for x in state:
        tile = _tile(k, x)
        element = k.view(x.array)[size(mine) * domain.post + JX]
        fetch = Assign(tile[_ROW], Choose(mine < domain.pre, element, Num(0, tile.type)))
        begin += [Room(tile.name, tile.type, ("ROWS",)), _rows("ROWS", fetch)]
    end = _rows(
        "ROWS",
        If(mine < domain.pre, (_number(k, mine), *(Assign(k.view(x.array)[SX], _tile(k, x)[_ROW]) for x in state))),
    )
    timestep = (*k.time(State("block_first") + _K), *k.vector_lets("post", _K), _rows("ROWS", *_row_of_tile(k)))
    body = (
        *_head(k),
        *_known(ROWS=rules.ROWS_PER_THREAD, COLUMNS=ceil(domain.post, k.threads)),
        Let("first", UINT, PART / Var("COLUMNS", UINT) * Var("ROWS", UINT)),
        Let("j", UINT, PART % Var("COLUMNS", UINT) * THREADS + THREAD),
        If(domain.post <= JX, (Jump("return"),)),
        *begin,
        loop("k", _KEPT, timestep),
        end,
    )
    title = f"{k.kernel.title}, deferred: a thread has a few rows of one column"
    return Unit(k.kernel.name, (Function(k.kernel.name, title, _PARAMETERS, body),))


def _row_of_tile(k: GpuKernel) -> Body:
    copies: list[Any] = []
    for x in k.kernel.loads_at("synapse"):
        copies.append(
            Let(x.name, k.ctype(x), _tile(k, x)[_ROW], const=False)
            if x.store
            else Let(x.name, k.ctype(x), k.view(x.array)[SX])
        )
    inside = (
        _number(k, IX),
        Unused(("s",)),
        *k.vector_lets("pre", _K),
        *copies,
        *k.body(),
        *(Assign(_tile(k, x)[_ROW], _local(k, x)) for x in _state(k)),
    )
    return (Let("i", UINT, Var("first", UINT) + _ROW), If(k.domain.pre > IX, inside))


# ---- in matrix form ----

_SHARED, _COLUMN, _WORKER, _INSIDE = Var("shared", ""), Var("column", UINT), Var("worker", UINT), Var("inside", BOOL)
_WIDTH, _WORKERS, _GROUP = Var("WIDTH", UINT), Var("WORKERS", UINT), Var("GROUP", UINT)
_BEGIN, _END, _FIRST, _COUNT = Var("begin", UINT), Var("end", UINT), Var("first", UINT), Var("count", UINT)
_LISTED = Member(_SHARED, "rows", UINT)


def matrix(k: GpuKernel) -> Unit:
    """Return a kernel of which a block of timesteps is a product of matrices, by tiles of columns."""
    form = _form(k)
    domain, columns = k.domain, _columns(form)
    group = max(1, rules.MAX_SUMS // max(1, len(form.sums)))
    place = PART % Var("COLUMNS", UINT) * _WIDTH + _COLUMN
    start = PART / Var("COLUMNS", UINT) * k.rows_per_part
    body = (
        *_head(k),
        *_known(WIDTH=k.width, WORKERS=k.threads // k.width, GROUP=group, COLUMNS=k.column_tiles),
        Let("column", UINT, THREAD % _WIDTH),
        Let("worker", UINT, THREAD / _WIDTH),
        Let("inside", BOOL, place < domain.post),
        Let("j", UINT, Choose(_INSIDE, place, Num(domain.post - 1, UINT))),
        Let("begin", UINT, start),
        Let("end", UINT, least(_BEGIN + k.rows_per_part, domain.pre)),
        _scratch(k, form),
        *(k.let_input(v) for v in columns + form.invariant),
        *_backward(k, form),
        *(_silent_rows(k, form) if form.silent is not None else ()),
        *_listing(form),
        _listed_rows(k, form),
        Barrier(),
    )
    title = f"{k.kernel.title}, deferred: a block of timesteps as a product of matrices, by tiles of columns"
    return Unit(k.kernel.name, (Function(k.kernel.name, title, _PARAMETERS, body),))


def _form(k: GpuKernel) -> LinearForm:
    assert k.linear is not None
    return k.linear


def _columns(form: LinearForm) -> tuple[Input, ...]:
    return form.per_column + (form.silent.per_column if form.silent is not None else ())


def _scratch(k: GpuKernel, form: LinearForm) -> Scratch:
    rooms = [Room(v.name, k.ctype(v), (_deferral(k).depth, k.width)) for v in form.responses]
    rooms += [Room(v.name, k.ctype(v), (k.width,)) for v in _columns(form)]
    rooms += [Room(v.name, k.ctype(v), ()) for v in form.invariant]
    return Scratch("shared", (*rooms, Room("rows", UINT, (k.rows_per_part,))))


def _member(k: GpuKernel, v: Input) -> Member:
    return Member(_SHARED, v.name, k.ctype(v))


def _backward(k: GpuKernel, form: LinearForm) -> Body:
    columns = _columns(form)
    passes = (
        *k.vector_lets("post", _K),
        *(Let(v.name, k.ctype(v), None, const=False) for v in form.responses),
        k.run(form.backward),
        *([k.run(form.silent.backward)] if form.silent is not None else ()),
        *(Assign(_member(k, v)[_K][_COLUMN], _local(k, v)) for v in form.responses),
        k.run(form.backward_invariant),
    )
    back = For("k", UINT, _KEPT, _K > 0, passes, Num(1, UINT), ("unroll 8",), down=True)
    first: Body = (
        back,
        *(Assign(_member(k, v)[_COLUMN], _local(k, v)) for v in columns),
        *(Assign(_member(k, v), _local(k, v)) for v in form.invariant),
    )
    return (
        Comment(
            "The first worker does the backward (adjoint) pass: each column's response to a drive and to the state "
            "before the block."
        ),
        If(equal(_WORKER, 0), first),
        Barrier(),
        *(Assign(_local(k, v), _member(k, v)[_COLUMN]) for v in columns),
        *(Assign(_local(k, v), _member(k, v)) for v in form.invariant),
    )


def _silent_rows(k: GpuKernel, form: LinearForm) -> Body:
    """Return what passes the rows of neurons that have not spiked through the block in one step."""
    silent = form.silent
    assert silent is not None
    number = max(1, min(8, rules.LOADS_IN_FLIGHT // max(1, len(_state(k)))))
    mine, flag, spiked = _FIRST + _ROW * _WORKERS, Var("silent", BOOL), Var("spiked", "uint8_t")
    fetch = (
        Let("i", UINT, least(mine, _END - 1)),
        _number(k, IX),
        Assign(flag[_ROW], both(both(_INSIDE, mine < _END), Unary("!", spiked[IX]))),
        *(Assign(_tile(k, x)[_ROW], _first_kept(k, x)) for x in silent.start),
        *_fetch(k, flag[_ROW]),
    )
    step = (
        _number(k, mine),
        *_lets(k, silent.start, const=True),
        *_lets(k, _state(k)),
        *(Let(v.name, k.ctype(v), None, const=False) for v in form.sums),
        k.run(silent.sums),
        k.run(form.finish),
        *_put_back(k),
    )
    body = (
        Room("silent", BOOL, (number,)),
        *_rooms(k, silent.start, number),
        *_rooms(k, _state(k), number),
        _rows(number, *fetch),
        _rows(number, If(flag[_ROW], step)),
    )
    return (
        View("spiked", spiked.type, _spiked(k, State("block", UINT)), restrict=False),
        Comment("Rows of neurons that have not spiked take one step."),
        loop("first", _END, body, begin=_BEGIN + _WORKER, step=_WORKERS * number),
    )


def _first_kept(k: GpuKernel, load: Load) -> Expr:
    """Return a row's element of the first timestep that is kept of an array."""
    b = next(b for b in _deferral(k).buffers if b.array == load.array)
    return k.view(b.buffer)[_OLDEST * b.stride + IX]


def _listing(form: LinearForm) -> Body:
    listed: Expr = IX < _END
    if form.silent is not None:
        listed = both(listed, Var("spiked", "uint8_t")[IX])
    marks = Call("ballot", (Var("listed", BOOL),), UINT)
    return (
        Comment("The others are listed, and added up a few at a time."),
        Let("count", UINT, Num(0, UINT), const=False),
        loop(
            "first",
            _END,
            Let("i", UINT, _FIRST + THREAD),
            Let("listed", BOOL, listed),
            Assign(_COUNT, Call("list_in_order", (marks, IX, _LISTED, _COUNT), UINT)),
            begin=_BEGIN,
            step=THREADS,
        ),
        Barrier(),
    )


def _listed_rows(k: GpuKernel, form: LinearForm) -> For:
    row, inside = _N + _ROW, both(_INSIDE, _N + _ROW < _COUNT)
    nearest = _LISTED[least(row, _COUNT - 1)]  # there is always one to load
    sums = [Assign(_tile(k, v, "partial")[_ROW], Num(v.start, k.ctype(v))) for v in form.sums]
    products = (
        Let("i", UINT, nearest),
        *k.vector_lets("pre", _K),
        *(Alias(v.name, k.ctype(v), _tile(k, v, "partial")[_ROW]) for v in form.sums),
        k.run(form.products),
    )
    responses = tuple(Let(v.name, k.ctype(v), _member(k, v)[_K][_COLUMN]) for v in form.responses)
    finish = (
        _number(k, _LISTED[row]),
        *_lets(k, form.sums, const=True, name="partial"),
        *_lets(k, _state(k)),
        k.run(form.finish),
        *_put_back(k),
    )
    return loop(
        "n",
        _COUNT,
        _rooms(k, form.sums, "GROUP", "partial"),
        _rows("GROUP", *sums),
        _rooms(k, _state(k), "GROUP"),
        _rows("GROUP", _number(k, nearest), *_fetch(k, inside)),
        loop("k", _KEPT, responses, _rows("GROUP", *products), hints=("unroll 4",)),
        _rows("GROUP", If(inside, finish)),
        begin=_WORKER * _GROUP,
        step=_WORKERS * _GROUP,
    )
