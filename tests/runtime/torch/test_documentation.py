"""The examples of docs/torch.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "torch.md"


def test_the_examples_show_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for code in blocks:
        exec(code, names)
    first, loss = capsys.readouterr().out.splitlines()
    assert first == "torch.Size([20, 5])"
    assert names["out"]["Output"]["V"].shape == (500, 1, 5)
    assert names["net"].Forward_g.grad.abs().min() > 0.0
    assert 0.0 < float(loss) < 0.5, "twenty steps fit one pattern"
    assert all(p.grad is not None and p.grad.any() for p in names["classifier"].parameters())
