"""Kept values of neurons: rows that a timestep writes, and rows that it reads.

A *recorder* copies variables of a population, as a timestep leaves them, to a row of arrays of many rows. A *player* is
the opposite: a variable's value in each timestep is a row of such an array. Which row it is follows from the timestep
and a few numbers that the host sets between runs (``RECORDER``, ``PLAYER``), so that source depends neither on how many
rows there are nor on where to begin.

A row is ``[batch, neuron]``; of spikes ``[batch, word]``, a bit for each neuron. Behind the last row is one of zeros:
what is played where nothing has been recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.declare import value_type

# A recorder's numbers. Timestep t is recorded if ``count = t - base`` is below ``limit`` and a multiple of ``every``,
# to row ``count / every`` modulo ``rows``. All are unsigned: what is before the base is beyond any limit.
RECORDER = ("base", "limit", "rows")
# A player's numbers. Where ``age = t - begin`` is below ``held``, timestep t has the row that is ``age / every`` rows
# behind ``first`` (before it, in reverse), modulo ``rows``; else it has the row of zeros.
PLAYER = ("begin", "held", "first", "rows")
COUNTER = value_type("uint64_t")
WORD, WORD_BITS = value_type("unsigned int"), 32  # of flags, a bit for each neuron


def words_of(size: int) -> int:
    """Return how many words the flags of so many neurons take."""
    return -(-size // WORD_BITS)


@dataclass(frozen=True)
class Recorder:
    """Copy arrays of a population, as a timestep leaves them, to a row of others.

    Attributes
    ----------
    numbers : str
        The array of `RECORDER`.
    every : int
        Every how many timesteps a row is.
    copied : tuple of (str, str)
        Arrays, and where their rows are.
    flags : str or None
        Where the rows are of whether neurons have spiked, a bit each.
    only : bool
        Whether the arrays hold nothing: local copies of their elements go to rows alone.
    index : str or None
        The array of the elements to copy, in the order of a row; all by default.
    """

    numbers: str
    every: int
    copied: tuple[tuple[str, str], ...]
    flags: str | None = None
    only: bool = False
    index: str | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        index = [self.index] if self.index is not None else []
        return frozenset([self.numbers, *index, *(array for array, _ in self.copied if not self.only)])

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        return frozenset([*(rows for _, rows in self.copied), *([self.flags] if self.flags is not None else [])])


@dataclass(frozen=True)
class Player:
    """Take a variable's value in a timestep from a row.

    Attributes
    ----------
    numbers : str
        The array of `PLAYER`.
    rows : str
        Where the rows are.
    every : int
        How many timesteps a row lasts.
    reverse : bool
        Whether from the newest row to the oldest.
    bits : bool
        Whether rows have a bit for each neuron.
    """

    numbers: str
    rows: str
    every: int
    reverse: bool
    bits: bool = False
