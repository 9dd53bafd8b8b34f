"""Losses of several parts: parameters of one name, and comparisons, which count as constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError, GradientWarning
from snnlearn.models import LIF

MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 10.0, "Ioffset": 0.0, "TauRefrac": 3.0}
NEAR = grad.Loss("Near", params=["k"], loss_code="loss = 0.5 * (V - k) * (V - k);")
STRONG = grad.Loss("Strong", params=["k"], loss_code="loss = 0.01 * k * k * k * V * V * V;")
READOUT = genn.create_neuron_model("Readout", params=["TauM"], vars=["V"], sim_code="V += (Isyn - V) / TauM;")
ONE = grad.Loss("One", loss_code="loss = 0.5 * (V - 3.0) * (V - 3.0) + 0.00125 * V * V * V;")


class Network:
    """Poisson neurons and LIF neurons."""

    def __init__(self, neuron: Any = LIF) -> None:
        self.model = genn.GeNNModel("double", "losses", threads=1)
        self.model.dt, self.model.seed = 1.0, 1
        noise = self.model.add_neuron_population("Noise", 6, "Poisson", {"rate": 100.0}, {"timeStepToSpike": 0.0})
        params = {p.name: MEMBRANE[p.name] for p in neuron.params}
        self.neurons = self.model.add_neuron_population(
            "Neurons", 4, neuron, params, {v.name: 0.0 for v in neuron.vars}
        )
        send = genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Uniform", {"min": 1.0, "max": 5.0})})
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        self.synapses = self.model.add_synapse_population("Synapses", "DENSE", noise, self.neurons, send, psm)

    def differentiate(self, loss: grad.Loss, method: str, **params: float) -> Any:
        return grad.differentiate(
            self.model, [self.synapses.vars["g"]], {self.neurons: loss}, surrogate="FastSigmoid", method=method,
            params={"beta": 1.0, **params}, **({"window": 60} if method == "bptt" else {}),
        )  # fmt: skip

    def gradient(self, loss: grad.Loss, method: str, **params: float) -> Any:
        program = self.differentiate(loss, method, **params)
        self.model.build()
        self.model.load()
        self.model.run(60)
        if method == "bptt":
            program.backward()
        found = self.synapses.vars["g"].grad
        self.model.unload()
        return found


@pytest.mark.parametrize("method", ["bptt", pytest.param("rtrl", marks=pytest.mark.slow)])
def test_parts_with_a_parameter_of_one_name(method: str) -> None:
    """Each has its own value, as the same loss with numbers in their place has."""
    whole = Network().gradient(ONE, method)
    parts = Network().gradient(NEAR + STRONG, method, k=0.5, Near_k=3.0)
    assert np.abs(whole).max() > 0.0
    np.testing.assert_allclose(parts, whole, rtol=0.0, atol=1e-12 * np.abs(whole).max())
    same = Network().differentiate(NEAR + STRONG, method, k=2.0)
    assert "Near" in {part.name for part in (NEAR + STRONG).parts}
    assert same.requires_grad is not None


def test_values_of_parts() -> None:
    network = Network()
    with pytest.raises(GradientError, match="no parameter 'Neat_k'; did you mean 'Near_k'"):
        network.differentiate(NEAR, "bptt", Neat_k=1.0)
    with pytest.raises(GradientError, match="params has no value for 'k'"):
        network.differentiate(NEAR + STRONG, "bptt", Near_k=1.0)


@pytest.mark.parametrize("method", ["bptt", "rtrl", "superspike"])
def test_a_comparison_in_a_loss_is_warned_of(method: str) -> None:
    above = grad.Loss("Above", loss_code="loss = V > 3.0 ? (V - 3.0) * (V - 3.0) : 0.0;")
    with pytest.warns(GradientWarning, match="counts as constant") as found:
        program = Network(READOUT).differentiate(above, method)
    assert len(found) == 1
    line, caret = str(found[0].message).splitlines()[1:3]
    assert line[caret.index("^") :].startswith(("V > 3.0", "> 3.0"))
    assert "V > 3.0" in program.explain()


def test_a_comparison_of_what_no_synapse_drives_is_not() -> None:
    late = grad.Loss("Late", params=["begin"], loss_code="loss = t >= begin && RefracTime <= 0.0 ? V * V : 0.0;")
    Network().differentiate(late, "bptt", begin=10.0)
