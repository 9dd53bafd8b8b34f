"""Spiking networks in PyTorch by hand, in the engine's order, for gradients by its autograd: the reference of tests.

Nothing here knows of snnlearn's derivations. All is in double precision, shape (batch, neurons) in each timestep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

torch.set_num_threads(1)


class FastSigmoid(torch.autograd.Function):
    """A step whose derivative is ``beta / (1 + |beta h|)^2``."""

    @staticmethod
    def forward(ctx: Any, h: torch.Tensor, beta: float) -> torch.Tensor:
        ctx.save_for_backward(h)
        ctx.beta = beta
        return (h >= 0).to(h.dtype)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (h,) = ctx.saved_tensors
        return grad * ctx.beta / (1 + (ctx.beta * h).abs()) ** 2, None


class Lif:
    """Leaky integrate-and-fire neurons, as `snnlearn.models.LIF`; parameters may be tensors that want a gradient."""

    def __init__(self, size: int, params: dict[str, Any], beta: float, *, detach_reset: bool = True) -> None:
        self.size, self.p, self.beta, self.detach_reset = size, params, beta, detach_reset

    def start(self, batch: int) -> None:
        self.v = torch.full((batch, self.size), float(self.p["Vrest"]), dtype=torch.float64)
        self.left = torch.zeros((batch, self.size), dtype=torch.int64)

    def cut(self) -> None:
        self.v = self.v.detach()

    def step(self, current: torch.Tensor, dt: float) -> torch.Tensor:
        p = self.p
        decay = torch.exp(-dt / torch.as_tensor(p["TauM"], dtype=torch.float64))
        steady = p["Vrest"] + p["TauM"] / p["C"] * (current + p["Ioffset"])
        idle = self.left > 0
        v = torch.where(idle, self.v, steady - decay * (steady - self.v))
        left = torch.where(idle, self.left - 1, self.left)
        free = (left <= 0).to(v.dtype)
        s = FastSigmoid.apply(v - p["Vthresh"], self.beta) * free
        spiked = s.detach() > 0
        if self.detach_reset:
            self.v = torch.where(spiked, torch.as_tensor(p["Vreset"], dtype=v.dtype), v)
        else:
            self.v = v + s * (p["Vreset"] - v)
        self.left = torch.where(spiked, round(p["TauRefrac"] / dt), left)
        return s


class Leaky:
    """Neurons that do not spike: ``V = Isyn - exp(-dt / tau) (Isyn - V)``."""

    def __init__(self, size: int, tau: float) -> None:
        self.size, self.tau = size, tau

    def start(self, batch: int) -> None:
        self.v = torch.zeros((batch, self.size), dtype=torch.float64)

    def cut(self) -> None:
        self.v = self.v.detach()

    def step(self, current: torch.Tensor, dt: float) -> torch.Tensor:
        self.v = current - np.exp(-dt / self.tau) * (current - self.v)
        return torch.zeros_like(self.v)


@dataclass
class Connection:
    """Weights, a matrix for each delay: delay ``d`` delivers what was emitted ``1 + d`` timesteps ago."""

    source: str
    target: str
    weights: dict[int, torch.Tensor]  # (pre, post)
    tau: float | None = None  # of an exponential current; none: for one timestep
    current: torch.Tensor = field(init=False)


def simulate(
    inputs: np.ndarray,
    neurons: dict[str, Any],
    connections: Sequence[Connection],
    dt: float,
    each: Callable[[int], torch.Tensor | None],
    cuts: Sequence[int] = (),
) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
    """Run a network; returns the sum of what ``each(t)`` gives after each timestep, and the spikes.

    Parameters
    ----------
    inputs : ndarray, shape (timesteps, batch, neurons)
        Spikes of the population ``"Input"``.
    cuts : sequence of int
        The timesteps before which the state is detached.
    """
    timesteps, batch = inputs.shape[:2]
    emitted: dict[str, list[torch.Tensor]] = {"Input": [], **{name: [] for name in neurons}}
    for name in neurons:
        neurons[name].start(batch)
    for c in connections:
        c.current = torch.zeros((batch, neurons[c.target].size), dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for t in range(timesteps):
        if t in cuts:
            for population in neurons.values():
                population.cut()
            for c in connections:
                c.current = c.current.detach()
            emitted = {name: [s.detach() for s in spikes] for name, spikes in emitted.items()}
        currents = {name: torch.zeros((batch, n.size), dtype=torch.float64) for name, n in neurons.items()}
        for c in connections:
            arrived = c.current
            for delay, weights in c.weights.items():
                if t - 1 - delay >= 0:
                    arrived = arrived + emitted[c.source][t - 1 - delay] @ weights
            if c.tau is None:
                currents[c.target] = currents[c.target] + arrived
                c.current = torch.zeros_like(arrived)
            else:
                decay = np.exp(-dt / c.tau)
                currents[c.target] = currents[c.target] + c.tau * (1 - decay) / dt * arrived
                c.current = arrived * decay
        emitted["Input"].append(torch.as_tensor(inputs[t], dtype=torch.float64))
        for name, population in neurons.items():
            emitted[name].append(population.step(currents[name], dt))
        more = each(t)
        if more is not None:
            total = total + more
    return total, {name: torch.stack(s).detach().numpy() for name, s in emitted.items() if s}
