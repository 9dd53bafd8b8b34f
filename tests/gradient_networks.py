"""Networks to differentiate: each described once, for the engine and for the reference in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bptt_reference as by_hand
import numpy as np
import torch
from numpy.typing import NDArray

from snnlearn import grad
from snnlearn.models import LIF
from snnlearn.models.surrogates import FastSigmoid

MEMBRANE = {
    "C": 1.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -62.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0,
}  # fmt: skip
BETA = 0.3
TAU = 5.0


@dataclass
class Weights:
    """One connection: a weight for each pair that is connected, and perhaps a delay along the dendrite for each."""

    source: str
    target: str
    values: NDArray[np.float64]  # (pre, post)
    axonal: int = 0
    dendritic: NDArray[np.int64] | None = None
    connected: NDArray[np.bool_] | None = None
    tau: float | None = TAU

    @property
    def name(self) -> str:
        return f"{self.source}{self.target}"


@dataclass
class Case:
    """A network of LIF neurons, its input and where its loss is: ``(V + 58)^2 / 2`` of these populations."""

    inputs: NDArray[np.bool_]  # (timesteps, batch, neurons)
    sizes: Mapping[str, int]
    weights: Sequence[Weights]
    losses: Sequence[str]
    detach_reset: bool = True
    windows: Sequence[int] = ()  # their lengths; by default one
    precision: str = "double"
    dt: float = 1.0
    groups: dict[str, Any] = field(default_factory=dict)

    @property
    def lengths(self) -> Sequence[int]:
        return self.windows or [len(self.inputs)]


def scripted(g: Any) -> Any:
    """Return neurons that spike as an array says, whatever the time."""
    return g.create_neuron_model(
        "Scripted",
        vars=[("step", "int")],
        extra_global_params=[("mask", "uint8_t*")],
        sim_code="const int now = step; step += 1;",
        threshold_condition_code="mask[(now * num_batch + batch) * num_neurons + id] != 0",
    )


def describe(g: Any, case: Case, **preferences: Any) -> Any:
    """Describe a case to the engine; its groups are in ``case.groups``."""
    model = g.GeNNModel(case.precision, "gradients", **preferences)
    model.dt, model.seed, model.batch_size = case.dt, 1, case.inputs.shape[1]
    groups = case.groups
    groups["Input"] = source = model.add_neuron_population("Input", case.inputs.shape[2], scripted(g), {}, {"step": 0})
    source.extra_global_params["mask"].set_init_values(case.inputs.ravel().astype(np.uint8))
    for name, size in case.sizes.items():
        start = {"V": MEMBRANE["Vrest"], "RefracTime": 0.0}
        groups[name] = model.add_neuron_population(name, size, LIF, MEMBRANE, start)
    for w in case.weights:
        groups[w.name] = _connect(g, model, groups, w)
    return model


def _connect(g: Any, model: Any, groups: Mapping[str, Any], w: Weights) -> Any:
    matrix, chosen = ("DENSE", ...) if w.connected is None else ("SPARSE", w.connected)
    psm = g.init_postsynaptic("DeltaCurr") if w.tau is None else g.init_postsynaptic("ExpCurr", {"tau": w.tau})
    if w.dendritic is None:
        rule = g.init_weight_update("StaticPulse", {}, {"g": w.values[chosen].ravel()})
    else:
        values = {"g": w.values[chosen].ravel(), "d": w.dendritic[chosen].ravel()}
        rule = g.init_weight_update("StaticPulseDendriticDelay", {}, values)
    group = model.add_synapse_population(w.name, matrix, groups[w.source], groups[w.target], rule, psm)
    if w.connected is not None:
        group.set_sparse_connections(*np.nonzero(w.connected))
    if w.axonal:
        group.axonal_delay_steps = w.axonal
    if w.dendritic is not None:
        group.max_dendritic_delay_timesteps = int(w.dendritic.max()) + 1
    return group


def torch_gradients(case: Case) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Return the gradient of the loss for each connection, as the engine stores it, and all spikes."""
    leaves, connections = {}, []
    for w in case.weights:
        leaf = leaves[w.name] = torch.tensor(w.values, requires_grad=True)
        used = leaf if w.connected is None else leaf * torch.tensor(w.connected, dtype=leaf.dtype)
        late = np.zeros(w.values.shape, np.int64) if w.dendritic is None else w.dendritic
        by_delay = {w.axonal + int(d): used * torch.tensor(late == d, dtype=leaf.dtype) for d in np.unique(late)}
        connections.append(by_hand.Connection(w.source, w.target, by_delay, w.tau))
    neurons = {
        name: by_hand.Lif(size, MEMBRANE, BETA, detach_reset=case.detach_reset) for name, size in case.sizes.items()
    }
    cuts = np.cumsum(case.lengths)[:-1]
    total, spikes = by_hand.simulate(
        case.inputs, neurons, connections, case.dt,
        lambda t: sum(0.5 * ((neurons[name].v + 58) ** 2).sum() for name in case.losses), list(cuts),
    )  # fmt: skip
    total.backward()
    chosen = {w.name: ... if w.connected is None else w.connected for w in case.weights}
    return {name: leaf.grad.numpy()[chosen[name]].ravel() for name, leaf in leaves.items()}, spikes


# ---- what several tests are about ----

LOSS = grad.Loss("Distance", loss_code="loss = 0.5 * (V + 58.0) * (V + 58.0);")


def inputs(timesteps: int, batch: int = 1, neurons: int = 8, seed: int = 1) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.random.default_rng(seed).uniform(size=(timesteps, batch, neurons)) < 0.08
    return found


def weights(pre: int, post: int, mean: float, deviation: float, seed: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng([seed, pre, post]).normal(mean, deviation, (pre, post))


FIRST, SECOND = weights(8, 6, 8.0, 6.0), weights(6, 5, 6.0, 8.0)


def recurrent(windows: tuple[int, ...] = ()) -> Case:
    """A recurrent layer and a second one, with axonal delays of 0, 1 and 7 timesteps, and a loss of both."""
    chain = [
        Weights("Input", "A", FIRST, axonal=7),
        Weights("A", "A", weights(6, 6, 1.0, 4.0), axonal=1),
        Weights("A", "B", SECOND),
        Weights("B", "A", weights(5, 6, 1.0, 4.0), axonal=7),
    ]
    return Case(inputs(150), {"A": 6, "B": 5}, chain, ["A", "B"], windows=windows)


def program_of(case: Case, model: Any, **options: Any) -> grad.Program:
    groups = case.groups
    wrt = [groups[w.name].vars["g"] for w in case.weights]
    losses = {groups[name]: LOSS for name in case.losses}
    given = {"surrogate": FastSigmoid, "params": {"beta": BETA}, "window": max(case.lengths)}
    return grad.differentiate(model, wrt, losses, **{**given, "detach_reset": case.detach_reset, **options})
