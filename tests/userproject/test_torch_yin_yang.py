"""The classifier in PyTorch learns, with either module, and what the command refuses."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import pytest

from snnlearn.userproject.torch_yin_yang import main


@pytest.fixture
def single_thread() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    torch.set_num_threads(1)


SMALL = ["--epochs", "3", "--num-train", "400", "--num-test", "300", "--num-hidden", "60", "--quiet"]


@pytest.mark.usefixtures("single_thread")
def test_learns_a_little_in_a_second(capsys: Any) -> None:
    assert main(SMALL) == 0
    accuracy = float(capsys.readouterr().out.split()[-1].rstrip("%"))
    # A linear classifier gets 64 %, and 300 patterns tell that to 2.8 % (one sigma).
    assert accuracy > 64 + 3 * 2.8


@pytest.mark.slow
@pytest.mark.usefixtures("single_thread")
def test_both_modules_have_the_same_losses_at_first() -> None:
    from snnlearn.userproject.torch_classifier import Classifier, encode, patterns, train

    data, found = patterns(40, 1), []
    steps = encode(data.tensors[0][:20])
    for kind in ("engine", "exact"):
        net = Classifier(kind, 20, 1)
        train(net, data, 1, 1, quiet=True)
        found.append(net(steps).detach())
    # Two steps of Adam, in single precision.
    importlib.import_module("torch").testing.assert_close(*found, rtol=0.0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("single_thread")
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_reaches_95_per_cent(seed: str, capsys: Any) -> None:
    assert main(["--epochs", "10", "--seed", seed, "--quiet"]) == 0
    assert float(capsys.readouterr().out.split()[-1].rstrip("%")) >= 95.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, not 0"),
        (["--num-train", "19"], "--num-train must be at least 20, not 19"),
        (["--module", "fast"], "invalid choice: 'fast'"),
        (["--seed", str(2**40)], "--seed must be at most"),
    ],
)
def test_bad_arguments(args: list[str], message: str, capsys: Any) -> None:
    try:
        status = main(args)
    except SystemExit as stop:
        status = stop.code  # type: ignore[assignment]
    assert status == 2
    assert message in capsys.readouterr().err


def test_without_pytorch_it_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "snnlearn.torch", raising=False)
    assert main(["--epochs", "1"]) == 2
    err = capsys.readouterr().err
    assert "pip install 'snnlearn[torch]'" in err
    assert err.count("\n") == 1
