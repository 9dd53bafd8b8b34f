"""GeNN's built-in synapses and initial values: their code against their equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dialect_interpreter import run_snippet
from snnlearn import models
from snnlearn.declare import Model
from snnlearn.dialect import check_model


def step(model: Model, code: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return run_snippet(check_model(model).snippets[code], values, **more)


@pytest.mark.parametrize("model", [models.StaticPulse, models.StaticPulseConstantWeight], ids=lambda m: m.name)
def test_a_spike_sends_the_weight(model: Model) -> None:
    after = step(model, "pre_spike_syn_code", {"g": -0.25})
    assert (after["addToPost"], after["g"]) == (-0.25, -0.25)


def test_a_spike_sends_the_weight_with_its_delay() -> None:
    assert step(models.StaticPulseDendriticDelay, "pre_spike_syn_code", {"g": 0.5, "d": 7})["addToPostDelay"] == [
        (0.5, 7)
    ]


@pytest.mark.parametrize("v", [-70.0, -50.0, -49.0, -20.0])
def test_graded_release(v: float) -> None:
    values = {"V": v, "Epre": -50.0, "Vslope": 10.0, "g": 2.0, "dt": 0.5}
    sent = step(models.StaticGraded, "pre_event_syn_code", values)["addToPost"]
    assert sent == pytest.approx(max(0.0, 2.0 * math.tanh((v + 50.0) / 10.0) * 0.5), rel=1e-12)
    event = step(models.StaticGraded, "pre_event_threshold_condition_code", values)["return"]
    assert event is (v > -50.0)


STDP = {"tauPlus": 20.0, "tauMinus": 30.0, "Aplus": 0.1, "Aminus": 0.2, "Wmin": 0.0, "Wmax": 1.0}


@pytest.mark.parametrize("since", [0.5, 10.0, 40.0])
def test_a_pair_of_spikes_changes_the_weight_by_how_far_apart_they_are(since: float) -> None:
    values = STDP | {"g": 0.5, "t": 100.0, "st_pre": 100.0 - since, "st_post": 100.0 - since}
    pre = step(models.STDP, "pre_spike_syn_code", values)
    assert pre["addToPost"] == 0.5, "what is sent is the weight before the change"
    assert pre["g"] == pytest.approx(0.5 - 0.2 * math.exp(-since / 30.0), rel=1e-12)
    post = step(models.STDP, "post_spike_syn_code", values)
    assert post["g"] == pytest.approx(0.5 + 0.1 * math.exp(-since / 20.0), rel=1e-12)


@pytest.mark.parametrize(
    ("g", "code", "expected"), [(0.05, "pre_spike_syn_code", 0.0), (0.95, "post_spike_syn_code", 1.0)]
)
def test_the_weight_stays_in_its_bounds(g: float, code: str, expected: float) -> None:
    values = STDP | {"g": g, "t": 3.0, "st_pre": 2.0, "st_post": 2.0}
    assert step(models.STDP, code, values)["g"] == expected


@pytest.mark.parametrize("code", ["pre_spike_syn_code", "post_spike_syn_code"])
@pytest.mark.parametrize("other", [3.0, 4.0])
def test_a_pair_in_one_timestep_or_never_changes_nothing(code: str, other: float) -> None:
    assert step(models.STDP, code, STDP | {"g": 0.5, "t": 3.0, "st_pre": other, "st_post": other})["g"] == 0.5
    never = STDP | {"g": 0.5, "t": 3.0, "st_pre": -1e38, "st_post": -1e38}
    assert step(models.STDP, code, never)["g"] == 0.5


def test_a_conductance_drives_towards_its_reversal_potential_and_decays() -> None:
    decay = {d.name: float(d.func({"tau": 4.0, "E": 10.0}, 0.5)) for d in models.ExpCond.derived_params}
    values: dict[str, Any] = {"inSyn": 0.2, "V": -60.0, "tau": 4.0, "E": 10.0, **decay}
    for n in range(5):
        values = step(models.ExpCond, "sim_code", values)
        assert values["injectCurrent"] == pytest.approx(0.2 * math.exp(-0.5 * n / 4.0) * 70.0, rel=1e-12)


# ---- initial values ----


def value(model: Model, values: dict[str, float], arrays: Any = None, **random: list[float]) -> float:
    draws = {f"gennrand_{name}": iter(numbers) for name, numbers in random.items()}
    found: float = step(model, "var_init_code", values, arrays=arrays, random=draws)["value"]
    return found


def test_initial_values() -> None:
    assert value(models.Exponential, {"lambda": 3.0}, exponential=[0.5]) == 1.5
    assert value(models.Gamma, {"a": 2.0, "b": 3.0}, gamma=[1.5]) == 4.5
    assert value(models.Binomial, {"n": 10.0, "p": 0.5}, binomial=[7]) == 7.0
    assert value(models.Kernel, {"id_kernel": 2}, {"kernel": [0.0, 1.0, 4.0]}) == 4.0
    assert models.Uninitialised.codes() == {}


def test_initial_delays_are_whole_timesteps_within_their_bounds() -> None:
    params = {"mean": 2.0, "sd": 1.0, "min": 0.5, "max": 3.0}
    steps = {d.name: float(d.func(params, 0.5)) for d in models.NormalClippedDelay.derived_params}
    assert steps == {"meanTimestep": 4.0, "sdTimestep": 2.0, "minTimestep": 1.0, "maxTimestep": 6.0}
    assert value(models.NormalClippedDelay, steps, normal=[1.1, -1.6, 0.3]) == 5.0, "drawn again until it fits"
    rng = np.random.default_rng(4)
    delays = [value(models.NormalClippedDelay, steps, normal=list(rng.standard_normal(50))) for _ in range(200)]
    assert set(delays) == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
