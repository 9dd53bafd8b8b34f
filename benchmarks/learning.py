"""How fast SuperSpike learns: the error, as a share of a silent output layer's, after so many trials.

    python benchmarks/learning.py --target TARGET.ras --optimiser RMaxPropSeed --seeds 1 2 3 --reference CURVE.csv

``--reference`` names a CSV with columns trials, r0, error, share (comment lines start with #) to set beside ours.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.io import SpikeTrains, read_ras
from snnlearn.training import Callback
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

REPORTED = (1, 10, 20, 50, 100, 200, 400, 440, 500, 600)


class Shares(Callback):
    """Keeps the share of every trial."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        self.values.append(trainer.loss.total() / trainer.loss.silent.after(trial + 1))


def learn(target: SpikeTrains, seed: int, args: argparse.Namespace) -> list[float]:
    """Return the share of a silent layer's error after each trial."""
    network = ss.describe(genn, ss.frozen_poisson(seed), target, seed=seed, threads=args.threads)
    rule = st.DEMO_OPTIMISERS[args.optimiser]
    learner = st.make_learner(genn, network, target, [rule])
    shares = Shares()
    learner.callbacks.append(shares)
    schedule = st.SCHEDULES[args.schedule]
    learner.fit_opt_sched(schedule(args.trials, st.default_rate(rule) if args.lr is None else args.lr, rule))
    return shares.values


def read_reference(path: Path) -> dict[int, float]:
    with path.open(encoding="utf-8") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        return {int(row[0]): float(row[3]) for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default=target_path(), help="default: the bundled rotunda")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--optimiser", default="RMaxProp", choices=list(st.DEMO_OPTIMISERS))
    parser.add_argument("--schedule", default="step", choices=list(st.SCHEDULES))
    parser.add_argument("--lr", type=float, default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--reference", type=Path, default=None)
    args = parser.parse_args()
    target = read_ras(args.target, ss.NUM_OUTPUT, ss.TRIAL_MS)
    columns: dict[str, dict[int, float]] = {}
    for seed in args.seeds:
        start = time.perf_counter()
        shares = learn(target, seed, args)
        print(f"seed {seed}: {(time.perf_counter() - start) / args.trials:.3f} s a trial", flush=True)
        columns[f"seed {seed}"] = dict(enumerate(shares, start=1))
    if args.reference is not None:
        columns["reference"] = read_reference(args.reference)
    print(f"\n{args.optimiser}, share of a silent output layer's error [%]")
    print("| trials | " + " | ".join(columns) + " |")
    print("|---:|" + "---:|" * len(columns))
    for trials in REPORTED:
        if trials <= args.trials:
            cells = (f"{100 * c[trials]:.1f}" if trials in c else "" for c in columns.values())
            print(f"| {trials} | " + " | ".join(cells) + " |")
    lowest = (min(c, key=c.__getitem__) for c in columns.values())
    cells = (f"{100 * c[at]:.2f} at {at}" for at, c in zip(lowest, columns.values(), strict=True))
    print("| lowest | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
