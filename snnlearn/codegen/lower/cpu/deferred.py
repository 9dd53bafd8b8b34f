"""The schedule of deferred kernels on a CPU: a tile of columns passes through all timesteps of a block at once."""

from __future__ import annotations

from snnlearn.codegen.lower.cpu.kernel import CpuKernel
from snnlearn.codegen.lower.expressions import SIZE, UINT, Call, Choose, Expr, Num, State, Var, size
from snnlearn.codegen.lower.kernel_names import IX, SX
from snnlearn.codegen.lower.nest import (
    Assign,
    Body,
    Copy,
    Do,
    For,
    Function,
    Let,
    Parameter,
    Room,
    Statement,
    Unused,
    loop,
)  # fmt: skip
from snnlearn.codegen.plan import Load

WIDTH, TIME = Var("WIDTH", UINT), Var("k", UINT)
FIRST, ROW, COLUMN = Var("first", SIZE), Var("row", SIZE), Var("column", SIZE)
KEPT, OLDEST, BEGIN, END = Var("kept", UINT), Var("oldest", SIZE), Var("begin", UINT), Var("end", UINT)
_TILE = (Parameter("begin", UINT), Parameter("end", UINT), Parameter("first", SIZE))


def columns(*inside: Statement | Body) -> For:
    """Go through the columns of a tile."""
    return loop("column", WIDTH, *inside, type=SIZE)


def block_lets(k: CpuKernel) -> Body:
    """Tell how many timesteps the block has, the row of the kept past that is its first, and whose of a batch it is."""
    assert k.kernel.deferral is not None
    oldest = size(State("block", UINT)) * k.kernel.deferral.depth
    copy = (Let("batch", UINT, State("block_copy", UINT)), Unused(("batch",))) if k.copies else ()
    return (Let("kept", UINT, State("block_kept", UINT)), Let("oldest", SIZE, oldest), *copy)


def tile_function(k: CpuKernel, title: str, body: Body) -> Function:
    """Return the function of a tile of columns, for some rows."""
    return Function(f"tile_{k.kernel.name}", title, _TILE, body, widths=("WIDTH",), inline=True)


def tiles(k: CpuKernel) -> list[Function]:
    """Return the function of a tile and that of a part: some rows of all tiles."""
    state = [load for load in k.kernel.loads_at("synapse") if load.store]
    room = [(Var(f"tile_{x.name}", k.ctype(x)), k.view(x.array) + ROW) for x in state]
    fetched = [Copy(tile, source, WIDTH, tile.type) for tile, source in room]
    row = (
        Let("row", SIZE, size(IX) * k.domain.post + FIRST),
        *(s for (tile, _), c in zip(room, fetched, strict=True) for s in (Room(tile.name, tile.type, ("WIDTH",)), c)),
        *(k.copy_of(x) for x in k.kernel.loads_at("pre") if k.buffered(x, IX, TIME) is None),
        _timesteps(k),
        *(Copy(source, tile, WIDTH, tile.type) for tile, source in room),
    )
    title = f"{k.kernel.title}, deferred: a tile of columns passes through all kept timesteps at once"
    body = (*block_lets(k), *k.constants(), *k.views(), *k.loads("only"), loop("i", END, *row, begin=BEGIN))
    part: list[Statement] = []
    for first, end, width in k.tiles:
        call = Call(f"tile_{k.kernel.name}", (BEGIN, END, FIRST), own=True, at=(width,))
        part.append(loop("first", Num(end, "int"), Do(call), begin=first, step=Num(width, "int"), type=SIZE))
    return [tile_function(k, title, body), part_function(k, Var("part", UINT), tuple(part))]


def _timesteps(k: CpuKernel) -> For:
    """Pass a tile through the timesteps of a block."""

    def element(x: Load) -> Expr:
        return Var(f"tile_{x.name}", k.ctype(x))[COLUMN] if x.store else k.view(x.array)[SX]

    elements = k.kernel.loads_at("synapse")
    column = columns(
        Let("j", SIZE, FIRST + COLUMN),
        Let("s", SIZE, ROW + COLUMN),
        Unused(("j", "s")),
        *k.vector_lets("post", TIME),
        *(Let(x.name, k.ctype(x), element(x), not x.store) for x in elements),
        *k.body(),
        *(Assign(element(x), Var(x.name, k.ctype(x))) for x in elements if x.store),
    )
    past = (Let(x.name, k.ctype(x), e) for x in k.kernel.loads_at("pre") if (e := k.buffered(x, IX, TIME)) is not None)
    return loop("k", KEPT, *k.time(State("block_first") + TIME), *past, column, hints=("no unroll",))


def part_function(k: CpuKernel, rows: Expr, body: Body) -> Function:
    """Return the function of a part of the work on a block, which gives its number; ``rows``: which rows it has."""
    begin = rows * k.deferred_rows
    number = Num(k.deferred_rows, UINT)
    rest = Var("rest", UINT)
    lets = (
        Let("begin", UINT, begin),
        Let("rest", UINT, Num(k.domain.pre, UINT) - BEGIN),
        Let("end", UINT, BEGIN + Choose(rest < number, rest, number)),
    )
    return Function(k.kernel.name, "", (Parameter("part", UINT),), (*lets, *body))
