"""TorchOpt's tutorial on ``stop_gradient``, call for call, with a declared spiking network in the place of its layer.

The inner loop trains the weights with a loss that is scaled by a factor; the outer loop learns the factor. Its
derivative goes back through the inner loop's gradient, so that it is one of second order: the module that PyTorch
differentiates has it, and no engine. TorchOpt's ``MetaSGD`` is plain gradient descent that PyTorch can differentiate,
and not the optimiser of this name in `snnlearn.models`.

Run it with ``python -m snnlearn.userproject.stop_gradient``; it needs the extras ``torch`` and ``torchopt``.

Ren et al. (2023), TorchOpt: an efficient library for differentiable optimization, JMLR 24(367), 1-14; tutorial 4.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from snnlearn import genn
from snnlearn.cli import run_command
from snnlearn.errors import MissingTorchError, MissingTorchOptError
from snnlearn.models import LIF, ExpCurr, StaticPulse

BATCH, INPUTS, TIMESTEPS = 64, 16, 12
LR = 1e-2  # of the inner loop
TARGET_MV = -55.0  # of the mean potential
_REST = {"V": -60.0, "RefracTime": 0.0}
_MEMBRANE = {
    "C": 1.0,
    "TauM": 10.0,
    "Vrest": -60.0,
    "Vreset": -62.0,
    "Vthresh": -50.0,
    "Ioffset": 0.0,
    "TauRefrac": 2.0,
}


@dataclass
class Notebook:
    """What the cells have shown.

    Attributes
    ----------
    inner, outer : list of float
        Losses of each round.
    gradients : list of float
        Of the meta-parameter.
    factor : list of float
        The meta-parameter after each round.
    error : str
        What the second round raises without ``stop_gradient``.
    graphs : list of graphviz.Digraph
        TorchOpt's pictures: the inner loss; the first round; the second.
    """

    inner: list[float]
    outer: list[float]
    gradients: list[float]
    factor: list[float]
    error: str
    graphs: list[Any]


def load_torchopt() -> tuple[ModuleType, ModuleType]:
    """Return PyTorch and TorchOpt.

    Raises
    ------
    MissingTorchError, MissingTorchOptError
        Where one is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingTorchError("the tutorial needs PyTorch: pip install 'snnlearn[torch]'") from error
    try:
        import torchopt
    except ImportError as error:
        raise MissingTorchOptError("the tutorial needs TorchOpt: pip install 'snnlearn[torchopt]'") from error
    return torch, torchopt


def make_network() -> tuple[Any, Any]:
    """Return a described network, and its weights: neurons whose spikes are given, and one that sums them up."""
    model = genn.GeNNModel("double", "stop_gradient")
    model.dt, model.seed, model.batch_size = 1.0, 1, BATCH
    source = model.add_neuron_population("Input", INPUTS, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 0})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    output = model.add_neuron_population("Output", 1, LIF, _MEMBRANE, _REST)
    weights = genn.init_weight_update(StaticPulse, {}, {"g": genn.init_var("Normal", {"mean": 0.4, "sd": 0.3})})
    decay = genn.init_postsynaptic(ExpCurr, {"tau": 5.0})
    synapses = model.add_synapse_population("Forward", "DENSE", source, output, weights, decay)
    return model, synapses.vars["g"]


