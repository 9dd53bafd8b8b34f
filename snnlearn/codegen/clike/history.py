"""Which rows of kept values a timestep writes and reads, in the words of the C family; see `codegen.plan.history`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snnlearn.codegen.plan import Kernel, Neurons, Plan
from snnlearn.codegen.plan.history import PLAYER, RECORDER, WORD_BITS, Player, Recorder, words_of

Place = Callable[[str], str]


def recording(number: int) -> str:
    """Return what tells whether the recorder of this number records the timestep."""
    return f"recording_{number}"


def recorder_lines(kernel: Kernel, place: Place) -> Iterator[str]:
    """Yield, for each recorder, whether it records the timestep.

    Parameters
    ----------
    kernel : Kernel
    place : callable
        Gives what the pointer to an array is called.
    """
    for n, recorder in enumerate(kernel.recorders):
        base, limit, _ = _recorder_numbers(recorder, place)
        yield f"const uint64_t count_of_{n} = sim.timestep - {base};"
        due = f" && count_of_{n} % {recorder.every}u == 0" if recorder.every > 1 else ""
        yield f"const bool {recording(n)} = count_of_{n} < {limit}{due};"


def number_lines(recorder: Recorder, n: int, plan: Plan, place: Place, copies: bool) -> list[str]:
    """Return what finds the number of the row that a recorder, the n-th, writes; only where it records the timestep.

    ``copies`` says whether the kernel is called for each copy of a batch.
    """
    row = f"count_of_{n} / {recorder.every}u" if recorder.every > 1 else f"count_of_{n}"
    *_, rows = _recorder_numbers(recorder, place)
    # A remainder takes long, and before the ring has come round there is none to take.
    start = f"size_t(row_of_{n} < {rows} ? row_of_{n} : row_of_{n} % {rows})"
    return [f"const uint64_t row_of_{n} = {row};", f"const size_t number_of_{n} = {_row(plan, start, copies)};"]


def _recorder_numbers(recorder: Recorder, place: Place) -> list[str]:
    return [f"{place(recorder.numbers)}[{RECORDER.index(name)}]" for name in RECORDER]


def player_lines(kernel: Kernel, plan: Plan, place: Place, copies: bool, restrict: str) -> Iterator[str]:
    """Yield, for each player, a pointer to the row of the timestep; parameters as of `number_lines`."""
    for n, player in enumerate(kernel.players):
        numbers = place(player.numbers)
        begin, held, first, rows = (f"{numbers}[{PLAYER.index(name)}]" for name in PLAYER)
        yield f"const uint64_t age_of_{n} = sim.timestep - {begin};"
        steps = f"age_of_{n} / {player.every}u" if player.every > 1 else f"age_of_{n}"
        yield f"const uint64_t away_of_{n} = {first} + {f'{rows} - {steps}' if player.reverse else steps};"
        row = f"away_of_{n} < {rows} ? away_of_{n} : away_of_{n} - {rows}"
        start = f"size_t(age_of_{n} < {held} ? ({row}) : {rows})"
        ctype = plan.array(player.rows).type.ctype_for(plan.precision)
        at = f"{place(player.rows)} + {_row(plan, start, copies)} * {width(kernel, player.bits)}u"
        yield f"const {ctype} *{restrict}const {played_view(player)} = {at};"


def played_view(player: Player | str) -> str:
    """Return what the pointer to the row of a player, or of its array of rows, is called."""
    return f"row_{player if isinstance(player, str) else player.rows}"


def played_element(kernel: Kernel, rows: str, index: str) -> str:
    """Return an element of the row of a player."""
    view = played_view(rows)
    bits = any(player.bits for player in kernel.players if player.rows == rows)
    return f"(({view}[{index} / {WORD_BITS}u] >> ({index} % {WORD_BITS}u)) & 1u)" if bits else f"{view}[{index}]"


def recorded(kernel: Kernel, recorder: Recorder, number: int, place: Place) -> list[tuple[str, str]]:
    """Return the arrays that a recorder copies, with where their rows begin."""
    return [(array, row_of(kernel, rows, number, place)) for array, rows in recorder.copied]


def row_of(kernel: Kernel, rows: str, number: int, place: Place, bits: bool = False) -> str:
    """Return where the row begins that the recorder of a number writes."""
    return f"{place(rows)} + number_of_{number} * {width(kernel, bits)}u"


def value_of(kernel: Kernel, recorder: Recorder, array: str) -> str:
    """Return the i-th value that a recorder takes from an array, or from what goes to rows alone."""
    if recorder.index is not None:
        return f"{array}[{recorder.index}[i]]"
    local = (load.name for load in kernel.loads if load.array == array and load.how == "row")
    return next(local, f"{array}[i]")


def width(kernel: Kernel, bits: bool = False) -> int:
    """Return how many elements a row of one copy has: one for each neuron, or words of a bit each."""
    assert isinstance(kernel.domain, Neurons)
    return words_of(kernel.domain.size) if bits else kernel.domain.size


def _row(plan: Plan, row: str, copies: bool) -> str:
    """Return the number of a row of one copy."""
    return f"({row} * {plan.batch_size}u + batch)" if copies else row
