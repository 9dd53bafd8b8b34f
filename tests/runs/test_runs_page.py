"""What docs/runs.md shows works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runs.md"


def test_a_program_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code[0], names)
    first, second, weights, begun = capsys.readouterr().out.split("\n")[:4]
    assert (first, second, begun) == ("20", "50", "20")
    assert abs(float(weights.strip("[]")) - 3.0) < 0.5
    undisturbed = names["folder"].with_name("straight")
    names["train"](names["runs"].begin(undisturbed, "example", seed=1, engine="cpu"), 50)
    assert (undisturbed / "weights.npz").read_bytes() == (names["folder"] / "weights.npz").read_bytes()
