"""The models of learning: their derived parameters against closed forms, their code against their equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dialect_interpreter import run_snippet
from snnlearn import models
from snnlearn.declare import Model, NeuronModel
from snnlearn.dialect import check_model

# By model and code: what it reads, writes and calls, written out by hand.
NEEDS: dict[str, dict[str, tuple[str, str, str]]] = {
    "Constant": {"var_init_code": ("constant", "value", "")},
    "Uniform": {"var_init_code": ("min max", "value", "gennrand_uniform")},
    "Normal": {"var_init_code": ("mean sd", "value", "gennrand_normal")},
    "NormalClipped": {"var_init_code": ("mean sd min max", "value", "gennrand_normal")},
    "DeltaCurr": {"sim_code": ("inSyn", "inSyn", "injectCurrent")},
    "ExpCurr": {"sim_code": ("init inSyn expDecay", "inSyn", "injectCurrent")},
    "Feedback": {"synapse_dynamics_code": ("w errTilda", "", "addToPost")},
    "Transpose": {},
    "KeepSum": {"update_code": ("turn sum", "kept", "")},
    "NoteSum": {"update_code": ("value turn", "sum turn", "")},
    "ClassReadout": {
        "sim_code": ("Isyn ExpTC V t dt tStart target score", "V errTilda score", "exp fabs fmax fmin"),
    },
    "PatternSource": {
        "sim_code": ("t dt", "", "fabs fmax fmin"),
        "threshold_condition_code": ("next last spikeTimes", "", ""),
        "reset_code": ("next", "next", ""),
    },
    "ShowLabel": {"update_code": ("labels pattern id", "target", "")},
    "ShowPattern": {"update_code": ("pattern numNeurons id next", "next last", "")},
    "SuperSpikeReadout": {
        "pre_spike_syn_code": ("w", "", "addToPost"),
        "pre_spike_code": ("z", "z", ""),
        "pre_dynamics_code": ("z zTilda tauRise tauDecay dt", "z zTilda", ""),
        "synapse_dynamics_code": ("m zTilda errTilda", "m", ""),
    },
    "SourceReset": {"update_code": ("firstSpike", "startSpike", "")},
    "SpikeSourceArray": {
        "sim_code": ("t dt", "", "fabs fmax fmin"),
        "threshold_condition_code": ("startSpike endSpike spikeTimes", "", ""),
        "reset_code": ("startSpike", "startSpike", ""),
    },
    "RMaxProp": {
        "update_code": (
            "m updateTimesteps upsilon expRMS r0 epsilon variable wMin wMax",
            "upsilon variable m",
            "sqrt",
        )
    },
    "RMaxPropSafe": {
        "update_code": (
            "m updateTimesteps upsilon rootExpRMS r0 epsilon variable wMin wMax",
            "upsilon variable m",
            "fabs",
        )
    },
    "RMaxPropScheduled": {
        "update_code": (
            "m gradientScale upsilon beta variable lr weightDecay epsilon wMin wMax",
            "upsilon variable m",
            "fabs sqrt",
        )
    },
    "SGD": {
        "update_code": (
            "m gradientScale weightDecay variable momentum velocity nesterov lr wMin wMax",
            "velocity variable m",
            "",
        )
    },
    "RMSProp": {
        "update_code": (
            "m gradientScale weightDecay variable beta root momentum velocity epsilon lr wMin wMax",
            "root velocity variable m",
            "hypot sqrt",
        )
    },
    "Adam": {
        "update_code": (
            "m gradientScale weightDecay variable beta1 beta2 mean meanWeight root rootWeight epsilon lr wMin wMax",
            "mean meanWeight root rootWeight variable m",
            "hypot sqrt",
        )
    },
    "SuperSpike": {
        "pre_spike_syn_code": ("w", "", "addToPost"),
        "pre_spike_code": ("z", "z", ""),
        "pre_dynamics_code": ("z zTilda tauRise tauDecay dt", "z zTilda", ""),
        "post_dynamics_code": ("V Vthresh beta", "sigmaPrime", "fabs"),
        "synapse_dynamics_code": (
            "e lambda m zTilda sigmaPrime errTilda tauRise tauDecay dt",
            "e lambda m",
            "",
        ),
    },
    "SuperSpikeHidden": {
        "sim_code": (
            "V refracTime tauRefrac Vrest Isyn Rmembrane ExpTC dt ISynFeedback",
            "V refracTime errTilda",
            "",
        ),
        "threshold_condition_code": ("refracTime V Vthresh", "", ""),
        "reset_code": ("tauRefrac", "refracTime", ""),
    },
    "SuperSpikeOutput": {
        "sim_code": (
            "V refracTime tauRefrac Vrest Isyn Rmembrane ExpTC dt startSpike endSpike t spikeTimes Vthresh errRise "
            "tRiseMult errDecay tDecayMult errTilda normFactor avgSqrErr mulAvgErr",
            "V refracTime startSpike errRise errDecay errTilda avgSqrErr",
            "fabs fmax fmin",
        ),
        "threshold_condition_code": ("refracTime V Vthresh", "", ""),
        "reset_code": ("tauRefrac", "refracTime", ""),
    },
}

NEEDS["AdamW"] = NEEDS["Adam"]


@pytest.mark.parametrize("name", NEEDS)
def test_reads_writes_and_calls(name: str) -> None:
    found = {code: (s.reads, s.writes, s.calls) for code, s in check_model(getattr(models, name)).snippets.items()}
    assert found == {code: tuple(frozenset(names.split()) for names in sets) for code, sets in NEEDS[name].items()}


# ---- derived parameters against closed forms ----

PARAMS: dict[str, dict[str, float]] = {
    "ExpCurr": {"tau": 5.0},
    "RMaxProp": {"updateTime": 500.0, "tauRMS": 30000.0, "epsilon": 1e-32, "wMin": -10.0, "wMax": 10.0, "r0": 0.001},
    "SuperSpikeHidden": {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0},
}
PARAMS["RMaxPropSafe"] = PARAMS["RMaxProp"]
PARAMS["SuperSpikeOutput"] = PARAMS["SuperSpikeHidden"] | {"tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 10000.0}
PARAMS["ClassReadout"] = {"tauMem": 10.0, "tStart": 5.0}
CLOSED: dict[str, dict[str, Callable[[Mapping[str, float], float], float]]] = {
    "ClassReadout": {"ExpTC": lambda p, dt: math.exp(-dt / p["tauMem"])},
    "ExpCurr": {
        "expDecay": lambda p, dt: math.exp(-dt / p["tau"]),
        "init": lambda p, dt: -p["tau"] / dt * math.expm1(-dt / p["tau"]),
    },
    "RMaxProp": {
        "updateTimesteps": lambda p, dt: p["updateTime"] / dt,
        "expRMS": lambda p, dt: math.exp(-p["updateTime"] / p["tauRMS"]),
    },
    "RMaxPropSafe": {
        "updateTimesteps": lambda p, dt: p["updateTime"] / dt,
        "rootExpRMS": lambda p, dt: math.sqrt(math.exp(-p["updateTime"] / p["tauRMS"])),
    },
    "SuperSpikeHidden": {
        "ExpTC": lambda p, dt: math.exp(-dt / p["tauMem"]),
        "Rmembrane": lambda p, dt: p["tauMem"] / p["C"],
    },
}
CLOSED["SuperSpikeOutput"] = CLOSED["SuperSpikeHidden"] | {
    # The double exponential exp(-t/d) - exp(-t/r) peaks at (r/d)^(r/(d-r)) - (r/d)^(d/(d-r)) over its two parts.
    "normFactor": lambda p, dt: (
        1.0
        / (
            (p["tauRise"] / p["tauDecay"]) ** (p["tauRise"] / (p["tauDecay"] - p["tauRise"]))
            - (p["tauRise"] / p["tauDecay"]) ** (p["tauDecay"] / (p["tauDecay"] - p["tauRise"]))
        )
    ),
    "tRiseMult": lambda p, dt: math.exp(-dt / p["tauRise"]),
    "tDecayMult": lambda p, dt: math.exp(-dt / p["tauDecay"]),
    "mulAvgErr": lambda p, dt: math.exp(-dt / p["tauAvgErr"]),
}


def derived(model: Model, params: Mapping[str, float], dt: float) -> dict[str, float]:
    return {d.name: float(d.func(params, dt)) for d in model.derived_params}


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0, 2.5])
@pytest.mark.parametrize("name", CLOSED)
def test_derived_parameters(name: str, dt: float) -> None:
    found = derived(getattr(models, name), PARAMS[name], dt)
    expected = {key: closed(PARAMS[name], dt) for key, closed in CLOSED[name].items()}
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("rise", "decay"), [(5.0, 10.0), (1.0, 50.0), (10.0, 5.0), (3.0, 3.3)])
def test_the_error_kernel_peaks_at_one(rise: float, decay: float) -> None:
    params = PARAMS["SuperSpikeOutput"] | {"tauRise": rise, "tauDecay": decay}
    t = np.linspace(0.0, 100.0, 400_001)
    kernel = (np.exp(-t / decay) - np.exp(-t / rise)) * derived(models.SuperSpikeOutput, params, 1.0)["normFactor"]
    assert kernel.max() == pytest.approx(1.0, abs=1e-8)


# ---- code against equations ----


def step(model: Model, code: str, values: dict[str, Any], arrays: Any = None) -> dict[str, Any]:
    return run_snippet(check_model(model).snippets[code], values, arrays)


@pytest.mark.parametrize("dt", [0.02, 0.1, 1.0, 4.0])
@pytest.mark.parametrize("tau", [0.7, 2.0, 5.0])
def test_the_charge_of_a_spike_does_not_depend_on_the_timestep(dt: float, tau: float) -> None:
    values: dict[str, Any] = {"inSyn": 1.0, **derived(models.ExpCurr, {"tau": tau}, dt)}
    charge = 0.0
    for _ in range(int(30 * tau / dt) + 30):
        values = step(models.ExpCurr, "sim_code", values)
        charge += values["injectCurrent"] * dt
    assert charge == pytest.approx(tau, rel=1e-10)


def test_input_is_injected_before_it_decays_and_delta_input_is_gone_after_a_step() -> None:
    exp = step(models.ExpCurr, "sim_code", {"inSyn": 2.0, "init": 0.9, "expDecay": 0.5})
    assert (exp["injectCurrent"], exp["inSyn"]) == (1.8, 1.0)
    delta = step(models.DeltaCurr, "sim_code", {"inSyn": 2.0})
    assert (delta["injectCurrent"], delta["inSyn"]) == (2.0, 0.0)


def r_max_prop_by_hand(gradients: np.ndarray, p: dict[str, float], start: float, dt: float) -> list[float]:
    """Zenke & Ganguli's rule, from the equations: v = max(v decay, g^2), w += r0 g / sqrt(v)."""
    v, w, weights = 0.0, start, []
    for m in gradients:
        g = m / (p["updateTime"] / dt)
        v = max(v * math.exp(-p["updateTime"] / p["tauRMS"]), g * g)
        w = min(p["wMax"], max(p["wMin"], w + p["r0"] * g / (math.sqrt(v) + p["epsilon"])))
        weights.append(w)
    return weights


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e8])
@pytest.mark.parametrize("name", ["RMaxProp", "RMaxPropSafe"])
def test_both_optimisers_follow_the_equations(name: str, scale: float) -> None:
    params = PARAMS[name] | {"r0": 0.7, "wMin": -3.0, "wMax": 2.0, "tauRMS": 900.0}
    rng = np.random.default_rng(20240)
    gradients = rng.standard_normal(200) * scale * np.exp(rng.standard_normal(200))
    values: dict[str, Any] = {"upsilon": 0.0, "variable": 0.3, **params, **derived(getattr(models, name), params, 0.1)}
    weights = []
    for m in gradients:
        values = step(getattr(models, name), "update_code", values | {"m": m})
        assert values["m"] == 0.0, "the gradient is cleared"
        weights.append(values["variable"])
    expected = r_max_prop_by_hand(gradients, params, 0.3, 0.1)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-12)
    assert min(weights) == -3.0, "the bounds are reached and kept"
    assert max(weights) <= 2.0


