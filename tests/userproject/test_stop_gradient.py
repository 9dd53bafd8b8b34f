"""The tutorial on a declared spiking network does what the tutorial shows."""

from __future__ import annotations

import builtins
import importlib.util
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import MissingTorchError, MissingTorchOptError
from snnlearn.userproject import stop_gradient

needs_torchopt = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "torchopt")),
    reason="TorchOpt is not installed: pip install '.[torch,torchopt]'",
)


@needs_torchopt
def test_the_tutorial(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tutorial = stop_gradient.Tutorial()
        states = tutorial.first_round()
        tutorial.second_round_that_hangs_on_to_the_first()
        tutorial.second_round(*states)
    finally:
        torch.set_num_threads(threads)
    seen = tutorial.seen
    # The second round begins where the first one ended, the first time and the second.
    np.testing.assert_allclose([seen.inner[1], seen.inner[2]], seen.outer[0], rtol=1e-12)
    assert seen.outer[1] == seen.outer[2] != seen.outer[0]
    assert seen.error.startswith("Trying to backward through the graph a second time")
    # Adam's first step is as long as its rate; the factor grows, for a larger step would have a smaller loss.
    assert len(seen.gradients) == len(seen.factor) == 2
    assert max(seen.gradients) < 0.0
    assert seen.factor[0] == pytest.approx(1.1, abs=1e-6)
    assert seen.factor[1] > seen.factor[0]
    # With stop_gradient the second graph is the first one's again.
    inner, first, second = (len(graph.body) for graph in seen.graphs)
    assert inner < first == second
    assert "step1.detached.Forward_g" in seen.graphs[2].source


@pytest.mark.parametrize(
    ("missing", "error", "extra"),
    [("torch", MissingTorchError, "torch"), ("torchopt", MissingTorchOptError, "torchopt")],
)
def test_what_is_missing_is_said(
    missing: str, error: type[Exception], extra: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    real = builtins.__import__
    found = object() if missing == "torchopt" else None

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return found if name == "torch" and found is not None else real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(error, match=rf"pip install 'snnlearn\[{extra}\]'"):
        stop_gradient.load_torchopt()
    assert stop_gradient.main() == 2
    assert "pip install" in capsys.readouterr().err
