"""Poisson spike sources on every engine: numbers of spikes against the distribution, for any rate.

Bounds are five standard errors of the mean and of the variance: ``sqrt(x / n)`` and ``x sqrt((2 + 1 / x) / n)`` for n
numbers that are Poisson with mean x.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

SIZE, STEPS = 3000, 4
# What single precision lost: exp(-x) is rounded for small x, below all normal numbers from 87.3 on, and 0 from 103 on;
# in double precision from 745 on. Where the algorithm changes: 1 and 10.
MEANS = [0.0, 0.01, 0.5, 0.999, 1.0, 4.0, 9.99, 10.0, 12.0, 87.0, 88.0, 104.0, 746.0, 1e4, 1e7]


@cache
def sink(g: Any) -> Any:
    return g.create_neuron_model("Sink", vars=[("I", "scalar")], sim_code="I = Isyn;")


@pytest.mark.parametrize("flush", [True, False])
@pytest.mark.parametrize("precision", ["float", "double"])
def test_counts(engine: Any, precision: str, flush: bool) -> None:
    model = engine.model("counts", precision, flush_denormals=flush)
    for n, mean in enumerate(MEANS):
        # A current that decays at once, and to which each spike adds 1.
        params = {"weight": 1000.0, "tauSyn": 1e-3, "rate": 1000.0 * mean}
        cells = model.add_neuron_population(f"P{n}", SIZE, sink(engine.api), {}, {"I": 0.0})
        model.add_current_source(f"C{n}", "PoissonExp", cells, params, {"current": 0.0})
    model.build()
    model.load()
    found: list[list[Any]] = [[] for _ in MEANS]
    for _ in range(STEPS):
        model.step_time()
        for n, counts in enumerate(found):
            variable = model.neuron_populations[f"P{n}"].vars["I"]
            variable.pull_from_device()
            counts.append(variable.values.astype(np.float64))
    model.unload()
    for mean, counts in zip(MEANS, found, strict=True):
        all_counts = np.concatenate(counts)
        np.testing.assert_allclose(all_counts, np.rint(all_counts), rtol=1e-6, atol=1e-6)
        error = math.sqrt(mean / all_counts.size)
        assert abs(all_counts.mean() - mean) <= 5 * error + 1e-7 * mean, mean
        if mean > 0.1:
            spread = mean * math.sqrt((2 + 1 / mean) / all_counts.size)
            assert abs(all_counts.var() - mean) <= 5 * spread, mean


@pytest.mark.parametrize("mean", [0.7, 3.0, 10.0, 15.0, 60.0])
@pytest.mark.parametrize("precision", ["float", "double"])
def test_the_whole_distribution(engine: Any, precision: str, mean: float) -> None:
    """Chi squared of the numbers of spikes: its mean is the degrees of freedom, its variance twice that."""
    if engine.name in ("cpu-2-threads", "cuda-graph", "cuda-persistent"):
        pytest.skip("the same code as another engine's")
    model, steps = engine.model("distribution", precision), 10
    cells = model.add_neuron_population("P", 20_000, sink(engine.api), {}, {"I": 0.0})
    params = {"weight": 1000.0, "tauSyn": 1e-3, "rate": 1000.0 * mean}
    model.add_current_source("C", "PoissonExp", cells, params, {"current": 0.0})
    model.build()
    model.load()
    counts = []
    for _ in range(steps):
        model.step_time()
        cells.vars["I"].pull_from_device()
        counts.append(np.rint(cells.vars["I"].values).astype(int))
    model.unload()
    found = np.bincount(np.concatenate(counts), minlength=200)
    k = np.arange(found.size)
    logs = k * math.log(mean) - mean - np.array([math.lgamma(n + 1) for n in k])
    expected = found.sum() * np.exp(logs)
    often = expected > 10.0
    observed = np.append(found[often], found[~often].sum())
    wanted = np.append(expected[often], found.sum() - expected[often].sum())
    chi2, freedom = float(np.sum((observed - wanted) ** 2 / wanted)), len(wanted) - 1
    assert abs(chi2 - freedom) < 5 * math.sqrt(2 * freedom)


@pytest.mark.parametrize("first", [0.0, 2.5])
@pytest.mark.parametrize("precision", ["float", "double"])
def test_a_neuron_of_rate_0_is_silent(engine: Any, precision: str, first: float) -> None:
    model = engine.model("silent", precision)
    for rate in (0.0, 1e-50, 200.0):
        name = f"P{len(model.neuron_populations)}"
        model.add_neuron_population(name, 40, "Poisson", {"rate": rate}, {"timeStepToSpike": first})
        model.neuron_populations[name].spike_recording_enabled = True
    model.build()
    model.load(num_recording_timesteps=100)
    model.run(100)
    model.pull_recording_buffers_from_device()
    numbers = [len(group.spike_recording_data[0][0]) for group in model.neuron_populations.values()]
    model.unload()
    assert numbers[0] == 0
    # One that is all but silent: `first` says when its first spike is, and it has no other.
    assert numbers[1] in ((0,) if precision == "float" or first == 0.0 else (40,))
    assert numbers[2] == pytest.approx(40 * 20, abs=5 * math.sqrt(40 * 20))
