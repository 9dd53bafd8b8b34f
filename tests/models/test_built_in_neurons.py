"""GeNN's built-in neuron models and current sources: their code against their equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dialect_interpreter import run_snippet
from snnlearn import models
from snnlearn.declare import Model, NeuronModel
from snnlearn.dialect import check_model

LIF = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Vreset": -70.0, "Vthresh": -50.0, "Ioffset": 0.1, "TauRefrac": 5.0}


def derived(model: Model, params: dict[str, float], dt: float) -> dict[str, float]:
    return {d.name: float(d.func(params, dt)) for d in model.derived_params}


def run(
    model: NeuronModel,
    params: dict[str, float],
    state: dict[str, float],
    current: Callable[[int], float],
    steps: int,
    dt: float,
    random: dict[str, Iterator[float]] | None = None,
) -> list[dict[str, Any]]:
    """Return all values after each timestep, with "spike" among them."""
    snippets = check_model(model).snippets
    values: dict[str, Any] = {**params, **derived(model, params, dt), **state, "dt": dt}
    history = []
    for n in range(steps):
        values = run_snippet(snippets["sim_code"], values | {"t": n * dt, "Isyn": current(n)}, random=random)
        values["spike"] = bool(run_snippet(snippets["threshold_condition_code"], values)["return"])
        if values["spike"] and "reset_code" in snippets:
            values = run_snippet(snippets["reset_code"], values)
        history.append(dict(values))
    return history


# ---- LIF ----


@pytest.mark.parametrize("dt", [0.1, 1.0, 7.0])
def test_lif_follows_its_closed_form_below_threshold(dt: float) -> None:
    history = run(models.LIF, LIF, {"V": -80.0, "RefracTime": 0.0}, lambda n: 0.2, 100, dt)
    steady = -65.0 + 0.3 * 20.0 / 0.5
    t = dt * (1 + np.arange(100))
    expected = steady + (-80.0 - steady) * np.exp(-t / 20.0)
    np.testing.assert_allclose([h["V"] for h in history], expected, rtol=1e-12)
    assert not any(h["spike"] for h in history)


def test_lif_spikes_with_the_interval_of_the_closed_form() -> None:
    dt = 0.01
    history = run(models.LIF, LIF, {"V": -70.0, "RefracTime": 0.0}, lambda n: 0.6, 12_000, dt)
    times = dt * np.flatnonzero([h["spike"] for h in history])
    steady = -65.0 + 0.7 * 20.0 / 0.5
    rise = 20.0 * math.log((steady + 70.0) / (steady + 50.0))
    assert len(times) > 4
    np.testing.assert_allclose(np.diff(times), 5.0 + rise, atol=3 * dt)
    assert all(h["V"] == -70.0 and h["RefracTime"] == 5.0 for h in history if h["spike"])


def test_lif_stands_still_while_it_is_refractory() -> None:
    history = run(models.LIF, LIF, {"V": -60.0, "RefracTime": 1.5}, lambda n: 5.0, 3, 1.0)
    assert [(h["V"], h["RefracTime"]) for h in history[:2]] == [(-60.0, 0.5), (-60.0, -0.5)]
    assert history[2]["V"] > -60.0


# ---- Izhikevich ----

REGULAR = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}


def test_izhikevich_takes_two_half_steps_of_v_and_one_of_u() -> None:
    (after,) = run(models.Izhikevich, REGULAR, {"V": -60.0, "U": -12.0}, lambda n: 7.0, 1, 1.0)
    v = -60.0
    for _ in range(2):
        v += 0.5 * (0.04 * v * v + 5.0 * v + 140.0 + 12.0 + 7.0)
    assert after["V"] == pytest.approx(v, rel=1e-12)
    assert after["U"] == pytest.approx(-12.0 + 0.02 * (0.2 * v + 12.0), rel=1e-12)
    assert not after["spike"]


def test_izhikevich_is_reset_in_the_step_after_its_spike() -> None:
    history = run(models.Izhikevich, REGULAR, {"V": 29.0, "U": -3.0}, lambda n: 0.0, 2, 1.0)
    assert (history[0]["V"], history[0]["spike"]) == (30.0, True)
    u = history[0]["U"] + 8.0
    v = -65.0
    for _ in range(2):
        v += 0.5 * (0.04 * v * v + 5.0 * v + 140.0 - u)
    assert history[1]["V"] == pytest.approx(v, rel=1e-12)
    assert not history[1]["spike"]


@pytest.mark.parametrize(
    ("kind", "params", "count"),
    [
        ("regular spiking", REGULAR, (15, 30)),
        ("fast spiking", REGULAR | {"a": 0.1, "d": 2.0}, (60, 120)),
        ("resting", REGULAR | {"c": -65.0}, (0, 0)),
    ],
)
def test_izhikevichs_kinds_of_neurons(kind: str, params: dict[str, float], count: tuple[int, int]) -> None:
    current = 0.0 if kind == "resting" else 10.0
    state = {"V": -65.0, "U": -13.0}
    one = run(models.Izhikevich, params, state, lambda n: current, 1000, 1.0)
    assert count[0] <= sum(h["spike"] for h in one) <= count[1]
    many = run(models.IzhikevichVariable, {}, state | params, lambda n: current, 1000, 1.0)
    assert [(h["V"], h["U"]) for h in many] == [(h["V"], h["U"]) for h in one]


# ---- Rulkov's map ----

RULKOV = {"Vspike": 60.0, "alpha": 3.0, "y": -2.468, "beta": 0.0165}


def test_rulkovs_map_has_three_branches() -> None:
    top = 60.0 * (3.0 - 2.468)

    def after(v: float, before: float, current: float = 0.0) -> dict[str, Any]:
        return run(models.RulkovMap, RULKOV, {"V": v, "preV": before}, lambda n: current, 1, 0.1)[0]

    rest = after(-55.0, -58.0, 4.0)
    assert rest["V"] == pytest.approx(3600.0 * 3.0 / (60.0 + 55.0 - 0.0165 * 4.0) - 60.0 * 2.468, rel=1e-12)
    assert (rest["preV"], rest["spike"]) == (-55.0, False)
    spike = after(1.0, -0.5)
    assert (spike["V"], spike["preV"], spike["spike"]) == (pytest.approx(top), 1.0, True)
    for v, before in [(1.0, 0.5), (top + 1.0, -0.5), (top, 1.0)]:
        down = after(v, before)
        assert (down["V"], down["preV"], down["spike"]) == (-60.0, v, False)


def test_rulkovs_map_spikes_for_one_step_at_a_time() -> None:
    history = run(models.RulkovMap, RULKOV, {"V": -60.0, "preV": -60.0}, lambda n: 200.0, 2000, 0.5)
    spikes = np.flatnonzero([h["spike"] for h in history])
    assert len(spikes) > 20
    assert np.diff(spikes).min() > 1


# ---- Traub and Miles ----

TRAUB = {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143}
REST = {"V": -60.0, "m": 0.0529324, "h": 0.3176767, "n": 0.5961207}


def traub_slopes(x: np.ndarray, current: float) -> np.ndarray:
    """The differential equations as the paper has them."""
    v, m, h, n = x
    am = 0.32 * (-52 - v) / (math.exp((-52 - v) / 4) - 1)
    bm = 0.28 * (v + 25) / (math.exp((v + 25) / 5) - 1)
    ah, bh = 0.128 * math.exp((-48 - v) / 18), 4 / (math.exp((-25 - v) / 5) + 1)
    an, bn = 0.032 * (-50 - v) / (math.exp((-50 - v) / 5) - 1), 0.5 * math.exp((-55 - v) / 40)
    membrane = 7.15 * m**3 * h * (v - 50) + 1.43 * n**4 * (v + 95) + 0.02672 * (v + 63.563)
    return np.array([(current - membrane) / 0.143, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n])


def test_traub_miles_converges_to_its_differential_equations_with_order_one() -> None:
    x, steps = np.array(list(REST.values())), 4000
    width = 4.0 / steps
    for _ in range(steps):  # Runge and Kutta's, of order four
        a = traub_slopes(x, 0.5)
        b = traub_slopes(x + width / 2 * a, 0.5)
        c = traub_slopes(x + width / 2 * b, 0.5)
        x = x + width / 6 * (a + 2 * b + 2 * c + traub_slopes(x + width * c, 0.5))
    errors = []
    for dt in (0.2, 0.1, 0.05):
        last = run(models.TraubMiles, TRAUB, REST, lambda n: 0.5, round(4.0 / dt), dt)[-1]
        errors.append(abs(last["V"] - x[0]))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 1.0, atol=0.15)


@pytest.mark.parametrize("v", [-52.0, -25.0, -50.0])
def test_the_rates_of_traub_miles_have_no_gap_where_they_are_zero_over_zero(v: float) -> None:
    at, near = (run(models.TraubMiles, TRAUB, REST | {"V": x}, lambda n: 0.0, 1, 0.025)[0] for x in (v, v + 1e-7))
    for name in REST:
        assert math.isfinite(at[name])
        assert at[name] == pytest.approx(near[name], abs=1e-4)


def test_traub_miles_spikes_when_it_is_driven() -> None:
    above = [h["spike"] for h in run(models.TraubMiles, TRAUB, REST, lambda n: 1.0, 300, 0.1)]
    assert 2 <= np.count_nonzero(np.diff(np.array(above, dtype=int)) == 1) <= 20


# ---- random neurons and currents ----


def uniforms(seed: int) -> Iterator[float]:
    rng = np.random.default_rng(seed)
    while True:
        yield from 1.0 - rng.random(1000)  # above 0 and up to 1


def exponentials(seed: int) -> Iterator[float]:
    rng = np.random.default_rng(seed)
    while True:
        yield from rng.exponential(size=1000)


def test_poisson_neurons_have_exponential_intervals() -> None:
    params, dt = {"rate": 50.0}, 0.1
    random = {"gennrand_exponential": exponentials(1)}
    history = run(models.Poisson, params, {"timeStepToSpike": 0.0}, lambda n: 0.0, 100_000, dt, random)
    times = dt * np.flatnonzero([h["spike"] for h in history])
    intervals = np.diff(times)
    assert len(times) == pytest.approx(500, abs=4 * math.sqrt(500))
    assert intervals.std() == pytest.approx(intervals.mean(), rel=0.15)


def test_the_intervals_of_a_poisson_neuron_lose_nothing_to_rounding() -> None:
    random = {"gennrand_exponential": iter([0.31, 0.27, 0.8, 1e9])}
    history = run(models.Poisson, {"rate": 100.0}, {"timeStepToSpike": 0.0}, lambda n: 0.0, 20, 1.0, random)
    assert list(np.flatnonzero([h["spike"] for h in history])) == [3, 5, 13], "3.1, 5.8 and 13.8 steps from the start"


def inject(model: Model, values: dict[str, float], random: dict[str, Iterator[float]] | None = None) -> dict[str, Any]:
    return run_snippet(check_model(model).snippets["injection_code"], values, random=random)


def test_constant_and_noisy_currents() -> None:
    assert inject(models.DC, {"amp": 0.7})["injectCurrent"] == 0.7
    noise = inject(models.GaussianNoise, {"mean": 2.0, "sd": 0.5}, {"gennrand_normal": iter([-3.0])})
    assert noise["injectCurrent"] == 0.5


@pytest.mark.parametrize("rate", [20.0, 3000.0])
def test_the_poisson_current_counts_spikes_and_decays_like_exp_curr(rate: float) -> None:
    dt, params = 0.5, {"weight": 0.3, "tauSyn": 5.0, "rate": rate}
    constants = derived(models.PoissonExp, params, dt)
    synapse = derived(models.ExpCurr, {"tau": 5.0}, dt)
    random, counts = {"gennrand_uniform": uniforms(3)}, []
    current = 0.0
    for _ in range(4000):
        after = inject(models.PoissonExp, {**constants, "current": current}, random)
        counts.append((after["injectCurrent"] - current) / (0.3 * synapse["init"]))
        assert after["current"] == pytest.approx(after["injectCurrent"] * synapse["expDecay"], rel=1e-12)
        current = after["current"]
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    expected = rate * dt / 1000.0
    assert np.mean(counts) == pytest.approx(expected, abs=4 * math.sqrt(expected / 4000))
    assert np.var(counts) == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("expected", [1e-10, 2e-8, 1e-5])
def test_a_rate_is_not_too_small_for_single_precision(expected: float) -> None:
    """exp(-2e-8) is 1 in single precision, and uniform numbers have steps of 2^-32: the chance of a spike has not."""
    params = {"weight": 1.0, "tauSyn": 5.0, "rate": 1000.0 * expected}
    values = {**derived(models.PoissonExp, params, 1.0), "current": 0.0}
    for name in ("ExpMinusLambda", "anySpike"):
        values[name] = float(np.float32(values[name]))

    def spikes(*uniform: float) -> bool:
        return bool(
            inject(models.PoissonExp, values, {"gennrand_uniform": iter([*uniform, 0.5])})["injectCurrent"] > 0.0
        )

    least = 2.0**-33
    if expected < 2.0**-20:
        # The rare small number is drawn anew, 2^20 times as fine.
        assert spikes(least, 0.999 * expected * 2.0**20)
        assert not spikes(least, 1.001 * expected * 2.0**20)
    else:
        assert spikes(0.999 * expected)
        assert not spikes(1.001 * expected)
