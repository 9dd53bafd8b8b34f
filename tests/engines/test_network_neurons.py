"""IF, LI, CubaLIF, ALIF and AdEx on every engine, against their differential equations.

The references know no closed form: from one timestep to the next they integrate with Runge and Kutta's method of order
four, whose error is below the bound. AdEx is declared as Euler's method, and is compared with that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agreement import trace

STEPS, SIZE, DT, PARTS = 160, 6, 0.5, 20
Array = NDArray[np.float64]
States = dict[str, Array]
MEMBRANE = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Ioffset": 0.1}
SPIKING = {"C": 0.5, "Vreset": -70.0, "Vthresh": -55.0, "Ioffset": 0.1, "TauRefrac": 2.0}
AMPLITUDE = np.linspace(0.2, 1.0, SIZE) + 0.0137  # no potential is at a threshold by chance
NEURONS: dict[str, tuple[dict[str, float], dict[str, Any]]] = {
    "IF": (SPIKING, {"V": -65.0, "RefracTime": 0.0}),
    "LI": (MEMBRANE, {"V": -70.0}),
    "CubaLIF": (
        {**MEMBRANE, **SPIKING, "TauSyn": 8.0, "WIn": 1.5},
        {"V": -65.0, "I": np.linspace(-0.2, 0.8, SIZE), "RefracTime": 0.0},
    ),
    "ALIF": (
        {**MEMBRANE, "Vthresh": -55.0, "TauRefrac": 1.5, "TauAdapt": 60.0, "Beta": 1.5},
        {"V": -65.0, "A": 0.5, "RefracTime": 0.0},
    ),
    "AdEx": (
        {
            "C": 0.281, "gL": 0.03, "EL": -70.6, "VT": -50.4, "DeltaT": 2.0, "Vreset": -65.0, "Vpeak": -30.0,
            "TauW": 144.0, "a": 0.004, "b": 0.0805, "Ioffset": 0.3,
        },
        {"V": -70.6, "W": 0.01},
    ),
}  # fmt: skip


def network(g: Any, model: Any) -> None:
    code = "const int step = (int) (t / dt + 0.5); injectCurrent(step % 40 < 30 ? amp : -0.5 * amp);"
    on_and_off = g.create_current_source_model("OnAndOff", injection_code=code, vars=[("amp", "scalar")])
    for name, (params, first) in NEURONS.items():
        neurons = model.add_neuron_population(name, SIZE, name, params, first)
        model.add_current_source(f"To{name}", on_and_off, neurons, {}, {"amp": AMPLITUDE})


def integrate(slope: Callable[[States], States], state: States) -> States:
    """Return a state a timestep later."""

    def after(by: States, time: float) -> States:
        return {name: value + time * by[name] for name, value in state.items()}

    for _ in range(PARTS):
        width = DT / PARTS
        a = slope(state)
        b = slope(after(a, width / 2.0))
        c = slope(after(b, width / 2.0))
        d = slope(after(c, width))
        state = {n: v + width / 6.0 * (a[n] + 2.0 * b[n] + 2.0 * c[n] + d[n]) for n, v in state.items()}
    return state


def slopes(name: str, p: dict[str, float], current: Array) -> Callable[[States], States]:
    """Return the differential equations of a neuron, for what is injected in this timestep."""

    def leaky(s: States, driving: Array) -> Array:
        return (p["Vrest"] - s["V"]) / p["TauM"] + driving / p["C"]

    return {
        "IF": lambda s: {"V": (current + p["Ioffset"]) / p["C"]},
        "LI": lambda s: {"V": leaky(s, current + p["Ioffset"])},
        "CubaLIF": lambda s: {
            "V": leaky(s, s["I"]),
            "I": (p["WIn"] * (current + p["Ioffset"]) - s["I"]) / p["TauSyn"],
        },
        "ALIF": lambda s: {"V": leaky(s, current + p["Ioffset"]), "A": -s["A"] / p["TauAdapt"]},
        "AdEx": lambda s: {
            "V": (
                p["gL"] * (p["DeltaT"] * np.exp(np.minimum((s["V"] - p["VT"]) / p["DeltaT"], 20.0)) - s["V"] + p["EL"])
                - s["W"]
                + current
                + p["Ioffset"]
            )
            / p["C"],
            "W": (p["a"] * (s["V"] - p["EL"]) - s["W"]) / p["TauW"],
        },
    }[name]


def reference(name: str) -> tuple[dict[str, Array], set[tuple[float, int]]]:
    """Return all variables after each timestep, shape (timesteps, neurons), and the spikes' times and neurons."""
    p, first = NEURONS[name]
    state = {n: np.full(SIZE, value, np.float64) for n, value in first.items() if n != "RefracTime"}
    waiting = np.zeros(SIZE)  # timesteps
    rows: dict[str, list[Array]] = {n: [] for n in state}
    spikes = set()
    for step in range(STEPS):
        slope = slopes(name, p, AMPLITUDE * (1.0 if step % 40 < 30 else -0.5))
        by = slope(state)
        moved = {n: v + DT * by[n] for n, v in state.items()} if name == "AdEx" else integrate(slope, state)
        still = (waiting > 0.0) & (name != "ALIF")
        moved["V"] = np.where(still, state["V"], moved["V"])
        state, waiting = moved, np.maximum(waiting - 1.0, 0.0)
        if name != "LI":
            threshold = (
                p["Vpeak"] if name == "AdEx" else p["Vthresh"] + p.get("Beta", 0.0) * state.get("A", np.zeros(1))
            )
            spike = (waiting <= 0.0) & ~still & (state["V"] >= threshold)
            waiting[spike] = p.get("TauRefrac", 0.0) / DT
            down = state["V"] - p["Vthresh"] + p["Vrest"] if name == "ALIF" else p["Vreset"]
            state["V"] = np.where(spike, down, state["V"])
            for n, more in (("A", 1.0), ("W", p.get("b", 0.0))):
                if n in state:
                    state[n] = state[n] + more * spike
            spikes |= {(step * DT, int(neuron)) for neuron in np.flatnonzero(spike)}
        for n, value in state.items():
            rows[n].append(value)
    return {n: np.array(values) for n, values in rows.items()}, spikes


@pytest.mark.few_engines
def test_their_differential_equations(engine: Any) -> None:
    found = trace(engine, network, STEPS, precision="double", dt=DT)
    for name in NEURONS:
        rows, spikes = reference(name)
        assert name == "LI" or len(spikes) > 10
        if name != "LI":
            times, ids = found[f"spikes {name}"][0]
            assert set(zip(times.tolist(), ids.astype(int).tolist(), strict=True)) == spikes, name
        for n, expected in rows.items():
            values = np.array(found[f"{name}.vars.{n}"][1:])
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=f"{name}.{n}")
