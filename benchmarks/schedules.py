"""A search for a schedule: SuperSpike's error after so many trials, by schedule, optimiser and seed.

    python benchmarks/schedules.py [--target TARGET.ras] [--trials 200] [--seeds 1 2 3] [--only NAME …]

Prints a row as soon as it is there: share of a silent output layer's error [%], in the running average of 10 s that
GeNN's superspike_demo reports, and the mean over seeds relative to the first row, the seed's constant rate.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.errors import SnnlearnError
from snnlearn.io import SpikeTrains, read_ras
from snnlearn.training import DecayType, TrainingPhase, phases_1cycle, phases_sgdr, phases_step
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

Phases = Callable[[int], list[TrainingPhase]]


def decayed(optimiser: str, lr: float, end: float, decay: object) -> Phases:
    return lambda n: [TrainingPhase(n, optimiser, (lr, end), decay)]


CANDIDATES: dict[str, Phases] = {
    "constant 1": lambda n: [TrainingPhase(n, "RMaxProp", 1.0)],
    "constant 0.5": lambda n: [TrainingPhase(n, "RMaxProp", 0.5)],
    "constant 0.3": lambda n: [TrainingPhase(n, "RMaxProp", 0.3)],
    "step: a tenth for the last 30 %": lambda n: phases_step(1.0, 0.7 * n, 0.1, n),
    "sgdr 1, 3 cycles": lambda n: phases_sgdr(1.0, "RMaxProp", 3, n / 7, 2),
    "sgdr 1, 1 cycle": lambda n: phases_sgdr(1.0, "RMaxProp", 1, n, 1),
    "1cycle to 1": lambda n: phases_1cycle(n, 1.0, 10, 10, None, None, "RMaxProp"),
    "1cycle to 2": lambda n: phases_1cycle(n, 2.0, 10, 10, None, None, "RMaxProp"),
    "1cycle to 0.5": lambda n: phases_1cycle(n, 0.5, 10, 10, None, None, "RMaxProp"),
    "linear 1 to 0": decayed("RMaxProp", 1.0, 0.0, DecayType.LINEAR),
    "cosine 1 to 0": decayed("RMaxProp", 1.0, 0.0, DecayType.COSINE),
    "exponential 1 to 0.01": decayed("RMaxProp", 1.0, 0.01, DecayType.EXPONENTIAL),
    "exponential 1 to 0.03": decayed("RMaxProp", 1.0, 0.03, DecayType.EXPONENTIAL),
    "exponential 2 to 0.02": decayed("RMaxProp", 2.0, 0.02, DecayType.EXPONENTIAL),
    "Adam cosine 0.3 to 0": decayed("Adam", 0.3, 0.0, DecayType.COSINE),
    "Adam cosine 1 to 0": decayed("Adam", 1.0, 0.0, DecayType.COSINE),
    "Adam exponential 0.5 to 0.01": decayed("Adam", 0.5, 0.01, DecayType.EXPONENTIAL),
    "RMSProp cosine 0.3 to 0": decayed("RMSProp", 0.3, 0.0, DecayType.COSINE),
}


def share_after(phases: Phases, target: SpikeTrains, seed: int, trials: int) -> float:
    """Return the share of a silent layer's error [%] after training."""
    plan = phases(trials)
    network = ss.describe(genn, ss.frozen_poisson(seed), target, seed=seed, threads=1)
    learner = st.make_learner(genn, network, target, [])
    learner.fit_opt_sched(plan)
    loss = learner.loss
    assert isinstance(loss, st.ShareOfSilent)
    return 100.0 * loss.total() / loss.silent.after(trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default=target_path(), help="default: the bundled rotunda")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", default=list(CANDIDATES), choices=list(CANDIDATES), metavar="NAME")
    args = parser.parse_args()
    target = read_ras(args.target, ss.NUM_OUTPUT, ss.TRIAL_MS)
    print("| schedule | " + " | ".join(f"seed {s}" for s in args.seeds) + " | mean | against the first |")
    print("|---|" + "---:|" * (len(args.seeds) + 2))
    first, start = None, time.perf_counter()
    for name in args.only:
        try:
            shares = [share_after(CANDIDATES[name], target, seed, args.trials) for seed in args.seeds]
        except SnnlearnError as error:
            print(f"| {name} | {error} |")
            continue
        mean = sum(shares) / len(shares)
        first = first or mean
        cells = " | ".join(f"{share:.2f}" for share in shares)
        print(f"| {name} | {cells} | {mean:.2f} | {100 * (mean / first - 1):+.0f} % |", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
