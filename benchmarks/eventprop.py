"""What EventProp costs: forward and reverse pass of a network of 4-100-3 neurons, a pattern and timestep.

    python benchmarks/eventprop.py [--rounds 10] [--timesteps 300] [--batches 1 32] [--hidden 100] [--json FILE]

The network is that of mlGeNN's Yin-Yang example: leaky integrate-and-fire neurons, exponential currents, each input
spikes once. Rows: ``plain``, the network alone; ``taped``, with its tape; ``reverse``, the pass back from derivatives
by the times of first spikes. One thread, single precision, dt 0.1 ms; the least and the median of the rounds, turn by
turn, after one that is not counted. Times are microseconds of CPU time for a timestep of one pattern.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from snnlearn import genn, grad
from snnlearn.cli import Parser, run_command
from snnlearn.declare import Var
from snnlearn.models import LIF

PROG = "eventprop.py"
TIMESTEP_MS = 0.1
MEMBRANE = {"C": 20.0, "TauM": 20.0, "Vrest": 0.0, "Vreset": 0.0, "Vthresh": 1.0, "Ioffset": 0.0, "TauRefrac": 0.0}
START = {"V": 0.0, "RefracTime": 0.0}
CLASSES = 3
Answering = replace(LIF, name="Answering", vars=(*LIF.vars, Var("target")))


class Network:
    """The network, built and loaded, which shows the same random patterns again and again."""

    def __init__(self, batch: int, hidden: int, timesteps: int, *, taped: bool) -> None:
        self.timesteps, self.batch = timesteps, batch
        self.model = genn.GeNNModel("float", "eventprop", threads=1)
        self.model.dt, self.model.seed, self.model.batch_size = TIMESTEP_MS, 1, batch
        add = self.model.add_neuron_population
        self.places = np.arange(batch * 4).reshape((batch, 4) if batch > 1 else 4)
        self.source = add("Input", 4, "SpikeSourceArray", {}, {"startSpike": self.places, "endSpike": self.places + 1})
        times = np.random.default_rng(1).uniform(0.0, 0.5 * timesteps * TIMESTEP_MS, batch * 4)
        self.source.extra_global_params["spikeTimes"].set_init_values(times)
        layers = [
            self.source,
            add("Hidden", hidden, LIF, MEMBRANE, START),
            add("Output", CLASSES, Answering, MEMBRANE, {**START, "target": np.eye(CLASSES)[0]}),
        ]
        self.weights = [
            self._connect("InputHidden", *layers[:2], 1.8, 1.0),
            self._connect("HiddenOutput", *layers[1:], 50.0 / hidden, 30.0 / hidden),
        ]
        self.program: Any = None
        if taped:
            loss, wrt = {layers[2]: grad.FirstSpikeLoss(tau=0.5)}, [w.vars["g"] for w in self.weights]
            self.program = grad.differentiate(self.model, wrt, loss, method="eventprop", window=timesteps)
        self.layers = layers
        self.model.build()
        self.model.load()

    def _connect(self, name: str, source: Any, target: Any, mean: float, sd: float) -> Any:
        weights = genn.init_weight_update("StaticPulse", {}, {"g": genn.init_var("Normal", {"mean": mean, "sd": sd})})
        current = genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
        return self.model.add_synapse_population(name, "DENSE", source, target, weights, current)

    def rest(self) -> None:
        """Be as before the patterns."""
        self.model.timestep = 0
        self.source.vars["startSpike"].values = self.places
        self.source.vars["startSpike"].push_to_device()
        for group, connection in zip(self.layers[1:], self.weights, strict=True):
            group.vars["V"].values = 0.0
            group.vars["V"].push_to_device()
            connection.out_post.view[:] = 0.0
            connection.out_post.push_to_device()

    def measure(self) -> tuple[float, float]:
        """Return the CPU time of the patterns, and of the pass back [us a timestep and pattern]."""
        self.rest()
        begin = time.process_time()
        self.model.run(self.timesteps)
        middle = time.process_time()
        if self.program is not None:
            self.program.backward()
        end = time.process_time()
        units = 1e6 / (self.timesteps * self.batch)
        return (middle - begin) * units, (end - middle) * units


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    found: dict[str, tuple[float, float]] = {}
    for batch in args.batches:
        networks = [Network(batch, args.hidden, args.timesteps, taped=taped) for taped in (False, True)]
        rounds = [[network.measure() for network in networks] for _ in range(args.rounds + 1)][1:]
        assert any(np.any(w.vars["g"].grad) for w in networks[1].weights)
        times = {
            "plain": [r[0][0] for r in rounds],
            "taped": [r[1][0] for r in rounds],
            "reverse": [r[1][1] for r in rounds],
            "taped and reverse": [sum(r[1]) for r in rounds],
        }
        found |= {f"{name}, batch {batch}": (min(t), statistics.median(t)) for name, t in times.items()}
    print(f"{'':30}{'least':>9}{'median':>9}   us a timestep and pattern")
    for name, (least, median) in found.items():
        print(f"{name:30}{least:9.3f}{median:9.3f}")
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def main() -> int:
    """Run the benchmark; returns its exit status."""
    parser = Parser(prog=PROG, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--timesteps", type=int, default=300)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--json", default=None, metavar="FILE")
    return run_command(PROG, lambda: run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
