"""Where gradients end: what has run until here is taken for given."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from snnlearn.errors import ArgumentError
from snnlearn.genn import GeNNModel
from snnlearn.grad import ForwardProgram, Program
from snnlearn.training import Learner


def stop_gradient(*targets: Any) -> None:
    """Take what has run until now for given, in place: no gradient goes back beyond this call.

    On an engine the window ends: the next `backward` goes back to here, and the tape is free for as many timesteps as
    it holds. Gradients that have been summed up stay. In PyTorch tensors and the parameters of modules become leaves,
    so that the graph which led to them can be freed; what TorchOpt's optimisers and states hold,
    ``torchopt.stop_gradient`` detaches.

    Parameters
    ----------
    *targets : Learner, GeNNModel, Program, torch.nn.Module, torch.Tensor, TorchOpt's optimiser or state
        Or lists, tuples and mappings of such.

    Raises
    ------
    LifecycleError
        For a model that is not loaded.
    ArgumentError
        For something else.
    """
    for target in targets:
        _stop(target)


def _stop(target: Any) -> None:
    torch = sys.modules.get("torch")  # where it is not there, nothing is of it
    if isinstance(target, Learner):
        _stop(target.model)
    elif isinstance(target, GeNNModel):
        target._loaded_simulation()
        for program in target._programs:
            program.detach()
    elif isinstance(target, (Program, ForwardProgram)):
        target.detach()
    elif type(target).__module__.partition(".")[0] == "torchopt":
        sys.modules["torchopt"].stop_gradient(target)
    elif torch is not None and isinstance(target, torch.Tensor):
        wanted = target.requires_grad
        target.detach_().requires_grad_(wanted)
    elif torch is not None and isinstance(target, torch.nn.Module):
        for module in target.modules():  # not parameters(): a differentiable optimiser leaves other tensors there
            _stop([tensor for own in (module._parameters, module._buffers) for tensor in own.values()])
    elif isinstance(target, Mapping):
        _stop(list(target.values()))
    elif isinstance(target, (list, tuple)):
        for one in target:
            if one is not None:
                _stop(one)
    else:
        raise ArgumentError(
            "stop_gradient takes learners, models and programs, PyTorch's modules and tensors, and TorchOpt's "
            f"optimisers and states, not {target!r}; a State of snnlearn.torch is a value: state = state.detach()"
        )
