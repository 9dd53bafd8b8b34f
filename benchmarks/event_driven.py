"""How long sparse networks that live from spikes take: the embedded engine and GeNN's CPU back end, interleaved.

    python benchmarks/event_driven.py [--networks balanced_4000 …] [--rounds 3] [--timesteps 10000] [--json FILE]

Networks: ``balanced_4000`` and ``balanced_40000``, leaky integrate-and-fire neurons of which 2 % of all pairs are
connected; ``microcircuit``, Potjans & Diesmann's at a tenth of its size. Engines: ``cpu``, the embedded engine on one
thread; ``genn``, GeNN's CPU back end with ``optimize_code``, native flags and denormals flushed, where PyGeNN is
installed. Each runs in a process of its own, with an empty cache of compiled models, and simulates a second in each
round; building and loading are apart. So is what each engine compiles once for all models: the embedded one's support,
here before the first build; GeNN's libraries when it was installed. Memory is that of the arrays of connectivity and
synapses.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

import balanced_network
import microcircuit_network
from flush_denormals import flush_denormals
from worker import Worker, interleave

from snnlearn.runtime.library import Preparation

NETWORKS: dict[str, tuple[Any, float]] = {
    "balanced_4000": (balanced_network, 4000),
    "balanced_40000": (balanced_network, 40000),
    "microcircuit": (microcircuit_network, 0.1),
}


def default_engines() -> list[str]:
    return ["cpu", *(["genn"] if importlib.util.find_spec("pygenn") else [])]


# ---- one engine, in a process of its own ----


def describe(engine: str, network: str) -> Any:
    module, size = NETWORKS[network]
    if engine == "genn":
        import pygenn

        os.environ["CXX"] = f"{os.environ.get('CXX', 'g++')} -march=native"
        flush_denormals()
        return module.describe(pygenn, size, backend="single_threaded_cpu", optimize_code=True)
    from snnlearn import genn

    return module.describe(genn, size, threads=1)


def work(engine: str, network: str, timesteps: int) -> None:
    """Build and load, then run for each line of input; answer with a line of JSON each."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # GeNN's build prints to standard output
    os.chdir(tempfile.mkdtemp(dir=os.environ["XDG_CACHE_HOME"]))
    model = describe(engine, network)
    begin = time.perf_counter()
    if engine != "genn":
        Preparation().finish()  # what is the same in every simulation
    start = time.perf_counter()
    model.build()
    built = time.perf_counter()
    model.load(num_recording_timesteps=timesteps)
    loaded = time.perf_counter()
    print(
        json.dumps({"once_s": start - begin, "build_s": built - start, "load_s": loaded - built}),
        file=answers,
        flush=True,
    )
    for _ in sys.stdin:
        start = time.perf_counter()
        if engine == "genn":
            for _ in range(timesteps):
                model.step_time()
        else:
            model.run(timesteps)
        seconds = time.perf_counter() - start
        model.pull_recording_buffers_from_device()
        groups = model.neuron_populations.values()
        spikes = sum(len(group.spike_recording_data[0][0]) for group in groups)
        rate = spikes / sum(g.num_neurons for g in groups) / (timesteps * model.dt * 1e-3)
        print(json.dumps({"s": seconds, "rate_hz": rate, "mb": memory(model)}), file=answers, flush=True)


def memory(model: Any) -> float:
    """Return the size of the arrays of connectivity and of synapses' variables [MB]."""
    octets = 0
    for synapses in model.synapse_populations.values():
        synapses.pull_connectivity_from_device()
        octets += synapses._ind.view.nbytes + synapses._row_lengths.view.nbytes
        octets += sum(variable._view.nbytes for variable in synapses.vars.values())
    return octets / 1e6


def row(network: str, engine: str, worker: Worker) -> dict[str, Any]:
    mine = {"network": network, "engine": engine, "s": worker.seconds}
    return mine | worker.built | {"rate_hz": worker.last["rate_hz"], "mb": worker.last["mb"]}


def measure(network: str, engines: list[str], rounds: int, timesteps: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        workers = []
        for engine in engines:
            cache_dir = os.path.join(folder, engine)
            os.mkdir(cache_dir)
            command = [__file__, "--worker", engine, "--networks", network, "--timesteps", str(timesteps)]
            workers.append(Worker(f"{engine}, {network}", command, cache_dir, quiet=engine == "genn"))
        interleave(workers, rounds)
        return [row(network, engine, worker) for engine, worker in zip(engines, workers, strict=True)]


def show(rows: list[dict[str, Any]]) -> None:
    print(
        "| network | engine | s: median | min | max | once [s] | build [s] | load [s] | synapses [MB] | spikes [Hz] |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row['network']} | {row['engine']} | {statistics.median(row['s']):.3f} | {min(row['s']):.3f} "
            f"| {max(row['s']):.3f} | {row['once_s']:.2f} | {row['build_s']:.2f} | {row['load_s']:.2f} "
            f"| {row['mb']:.1f} | {row['rate_hz']:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--engines", nargs="+", default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timesteps", type=int, default=10000, help="of 0.1 ms in each round")
    parser.add_argument("--json", default=None, metavar="FILE")
    parser.add_argument("--worker", default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.networks[0], args.timesteps)
        return
    rows: list[dict[str, Any]] = []
    for network in args.networks:
        rows += measure(network, args.engines or default_engines(), args.rounds, args.timesteps)
    show(rows)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
