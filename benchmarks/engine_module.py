"""What a training step costs in PyTorch: `EngineModule` against `SpikingModule`, forward and backward.

    python benchmarks/engine_module.py [--timesteps 500] [--torch-timesteps 100] [--batch 32] [--rounds 3]
                                       [--precision double] [--inputs] [--json FILE]

Two layers of LIF neurons (200-256-200, as many as the SuperSpike demo has) with their input given, a loss of the
last layer's potentials, and the gradient of both connections' weights, with ``--inputs`` of the input too. One thread,
in one process, turn by turn, the first round not counted. Times are microseconds of CPU time for a timestep of one
pattern, the least and the median of the rounds. Last: how far the gradients of the two are apart, relative to the
largest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

import snnlearn.torch
from snnlearn import genn
from snnlearn.cli import Parser, run_command
from snnlearn.models import LIF
from snnlearn.userproject.superspike import PlainWeight

PROG = "engine_module.py"
DT, SIZES = 0.1, (200, 256, 200)
MEMBRANE = {
    "C": 10.0, "TauM": 10.0, "Vrest": -60.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 5.0,
}  # fmt: skip
SpikeInput = genn.create_neuron_model("SpikeInput", threshold_condition_code="false")  # spikes as it is given


def modules(batch: int, precision: str) -> dict[str, Any]:
    """Return both modules of the network."""
    model = genn.GeNNModel(precision, "engine_module", threads=1)
    model.dt, model.seed, model.batch_size = DT, 1, batch
    layers = [model.add_neuron_population("Input", SIZES[0], SpikeInput)]
    weights = []
    for number, name in ((1, "Hidden"), (2, "Output")):
        layer = model.add_neuron_population(name, SIZES[number], LIF, MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
        normal = genn.init_var("Normal", {"mean": 0.0, "sd": 120.0 / SIZES[number - 1] ** 0.5})
        rule = genn.init_weight_update(PlainWeight, {}, {"w": normal})
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        ends = layers[-1], layer
        weights.append(model.add_synapse_population(f"To{name}", "DENSE", *ends, rule, current).vars["w"])
        layers.append(layer)
    options: dict[str, Any] = {
        "parameters": weights,
        "surrogate": "FastSigmoid",
        "params": {"beta": 1.0},
        "record": {"Output": ["V"]},
        "inputs": {"Input": ["spikes"]},
        "detach_reset": True,
    }
    return {
        "SpikingModule": snnlearn.torch.to_module(model, **options),
        "EngineModule": snnlearn.torch.EngineModule(model, **options),
    }


def spikes(timesteps: int, batch: int, precision: str) -> torch.Tensor:
    """Return input that drives the hidden layer."""
    generator = torch.Generator().manual_seed(1)
    marks = torch.rand((timesteps, batch, SIZES[0]), generator=generator) < 0.002
    return marks.to({"double": torch.float64, "float": torch.float32}[precision])


def trained(net: Any, given: torch.Tensor, *, inputs: bool) -> list[torch.Tensor]:
    """Go forward and back; returns the gradients."""
    leaf = given.detach().requires_grad_(inputs)  # without a copy
    net.zero_grad()
    potential = net({"Input": leaf})["Output"]["V"]
    nn.functional.mse_loss(potential, torch.full((), -58.0, dtype=potential.dtype).expand_as(potential)).backward()
    return [*(p.grad for p in net.parameters()), *([leaf.grad] if inputs else [])]


def apart(found: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    """Return the largest difference, relative to the largest value of each."""
    pairs = zip(found, expected, strict=True)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def measure(args: argparse.Namespace, batch: int) -> dict[str, Any]:
    """Return times of both modules, their ratio, and how far the gradients are apart."""
    made = modules(batch, args.precision)
    steps = {"SpikingModule": args.torch_timesteps, "EngineModule": args.timesteps}
    given = {name: spikes(steps[name], batch, args.precision) for name in made}
    times: dict[str, list[float]] = {name: [] for name in made}
    for number in range(args.rounds + 1):
        for name, net in made.items():
            begin = time.process_time()
            trained(net, given[name], inputs=args.inputs)
            if number:
                times[name].append((time.process_time() - begin) / (steps[name] * batch) * 1e6)
    found: dict[str, Any] = {name: (min(t), statistics.median(t)) for name, t in times.items()}
    found["ratio"] = tuple(found["SpikingModule"][i] / found["EngineModule"][i] for i in (0, 1))
    same = given["SpikingModule"]
    gradients = {name: trained(net, same, inputs=args.inputs) for name, net in made.items()}
    found["apart"] = apart(gradients["EngineModule"], gradients["SpikingModule"])
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
        print("SpikingModule / EngineModule: {:.1f} {:.1f}".format(*row["ratio"]))
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
    parser.add_argument("--precision", default="double", choices=("double", "float"))
    parser.add_argument("--inputs", action="store_true", help="differentiate with respect to the input too")
    parser.add_argument("--json", default=None, metavar="FILE")
    return run_command(PROG, lambda: run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
