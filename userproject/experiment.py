"""What the experiments share: the limits of their options, and their tables."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlearn.errors import TrainingError
from snnlearn.io import atomic_write


def check_limits(args: Namespace, limits: Mapping[str, tuple[int, int]]) -> None:
    """Check that the values of options are within limits, which are given by name.

    Raises
    ------
    TrainingError
        At the first that is not.
    """
    for name, (least, most) in limits.items():
        value = getattr(args, name)
        if not least <= value <= most:
            bound = f"at least {least}" if value < least else f"at most {most}"
            raise TrainingError(f"--{name.replace('_', '-')} must be {bound}, not {value}")


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV, whole or not at all, with a first line of names.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
