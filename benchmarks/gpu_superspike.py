"""All that there is to measure of the SuperSpike demo on a GPU; see superspike.py, which runs this.

Each measurement is taken in a process of its own. What fails is named in the report, and the rest goes on.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import gpu_figures
import machine
import numpy as np
from worker import Worker, WorkerFailed, interleave

from snnlearn import genn as embedded
from snnlearn.backends import choose_backend
from snnlearn.cli import run_command
from snnlearn.data import target_path
from snnlearn.io import SpikeTrains, read_ras
from snnlearn.training import TrialRunner, attach
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

STRATEGIES = ("persistent", "graph", "loop")
PARTS = ("card", "start", "trials", "same_seed", "large", "profile")
SCALE = 10  # of the large network's layers
_LARGE_ROUNDS = 5  # at most
_LIMIT_S = 100.0  # for an answer: blocks that wait for one another in vain wait for ever
_COPY_BYTES = 1 << 30
_UPDATES = "GradientLearn"


# ---- in a process of its own ----


def tiled(trains: SpikeTrains, times: int) -> SpikeTrains:
    """Return the same trains, so many times over."""
    ids = [trains.ids + number * trains.num_neurons for number in range(times)]
    return SpikeTrains.from_spikes(np.tile(trains.times, times), np.concatenate(ids), times * trains.num_neurons)


def describe(genn: ModuleType, scale: int, **options: Any) -> ss.SuperSpikeNetwork:
    """Return the demo's network, with layers ``scale`` times as large, and the optimiser of GeNN's demo."""
    target = tiled(read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS), scale)
    inputs = ss.frozen_poisson(1, scale * ss.NUM_INPUT)
    network = ss.describe(genn, inputs, target, seed=1, num_hidden=scale * ss.NUM_HIDDEN, **options)
    for synapses, back in ((network.input_hidden, ()), (network.hidden_output, (network.output_hidden, "w"))):
        gradient, weight = genn.create_wu_var_ref(synapses, "m"), genn.create_wu_var_ref(synapses, "w", *back)
        attach(network.model, st.SEED_OPTIMISER, f"{synapses.name}_optimiser", _UPDATES, gradient, weight)
    return network


def strategy_of(name: str) -> dict[str, str]:
    """Return the preference for a strategy; the engine chooses where none is named."""
    return {"strategy": name} if name else {}


class Trials:
    """A loaded network, and what runs its trials."""

    def __init__(self, backend: str, strategy: str, scale: int, **options: Any) -> None:
        start = time.perf_counter()
        network = describe(choose_backend(backend).module, scale, **strategy_of(strategy), **options)
        self.model, self.error = network.model, network.output.vars["avgSqrErr"]
        self.model.build()
        self.build_s = time.perf_counter() - start
        self.model.load()
        self.wait()
        self.load_s = time.perf_counter() - start - self.build_s
        self.model.custom_update("CalculateTranspose")
        self.runner = TrialRunner(
            self.model,
            ss.TRIAL_TIMESTEPS,
            update_group=_UPDATES,
            update_timesteps=ss.UPDATE_TIMESTEPS,
            update_offset=1,
            reset_groups=["SourceReset"],
        )

    def wait(self) -> None:
        """Wait for the device, and for what is deferred."""
        self.error.pull_from_device()

    def trial(self) -> float:
        """Run a trial; returns how long it took [s]."""
        start = time.perf_counter()
        self.runner.run(1)
        self.wait()
        return time.perf_counter() - start


def work_trials(answer: Callable[[dict[str, Any]], None], backend: str, strategy: str, scale: int) -> None:
    """Build and load; then run a trial for each line of input."""
    trials = Trials(backend, strategy, scale)
    chosen = [line for line in trials.model.explain().splitlines() if "strategy" in line]
    answer({"build_s": trials.build_s, "load_s": trials.load_s, "chosen": chosen[-1] if chosen else ""})
    for _ in sys.stdin:
        answer({"s": trials.trial()})


def work_same_seed(answer: Callable[[dict[str, Any]], None], backend: str, strategy: str, scale: int) -> None:
    """Compare with the CPU, up to the first update."""
    here = observe(choose_backend(backend).module, scale, **strategy_of(strategy))
    cpu = observe(embedded, scale)
    spikes = {
        layer: {
            "here": len(here[1][layer][0]),
            "cpu": len(trains[0]),
            "share": gpu_figures.share_of_equal(here[1][layer], trains, ss.TIMESTEP_MS),
        }
        for layer, trains in cpu[1].items()
    }
    answer({"weights_equal": {n: bool(np.array_equal(here[0][n], w)) for n, w in cpu[0].items()}, "spikes": spikes})


def observe(
    genn: ModuleType, scale: int, **preferences: Any
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, gpu_figures.Spikes]]:
    """Return the initial weights of each connection, and the spikes of each layer before the first update."""
    network = describe(genn, scale, recording=True, **preferences)
    model, timesteps = network.model, ss.UPDATE_TIMESTEPS + 1
    model.build()
    model.load(timesteps)
    weights = {}
    for synapses in (network.input_hidden, network.hidden_output):
        synapses.vars["w"].pull_from_device()
        weights[synapses.name] = synapses.vars["w"].values
    model.custom_update("CalculateTranspose")
    model.run(timesteps)
    model.pull_recording_buffers_from_device()
    layers = (network.input, network.hidden, network.output)
    spikes = {layer.name: layer.spike_recording_data[0] for layer in layers}
    model.unload()
    return weights, spikes


def work_profile(answer: Callable[[dict[str, Any]], None], backend: str, strategy: str, scale: int) -> None:
    """Time the kernels of some trials."""
    trials, rounds = Trials(backend, strategy, scale, timing=True), 3
    trials.trial()
    before = trials.model._loaded_simulation().timers()
    for _ in range(rounds):
        trials.trial()
    after = trials.model._loaded_simulation().timers()
    answer(
        {
            "timesteps": ss.TRIAL_TIMESTEPS,
            "s_per_trial": {name: (seconds - before[name]) / rounds for name, seconds in after.items()},
        }
    )


def work_card(answer: Callable[[dict[str, Any]], None], backend: str, strategy: str, scale: int) -> None:
    """Say what the device is, and how fast it copies."""
    if not backend.startswith("cuda"):
        answer({"name": machine.cpu_name(), "copy_bytes_per_s": machine.measure().update["memory"]})
        return
    import cupy

    device = cupy.cuda.Device(int(backend.partition(":")[2] or 0))
    with device:
        properties = cupy.cuda.runtime.getDeviceProperties(device.id)
        answer(
            {
                "name": properties["name"].decode(),
                "compute_capability": device.compute_capability,
                "multiprocessors": properties["multiProcessorCount"],
                "memory_bytes": properties["totalGlobalMem"],
                "l2_bytes": properties["l2CacheSize"],
                "driver": driver_release(),
                "driver_cuda": cuda_version(cupy.cuda.runtime.driverGetVersion()),
                "runtime_cuda": cuda_version(cupy.cuda.runtime.runtimeGetVersion()),
                "cupy": cupy.__version__,
                "host": machine.cpu_name(),
                "python": platform.python_version(),
                "copy_bytes_per_s": copy_speed(cupy),
            }
        )


def copy_speed(cupy: Any) -> float:
    """Return what a copy within the device's memory reads and writes in a second [bytes], the best of several."""
    source, target = (cupy.zeros(_COPY_BYTES // 4, cupy.float32) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        cupy.copyto(target, source)
        end.record()
        end.synchronize()
        best = min(best, cupy.cuda.get_elapsed_time(start, end) / 1000)
    return 2 * _COPY_BYTES / best


def cuda_version(number: int) -> str:
    """Return a version as people write it: 13.0 for 13000."""
    return f"{number // 1000}.{number % 1000 // 10}"


def driver_release(file: Path = Path("/proc/driver/nvidia/version")) -> str:
    """Return the release of the driver, such as 580.65.06; "unknown" where the system does not say."""
    try:
        found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", file.read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group() if found else "unknown"


_TASKS: dict[str, Callable[..., None]] = {
    "card": work_card,
    "trials": work_trials,
    "same_seed": work_same_seed,
    "profile": work_profile,
}


def work(task: str, backend: str, strategy: str, scale: int) -> int:
    """Do a task, and answer in lines of JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _TASKS[task](lambda found: print(json.dumps(found), file=answers, flush=True), backend, strategy, scale)
    return 0


# ---- all of it ----


class Measurements:
    """Runs the parts, and keeps what they found.

    Parameters
    ----------
    backend : str
    strategies : sequence of str
    rounds : int
        Trials to count of each engine; one more comes before.
    folder : str
        For caches of compiled models.
    """

    def __init__(self, backend: str, strategies: Sequence[str], rounds: int, folder: str) -> None:
        self.backend, self.strategies, self.rounds, self.folder = backend, strategies, rounds, folder
        self.failed = False
        self.card: dict[str, Any] = {}

    def measure(self, part: str) -> dict[str, Any]:
        """Return what a part found; ``{"error": why}`` where it failed."""
        parts: Mapping[str, Callable[[], dict[str, Any]]] = {
            "card": self.measure_card,
            "start": self.measure_start,
            "trials": lambda: self.measure_trials(1, self.rounds, [*self.strategies, "cpu"]),
            "same_seed": lambda: {name or self.backend: self.once("same_seed", name, 1) for name in self.strategies},
            "large": self.measure_large,
            "profile": self.measure_profile,
        }
        try:
            return parts[part]()
        except WorkerFailed as failure:
            return self.note(failure)

    def note(self, failure: WorkerFailed) -> dict[str, Any]:
        self.failed = True
        print(failure, file=sys.stderr, flush=True)
        return {"error": failure.last_line}

    def worker(self, task: str, strategy: str, scale: int, cache: str = "shared") -> Worker:
        backend, strategy = ("cpu", "") if strategy == "cpu" else (self.backend, strategy)
        command = [__file__, task, backend, strategy, str(scale)]
        cache_dir = Path(self.folder, cache)
        cache_dir.mkdir(exist_ok=True)
        what = f"{task} of {strategy or backend}, {scale} times the demo's layers"
        limit_s = _LIMIT_S if backend.startswith("cuda") else None
        return Worker(what, command, str(cache_dir), quiet=True, limit_s=limit_s)

    def once(self, task: str, strategy: str, scale: int) -> dict[str, Any]:
        try:
            worker = self.worker(task, strategy, scale)
        except WorkerFailed as failure:
            return self.note(failure)
        worker.process.communicate()
        return worker.built

    def measure_card(self) -> dict[str, Any]:
        self.card = self.once("card", "", 1)
        return self.card

    def measure_start(self) -> dict[str, Any]:
        """Load twice, with a cache of compiled models that is empty at first."""
        found = {}
        for cache in ("empty", "warm"):
            start = time.perf_counter()
            worker = self.worker("trials", "", 1, "start")
            found[cache] = {**worker.built, "ready_s": time.perf_counter() - start}
            worker.process.communicate()
        return found

    def measure_trials(self, scale: int, rounds: int, strategies: Sequence[str]) -> dict[str, Any]:
        workers: dict[str, Worker] = {}
        engines: dict[str, Any] = {}
        for name in strategies:
            title = name or self.backend
            try:
                workers[title] = self.worker("trials", name, scale)
            except WorkerFailed as failure:
                engines[title] = self.note(failure)
        failed: dict[Worker, dict[str, Any]] = {}
        interleave(list(workers.values()), rounds, lambda worker, why: failed.update({worker: self.note(why)}))
        for title, worker in workers.items():
            engines[title] = failed.get(worker, {**worker.built, "s_per_trial": worker.seconds})
        return {"timesteps": ss.TRIAL_TIMESTEPS, "engines": engines}

    def measure_large(self) -> dict[str, Any]:
        layers = gpu_figures.Layers(*(SCALE * n for n in (ss.NUM_INPUT, ss.NUM_HIDDEN, ss.NUM_OUTPUT)))
        # The engine's own choice first: not every strategy is for a network of this size.
        strategies = dict.fromkeys(["", *(name for name in self.strategies if name in ("", "graph", "loop"))])
        found = self.measure_trials(SCALE, min(self.rounds, _LARGE_ROUNDS), list(strategies))
        found |= {"layers": [layers.inputs, layers.hidden, layers.outputs], "plastic": layers.plastic}
        speed = self.card.get("copy_bytes_per_s")
        medians = [float(np.median(one["s_per_trial"])) for one in found["engines"].values() if "s_per_trial" in one]
        if speed and medians:
            found["ideal"] = gpu_figures.against_ideal(layers, ss.TRIAL_TIMESTEPS, speed, min(medians))
        return found

    def measure_profile(self) -> dict[str, Any]:
        strategy = "loop" if "loop" in self.strategies else ""
        return {name: self.once("profile", strategy, scale) for name, scale in (("demo", 1), ("large", SCALE))}


def measure_all(
    backend: str, strategies: Sequence[str] | None, rounds: int, parts: Sequence[str], file: str | None
) -> int:
    """Measure, print a report, write the file; returns the exit status: 1 where something failed.

    Raises
    ------
    BackendError
        If the backend cannot be used here.
    """
    choose_backend(backend)
    if strategies is None:
        strategies = STRATEGIES if backend.startswith("cuda") else [""]
    result: dict[str, Any] = {"benchmark": "superspike", "backend": backend}
    with tempfile.TemporaryDirectory() as folder:
        measurements = Measurements(backend, strategies, rounds, folder)
        # The speed of copies is what the large network is measured by.
        for part in [name for name in PARTS if name in parts or (name == "card" and "large" in parts)]:
            print(f"{part} …", file=sys.stderr, flush=True)
            result[part] = measurements.measure(part)
            if file:  # after each part: what there is must not be lost with what fails
                Path(file).write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(gpu_figures.report(result))
    return int(measurements.failed)


if __name__ == "__main__":
    task, backend, strategy, scale = sys.argv[1:]
    sys.exit(run_command("gpu_superspike.py", lambda: work(task, backend, strategy, int(scale))))
