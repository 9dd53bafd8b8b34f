"""What a gradient costs: forward and reverse pass of the SuperSpike demo's network, against SuperSpike and PyTorch.

    python benchmarks/gradients.py [--rounds 5] [--timesteps 5000] [--torch-timesteps 1000] [--batch 32] [--json FILE]

Rows: ``plain``, the network alone; ``no_grad``, where it could record, and does not; ``taped``, with its tape;
``reverse``, the pass back; the same with checkpoints; ``superspike``, the network whose synapses learn by
`snnlearn.models.SuperSpike`; ``torch``, forward and backward of the same network as lean PyTorch. One thread each, in
one process, turn by turn; the first round is not counted. Times are microseconds of CPU time for a timestep, the least
and the median of the rounds; for batches, for a timestep of one pattern.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snnlearn import genn, grad
from snnlearn.cli import Parser, run_command
from snnlearn.models import SuperSpikeHidden, SuperSpikeOutput
from snnlearn.models.surrogates import FastSigmoid
from snnlearn.userproject import superspike as ss

PROG = "gradients.py"


def network(batch: int, *, taped: bool, timesteps: int, checkpoint: int = 0) -> tuple[Any, Any]:
    """Return the demo's layers with weights that only send, and a program where they are taped."""
    model = genn.GeNNModel("float", "gradients", threads=1)
    model.dt, model.seed, model.batch_size = ss.TIMESTEP_MS, 1, batch
    source, hidden, output = ss._add_neurons(model, ss.frozen_poisson(1), ss.frozen_poisson(2), ss.NUM_HIDDEN)
    assert (hidden.model, output.model) == (SuperSpikeHidden, SuperSpikeOutput)
    ends = [("InputHidden", source, hidden), ("HiddenOutput", hidden, output)]
    weights = [ss._add_plastic(genn, model, *end, ss._init_static).vars["w"] for end in ends]
    program = None
    if taped:
        loss, params = {output: ss.ERROR}, {"beta": ss.BETA}
        program = grad.differentiate(
            model, weights, loss, surrogate=FastSigmoid, params=params, window=timesteps, checkpoint=checkpoint
        )
    model.build()
    model.load()
    return model, program


def superspike() -> Any:
    """Return the demo's network as its rule is written by hand."""
    made = ss.describe(genn, ss.frozen_poisson(1), ss.frozen_poisson(2), seed=1, threads=1)
    made.model.build()
    made.model.load()
    return made.model


def lean_torch(batch: int, timesteps: int) -> Callable[[], None]:
    """Return forward and backward of the same network as few operations of PyTorch as it takes."""
    import torch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(1)
    inputs = (torch.rand((timesteps, batch, ss.NUM_INPUT), generator=generator) < 5e-4).float()
    sizes = (ss.NUM_INPUT, ss.NUM_HIDDEN, ss.NUM_OUTPUT)
    weights = [
        (torch.randn(pair, generator=generator) * 50.0 / pair[0] ** 0.5).requires_grad_()
        for pair in itertools.pairwise(sizes)
    ]
    leak, decay = float(np.exp(-0.01)), float(np.exp(-0.02))

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, h: Any) -> Any:
            ctx.save_for_backward(h)
            return (h >= 0).to(h.dtype)

        @staticmethod
        def backward(ctx: Any, up: Any) -> Any:
            (h,) = ctx.saved_tensors
            return up / (1.0 + h.abs()) ** 2

    def run() -> None:
        currents = [torch.zeros((batch, size)) for size in sizes[1:]]
        potentials = [torch.zeros((batch, size)) for size in sizes[1:]]
        rise = fall = torch.zeros((batch, sizes[2]))
        hidden = torch.zeros((batch, sizes[1]))
        error = torch.zeros(())
        for t in range(timesteps):
            spikes = []
            for layer, sent in enumerate((inputs[t - 1] if t else torch.zeros_like(inputs[0]), hidden)):
                arrived = currents[layer] + sent @ weights[layer]
                currents[layer] = arrived * decay
                v = arrived + leak * (potentials[layer] - arrived)
                s = Spike.apply(v - 10.0)
                potentials[layer] = v * (1.0 - s.detach())
                spikes.append(s)
            hidden = spikes[0]
            rise, fall = rise * decay - spikes[1], fall * leak - spikes[1]
            error = error + ((fall - rise) ** 2).sum()
        error.backward()
        for w in weights:
            w.grad = None

    return run


