"""Columns of numbers in files of text: fast where all is well, a line number where it is not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError

_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE)


class Table(NamedTuple):
    """Numbers of a file of text, with the comments before them and the names of the columns, if there are any."""

    comments: tuple[str, ...]
    names: tuple[str, ...]
    columns: NDArray[np.float64]


def read_bytes(path: str | os.PathLike[str]) -> tuple[str, bytes]:
    """Return the name of a file, for messages, and what is in it.

    Raises
    ------
    ExchangeError
        If it cannot be read or has nothing in it.
    """
    name = os.fspath(path)
    try:
        data = Path(name).read_bytes()
    except FileNotFoundError:
        raise ExchangeError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise ExchangeError(f"{name}: this is a folder, not a file") from None
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{name}: the file cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise ExchangeError(f"{name}: the file is empty")
    return name, data


def read_table(path: str | os.PathLike[str], separator: str | None = None) -> tuple[str, Table]:
    """Read lines of numbers, all with as many columns; lines that begin with ``#`` are comments.

    The first line that is no comment may name the columns.

    Raises
    ------
    ExchangeError
        If the file cannot be read or is not such a table; names the first line that is not.
    """
    name, data = read_bytes(path)
    lines = _text(name, data).split("\n")
    comments, names, start = _head(lines, separator)
    if not any(line.split("#")[0].strip() for line in lines[start:]):
        raise ExchangeError(f"{name}: there are no spikes in it")
    try:
        columns = np.loadtxt(lines[start:], delimiter=separator, ndmin=2, comments="#", dtype=np.float64)
    except ValueError as error:
        raise ExchangeError(f"{name}{_first_bad(lines, start, separator) or f': {error}'}") from None
    return name, Table(comments, names, columns.T)


def _text(name: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ExchangeError(f"{name}: this is a binary file, where lines of text were expected")
    return text.replace("\r\n", "\n")


def _head(lines: list[str], separator: str | None) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return the comments before the numbers, the columns' names, and the first line of numbers."""
    comments: list[str] = []
    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith("#"):
            comments.append(text.lstrip("#").strip())
        elif text:
            fields = [field.strip() for field in text.split(separator)]
            if any(_NUMBER.fullmatch(field) for field in fields):
                return tuple(comments), (), number
            return tuple(comments), tuple(fields), number + 1
    return tuple(comments), (), len(lines)


def _first_bad(lines: list[str], start: int, separator: str | None) -> str:
    """Say what is wrong with the first line that is not as the others; nothing is the empty string."""
    width = 0
    for number, line in enumerate(lines[start:], start=start + 1):
        fields = [field.strip() for field in line.split("#")[0].split(separator)]
        if not any(fields):
            continue
        wrong = next((field for field in fields if not _NUMBER.fullmatch(field)), None)
        if wrong is not None:
            return f":{number}: {_short(wrong)} is not a number"
        if width and len(fields) != width:
            return f":{number}: this line has {len(fields)} column{'s' * (len(fields) != 1)}, those before it {width}"
        width = len(fields)
    return ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
