"""What a pattern of Yin-Yang costs in batches: the kernels alone, and a whole example with what the host does.

    python benchmarks/batches.py [--batches 1 32] [--hidden 200] [--inputs 5] [--rule handwritten] [--rounds 10]

CPU time of one thread, rounds in turns; the lowest and the median. *Kernels* is what 119 of the 120 timesteps of a
trial add to a trial of one, patterns being shown in both. *Example* is an epoch of `Learner.fit` without validation, by
pattern: kernels, showing, measuring and updating. A batch of 1 is a learner without ``batch_size``, which updates after
20 patterns. More than 5 inputs have random times of spikes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from snnlearn import datasets, genn
from snnlearn.training import PerConnection
from snnlearn.userproject import yin_yang

PATTERNS = 3200


def make_learner(args: argparse.Namespace, batch: int) -> Any:
    """Return a learner of the network, trained for an epoch; without validation."""
    train, valid = datasets.yin_yang(args.patterns, 1), datasets.yin_yang(20, 2)
    learner = yin_yang.make_learner(genn, train, valid, args.hidden, 1, True, args.rule, batch)
    learner.validation = None
    fit(learner, args.rule)
    return learner


def fit(learner: Any, rule: str) -> None:
    """Train for an epoch."""
    learner.fit(1, PerConnection(yin_yang.RATES[rule]), "Adam")


def run_trials(learner: Any, batch: int, patterns: int, timesteps: int) -> None:
    """Show all patterns for so many timesteps each, without measures and updates."""
    for first in range(0, patterns, batch):
        if batch == 1:
            learner.data.present(learner.model, first)
        else:
            learner.data.present_batch(learner.model, np.arange(first, first + batch))
        learner.model.timestep = 0
        learner.model.run(timesteps)


def cpu_seconds(run: Callable[[], None]) -> float:
    """Return the CPU time that something takes."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


def measure(args: argparse.Namespace) -> dict[int, tuple[list[float], list[float]]]:
    """Return kernels and whole examples by size of the batch, microseconds a pattern in each round."""
    learners = {batch: make_learner(args, batch) for batch in args.batches}
    found: dict[int, tuple[list[float], list[float]]] = {batch: ([], []) for batch in learners}
    timesteps, patterns = yin_yang.TRIAL_TIMESTEPS, args.patterns
    for _ in range(args.rounds):
        for batch, learner in learners.items():
            whole, one = (cpu_seconds(partial(run_trials, learner, batch, patterns, n)) for n in (timesteps, 1))
            found[batch][0].append((whole - one) * timesteps / (timesteps - 1) / patterns * 1e6)
            found[batch][1].append(cpu_seconds(partial(fit, learner, args.rule)) / patterns * 1e6)
    return found


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--hidden", type=int, default=200)
    parser.add_argument("--inputs", type=int, default=5)
    parser.add_argument("--rule", default="handwritten", choices=yin_yang.RULES[:2])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--patterns", type=int, default=PATTERNS, help="a multiple of all batches")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    args = parse()
    if args.inputs != 5:
        random = np.random.default_rng(1)
        yin_yang.datasets.yin_yang_times = lambda xy, first, last: random.uniform(first, last, (len(xy), args.inputs))
    print("microseconds a pattern      kernels: min  median   example: min  median")
    for batch, (kernels, examples) in measure(args).items():
        cells = [x for times in (kernels, examples) for x in (min(times), statistics.median(times))]
        print(f"batch of {batch:<19}{cells[0]:12.1f}{cells[1]:8.1f}{cells[2]:15.1f}{cells[3]:8.1f}")


if __name__ == "__main__":
    main()
