"""The two tables that a training run leaves behind: recorded spikes and the learning curve."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike

from snnlearn.calling import named_arguments
from snnlearn.errors import OutputError, TrainingError
from snnlearn.io.atomic import atomic_write
from snnlearn.io.limits import read_bounded


@named_arguments
@dataclass(frozen=True)
class CurvePoint:
    """One point of a learning curve.

    Parameters
    ----------
    trial : int
        Number of trials completed.
    r0 : float
        Learning rate of that trial, in the optimiser's unit.
    error : float
        Error of that trial in the normalised unit.
    error_of_silent : float
        The same error as a share of a silent output layer's error: 1 is as bad as silence, 0 is perfect.

    Raises
    ------
    TrainingError
        If `trial` is negative, or `r0` is negative or not finite. The errors may be NaN or infinite: a
        training that diverged has such a curve.
    """

    trial: int
    r0: float
    error: float
    error_of_silent: float

    def __post_init__(self) -> None:
        """Check what can never be right."""
        if self.trial < 0:
            raise TrainingError(f"trial counts completed trials and cannot be {self.trial}")
        if not (math.isfinite(self.r0) and self.r0 >= 0.0):
            raise TrainingError(f"the learning rate r0 must be finite and >= 0, not {self.r0}")


def write_spikes(path: str | os.PathLike[str], times: ArrayLike, ids: ArrayLike) -> None:
    """Write recorded spikes as CSV, as ``np.savetxt`` would with the format ``%f,%d``.

    The first line is ``# Time [ms], Neuron ID``; ``np.loadtxt(path, delimiter=",")`` reads the file.

    Parameters
    ----------
    path : path-like
        The file; it appears only when it is complete.
    times : array_like of float, shape (num_spikes,)
        Spike times [ms].
    ids : array_like of int, shape (num_spikes,)
        Neuron of each spike, from 0.

    Raises
    ------
    OutputError
        If the file cannot be written, or `times` and `ids` do not have the same length.
    """
    when, who = np.ravel(times).tolist(), np.ravel(ids).tolist()
    if len(when) != len(who):
        raise OutputError(f"cannot write {path}: there are {len(when)} times but {len(who)} ids")
    with atomic_write(path) as file:
        file.write("# Time [ms], Neuron ID\n")
        file.writelines(f"{time:f},{neuron:d}\n" for time, neuron in zip(when, who, strict=True))


def write_learning_curve(path: str | os.PathLike[str], rows: Iterable[CurvePoint]) -> None:
    """Write a learning curve as CSV with the header ``trial,r0,error,error_of_silent``.

    Parameters
    ----------
    path : path-like
        The file; it appears only when it is complete.
    rows : iterable of CurvePoint
        The points, written in the order given. Every number reads back as exactly the same float64.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path) as file:
        file.writelines(curve_lines(rows))


def curve_lines(rows: Iterable[CurvePoint], header: bool = True) -> Iterator[str]:
    """Yield the lines of a learning curve's file, each with its end.

    Parameters
    ----------
    rows : iterable of CurvePoint
    header : bool
        Whether the header comes first.
    """
    if header:
        yield _CURVE_HEADER
    for row in rows:
        trial, *numbers = astuple(row)
        yield ",".join([str(int(trial)), *(repr(float(number)) for number in numbers)]) + "\n"


def read_learning_curve(path: str | os.PathLike[str]) -> list[CurvePoint]:
    """Read a learning curve that `write_learning_curve` wrote, or that is still being written.

    A last line without an end is left out: a program was killed while it wrote that.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    TrainingError
        If there is no such file, it is larger than 64 MB, or it is no learning curve.
    """
    name = os.fspath(path)
    if not os.path.isfile(path) and os.path.exists(path):
        raise TrainingError(f"{name} is no file")
    data = read_bounded(path, _MOST_BYTES, TrainingError, "a learning curve")
    lines = BytesIO(data)
    if next(lines, b"") != _CURVE_HEADER.encode():
        raise TrainingError(f"{name} is no learning curve: it does not begin with {_CURVE_HEADER.strip()!r}")
    points = []
    for number, line in enumerate(lines, 2):
        if not line.endswith(b"\n"):
            break
        cells = line.decode("utf-8", "replace").rstrip("\n").split(",", _MOST_CELLS)
        try:
            points.append(CurvePoint(int(cells[0]), *(float(cell) for cell in cells[1:])))
        except (ValueError, TypeError):
            shown = line[:100].decode("utf-8", "replace").rstrip()
            raise TrainingError(f"{name}, line {number}: {shown!r} is no point of a curve") from None
    return points


_MOST_BYTES = 64_000_000
_MOST_CELLS = 8
_CURVE_HEADER = ",".join(field.name for field in fields(CurvePoint)) + "\n"
