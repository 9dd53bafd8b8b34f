"""A NaN stays visible: whatever depends on it is NaN too, nothing turns it into a number, no neuron spikes for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agreement import trace
from snnlearn import models
from snnlearn.declare import CustomUpdateModel, NeuronModel

STEPS = 12
MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
LIF = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Vreset": -70.0, "Vthresh": -50.0, "Ioffset": 0.1, "TauRefrac": 5.0}
TRAUB_MILES = {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143}
RULKOV = {"Vspike": 60.0, "alpha": 3.0, "y": -2.468, "beta": 0.0165}
REGULAR = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}
ADEX = {
    "C": 0.281, "gL": 0.03, "EL": -70.6, "VT": -50.4, "DeltaT": 2.0, "Vreset": -65.0, "Vpeak": -30.0, "TauW": 144.0,
    "a": 0.004, "b": 0.0805, "Ioffset": 0.3,
}  # fmt: skip


def without(params: dict[str, float], *names: str) -> dict[str, float]:
    return {name: value for name, value in params.items() if name not in names}


NEURONS: list[tuple[NeuronModel, dict[str, float], dict[str, float]]] = [
    (models.LIF, LIF, {"V": -51.0, "RefracTime": 0.0}),
    (models.LIF, LIF, {"V": -51.0, "RefracTime": 3.0}),
    (models.Izhikevich, REGULAR, {"V": 29.0, "U": -13.0}),
    (models.Izhikevich, REGULAR, {"V": 30.0, "U": -13.0}),
    (models.IzhikevichVariable, {}, {"V": -55.0, "U": -13.0, **REGULAR}),
    (models.RulkovMap, RULKOV, {"V": -55.0, "preV": -58.0}),
    (models.RulkovMap, RULKOV, {"V": 1.0, "preV": -0.5}),
    (models.RulkovMap, RULKOV, {"V": 32.0, "preV": -0.5}),
    (models.TraubMiles, TRAUB_MILES, {"V": -60.0, "m": 0.05, "h": 0.3, "n": 0.6}),
    (models.Poisson, {"rate": 100.0}, {"timeStepToSpike": 30.0}),  # none draws a number of its own
    (models.SuperSpikeHidden, MEMBRANE, {"V": -51.0, "refracTime": 0.0, "errTilda": 0.0}),
    (models.SuperSpikeHidden, MEMBRANE, {"V": -51.0, "refracTime": 2.0, "errTilda": 0.0}),
    (
        models.SuperSpikeOutput,
        {**MEMBRANE, "tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 100.0},
        dict.fromkeys(("refracTime", "errRise", "errTilda", "avgSqrErr", "errDecay"), 0.0) | {"V": -51.0},
    ),
    (models.ClassReadout, {"tauMem": 10.0, "tStart": 3.0}, {"V": 0.0, "target": 1.0, "errTilda": 0.0, "score": 0.0}),
    (models.IF, without(LIF, "TauM", "Vrest"), {"V": -51.0, "RefracTime": 0.0}),
    (models.IF, without(LIF, "TauM", "Vrest"), {"V": -51.0, "RefracTime": 3.0}),
    (models.LI, without(LIF, "Vreset", "Vthresh", "TauRefrac"), {"V": -51.0}),
    (models.CubaLIF, {**LIF, "TauSyn": 5.0, "WIn": 1.0}, {"V": -51.0, "I": 0.1, "RefracTime": 0.0}),
    (models.CubaLIF, {**LIF, "TauSyn": 5.0, "WIn": 1.0}, {"V": -51.0, "I": 0.1, "RefracTime": 3.0}),
    (models.ALIF, {**without(LIF, "Vreset"), "TauAdapt": 50.0, "Beta": 1.0}, {"V": -51.0, "A": 0.1, "RefracTime": 0.0}),
    (models.AdEx, ADEX, {"V": -45.0, "W": 0.01}),
]


def scalars_of(model: NeuronModel | CustomUpdateModel) -> list[str]:
    return [var.name for var in model.vars if var.type == "scalar"]


def test_every_neuron_with_a_state_is_here() -> None:
    with_state = {m.name for m in models.ALL if isinstance(m, NeuronModel) and scalars_of(m)} - {
        "AnalogSource"
    }  # no code
    assert {model.name for model, _, _ in NEURONS} == with_state
    for model, _, state in NEURONS:
        assert set(state) == set(scalars_of(model))


def poisoned(states: dict[str, float]) -> dict[str, NDArray[Any]]:
    """Return values for a healthy element, one with a NaN in each variable, and one more."""
    size = len(states) + 2
    values = {name: np.full(size, value) for name, value in states.items()}
    for place, name in enumerate(states, start=1):
        values[name][place] = np.nan
    return values


def every_neuron(g: Any, made: Any) -> None:
    each = g.create_current_source_model("each", injection_code="injectCurrent(amp);", vars=[("amp", "scalar")])
    for number, (model, params, state) in enumerate(NEURONS):
        size = len(state) + 2
        current = np.full(size, 0.5)
        current[-1] = np.nan
        values: dict[str, Any] = poisoned(state)
        if model is models.SuperSpikeOutput:
            values |= {"startSpike": np.arange(size), "endSpike": np.arange(size) + 1}
        neurons = made.add_neuron_population(f"P{number}", size, model, params, values)
        if model is models.SuperSpikeOutput:
            neurons.extra_global_params["spikeTimes"].set_init_values(np.full(size, 4.0))
        made.add_current_source(f"Each{number}", each, neurons, {}, {"amp": current})


def test_neurons(any_engine: Any) -> None:
    """All in one network, which is compiled once."""
    found = trace(any_engine, every_neuron, STEPS)
    for number, (model, _, state) in enumerate(NEURONS):
        (times, spikes) = found[f"spikes P{number}"][0]
        name = f"{number}-{model.name}"
        for neuron in range(1, len(state) + 2):
            # Not the first step alone: a NaN that V had is in preV after that, and must not be gone one step later.
            for step in range(1, STEPS + 1):
                values = [found[f"P{number}.vars.{variable}"][step] for variable in state]
                if not any(np.isnan(value[neuron]) for value in values):
                    same = [value[neuron] == value[0] for value in values]
                    assert all(same), f"{name}, neuron {neuron} after {step} timesteps: a NaN has become a number"
            if any(np.isnan(found[f"P{number}.vars.{variable}"][1][neuron]) for variable in state):
                assert neuron not in spikes, f"{name}, neuron {neuron} spikes at {times[spikes == neuron]}"
        assert not any(np.isnan(found[f"P{number}.vars.{variable}"][STEPS][0]) for variable in state), name


def test_an_output_without_a_potential_has_no_error(any_engine: Any) -> None:
    """Comparisons would take it for silent, and a training that is lost for one that has not begun."""
    model, params, state = next(entry for entry in NEURONS if entry[0] is models.SuperSpikeOutput)

    def network(g: Any, made: Any) -> None:
        values = {**state, "V": np.array([-51.0, np.nan, -51.0]), "startSpike": 0, "endSpike": 0}
        neurons = made.add_neuron_population("P", 3, model, params, values)
        neurons.extra_global_params["spikeTimes"].set_init_values([4.0])

    found = trace(any_engine, network, 2)
    for name in ("errTilda", "avgSqrErr"):
        assert np.isnan(found[f"P.vars.{name}"][2]).tolist() == [False, True, False]


def optimisers() -> list[CustomUpdateModel]:
    updates = [m for m in models.ALL if isinstance(m, CustomUpdateModel)]
    return [m for m in updates if [ref.name for ref in m.var_refs] == ["m", "variable"]]


@pytest.mark.parametrize("model", optimisers(), ids=lambda model: model.name)
@pytest.mark.parametrize("precision", ["float", "double"])
def test_optimisers(any_engine: Any, model: CustomUpdateModel, precision: str) -> None:
    own = scalars_of(model)
    state = {"m": 0.25, "variable": 0.5} | dict.fromkeys(own, 0.125)
    values = {name: value[:-1] for name, value in poisoned(state).items()}
    params = dict.fromkeys((p.name for p in model.params), 0.5) | {"wMin": -1.0, "wMax": 1.0}

    def network(g: Any, made: Any) -> Any:
        holder = g.create_neuron_model("holder", sim_code="", vars=[("m", "scalar"), ("variable", "scalar")])
        weights = {name: values[name] for name in ("m", "variable")}
        neurons = made.add_neuron_population("P", len(state) + 1, holder, {}, weights)
        refs = {name: g.create_var_ref(neurons, name) for name in weights}
        made.add_custom_update("U", "Update", model, params, {name: values[name] for name in own}, refs)
        return lambda _: made.custom_update("Update")

    found = trace(any_engine, network, 3, precision=precision)
    # What is seen after a timestep comes before that timestep's update.
    for step in (2, 3):
        seen = np.isnan(found["P.vars.variable"][step]).tolist()
        assert seen == [False] + [name != "path" for name in state]
        # The way that a weight has come is read by the outer loop alone; it stays what it is.
        assert "path" not in own or np.isnan(found["U.vars.path"][step])[-1]
    if "upsilon" in own:
        # A gradient that is not a number is the largest seen of late, and stays so.
        assert np.isnan(found["U.vars.upsilon"][3]).tolist() == [False, True, False, True]


def test_plastic_weights(engine: Any) -> None:
    plastic = {"tauPlus": 20.0, "tauMinus": 15.0, "Aplus": 0.02, "Aminus": 0.015, "Wmin": 0.0, "Wmax": 1.0}

    def network(g: Any, made: Any) -> None:
        regular = g.create_neuron_model("regular", sim_code="", threshold_condition_code="fmod(t + id, 3.0) == 0.0")
        pre = made.add_neuron_population("Pre", 2, regular, {}, {})
        post = made.add_neuron_population("Post", 3, regular, {}, {})
        weights = np.array([np.nan, 0.5, 0.5, 0.5, 0.5, np.nan])
        rule = g.init_weight_update("STDP", plastic, {"g": weights})
        made.add_synapse_population("S", "DENSE", pre, post, rule, g.init_postsynaptic("DeltaCurr"))

    found = trace(engine, network, STEPS)
    last = found["S.vars.g"][STEPS].ravel()
    assert np.isnan(last).tolist() == [True, False, False, False, False, True]
    assert not np.array_equal(last[1:5], [0.5] * 4)


def test_graded_synapses(engine: Any) -> None:
    def network(g: Any, made: Any) -> None:
        holder = g.create_neuron_model("holder", sim_code="V += Isyn;", vars=[("V", "scalar")])
        fixed = g.create_neuron_model("fixed", sim_code="", vars=[("V", "scalar")])
        pre = made.add_neuron_population("Pre", 2, fixed, {}, {"V": np.array([-30.0, np.nan])})
        post = made.add_neuron_population("Post", 3, holder, {}, {"V": 0.0})
        weights = np.array([1.0, np.nan, -1.0] + [1.0] * 3)
        rule = g.init_weight_update(
            "StaticGraded",
            {"Epre": -40.0, "Vslope": 10.0},
            {"g": weights},
            pre_var_refs={"V": g.create_var_ref(pre, "V")},
        )
        made.add_synapse_population("S", "DENSE", pre, post, rule, g.init_postsynaptic("DeltaCurr"))

    found = trace(engine, network, 3)["Post.vars.V"][3]
    # tanh(1) in each of the timesteps whose events have arrived; nothing flows back.
    np.testing.assert_allclose(found, [2.0 * np.tanh(1.0), np.nan, 0.0], rtol=1e-6)


@pytest.mark.parametrize("where", ["w", "e", "lambda", "m", "z", "zTilda", "V", "errTilda"])
def test_superspike(any_engine: Any, where: str) -> None:
    """One NaN in a network of which most neurons are silent: over more than a block of deferred timesteps."""
    steps, sizes = 150, (5, 4)
    bad = {"V": (Ellipsis, 2), "errTilda": (Ellipsis, 2), "z": (3, Ellipsis), "zTilda": (3, Ellipsis)}.get(
        where, (3, 2)
    )

    def with_nan(name: str, value: float, shape: Any, place: Any) -> Any:
        values = np.full(shape, value)
        if name == where:
            values[place] = np.nan
        return values

    def network(g: Any, made: Any) -> None:
        first = g.create_neuron_model("first", sim_code="", threshold_condition_code="id == 0 && fmod(t, 7.0) == 0.0")
        fixed = g.create_neuron_model("fixed", sim_code="", vars=[("V", "scalar"), ("errTilda", "scalar")])
        pre = made.add_neuron_population("Pre", sizes[0], first, {}, {})
        state = {"V": with_nan("V", -51.0, sizes[1], 2), "errTilda": with_nan("errTilda", 0.5, sizes[1], 2)}
        post = made.add_neuron_population("Post", sizes[1], fixed, {}, state)
        each = {
            n: with_nan(n, v, sizes, (3, 2)).ravel() for n, v in [("w", 1.0), ("e", 0.0), ("lambda", 0.0), ("m", 0.0)]
        }
        rule = g.init_weight_update(
            models.SuperSpike,
            {"tauRise": 5.0, "tauDecay": 10.0, "beta": 100.0, "Vthresh": -50.0},
            each,
            {name: with_nan(name, 0.0, sizes[0], 3) for name in ("z", "zTilda")},
            {"sigmaPrime": 0.0},
            post_var_refs={name: g.create_var_ref(post, name) for name in ("V", "errTilda")},
        )
        made.add_synapse_population("S", "DENSE", pre, post, rule, g.init_postsynaptic("DeltaCurr"))

    model = any_engine.model("case")
    network(any_engine.api, model)
    model.build()
    model.load()
    for _ in range(steps):
        model.step_time()
    name = "w" if where == "w" else "m"
    weights = model.synapse_populations["S"].vars[name]
    weights.pull_from_device()
    found = np.isnan(np.reshape(weights.current_values, sizes))
    model.unload()
    expected = np.zeros(sizes, dtype=bool)
    expected[bad] = True
    np.testing.assert_array_equal(found, expected)
