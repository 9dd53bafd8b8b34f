"""PyTorch computes what the C++ engine does, in double precision: the same spikes, variables to 1e-10.

A few networks of the table; ``pytest tests/engines --torch -k torch`` runs all of it on PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from agreement import Network, assert_alive, assert_same, trace
from snnlearn import genn
from torch_models import TorchModel

LIF = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Vreset": -70.0, "Vthresh": -50.0, "Ioffset": 0.5, "TauRefrac": 5.0}
STDP = {"tauPlus": 20.0, "tauMinus": 15.0, "Aplus": 0.02, "Aminus": 0.015, "Wmin": 0.0, "Wmax": 1.0}
TRAUB_MILES = {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143}


class Torch:
    """The torch engine, as `agreement.trace` takes engines."""

    api = genn

    @staticmethod
    def model(name: str = "case", dt: float = 1.0, **preferences: Any) -> TorchModel:
        model = TorchModel("double", name, **preferences)
        model.dt, model.seed = dt, 1
        return model


def sources(g: Any, model: Any, steps: int, number: int = 10) -> Any:
    """Add neurons that spike now and then."""
    rng = np.random.default_rng(8)
    times = [np.sort(rng.choice(steps, steps // 25, replace=False)) * model.dt for _ in range(number)]
    ends = np.cumsum([len(t) for t in times])
    first = {"startSpike": ends - [len(t) for t in times], "endSpike": ends}
    made = model.add_neuron_population("Sources", number, "SpikeSourceArray", {}, first)
    made.extra_global_params["spikeTimes"].set_init_values(np.concatenate(times))
    return made


def plastic(g: Any, model: Any) -> None:
    """Two recurrent populations: STDP, conductances, delays of all kinds, random connections, weights and noise."""
    spikes = sources(g, model, 1000)
    lif = model.add_neuron_population(
        "LIF", 12, "LIF", LIF, {"V": g.init_var("Uniform", {"min": -65.0, "max": -51.0}), "RefracTime": 0.0}
    )
    izhikevich = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}
    other = model.add_neuron_population("Other", 9, "Izhikevich", izhikevich, {"V": -65.0, "U": -13.0})
    current = g.init_postsynaptic("ExpCurr", {"tau": 5.0})
    rule = g.init_weight_update("STDP", STDP, {"g": g.init_var("Normal", {"mean": 0.3, "sd": 0.1})})
    s = model.add_synapse_population("Plastic", "DENSE", spikes, lif, rule, current)
    s.axonal_delay_steps, s.back_prop_delay_steps = 3, 2
    late = g.init_weight_update(
        "StaticPulseDendriticDelay", {}, {"g": 2.0, "d": g.init_var("Uniform", {"min": 0.0, "max": 4.9})}
    )
    d = model.add_synapse_population(
        "Late", "SPARSE", lif, other, late, current, g.init_sparse_connectivity("FixedProbability", {"prob": 0.4})
    )
    d.max_dendritic_delay_timesteps = 5
    conductance = g.init_postsynaptic("ExpCond", {"tau": 8.0, "E": -80.0}, {}, {"V": g.create_var_ref(lif, "V")})
    back = g.init_weight_update("StaticPulse", {}, {"g": 0.1})
    model.add_synapse_population(
        "Back", "SPARSE", other, lif, back, conductance, g.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
    )
    model.add_current_source("Noise", "GaussianNoise", lif, {"mean": 0.1, "sd": 0.3})


def channels(g: Any, model: Any) -> None:
    """Neurons with a loop in their code."""
    spikes = sources(g, model, 150)
    first = {"V": np.linspace(-65.0, -58.0, 5), "m": 0.0529, "h": 0.3177, "n": 0.5961}
    neurons = model.add_neuron_population("TraubMiles", 5, "TraubMiles", TRAUB_MILES, first)
    rule, psm = g.init_weight_update("StaticPulse", {}, {"g": 0.1}), g.init_postsynaptic("ExpCurr", {"tau": 2.0})
    model.add_synapse_population("Into", "DENSE", spikes, neurons, rule, psm)


def batch(g: Any, model: Any) -> Any:
    """Three copies with noise of their own, and a custom update that adds up over them."""
    model.batch_size = 3
    lif = model.add_neuron_population("LIF", 6, "LIF", LIF, {"V": -60.0, "RefracTime": 0.0})
    model.add_current_source("Noise", "GaussianNoise", lif, {"mean": 0.2, "sd": 1.0})
    model.add_current_source("Many", "PoissonExp", lif, {"weight": 0.5, "tauSyn": 5.0, "rate": 900.0}, {"current": 0.0})
    rule = g.init_weight_update("StaticPulse", {}, {"g": g.init_var("Uniform", {"min": -0.5, "max": 1.0})})
    model.add_synapse_population("Own", "DENSE", lif, lif, rule, g.init_postsynaptic("ExpCurr", {"tau": 5.0}))
    update = g.create_custom_update_model(
        "Mean",
        vars=[("sum", "scalar", g.CustomUpdateVarAccess.REDUCE_BATCH_SUM)],
        var_refs=[("V", "scalar", g.VarAccessMode.READ_ONLY)],
        update_code="sum = V;",
    )
    model.add_custom_update("Mean", "Now", update, {}, {"sum": 0.0}, {"V": g.create_var_ref(lif, "V")})
    return lambda timestep: model.custom_update("Now") if timestep % 7 == 0 else None


@pytest.mark.parametrize(
    ("network", "steps", "dt", "alive"),
    [
        (plastic, 1000, 0.5, ["spikes LIF", "spikes Other", "Plastic.vars.g"]),
        (channels, 100, 0.125, ["spikes TraubMiles", "TraubMiles.vars.V"]),
        (batch, 200, 0.5, ["spikes LIF", "Mean.vars.sum"]),
    ],
    ids=["plastic", "channels", "batch"],
)
def test_torch_is_the_engine(network: Network, steps: int, dt: float, alive: list[str], reference: Any) -> None:
    expected = reference(network, steps, dt=dt, precision="double")
    assert_alive(expected, *alive)
    # Each timestep adds a few roundings of 2^-53, of numbers up to 100; what two orders of additions may leave is less.
    assert_same(trace(Torch(), network, steps, dt=dt), expected, rtol=1e-10, atol=1e-10)
