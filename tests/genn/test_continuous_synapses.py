"""The reverse pass through synapses that send all the time, against the same network emitted as PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

from gradient_networks import scripted  # noqa: E402

import snnlearn.torch  # noqa: E402
from snnlearn import genn, grad  # noqa: E402
from snnlearn.errors import GradientError, GradientWarning  # noqa: E402
from snnlearn.models import LIF  # noqa: E402

STEPS = 60
SHARP = {"surrogate": "FastSigmoid", "params": {"beta": 0.5}, "detach_reset": False}
MEMBRANE = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
HALF = grad.Loss("Half", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
READS = {"pre_neuron_var_refs": [("Vm", "scalar", genn.VarAccessMode.READ_ONLY)]}
BENT = genn.create_weight_update_model(
    "Bent", params=["k"], vars=["g", "centre"], **READS,
    synapse_dynamics_code="const scalar x = k * (Vm - centre); addToPost(g * tanh(x)); addToPost(0.01 * g * g);",
)  # fmt: skip
WAVE = genn.create_neuron_model(
    "Wave", params=["a"], vars=["V"], sim_code="V += 0.1 * (a * sin(0.3 * t + id) - 55.0 - V) + Isyn;"
)


class Network:
    """Spikes into A; A to B and back, and a wave into B, by synapses that send all the time."""

    def __init__(self, *, sparse: bool = False, precision: str = "double", batch: int = 1) -> None:
        self.model = model = genn.GeNNModel(precision, "continuous", threads=1)
        model.dt, model.seed, model.batch_size = 0.5, 1, batch
        rng = np.random.default_rng(3)
        source = model.add_neuron_population("Input", 6, scripted(genn), {}, {"step": 0})
        source.extra_global_params["mask"].set_init_values(
            (rng.random((STEPS, batch, 6)) < 0.3).ravel().astype(np.uint8)
        )
        first = {"V": -65.0, "RefracTime": 0.0}
        a = model.add_neuron_population("A", 5, LIF, MEMBRANE, first)
        self.last = b = model.add_neuron_population("B", 4, LIF, MEMBRANE, first)
        wave = model.add_neuron_population("Wave", 3, WAVE, {"a": 30.0}, {"V": np.array([-40.0, -60.0, -50.0])})
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})

        def spikes(values: Any) -> Any:
            return genn.init_weight_update("StaticPulse", {}, {"g": values})

        def bent(values: Any, group: Any) -> Any:
            refs = {"Vm": genn.create_var_ref(group, "V")}
            return genn.init_weight_update(BENT, {"k": 0.2}, {"g": values, "centre": values - 65.0}, pre_var_refs=refs)

        def graded(values: Any) -> Any:
            params, refs = {"Epre": -60.0, "Vslope": 10.0}, {"V": genn.create_var_ref(wave, "V")}
            return genn.init_weight_update("StaticGraded", params, {"g": values}, pre_var_refs=refs)

        self.wrt = []
        for name, ends, rule, strength, delay in (
            ("InputA", (source, a), spikes, 3.0, 0),
            ("AB", (a, b), lambda values: bent(values, a), 0.05, 0),
            ("BA", (b, a), lambda values: bent(values, b), 0.02, 3),
            ("WaveB", (wave, b), graded, 0.6, 1),
            ("AWave", (a, wave), spikes, 0.5, 0),
        ):
            there = rng.random((ends[0].num_neurons, ends[1].num_neurons)) < (0.7 if sparse else 2.0)
            values = np.abs(rng.normal(strength, strength, there.sum()))
            group = model.add_synapse_population(name, "SPARSE" if sparse else "DENSE", *ends, rule(values), current)
            if sparse:
                group.set_sparse_connections(*np.nonzero(there))
            group.axonal_delay_steps = delay
            self.wrt.append(group.vars["g"])
        self.wrt.append(model.synapse_populations["AB"].vars["centre"])

    def found(self, windows: tuple[int, ...] = (STEPS,), **options: Any) -> list[Any]:
        """Return the engine's gradients."""
        program = grad.differentiate(self.model, self.wrt, {self.last: HALF}, window=STEPS, **SHARP, **options)
        self.model.build()
        self.model.load()
        for length in windows:
            self.model.run(length)
            program.backward()
        gradients = [w.grad.ravel() for w in self.wrt]
        self.model.unload()
        return gradients

    def expected(self, windows: tuple[int, ...] = (STEPS,)) -> list[Any]:
        """Return PyTorch's."""
        net = snnlearn.torch.to_module(self.model, parameters=self.wrt, **SHARP)
        state, spikes = None, {"A": 0, "B": 0}
        for length in windows:
            outputs = net(timesteps=length, state=state)
            (0.5 * (outputs["B"]["V"] + 58.0).square()).sum().backward()
            state = outputs.state.detach()
            spikes = {layer: count + int(outputs[layer]["spikes"].sum()) for layer, count in spikes.items()}
        assert min(spikes.values()) >= 8
        return [parameter.grad.numpy().ravel() for parameter in net.parameters()]


