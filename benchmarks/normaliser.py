"""What RMaxProp's normaliser does while SuperSpike trains: its size, how far weights move, and the error.

    python benchmarks/normaliser.py [--schedule step] [--keep-from 400] [--seed 1] [--trials 600]

Every ten trials a row: the rate, the median over synapses of the normaliser of both trained connections, the root mean
square of their weights' movement over these trials, the loss averaged over them, and the running error. ``--keep-from``
has the normaliser forget nothing from a trial on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.training import OPTIMISERS, Callback, TrainingPhase
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

EVERY = 10
KEPT = 0.99999  # share of the largest squared gradient that an update keeps, where it is to forget nothing


def values(variable: Any) -> NDArray[np.float32]:
    variable.pull_from_device()
    found: NDArray[np.float32] = variable.values
    return found


class Watch(Callback):
    """Prints a row every ten trials."""

    def __init__(self, network: ss.SuperSpikeNetwork) -> None:
        self.connections = (network.input_hidden, network.hidden_output)
        self.weights: list[NDArray[np.float32]] = []

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        if (trial + 1) % EVERY:
            return
        weights = [values(connection.vars["w"]) for connection in self.connections]
        moved = [float(np.sqrt(np.mean((a - b) ** 2))) for a, b in zip(weights, self.weights or weights, strict=True)]
        self.weights = weights
        updates = (trainer.model.custom_updates[f"RMaxProp_{c.name}"] for c in self.connections)
        sizes = [float(np.median(values(update.vars["upsilon"]))) for update in updates]
        loss = float(np.mean(trainer.sched.losses[-round(EVERY * ss.TRIAL_MS / ss.UPDATE_MS) :]))
        share = trainer.loss.total() / trainer.loss.silent.after(trial + 1)
        cells = [f"{trainer.lr_of_update(trainer.runner.update - 1):.3f}", *(f"{size:.3g}" for size in sizes)]
        cells += [*(f"{move:.3f}" for move in moved), f"{100 * loss:.2f}", f"{100 * share:.2f}"]
        print(f"| {trial + 1} | " + " | ".join(cells) + " |", flush=True)


def keep_from(trial: int, phases: list[TrainingPhase]) -> list[TrainingPhase]:
    """Return phases of which those that begin at a trial or later have a normaliser that forgets nothing."""
    kept, begin = [], 0.0
    for phase in phases:
        kept.append(replace(phase, beta=KEPT) if begin >= trial else phase)
        begin += phase.epochs
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedule", default="step", choices=list(st.SCHEDULES))
    parser.add_argument("--keep-from", type=int, default=None, metavar="TRIAL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=600)
    args = parser.parse_args()
    rule = OPTIMISERS["RMaxProp"]
    phases = st.SCHEDULES[args.schedule](args.trials, st.default_rate(rule), rule)
    if args.keep_from is not None:
        phases = keep_from(args.keep_from, phases)
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    network = ss.describe(genn, ss.frozen_poisson(args.seed), target, seed=args.seed, threads=1)
    learner = st.make_learner(genn, network, target, [rule])
    learner.callbacks.append(Watch(network))
    columns = ["trials", "rate", "normaliser, input", "normaliser, output", "moved, input", "moved, output"]
    print("| " + " | ".join([*columns, "loss [%]", "error [%]"]) + " |")
    print("|" + "---:|" * 8)
    learner.fit_opt_sched(phases)


if __name__ == "__main__":
    main()
