"""Phases of a timestep: pieces of work that no block of threads need wait for another in.

Between two phases all blocks wait for one another. Work joins the phase of what comes before it unless one of them
changes what the other uses; adding to the same sums, in any order, is no such change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """A function of the generated source, which the blocks of a launch call with the number of their part each.

    Attributes
    ----------
    function : str
    parts : int
    stage : str
        ``"synapses"`` or ``"neurons"`` within a timestep, or ``"between"`` timesteps.
    timer : str
    reads, writes : frozenset of str
        Arrays.
    adds : frozenset of str
        Those of them that it only adds to, from any thread.
    resident : bool
        Whether its block can keep state of its own.
    reports : bool
        Whether its code can report an error or a warning.
    host_arrays : tuple of str
        The arrays whose host copies it works on.
    """

    function: str
    parts: int
    stage: str
    timer: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()
    resident: bool = False
    reports: bool = False
    host_arrays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phase:
    """Work that needs no waiting in between.

    Attributes
    ----------
    name : str
        Of the function that does it.
    works : tuple of Work
    begins_neurons : bool
        Whether the timestep's neurons begin with it.
    """

    name: str
    works: tuple[Work, ...]
    begins_neurons: bool = False

    @property
    def parts(self) -> int:
        """How many blocks of threads all of it takes."""
        return sum(work.parts for work in self.works)

    @property
    def resident(self) -> bool:
        """Whether its blocks can keep state of their own."""
        return any(work.resident for work in self.works)


def phases_of(works: Sequence[Work], label: str = "phase", timed: bool = False) -> list[Phase]:
    """Return the phases of a timestep, or of what else is done in order.

    Parameters
    ----------
    works : sequence of Work
    label : str
        What their names begin with.
    timed : bool
        Whether the work of a phase has one timer.
    """
    groups: list[list[Work]] = []
    uses = _Uses()
    for work in works:
        last = groups[-1] if groups else []
        alike = last and last[0].stage == work.stage and last[0].host_arrays == work.host_arrays
        if not alike or (timed and last[0].timer != work.timer) or uses.conflict(work):
            groups.append([])
            uses = _Uses()
        groups[-1].append(work)
        uses.add(work)
    begin = next((n for n, group in enumerate(groups) if group[0].stage == "neurons"), len(groups))
    return [Phase(f"{label}_{n}", tuple(group), n == begin) for n, group in enumerate(groups)]


class _Uses:
    """What some works do with arrays: for each array used, and for each one changed, whether they only add to it."""

    def __init__(self) -> None:
        self._used: dict[str, bool] = {}
        self._changed: dict[str, bool] = {}

    def add(self, work: Work) -> None:
        for known, names in ((self._used, work.reads | work.writes), (self._changed, work.writes)):
            for name in names:
                known[name] = known.get(name, True) and name in work.adds

    def conflict(self, work: Work) -> bool:
        """Whether a work changes what one of them uses, or the other way around; both may add."""
        pairs = ((self._used, work.writes), (self._changed, work.reads | work.writes))
        return any(
            name in known and not (known[name] and name in work.adds) for known, names in pairs for name in names
        )


def conflict(a: Work, b: Work) -> bool:
    """Whether one changes what the other uses."""
    uses = _Uses()
    uses.add(b)
    return uses.conflict(a)
