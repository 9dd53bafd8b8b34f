"""Random numbers on every engine: moments against closed forms; streams that do not depend on each other.

Engines draw different numbers. Bounds are five standard errors of the mean (a chance of 6e-7 each), and as much for
the variance, whose standard error follows from the fourth moment.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import scalars, trace

SIZE, STEPS = 4000, 4
# For each call: mean, variance, excess kurtosis.
CALLS = {
    "gennrand_uniform()": (0.5, 1 / 12, -1.2),
    "gennrand_normal()": (0.0, 1.0, 0.0),
    "gennrand_exponential()": (1.0, 1.0, 6.0),
    "gennrand_gamma(2.5)": (2.5, 2.5, 6 / 2.5),
    "gennrand_log_normal(0.5, 0.25)": (
        np.exp(0.5 + 0.25**2 / 2),
        np.expm1(0.25**2) * np.exp(1.0 + 0.25**2),
        np.exp(4 * 0.25**2) + 2 * np.exp(3 * 0.25**2) + 3 * np.exp(2 * 0.25**2) - 6,
    ),
    "gennrand_binomial(10, 0.3)": (3.0, 2.1, (1 - 6 * 0.21) / 2.1),
}
# GeNN's Exponential multiplies by its parameter, called lambda.
INITIAL = {
    "Uniform": ({"min": -1.0, "max": 3.0}, 1.0, 16 / 12, -1.2),
    "Normal": ({"mean": 2.0, "sd": 0.5}, 2.0, 0.25, 0.0),
    "Exponential": ({"lambda": 4.0}, 4.0, 16.0, 6.0),
    "Gamma": ({"a": 3.0, "b": 2.0}, 6.0, 12.0, 2.0),
    "Binomial": ({"n": 20, "p": 0.25}, 5.0, 3.75, (1 - 6 * 0.1875) / 3.75),
}


@cache
def model_of(g: Any) -> Any:
    code = " ".join(f"v{i} = {call};" for i, call in enumerate(CALLS))
    return g.create_neuron_model("Draws", vars=scalars(*(f"v{i}" for i in range(len(CALLS)))), sim_code=code)


@cache
def initialised(g: Any) -> Any:
    return g.create_neuron_model("Initialised", vars=scalars(*INITIAL))


@cache
def mixing(g: Any) -> Any:
    return g.create_current_source_model(
        "Mixing", vars=scalars("m"), injection_code="m = gennrand_normal(); injectCurrent(m);"
    )


def network(g: Any, model: Any) -> None:
    a = model.add_neuron_population("A", SIZE, model_of(g), {}, {f"v{i}": 0.0 for i in range(len(CALLS))})
    first = {name: g.init_var(name, params) for name, (params, *_) in INITIAL.items()}
    model.add_neuron_population("B", SIZE, initialised(g), {}, first)
    for i in range(2):
        model.add_current_source(f"Mix{i}", mixing(g), a, {}, {"m": 0.0})
    model.add_current_source("Noise", "GaussianNoise", a, {"mean": 0.0, "sd": 1.0})


def check(values: Any, mean: float, variance: float, kurtosis: float) -> None:
    values = np.asarray(values, np.float64).ravel()
    error = np.sqrt(variance / values.size)
    assert abs(values.mean() - mean) < 5 * error
    assert abs(values.var() - variance) < 5 * variance * np.sqrt((kurtosis + 2) / values.size)


@pytest.mark.parametrize("precision", ["float", "double"])
def test_moments(any_engine: Any, precision: str) -> None:
    found = trace(any_engine, network, STEPS, precision=precision)
    for i, moments in enumerate(CALLS.values()):
        check(found[f"A.vars.v{i}"][1:], *moments)
    for name, (_, *moments) in INITIAL.items():
        check(found[f"B.vars.{name}"][0], *moments)
    normals = [found["A.vars.v1"][1:], found["Mix0.vars.m"][1:], found["Mix1.vars.m"][1:]]
    flat = [np.ravel(n) for n in normals]
    # One time and neuron to the next, and one stream to another: correlations of independent numbers.
    for one, other in [(flat[0], flat[1]), (flat[1], flat[2]), (flat[0][:-SIZE], flat[0][SIZE:])]:
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(one.size)
    assert abs(np.corrcoef(flat[2][:-1], flat[2][1:])[0, 1]) < 5 / np.sqrt(flat[2].size)
