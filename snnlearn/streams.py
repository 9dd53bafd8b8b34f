"""Standard streams that cannot fail: what a command prints is not worth losing what it has worked out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO, cast


class Lenient:
    """A stream for text whose failures end the printing, not the program.

    Characters that the stream's encoding lacks are printed as escapes. Once the stream has failed (nobody reads the
    pipe any more, the disk is full), what is printed goes nowhere.

    Parameters
    ----------
    stream : text file object
        Where text goes; all but writing is its own.

    Attributes
    ----------
    error : OSError or None
        What ended the printing.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text as far as that is possible; returns its length."""
        if self.error is None:
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                self._stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered, as far as that is possible."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.error = error
        # What is still buffered has to go somewhere, or Python fails once more when it flushes at its end.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


@contextmanager
def lenient_streams() -> Iterator[tuple[Lenient, Lenient]]:
    """Have stdout and stderr never fail within a ``with`` block.

    Yields
    ------
    out, err : Lenient
        What takes their place.
    """
    _reopen_closed()
    out, err = Lenient(sys.stdout), Lenient(sys.stderr)
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, err)):
        try:
            yield out, err
        finally:
            out.flush()
            err.flush()


def _reopen_closed() -> None:
    """Give streams that were closed before the program started (``>&-``) to the null device.

    Else the first file that is opened gets their number, and whatever a library prints goes into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free number is the one that was closed, for those below it are open by now.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
