"""Lines of emitted Python, each of which knows what it needs, so that those that nothing needs can be left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

INDENT = "    "


@dataclass(frozen=True)
class Line:
    """One statement; a loop is one too.

    Attributes
    ----------
    text : str
        Python, of one or several lines.
    defines : tuple of str
        The local names that it assigns.
    uses : frozenset of str
        The local names that it reads.
    reads, writes : frozenset of str
        The arrays of the plan that it reads and changes.
    kept : bool
        Whether it is needed for an effect of its own, such as an error.
    """

    text: str
    defines: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    kept: bool = False


def needed(lines: Iterable[Line], live: Collection[str]) -> tuple[list[Line], frozenset[str]]:
    """Return the lines on which live arrays depend, and the arrays that these lines read."""
    kept: list[Line] = []
    names: set[str] = set()
    arrays: set[str] = set()
    for line in reversed([*lines]):
        if line.kept or not line.writes.isdisjoint(live) or not names.isdisjoint(line.defines):
            kept.append(line)
            names |= line.uses
            arrays |= line.reads
    return kept[::-1], frozenset(arrays)


def indented(lines: Iterable[str], depth: int = 1) -> Iterator[str]:
    """Yield lines of text deeper in a block."""
    for line in lines:
        yield from (INDENT * depth + part for part in line.split("\n"))
