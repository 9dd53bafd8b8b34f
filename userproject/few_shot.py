"""Few-shot regression: a spiking network learns to learn sinusoids, with rates per synapse, per layer, or one.

Meta-SGD (Li et al. 2017) learns initial weights and rates such that a few inner steps on ten points of a sinusoid
answer the rest of it (Finn, Abbeel & Levine 2017). To first order all of it runs on the engine; with second derivatives
on PyTorch.
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import few_shot

    raise SystemExit(few_shot())

import math
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from snnlearn import genn
from snnlearn.cli import Parser
from snnlearn.errors import TrainingError
from snnlearn.io import atomic_write, check_output_dir
from snnlearn.plot import check_matplotlib
from snnlearn.userproject.experiment import check_limits, new_parser, program, write_rows
from snnlearn.userproject.few_shot_engine import EngineMeta
from snnlearn.userproject.few_shot_network import Setting
from snnlearn.userproject.few_shot_results import RATES, STEPS, Result
from snnlearn.userproject.few_shot_tasks import stream

PROG = "few_shot"
ORDERS = (1, 2)
TEST_SEED = 2**31
# What makes sense.
LIMITS = {"iterations": (1, 1_000_000), "tasks": (1, 1000), "shots": (1, 1000), "test_tasks": (1, 100_000)}
# Found on seed 100, none of those that are reported, for each number of inner steps.
SETTINGS = {
    ("one", 1): Setting(0.3, 0.02, 0.02),
    ("layer", 1): Setting(0.3, 0.02, 0.02),
    ("synapse", 1): Setting(0.3, 0.01, 0.05),
    ("one", 3): Setting(0.03, 0.02, 0.05),
    ("layer", 3): Setting(0.03, 0.02, 0.05),
    ("synapse", 3): Setting(0.1, 0.01, 0.05),
}


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__)
    add = parser.add_argument
    add("--rates", nargs="+", choices=RATES, default=list(RATES), help="what has a rate of its own (default: all)")
    add("--steps", type=int, nargs="+", choices=STEPS, default=list(STEPS), help="inner steps (default: 1 3)")
    add(
        "--orders",
        type=int,
        nargs="+",
        choices=ORDERS,
        default=list(ORDERS),
        help="1: on the engine; 2: with second derivatives, on PyTorch (default: 1 2)",
    )
    add("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="default: 1 2 3")
    add("--iterations", type=int, default=1000, metavar="N", help="outer iterations (default: 1000)")
    add("--tasks", type=int, default=4, metavar="N", help="of an outer iteration (default: 4)")
    add("--shots", type=int, default=10, metavar="N", help="points of a task (default: 10)")
    add("--test-tasks", type=int, default=400, metavar="N", help="new tasks to test with (default: 400)")
    add("--output-dir", default=".", metavar="DIR", help="where few_shot.{csv,png,npz} go (default: here)")
    return parser


def run(args: Namespace) -> int:
    """Run the experiment as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, and without PyTorch for ``--orders 2``, before anything is run.
    """
    check_limits(args, LIMITS)
    for seed in args.seeds:
        if not 0 < seed < TEST_SEED:
            raise TrainingError(f"--seeds must be from 1 to 2**31 - 1, not {seed}")
    folder = check_output_dir(args.output_dir)
    check_matplotlib()
    if 2 in args.orders:
        import snnlearn.torch  # noqa: F401 - an error that says how to install it, before anything is run
    results: list[Result] = []
    for order, steps, rates in product(
        dict.fromkeys(args.orders), dict.fromkeys(args.steps), dict.fromkeys(args.rates)
    ):
        begin = perf_counter()
        found = list((on_engine if order == 1 else on_torch)(args, rates, steps))
        results += found
        write(folder, results)  # after each, so that what has been run is there if the rest is not
        if not args.quiet:
            print(line_of(found, perf_counter() - begin), flush=True)
    if not args.quiet:
        print(f"Written to {(folder / f'{PROG}.csv').resolve()}, {PROG}.npz and {PROG}.png")
    return 0


main = program(get_parser, run)


def share_at(iteration: int, iterations: int) -> float:
    """Return the share of the outer loop's learning rates in an iteration: half a cosine, from 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * iteration / iterations))


