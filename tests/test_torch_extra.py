"""Where PyTorch is missing, `snnlearn.torch` says how to install it, and nothing else needs it."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest

from snnlearn.errors import MissingTorchError, SnnlearnError


def test_the_import_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "snnlearn.torch", raising=False)
    with pytest.raises(MissingTorchError, match=r"pip install 'snnlearn\[torch\]'") as raised:
        importlib.import_module("snnlearn.torch")
    assert isinstance(raised.value, ImportError | SnnlearnError)


def test_nothing_else_imports_pytorch() -> None:
    modules = "snnlearn.genn, snnlearn.training, snnlearn.grad, snnlearn.codegen.torch"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
