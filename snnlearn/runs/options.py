"""The options of a program whose runs last: ``--save``, ``--resume`` and what goes with them."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from snnlearn.cli import Parser
from snnlearn.runs.folder import check_program, read_run

_OURS = ("save", "resume", "overwrite", "force", "checkpoint_every", "stop_on_nan", "help")
_WITH_RESUME = ("--resume", "--force", "--checkpoint-every", "--quiet")  # what else a resumed run may be told


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a program's parser."""
    group = parser.add_argument_group("runs that last")
    add = group.add_argument
    add("--save", default=None, metavar="RUN", help="keep all in this folder: curve, weights, checkpoints, run.json")
    add("--resume", default=None, metavar="RUN", help="go on with the run in this folder, which says all else")
    add(
        "--checkpoint-every",
        type=int,
        default=None,
        metavar="N",
        help="trials (default: 50, at least 30 s apart); and at the end",
    )
    add("--overwrite", action="store_true", help="let --save replace the run that is in the folder")
    add("--force", action="store_true", help="let --resume go on with another network or target than it had")
    add(
        "--stop-on-nan",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="end with the checkpoint before when weights are no longer finite (default)",
    )


def parse_arguments(
    parser: Parser, argv: Sequence[str] | None, changeable: Sequence[str] = (), program: str | None = None
) -> Namespace:
    """Parse a command line; with ``--resume`` the rest of it comes from the run.

    Parameters
    ----------
    parser : Parser
        With the options of `add_options`.
    argv : sequence of str, optional
        By default the process's.
    changeable : sequence of str
        Options that take a value, which a resumed run may have another of: ``"--num-trials"``.
    program : str, optional
        The name of what trains; a resumed run is to be of this program.

    Raises
    ------
    RunError
        If there is no such run, or it is another program's.
    SystemExit
        For what cannot be parsed, after one line on stderr.
    """
    first = Parser(prog=parser.prog, add_help=False)
    first.add_argument("--resume", default=None)
    given, _ = first.parse_known_args(argv)
    if given.resume is None:
        args = parser.parse_args(argv)
        _check(parser, args)
        return args
    for name in (*_WITH_RESUME, *changeable):
        if name != "--resume":
            flag: dict[str, Any] = {"action": "store_true"} if name in ("--force", "--quiet") else {}
            first.add_argument(name, default=argparse.SUPPRESS, **flag)
    given, others = first.parse_known_args(argv)
    if others:
        parser.error(f"--resume takes all else from the run's run.json: leave out {' '.join(others)[:200]}")
    record = read_run(given.resume)
    if program is not None:
        check_program(given.resume, record, program)
    arguments = list(record["arguments"])
    for name, value in vars(given).items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            arguments.append(option)
        else:
            arguments += [option, str(value)]  # the last one counts
    args = parser.parse_args(arguments)
    if args.save is not None or args.overwrite:
        parser.error(f"the run in {given.resume} has a command line that says where another is to be kept")
    _check(parser, args)
    return args


def _check(parser: Parser, args: Namespace) -> None:
    """End with an error where the options do not go together."""
    if args.overwrite and args.save is None:
        parser.error("--overwrite is for --save")
    if args.force and args.resume is None:
        parser.error("--force is for --resume")
    kept = args.save is not None or args.resume is not None
    if not kept and (args.checkpoint_every is not None or not args.stop_on_nan):
        parser.error("--checkpoint-every and --no-stop-on-nan need a folder for checkpoints: --save RUN")
    if args.checkpoint_every is not None and args.checkpoint_every < 1:
        parser.error(f"--checkpoint-every must be at least 1, not {args.checkpoint_every}")


def as_arguments(parser: argparse.ArgumentParser, args: Namespace, **actual: Any) -> list[str]:
    """Return the command line that gives these arguments, whatever defaults become; where a run is kept apart.

    Parameters
    ----------
    parser : ArgumentParser
    args : Namespace
        What it has parsed.
    **actual
        Values that were chosen where none was given: a seed, an engine.
    """
    found: list[str] = []
    for action in parser._actions:
        value = actual.get(action.dest, getattr(args, action.dest, None))
        if action.dest in _OURS or value is None or value is False:
            continue
        name = action.option_strings[-1]
        if value is True:
            found.append(name)
        elif isinstance(value, list):
            found += [name, *map(str, value)]
        else:
            found += [name, repr(value) if isinstance(value, float) else str(value)]
    return found
