"""How long networks of many small groups take to describe, build and load, with a warm cache.

    python benchmarks/many_groups.py [--groups 200 800 3200] [--only KIND …] [--emit-cuda]

Prints seconds by kind of network and number of groups; with an empty cache (``XDG_CACHE_HOME``) the compiler's time
comes on top, at the first build.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

from snnlearn import genn
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.codegen.plan.rewrites import DEFAULT_GPU
from snnlearn.genn import GeNNModel
from snnlearn.genn.describe import describe

LIF = {"C": 1.0, "TauM": 20.0, "Vrest": -49.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 5.0}
RULE = genn.create_weight_update_model(
    "Rule",
    params=["tau"],
    vars=["w", "e", "m"],
    pre_vars=["z"],
    post_vars=["y"],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="z *= 0.9;",
    post_spike_code="y += 1.0;",
    post_dynamics_code="y *= 0.5;",
    synapse_dynamics_code="e += (z * y - e / tau) * dt; m += e * y;",
)
SET = genn.create_custom_update_model("Set", params=["a"], var_refs=[("x", "scalar")], update_code="x = a;")


def populations(model: GeNNModel, number: int) -> list[genn.NeuronGroup]:
    start = {"V": -55.0, "RefracTime": 0.0}
    return [model.add_neuron_population(f"P{i}", 10, "LIF", LIF, start) for i in range(max(2, number))]


def ends(p: list[genn.NeuronGroup], i: int) -> tuple[genn.NeuronGroup, genn.NeuronGroup]:
    return p[i % len(p)], p[(7 * i + 1) % len(p)]


def sparse(model: GeNNModel, groups: int, each: int = 20) -> None:
    """Static sparse connections, a population for every 20."""
    p = populations(model, groups // each)
    for i in range(groups):
        weight = genn.init_weight_update("StaticPulseConstantWeight", {"g": 0.1 + i})
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        connect = genn.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
        model.add_synapse_population(f"S{i}", "SPARSE", *ends(p, i), weight, current, connect)


def small(model: GeNNModel, groups: int) -> None:
    """The same, a population for every 4."""
    sparse(model, groups, each=4)


def rules(model: GeNNModel, groups: int) -> None:
    """Dense connections that learn, whose kernels are deferred, each compiled on its own."""
    p = populations(model, groups // 20)
    for i in range(groups):
        weight = genn.init_weight_update(RULE, {"tau": 20.0}, {"w": 0.1, "e": 0.0, "m": 0.0}, {"z": 0.0}, {"y": 0.0})
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        model.add_synapse_population(f"S{i}", "DENSE", *ends(p, i), weight, current)


def updates(model: GeNNModel, groups: int) -> None:
    """A custom update of each population, in seven groups."""
    for i, p in enumerate(populations(model, groups)):
        model.add_custom_update(f"U{i}", f"G{i % 7}", SET, {"a": 0.1 * i}, {}, {"x": genn.create_var_ref(p, "V")})


def sources(model: GeNNModel, groups: int) -> None:
    """Current sources, a population for every 4."""
    p = populations(model, groups // 4)
    for i in range(groups):
        model.add_current_source(f"C{i}", "DC", p[i % len(p)], {"amp": 0.1 * i})


KINDS: dict[str, Callable[[GeNNModel, int], None]] = {f.__name__: f for f in (sparse, small, rules, updates, sources)}


def measure(kind: str, groups: int, cuda: bool) -> dict[str, float]:
    """Return seconds by what was done."""
    model = GeNNModel("float", kind)
    model.seed = 1
    times = [time.perf_counter()]
    KINDS[kind](model, groups)
    times.append(time.perf_counter())
    model.build()
    times.append(time.perf_counter())
    model.load()
    times.append(time.perf_counter())
    names = ["describe", "build", "load"]
    if cuda:
        plan = optimise(build_plan(describe(model)), DEFAULT_GPU)
        times.append(time.perf_counter())
        emit_cuda(plan)
        times.append(time.perf_counter())
        names += ["plan for a GPU", "emit CUDA"]
    return {name: after - before for name, (before, after) in zip(names, pairwise(times), strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, nargs="+", default=[200, 800, 3200])
    parser.add_argument("--only", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--emit-cuda", action="store_true")
    options = parser.parse_args()
    for kind in options.only:
        for groups in options.groups:
            measure(kind, groups, False)  # fills the cache
            seconds = measure(kind, groups, options.emit_cuda)
            print(f"{kind:8} {groups:5}", *(f"{name} {s:.2f} s" for name, s in seconds.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
