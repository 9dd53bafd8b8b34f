"""What the programs share: how they begin, the limits of their options, and their tables."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from snnlearn import runs
from snnlearn.cli import Parser, run_command
from snnlearn.entry import EndsAtOnce
from snnlearn.errors import TrainingError
from snnlearn.io import atomic_write


class Main(Protocol):
    """What runs a program on a command line."""

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Run it; returns the exit status."""
        ...


def new_parser(prog: str, doc: str | None, quiet: str = "print nothing but errors and warnings") -> Parser:
    """Return a parser with the option ``--quiet``.

    Parameters
    ----------
    prog : str
        The program's name.
    doc : str or None
        Its docstring, whose first line describes it; None under ``python -OO``.
    quiet : str
        What ``--quiet`` does.
    """
    parser = Parser(prog=prog, description=(doc or "").partition("\n")[0])
    parser.add_argument("--quiet", action="store_true", help=quiet)
    return parser


def program(
    get_parser: Callable[[], Parser], run: Callable[[Namespace], int], changeable: Sequence[str] | None = None
) -> Main:
    """Return the ``main`` of a program: errors and signals end it with one line, see `run_command`.

    Parameters
    ----------
    get_parser : callable
        Returns the parser of its command line.
    run : callable
        Takes what was parsed and returns the exit status.
    changeable : sequence of str, optional
        Where the parser has the options of `runs.add_options`: those that a resumed run may have another value of.
    """

    def main(argv: Sequence[str] | None = None) -> int:
        """Run the command; returns its exit status.

        Parameters
        ----------
        argv : sequence of str, optional
            Arguments; by default those of the process.
        """
        parser = get_parser()

        def body() -> int:
            with EndsAtOnce(parser.prog):
                if changeable is None:
                    args = parser.parse_args(argv)
                else:
                    args = runs.parse_arguments(parser, argv, changeable, parser.prog)
            return run(args)

        return run_command(parser.prog, body)

    return main


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
