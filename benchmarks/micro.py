"""Each kernel of the SuperSpike demo against its own roofline, and what each optimisation is worth.

    python benchmarks/micro.py [--rounds 5] [--optimise NAME …] [--json FILE] [--plot FILE.png]
    python benchmarks/micro.py --ablate [--rounds 5] [--threads 1] [--json FILE]

The first measures the machine's peaks, then trials of the demo with a timer for every kernel, on one thread, and prints
for each kernel its time in a timestep, its work as counted from the plan (see roofline.py), what bounds it, and which
share of that bound it reaches. Peaks are the best of many tries before and after the trials, so the share is that of
the fastest trial. The plot is a trial as a stacked bar, of medians. Recording is on, to count spikes. A timer costs
some 20 ns, which are taken off; time to keep what deferred kernels will read counts as theirs.

The second leaves out one rewrite at a time and prints what a trial takes then, without timers. Rewrites that only
concern deferred kernels (`fold`, `contract`) are lost with `defer`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import machine
import numpy as np
import roofline

from snnlearn import genn
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import DEFAULT, REWRITES, Plan, build_plan, optimise
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.network import Location
from snnlearn.runtime import CpuSimulation
from snnlearn.runtime.library import build_library
from snnlearn.training import TrialRunner, attach
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

_UPDATES = "GradientLearn"
_COLOURS = ("#3b6ea5", "#b5402f", "#4c8c4a", "#d99a2b", "#7b5ea7", "#3f9c9c", "#a8527a", "#8a8a3c", "#c4c4c4")


def describe(**options: Any) -> ss.SuperSpikeNetwork:
    """Return the demo's network with the seed's optimiser."""
    inputs, target = ss.frozen_poisson(1), read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    network = ss.describe(genn, inputs, target, seed=1, **options)
    for synapses, back in ((network.input_hidden, ()), (network.hidden_output, (network.output_hidden, "w"))):
        gradient, weight = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w", *back)
        attach(network.model, st.SEED_OPTIMISER, f"{synapses.name}_optimiser", _UPDATES, gradient, weight)
    return network


def trials(model: Any) -> TrialRunner:
    """Return what runs trials of a model, or of a `CpuSimulation`, which has what it takes."""
    model.custom_update("CalculateTranspose")
    return TrialRunner(
        model,
        ss.TRIAL_TIMESTEPS,
        update_group=_UPDATES,
        update_timesteps=ss.UPDATE_TIMESTEPS,
        update_offset=1,
        reset_groups=["SourceReset"],
    )


# ---- kernels against the roofline ----


@dataclass(frozen=True)
class Row:
    """A kernel; times in seconds for a timestep, work for a timestep."""

    kernel: str
    seconds: float  # median
    fastest: float
    flops: float
    bytes: float
    bound: str
    roof: float

    @property
    def share(self) -> float:
        return self.roof / self.fastest if self.fastest > 0 else float("nan")


def timed_plan(plan: Plan) -> Plan:
    """Return the plan with a timer for each kernel of the timestep."""
    return replace(plan, step=tuple(replace(k, timer=k.name) for k in plan.step))


class Trials:
    """Timed trials of an optimised plan on one thread.

    Attributes
    ----------
    plan : Plan
    timers : dict of str to float
        Median seconds a trial, by kernel; of custom updates by group.
    fastest : dict of str to float
        The same of the fastest trial of each kernel.
    wall : float
        Median seconds a trial.
    spikes : dict of str to float
        Of each population in a timestep, on average.
    """

    def __init__(self, names: Sequence[str], rounds: int) -> None:
        network = describe(recording=True).model._describe()
        self.plan = timed_plan(optimise(build_plan(network), names))
        source = emit_cpp(self.plan)
        simulation = CpuSimulation(
            network,
            self.plan,
            source,
            build_library(source),
            seed=1,
            recording_timesteps=ss.TRIAL_TIMESTEPS,
            timing=True,
        )
        runner = trials(simulation)
        runner.run(1)
        timers, walls = [], []
        for _ in range(rounds):
            before, start = simulation.timers(), time.perf_counter()
            runner.run(1)
            simulation.custom_update("SourceReset")  # waits for what is deferred
            walls.append(time.perf_counter() - start)
            timers.append({name: seconds - before[name] for name, seconds in simulation.timers().items()})
        self.timers = {name: statistics.median(t[name] for t in timers) for name in timers[0]}
        self.fastest = {name: min(t[name] for t in timers) for name in timers[0]}
        self.wall = statistics.median(walls)
        self.spikes = {
            name: float(np.bitwise_count(rows).sum() if hasattr(np, "bitwise_count") else _bits(rows)) / len(rows)
            for name in network.neurons
            for rows in [simulation.recording(Location(name, "recording"))[0].rows]
        }
        simulation.close()


def _bits(words: Any) -> int:
    return int(np.unpackbits(words.view(np.uint8)).sum())


def rows_of(measured: Trials, peaks: machine.Machine) -> list[Row]:
    rows = []
    for name, work in roofline.work_of(measured.plan, measured.spikes).items():
        bound = roofline.bound_of(work, peaks)
        seconds, fastest = (
            max(times[name] / ss.TRIAL_TIMESTEPS - peaks.clock, 0.0) for times in (measured.timers, measured.fastest)
        )
        rows.append(Row(name, seconds, fastest, work.flops.total, work.traffic.total, bound.name, bound.seconds))
    return rows


def show_rows(rows: Sequence[Row], measured: Trials) -> None:
    print("| kernel | time a step [us]: median | fastest | flops | bytes | flops/byte ", end="")
    print("| bound | roof [us] | share of the roof [%] |")
    print("|---|---:|---:|---:|---:|---:|---|---:|---:|")
    for r in rows:
        intensity = f"{r.flops / r.bytes:.2f}" if r.bytes else "-"
        print(
            f"| {r.kernel} | {1e6 * r.seconds:.3f} | {1e6 * r.fastest:.3f} | {r.flops:.0f} | {r.bytes:.0f} "
            f"| {intensity} | {r.bound} | {1e6 * r.roof:.3f} | {100 * r.share:.0f} |"
        )
    deferred = {k.name for k in measured.plan.step if k.deferral is not None}
    for title, some in (
        ("deferred kernels", [r for r in rows if r.kernel in deferred]),
        ("all that is not deferred", [r for r in rows if r.kernel not in deferred]),
    ):
        if not some:
            continue
        seconds, fastest, roof = (
            sum(column) for column in zip(*((r.seconds, r.fastest, r.roof) for r in some), strict=True)
        )
        times = f"{1e6 * seconds:.3f} | {1e6 * fastest:.3f}"
        print(f"| **{title}** | {times} | | | | | {1e6 * roof:.3f} | {100 * roof / fastest:.0f} |")
    print("\nSpikes a timestep: " + ", ".join(f"{name} {rate:.3f}" for name, rate in measured.spikes.items()))
    print(f"A trial, timers on: {measured.wall:.3f} s; in kernels of timesteps and custom updates: ", end="")
    print(f"{sum(seconds for _, seconds, _ in segments(rows, measured)[:-1]):.3f} s")


def segments(rows: Sequence[Row], measured: Trials) -> list[tuple[str, float, float]]:
    """Return (name, seconds a trial, roof a trial) of all that takes time in a trial; the last is the rest."""
    n = ss.TRIAL_TIMESTEPS
    found = [(r.kernel, n * r.seconds, n * r.roof) for r in rows]
    own = {r.kernel for r in rows}
    updates = sum(s for name, s in measured.timers.items() if name not in own and name != "init")
    found = [*found, ("custom updates", updates, 0.0)]
    return [*found, ("loop and timers", max(measured.wall - sum(s for _, s, _ in found), 0.0), 0.0)]


def plot(rows: Sequence[Row], measured: Trials, file: str) -> None:
    """Draw a trial as a stacked bar, and beneath it the same at the roofline."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    parts = sorted(segments(rows, measured)[:-1], key=lambda part: -part[1])
    shown, small = parts[: len(_COLOURS) - 1], [*parts[len(_COLOURS) - 1 :], segments(rows, measured)[-1]]
    shown = [*shown, ("all else, with loop and timers", sum(p[1] for p in small), sum(p[2] for p in small))]
    lefts = [0.0, 0.0]
    for (name, *times), colour in zip(shown, _COLOURS, strict=False):
        axes.barh([1, 0], times, left=lefts, height=0.6, color=colour, label=f"{name}: {times[0]:.3f} s")
        lefts = [left + seconds for left, seconds in zip(lefts, times, strict=True)]
    axes.set_yticks([1, 0], ["measured", "at the roofline"])
    axes.set_xlabel("one trial, one thread [s]")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    figure.savefig(file)


