"""A network as both modules of `snnlearn.torch`, and their gradients side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradient_networks as networks
import numpy as np
import torch

import snnlearn.torch
from snnlearn import genn

SHARP = {"surrogate": "FastSigmoid", "params": {"beta": networks.BETA}}
RECORDED = ("V", "spikes")


def pair(case: networks.Case, **options: Any) -> tuple[Any, Any]:
    """Return the oracle and the engine of a case, with its weights as parameters and its input given."""
    model = networks.describe(genn, case)
    given = {
        "parameters": [case.groups[w.name].vars["g"] for w in case.weights],
        "inputs": {"Input": ["spikes"]},
        "record": dict.fromkeys(case.sizes, RECORDED),
        **SHARP,
        "detach_reset": case.detach_reset,
        **options,
    }
    return snnlearn.torch.to_module(model, **given), snnlearn.torch.EngineModule(model, **given)


def mixed(outputs: Mapping[str, Mapping[str, Any]], seed: int = 1) -> Any:
    """Return a loss that depends on all that a run gives, in each timestep in its own way."""
    generator, total = torch.Generator().manual_seed(seed), 0.0
    for variables in outputs.values():
        for value in variables.values():
            total = total + (torch.randn(value.shape, generator=generator, dtype=value.dtype) * value).sum()
    return total


def gradients(net: Any, inputs: Mapping[str, Any], *call: Any, **more: Any) -> tuple[Any, dict[str, Any]]:
    """Return the outputs of a run, and the gradients of `mixed` by all parameters and inputs, by name."""
    net.zero_grad()
    leaves = {}
    given: dict[str, dict[str, Any]] = {}
    for population, tensors in inputs.items():
        for name, tensor in tensors.items():
            leaf = leaves[f"{population}.{name}"] = tensor.clone().requires_grad_()
            given.setdefault(population, {})[name] = leaf
    outputs = net(given, *call, **more)
    mixed(outputs).backward()
    found = {name: p.grad for name, p in net.named_parameters()}
    return outputs, found | {name: leaf.grad for name, leaf in leaves.items()}


def assert_same(slow: tuple[Any, dict[str, Any]], fast: tuple[Any, dict[str, Any]], bound: float = 1e-10) -> None:
    """Compare runs and their gradients, each relative to its largest value."""
    for name, variables in slow[0].items():
        for variable, expected in variables.items():
            found = fast[0][name][variable]
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            torch.testing.assert_close(found, expected, rtol=0.0, atol=bound)
    assert slow[1].keys() == fast[1].keys()
    for name, expected in slow[1].items():
        scale = float(expected.abs().max())
        assert scale > 0.0, name
        assert fast[1][name].shape == expected.shape
        np.testing.assert_allclose(fast[1][name].numpy(), expected.numpy(), rtol=0.0, atol=bound * scale, err_msg=name)
