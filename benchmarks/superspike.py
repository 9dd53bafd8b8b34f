"""How long a trial of the SuperSpike demo takes: every engine present, interleaved in one run.

    python benchmarks/superspike.py [--rounds 5] [--engines cpu:1 cpu:2 genn:best] [--json FILE]
    python benchmarks/superspike.py --backend cuda [--rounds 5] [--strategies NAME …] [--parts NAME …] [--json FILE]

Engines: ``cpu:N``, the embedded engine with N threads; ``cpu-plain:N``, the same without optimisations; ``genn:plain``,
GeNN's CPU back end as it comes (``optimize_code``); ``genn:best``, the same with native flags and denormals flushed;
``brian2``, see brian2_superspike.py. Peers that are not installed are left out, with a line that says so. Each runs in
a process of its own, with an empty cache of compiled models. A round is one trial of each; the first trial of each
engine is not counted.

With ``--backend cuda`` (``cuda:1`` for the second GPU), all that there is to measure of a GPU, in parts: ``card``,
what it is and how fast it copies; ``start``, compiling and loading with an empty cache and again; ``trials``, by
strategy and on the CPU; ``same_seed``, initial weights and spikes before the first update against the CPU's; ``large``,
layers ten times as large, against the memory traffic of an ideal deferred pass; ``profile``, the time of kernels that
are launched one by one. The end of the report sets the figures beside their bounds. The file is written after each
part. The exit status is 1 where something failed. ``--backend cpu`` goes through the same without a GPU, to try it out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from flush_denormals import flush_denormals
from gpu_superspike import PARTS, measure_all
from worker import Worker, interleave

from snnlearn.cli import Parser, run_command
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.training import TrialRunner, attach
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

PROG = "superspike.py"


def default_engines() -> list[str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    engines = [f"cpu:{n}" for n in (1, 2, 4, 8, 16) if n <= cores]
    for package, peers in {"pygenn": ["genn:best", "genn:plain"], "brian2": ["brian2"]}.items():
        if importlib.util.find_spec(package):
            engines += peers
        else:
            print(f"left out: {', '.join(peers)}; {package} is not installed", file=sys.stderr)
    return engines


# ---- one engine, in a process of its own ----


def describe(engine: str) -> tuple[ss.SuperSpikeNetwork, ModuleType]:
    inputs, target = ss.frozen_poisson(1), read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    kind, _, detail = engine.partition(":")
    if kind == "genn":
        from snnlearn import pygenn_engine

        if detail == "best":
            os.environ["CXX"] = f"{os.environ.get('CXX', 'g++')} -march=native"
            flush_denormals()
        cpu = {"backend": "single_threaded_cpu", "optimize_code": detail == "best"}
        return ss.describe(pygenn_engine, inputs, target, seed=1, **cpu), pygenn_engine
    from snnlearn import genn

    preferences = {"optimise": ()} if kind == "cpu-plain" else {}
    return ss.describe(genn, inputs, target, seed=1, threads=int(detail or 1), **preferences), genn


def work(engine: str) -> None:
    """Build, then run a trial for each line of input; answer with a line of JSON each."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # GeNN's build prints to standard output
    start = time.perf_counter()
    trial = brian2_trials() if engine == "brian2" else trials(engine)
    print(json.dumps({"build_s": time.perf_counter() - start}), file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        trial()
        seconds = time.perf_counter() - start
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"s": seconds, "peak_mb": peak_mb}), file=answers, flush=True)


def brian2_trials() -> Callable[[], None]:
    """Return what runs a trial in Brian2, which compiles when it first runs."""
    from brian2_superspike import Trials

    return Trials(ss.frozen_poisson(1), read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS), 1).trial


def trials(engine: str) -> Callable[[], None]:
    """Build and load the demo; return what runs a trial."""
    network, genn = describe(engine)
    for synapses, back in ((network.input_hidden, ()), (network.hidden_output, (network.output_hidden, "w"))):
        gradient, weight = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w", *back)
        attach(network.model, st.SEED_OPTIMISER, f"{synapses.name}_optimiser", "GradientLearn", gradient, weight)
    network.model.build()
    network.model.load()
    network.model.custom_update("CalculateTranspose")
    runner = TrialRunner(
        network.model,
        ss.TRIAL_TIMESTEPS,
        update_group="GradientLearn",
        update_timesteps=ss.UPDATE_TIMESTEPS,
        update_offset=1,
        reset_groups=["SourceReset"],
    )
    return lambda: runner.run(1)


def row(engine: str, worker: Worker) -> dict[str, Any]:
    detail = engine.partition(":")[2]
    return {
        "engine": engine,
        "threads": int(detail) if detail.isdecimal() else 1,
        "s_per_trial": worker.seconds,
        "build_s": worker.built["build_s"],
        "peak_mb": worker.last["peak_mb"],
    }


def measure(engines: list[str], rounds: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        workers = []
        for number, engine in enumerate(engines):
            cache_dir = os.path.join(folder, str(number))
            os.mkdir(cache_dir)
            quiet = not engine.startswith("cpu")
            workers.append(Worker(engine, [__file__, "--worker", engine], cache_dir, quiet=quiet))
        interleave(workers, rounds)
        return [row(engine, worker) for engine, worker in zip(engines, workers, strict=True)]


def show(rows: list[dict[str, Any]]) -> None:
    slowest = max(statistics.median(row["s_per_trial"]) for row in rows)
    print("| engine | threads | s a trial: median | min | max | times the slowest | build [s] | peak [MB] |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        seconds = row["s_per_trial"]
        median = statistics.median(seconds)
        print(
            f"| {row['engine']} | {row['threads']} | {median:.3f} | {min(seconds):.3f} | {max(seconds):.3f} "
            f"| {slowest / median:.1f} | {row['build_s']:.2f} | {row['peak_mb']:.0f} |"
        )


def main() -> int:
    parser = Parser(prog=PROG, description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engines", nargs="+", default=None, metavar="ENGINE")
    parser.add_argument("--backend", default=None, metavar="NAME", help="measure all of cuda, cuda:1, …")
    parser.add_argument("--strategies", nargs="+", default=None, metavar="NAME", help="with --backend; default: all")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="with --backend; default: all")
    parser.add_argument("--json", default=None, metavar="FILE")
    parser.add_argument("--worker", default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker)
        return 0
    if args.rounds < 1:
        parser.error(f"argument --rounds: it must be at least 1, not {args.rounds}")
    if args.backend is not None:
        if args.engines is not None:
            parser.error("--backend and --engines cannot be given together")
        if args.backend.partition(":")[0] not in ("cpu", "cuda"):
            parser.error(f"argument --backend: it must be cuda, cuda:N or cpu, not {args.backend!r}; see --engines")
        return run_command(PROG, lambda: measure_all(args.backend, args.strategies, args.rounds, args.parts, args.json))
    rows = measure(args.engines or default_engines(), args.rounds)
    show(rows)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
