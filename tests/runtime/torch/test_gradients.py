"""Derivatives of emitted networks: against finite differences of smooth twins, and against BPTT written by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

import gradient_networks as networks  # noqa: E402
from torch.autograd import gradcheck, gradgradcheck  # noqa: E402

import snnlearn.torch  # noqa: E402
import torch_models  # noqa: E402, F401
from snnlearn import genn, models  # noqa: E402
from snnlearn.declare import NeuronModel  # noqa: E402
from snnlearn.genn import GeNNModel, init_postsynaptic, init_weight_update  # noqa: E402

MEMBRANE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
TRAUB_MILES = {"gNa": 7.15, "ENa": 50.0, "gK": 1.43, "EK": -95.0, "gl": 0.02672, "El": -63.563, "C": 0.143}


ADEX = {
    "C": 0.281, "gL": 0.03, "EL": -70.6, "VT": -50.4, "DeltaT": 2.0, "Vreset": -65.0, "Vpeak": -40.0, "TauW": 144.0,
    "a": 0.004, "b": 0.0805, "Ioffset": 0.3,
}  # fmt: skip


def without(params: dict[str, float], *names: str) -> dict[str, float]:
    return {name: value for name, value in params.items() if name not in names}


@dataclass(frozen=True)
class Neuron:
    """A model with values, near its threshold."""

    model: NeuronModel
    params: dict[str, float]
    first: dict[str, float]
    steps: int = 6
    size: int = 2


ERROR = {"errRise": 0.1, "errTilda": 0.0, "errDecay": 0.1, "avgSqrErr": 0.0, "startSpike": 0, "endSpike": 0}
NEURONS = {
    n.model.name: n
    for n in [
        Neuron(models.LIF, networks.MEMBRANE, {"V": -52.0, "RefracTime": 0.0}),
        Neuron(models.IF, without(networks.MEMBRANE, "TauM", "Vrest"), {"V": -52.0, "RefracTime": 0.0}),
        Neuron(models.LI, without(networks.MEMBRANE, "Vreset", "Vthresh", "TauRefrac"), {"V": -52.0}),
        Neuron(
            models.CubaLIF,
            {**networks.MEMBRANE, "TauSyn": 5.0, "WIn": 2.0},
            {"V": -52.0, "I": 0.5, "RefracTime": 0.0},
        ),
        Neuron(
            models.ALIF,
            {**without(networks.MEMBRANE, "Vreset"), "TauAdapt": 50.0, "Beta": 2.0},
            {"V": -52.0, "A": 0.3, "RefracTime": 0.0},
        ),
        Neuron(models.AdEx, ADEX, {"V": -47.0, "W": 0.01}),
        Neuron(models.Izhikevich, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, {"V": -55.0, "U": -13.0}),
        Neuron(
            models.find(NeuronModel, "IzhikevichVariable"),
            {},
            {"V": -55.0, "U": -13.0, "a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0},
        ),
        Neuron(models.TraubMiles, TRAUB_MILES, {"V": -60.0, "m": 0.053, "h": 0.318, "n": 0.596}, steps=2, size=1),
        Neuron(
            models.RulkovMap, {"Vspike": 60.0, "alpha": 3.0, "y": -2.468, "beta": 2.64e-3}, {"V": -55.0, "preV": -60.0}
        ),
        Neuron(models.SuperSpikeHidden, MEMBRANE, {"V": -52.0, "refracTime": 0.0, "errTilda": 0.0}),
        Neuron(
            models.SuperSpikeOutput,
            {**MEMBRANE, "tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 100.0},
            {"V": -52.0, "refracTime": 0.0, **ERROR},
        ),
        Neuron(
            models.ClassReadout,
            {"tauMem": 10.0, "tStart": 1.0},
            {"V": 0.1, "target": 1.0, "errTilda": 0.0, "score": 0.0},
        ),
    ]
}
# Of these no gradient can be asked for, and why.
WITHOUT = {
    "Poisson": "its spikes are drawn at random and nothing moves them",
    "SpikeSourceArray": "its spikes are given, and its variables are integers",
    "PatternSource": "its spikes are given, and its variables are integers",
    "AnalogSource": "it has no timestep of its own: its value is given",
}


def described(neuron: Neuron) -> tuple[GeNNModel, list[Any]]:
    """Return a population behind a connection, and what is to be differentiated with respect to."""
    model = GeNNModel("double", "checked")
    model.dt = 0.5
    source = model.add_neuron_population("S", 2, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 0})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    n = model.add_neuron_population("N", neuron.size, neuron.model, neuron.params, neuron.first)
    if n.extra_global_params:
        n.extra_global_params["spikeTimes"].set_init_values([0.0])
    weights = np.array([1.0, 0.5, -0.3, 0.8])[: 2 * neuron.size]
    rule = init_weight_update("StaticPulse", {}, {"g": weights})
    s = model.add_synapse_population("W", "DENSE", source, n, rule, init_postsynaptic("ExpCurr", {"tau": 5.0}))
    return model, [s.vars["g"], *(v for v in n.vars.values() if v.type == "scalar")]


def twin(neuron: Neuron, *, smooth: bool = True) -> Any:
    model, parameters = described(neuron)
    return snnlearn.torch.to_module(
        model, parameters=parameters, surrogate="FastSigmoid", params={"beta": 0.3}, smooth=smooth
    )


def as_function(net: Any, steps: int) -> tuple[Any, list[Any]]:
    """Return a network's run as a function of its parameters, and values of these away from all ties."""
    names = [name for name, _ in net.named_parameters()]
    spikes = torch.tensor(np.random.default_rng(1).integers(0, 2, (steps, 2)), dtype=torch.float64)

    def run(*values: Any) -> tuple[Any, ...]:
        outputs = torch.func.functional_call(net, dict(zip(names, values, strict=True)), ({"S": spikes},))
        return tuple(x for x in outputs["N"].values() if x.requires_grad)

    generator = torch.Generator().manual_seed(0)
    values = [p.detach() + 0.013 * torch.rand(p.shape, generator=generator, dtype=p.dtype) for p in net.parameters()]
    return run, [value.requires_grad_() for value in values]


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS.keys())
def test_smooth_twins_have_the_derivatives_of_finite_differences(neuron: Neuron) -> None:
    run, values = as_function(twin(neuron), neuron.steps)
    # With this step the rounding of 60 mV is 60 * 2^-53 / 1e-5, 1e-9, and what the quotient leaves out is less.
    assert gradcheck(run, values, eps=1e-5, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("name", ["LIF", "ALIF", "SuperSpikeHidden", "SuperSpikeOutput"])
def test_second_derivatives_of_smooth_twins(name: str) -> None:
    run, values = as_function(twin(replace(NEURONS[name], size=1)), 3)
    assert gradgradcheck(run, values, atol=1e-8, rtol=1e-6)


def test_every_neuron_model_of_the_library_is_among_them() -> None:
    library = {model.name for model in models.ALL if isinstance(model, NeuronModel)}
    assert library <= NEURONS.keys() | WITHOUT.keys()


@pytest.mark.parametrize("potential", [-52.0, -25.0, -50.0])
def test_no_nan_where_a_singularity_can_be_removed(potential: float) -> None:
    net = twin(NEURONS["TraubMiles"], smooth=False)
    with torch.no_grad():
        net.N_V.fill_(potential)
    total = net({"S": torch.zeros(1, 2)})["N"]["V"].sum()
    first = torch.autograd.grad(total, list(net.parameters()), create_graph=True)
    assert all(torch.isfinite(x).all() for x in first)
    assert first[1].abs().min() > 0.1, "the potential still depends on the one before"
    second = torch.autograd.grad(sum(x.square().sum() for x in first), list(net.parameters()))
    assert all(torch.isfinite(x).all() for x in second)


STDP = {"tauPlus": 20.0, "tauMinus": 15.0, "Aplus": 0.02, "Aminus": 0.015, "Wmin": 0.0, "Wmax": 1.0}
TRACES = {"tauRise": 5.0, "tauDecay": 10.0}
SYNAPSES = {
    "StaticPulse, DeltaCurr": ("StaticPulse", {}, {"g": 6.0}, "DeltaCurr"),
    "StaticPulse, ExpCond": ("StaticPulse", {}, {"g": 0.3}, "ExpCond"),
    "StaticPulseDendriticDelay": ("StaticPulseDendriticDelay", {}, {"g": 6.0, "d": [0, 1, 2, 1]}, "ExpCurr"),
    "StaticGraded": ("StaticGraded", {"Epre": -55.0, "Vslope": 10.0}, {"g": 6.0}, "ExpCurr"),
    "STDP": ("STDP", STDP, {"g": [0.5, 0.4, 0.3, 0.6]}, "ExpCurr"),
    "SuperSpikeReadout": ("SuperSpikeReadout", TRACES, {"w": 6.0, "m": 0.0}, "ExpCurr"),
    "SuperSpike": (
        "SuperSpike",
        {**TRACES, "beta": 10.0, "Vthresh": -50.0},
        {"w": 6.0, "e": 0.0, "lambda": 0.0, "m": 0.0},
        "ExpCurr",
    ),
}


def connected(rule: str, params: Any, values: Any, psm: str) -> tuple[GeNNModel, list[Any]]:
    """Return two populations, the first driven by its start and the second by the first."""
    model = GeNNModel("double", "synapses")
    model.dt = 0.5
    first = {"V": np.array([-49.0, -53.0]), "refracTime": 0.0, "errTilda": 0.3}
    a, b = (model.add_neuron_population(n, 2, "SuperSpikeHidden", MEMBRANE, first) for n in "AB")
    to_v, to_error = genn.create_var_ref(b, "V"), genn.create_var_ref(b, "errTilda")
    references = {"SuperSpike": {"V": to_v, "errTilda": to_error}, "SuperSpikeReadout": {"errTilda": to_error}}
    traces = {"z": 0.2, "zTilda": 0.1} if rule.startswith("SuperSpike") else {}
    pre = {"V": genn.create_var_ref(a, "V")} if rule == "StaticGraded" else {}
    post = {"sigmaPrime": 0.0} if rule == "SuperSpike" else {}
    update = init_weight_update(rule, params, values, traces, post, pre, references.get(rule, {}))
    inputs = {
        "DeltaCurr": lambda: init_postsynaptic("DeltaCurr"),
        "ExpCurr": lambda: init_postsynaptic("ExpCurr", {"tau": 5.0}),
        "ExpCond": lambda: init_postsynaptic("ExpCond", {"tau": 5.0, "E": 0.0}, {}, {"V": to_v}),
    }
    s = model.add_synapse_population("W", "DENSE", a, b, update, inputs[psm]())
    if rule == "StaticPulseDendriticDelay":
        s.max_dendritic_delay_timesteps = 3
    return model, [a.vars["V"], *(v for name, v in s.vars.items() if name != "d"), *s.pre_vars.values()]


@pytest.mark.parametrize("case", SYNAPSES.values(), ids=SYNAPSES.keys())
def test_synapses_have_the_derivatives_of_finite_differences(case: Any) -> None:
    model, parameters = connected(*case)
    recorded = {"B": ["V"], "W": [v.name for v in parameters if v.location.group == "W"]}
    net = snnlearn.torch.to_module(
        model, parameters=parameters, surrogate="FastSigmoid", params={"beta": 0.3}, smooth=True, record=recorded
    )
    names = [name for name, _ in net.named_parameters()]

    def run(*values: Any) -> tuple[Any, ...]:
        outputs = torch.func.functional_call(net, dict(zip(names, values, strict=True)), (None, 5))
        return tuple(x for group in outputs.values() for x in group.values() if x.requires_grad)

    generator = torch.Generator().manual_seed(0)
    values = [p.detach() + 0.013 * torch.rand(p.shape, generator=generator, dtype=p.dtype) for p in net.parameters()]
    values = [value.requires_grad_() for value in values]
    gradients = torch.autograd.grad(run(*values)[0].sum(), values[:2])
    assert all(g.abs().max() > 1e-6 for g in gradients), "the postsynaptic potential depends on both"
    assert gradcheck(run, values, eps=1e-5, atol=1e-8, rtol=1e-8)


def random(shape: tuple[int, ...], seed: int, strength: float = 6.0) -> Any:
    return np.random.default_rng(seed).normal(0.8, strength / np.sqrt(shape[0]), shape)


def _inputs(batch: int = 1) -> Any:
    return np.random.default_rng(0).random((60, batch, 12)) < 0.2


W = networks.Weights
CASES = {
    "layers": networks.Case(
        _inputs(), {"A": 10, "B": 4}, [W("Input", "A", random((12, 10), 1)), W("A", "B", random((10, 4), 2))], ["B"]
    ),
    "recurrent, sparse, axonal delay": networks.Case(
        _inputs(),
        {"A": 10},
        [
            W("Input", "A", random((12, 10), 1)),
            W("A", "A", random((10, 10), 2), 3, connected=np.random.default_rng(5).random((10, 10)) < 0.4),
        ],
        ["A"],
    ),
    "dendritic delays": networks.Case(
        _inputs(),
        {"A": 10, "B": 4},
        [
            W("Input", "A", random((12, 10), 1)),
            W("A", "B", random((10, 4), 2), dendritic=np.random.default_rng(6).integers(0, 5, (10, 4))),
        ],
        ["A", "B"],
    ),
    "a batch": networks.Case(
        _inputs(3), {"A": 10, "B": 4}, [W("Input", "A", random((12, 10), 1)), W("A", "B", random((10, 4), 2))], ["B"]
    ),
}


@pytest.mark.parametrize("detach_reset", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_a_network_written_by_hand(name: str, detach_reset: bool) -> None:
    case = replace(CASES[name], detach_reset=detach_reset)
    expected, spikes = networks.torch_gradients(case)
    model = networks.describe(genn, case)
    net = snnlearn.torch.to_module(
        model,
        parameters=[case.groups[w.name].vars["g"] for w in case.weights],
        surrogate="FastSigmoid",
        params={"beta": networks.BETA},
        detach_reset=detach_reset,
    )
    outputs = net(timesteps=len(case.inputs))
    sum(0.5 * (outputs[group]["V"] + 58).square().sum() for group in case.losses).backward()
    for group in case.sizes:
        assert int(outputs[group]["spikes"].sum()) > 20, "there are spikes"
        np.testing.assert_array_equal(outputs[group]["spikes"].detach().numpy() > 0.5, np.array(spikes[group]) > 0.5)
    for w in case.weights:
        found = getattr(net, f"{w.name}_g").grad.numpy().ravel()
        scale = np.abs(expected[w.name]).max()
        assert scale > 0.0
        np.testing.assert_allclose(found, expected[w.name], rtol=0.0, atol=1e-10 * scale)
