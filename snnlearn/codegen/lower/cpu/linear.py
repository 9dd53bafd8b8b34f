"""Deferred kernels in matrix form on a CPU: a backward pass over columns, then sums for groups of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snnlearn.codegen.lower.cpu.deferred import (
    BEGIN,
    COLUMN,
    END,
    FIRST,
    KEPT,
    ROW,
    TIME,
    block_lets,
    columns,
    part_function,
    tile_function,
)  # fmt: skip
from snnlearn.codegen.lower.cpu.kernel import CpuKernel
from snnlearn.codegen.lower.expressions import (
    SIZE,
    UINT,
    Call,
    Expr,
    Num,
    State,
    Step,
    Unary,
    Var,
    both,
    equal,
    size,
)  # fmt: skip
from snnlearn.codegen.lower.kernel_names import IX, ZERO
from snnlearn.codegen.lower.nest import (
    Alias,
    Assign,
    Block,
    Body,
    Comment,
    Do,
    For,
    Function,
    If,
    Jump,
    Let,
    Parameter,
    Room,
    Statement,
    Unused,
    View,
    loop,
)  # fmt: skip
from snnlearn.codegen.plan.deferral import LinearForm
from snnlearn.codegen.plan.parts import Input

ROWS, COUNT, N, R = Var("rows", UINT), Var("count", UINT), Var("n", UINT), Var("r", UINT)


def linear(k: CpuKernel) -> list[Function]:
    """Return the functions of the sums of a group of rows, of a tile, and of a part."""
    assert k.linear is not None
    return [_sums(k, k.linear), _tile(k, k.linear), _part(k)]


def _tile_of(k: CpuKernel, v: Input) -> Var:
    return Var(f"tile_{v.name}", k.ctype(v))


def _local(k: CpuKernel, v: Input) -> Var:
    return Var(v.name, k.ctype(v))


def _lets(k: CpuKernel, variables: Iterable[Input], *at: Expr, const: bool = True) -> Iterator[Let]:
    """Yield copies of the elements of tiles at an index, or two; undefined ones without."""
    for v in variables:
        value: Expr | None = None
        for n, index in enumerate(at):
            value = (_tile_of(k, v) if n == 0 else value)[index]  # type: ignore[index]
        yield Let(v.name, k.ctype(v), value, const and value is not None)


def _columns_of(form: LinearForm) -> tuple[Input, ...]:
    return form.per_column + (form.silent.per_column if form.silent is not None else ())


# ---- sums ----


def _sums(k: CpuKernel, form: LinearForm) -> Function:
    """For a few rows, add up over the timesteps, in registers; on its own, so that nothing else takes those."""
    group = range(k.group)
    partial = {(r, v.name): Var(f"row_{r}_{v.name}", k.ctype(v)) for r in group for v in form.sums}

    def row(r: int) -> Block:
        aliases = (Alias(v.name, k.ctype(v), partial[r, v.name]) for v in form.sums)
        row_r = Let("i", UINT, ROWS[Num(r, "int")])
        return Block((row_r, *k.vector_lets("pre", TIME), *aliases, k.run(form.products)))

    timestep = loop("k", KEPT, tuple(_lets(k, form.responses, TIME, COLUMN)), *map(row, group), hints=("no unroll",))
    column = columns(
        *(
            Let(partial[r, v.name].name, k.ctype(v), Num(v.start, "double"), const=False)
            for r in group
            for v in form.sums
        ),
        timestep,
        *(Assign(_tile_of(k, v)[Num(r, "int")][COLUMN], partial[r, v.name]) for r in group for v in form.sums),
    )
    # Never: but what a compiler knows not to happen needs no branch in its loops.
    never = If(equal(KEPT, ZERO), (Jump("return"),))
    views = tuple(k.view_of(name, 0) for name in k.names_at("pre"))
    parameters = (
        Parameter("rows", "unsigned int *", const=True),
        *(Parameter(_tile_of(k, v).name, k.ctype(v), ("WIDTH",), const=True) for v in form.responses),
        *(Parameter(_tile_of(k, v).name, k.ctype(v), ("WIDTH",), restrict=True) for v in form.sums),
    )
    title = f"{k.kernel.title}, deferred: sums over the timesteps for a few rows, in registers"
    body = (*block_lets(k), never, *views, column)
    return Function(f"sums_{k.kernel.name}", title, parameters, body, ("WIDTH",), inline=False, constant=True)


def _groups_of_rows(k: CpuKernel, form: LinearForm) -> For:
    """Add up groups of the listed rows, and finish their synapses."""
    rooms = tuple(Room(_tile_of(k, v).name, k.ctype(v), ("GROUP", "WIDTH"), aligned=True) for v in form.sums)
    tiles = (Var(_tile_of(k, v).name, k.ctype(v)) for v in form.responses + form.sums)
    add_up = Do(Call(f"sums_{k.kernel.name}", (ROWS + N, *tiles), own=True, at=("WIDTH",)))
    finish = columns(
        *_lets(k, form.per_column, COLUMN),
        *_lets(k, form.sums, R, COLUMN),
        *_state(k),
        k.run(form.finish),
        *k.state_stores(ROW + COLUMN),
    )
    row = Let("row", SIZE, size(ROWS[N + R]) * k.domain.post + FIRST)
    group = Var("GROUP", UINT)
    each = For("r", UINT, ZERO, both(group > R, N + R < COUNT), (row, finish), Num(1, UINT))
    return loop("n", COUNT, *rooms, add_up, each, step=group)


def _state(k: CpuKernel) -> Body:
    """Copy the variables of a synapse."""
    return tuple(Let(x.name, k.ctype(x), k.view(x.array)[ROW + COLUMN], const=False) for x in k.state)


# ---- a tile ----


def _tile(k: CpuKernel, form: LinearForm) -> Function:
    tiles = [(v, _tile_of(k, v)) for v in _columns_of(form)]
    depth = k.kernel.deferral.depth  # type: ignore[union-attr]
    invariant = (k.let_input(v) for v in form.invariant)
    starts = (Assign(tile[COLUMN], Num(v.start, "double")) for v, tile in tiles)
    body: list[Statement] = [*block_lets(k), *k.constants(), *k.views(), *k.loads("only"), *invariant]
    body += [Room(tile.name, tile.type, ("WIDTH",), aligned=True) for _, tile in tiles]
    body += [Room(_tile_of(k, v).name, k.ctype(v), (depth, "WIDTH"), aligned=True) for v in form.responses]
    body += [columns(*starts), *_backward(k, form)]
    body += _rows(k, form)
    body.append(_groups_of_rows(k, form))
    title = f"{k.kernel.title}, deferred: a block of timesteps as a product of matrices, for a tile of columns"
    return tile_function(k, title, tuple(body))


def _backward(k: CpuKernel, form: LinearForm) -> Body:
    """The backward (adjoint) pass: each column's response to a drive and to the state before the block."""
    entries = _columns_of(form)
    column = columns(
        Let("j", SIZE, FIRST + COLUMN),
        Unused(("j",)),
        *k.vector_lets("post", TIME),
        *_lets(k, entries, COLUMN, const=False),
        *_lets(k, form.responses),
        k.run(form.backward),
        *(() if form.silent is None else (k.run(form.silent.backward),)),
        *(Assign(_tile_of(k, v)[COLUMN], _local(k, v)) for v in entries),
        *(Assign(_tile_of(k, v)[TIME][COLUMN], _local(k, v)) for v in form.responses),
    )
    inside = (column, k.run(form.backward_invariant))
    title = "The backward (adjoint) pass: each column's response to a drive and to the state before the block."
    return (Comment(title), For("k", UINT, KEPT, TIME > ZERO, inside, Num(0, UINT), down=True))


