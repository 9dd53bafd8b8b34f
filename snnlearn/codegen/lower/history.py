"""Which rows of kept values a timestep writes and reads, as statements; see `codegen.plan.history`."""

from __future__ import annotations

from collections.abc import Iterator

from snnlearn.codegen.lower.expressions import SIZE, U64, UINT, Choose, Expr, Num, Var, both, equal, size
from snnlearn.codegen.lower.kernel_names import BATCH, TIMESTEP, KernelNames
from snnlearn.codegen.lower.nest import Body, Let, View
from snnlearn.codegen.plan import Kernel, Neurons
from snnlearn.codegen.plan.history import PLAYER, RECORDER, WORD_BITS, Recorder, words_of


def rows_of(kernel: Kernel) -> frozenset[str]:
    """Return the arrays of kept values, and of where in them it is."""
    players = {name for p in kernel.players for name in (p.numbers, p.rows)}
    return frozenset().union(players, *({r.numbers, *r.writes} for r in kernel.recorders))


def recording(number: int) -> Var:
    """Return whether the recorder of this number records the timestep."""
    return Var(f"recording_{number}", "bool")


def recorder_lets(k: KernelNames) -> Iterator[Let]:
    """Yield, for each recorder, whether it records the timestep."""
    for n, recorder in enumerate(k.kernel.recorders):
        base, limit, _ = _recorder_numbers(k, recorder)
        count = Var(f"count_of_{n}", U64)
        yield Let(count.name, U64, TIMESTEP - base)
        due = count < limit
        due = both(due, equal(count % recorder.every, Num(0, "int"))) if recorder.every > 1 else due
        yield Let(recording(n).name, "bool", due)


def number_lets(k: KernelNames, n: int) -> Body:
    """Find the number of the row that the n-th recorder writes; only where it records the timestep."""
    recorder = k.kernel.recorders[n]
    count, row = Var(f"count_of_{n}", U64), Var(f"row_of_{n}", U64)
    *_, rows = _recorder_numbers(k, recorder)
    # A remainder takes long, and before the ring has come round there is none to take.
    start = size(Choose(row < rows, row, row % rows))
    return (
        Let(row.name, U64, count / recorder.every if recorder.every > 1 else count),
        Let(f"number_of_{n}", SIZE, _row(k, start)),
    )


def _recorder_numbers(k: KernelNames, recorder: Recorder) -> list[Expr]:
    return [k.memory(recorder.numbers)[Num(RECORDER.index(name), "int")] for name in RECORDER]


def player_views(k: KernelNames) -> Iterator[Let | View]:
    """Yield, for each player, a view of the row of the timestep."""
    for n, player in enumerate(k.kernel.players):
        begin, held, first, rows = (k.memory(player.numbers)[Num(PLAYER.index(name), "int")] for name in PLAYER)
        age, away = Var(f"age_of_{n}", U64), Var(f"away_of_{n}", U64)
        yield Let(age.name, U64, TIMESTEP - begin)
        steps = age / player.every if player.every > 1 else age
        yield Let(away.name, U64, first + (rows - steps if player.reverse else steps))
        row = size(Choose(age < held, Choose(away < rows, away, away - rows), rows))
        start = k.memory(player.rows) + _row(k, row) * width(k.kernel, player.bits)
        yield View(f"row_{player.rows}", k.ctype(k.arrays[player.rows]), start, restrict=k.restricts)


def played_view(k: KernelNames, rows: str) -> Var:
    """Return the view of the row of an array of rows."""
    return Var(f"row_{rows}", k.ctype(k.arrays[rows]))


def played_element(k: KernelNames, rows: str, index: Expr) -> Expr:
    """Return an element of the row of a player."""
    view = played_view(k, rows)
    bits = any(player.bits for player in k.kernel.players if player.rows == rows)
    return (view[index / WORD_BITS] >> (index % WORD_BITS)) & 1 if bits else view[index]


def row_start(k: KernelNames, rows: str, number: int, bits: bool = False) -> Expr:
    """Return where the row begins that the recorder of a number writes."""
    return k.memory(rows) + Var(f"number_of_{number}", SIZE) * width(k.kernel, bits)


def recorded_value(k: KernelNames, recorder: Recorder, array: str, index: Expr) -> Expr:
    """Return a value that a recorder takes from an array, or from what goes to rows alone."""
    if recorder.index is not None:
        return k.view(array)[Var(recorder.index, UINT)[index]]
    for load in k.kernel.loads:
        if load.array == array and load.how == "row":
            return Var(load.name, k.ctype(load))
    return k.view(array)[index]


def width(kernel: Kernel, bits: bool = False) -> int:
    """Return how many elements a row of one copy has: one for each neuron, or words of a bit each."""
    assert isinstance(kernel.domain, Neurons)
    return words_of(kernel.domain.size) if bits else kernel.domain.size


def _row(k: KernelNames, row: Expr) -> Expr:
    """Return the number of a row of one copy."""
    return row * k.plan.batch_size + BATCH if k.copies else row
