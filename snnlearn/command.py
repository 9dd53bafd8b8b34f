"""The console command ``snnlearn``: what is useful around a training: targets, runs."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from snnlearn import __version__
from snnlearn.cache_command import add_cache
from snnlearn.cli import Parser, run_command
from snnlearn.entry import EndsAtOnce
from snnlearn.errors import OutputError

PROG = "snnlearn"
BIN_MS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``snnlearn``.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process if not given.

    Returns
    -------
    int
        Exit status: 0; 1 where ``compare`` and ``rerun`` find a difference; 2 for input that cannot be used, after one
        line on stderr.

    Raises
    ------
    SystemExit
        After ``--help`` and ``--version``, and with status 2 if the arguments cannot be parsed.
    """

    def body() -> int:
        arguments = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)

    return run_command(PROG, body)


def _parser() -> Parser:
    parser = Parser(prog=PROG, description="Train spiking neural networks from declarative models.")
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    target = commands.add_parser(
        "target",
        help="turn a picture into a target",
        description="Turn any picture into target spike trains: rows are neurons, columns are bins of 10 ms, "
        "dark pixels are spikes. The picture is stretched to fill the raster plot.",
    )
    target.add_argument("image", metavar="IMAGE", type=Path, help="a picture: PNG, JPEG, ...")
    target.add_argument("out", metavar="OUT.ras", type=Path, help="the target to write")
    target.add_argument("--seed", type=_whole(0), default=1234, metavar="N", help="for the jitter (%(default)s)")
    target.add_argument("--num-neurons", type=_whole(1), default=200, metavar="N", help="(%(default)s)")
    target.add_argument("--duration-s", type=_duration, default=1.89, metavar="S", help="(%(default)s)")
    target.add_argument("--first-id", type=int, choices=(0, 1), default=1, help="id of the bottom row (%(default)s)")
    target.add_argument("--preview", type=Path, metavar="FILE.png", help="also plot the target")
    target.set_defaults(run=_target)
    add_cache(commands)
    _add_runs(commands)
    return parser


def _add_runs(commands: Any) -> None:
    """Add the subcommands on runs and checkpoints."""
    rerun = commands.add_parser(
        "rerun",
        help="do a run again and compare",
        description="Do a finished run again in a folder of its own, and say which files are the same, byte for byte.",
    )
    rerun.add_argument("folder", metavar="RUN", type=Path)
    rerun.add_argument("--save", metavar="NEW", type=Path, default=None, help="where (default: RUN-again)")
    rerun.set_defaults(run=_rerun)
    inspect = commands.add_parser("inspect", help="say what a run or a checkpoint holds")
    inspect.add_argument("path", metavar="FILE|RUN", type=Path)
    inspect.set_defaults(run=_inspect)
    compare = commands.add_parser(
        "compare",
        help="say how two runs differ",
        description="Say how two runs differ. The exit status is 0 where they do not, 1 where they do, as diff's.",
    )
    compare.add_argument("one", metavar="RUN", type=Path)
    compare.add_argument("other", metavar="RUN", type=Path)
    compare.set_defaults(run=_compare)


def _rerun(arguments: argparse.Namespace) -> int:
    with EndsAtOnce(PROG):
        from snnlearn.runs.commands import rerun
    return rerun(arguments.folder, arguments.save)


def _inspect(arguments: argparse.Namespace) -> int:
    with EndsAtOnce(PROG):
        from snnlearn.runs.commands import inspect_lines
    _print(inspect_lines(arguments.path))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    with EndsAtOnce(PROG):
        from snnlearn.runs.commands import compare_lines
    lines = list(compare_lines(arguments.one, arguments.other))
    _print(lines or ["the two runs are the same"])
    return 1 if lines else 0


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _target(arguments: argparse.Namespace) -> int:
    _check_distinct(arguments)
    num_bins = round(arguments.duration_s * 1000.0 / BIN_MS)
    with EndsAtOnce(PROG):
        from snnlearn.io import picture_to_spikes, read_picture, write_ras
        from snnlearn.plot import check_matplotlib, figure_format, plot_target, save_figure

        if arguments.preview:
            figure_format(arguments.preview)
            check_matplotlib()
        image = read_picture(arguments.image, arguments.num_neurons, num_bins)
    trains = picture_to_spikes(image, seed=arguments.seed, bin_ms=BIN_MS)
    # The preview goes first: if it fails, a target that the user may take for the new one is not there.
    if arguments.preview:
        save_figure(plot_target(trains, num_bins * BIN_MS), arguments.preview)
    write_ras(arguments.out, trains, arguments.first_id)
    size = f"{trains.num_spikes} spikes of {trains.num_neurons} neurons in {arguments.duration_s:g} s"
    print(f"{arguments.out}: {size}")
    return 0


def _check_distinct(arguments: argparse.Namespace) -> None:
    """Refuse to write one of the files over another; the picture may be the user's only copy."""
    seen: dict[str, str] = {}
    paths = {"IMAGE": arguments.image, "OUT.ras": arguments.out, "--preview": arguments.preview}
    for what, path in paths.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise OutputError(f"{seen[real]} and {what} are the same file, {path}")
        seen[real] = what


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value < 2**63:
            raise argparse.ArgumentTypeError(f"it must be a whole number from {least} on, not {text!r}")
        return value

    return parse


def _duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    # isclose, because 1.89 s is not exactly 189 bins in floating point.
    bins = seconds * 1000.0 / BIN_MS
    if not (math.isfinite(bins) and bins > 0.5 and math.isclose(bins, round(bins), rel_tol=1e-9)):
        raise argparse.ArgumentTypeError(f"it must be a multiple of 0.01 s, such as 1.89, not {text!r}")
    return seconds
