"""The lean network that emitted ones are timed against computes the same gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
torch.set_num_threads(1)

import torch_step  # noqa: E402


def test_both_are_one_network() -> None:
    found = torch_step.measure(timesteps=150, repeats=1)
    assert found["spikes"] > 20.0
    assert found["gradients apart"] < 1e-10


@pytest.mark.slow
def test_an_emitted_timestep_takes_less_than_twice_as_long_as_a_lean_one() -> None:
    assert torch_step.measure(timesteps=200, repeats=7)["ratio"] < 2.0


@pytest.mark.slow
def test_the_graph_of_2000_timesteps_takes_less_than_500_megabytes() -> None:
    assert torch_step.graph_megabytes() < 500.0