def assert_close(found: list[Any], expected: list[Any], bound: float = 1e-10) -> None:
    for one, exact in zip(found, expected, strict=True):
        assert np.abs(exact).max() > 0.0
        np.testing.assert_allclose(one, exact, rtol=0.0, atol=bound * np.abs(exact).max())


pytestmark = pytest.mark.filterwarnings("ignore:model 'StaticGraded'")  # of its comparison, constant for both


@pytest.mark.slow
def test_gradients_agree() -> None:
    network = Network(sparse=True, batch=2)
    expected = network.expected()
    assert_close(network.found(checkpoint=16), expected)


def test_windows() -> None:
    """What is on its way when one begins brings its weights a gradient, and nothing to what sent it."""
    network = Network()
    expected = network.expected((20, 2, 38))
    assert_close(network.found((20, 2, 38)), expected)


@pytest.mark.slow
def test_in_single_precision() -> None:
    expected = Network().expected()
    assert_close(Network(precision="float").found(), expected, 1e-4)


PASSES = "const scalar x = Vm; addToPost(g * x);"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"synapse_dynamics_code": f"g += 0.1; {PASSES}"}, "it changes 'g'"),
        ({"synapse_dynamics_code": f"addToPre(g); {PASSES}"}, "it calls addToPre"),
        ({"synapse_dynamics_code": f"{PASSES} addToPost(g * t);"}, "it depends on 't'"),
        ({"synapse_dynamics_code": "scalar x = g * Vm;"}, "it sends nothing"),
        ({"synapse_dynamics_code": PASSES, "pre_spike_syn_code": "addToPost(g);"}, "it has synapse_dynamics_code"),
        ({"synapse_dynamics_code": "addToPost(Vm);"}, "sends nothing that depends on 'g' by a derivative"),
        (
            {"pre_event_threshold_condition_code": "Vm > -60.0", "pre_event_syn_code": PASSES},
            "which spikes reset in the",
        ),
    ],
)
def test_what_is_refused(fields: dict[str, str], message: str) -> None:
    network = Network()
    a, b = (network.model.neuron_populations[name] for name in "AB")
    rule = genn.create_weight_update_model("Odd", vars=["g"], **READS, **fields)
    init = genn.init_weight_update(rule, {}, {"g": 0.1}, pre_var_refs={"Vm": genn.create_var_ref(a, "V")})
    odd = network.model.add_synapse_population("Odd", "DENSE", a, b, init, genn.init_postsynaptic("DeltaCurr"))
    with pytest.raises(GradientError, match=message):
        grad.differentiate(network.model, [odd.vars["g"]], {network.last: HALF}, window=STEPS, **SHARP)


@pytest.mark.filterwarnings("default")
def test_a_comparison_counts_as_constant() -> None:
    network = Network()
    with pytest.warns(GradientWarning, match=r"released < 0\.0(.|\n)*\^"):
        program = grad.differentiate(network.model, network.wrt, {network.last: HALF}, window=STEPS, **SHARP)
    assert (
        "AB: sums up the gradient of g, centre and carries adjoints on (what it sends depends on V of A"
        in program.explain()
    )
    graph = program.graph()
    assert '"A.V" -> "B.Isyn" [label="t-1"];' in graph
    assert '"B.V" -> "A.Isyn" [label="t-4"];' in graph
    assert '"A.spikes" -> "Wave.Isyn" [label="t-1"];' in graph
