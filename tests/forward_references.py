"""Gradients of small layers by PyTorch, written by hand: what forward rules are held against.

Every path that a forward rule cuts is detached here: what other neurons' spikes do, and the reset where it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def spikes_of(torch: Any, h: Array, beta: float, gate: Array) -> Array:
    """Return 0 or 1, with the fast sigmoid's derivative where the gate is open."""

    class Spike(torch.autograd.Function):  # type: ignore[name-defined,misc]
        @staticmethod
        def forward(ctx: Any, h: Array, gate: Array) -> Array:
            ctx.save_for_backward(h, gate)
            return (gate & (h >= 0.0)).to(h.dtype)

        @staticmethod
        def backward(ctx: Any, grad: Array) -> Any:
            h, gate = ctx.saved_tensors
            return grad * torch.where(gate, beta / (1.0 + (beta * h).abs()) ** 2, 0.0), None

    return Spike.apply(h, gate)


class Layer:
    """What a layer's timestep does, on tensors of one value for each neuron; subclasses say how."""

    def __init__(self, torch: Any, params: dict[str, float], dt: float, size: int, beta: float) -> None:
        self.torch, self.p, self.dt, self.beta = torch, params, dt, beta
        self.zero = torch.zeros(size, dtype=torch.float64)

    def step(self, current: Array) -> Array:
        """Move on by a timestep and return the spikes."""
        raise NotImplementedError


class SuperSpikeLayer(Layer):
    """SuperSpikeHidden, and of SuperSpikeOutput what it adds: the filtered error."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        p, dt = self.p, self.dt
        self.V, self.refractory = self.zero + p["Vrest"], self.zero.clone()
        self.rise, self.decay, self.error = self.zero, self.zero, self.zero
        self.leak, self.R = np.exp(-dt / p["tauMem"]), p["tauMem"] / p["C"]
        self.k_rise, self.k_decay = np.exp(-dt / p["tauRise"]), np.exp(-dt / p["tauDecay"])
        r, d = p["tauRise"], p["tauDecay"]
        peak = d * r / (d - r) * np.log(d / r)
        self.norm = 1.0 / (np.exp(-peak / d) - np.exp(-peak / r))

    def step(self, current: Array) -> Array:
        torch, p = self.torch, self.p
        V = torch.where(self.refractory == p["tauRefrac"], p["Vrest"], self.V)
        steady = p["Vrest"] + self.R * current
        open_before = self.refractory <= 0.0
        self.V = torch.where(open_before, steady - self.leak * (steady - V), V)
        refractory = torch.where(open_before, self.refractory, self.refractory - self.dt)
        spikes = spikes_of(torch, self.V - p["Vthresh"], self.beta, refractory <= 0.0)
        self.refractory = torch.where(spikes.detach() > 0.0, p["tauRefrac"], refractory)
        return spikes

    def filter(self, mismatch: Array) -> Array:
        """Return the error: the mismatch of spikes through a double exponential."""
        self.rise = self.rise * self.k_rise + mismatch
        self.decay = self.decay * self.k_decay + mismatch
        return (self.decay - self.rise) * self.norm


class LIFLayer(Layer):
    """LIF: the potential is reset with the spike; ``detach`` cuts the spike's derivative along it."""

    detach = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.V, self.left = self.zero + self.p["Vrest"], self.zero.clone()
        self.leak, self.R = np.exp(-self.dt / self.p["TauM"]), self.p["TauM"] / self.p["C"]

    def step(self, current: Array) -> Array:
        torch, p = self.torch, self.p
        waiting = self.left > 0.0
        left = torch.where(waiting, (torch.round(self.left / self.dt) - 1.0) * self.dt, self.left)
        steady = p["Vrest"] + self.R * (current + p["Ioffset"])
        V = torch.where(waiting, self.V, steady - self.leak * (steady - self.V))
        spikes = spikes_of(torch, V - p["Vthresh"], self.beta, left <= 0.0)
        s = spikes.detach() if self.detach else spikes
        self.V = V + s * (p["Vreset"] - V)
        self.left = torch.where(spikes.detach() > 0.0, p["TauRefrac"], left)
        return spikes


class ALIFLayer(Layer):
    """ALIF of the tests: a threshold that each spike raises, along which the spike's derivative passes.

    It goes on while it is refractory: only the gate keeps its spikes, and their derivatives, from being.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.V, self.A, self.left = self.zero.clone(), self.zero.clone(), self.zero.clone()

    def step(self, current: Array) -> Array:
        p = self.p
        V = p["alpha"] * self.V + current
        A = p["rho"] * self.A
        left = self.left - 1.0
        spikes = spikes_of(self.torch, V - (p["Vth"] + p["strength"] * A), self.beta, left <= 0.0)
        self.left = self.torch.where(spikes.detach() > 0.0, 4.0, left)
        self.V = V - spikes.detach() * p["Vth"]
        self.A = A + spikes
        return spikes


def gradient(
    torch: Any,
    layer: Layer,
    weights: Array,
    arriving: Array,
    current: Callable[[Array, Layer], tuple[Array, Array]],
    loss: Callable[[Layer, Array, int], Array],
) -> tuple[Array, int]:
    """Return the gradient of a loss by weights, and the number of spikes.

    Parameters
    ----------
    torch : module
    layer : Layer
    weights : array of shape (presynaptic, postsynaptic)
    arriving : array of shape (timesteps, presynaptic)
        Spikes as they arrive.
    current : function
        From inSyn and the layer to the current and inSyn afterwards.
    loss : function
        From the layer after a timestep, its spikes and the number of the timestep to the loss of each neuron.
    """
    torch.set_num_threads(1)
    w = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    s = torch.tensor(arriving, dtype=torch.float64)
    inSyn, total, count = layer.zero, layer.zero.sum(), 0
    for t in range(len(s)):
        inSyn = inSyn + s[t] @ w
        amount, inSyn = current(inSyn, layer)
        spikes = layer.step(amount)
        count += int(spikes.detach().sum())
        total = total + loss(layer, spikes, t).sum()
    total.backward()
    return w.grad.numpy(), count