def _rows(k: CpuKernel, form: LinearForm) -> Body:
    """List the rows to add up in every timestep, the last one again to fill a group; finish those of silent neurons."""
    group, silent = Var("GROUP", UINT), form.silent
    marks: Body = ()
    closed: Body = ()
    if silent is not None:
        memory = k.memory(silent.spiked)
        start = memory + State("block", UINT) * k.domain.pre
        marks = (View("spiked", memory.type, start, restrict=False),)
        closed = (If(Unary("!", Var("spiked", memory.type)[IX]), _silent_row(k, form)),)
    listed = (*closed, Assign(ROWS[Step(COUNT)], IX))
    again = Assign(ROWS[COUNT + R], ROWS[COUNT - Num(1, "int")])
    return (
        Comment("The rows: those to add up in every timestep are listed, the last one again to fill a group."),
        Let("GROUP", UINT, Num(k.group, "int")),
        Room("rows", UINT, (f"{k.deferred_rows} + GROUP",)),
        Let("count", UINT, ZERO, const=False),
        *marks,
        loop("i", END, *listed, begin=BEGIN),
        For("r", UINT, ZERO, both(group > R, COUNT > ZERO), (again,), Num(1, UINT)),
    )


def _silent_row(k: CpuKernel, form: LinearForm) -> Body:
    """Finish a row whose neuron has not spiked in the block: sums in closed form, from how it was at the beginning."""
    silent = form.silent
    assert silent is not None
    return (
        Let("row", SIZE, size(IX) * k.domain.post + FIRST),
        *(Let(x.name, k.ctype(x), k.buffered(x, IX, None)) for x in silent.start),
        columns(
            *_lets(k, form.per_column, COLUMN),
            *_lets(k, silent.per_column, COLUMN),
            *_state(k),
            *_lets(k, form.sums),
            k.run(silent.sums),
            k.run(form.finish),
            *k.state_stores(ROW + COLUMN),
        ),
        Jump("continue"),
    )


def _part(k: CpuKernel) -> Function:
    part, tile, count = Var("part", UINT), Var("tile", UINT), k.tile_count
    statements: list[Statement] = [Let("tile", UINT, part % count)]
    tiles = k.tiles
    for n, (first, last, width) in enumerate(tiles):
        several = last - first > width
        start: Expr = size(tile) * width if first == 0 and several else Num(first, "int")
        call = Do(Call(f"tile_{k.kernel.name}", (BEGIN, END, start), own=True, at=(width,)))
        here: Body = (call, Jump("return"))
        statements.append(Block(here) if n == len(tiles) - 1 else If(tile < last // width, here))
    function = part_function(k, part / count, tuple(statements[1:]))
    return Function(function.name, "", function.parameters, (statements[0], *function.body))