def measure(rows: dict[str, tuple[Callable[[], None], float]], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the least and the median time of each row, per unit [us], turn by turn."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(rounds + 1):
        for name, (run, units) in rows.items():
            begin = time.thread_time()
            run()
            if number:
                times[name].append((time.thread_time() - begin) / units * 1e6)
    return {name: (min(found), statistics.median(found)) for name, found in times.items()}


def cases(args: argparse.Namespace) -> list[tuple[str, int, int]]:
    """Return label, size of the batch and checkpoint of the programs to measure."""
    whole = [("", 1, 0), (f", batch {args.batch}", args.batch, 0)]
    return whole + [(f", checkpoint {every}", 1, every) for every in (args.timesteps // 2, 64)]


def rows_of(args: argparse.Namespace, stack: contextlib.ExitStack) -> dict[str, tuple[Callable[[], None], float]]:
    """Return what to measure."""
    steps, rows = args.timesteps, {}
    plain, _ = network(1, taped=False, timesteps=steps)
    learning = superspike()
    rows["plain"] = (lambda: plain.run(steps), steps)
    rows["superspike"] = (lambda: learning.run(steps), steps)
    silent, off = network(1, taped=True, timesteps=steps)
    stack.enter_context(off.no_grad())  # once: what it costs is no part of a timestep
    rows["no_grad"] = (lambda: silent.run(steps), steps)
    for label, batch, checkpoint in cases(args):
        taped, program = network(batch, taped=True, timesteps=steps, checkpoint=checkpoint)
        units = float(steps * batch)
        rows[f"taped{label}"] = (lambda taped=taped, program=program: (program.forget(), taped.run(steps)), units)  # type: ignore[misc]
        rows[f"reverse{label}"] = (lambda program=program: program.backward(retain_tape=True), units)  # type: ignore[misc]
        print(f"tape{label}: {program._tapes.nbytes / 1e6:.1f} MB for {steps} timesteps")
    try:
        for batch in (1, args.batch):
            label = f", batch {batch}" if batch > 1 else ""
            rows[f"torch{label}"] = (lean_torch(batch, args.torch_timesteps), float(args.torch_timesteps * batch))
    except ImportError:
        print("left out: torch, which is not installed", file=sys.stderr)
    return rows


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    with contextlib.ExitStack() as stack:
        found = measure(rows_of(args, stack), args.rounds)
    print(f"{'':26}{'least':>9}{'median':>9}   us a timestep and pattern")
    for name, (least, median) in found.items():
        print(f"{name:26}{least:9.2f}{median:9.2f}")
    for label in ("", f", batch {args.batch}"):
        both = [found[f"taped{label}"][i] + found[f"reverse{label}"][i] for i in (0, 1)]
        if not label:
            print(
                "forward and reverse / superspike: {:.2f} {:.2f}".format(
                    *(both[i] / found["superspike"][i] for i in (0, 1))
                )
            )
            for name in ("taped", "no_grad"):
                print("{} / plain: {:.2f} {:.2f}".format(name, *(found[name][i] / found["plain"][i] for i in (0, 1))))
        if f"torch{label}" in found:
            print(
                f"torch{label} / forward and reverse: "
                + " ".join(f"{found[f'torch{label}'][i] / both[i]:.0f}" for i in (0, 1))
            )
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def main() -> int:
    """Run the benchmark; returns its exit status."""
    parser = Parser(prog=PROG, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--timesteps", type=int, default=5000)
    parser.add_argument("--torch-timesteps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--json", default=None, metavar="FILE")
    return run_command(PROG, lambda: run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