@pytest.mark.parametrize("name", ["RMaxProp", "RMaxPropSafe"])
def test_the_first_step_is_the_learning_rate_whatever_the_gradient(name: str) -> None:
    model, params = getattr(models, name), PARAMS[name]
    for m in [-1e-9, 1e-3, 7.0, -1e12]:
        values = {"upsilon": 0.0, "variable": 0.0, "m": m, **params, **derived(model, params, 0.1)}
        after = step(model, "update_code", values)
        assert after["variable"] == pytest.approx(math.copysign(params["r0"], m), rel=1e-9)


@pytest.mark.parametrize("name", ["RMaxProp", "RMaxPropSafe"])
def test_no_gradient_moves_nothing(name: str) -> None:
    model, params = getattr(models, name), PARAMS[name]
    values = {"upsilon": 0.0, "variable": 0.25, "m": 0.0, **params, **derived(model, params, 0.1)}
    assert step(model, "update_code", values)["variable"] == 0.25


def membrane(model: NeuronModel, current: float, steps: int, dt: float, **more: Any) -> list[dict[str, Any]]:
    params = PARAMS[model.name]
    values: dict[str, Any] = {"V": params["Vrest"], "refracTime": 0.0, "ISynFeedback": 0.0, **params, **more}
    values |= {"Isyn": current, "dt": dt, **derived(model, params, dt)}
    history = []
    for n in range(steps):
        values = step(model, "sim_code", values | {"t": n * dt}, {"spikeTimes": [1.0, 2.0]})
        values["spike"] = step(model, "threshold_condition_code", values)["return"]
        if values["spike"]:
            values = step(model, "reset_code", values)
        history.append(dict(values))
    return history


