"""Which rows of kept values a timestep writes and reads, in the words of the C family; see `codegen.plan.history`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snnlearn.codegen.plan import Kernel, Neurons, Plan
from snnlearn.codegen.plan.history import PLAYER, RECORDER, Player, Recorder

Place = Callable[[str], str]


def recording(number: int) -> str:
    """Return what tells whether the recorder of this number records the timestep."""
    return f"recording_{number}"


def recorder_lines(kernel: Kernel, plan: Plan, place: Place, copies: bool) -> Iterator[str]:
    """Yield, for each recorder, whether it records the timestep, and where each of its rows begins.

    Parameters
    ----------
    kernel : Kernel
    plan : Plan
    place : callable
        Gives what the pointer to an array is called.
    copies : bool
        Whether the kernel is called for each copy of a batch.
    """
    for n, recorder in enumerate(kernel.recorders):
        numbers = place(recorder.numbers)
        base, limit, rows = (f"{numbers}[{RECORDER.index(name)}]" for name in RECORDER)
        yield f"const uint64_t count_of_{n} = sim.timestep - {base};"
        due = f" && count_of_{n} % {recorder.every}u == 0" if recorder.every > 1 else ""
        yield f"const bool {recording(n)} = count_of_{n} < {limit}{due};"
        row = f"count_of_{n} / {recorder.every}u" if recorder.every > 1 else f"count_of_{n}"
        yield f"const uint64_t row_of_{n} = {row};"
        # A remainder takes long, and before the ring has come round there is none to take.
        start = f"size_t(row_of_{n} < {rows} ? row_of_{n} : row_of_{n} % {rows})"
        yield f"const size_t start_of_{n} = {_elements(kernel, plan, start, copies)};"


def player_lines(kernel: Kernel, plan: Plan, place: Place, copies: bool, restrict: str) -> Iterator[str]:
    """Yield, for each player, a pointer to the row of the timestep; parameters as of `recorder_lines`."""
    for n, player in enumerate(kernel.players):
        numbers = place(player.numbers)
        begin, held, first, rows = (f"{numbers}[{PLAYER.index(name)}]" for name in PLAYER)
        yield f"const uint64_t age_of_{n} = sim.timestep - {begin};"
        steps = f"age_of_{n} / {player.every}u" if player.every > 1 else f"age_of_{n}"
        yield f"const uint64_t away_of_{n} = {first} + {f'{rows} - {steps}' if player.reverse else steps};"
        row = f"away_of_{n} < {rows} ? away_of_{n} : away_of_{n} - {rows}"
        start = f"size_t(age_of_{n} < {held} ? ({row}) : {rows})"
        ctype = plan.array(player.rows).type.ctype_for(plan.precision)
        at = f"{place(player.rows)} + {_elements(kernel, plan, start, copies)}"
        yield f"const {ctype} *{restrict}const {played_view(player)} = {at};"


def played_view(player: Player | str) -> str:
    """Return what the pointer to the row of a player, or of its array of rows, is called."""
    return f"row_{player if isinstance(player, str) else player.rows}"


def recorded(recorder: Recorder, number: int, place: Place) -> list[tuple[str, str]]:
    """Return the arrays that a recorder copies, with where their rows begin."""
    return [(array, f"{place(rows)} + start_of_{number}") for array, rows in recorder.copied]


def value_of(kernel: Kernel, array: str) -> str:
    """Return the value of a neuron that a recorder takes from an array, or from what goes to rows alone."""
    local = (load.name for load in kernel.loads if load.array == array and load.how == "row")
    return next(local, f"{array}[i]")


def _elements(kernel: Kernel, plan: Plan, row: str, copies: bool) -> str:
    """Return where a row of one copy begins, in elements."""
    assert isinstance(kernel.domain, Neurons)
    size = kernel.domain.size
    return f"({row} * {plan.batch_size}u + batch) * {size}u" if copies else f"{row} * {size}u"
