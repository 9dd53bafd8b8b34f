"""How the time for a synapse grows with the network: the SuperSpike demo with all its layers scaled.

    python benchmarks/scaling.py [--sizes 0.25 0.5 1 2 4 8] [--threads 1 2] [--plain] [--timesteps N]
                                 [--rounds 5] [--json FILE] [--plot FILE.png]

Inputs and target are frozen Poisson trains. Each measurement runs the first timesteps of a trial, as many as make about
the same number of synapse-steps at every size (a plastic synapse, one timestep) unless ``--timesteps`` is given, until
nothing is deferred any more. ``--plain`` adds the plan without optimisations, on one thread, which passes through all
its memory in every timestep. A round is one measurement of each configuration; the first is not counted. The working
set is all synapse variables that the kernels of a timestep pass through, spiking rows apart; the table marks, and the
plot shows, at which size it outgrows each cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import machine
import numpy as np

from snnlearn import genn
from snnlearn.codegen.plan import DEFAULT, Synapses, build_plan
from snnlearn.userproject import superspike as ss

SIZES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_SYNAPSE_STEPS = 1.5e9  # in one measurement
_BLOCK = 64  # timesteps: a deferred block, of which a measurement is a multiple
_COLOURS = ("#3b6ea5", "#b5402f", "#4c8c4a", "#d99a2b", "#7b5ea7", "#3f9c9c")


@dataclass
class Configuration:
    """A loaded network with its measurements.

    Attributes
    ----------
    scale : float
        Layer sizes against the demo's.
    threads : int
    plain : bool
        Without optimisations.
    timesteps : int
    layers : tuple of int
    synapses : int
        Plastic ones.
    working_set : int
        [bytes]
    model : GeNNModel
    seconds : list of float
    """

    scale: float
    threads: int
    plain: bool
    timesteps: int
    layers: tuple[int, int, int]
    synapses: int
    working_set: int
    model: Any
    seconds: list[float] = field(default_factory=list)

    def measure(self) -> float:
        """Return how long the timesteps take [s]."""
        self.model.custom_update("SourceReset")
        self.model.timestep = 0
        start = time.perf_counter()
        self.model.run(self.timesteps)
        self.model.custom_update("SourceReset")  # waits for what is deferred
        return time.perf_counter() - start

    @property
    def title(self) -> str:
        return f"{self.threads} thread{'s' if self.threads > 1 else ''}{', plain' if self.plain else ''}"

    @property
    def ps(self) -> list[float]:
        """Times of a synapse-step [ps]."""
        return [1e12 * seconds / (self.synapses * self.timesteps) for seconds in self.seconds]


def configure(scale: float, threads: int, plain: bool, timesteps: int | None) -> Configuration:
    num_input, num_hidden, num_output = layers = tuple(
        max(round(scale * n), 1) for n in (ss.NUM_INPUT, ss.NUM_HIDDEN, ss.NUM_OUTPUT)
    )
    synapses = num_hidden * (num_input + num_output)
    if timesteps is None:
        blocks = round(_SYNAPSE_STEPS / synapses / _BLOCK)
        timesteps = _BLOCK * min(max(blocks, 10), ss.TRIAL_TIMESTEPS // _BLOCK)
    network = ss.describe(
        genn,
        ss.frozen_poisson(1, num_input),
        ss.frozen_poisson(2, num_output),
        seed=1,
        num_hidden=num_hidden,
        threads=threads,
        optimise=() if plain else DEFAULT,
    )
    model = network.model
    working_set = bytes_of_synapses(model)
    model.build()
    model.load()
    model.custom_update("CalculateTranspose")
    return Configuration(scale, threads, plain, timesteps, layers, synapses, working_set, model)


def bytes_of_synapses(model: Any) -> int:
    """Return the size of all synapse variables that the timestep passes through as a whole."""
    plan = build_plan(model._describe())
    touched = {
        load.array for k in plan.step if isinstance(k.domain, Synapses) for load in k.loads if load.index == "synapse"
    }
    return sum(
        (a.size or 0) * np.dtype(a.type.dtype_for(plan.precision)).itemsize for a in plan.arrays if a.name in touched
    )


def measure(
    sizes: Sequence[float], threads: Sequence[int], plain: bool, timesteps: int | None, rounds: int
) -> list[Configuration]:
    kinds = [*((n, False) for n in threads), *([(1, True)] if plain else [])]
    found = [configure(scale, *kind, timesteps) for scale in sizes for kind in kinds]
    for number in range(rounds + 1):
        for configuration in found:
            seconds = configuration.measure()
            if number > 0:
                configuration.seconds.append(seconds)
    return found


# ---- what is shown ----


def row(c: Configuration) -> dict[str, Any]:
    return {
        "scale": c.scale,
        "layers": c.layers,
        "synapses": c.synapses,
        "working_set": c.working_set,
        "threads": c.threads,
        "plain": c.plain,
        "timesteps": c.timesteps,
        "ps_per_synapse_step": c.ps,
    }


def holder(nbytes: int, caches: dict[str, int]) -> str:
    return next((level for level, size in caches.items() if nbytes <= size), "memory" if caches else "unknown")


def show(found: Sequence[Configuration], caches: dict[str, int]) -> None:
    print(f"{machine.cpu_name()}; " + ", ".join(f"{level} {size >> 10} KiB" for level, size in caches.items()) + "\n")
    print("| size | layers | plastic synapses | working set [MiB] | fits into | engine | timesteps ", end="")
    print("| ps a synapse-step: median | min | max | times size 1 | us a timestep |")
    print("|---:|---|---:|---:|---|---|---:|---:|---:|---:|---:|---:|")
    ones = {c.title: statistics.median(c.ps) for c in found if c.scale == 1.0}
    for c in found:
        median = statistics.median(c.ps)
        ratio = f"{median / ones[c.title]:.2f}" if c.title in ones else "-"
        print(
            f"| {c.scale:g} | {'-'.join(map(str, c.layers))} | {c.synapses} | {c.working_set / 2**20:.2f} "
            f"| {holder(c.working_set, caches)} | {c.title} | {c.timesteps} "
            f"| {median:.1f} | {min(c.ps):.1f} | {max(c.ps):.1f} | {ratio} | {1e-6 * median * c.synapses:.1f} |"
        )


def plot(found: Sequence[Configuration], caches: dict[str, int], file: str) -> None:
    """Draw time against size, both logarithmic, with the caches where the working set outgrows them."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    figure = Figure(figsize=(7.5, 4.5), dpi=150, layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    for title, colour in zip(dict.fromkeys(c.title for c in found), _COLOURS, strict=False):
        some = sorted((c for c in found if c.title == title), key=lambda c: c.synapses)
        x, y = [c.synapses for c in some], [statistics.median(c.ps) for c in some]
        axes.fill_between(x, [min(c.ps) for c in some], [max(c.ps) for c in some], color=colour, alpha=0.2, lw=0)
        axes.plot(x, y, "o-", color=colour, label=title)
    low, high = axes.get_xlim()
    a_synapse = statistics.median(c.working_set / c.synapses for c in found)
    ends = [size / a_synapse for size in caches.values()]
    low, high = min([low, *(0.6 * end for end in ends)]), max([high, *(1.5 * end for end in ends)])
    for level, end in zip(caches, ends, strict=True):
        axes.axvline(end, color="#888888", lw=1, ls="--")
        axes.annotate(
            f"{level}: {_size(caches[level])}",
            (end, 1.0),
            (-3, -3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
            fontsize=8,
            color="#555555",
        )
    axes.set_xlim(low, high)
    axes.set_ylim(axes.get_ylim()[0] / 1.3, axes.get_ylim()[1] * 1.3)
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(
        ScalarFormatter() if axes.get_ylim()[1] < 30 * axes.get_ylim()[0] else NullFormatter()
    )
    axes.tick_params(axis="y", which="minor", labelsize=8)
    axes.set_xlabel("plastic synapses (dashed: the working set fills a cache)")
    axes.set_ylabel("time a synapse-step [ps]")
    axes.grid(which="both", color="#eeeeee")
    axes.legend(frameon=False, loc="best")
    figure.savefig(file)


def _size(nbytes: int) -> str:
    return f"{nbytes >> 20} MiB" if nbytes >= 1 << 20 else f"{nbytes >> 10} KiB"


def default_threads() -> list[int]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [n for n in (1, 2, 4, 8, 16) if n <= cores]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=list(SIZES))
    parser.add_argument("--threads", type=int, nargs="+", default=default_threads())
    parser.add_argument("--plain", action="store_true", help="the plan without optimisations too")
    parser.add_argument("--timesteps", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default=None, metavar="FILE")
    parser.add_argument("--plot", default=None, metavar="FILE.png")
    args = parser.parse_args()
    if min(args.sizes) <= 0 or min(args.rounds, args.timesteps or 1) < 1:
        parser.error("sizes, timesteps and rounds must be positive")
    caches = machine.cache_sizes()
    found = measure(args.sizes, args.threads, args.plain, args.timesteps, args.rounds)
    show(found, caches)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump([row(c) for c in found], file, indent=1)
    if args.plot:
        plot(found, caches, args.plot)


if __name__ == "__main__":
    main()