OUTPUT = {"errRise": 0.0, "errDecay": 0.0, "avgSqrErr": 0.0, "startSpike": 0, "endSpike": 0}


@pytest.mark.parametrize("model", [models.SuperSpikeHidden, models.SuperSpikeOutput], ids=lambda m: m.name)
def test_the_membrane_follows_its_closed_form_below_threshold(model: NeuronModel) -> None:
    history = membrane(model, 8.0, 300, 0.1, **OUTPUT)
    t = 0.1 * (1 + np.arange(300))
    np.testing.assert_allclose([h["V"] for h in history], -60.0 + 8.0 * (1 - np.exp(-t / 10.0)), rtol=1e-12)
    assert not any(h["spike"] for h in history)


@pytest.mark.parametrize("model", [models.SuperSpikeHidden, models.SuperSpikeOutput], ids=lambda m: m.name)
def test_spikes_keep_the_interval_of_the_closed_form(model: NeuronModel) -> None:
    dt = 0.02
    times = [n * dt for n, h in enumerate(membrane(model, 20.0, 3000, dt, **OUTPUT)) if h["spike"]]
    rise = 10.0 * math.log(20.0 / (20.0 - 10.0))  # from Vrest to Vthresh
    assert len(times) == 5
    np.testing.assert_allclose(np.diff(times), 5.0 + rise, atol=3 * dt)


