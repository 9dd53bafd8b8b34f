"""Inner loops that PyTorch differentiates: rates of synapses, and how long graphs live."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch.func import functional_call  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from snnlearn import genn  # noqa: E402
from snnlearn.meta import stop_gradient  # noqa: E402
from snnlearn.models import LIF  # noqa: E402
from snnlearn.torch import to_module  # noqa: E402

MEMBRANE = {"C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 2.0}
NAMES = ("InputHidden_g", "HiddenOutput_g")
STEPS = 9


def module(smooth: bool) -> Any:
    """Return two layers; the smooth twin's spikes are sigmoids, between 0 and 1."""
    model = genn.GeNNModel("double", "second_order")
    model.dt, model.seed = 1.0, 1
    source = model.add_neuron_population("Input", 5, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 0})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    rest = {"V": -60.0, "RefracTime": 0.0}
    hidden, output = (model.add_neuron_population(n, k, LIF, MEMBRANE, rest) for n, k in (("Hidden", 4), ("Output", 2)))
    trained = []
    for one, other, mean in ((source, hidden, 3.0), (hidden, output, 2.0)):
        rule = genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Normal", {"mean": mean, "sd": 1.0})})
        psm = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        name = one.name + other.name
        trained.append(model.add_synapse_population(name, "DENSE", one, other, rule, psm).vars["g"])
    return to_module(
        model, parameters=trained, surrogate="Sigmoid", params={"beta": 0.6}, smooth=smooth,
        record={"Output": ["V"]},
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def spiking() -> Any:
    return module(smooth=False)


def spikes(seed: int, steps: int = STEPS) -> Any:
    return torch.tensor(np.random.default_rng(seed).random((steps, 1, 5)) < 0.3, dtype=torch.float64)


def loss_of(net: Any, weights: dict[str, Any], x: Any) -> Any:
    return ((functional_call(net, weights, ({"Input": x},))["Output"]["V"] + 56.0) ** 2).mean()


def inner_loop(net: Any, weights: dict[str, Any], rates: dict[str, Any], x: Any, steps: int, graph: bool) -> Any:
    for _ in range(steps):
        grads = torch.autograd.grad(loss_of(net, weights, x), list(weights.values()), create_graph=graph)
        weights = {name: w - rates[name] * g for (name, w), g in zip(weights.items(), grads, strict=True)}
    return weights


def test_the_hypergradient_of_a_rate_for_each_synapse_through_two_inner_steps() -> None:
    """Against central differences, of the smooth twin: that of the spiking network are nobody's derivative."""
    net = module(smooth=True)
    start = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    random = np.random.default_rng(3)
    rates = {name: torch.tensor(random.uniform(0.05, 0.2, w.shape), requires_grad=True) for name, w in start.items()}
    seen, held_out = spikes(1), spikes(2)

    def outer(rates: dict[str, Any], graph: bool) -> Any:
        return loss_of(net, inner_loop(net, start, rates, seen, 2, graph), held_out)

    outer(rates, True).backward()
    found = np.concatenate([rates[name].grad.ravel().numpy() for name in NAMES])
    step, differences = 1e-5, []
    for name in NAMES:
        for at in np.ndindex(*rates[name].shape):
            ends = []
            for change in (step, -step):
                moved = {other: rate.detach().clone() for other, rate in rates.items()}
                moved[name][at] += change
                ends.append(outer(moved, False).item())
            differences.append((ends[0] - ends[1]) / (2 * step))
    assert np.count_nonzero(found) > 20
    assert np.abs(found - differences).max() <= 1e-6 * np.abs(found).max()


def test_first_order_is_minus_the_product_of_both_gradients(spiking: Any) -> None:
    """What the engine computes, `MetaSGDGradient`, is PyTorch's derivative with the inner gradients detached."""
    net = spiking
    start = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    rates = {name: torch.full_like(w, 0.2).requires_grad_() for name, w in start.items()}
    weights, path = start, dict.fromkeys(NAMES, 0.0)
    for _ in range(2):
        grads = torch.autograd.grad(loss_of(net, weights, spikes(1)), [weights[name] for name in NAMES])
        path = {name: path[name] - g for name, g in zip(NAMES, grads, strict=True)}
        weights = {name: weights[name] - rates[name] * g for name, g in zip(NAMES, grads, strict=True)}
    outer = torch.autograd.grad(loss_of(net, weights, spikes(2)), [*weights.values(), *rates.values()])
    for name, by_weight, by_rate in zip(NAMES, outer[:2], outer[2:], strict=True):
        np.testing.assert_allclose(by_rate, path[name] * by_weight, rtol=0, atol=1e-12)


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of all tensors that are made within it and live, and the most there have been."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: dict[int, Any] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = function(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, (list, tuple)) else (found,):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return found

    def _add(self, storage: Any) -> None:
        where = storage.data_ptr()
        if where in self._known and self._known[where]() is not None:
            return
        self._known[where] = weakref.ref(storage)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, storage.nbytes())

    def _forget(self, number: int) -> None:
        self.now -= number


def nodes_of(tensor: Any) -> int:
    """Return how many nodes the graph of a tensor has."""
    seen, waiting = set(), [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [following for following, _ in node.next_functions]
    return len(seen)


def rounds(
    net: Any, number: int, stop: Callable[..., None], memory: Any = None, retain: bool = False
) -> tuple[list[int], list[int]]:
    """Do rounds whose weights go on from one to the next; returns the peaks of memory, and the sizes of graphs."""
    weights = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    rates = {name: torch.full_like(w, 0.05).requires_grad_() for name, w in weights.items()}
    meta = torch.optim.SGD(rates.values(), lr=1e-3)
    peaks, sizes = [], []
    with contextlib.nullcontext() if memory is None else memory:
        for _ in range(number):
            if memory is not None:
                memory.peak = memory.now
            weights = inner_loop(net, weights, rates, spikes(1, 5), 1, True)
            outer = loss_of(net, weights, spikes(2, 5))
            sizes.append(nodes_of(outer))
            meta.zero_grad()
            outer.backward(retain_graph=retain)
            if not retain:  # the graph that is kept needs the rates as they were
                meta.step()
            stop(weights)
            del outer
            peaks.append(0 if memory is None else memory.peak)
    return peaks, sizes


def test_rounds_with_stop_gradient_have_the_graph_of_the_first(spiking: Any) -> None:
    _, sizes = rounds(spiking, 3, stop_gradient)
    assert len(set(sizes)) == 1


@pytest.mark.slow
def test_a_hundred_rounds_with_stop_gradient_take_the_memory_of_the_second(spiking: Any) -> None:
    peaks, sizes = rounds(spiking, 100, stop_gradient, LiveMemory())
    assert peaks[1] > 5_000
    assert peaks[99] <= 1.05 * peaks[1]
    assert sizes[99] == sizes[1] == sizes[0]
    peaks, _ = rounds(spiking, 3, lambda weights: None, LiveMemory(), retain=True)
    assert peaks[2] > 1.3 * peaks[1]  # what is not let go is counted


def test_without_it_the_second_round_fails_or_the_graph_grows(spiking: Any) -> None:
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        rounds(spiking, 2, lambda weights: None)
    _, sizes = rounds(spiking, 3, lambda weights: None, retain=True)
    assert sizes[2] > 1.3 * sizes[1]
