"""Tracking on line: weights that change sign now and then are followed by SGD, RMSProp and IDBD.

A leaky readout sees 100 Poisson inputs, of which 5 matter. IDBD (Sutton 1992) learns a rate for each synapse; SGD and
RMSProp have one, the best of a grid.
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import tracking

    raise SystemExit(tracking())

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snnlearn import genn
from snnlearn.cli import Parser
from snnlearn.errors import TrainingError
from snnlearn.io import check_output_dir
from snnlearn.plot import check_matplotlib
from snnlearn.userproject.experiment import new_parser, program, write_rows
from snnlearn.userproject.tracking_network import TrackingNetwork
from snnlearn.userproject.tracking_results import FLIP_TIMESTEPS, GRID, SeedResult

PROG = "tracking"
MOST_TIMESTEPS = 100_000_000


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__)
    add = parser.add_argument
    add("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], metavar="N", help="default: 1 2 3 4 5")
    add("--timesteps", type=int, default=48_000, metavar="N", help="of a run, of 1 ms each (default: 48000)")
    add("--output-dir", default=".", metavar="DIR", help="where tracking.csv and tracking.png go (default: here)")
    return parser


def run(args: Namespace) -> int:
    """Run the experiment as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, before anything is run.
    """
    least = 4 * FLIP_TIMESTEPS
    if not least <= args.timesteps <= MOST_TIMESTEPS:
        bound = f"at least {least}" if args.timesteps < least else f"at most {MOST_TIMESTEPS}"
        raise TrainingError(f"--timesteps must be {bound}, not {args.timesteps}")
    for seed in args.seeds:
        if not 0 < seed < 2**63:
            raise TrainingError(f"--seeds must be from 1 to 2**63 - 1, not {seed}")
    folder = check_output_dir(args.output_dir)
    check_matplotlib()
    results = []
    for seed in dict.fromkeys(args.seeds):
        results.append(track(seed, args.timesteps))
        if not args.quiet:
            print(line_of(results[-1]), flush=True)
    write(folder, results)
    if not args.quiet:
        print(f"Written to {(folder / f'{PROG}.csv').resolve()} and {PROG}.png")
    return 0


main = program(get_parser, run)


def track(seed: int, timesteps: int) -> SeedResult:
    """Run all optimisers side by side, on the same inputs and weights."""
    network = TrackingNetwork(genn, GRID, seed)
    errors, rates = [], []
    for segment in range(timesteps // FLIP_TIMESTEPS):
        if segment:
            network.flip()
        errors.append(network.run(FLIP_TIMESTEPS))
        rates.append(network.trackers[-1].rates())
    network.model.unload()
    return SeedResult(seed, np.array(errors), np.array(rates))


def line_of(result: SeedResult) -> str:
    """Return what there is to say of a seed."""
    mse, idbd = result.mse, result.mse[-1]
    texts = []
    for name in ("SGD", "RMSProp"):
        index = result.best(name)
        texts.append(f"{name} {mse[index]:.5f} at {GRID[index][1]:g}, IDBD's is {idbd / mse[index]:.2f} of it")
    return f"seed {result.seed}: target {mse[0]:.5f}, IDBD {idbd:.5f}; {'; '.join(texts)}"


def write(folder: Path, results: Sequence[SeedResult]) -> None:
    """Write the table and the figure."""
    from snnlearn.userproject.tracking_figure import draw

    rows = [
        (result.seed, rule.name, lr, mse)
        for result in results
        for (rule, lr), mse in zip(GRID, result.mse.tolist(), strict=True)
    ]
    write_rows(folder / f"{PROG}.csv", ("seed", "optimiser", "rate", "mse"), rows)
    draw(results, folder / f"{PROG}.png")
