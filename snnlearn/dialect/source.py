"""A code string as its author wrote it, and errors that point into it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from snnlearn.errors import DialectError

_WIDEST = 160  # of a line shown whole, in characters


@dataclass(frozen=True)
class Source:
    r"""A code string with its origin.

    Attributes
    ----------
    text : str
        The code; every line ends in ``\n``, whichever way it was written.
    origin : str
        Where it comes from, e.g. ``"model 'lif', sim_code"``.
    """

    text: str
    origin: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.replace("\r\n", "\n").replace("\r", "\n"))

    def error(self, message: str, line: int, column: int) -> DialectError:
        """Return an error that shows the line (from 1) and a caret under the column (from 1)."""
        lines = self.text.split("\n")
        line = min(max(line, 1), len(lines))
        # One character of the text is one on the screen: no tab, nothing that a terminal would obey.
        shown = "".join(c if c.isprintable() else " " if c == "\t" else "\ufffd" for c in lines[line - 1])
        column = min(max(column, 1), len(shown) + 1)
        if len(shown) > _WIDEST:
            cut = max(column - 1 - _WIDEST // 2, 0)
            shown, column = shown[cut : cut + _WIDEST], column - cut
        caret = " " * (column - 1) + "^"
        return DialectError(f"{self.origin}, line {line}: {message}\n    {shown}\n    {caret}")

    def error_at(self, message: str, offset: int) -> DialectError:
        """Return an error with the caret under the character at an offset (from 0) into the text."""
        line = bisect_right(self._line_starts, offset)
        return self.error(message, line, offset - self._line_starts[line - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """Return the offset (from 0) into the text of a line and a column (both from 1)."""
        return self._line_starts[min(line, len(self._line_starts)) - 1] + column - 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(at + 1 for at, c in enumerate(self.text) if c == "\n")]


class Place(NamedTuple):
    """Where a piece of code starts: a code string, and the offset (from 0) into its text."""

    source: Source
    offset: int

    def error(self, message: str) -> DialectError:
        """Return an error with the caret here."""
        return self.source.error_at(message, self.offset)
