"""The example of docs/torch.md runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "torch.md"


def test_the_example_shows_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert capsys.readouterr().out == "torch.Size([20, 5])\n"
    assert names["out"]["Output"]["V"].shape == (500, 1, 5)
    assert names["net"].Forward_g.grad.abs().min() > 0.0
