"""The derived reverse pass of neurons of the library has the gradients of the same network emitted as PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

from gradient_networks import scripted  # noqa: E402

import snnlearn.torch  # noqa: E402
from snnlearn import genn, grad  # noqa: E402
from snnlearn.genn import GeNNModel, init_postsynaptic, init_weight_update  # noqa: E402

STEPS, SIZES = 60, (6, 4, 3)
SHARP = {"surrogate": "FastSigmoid", "params": {"beta": 0.5}}
MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
ADEX = {
    "C": 0.281, "gL": 0.03, "EL": -70.6, "VT": -50.4, "DeltaT": 2.0, "Vreset": -65.0, "Vpeak": -42.0, "TauW": 144.0,
    "a": 0.004, "b": 0.0805, "Ioffset": 0.4,
}  # fmt: skip
FIRING = {"Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 2.0}
HALF = grad.Loss("Half", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
NEURONS = {  # parameters, first values, strength of the weights
    "Izhikevich": ({"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, {"V": -65.0, "U": -13.0}, 8.0),
    "TraubMiles": (
        {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143},
        {"V": -60.0, "m": 0.0529324, "h": 0.3176767, "n": 0.5961207},
        0.3,
    ),  # of 75 conditions and some 500 numbers in a timestep
    "IF": ({"C": 10.0, "Vreset": -60.0, **FIRING}, {"V": -60.0, "RefracTime": 0.0}, 12.0),
    "CubaLIF": (
        {"C": 10.0, "TauM": 10.0, "TauSyn": 5.0, "WIn": 1.0, "Vrest": -60.0, "Vreset": -62.0, **FIRING},
        {"V": -60.0, "I": 0.0, "RefracTime": 0.0},
        12.0,
    ),
    "ALIF": (
        {"C": 10.0, "TauM": 10.0, "Vrest": -60.0, **FIRING, "TauAdapt": 50.0, "Beta": 1.0},
        {"V": -60.0, "A": 0.0, "RefracTime": 0.0},
        12.0,
    ),
    "AdEx": (ADEX, {"V": -60.0, "W": 0.0}, 0.3),
    "SuperSpikeHidden": (MEMBRANE, {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}, 12.0),
}

SLOW = ("TraubMiles", "IF", "CubaLIF")  # the last two have no code that others have not


def described(name: str) -> tuple[GeNNModel, Any, list[Any]]:
    """Return two layers behind an input, with the last one and the weights."""
    params, first, strength = NEURONS[name]
    model = GeNNModel("double", "oracle")
    model.dt, model.seed = 0.5, 1
    rng = np.random.default_rng(3)
    layers = [model.add_neuron_population("Input", SIZES[0], scripted(genn), {}, {"step": 0})]
    mask = rng.random((STEPS, 1, SIZES[0])) < 0.3
    layers[0].extra_global_params["mask"].set_init_values(mask.ravel().astype(np.uint8))
    weights = []
    for number, size in enumerate(SIZES[1:]):
        layers.append(model.add_neuron_population(f"Layer{number}", size, name, params, first))
        values = rng.normal(strength, strength, SIZES[number] * size)
        rule, psm = init_weight_update("StaticPulse", {}, {"g": values}), init_postsynaptic("ExpCurr", {"tau": 5.0})
        group = model.add_synapse_population(f"To{number}", "DENSE", layers[number], layers[number + 1], rule, psm)
        weights.append(group.vars["g"])
    return model, layers[-1], weights


# Of the comparisons in their code, constant for both.
@pytest.mark.filterwarnings("ignore:model 'Izhikevich'", "ignore:model 'TraubMiles'")
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in NEURONS])
def test_gradients_agree(name: str) -> None:
    model, last, weights = described(name)
    net = snnlearn.torch.to_module(model, parameters=weights, detach_reset=False, **SHARP)
    outputs = net(timesteps=STEPS)
    assert min(int(outputs[layer]["spikes"].sum()) for layer in ("Layer0", "Layer1")) >= 8
    (0.5 * (outputs["Layer1"]["V"] + 58.0).square()).sum().backward()
    program = grad.differentiate(model, weights, {last: HALF}, window=STEPS, detach_reset=False, **SHARP)
    model.build()
    model.load()
    try:
        model.run(STEPS)
        program.backward()
        for variable, parameter in zip(weights, net.parameters(), strict=True):
            expected = parameter.grad.numpy().ravel()
            bound = 1e-10 * np.abs(expected).max()
            assert bound > 0.0
            np.testing.assert_allclose(np.ravel(variable.grad), expected, rtol=0.0, atol=bound)
        again = snnlearn.torch.to_module(model, parameters=weights, detach_reset=False, **SHARP)
        assert again(timesteps=1)["Layer1"]["V"].requires_grad, "a model that records can be one too"
    finally:
        model.unload()