def test_the_feedback_is_the_hidden_error() -> None:
    assert membrane(models.SuperSpikeHidden, 0.0, 1, 0.1, ISynFeedback=0.375)[0]["errTilda"] == 0.375


def test_the_output_error_is_the_filtered_mismatch() -> None:
    dt, steps = 0.5, 60
    history = membrane(models.SuperSpikeOutput, 0.0, steps, dt, **OUTPUT | {"endSpike": 2})
    t = np.arange(steps) * dt

    def kernel(since: np.ndarray) -> np.ndarray:
        return np.where(since >= 0, 4.0 * (np.exp(-since / 10.0) - np.exp(-since / 5.0)), 0.0)

    expected = kernel(t - 1.0) + kernel(t - 2.0)  # no spikes of its own
    np.testing.assert_allclose([h["errTilda"] for h in history], expected, atol=1e-12)
    average = 0.0
    for h in history:
        average = average * math.exp(-dt / 10000.0) + h["errTilda"] ** 2 * dt * 0.001
        assert h["avgSqrErr"] == pytest.approx(average, rel=1e-12)
    assert history[-1]["startSpike"] == 2


SPIKE_PARAMS = {"tauRise": 5.0, "tauDecay": 10.0, "beta": 1000.0, "Vthresh": -50.0, "dt": 0.1}


@pytest.mark.parametrize("v", [-79.0, -60.0, -50.5, -50.0, -49.0])
def test_the_surrogate_derivative(v: float) -> None:
    found = step(models.SuperSpike, "post_dynamics_code", SPIKE_PARAMS | {"V": v})["sigmaPrime"]
    assert found == pytest.approx(1000.0 / (1.0 + abs(v + 50.0)) ** 2, rel=1e-12)
    mirrored = step(models.SuperSpike, "post_dynamics_code", SPIKE_PARAMS | {"V": -100.0 - v})["sigmaPrime"]
    assert mirrored == pytest.approx(found, rel=1e-9), "symmetric about the threshold"


