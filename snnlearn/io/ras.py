"""Auryn's ``.ras`` files: one spike a line, ``seconds neuron_id``, ids from 0 or from 1, in any order."""

from __future__ import annotations

import codecs
import math
import os
import re
import warnings
from array import array
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import TargetError, TargetWarning
from snnlearn.io.atomic import atomic_write
from snnlearn.io.limits import read_bounded
from snnlearn.io.spikes import SpikeTrains, checked_num_neurons

# float() and int() also accept "1_0" and digits of other scripts, which no other reader of .ras files does.
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_MOST_BYTES = 64_000_000  # some five million spikes
_LONGEST = 400  # digits of a number: more than any has, and what is none is seen in no time
_MOST_FIELDS = 1000  # of a line, to be counted
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class _Spikes(NamedTuple):
    """The lines of a file, checked: its name and content, times in seconds and ids as they stand there."""

    name: str
    data: bytes
    seconds: NDArray[np.float64]
    neurons: NDArray[np.int64]

    def place(self, number: int) -> str:
        """Return the file and the line of a spike."""
        lines = (line for line, fields in _lines(self.data) if fields)
        return f"{self.name}:{next(islice(lines, number, None))}"


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
        If the file is missing, larger than 64 MB, not text or empty, a line is malformed or has an id or time out of
        range, or spikes come at or after the end of the trial. The text is one line with the file and, where there is
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
    spikes = _parsed(name, _read(name), allowed)
    _check_ids(spikes, allowed)
    _check_end(spikes, duration_ms / 1000.0)
    if first_id is None:
        _warn_of_two_counts(spikes, num_neurons)
    seconds, neurons = spikes.seconds, spikes.neurons
    del spikes  # with the content: a long file takes memory enough
    seconds *= 1000.0
    neurons -= first
    order = np.lexsort((seconds, neurons))
    seconds = seconds[order]
    neurons = neurons[order]
    del order
    return SpikeTrains(seconds, neurons, num_neurons)


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


def _read(name: str) -> bytes:
    if not name:  # a path makes of it the current folder
        raise TargetError("the name of the .ras file is empty")
    data = read_bounded(name, _MOST_BYTES, TargetError, "a .ras file")
    if not data:
        raise TargetError(f"{name}: the file is empty")
    if b"\0" in data or not _is_text(data):
        raise TargetError(f"{name}: this is a binary file; a .ras file is lines of text, 'seconds neuron_id'")
    return data.removeprefix(codecs.BOM_UTF8)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parsed(name: str, data: bytes, ids: range) -> _Spikes:
    seconds, neurons = array("d"), array("q")
    for number, fields in _lines(data):
        if fields:
            problem = _problem(fields, ids)
            if problem:
                raise TargetError(f"{name}:{number}: {problem}")
            seconds.append(float(fields[0]))
            neurons.append(int(fields[1]))
    if not seconds:
        raise TargetError(f"{name}: the file has no spikes, only comments or blank lines")
    return _Spikes(name, data, np.frombuffer(seconds, np.float64), np.frombuffer(neurons, np.int64))


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line; a comment has none."""
    # Not splitlines(), which also breaks lines where no editor counts one (form feeds and such).
    for number, line in enumerate(BytesIO(data), start=1):
        fields = line.decode().split(maxsplit=_MOST_FIELDS)
        yield number, [] if fields and fields[0].startswith("#") else fields


def _checked_first_id(first_id: int) -> int:
    if isinstance(first_id, bool) or first_id not in (0, 1):
        raise TargetError(f"first_id must be 0 or 1, not {first_id!r}")
    return int(first_id)


def _check_ids(spikes: _Spikes, ids: range) -> None:
    low, high = int(spikes.neurons.min()), int(spikes.neurons.max())
    if low >= ids[0] and high <= ids[-1]:
        return
    first = int(((spikes.neurons < ids[0]) | (spikes.neurons > ids[-1])).argmax())
    other = 1 - ids[0]
    fits = low >= other and high < other + len(ids)
    hint = f"; if ids count from {other}, say so: first_id={other} (--first-id {other})" if fits else ""
    raise TargetError(
        f"{spikes.place(first)}: the neuron id {spikes.neurons[first]} is out of the range {ids[0]}..{ids[-1]}{hint}"
    )


def _warn_of_two_counts(spikes: _Spikes, num_neurons: int) -> None:
    low, high = int(spikes.neurons.min()), int(spikes.neurons.max())
    if high == num_neurons:
        return
    warnings.warn(
        f"{spikes.name}: the ids, {low} to {high} for {num_neurons} neurons, could count from 0 or from 1; they are "
        "taken to count from 1. first_id (--first-id) says which it is",
        TargetWarning,
        stacklevel=3,
    )


def _problem(fields: list[str], ids: range) -> str:
    """Say what is wrong with the columns of a line; nothing is the empty string."""
    if len(fields) != 2:
        return f"a line must have two columns, 'seconds neuron_id', but this one has {len(fields)}"
    seconds, neuron = fields
    if len(seconds) > _LONGEST or not _NUMBER.fullmatch(seconds):
        return f"the time {_short(seconds)} is not a number of seconds"
    if not (math.isfinite(float(seconds)) and float(seconds) >= 0.0):
        return f"the time {_short(seconds)} must be finite and not negative"
    if not _INTEGER.fullmatch(neuron):
        return f"the neuron id {_short(neuron)} is not an integer from {ids[0]} to {ids[-1]}"
    return ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _check_end(spikes: _Spikes, duration_s: float) -> None:
    late = spikes.seconds >= duration_s
    number = int(np.count_nonzero(late))
    if not number:
        return
    first = int(late.argmax())
    in_ms = float(spikes.seconds.max()) < duration_s * 1000.0
    hint = "; are the times in ms? A .ras file has seconds" if in_ms and number > late.size // 2 else ""
    raise TargetError(
        f"{spikes.place(first)}: {number} of {late.size} spikes are at or after the end of the trial of "
        f"{duration_s:g} s, the first of them at {spikes.seconds[first]:g} s{hint}"
    )