# ---- one rewrite less ----


def ablations() -> dict[str, tuple[str, ...]]:
    lists = {"all": tuple(DEFAULT)}
    lists |= {f"without {name}": tuple(n for n in DEFAULT if n != name) for name in DEFAULT}
    return {**lists, "none": ()}


def ablate(rounds: int, threads: int) -> dict[str, list[float]]:
    """Return the seconds of every trial of each list of rewrites, one of each in turn."""
    runners = {}
    for title, names in ablations().items():
        model = describe(threads=threads, optimise=names).model
        model.build()
        model.load()
        runners[title] = trials(model)
    seconds: dict[str, list[float]] = {title: [] for title in runners}
    for number in range(rounds + 1):
        for title, runner in runners.items():
            start = time.perf_counter()
            runner.run(1)
            runner.model.custom_update("SourceReset")  # waits for what is deferred
            if number > 0:  # the first is not counted
                seconds[title].append(time.perf_counter() - start)
    return seconds


def show_ablations(seconds: dict[str, list[float]], threads: int) -> None:
    whole = statistics.median(seconds["all"])
    print(f"| rewrites, {threads} thread{'s' if threads > 1 else ''} | s a trial: median | min | max | times all |")
    print("|---|---:|---:|---:|---:|")
    for title, found in seconds.items():
        median = statistics.median(found)
        print(f"| {title} | {median:.3f} | {min(found):.3f} | {max(found):.3f} | {median / whole:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="trials to measure")
    parser.add_argument("--optimise", nargs="*", default=list(DEFAULT), choices=list(REWRITES), metavar="NAME")
    parser.add_argument("--ablate", action="store_true", help="leave out one rewrite at a time")
    parser.add_argument("--threads", type=int, default=1, help="with --ablate")
    parser.add_argument("--json", default=None, metavar="FILE")
    parser.add_argument("--plot", default=None, metavar="FILE.png")
    args = parser.parse_args()
    result: Any
    if args.ablate:
        result = ablate(args.rounds, args.threads)
        show_ablations(result, args.threads)
    else:
        peaks = machine.measure()
        measured = Trials(args.optimise, args.rounds)
        peaks = machine.best(peaks, machine.measure())
        rows = rows_of(measured, peaks)
        print("\n".join(machine.describe(peaks)) + "\n")
        show_rows(rows, measured)
        result = {
            "machine": asdict(peaks),
            "s_per_trial": measured.wall,
            "kernels": [{**asdict(r), "share": r.share} for r in rows],
        }
        if args.plot:
            plot(rows, measured, args.plot)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
