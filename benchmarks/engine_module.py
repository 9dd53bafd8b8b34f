"""What a training step costs in PyTorch: `EngineModule` against `SpikingModule`, forward and backward.

    python benchmarks/engine_module.py [--timesteps 500] [--torch-timesteps 100] [--batch 32] [--rounds 3] [--json FILE]

The SuperSpike demo's network (200-256-200) with its input given, a loss of the potentials of its last layer, weights of
both connections and the input to differentiate with respect to; double precision, one thread, in one process, turn by
turn, the first round not counted. Times are microseconds for a timestep of one pattern, the least and the median of the
rounds. Last: how far the gradients of the two are apart, relative to the largest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

import snnlearn.torch
from snnlearn import genn
from snnlearn.cli import Parser, run_command
from snnlearn.userproject import superspike as ss

PROG = "engine_module.py"


def modules(batch: int) -> dict[str, Any]:
    """Return both modules of the demo's network."""
    model = genn.GeNNModel("double", "engine_module", threads=1)
    model.dt, model.seed, model.batch_size = ss.TIMESTEP_MS, 1, batch
    source, hidden, output = ss._add_neurons(model, ss.frozen_poisson(1), ss.frozen_poisson(2), ss.NUM_HIDDEN)
    ends = [("InputHidden", source, hidden), ("HiddenOutput", hidden, output)]
    weights = [ss._add_plastic(genn, model, *end, ss._init_static).vars["w"] for end in ends]
    options: dict[str, Any] = {
        "parameters": weights,
        "surrogate": "FastSigmoid",
        "params": {"beta": ss.BETA},
        "record": {"Output": ["V"]},
        "inputs": {source.name: ["spikes"]},
        "detach_reset": True,
    }
    made = {
        "SpikingModule": snnlearn.torch.to_module(model, **options),
        "EngineModule": snnlearn.torch.EngineModule(model, **options),
    }
    with torch.no_grad():
        for net in made.values():
            for parameter in net.parameters():
                parameter.mul_(4.0)  # so that there are spikes at once
    return made


def spikes(timesteps: int, batch: int) -> torch.Tensor:
    """Return input that drives the hidden layer, with a gradient to be computed."""
    generator = torch.Generator().manual_seed(1)
    return (torch.rand((timesteps, batch, ss.NUM_INPUT), generator=generator, dtype=torch.float64) < 0.002).double()


def trained(net: Any, given: torch.Tensor) -> list[torch.Tensor]:
    """Go forward and back; returns the gradients."""
    leaf = given.clone().requires_grad_()
    net.zero_grad()
    potential = net({"Input": leaf})["Output"]["V"]
    ((potential + 58.0).square().sum() * 0.5).backward()
    return [*(p.grad for p in net.parameters()), leaf.grad]


def apart(found: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    """Return the largest difference, relative to the largest value of each."""
    pairs = zip(found, expected, strict=True)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def measure(args: argparse.Namespace, batch: int) -> dict[str, Any]:
    """Return times of both modules, their ratio, and how far the gradients are apart."""
    made = modules(batch)
    steps = {"SpikingModule": args.torch_timesteps, "EngineModule": args.timesteps}
    given = {name: spikes(steps[name], batch) for name in made}
    times: dict[str, list[float]] = {name: [] for name in made}
    for number in range(args.rounds + 1):
        for name, net in made.items():
            begin = time.perf_counter()
            trained(net, given[name])
            if number:
                times[name].append((time.perf_counter() - begin) / (steps[name] * batch) * 1e6)
    found: dict[str, Any] = {name: (min(t), statistics.median(t)) for name, t in times.items()}
    found["ratio"] = tuple(found["SpikingModule"][i] / found["EngineModule"][i] for i in (0, 1))
    same = given["SpikingModule"]
    found["apart"] = apart(trained(made["EngineModule"], same), trained(made["SpikingModule"], same))
    with torch.no_grad():
        found["mV"] = float(made["EngineModule"]({"Input": same})["Output"]["V"].std())
    return found


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    torch.set_num_threads(1)
    found = {batch: measure(args, batch) for batch in (1, args.batch)}
    print(f"{'':24}{'least':>9}{'median':>9}   us a timestep and pattern")
    for batch, row in found.items():
        for name in ("SpikingModule", "EngineModule"):
            print(f"{name + ', batch ' + str(batch):24}{row[name][0]:9.2f}{row[name][1]:9.2f}")
        print("SpikingModule / EngineModule: {:.0f} {:.0f}".format(*row["ratio"]))
        print(f"gradients apart: {row['apart']:.1e}; the potentials of the output vary by {row['mV']:.2g} mV")
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def main() -> int:
    """Run the benchmark; returns its exit status."""
    parser = Parser(prog=PROG, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--timesteps", type=int, default=500)
    parser.add_argument("--torch-timesteps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", default=None, metavar="FILE")
    return run_command(PROG, lambda: run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
