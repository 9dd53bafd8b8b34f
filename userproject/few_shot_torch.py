"""Meta-learning of the few-shot network with second derivatives, on PyTorch: weights and rates of many runs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import snnlearn.torch
from snnlearn import genn
from snnlearn.userproject import few_shot_network as fs
from snnlearn.userproject.few_shot_tasks import Batch, encode

Weights = dict[str, Tensor]  # by connection, shape (runs, tasks, presynaptic, postsynaptic) neurons


class TorchMeta:
    """Meta-SGD of several independent runs side by side, which differ in seeds and settings.

    Parameters
    ----------
    rates : {"synapse", "layer", "one"}
        What has a rate of its own.
    seeds : sequence of int
        Of each run's initial weights and tasks.
    settings : sequence of Setting
        Of each run.
    tasks, shots : int
        Of an outer iteration.
    second_order : bool
        Whether inner gradients are differentiated; otherwise they are taken for given.
    """

    def __init__(
        self,
        rates: str,
        seeds: Sequence[int],
        settings: Sequence[fs.Setting],
        tasks: int,
        shots: int,
        second_order: bool = True,
    ) -> None:
        self.runs, self.tasks, self.shots, self.second_order = len(seeds), tasks, shots, second_order
        network = fs.describe(genn, self.runs * tasks * shots, own_weights=True)
        self._net = snnlearn.torch.to_module(
            network.model,
            parameters=[c.vars["g"] for c in network.connections.values()],
            surrogate=fs.SURROGATE,
            params=fs.SURROGATE_PARAMS,
            dtype=torch.float32,
            detach_reset=True,
            record={"Readout": ["V"]},
        )
        first = [fs.first_weights(seed) for seed in seeds]
        self.weights = {n: _tensor(np.stack([w[n] for w in first])).requires_grad_() for n in fs.CONNECTIONS}
        self.factors = self._first_factors(rates)
        each = [(s.first_rate, s.weight_lr, s.rate_lr) for s in settings]
        self._first_rate, weight_lr, rate_lr = (_tensor(column).reshape(-1, 1, 1) for column in zip(*each, strict=True))
        self._outer = [
            *((w, weight_lr) for w in self.weights.values()),
            *((f, rate_lr) for f in self._own(self.factors)),
        ]
        self._moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p, _ in self._outer]
        self._iteration = 0

    def _first_factors(self, rates: str) -> Weights:
        shapes = {n: (tuple(w.shape[1:]) if rates == "synapse" else (1, 1)) for n, w in self.weights.items()}
        found = {n: torch.ones(self.runs, *shape, requires_grad=True) for n, shape in shapes.items()}
        return dict.fromkeys(found, next(iter(found.values()))) if rates == "one" else found

    @staticmethod
    def _own(factors: Weights) -> list[Tensor]:
        return list({id(f): f for f in factors.values()}.values())

    # ---- the two loops ----

    def loss(self, weights: Weights, x: Tensor, y: Tensor) -> Tensor:
        """Return half the mean squared error, shape (runs, tasks); x, y of shape (runs, tasks, shots)."""
        spikes = _tensor(encode(x.reshape(-1).numpy(), fs.TIMESTEPS))
        each = {f"{n}_g": w.flatten(0, 1).repeat_interleave(self.shots, 0) for n, w in weights.items()}
        out = torch.func.functional_call(self._net, each, ({"Input": spikes},))
        answers = out["Readout"]["V"][fs.DECIDE :].mean(0).reshape(self.runs, self.tasks, self.shots)
        loss: Tensor = 0.5 * ((answers - y) ** 2).mean(2)
        return loss

    def adapt(self, x: Tensor, y: Tensor, steps: int, create_graph: bool) -> Weights:
        """Return the weights of each task after inner steps on its support."""
        weights = {n: w.unsqueeze(1).expand(-1, self.tasks, -1, -1) for n, w in self.weights.items()}
        for _ in range(steps):
            total = self.loss(weights, x, y).sum()
            gradients = torch.autograd.grad(total, list(weights.values()), create_graph=create_graph)
            weights = {
                n: w - (self._first_rate * self.factors[n]).unsqueeze(1) * g
                for (n, w), g in zip(weights.items(), gradients, strict=True)
            }
        return weights

    def iterate(self, batches: Sequence[Batch], steps: int, share: float = 1.0) -> Tensor:
        """Make one outer step, at a share of the learning rates, on a batch of tasks for each run.

        Returns
        -------
        Tensor, shape (runs,)
            The loss on the queries.
        """
        loss, gradients = self.meta_gradients(batches, steps)
        self._iteration += 1
        with torch.no_grad():
            for (p, lr), g, (mean, square) in zip(self._outer, gradients, self._moments, strict=True):
                _adam(p, g, mean, square, share * lr, self._iteration)
        return loss.detach()

    def meta_gradients(self, batches: Sequence[Batch], steps: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the query loss, shape (runs,), and its derivatives: of the weights, then of the factors."""
        support_x, support_y, query_x, query_y = _stacked(batches)
        weights = self.adapt(support_x, support_y, steps, self.second_order)
        loss = self.loss(weights, query_x, query_y).mean(1)
        return loss, torch.autograd.grad(loss.sum(), [p for p, _ in self._outer])

    def query_mse(self, batches: Sequence[Batch], steps: int) -> NDArray[np.float64]:
        """Return the mean squared error on queries after adaptation, shape (runs,), all runs on the same tasks."""
        found = []
        for batch in batches:
            support_x, support_y, query_x, query_y = _stacked([batch] * self.runs)
            weights = self.adapt(support_x, support_y, steps, create_graph=False)
            with torch.no_grad():
                found.append(2.0 * self.loss(weights, query_x, query_y).mean(1))
        mean: NDArray[np.float64] = torch.stack(found).mean(0).double().numpy()
        return mean

    def rates(self) -> dict[str, NDArray[np.float64]]:
        """Return the rates by connection, shape (runs, presynaptic, postsynaptic) neurons, or 1 for what is shared."""
        return {n: (self._first_rate * f).detach().double().numpy() for n, f in self.factors.items()}


def _tensor(values: Any) -> Tensor:
    return torch.as_tensor(np.asarray(values, dtype=np.float32))


def _stacked(batches: Sequence[Batch]) -> Iterator[Tensor]:
    for name in ("support_x", "support_y", "query_x", "query_y"):
        yield _tensor(np.stack([getattr(batch, name) for batch in batches]))


def _adam(p: Tensor, g: Tensor, mean: Tensor, square: Tensor, lr: Tensor, iteration: int) -> None:
    """Step as Adam does; torch.optim has one rate for a tensor, and here each run has its own."""
    mean.mul_(0.9).add_(g, alpha=0.1)
    square.mul_(0.999).addcmul_(g, g, value=0.001)
    corrected = mean / (1.0 - 0.9**iteration)
    p -= lr * corrected / (torch.sqrt(square / (1.0 - 0.999**iteration)) + 1e-12)
