"""A spiking classifier of the Yin-Yang data as a module of PyTorch, and a plain training loop around it.

Four spike times and a bias (Kriener et al. 2022) drive a hidden layer of leaky integrate-and-fire neurons; the class is
that of the readout neuron with the highest mean potential. Dataset, loss, optimiser and schedule are PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import snnlearn.torch
from snnlearn import datasets, genn
from snnlearn.datasets.yin_yang import CLASSES
from snnlearn.models import LIF
from snnlearn.userproject.superspike import PlainWeight

TIMESTEP_MS = 0.5
EARLIEST_MS, LATEST_MS = 2.0, 22.0
TIMESTEPS = 80  # of a pattern; those from DECIDE on count
DECIDE = round(LATEST_MS / TIMESTEP_MS)
BATCH = 20
RATES = (0.2, 0.02)  # of the weights of the hidden layer and of the readout, at first
TAU_RISE_MS, TAU_DECAY_MS = 5.0, 10.0
MEMBRANE = {
    "C": 10.0, "TauM": TAU_DECAY_MS, "Vrest": -60.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0,
    "TauRefrac": 5.0,
}  # fmt: skip
FIRST_WEIGHTS, READOUT_WEIGHTS = (12.0, 25.0), (0.0, 0.5)  # mean and standard deviation
SpikeInput = genn.create_neuron_model("SpikeInput", threshold_condition_code="false")  # spikes as it is given
Readout = genn.create_neuron_model(
    "Readout",
    params=["tauMem"],
    derived_params=[("ExpTC", lambda pars, dt: np.exp(-dt / pars["tauMem"]))],
    vars=["V"],
    sim_code="V = Isyn - ExpTC * (Isyn - V);",
)
MODULES: dict[str, Any] = {"engine": snnlearn.torch.EngineModule, "exact": snnlearn.torch.to_module}


class Classifier(nn.Module):
    """A spiking network with a readout.

    Parameters
    ----------
    kind : {"engine", "exact"}
        `snnlearn.torch.EngineModule`, or the module of `snnlearn.torch.to_module`: called in the same way.
    num_hidden, seed : int
        Hidden neurons; of the weights.
    """

    def __init__(self, kind: str, num_hidden: int, seed: int) -> None:
        super().__init__()
        model = genn.GeNNModel("float", "classifier", threads=1)
        model.dt, model.seed, model.batch_size = TIMESTEP_MS, seed, BATCH
        source = model.add_neuron_population("Input", 5, SpikeInput)
        hidden = model.add_neuron_population("Hidden", num_hidden, LIF, MEMBRANE, {"V": -60.0, "RefracTime": 0.0})
        readout = model.add_neuron_population("Readout", len(CLASSES), Readout, {"tauMem": TAU_DECAY_MS}, {"V": 0.0})
        weights = []
        for name, ends, (mean, sd) in (
            ("InputHidden", (source, hidden), FIRST_WEIGHTS),
            ("HiddenReadout", (hidden, readout), READOUT_WEIGHTS),
        ):
            normal = genn.init_var("Normal", {"mean": mean, "sd": sd})
            rule = genn.init_weight_update(PlainWeight, {}, {"w": normal})
            current = genn.init_postsynaptic("ExpCurr", {"tau": TAU_RISE_MS})
            weights.append(model.add_synapse_population(name, "DENSE", *ends, rule, current).vars["w"])
        self.spiking: nn.Module = MODULES[kind](
            model,
            parameters=weights,
            surrogate="FastSigmoid",
            params={"beta": 1.0},
            inputs={"Input": ["spikes"]},
            record={"Readout": ["V"]},
            detach_reset=True,
        )

    def forward(self, spikes: Tensor) -> Tensor:
        """Return the mean potential of the readout while it decides, shape (patterns, classes)."""
        potential: Tensor = self.spiking({"Input": spikes})["Readout"]["V"]
        return potential[DECIDE:].mean(0)


def patterns(count: int, seed: int) -> TensorDataset:
    """Draw points: the timestep of each neuron's spike, shape (points, 5), and the class."""
    points = datasets.yin_yang(count, seed)
    times = datasets.yin_yang_times(points.xy, EARLIEST_MS, LATEST_MS)
    steps = torch.from_numpy(np.ceil(times / TIMESTEP_MS - 1e-9).astype(np.int64))
    return TensorDataset(steps, torch.from_numpy(points.labels))


def encode(steps: Tensor) -> Tensor:
    """Return spikes, shape (timesteps, patterns, 5)."""
    return torch.zeros((TIMESTEPS, *steps.shape)).scatter_(0, steps.unsqueeze(0), 1.0)


def train(net: nn.Module, data: TensorDataset, epochs: int, seed: int, quiet: bool) -> None:
    """Train as any network in PyTorch."""
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, generator=order)
    rates = [{"params": [p], "lr": rate} for p, rate in zip(net.parameters(), RATES, strict=True)]
    optimiser = torch.optim.Adam(rates)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * len(loader))
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for steps, labels in loader:
            optimiser.zero_grad()
            loss = criterion(net(encode(steps)), labels)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(labels)
        if not quiet:
            print(f"epoch {epoch}: loss {total / len(data):.4f}", flush=True)


@torch.no_grad()
def accuracy(net: nn.Module, data: TensorDataset) -> float:
    """Return the share of patterns that are classified rightly."""
    net.eval()
    right = 0
    for steps, labels in DataLoader(data, batch_size=BATCH):
        right += int((net(encode(steps)).argmax(1) == labels).sum())
    net.train()
    return right / len(data)