class Tutorial:
    """The tutorial's names, cell by cell.

    Raises
    ------
    MissingTorchError, MissingTorchOptError
        Where one is not installed.
    """

    def __init__(self) -> None:
        self.torch, self.torchopt = load_torchopt()
        from snnlearn.torch import to_module

        torch: Any = self.torch
        model, weights = make_network()
        record = {"Output": ["V"]}
        self.net: Any = to_module(
            model, parameters=[weights], surrogate="FastSigmoid", params={"beta": 0.5}, record=record
        )
        spikes = np.random.default_rng(1).random((TIMESTEPS, BATCH, INPUTS)) < 0.05
        self.x = torch.tensor(spikes, dtype=torch.float64)
        self.y = torch.full((BATCH, 1), TARGET_MV, dtype=torch.float64)
        self.meta_parameter = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64), requires_grad=True)
        self.optim = self.torchopt.MetaSGD(self.net, lr=LR)
        self.meta_optim = torch.optim.Adam([self.meta_parameter], lr=1e-1)
        self.seen = Notebook([], [], [], [], "", [])

    def loss(self, losses: list[float]) -> Any:
        """Return the squared distance of the mean potential from its target, and write it down."""
        potential = self.net({"Input": self.x})["Output"]["V"].mean(0)
        found = self.torch.nn.functional.mse_loss(potential, self.y)
        losses.append(found.item())
        return found

    def draw(self, loss: Any, states: list[Any], **known: Any) -> None:
        """Have TorchOpt draw what a loss depends on."""
        self.seen.graphs.append(self.torchopt.visual.make_dot(loss, params=(*states, known)))

    def inner_update(self) -> None:
        """Move the weights."""
        self.optim.step(self.loss(self.seen.inner) * self.meta_parameter)

    def outer_update(self, outer_loss: Any) -> None:
        """Move the factor."""
        self.meta_optim.zero_grad()
        outer_loss.backward()
        self.seen.gradients.append(self.meta_parameter.grad.item())
        self.meta_optim.step()
        self.seen.factor.append(self.meta_parameter.item())

    def first_round(self) -> tuple[Any, Any]:
        """Return the states of network and optimiser after the inner loop."""
        extract = self.torchopt.extract_state_dict
        init_net_state = extract(self.net, enable_visual=True, visual_prefix="step0.")
        inner_loss = self.loss(self.seen.inner)
        self.draw(inner_loss, [init_net_state], inner_loss=inner_loss)
        self.optim.step(inner_loss * self.meta_parameter)
        net_state = extract(self.net, enable_visual=True, visual_prefix="step1.")
        optim_state = extract(self.optim)
        outer_loss = self.loss(self.seen.outer)
        known = {"meta_parameter": self.meta_parameter, "outer_loss": outer_loss}
        self.draw(outer_loss, [init_net_state, net_state], **known)
        self.outer_update(outer_loss)
        return net_state, optim_state

    def second_round_that_hangs_on_to_the_first(self) -> None:
        """Fail, as the pass goes on into the graph of the first round.

        The tutorial draws both. Here there is no picture: TorchOpt looks for the tensors that a surrogate has saved,
        and the first pass has freed those.
        """
        self.inner_update()
        outer_loss = self.loss(self.seen.outer)
        try:
            self.outer_update(outer_loss)
        except RuntimeError as error:
            self.seen.error = str(error)

    def second_round(self, net_state: Any, optim_state: Any) -> None:
        """Go on from the first round's state, as leaves."""
        torchopt = self.torchopt
        torchopt.recover_state_dict(self.net, net_state)
        torchopt.recover_state_dict(self.optim, optim_state)
        torchopt.stop_gradient(self.net)
        torchopt.stop_gradient(self.optim)
        detached = torchopt.extract_state_dict(self.net, enable_visual=True, visual_prefix="step1.detached.")
        self.inner_update()
        outer_loss = self.loss(self.seen.outer)
        self.draw(outer_loss, [detached], meta_parameter=self.meta_parameter, outer_loss=outer_loss)
        self.outer_update(outer_loss)


def replay() -> Notebook:
    """Do what the tutorial does; raises as `Tutorial`."""
    tutorial = Tutorial()
    states = tutorial.first_round()
    tutorial.second_round_that_hangs_on_to_the_first()
    tutorial.second_round(*states)
    return tutorial.seen


def main() -> int:
    """Print what the tutorial prints; returns the exit status."""
    return run_command("stop_gradient", _print)


def _print() -> int:
    seen = replay()
    print(f"inner loss: {seen.inner[0]:.4f}")
    print(f"outer loss: {seen.outer[0]:.4f}")
    print(f"meta_parameter.grad = {seen.gradients[0]:.4f}, meta_parameter = {seen.factor[0]:.4f}")
    print(f"the second round without stop_gradient: {seen.error.split('(')[0].strip()}")
    print(f"with it: outer loss: {seen.outer[-1]:.4f}")
    print(f"meta_parameter.grad = {seen.gradients[-1]:.4f}, meta_parameter = {seen.factor[-1]:.4f}")
    print(f"TorchOpt's graphs have {', '.join(str(len(graph.body)) for graph in seen.graphs)} nodes and edges")
    return 0


if __name__ == "__main__":
    sys.exit(main())
