"""A timestep of an emitted PyTorch network against a lean one written by hand: the SuperSpike demo, forward and back.

``python benchmarks/torch_step.py`` alternates the two and prints the least and the median time of each, their ratio,
the memory of a graph of 2000 timesteps, and how far the gradients are apart. It needs the extra ``torch``.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import snnlearn.torch
from snnlearn import genn
from snnlearn.userproject import superspike

BETA = 1.0
RECORDED = {"Output": ["errTilda", "spikes"], "Hidden": ["spikes"]}


class Spike(torch.autograd.Function):
    """A step with the derivative of a fast sigmoid."""

    @staticmethod
    def forward(ctx: Any, h: torch.Tensor, fired: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(h, gate)
        return fired.to(h.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # type: ignore[override]
        h, gate = ctx.saved_tensors
        return gradient * gate * BETA / (1.0 + BETA * h.abs()) ** 2, None, None


def layer(state: list[torch.Tensor], weights: torch.Tensor, arriving: torch.Tensor, dt: float) -> torch.Tensor:
    """Move a layer of the demo on by a timestep, resets followed; return its spikes."""
    current, v, left = state
    current = current + arriving @ weights
    v = torch.where(left == 5.0, -60.0, v)
    steady = KEPT * current - 60.0
    idle = left <= 0.0
    v = torch.where(idle, steady - DECAY * (steady - v), v)
    left = torch.where(idle, left, left - dt)
    gate = left <= 0.0
    spikes = Spike.apply(v + 50.0, gate & (v >= -50.0), gate)
    state[:] = [current * float(np.exp(-dt / 5.0)), v, torch.lerp(left, torch.full_like(left, 5.0), spikes)]
    return spikes


DT = superspike.TIMESTEP_MS
DECAY = float(np.exp(-DT / 10.0))
KEPT = float(5.0 * (1.0 - np.exp(-DT / 5.0)) / DT)


def by_hand(first: torch.Tensor, second: torch.Tensor, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the error of each timestep, shape (timesteps, outputs)."""
    kind = inputs.dtype
    states = [
        [torch.zeros(n, dtype=kind), torch.full((n,), -60.0, dtype=kind), torch.zeros(n, dtype=kind)]
        for n in (256, 200)
    ]
    rise, decay = torch.zeros(200, dtype=kind), torch.zeros(200, dtype=kind)
    fast, slow = float(np.exp(-DT / 5.0)), float(np.exp(-DT / 10.0))
    peak = 10.0 * np.log(2.0)
    norm = float(1.0 / (np.exp(-peak / 10.0) - np.exp(-peak / 5.0)))
    arriving = [torch.zeros(200, dtype=kind), torch.zeros(256, dtype=kind)]
    errors = []
    for given, wanted in zip(inputs, target, strict=True):
        hidden = layer(states[0], first, arriving[0], DT)
        output = layer(states[1], second, arriving[1], DT)
        mismatch = wanted - output
        rise, decay = rise * fast + mismatch, decay * slow + mismatch
        errors.append((decay - rise) * norm)
        arriving = [given, hidden]
    return torch.stack(errors)


def timed(run: Callable[[], torch.Tensor], parameters: list[torch.Tensor]) -> tuple[float, list[torch.Tensor]]:
    start = time.perf_counter()
    gradients = torch.autograd.grad(run().square().sum(), parameters)
    return time.perf_counter() - start, list(gradients)


def network(timesteps: int) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Return the demo as a module, its input spikes, and those that it is to learn."""
    inputs, wanted = superspike.frozen_poisson(1), superspike.frozen_poisson(2)
    described = superspike.describe(genn, inputs, wanted, seed=3)
    weights = [described.input_hidden.vars["w"], described.hidden_output.vars["w"]]
    module = snnlearn.torch.to_module(
        described.model, parameters=weights, surrogate="FastSigmoid", params={"beta": BETA}, dtype=torch.float64,
        record=RECORDED,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(4.0)  # so that there are spikes at once
    rng = np.random.default_rng(4)
    return module, torch.tensor(rng.random((timesteps, 200)) < 0.002, dtype=torch.float64), _target(wanted, timesteps)


def _target(wanted: Any, timesteps: int) -> torch.Tensor:
    marks = np.zeros((timesteps, 200))
    for neuron in range(200):
        times = wanted.times[wanted.start_index[neuron] : wanted.end_index[neuron]]
        # The engine takes a target spike in the first timestep that is not before it.
        steps = np.ceil(np.asarray(times) / DT - 1e-3).astype(int)
        marks[steps[steps < timesteps], neuron] = 1.0
    return torch.tensor(marks)


def measure(timesteps: int, repeats: int) -> dict[str, float]:
    """Return times of a timestep [us], the ratio of the least ones, and the difference of the gradients."""
    module, inputs, target = network(timesteps)
    parameters = list(module.parameters())
    emitted = lambda: module({"Input": inputs})["Output"]["errTilda"][:, 0]  # noqa: E731
    lean = lambda: by_hand(*parameters, inputs, target)  # noqa: E731
    times: dict[str, list[float]] = {"emitted": [], "by hand": []}
    gradients: dict[str, list[torch.Tensor]] = {}
    for _ in range(repeats):
        for name, run in (("emitted", emitted), ("by hand", lean)):
            seconds, gradients[name] = timed(run, parameters)
            times[name].append(1e6 * seconds / timesteps)
    pairs = zip(gradients["emitted"], gradients["by hand"], strict=True)
    found = {
        f"{name}, {what} [us]": f(t)
        for name, t in times.items()
        for what, f in (("least", min), ("median", statistics.median))
    }
    found["ratio"] = min(times["emitted"]) / min(times["by hand"])
    found["spikes"] = float(module({"Input": inputs})["Hidden"]["spikes"].detach().sum())
    found["gradients apart"] = max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)
    return found


def graph_megabytes(timesteps: int = 2000) -> float:
    """Return how much more memory the process has taken once a graph of so many timesteps is there [MB]."""
    module, inputs, _ = network(timesteps)
    module({"Input": inputs[:10]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outputs = module({"Input": inputs})
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outputs["Output"]["errTilda"].requires_grad
    return (after - before) / 1024.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--timesteps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"graph of 2000 timesteps [MB]: {graph_megabytes():.0f}")
    for name, value in measure(arguments.timesteps, arguments.repeats).items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
