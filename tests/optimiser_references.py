"""The optimisers' papers in float64: nothing here knows of the models' code.

A reference takes the state so far (an empty dict at first), the weights, the gradients (of ascent, as all of
snnlearn's) and the settings of this step, and returns the step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Settings:
    """What a schedule sets, as the engine has it: in single precision."""

    lr: float = 0.05
    momentum: float = 0.9
    beta: float = 0.9
    decay: float = 0.0
    nesterov: bool = False
    hyper: float = 0.0  # what changes rates: IDBD's theta / errorScale, Baydin's beta
    error: float = 1.0  # IDBD's errorScale

    def __post_init__(self):
        for name in ("lr", "momentum", "beta", "decay", "hyper", "error"):
            setattr(self, name, float(np.float32(getattr(self, name))))

    def without_decay(self):
        return Settings(self.lr, self.momentum, self.beta, 0.0, self.nesterov)


def sgd(s, w, g, p):
    """torch.optim.SGD with dampening 0: b_1 = g_1, b_t = mu b_(t-1) + g_t; with Nesterov g_t + mu b_t."""
    g = g - p.decay * w
    s["b"] = g if "b" not in s else p.momentum * s["b"] + g
    return p.lr * (g + p.momentum * s["b"] if p.nesterov else s["b"])


def rms_prop(s, w, g, p):
    """Lecture 6e: MeanSquare_t = 0.9 MeanSquare_(t-1) + 0.1 g^2, step g / sqrt(MeanSquare); momentum over steps."""
    g = g - p.decay * w
    s["v"] = p.beta * s.get("v", 0.0) + (1.0 - p.beta) * g**2
    s["b"] = p.momentum * s.get("b", 0.0) + g / np.sqrt(s["v"])
    return p.lr * s["b"]


def adam(s, w, g, p):
    """Algorithm 1, each mean written as what it is: all gradients so far with their weights, divided by those."""
    g = g - p.decay * w
    s.setdefault("g", []).append(g)
    s["a"] = [p.momentum * a for a in s.get("a", [])] + [1.0 - p.momentum]
    s["c"] = [p.beta * c for c in s.get("c", [])] + [1.0 - p.beta]
    mean = sum(a * x for a, x in zip(s["a"], s["g"], strict=True)) / sum(s["a"])
    square = sum(c * x**2 for c, x in zip(s["c"], s["g"], strict=True)) / sum(s["c"])
    return p.lr * mean / np.sqrt(square)


def adam_w(s, w, g, p):
    """Algorithm 2 with the decay times lr, as torch.optim.AdamW."""
    return adam(s, w, g, p.without_decay()) - p.lr * p.decay * w


def r_max_prop(s, w, g, p):
    """v_t = max(gamma v_(t-1), g^2), step r0 g / sqrt(v); and a decoupled decay."""
    s["v"] = np.maximum(p.beta * s.get("v", 0.0), g**2)
    return p.lr * g / np.sqrt(s["v"]) - p.lr * p.decay * w


def meta_sgd(s, w, g, p):
    """Eq. 3: theta' = theta - alpha o grad L(theta); alpha is given, here all that lr is."""
    return p.lr * (g - p.decay * w)


def hypergradient_sgd(s, w, g, p):
    """Algorithm 4 for each weight: h_t = grad f_t u_(t-1), alpha_t = alpha_(t-1) - beta h_t, u_t = -alpha_t grad f_t.

    The rate here is lr alpha, with alpha 1 at first; u's derivative with respect to alpha is lr times the gradient.
    """
    g = g - p.decay * w
    s["alpha"] = s.get("alpha", 1.0) + p.hyper * g * s.get("u", 0.0)
    s["u"] = p.lr * g
    return s["alpha"] * s["u"]


def idbd(s, w, g, p):
    """Figure 2, with g for delta x and g^2 / errorScale for x^2; changes of beta are within 2, beta above -10."""
    g = g - p.decay * w
    beta, h = s.get("beta", np.zeros_like(w)), s.get("h", 0.0)
    s["beta"] = np.maximum(beta + np.clip(p.hyper * g * h / p.error, -2.0, 2.0), -10.0)
    alpha = p.lr * np.exp(s["beta"])
    s["h"] = h * np.maximum(0.0, 1.0 - alpha * g**2 / p.error) + alpha * g
    return alpha * g


REFERENCES = {"SGD": sgd, "RMSProp": rms_prop, "Adam": adam, "AdamW": adam_w, "RMaxProp": r_max_prop}
REFERENCES |= {"NesterovSGD": sgd, "MomentumRMSProp": rms_prop}
REFERENCES |= {"MetaSGD": meta_sgd, "HypergradientSGD": hypergradient_sgd, "IDBD": idbd}
REFERENCES |= {"EagerHypergradientSGD": hypergradient_sgd, "EagerIDBD": idbd}
