"""Times: ``t`` in every kind of code, which timestep a given time belongs to, times of a precision of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agreement import scalars
from snnlearn.models import LIF, ClassReadout, PatternSource, SpikeSourceArray, SuperSpikeOutput

STEPS = 400
# A timestep of no few binary digits, of none, and one whose products a double rounds otherwise than k / 100.
DTS = [0.01, 0.1, 0.3, 0.7, 1.0 / 3.0, 1.0 / 128.0]
PRECISIONS = [("float", None), ("double", None), ("float", "double"), ("double", "float")]
OUTPUT = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0, "tauRise": 5.0}
OUTPUT |= {"tauDecay": 10.0, "tauAvgErr": 1e4}
REST = dict.fromkeys(["refracTime", "errRise", "errDecay", "errTilda", "avgSqrErr"], 0.0) | {"V": -60.0}


def on_the_grid(dt: float) -> dict[str, np.ndarray]:
    """Return the times of timesteps as people make them."""
    k = np.arange(STEPS)
    return {
        "products": k * dt,
        "decimals": np.round(k * dt, 6 if dt > 0.05 else 9),
        "single": (k * dt).astype(np.float32),
        "single_products": k.astype(np.float32) * np.float32(dt),
        "products_of_a_single": k * float(np.float32(dt)),
        "sums": np.cumsum(np.full(STEPS, dt)) - dt,
        "quotients": k / (1.0 / dt),
        "linspace": np.linspace(0.0, (STEPS - 1) * dt, STEPS),
    }


def add_source(model: Any, name: str, declared: Any, times: np.ndarray) -> Any:
    """Add neurons each of which spikes at one of the given times."""
    number = np.arange(len(times))
    begin, end = ("next", "last") if declared is PatternSource else ("startSpike", "endSpike")
    made = model.add_neuron_population(name, len(times), declared, {}, {begin: number, end: number + 1})
    made.extra_global_params["spikeTimes"].set_init_values(times)
    made.spike_recording_enabled = True
    return made


def timesteps(population: Any, dt: float) -> dict[int, int]:
    """Return in which timestep each neuron spiked."""
    times, ids = population.spike_recording_data[0]
    return dict(zip(ids.tolist(), np.rint(times / dt).astype(int).tolist(), strict=True))


def run(model: Any, steps: int, recording: int | None = None) -> None:
    """Build and run, by the one call that GeNN has too."""
    model.build()
    model.load(num_recording_timesteps=recording)
    for _ in range(steps):
        model.step_time()


def precisions(precision: str, time: str | None) -> dict[str, str]:
    return {"precision": precision} | ({} if time is None else {"time_precision": time})


def check_the_grid(engine: Any, dt: float, precision: str, time: str | None) -> None:
    model = engine.model(f"grid{precision}{time}", dt=dt, **precisions(precision, time))
    sources = {name: add_source(model, name, SpikeSourceArray, times) for name, times in on_the_grid(dt).items()}
    sources["pattern"] = add_source(model, "pattern", PatternSource, on_the_grid(dt)["decimals"])
    for part in (1, 20, 500, 980):
        late = (np.arange(STEPS) + part / 1000) * dt
        sources[f"behind{part}"] = add_source(model, f"behind{part}", SpikeSourceArray, late)
    run(model, STEPS + 1, STEPS + 1)
    model.pull_recording_buffers_from_device()
    for name, source in sources.items():
        behind = 1 if name.startswith("behind") else 0
        assert timesteps(source, dt) == {k: k + behind for k in range(STEPS)}, name
    model.unload()


@pytest.mark.parametrize(("precision", "time"), PRECISIONS)
@pytest.mark.parametrize("dt", DTS)
def test_the_time_of_a_timestep_comes_in_it(engines: Any, dt: float, precision: str, time: str | None) -> None:
    check_the_grid(engines[1], dt, precision, time)


@pytest.mark.parametrize(
    ("dt", "precision", "time"), [(0.01, "float", None), (0.3, "double", None), (0.3, "float", "double")]
)
def test_it_does_so_on_all_engines(any_engine: Any, dt: float, precision: str, time: str | None) -> None:
    check_the_grid(any_engine, dt, precision, time)


@pytest.mark.parametrize(("precision", "dt"), [("float", 0.01), ("double", 0.3)])
def test_targets_and_windows_begin_in_their_timestep(any_engine: Any, precision: str, dt: float) -> None:
    model = any_engine.model(f"targets{precision}", dt=dt, precision=precision)
    places = {"startSpike": 0, "endSpike": STEPS}
    output = model.add_neuron_population("Output", 1, SuperSpikeOutput, OUTPUT, REST | places)
    output.extra_global_params["spikeTimes"].set_init_values(np.array([float(f"{k * dt:.9g}") for k in range(STEPS)]))
    starts = [3, 5, 6, 7, 12, 23, 46]
    zeros = dict.fromkeys(["V", "errTilda", "score"], 0.0) | {"target": 1.0}
    readouts = []
    for k in starts:
        params = {"tauMem": 10.0, "tStart": float(f"{k * dt:.9g}")}
        readouts.append(model.add_neuron_population(f"Readout{k}", 1, ClassReadout, params, zeros))
    model.build()
    model.load()
    first: dict[int, int] = {}
    for step in range(STEPS // 2):
        model.step_time()
        output.vars["startSpike"].pull_from_device()
        assert output.vars["startSpike"].view[0] == step + 1, "one target spike a timestep"
        for k, readout in zip(starts, readouts, strict=True):
            readout.vars["errTilda"].pull_from_device()
            if readout.vars["errTilda"].view[0] != 0.0:
                first.setdefault(k, step)
    assert first == {k: k for k in starts}
    model.unload()


@pytest.mark.parametrize(("precision", "dt"), [("float", 1.0), ("double", 0.1), ("float", 0.25)])
def test_sources_are_on_time_after_millions_of_timesteps(engine: Any, start: Any, precision: str, dt: float) -> None:
    first = 2**24 - STEPS - 8 if dt == 1.0 else 10**7 if dt == 0.25 else 10**8
    model = engine.model(dt=dt, precision=precision)
    source = add_source(model, "Source", SpikeSourceArray, (first + np.arange(STEPS)) * dt)
    start(model, STEPS)
    model.timestep = first
    model.run(STEPS)
    model.pull_recording_buffers_from_device()
    assert timesteps(source, dt) == {k: first + k for k in range(STEPS)}


# ---- t ----


@cache
def watching(g: Any) -> tuple[Any, Any, Any, Any]:
    """Return models all of whose codes note what t and dt are, and spike in every timestep."""
    neuron = g.create_neuron_model(
        "Watching",
        vars=[("now", "timepoint"), ("step", "timepoint")],
        sim_code="now = t; const timepoint since = dt; step = since;",
        threshold_condition_code="true",
    )
    psm = g.create_postsynaptic_model("WatchingInput", vars=[("now", "timepoint")], sim_code="now = t;")
    rule = g.create_weight_update_model(
        "WatchingSynapse",
        vars=[(name, "timepoint") for name in ("now", "ofPre", "ofPost", "lag", "steps")],
        pre_vars=[("nowPre", "timepoint")],
        synapse_dynamics_code="now = t;",
        pre_spike_syn_code="ofPre = t; lag = t - st_pre;",
        post_spike_syn_code="ofPost = t; steps = (t - prev_st_post) / dt;",
        pre_spike_code="nowPre = t;",
    )
    update = g.create_custom_update_model("WatchingUpdate", var_refs=[("x", "timepoint")], update_code="x = t;")
    return neuron, psm, rule, update


@pytest.mark.parametrize(("precision", "time"), PRECISIONS)
@pytest.mark.parametrize(("dt", "first"), [(0.1, 0), (0.3, 0), (0.1, 10**6)])
def test_t_is_the_number_nearest_to_the_product(
    engine: Any, start: Any, precision: str, time: str | None, dt: float, first: int
) -> None:
    g, model = engine.api, engine.model(dt=dt, **precisions(precision, time))
    neuron, psm, rule, update = watching(g)
    a = model.add_neuron_population("A", 2, neuron, {}, {"now": 0.0, "step": 0.0})
    b = model.add_neuron_population("B", 2, neuron, {}, {"now": 0.0, "step": 0.0})
    zeros = dict.fromkeys(["now", "ofPre", "ofPost", "lag", "steps"], 0.0)
    made = g.init_weight_update(rule, {}, zeros, {"nowPre": 0.0})
    s = model.add_synapse_population("S", "DENSE", a, b, made, g.init_postsynaptic(psm, {}, {"now": 0.0}))
    model.add_custom_update("Now", "Now", update, {}, {}, {"x": g.create_var_ref(b, "step")})
    start(model)
    model.timestep = first
    kind = np.float64 if (time or precision) == "double" else np.float32
    for k in range(first, first + 60):
        model.step_time()
        model.custom_update("Now")
        expected = kind(k * dt)
        seen = [(a, "now"), (b, "now")]
        for group, name in seen:
            group.vars[name].pull_from_device()
            assert group.vars[name].view.dtype == kind
            assert (group.vars[name].view == expected).all()
        for variables, names in [(s.vars, zeros), (s.pre_vars, ["nowPre"]), (s.psm_vars, ["now"]), (b.vars, ["step"])]:
            for name in names:
                variables[name].pull_from_device()
        assert (s.pre_vars["nowPre"].view == expected).all()
        assert (s.psm_vars["now"].view == expected).all()
        assert (b.vars["step"].view == kind((k + 1) * dt)).all(), "an update sees the time of the next timestep"
        assert (s.vars["now"].view == expected).all()
        if k > first + 1:
            assert (s.vars["ofPre"].view == expected).all()
            assert (s.vars["ofPost"].view == expected).all()
            assert (s.vars["lag"].view == 0.0).all(), "what arrives now has arrived at t"
            np.testing.assert_allclose(s.vars["steps"].view, 1.0, rtol=0.3 if kind is np.float32 and first else 1e-4)
    a.vars["step"].pull_from_device()
    assert (a.vars["step"].view == kind(dt)).all()


# ---- times of a precision of their own ----


@cache
def lagging(g: Any) -> Any:
    return g.create_weight_update_model(
        "Lagging",
        vars=["fromPre", "fromPost", "before", "ofEvent", "events"],
        pre_spike_syn_code="fromPost = (t - st_post) / dt;",
        post_spike_syn_code="""
        fromPre = (t - st_pre) / dt;
        before = (t - prev_st_pre) / dt;
        ofEvent = (t - set_pre) / dt;
        """,
        pre_event_threshold_condition_code="every > 1.5",
        pre_event_syn_code="events += 1.0;",
        pre_neuron_var_refs=["every"],
    )


@cache
def every_so_often(g: Any) -> Any:
    return g.create_neuron_model(
        "EverySoOften",
        params=[("period", "int"), ("phase", "int")],
        vars=[("count", "int"), "every", ("last", "timepoint")],
        sim_code="count++; every = count % period == phase ? 2.0 : 0.0; last = t;",
        threshold_condition_code="count % period == phase",
    )


@pytest.mark.parametrize("first", [0, 2**24, 10**8, 2**31])
@pytest.mark.parametrize("delay", [0, 3])
def test_lags_are_exact_in_a_float_model_with_double_times(engine: Any, start: Any, first: int, delay: int) -> None:
    g, model = engine.api, engine.model(dt=0.1, time_precision="double")
    zeros = {"count": 0, "every": 0.0, "last": 0.0}
    a = model.add_neuron_population("A", 3, every_so_often(g), {"period": 7, "phase": 2}, zeros)
    b = model.add_neuron_population("B", 3, every_so_often(g), {"period": 7, "phase": 5}, zeros)
    start_at = dict.fromkeys(["fromPre", "fromPost", "before", "ofEvent", "events"], 0.0)
    rule = g.init_weight_update(lagging(g), {}, start_at, pre_var_refs={"every": g.create_var_ref(a, "every")})
    s = model.add_synapse_population("S", "DENSE", a, b, rule, g.init_postsynaptic("DeltaCurr"))
    s.axonal_delay_steps = delay
    start(model)
    model.timestep = first
    model.run(40)
    for variable in s.vars.values():
        variable.pull_from_device()
    # In timesteps: B spikes three behind A, whose spikes arrive `delay` later.
    lag = (3 - delay) % 7
    np.testing.assert_allclose(s.vars["fromPre"].view, lag, atol=1e-5)
    np.testing.assert_allclose(s.vars["ofEvent"].view, lag, atol=1e-5)
    np.testing.assert_allclose(s.vars["before"].view, lag or 7, atol=1e-5)
    np.testing.assert_allclose(s.vars["fromPost"].view, (-lag) % 7, atol=1e-5)
    for population in (a, b):
        assert population.vars["last"].view.dtype == np.float64
        assert population.vars["every"].view.dtype == np.float32
    assert a.spike_times is not None
    assert a.prev_spike_times is not None
    assert (a.spike_times.view.dtype, a.prev_spike_times.view.dtype) == (np.float64, np.float64)
    a.spike_times.pull_from_device()
    times = a.spike_times.view.max() / 0.1
    assert times == pytest.approx(first + 36, abs=1e-6)


# ---- what comes before this timestep ----


@cache
def given(g: Any) -> Any:
    return g.create_neuron_model("Given", vars=scalars("on", "event"), threshold_condition_code="on > 0.5")


@cache
def before(g: Any) -> Any:
    return g.create_weight_update_model(
        "Before",
        vars=scalars("last", "prev", "lastEvent", "prevEvent", "own", "prevOwn", "lastPost", "prevPost"),
        pre_neuron_var_refs=scalars("event"),
        pre_event_threshold_condition_code="event > 0.5",
        pre_event_syn_code="own = set_pre; prevOwn = prev_set_pre;",
        pre_spike_syn_code="lastPost = st_post; prevPost = prev_st_post;",
        post_spike_syn_code="last = st_pre; prev = prev_st_pre; lastEvent = set_pre; prevEvent = prev_set_pre;",
    )


def test_prev_is_the_last_before_this_timestep(any_engine: Any) -> None:
    g, model = any_engine.api, any_engine.model(dt=1.0, precision="double")
    a = model.add_neuron_population("A", 1, given(g), {}, {"on": 0.0, "event": 0.0})
    b = model.add_neuron_population("B", 1, given(g), {}, {"on": 0.0, "event": 0.0})
    names = ["last", "prev", "lastEvent", "prevEvent", "own", "prevOwn", "lastPost", "prevPost"]
    rule = g.init_weight_update(
        before(g), {}, dict.fromkeys(names, 0.0), pre_var_refs={"event": g.create_var_ref(a, "event")}
    )
    s = model.add_synapse_population("S", "DENSE", a, b, rule, g.init_postsynaptic("DeltaCurr"))
    model.build()
    model.load()
    seen = {}
    for step in range(15):
        for variable, when in [
            (a.vars["on"], (1, 4, 11)),
            (a.vars["event"], (2, 5, 11)),
            (b.vars["on"], (6, 11)),
        ]:
            variable.view[:] = step in when
            variable.push_to_device()
        model.step_time()
        for name in names:
            s.vars[name].pull_from_device()
        seen[step] = {name: float(s.vars[name].view[0]) for name in names}
    # A spike of timestep n arrives in n + 1. Of A's, arriving at 2 and 5, B's finds at 7 the last one, twice over.
    assert {name: seen[7][name] for name in ("last", "prev")} == {"last": 5.0, "prev": 5.0}
    assert {name: seen[7][name] for name in ("lastEvent", "prevEvent")} == {"lastEvent": 6.0, "prevEvent": 6.0}
    # Of what arrives now, the last is this one, and the one before is.
    assert {name: seen[6][name] for name in ("own", "prevOwn")} == {"own": 6.0, "prevOwn": 3.0}
    assert {name: seen[12][name] for name in ("last", "prev")} == {"last": 12.0, "prev": 5.0}
    assert {name: seen[12][name] for name in ("lastEvent", "prevEvent")} == {"lastEvent": 12.0, "prevEvent": 6.0}
    assert {name: seen[12][name] for name in ("lastPost", "prevPost")} == {"lastPost": 12.0, "prevPost": 7.0}
    model.unload()


# ---- LIF's countdown ----


@pytest.mark.parametrize(("precision", "time"), PRECISIONS)
@pytest.mark.parametrize("dt", [0.1, 0.3, 0.01])
def test_the_refractory_period_is_a_whole_number_of_timesteps(
    engines: Any, precision: str, time: str | None, dt: float
) -> None:
    check_the_period(engines[1], precision, time, dt)


@pytest.mark.parametrize(("precision", "time"), PRECISIONS[:3])
def test_it_is_so_on_all_engines(any_engine: Any, precision: str, time: str | None) -> None:
    check_the_period(any_engine, precision, time, 0.1)


def check_the_period(engine: Any, precision: str, time: str | None, dt: float) -> None:
    model = engine.model(f"refractory{precision}{time}", dt=dt, **precisions(precision, time))
    # Whole numbers of timesteps, and others, which are rounded up.
    periods = [0, 1, 2, 3, 5, 7, 10, 11, 20, 30, 50, 69, 100, 201, 0.5, 2.5, 6.9, 10.02, 29.98]
    neurons = {}
    for number, period in enumerate(periods):
        params = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -65.0, "Vthresh": -50.0, "Ioffset": 1e6}
        params["TauRefrac"] = float(f"{period * dt:.9g}")
        neurons[period] = model.add_neuron_population(f"P{number}", 1, LIF, params, {"V": -65.0, "RefracTime": 0.0})
        neurons[period].spike_recording_enabled = True
    run(model, 900, 900)
    model.pull_recording_buffers_from_device()
    for period, population in neurons.items():
        times, _ = population.spike_recording_data[0]
        assert len(times) >= 4
        assert set(np.diff(np.rint(times / dt)).tolist()) == {np.ceil(period) + 1}, period
    model.unload()


def test_long_and_given_refractory_periods_end_on_time(engine: Any, start: Any) -> None:
    model = engine.model(dt=0.1)
    params = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -65.0, "Vthresh": -50.0, "Ioffset": 1e6}
    left = np.array([0, 1, 3, 7, 30, 999, 12_345]) * 0.1
    params["TauRefrac"] = 1e9
    p = model.add_neuron_population("P", len(left), LIF, params, {"V": -65.0, "RefracTime": left})
    p.spike_recording_enabled = True
    start(model, 13_000)
    model.run(13_000)
    model.pull_recording_buffers_from_device()
    assert timesteps(p, 0.1) == dict(enumerate([0, 1, 3, 7, 30, 999, 12_345]))