def progress(args: Namespace, title: str) -> Iterator[int]:
    """Return the numbers of the outer iterations, with a bar on a terminal."""
    quiet = True if args.quiet else None  # `None` is tqdm's word for "on a terminal only"
    return iter(tqdm(range(args.iterations), title, leave=False, file=sys.stderr, disable=quiet))


def on_engine(args: Namespace, rates: str, steps: int) -> Iterator[Result]:
    """Learn to first order, on the engine, one seed after the other."""
    for seed in dict.fromkeys(args.seeds):
        meta = EngineMeta(genn, rates, seed, SETTINGS[rates, steps], args.tasks, args.shots)
        batches = stream(seed, args.tasks, args.shots)
        for iteration in progress(args, f"{rates}, {steps} of order 1, seed {seed}"):
            meta.iterate(next(batches), steps, share_at(iteration, args.iterations))
        tests = islice(stream(TEST_SEED, args.tasks, args.shots), math.ceil(args.test_tasks / args.tasks))
        yield Result(1, rates, steps, seed, meta.query_mse(list(tests), steps), meta.rates())
        meta.unload()


def on_torch(args: Namespace, rates: str, steps: int) -> Iterator[Result]:
    """Learn with second derivatives, on PyTorch, all seeds side by side."""
    import torch

    from snnlearn.userproject.few_shot_torch import TorchMeta

    torch.set_num_threads(1)  # tensors are small: threads would wait for each other
    seeds = list(dict.fromkeys(args.seeds))
    meta = TorchMeta(rates, seeds, [SETTINGS[rates, steps]] * len(seeds), args.tasks, args.shots)
    streams = [stream(seed, args.tasks, args.shots) for seed in seeds]
    for iteration in progress(args, f"{rates}, {steps} of order 2"):
        meta.iterate([next(tasks) for tasks in streams], steps, share_at(iteration, args.iterations))
    tests = islice(stream(TEST_SEED, args.tasks, args.shots), math.ceil(args.test_tasks / args.tasks))
    mse, learnt = meta.query_mse(list(tests), steps), meta.rates()
    for run, seed in enumerate(seeds):
        yield Result(2, rates, steps, seed, float(mse[run]), {name: values[run] for name, values in learnt.items()})


def line_of(results: Sequence[Result], seconds: float) -> str:
    """Return what there is to say of runs that differ in their seed."""
    first, each = results[0], ", ".join(f"{result.mse:.3f}" for result in results)
    mean = sum(result.mse for result in results) / len(results)
    order, steps = ("first", "second")[first.order - 1], f"{first.steps} step{'s' if first.steps > 1 else ''}"
    return f"{order} order, {steps}, rates: {first.rates}: query error {mean:.3f} ({each}), {seconds:.0f} s"


def write(folder: Path, results: Sequence[Result]) -> None:
    """Write the table, the learnt rates and the figure."""
    from snnlearn.userproject.few_shot_figure import draw

    rows = [(result.order, result.steps, result.rates, result.seed, result.mse) for result in results]
    write_rows(folder / f"{PROG}.csv", ("order", "steps", "rates", "seed", "query_mse"), rows)
    learnt = {
        f"order{result.order}/steps{result.steps}/{result.rates}/seed{result.seed}/{name}": values
        for result in results
        for name, values in result.learnt.items()
    }
    with atomic_write(folder / f"{PROG}.npz", "wb") as file:
        np.savez(file, **learnt)  # type: ignore[arg-type]  # NumPy's stubs take the names for its own arguments
    draw(results, folder / f"{PROG}.png")
