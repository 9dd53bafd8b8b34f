"""Auryn's ``.ras`` files: one spike a line, ``seconds neuron_id``, ids from 0 or from 1, in any order."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from snnlearn.errors import TargetError, TargetWarning
from snnlearn.io.atomic import atomic_write
from snnlearn.io.spikes import SpikeTrains, checked_num_neurons

# float() and int() also accept "1_0" and digits of other scripts, which no other reader of .ras files does.
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class _Spike(NamedTuple):
    """One line of the file, checked: its number, the time in seconds and the id as it stands there."""

    line: int
    seconds: float
    neuron: int


def read_ras(
    path: str | os.PathLike[str], num_neurons: int, duration_ms: float, first_id: int | None = None
) -> SpikeTrains:
    """Read a ``.ras`` file of Auryn (Zenke and Gerstner 2014).

    Each line is ``seconds neuron_id``, separated by white space; the lines may be in any order. Blank lines and
    lines that start with ``#`` are skipped. What Auryn records counts neurons from 0, pictures that are to be learnt
    count them from 1, and nothing in a file says which.

    Parameters
    ----------
    path : path-like
        The file.
    num_neurons : int
        Number of neurons; ids must be in 1..num_neurons, or in 0..num_neurons - 1 where they count from 0.
    duration_ms : float
        Length of a trial [ms]; all spikes must be before it.
    first_id : {0, 1}, optional
        The id of the first neuron. If it is not given, ids count from 1, with a warning unless the last neuron
        (id ``num_neurons``) spikes, which proves it.

    Returns
    -------
    SpikeTrains
        Times in ms, ids from 0, sorted by neuron id, then time.

    Raises
    ------
    TargetError
        If the file is missing, not text or empty, a line is malformed or has an id or time out of range, or
        spikes come at or after the end of the trial. The text is one line with the file and, where there is
        one, the line number. For an id that the other count would allow it says so.

    Warns
    -----
    TargetWarning
        If `first_id` is not given and the ids could count from 0 as well as from 1.
    """
    first = 1 if first_id is None else _checked_first_id(first_id)
    if not (math.isfinite(duration_ms) and duration_ms > 0):
        raise TargetError(f"the trial must last longer than 0 ms, not {duration_ms}")
    name = os.fspath(path)
    allowed = range(first, first + checked_num_neurons(num_neurons))
    spikes = list(_parsed(name, _read_text(name), allowed))
    if not spikes:
        raise TargetError(f"{name}: the file has no spikes, only comments or blank lines")
    _check_ids(name, spikes, allowed)
    _check_end(name, spikes, duration_ms / 1000.0)
    if first_id is None:
        _warn_of_two_counts(name, {spike.neuron for spike in spikes}, num_neurons)
    times = np.array([spike.seconds for spike in spikes]) * 1000.0
    ids = np.array([spike.neuron for spike in spikes], dtype=np.int64) - first
    return SpikeTrains.from_spikes(times, ids, num_neurons)


def write_ras(path: str | os.PathLike[str], trains: SpikeTrains, first_id: int = 1) -> None:
    """Write spike trains as a ``.ras`` file of Auryn, sorted by time, then id.

    Parameters
    ----------
    path : path-like
        The file; it appears only when it is complete.
    trains : SpikeTrains
        The spikes. Times are rounded to whole microseconds, six decimals of a second.
    first_id : {0, 1}
        The id of the first neuron; `read_ras` takes the same.

    Raises
    ------
    OutputError
        If the file cannot be written.
    TargetError
        If `first_id` is neither.
    """
    first = _checked_first_id(first_id)
    # Sorting what is written, not what was given: two times may become equal when they are rounded.
    micros = np.rint(trains.times * 1000.0).astype(np.int64)
    order = np.lexsort((trains.ids, micros))
    with atomic_write(path) as file:
        for micro, neuron in zip(micros[order].tolist(), trains.ids[order].tolist(), strict=True):
            file.write(f"{micro // 1_000_000}.{micro % 1_000_000:06d} {neuron + first}\n")


def _read_text(name: str) -> str:
    if not name:  # a path makes of it the current folder
        raise TargetError("the name of the .ras file is empty")
    try:
        data = Path(name).read_bytes()
    except FileNotFoundError:
        raise TargetError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise TargetError(f"{name}: this is a folder, not a .ras file") from None
    except OSError as error:
        raise TargetError(f"{name}: the file cannot be read: {error.strerror or error}") from error
    if not data:
        raise TargetError(f"{name}: the file is empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise TargetError(f"{name}: this is a binary file; a .ras file is lines of text, 'seconds neuron_id'")
    return text


def _parsed(name: str, text: str, ids: range) -> Iterator[_Spike]:
    # split("\n"), not splitlines(), which also breaks lines where no editor counts one (form feeds and such).
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        problem = _problem(fields, ids)
        if problem:
            raise TargetError(f"{name}:{number}: {problem}")
        yield _Spike(number, float(fields[0]), int(fields[1]))


def _checked_first_id(first_id: int) -> int:
    if isinstance(first_id, bool) or first_id not in (0, 1):
        raise TargetError(f"first_id must be 0 or 1, not {first_id!r}")
    return int(first_id)


def _check_ids(name: str, spikes: list[_Spike], ids: range) -> None:
    wrong = next((spike for spike in spikes if spike.neuron not in ids), None)
    if wrong is None:
        return
    other = 1 - ids[0]
    others = range(other, other + len(ids))
    fits = all(spike.neuron in others for spike in spikes)
    hint = f"; if ids count from {other}, say so: first_id={other} (--first-id {other})" if fits else ""
    raise TargetError(
        f"{name}:{wrong.line}: the neuron id {wrong.neuron} is out of the range {ids[0]}..{ids[-1]}{hint}"
    )


def _warn_of_two_counts(name: str, ids: set[int], num_neurons: int) -> None:
    if num_neurons in ids:
        return
    warnings.warn(
        f"{name}: the ids, {min(ids)} to {max(ids)} for {num_neurons} neurons, could count from 0 or from 1; they are "
        "taken to count from 1. first_id (--first-id) says which it is",
        TargetWarning,
        stacklevel=3,
    )


def _problem(fields: list[str], ids: range) -> str:
    """Say what is wrong with the columns of a line; nothing is the empty string."""
    if len(fields) != 2:
        return f"a line must have two columns, 'seconds neuron_id', but this one has {len(fields)}"
    seconds, neuron = fields
    if not _NUMBER.fullmatch(seconds):
        return f"the time {_short(seconds)} is not a number of seconds"
    if not (math.isfinite(float(seconds)) and float(seconds) >= 0.0):
        return f"the time {_short(seconds)} must be finite and not negative"
    if not _INTEGER.fullmatch(neuron):
        return f"the neuron id {_short(neuron)} is not an integer from {ids[0]} to {ids[-1]}"
    return ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _check_end(name: str, spikes: list[_Spike], duration_s: float) -> None:
    late = [spike for spike in spikes if spike.seconds >= duration_s]
    if not late:
        return
    first = late[0]
    in_ms = max(spike.seconds for spike in spikes) < duration_s * 1000.0
    hint = "; are the times in ms? A .ras file has seconds" if in_ms and len(late) > len(spikes) // 2 else ""
    raise TargetError(
        f"{name}:{first.line}: {len(late)} of {len(spikes)} spikes are at or after the end of the trial of "
        f"{duration_s:g} s, the first of them at {first.seconds:g} s{hint}"
    )
