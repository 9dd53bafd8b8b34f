"""Gradients by the reverse pass, against PyTorch's autograd of networks written by hand, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn import genn, grad
from snnlearn.genn import adjoint_network
from snnlearn.models.surrogates import FastSigmoid

pytest.importorskip("torch", reason="the reference of gradients needs PyTorch, the extra 'torch'")

import bptt_reference as by_hand
import torch
from gradient_networks import (
    BETA,
    FIRST,
    LOSS,
    MEMBRANE,
    SECOND,
    Case,
    Weights,
    describe,
    inputs,
    program_of,
    recurrent,
    torch_gradients,
    weights,
)

EXACT = 1e-12  # of the largest gradient; 1e-10 is asked for


def layers() -> Case:
    """Three layers, whose resets pass derivatives."""
    chain = [
        Weights("Input", "A", FIRST),
        Weights("A", "B", SECOND),
        Weights("B", "C", weights(5, 4, 8.0, 8.0)),
    ]
    return Case(inputs(150), {"A": 6, "B": 5, "C": 4}, chain, ["C"], detach_reset=False)


def sparse_and_dendritic() -> Case:
    """Sparse connections, input for one timestep, and delays along dendrites."""
    random = np.random.default_rng(3)
    chain = [
        Weights("Input", "A", FIRST + 3.0, connected=random.uniform(size=(8, 6)) < 0.6, axonal=1, tau=None),
        Weights("A", "B", SECOND + 4.0, dendritic=random.integers(0, 5, (6, 5)), axonal=2),
        Weights("A", "A", weights(6, 6, 1.0, 4.0), connected=random.uniform(size=(6, 6)) < 0.5),
    ]
    return Case(inputs(150), {"A": 6, "B": 5}, chain, ["B"], windows=(80, 70), detach_reset=False)


def batch() -> Case:
    """32 copies of a network, sparse and dense."""
    chain = [
        Weights("Input", "A", FIRST, connected=np.random.default_rng(4).uniform(size=(8, 6)) < 0.8),
        Weights("A", "B", SECOND, axonal=2),
    ]
    return Case(inputs(80, 32), {"A": 6, "B": 5}, chain, ["B"], windows=(50, 30))


def run(case: Case, **preferences: Any) -> dict[str, NDArray[Any]]:
    """Return the gradients that the engine finds."""
    model = describe(genn, case, threads=1, **preferences)
    program = program_of(case, model)
    model.build()
    model.load()
    for length in case.lengths:
        model.run(length)
        program.backward()
    found = {w.name: case.groups[w.name].vars["g"].grad for w in case.weights}
    model.unload()
    return found


def distances(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(np.abs(found[name].ravel() - e.ravel()).max() / np.abs(e).max()) for name, e in expected.items()
    }


def assert_alive(spikes: dict[str, NDArray[Any]]) -> None:
    assert all(s.sum() > 30 for s in spikes.values())


@pytest.mark.parametrize("make", [layers, recurrent, lambda: recurrent((40, 50, 30, 30)), sparse_and_dendritic, batch])
def test_gradients_are_those_of_autograd(make: Callable[[], Case]) -> None:
    """Windows are what `detach` at the same timesteps is: spikes on their way count, what sent them does not."""
    case = make()
    expected, spikes = torch_gradients(case)
    assert_alive(spikes)
    assert max(distances(run(case), expected).values()) < EXACT


def test_single_precision() -> None:
    case = replace(recurrent((75, 75)), precision="float")
    expected, _ = torch_gradients(case)
    assert max(distances(run(case), expected).values()) < 1e-4


CONV = {"conv_kh": 3, "conv_kw": 2, "conv_ih": 4, "conv_iw": 5, "conv_ic": 1, "conv_oh": 4, "conv_ow": 6, "conv_oc": 2}
FULL = {**CONV, "conv_sh": 1, "conv_sw": 1, "conv_padh": 1, "conv_padw": 1}
PRE, POST, KERNEL = 20, 48, (3, 2, 1, 2)


def kernel_places() -> NDArray[np.int64]:
    """Return which element of the kernel each pair has, by the convolution's definition; -1 for none."""
    places = np.full((PRE, POST), -1)
    numbers = np.arange(np.prod(KERNEL)).reshape(KERNEL)
    for i, j, channel in np.ndindex(4, 6, 2):
        for k, m in np.ndindex(3, 2):
            row, column = i + k - 1, j + m - 1
            if 0 <= row < 4 and 0 <= column < 5:
                places[row * 5 + column, (i * 6 + j) * 2 + channel] = numbers[k, m, 0, channel]
    return places


