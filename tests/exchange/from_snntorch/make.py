"""Trains small networks of snnTorch, exports them by its own `export_to_nir` and counts their spikes.

    pip install snntorch nirtorch nir torch
    python tests/exchange/from_snntorch/make.py [folder]

writes ``feed_forward.nir`` and ``recurrent.nir``, and ``spikes.npz`` with the input and each layer's spikes. The files
beside this one were made by it; `VERSIONS` in ``spikes.npz`` says by which releases.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import numpy as np
import snntorch
import torch
from snntorch import utils
from snntorch.export_nir import export_to_nir

STEPS, EXAMPLES, SIZES = 100, 12, (16, 24, 3)
LIBRARIES = ("snntorch", "nirtorch", "nir", "torch")


def patterns(generator: torch.Generator, examples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return spikes of three classes, each with rates of its own, shape (timesteps, examples, inputs), and labels."""
    labels = torch.arange(examples) % SIZES[-1]
    rates = 0.05 + 0.35 * ((torch.arange(SIZES[0])[None, :] + labels[:, None]) % SIZES[-1] == 0)
    return (torch.rand((STEPS, examples, SIZES[0]), generator=generator) < rates).float(), labels


def layers(recurrent: bool) -> torch.nn.Sequential:
    """Return two layers of neurons with decays of their own; the default reset, or one to zero and recurrence."""
    decays = [torch.linspace(0.7, 0.95, size) for size in SIZES[1:]]
    one, two = (torch.ones(size) for size in SIZES[1:])
    reset = "zero" if recurrent else "subtract"
    first: Any = {"threshold": one, "init_hidden": True, "reset_mechanism": reset}
    hidden: Any = (
        snntorch.RLeaky(decays[0], linear_features=SIZES[1], all_to_all=True, **first)
        if recurrent
        else snntorch.Leaky(decays[0], **first)
    )
    last = snntorch.Leaky(decays[1], threshold=two, init_hidden=True, reset_mechanism=reset)
    return torch.nn.Sequential(torch.nn.Linear(*SIZES[:2]), hidden, torch.nn.Linear(*SIZES[1:]), last)


def run(net: torch.nn.Sequential, spikes: torch.Tensor) -> list[torch.Tensor]:
    """Return the spikes of both layers, each of shape (timesteps, examples, neurons)."""
    utils.reset(net)
    found: list[list[torch.Tensor]] = [[], []]
    for row in spikes:
        for number in range(2):
            row = net[2 * number + 1](net[2 * number](row))
            found[number].append(row)
    return [torch.stack(rows) for rows in found]


def trained(recurrent: bool) -> torch.nn.Sequential:
    """Train a network to have the neuron of a class spike most."""
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(4)
    net = layers(recurrent)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(40):
        spikes, labels = patterns(generator, 30)
        counts = run(net, spikes)[1].sum(0)
        loss = torch.nn.functional.cross_entropy(0.3 * counts, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    spikes, labels = patterns(torch.Generator().manual_seed(5), EXAMPLES)
    rows: dict[str, Any] = {"input": np.packbits(spikes.numpy().astype(np.uint8))}
    for name in ("feed_forward", "recurrent"):
        net = trained(name == "recurrent")
        with torch.no_grad():
            found = run(net, spikes)
        right = float((found[1].sum(0).argmax(1) == labels).float().mean())
        print(f"{name}: {right:.0%} right, {[int(s.sum()) for s in found]} spikes")
        for number, layer in enumerate(found):
            rows[f"{name}{number}"] = np.packbits(layer.numpy().astype(np.uint8))
        utils.reset(net)
        nir.write(folder / f"{name}.nir", export_to_nir(net, torch.zeros(1, SIZES[0]), ignore_dims=[0]))
    rows["VERSIONS"] = np.array([f"{library} {version(library)}" for library in LIBRARIES])
    np.savez_compressed(folder / "spikes.npz", **rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
