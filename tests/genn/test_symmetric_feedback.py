"""Symmetric feedback: where nothing is cut, forward rules with it give what backpropagation through time does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from snnlearn import genn, grad
from snnlearn.errors import GradientError
from snnlearn.grad.credit import FeedbackLoss
from snnlearn.models import LIF, Feedback, SuperSpikeHidden, SuperSpikeOutput

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

import bptt_reference as by_hand
import torch
from feedback_networks import LEVEL, OPTIONS, READOUT, STEPS, Network, worst
from gradient_networks import BETA, MEMBRANE, Case, Weights, describe

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    "network",
    [pytest.param(Network(), marks=pytest.mark.slow), Network(batch=3, sparse=True, own=True)],
    ids=["dense", "sparse-batch"],
)
def test_with_linear_readouts_it_is_backpropagation_through_time(network: Network) -> None:
    """What has no other neurons' spikes on its way is not cut, and two readouts' errors add up."""
    assert worst(network.found(), network.expected()) < 1e-10


@pytest.mark.slow
def test_in_single_precision_it_is_nearly_so() -> None:
    network = Network(precision="float")
    assert worst(network.found(), network.expected()) < 1e-4


CONV = {"conv_kh": 3, "conv_kw": 2, "conv_ih": 4, "conv_iw": 5, "conv_ic": 1, "conv_oh": 4, "conv_ow": 6, "conv_oc": 2}
FULL = {**CONV, "conv_sh": 1, "conv_sw": 1, "conv_padh": 1, "conv_padw": 1}


def convolution(kind: str) -> tuple[Any, Any, Any, Any]:
    """Return a model whose hidden layer leads to a readout by a kernel, the readout, and both connections."""
    model = genn.GeNNModel("double", "kernel", threads=1)
    model.dt, model.seed = 1.0, 1
    source = model.add_neuron_population("Input", 8, "Poisson", {"rate": 80.0}, {"timeStepToSpike": 0.0})
    hidden = model.add_neuron_population("Hidden", 20, LIF, MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
    readout = model.add_neuron_population("Readout", 48, READOUT, {"tau": 20.0}, {"V": 0.0})
    psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
    first, kernel = RANDOM.normal(8.0, 6.0, (8, 20)), np.random.default_rng(3).normal(0.5, 1.0, 12)
    toeplitz = genn.init_toeplitz_connectivity("Conv2D", CONV)
    init = toeplitz if kind == "TOEPLITZ" else genn.init_sparse_connectivity("Conv2D", FULL)
    rules = [genn.init_weight_update("StaticPulse", {}, {"g": values.ravel()}) for values in (first, kernel)]
    one = model.add_synapse_population("One", "DENSE", source, hidden, rules[0], psm)
    two = model.add_synapse_population("Two", kind, hidden, readout, rules[1], psm, init)
    return model, readout, one.vars["g"], two.vars["g"]


@pytest.mark.parametrize("kind", ["TOEPLITZ", pytest.param("PROCEDURAL_KERNELG", marks=pytest.mark.slow)])
def test_weights_that_synapses_share(kind: str) -> None:
    """They send errors back; they have no traces of their own."""
    found = []
    state = RANDOM.bit_generator.state
    for method in ("bptt", "rtrl"):
        RANDOM.bit_generator.state = state
        model, readout, weights, shared = convolution(kind)
        options = {**OPTIONS, **({"feedback": None, "window": STEPS} if method == "bptt" else {})}
        if method == "rtrl":
            with pytest.raises(GradientError, match="'Two': a forward rule keeps traces for each synapse"):
                grad.differentiate(model, [weights, shared], {readout: LEVEL}, method=method, **options)
        program = grad.differentiate(model, [weights], {readout: LEVEL}, method=method, **options)
        model.build()
        model.load()
        model.run(STEPS if method == "bptt" else STEPS + 3)
        if method == "bptt":
            program.backward()
        found.append({"": weights.grad.ravel()})
        model.unload()
    assert np.abs(found[0][""]).max() > 0.0
    assert worst(*found) < 1e-10


# ---- outputs that spike ----


class Kept(by_hand.Lif):
    """Neurons that keep their spikes, and what they would do to a neuron like them that does not spike."""

    def start(self, batch: int) -> None:
        super().start(batch)
        self.arrived = self.answer = torch.zeros((batch, self.size), dtype=torch.float64)
        self.s = torch.zeros((batch, self.size), dtype=torch.float64)

    def step(self, current: Any, dt: float) -> Any:
        decay, leak = np.exp(-dt / 5.0), np.exp(-dt / MEMBRANE["TauM"])
        self.arrived = self.arrived + self.s  # of the timestep before
        steady = MEMBRANE["TauM"] / MEMBRANE["C"] * 5.0 * (1.0 - decay) / dt * self.arrived
        self.answer, self.arrived = steady - leak * (steady - self.answer), self.arrived * decay
        self.s = super().step(current, dt)
        return self.s


def test_spiking_outputs_answer_linearly() -> None:
    """What a hidden spike does, as if the output did not spike, times the weighted errors; the rest is cut."""
    random = np.random.default_rng(9)
    inputs = random.uniform(size=(STEPS + 3, 1, 8)) < 0.1
    inputs[STEPS:] = False
    first, second = random.normal(8.0, 6.0, (8, 6)), random.normal(6.0, 8.0, (6, 5))
    case = Case(inputs, {"A": 6, "B": 5}, [Weights("Input", "A", first), Weights("A", "B", second)], ["B"])
    model = describe(genn, case, threads=1)
    distance = grad.Loss("Distance", params=["stop"], loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")
    program = grad.differentiate(
        model, [case.groups["InputA"].vars["g"]], {case.groups["B"]: distance}, method="rtrl", **OPTIONS
    )
    model.build()
    model.load()
    model.run(STEPS + 3)
    found = case.groups["InputA"].vars["g"].grad.ravel()
    assert set(model.synapse_populations) == {"InputA", "AB"}
    assert [v.name for v in case.groups["AB"].model.vars] == ["g"]  # there is no copy of the weights
    assert "AB: sends its weights times the loss's derivative at B back to ErrorInput of A" in program.explain()
    model.unload()

    leaf, hidden, output = torch.tensor(first, requires_grad=True), Kept(6, MEMBRANE, BETA), Kept(5, MEMBRANE, BETA)
    chain = [
        by_hand.Connection("Input", "A", {0: leaf}, 5.0), by_hand.Connection("A", "B", {0: torch.tensor(second)}, 5.0)
    ]  # fmt: skip

    def each(t: int) -> Any:
        if t > STEPS:  # its signal is not there yet when the run ends
            return None
        signal = (output.v.detach() + 58.0) @ torch.tensor(second).T
        return (signal * hidden.answer).sum()

    total, spikes = by_hand.simulate(inputs, {"A": hidden, "B": output}, chain, 1.0, each)
    assert min(spikes[name].sum() for name in "AB") > 50
    total.backward()
    expected = leaf.grad.numpy().ravel()
    assert np.abs(found - expected).max() < 1e-10 * np.abs(expected).max()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["superspike", "eprop"])
def test_it_is_the_declared_feedback_of_superspike(method: Any) -> None:
    """A connection of its own, whose weights are the transpose, brings the same error at the same time."""
    found = []
    for feedback in (None, "symmetric"):
        model, groups = superspike()
        losses: dict[Any, Any] = {groups["Output"]: ERROR}
        if feedback is None:
            losses[groups["Hidden"]] = grad.FeedbackLoss(SuperSpikeOutput, ERROR)
            back = model.add_synapse_population(
                "Back", "DENSE", groups["Output"], groups["Hidden"],
                genn.init_weight_update(
                    Feedback, {}, {"w": SECOND.T.ravel()},
                    pre_var_refs={"errTilda": genn.create_var_ref(groups["Output"], "errTilda")},
                ),
                genn.init_postsynaptic("DeltaCurr"),
            )  # fmt: skip
            back.post_target_var = "ISynFeedback"
        wrt = [groups[name].vars["g"] for name in ("InputHidden", "HiddenOutput")]
        options = {**OPTIONS, "params": {"beta": BETA}, "feedback": feedback}
        grad.differentiate(model, wrt, losses, method=method, **options)
        model.build()
        model.load()
        model.run(300)
        found.append({str(i): w.grad.ravel() for i, w in enumerate(wrt)})
        assert groups["Hidden"].model == SuperSpikeHidden
        model.unload()
    assert worst(*found) < 1e-12
    assert all(np.abs(values).max() > 0.0 for values in found[0].values())


ERROR = grad.Loss("HalfSquaredError", loss_code="loss = 0.5 * errTilda * errTilda;")
FIRST, SECOND = RANDOM.normal(8.0, 5.0, (8, 6)), RANDOM.normal(8.0, 6.0, (6, 5))


def superspike() -> tuple[Any, dict[str, Any]]:
    """Return a network of SuperSpike's neurons and its groups."""
    model = genn.GeNNModel("double", "superspike", threads=1)
    model.dt, model.seed = 0.5, 1
    membrane = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 3.0}
    rest = {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    more = {"errRise": 0.0, "errDecay": 0.0, "avgSqrErr": 0.0, "startSpike": np.arange(5) * 6}
    error = {"tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 1000.0}
    source = model.add_neuron_population("Input", 8, "Poisson", {"rate": 80.0}, {"timeStepToSpike": 0.0})
    hidden = model.add_neuron_population("Hidden", 6, SuperSpikeHidden, membrane, rest)
    rest |= {**more, "endSpike": np.arange(1, 6) * 6}
    output = model.add_neuron_population("Output", 5, SuperSpikeOutput, {**membrane, **error}, rest)
    output.extra_global_params["spikeTimes"].set_init_values(
        np.sort(np.random.default_rng(4).uniform(0.0, 150.0, (5, 6)), axis=1).ravel()
    )
    groups = {"Input": source, "Hidden": hidden, "Output": output}
    for a, b, weights in (("Input", "Hidden", FIRST), ("Hidden", "Output", SECOND)):
        rule = genn.init_weight_update("StaticPulse", {}, {"g": weights.ravel()})
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        groups[a + b] = model.add_synapse_population(a + b, "DENSE", groups[a], groups[b], rule, psm)
    return model, groups


# ---- misuse ----


def test_what_is_refused() -> None:
    model, groups = superspike()
    weights, loss = [groups["InputHidden"].vars["g"]], {groups["Output"]: ERROR}
    given = {**OPTIONS, "params": {"beta": BETA}}
    with pytest.raises(GradientError, match="there is no feedback 'symetric'; did you mean 'symmetric'"):
        grad.differentiate(model, weights, loss, method="eprop", **{**given, "feedback": "symetric"})
    with pytest.raises(
        GradientError, match="feedback is for forward rules, 'superspike', 'eprop', 'rtrl': 'bptt' goes"
    ):
        grad.differentiate(model, weights, loss, method="bptt", window=5, **given)
    first, second = [groups["HiddenOutput"].vars["g"]], {groups["Hidden"]: ERROR}
    with pytest.raises(GradientError, match="'Output' is connected to no population with a loss that could send"):
        grad.differentiate(model, first, second, method="eprop", **given)
    source = model.add_current_source("Noise", "DC", groups["Hidden"], {"amp": 1.0})
    source.target_var = "ISynFeedback"
    with pytest.raises(GradientError, match="'Hidden' gets 'ISynFeedback' from 'Noise' already"):
        grad.differentiate(model, weights, loss, method="eprop", **given)
    source.target_var = "Isyn"
    groups["HiddenOutput"].axonal_delay_steps = 2
    program = grad.differentiate(model, weights, loss, method="eprop", **given)
    assert "approximated: its delays" in program.explain()
    assert "comes a timestep late" in program.explain()


# ---- a wrong rule ----


def _signal_a_step_off(patch: pytest.MonkeyPatch) -> None:
    """Pair the error with the tangents of the timestep in which it arrives."""
    patch.setattr(FeedbackLoss, "late", property(lambda self: False))


def _signal_of_one_readout(patch: pytest.MonkeyPatch) -> None:
    """Send all errors to the first input."""
    from snnlearn.genn import symmetric_feedback

    real = symmetric_feedback.Sender.send
    patch.setattr(symmetric_feedback.Sender, "send", lambda self, p: real(replace(self, input="ErrorInput"), p))


def _signal_without_weights(patch: pytest.MonkeyPatch) -> None:
    from snnlearn.genn import symmetric_feedback

    real, one = symmetric_feedback.Sender.send, symmetric_feedback.algebra.number(1.0)
    patch.setattr(symmetric_feedback.Sender, "send", lambda self, p: real(replace(self, amount=one), p))


@pytest.mark.slow
@pytest.mark.parametrize("fault", [_signal_a_step_off, _signal_of_one_readout, _signal_without_weights])
def test_a_wrong_feedback_is_found(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Any], None]) -> None:
    expected = Network().expected()
    fault(monkeypatch)
    found = Network().found()
    assert worst({"AR": found["AR"]}, {"AR": expected["AR"]}) < 1e-10
    assert worst(found, expected) > 1e-3