@pytest.mark.parametrize("kind", ["TOEPLITZ", "PROCEDURAL_KERNELG"])
def test_weights_that_synapses_share(kind: str) -> None:
    case = Case(inputs(100, 2, PRE), {"A": POST, "B": 5}, [Weights("A", "B", weights(POST, 5, 2.0, 3.0))], ["B"])
    kernel = np.random.default_rng(3).normal(9.0, 6.0, KERNEL).ravel()
    model = describe(genn, case, threads=1)
    sparse, toeplitz = genn.init_sparse_connectivity, genn.init_toeplitz_connectivity
    init = toeplitz("Conv2D", CONV) if kind == "TOEPLITZ" else sparse("Conv2D", FULL)
    rule, psm = (
        genn.init_weight_update("StaticPulse", {}, {"g": kernel}),
        genn.init_postsynaptic("ExpCurr", {"tau": 5.0}),
    )
    ends = case.groups["Input"], case.groups["A"]
    shared = model.add_synapse_population("Shared", kind, *ends, rule, psm, init)
    wrt = [shared.vars["g"], case.groups["AB"].vars["g"]]
    loss = {case.groups["B"]: LOSS}
    program = grad.differentiate(model, wrt, loss, surrogate=FastSigmoid, params={"beta": BETA}, window=100)
    model.build()
    model.load()
    model.run(100)
    program.backward()

    leaves = torch.tensor(kernel, requires_grad=True), torch.tensor(case.weights[0].values, requires_grad=True)
    places = torch.tensor(kernel_places())
    dense = torch.where(places >= 0, leaves[0][places], 0.0)
    neurons = {"A": by_hand.Lif(POST, MEMBRANE, BETA), "B": by_hand.Lif(5, MEMBRANE, BETA)}
    chain = [by_hand.Connection("Input", "A", {0: dense}, 5.0), by_hand.Connection("A", "B", {0: leaves[1]}, 5.0)]
    total, spikes = by_hand.simulate(
        case.inputs, neurons, chain, 1.0, lambda t: (0.5 * (neurons["B"].v + 58.0) ** 2).sum()
    )
    total.backward()
    assert_alive(spikes)
    for variable, leaf in zip(wrt, leaves, strict=True):
        assert variable.grad.shape == variable.values.shape
        assert max(distances({"": variable.grad}, {"": leaf.grad.numpy()}).values()) < EXACT
    model.unload()


# ---- a wrong adjoint ----


def _late_spikes(patch: pytest.MonkeyPatch) -> None:
    """Replay spikes a timestep late."""
    patch.setattr(adjoint_network, "Playback", lambda *args, lag=0, **named: genn.Playback(*args, lag=0, **named))


def _late_surrogate(patch: pytest.MonkeyPatch) -> None:
    """Take the surrogate's derivative of another timestep."""

    def play(group: Any, variable: str, *args: Any, lag: int = 0, **named: Any) -> Any:
        return genn.Playback(group, variable, *args, lag=lag + variable.startswith("tapeCoefficient"), **named)

    patch.setattr(adjoint_network, "Playback", play)


def _no_spikes_before(patch: pytest.MonkeyPatch) -> None:
    """Forget what was on its way when the window began."""
    from snnlearn.genn.tapes import Tapes

    patch.setattr(Tapes, "earlier", property(lambda self: 0))


@pytest.mark.parametrize("fault", [_late_spikes, _late_surrogate, _no_spikes_before])
def test_a_wrong_adjoint_is_found(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Any], None]) -> None:
    case = recurrent((40, 50, 30, 30))
    expected, _ = torch_gradients(case)
    fault(monkeypatch)
    assert max(distances(run(case), expected).values()) > 1e-3


# ---- checkpoints ----


RELEASE = genn.create_custom_update_model(
    "Release", var_refs=[("left", "scalar", genn.VarAccessMode.READ_WRITE)], update_code="left = 0.0;"
)


@pytest.mark.parametrize("every", [16, 64])
def test_checkpoints_change_no_bit(every: int) -> None:
    """Nor do they where updates change neurons in the middle of a window, and where a tape is retained."""
    found = [run_with(recurrent((70, 80)), checkpoint=checkpoint) for checkpoint in (0, every)]
    for name, values in found[0].items():
        np.testing.assert_array_equal(found[1][name], values)


def run_with(case: Case, **options: Any) -> dict[str, NDArray[Any]]:
    """Return the gradients that the engine finds with these options: twice those of the last window."""
    model = describe(genn, case, threads=1)
    refractory = {"left": genn.create_var_ref(case.groups["A"], "RefracTime")}
    model.add_custom_update("Release", "Release", RELEASE, {}, {}, refractory)
    program = program_of(case, model, **options)
    model.build()
    model.load()
    for length in case.lengths:
        model.run(41)
        model.custom_update("Release")
        model.run(length - 41)
        if length == case.lengths[-1]:
            program.backward(retain_tape=True)
        program.backward()
    found = {w.name: case.groups[w.name].vars["g"].grad for w in case.weights}
    model.unload()
    return found