def test_the_surrogate_derivative_is_zero_far_below_threshold() -> None:
    assert step(models.SuperSpike, "post_dynamics_code", SPIKE_PARAMS | {"V": -80.1})["sigmaPrime"] == 0.0


def test_the_presynaptic_trace_converges_to_the_double_exponential() -> None:
    dt = 0.001
    values: dict[str, Any] = SPIKE_PARAMS | {"dt": dt, "z": 0.0, "zTilda": 0.0}
    values = step(models.SuperSpike, "pre_spike_code", values)
    traces = []
    for _ in range(20_000):
        traces.append(values["zTilda"])
        z = values["z"] * (1 - dt / 5.0)  # the equations in two lines, to keep the test quick
        values |= {"z": z, "zTilda": values["zTilda"] + (z - values["zTilda"]) / 10.0 * dt}
    once = step(models.SuperSpike, "pre_dynamics_code", SPIKE_PARAMS | {"dt": dt, "z": 1.0, "zTilda": 0.25})
    assert once["z"] == 1.0 - dt / 5.0
    assert once["zTilda"] == pytest.approx(0.25 + (once["z"] - 0.25) / 10.0 * dt, rel=1e-12)
    t = np.arange(20_000) * dt
    exact = (np.exp(-t / 10.0) - np.exp(-t / 5.0)) * 5.0 / (10.0 - 5.0)
    np.testing.assert_allclose(traces, exact, atol=2e-4)


def test_the_gradient_is_the_error_times_the_filtered_eligibility() -> None:
    rng = np.random.default_rng(7)
    dt, e, lam, m = 0.1, 0.0, 0.0, 0.0
    values: dict[str, Any] = SPIKE_PARAMS | {"e": 0.0, "lambda": 0.0, "m": 0.0}
    for z, sigma, error in rng.standard_normal((50, 3)):
        values = step(
            models.SuperSpike, "synapse_dynamics_code", values | {"zTilda": z, "sigmaPrime": sigma, "errTilda": error}
        )
        e = e + dt * (z * sigma - e / 5.0)
        lam = lam + dt * (e - lam) / 10.0
        m = m + lam * error
    assert (values["e"], values["lambda"], values["m"]) == pytest.approx((e, lam, m), rel=1e-12)


def test_a_spike_sends_the_weight_and_the_feedback_sends_the_error() -> None:
    assert step(models.SuperSpike, "pre_spike_syn_code", {"w": 0.5})["addToPost"] == 0.5
    assert step(models.Feedback, "synapse_dynamics_code", {"w": 0.5, "errTilda": -3.0})["addToPost"] == -1.5


def test_a_source_spikes_at_its_times_and_can_be_rewound() -> None:
    arrays = {"spikeTimes": [9.0, 1.0, 1.0, 2.5, 9.0]}
    values: dict[str, Any] = {"startSpike": 1, "endSpike": 4, "dt": 0.5}
    spikes = []
    for n in range(20):
        values = step(models.SpikeSourceArray, "sim_code", values | {"t": n * 0.5})
        if step(models.SpikeSourceArray, "threshold_condition_code", values, arrays)["return"]:
            spikes.append(values["t"])
            values = step(models.SpikeSourceArray, "reset_code", values)
    assert spikes == [1.0, 1.5, 2.5], "at most one a timestep, and none is lost"
    assert step(models.SourceReset, "update_code", {"startSpike": 4, "firstSpike": 1})["startSpike"] == 1


# ---- initial values ----


def draw(name: str, random: dict[str, list[float]], **params: float) -> float:
    snippet = check_model(getattr(models, name)).snippets["var_init_code"]
    value: float = run_snippet(snippet, params, random={key: iter(drawn) for key, drawn in random.items()})["value"]
    return value


def test_initial_values() -> None:
    assert draw("Constant", {}, constant=2.5) == 2.5
    assert draw("Uniform", {"gennrand_uniform": [0.25]}, min=-1.0, max=3.0) == 0.0
    assert draw("Normal", {"gennrand_normal": [-1.5]}, mean=2.0, sd=0.5) == 1.25
    tries = {"gennrand_normal": [3.0, -2.5, 1.0]}
    assert draw("NormalClipped", tries, mean=1.0, sd=1.0, min=-1.0, max=2.0) == 2.0, "drawn again until it fits"
