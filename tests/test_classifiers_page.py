"""The classifier of docs/classifiers.md is as short as it says, and as good."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "classifiers.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_short() -> None:
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 25


@pytest.mark.parametrize("epochs", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_the_example_learns(epochs: int) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install '.[digits]'")
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    assert "epochs=30" in EXAMPLE
    exec(EXAMPLE.replace("epochs=30", f"epochs={epochs}"), names)
    names["network"].model.unload()
    assert float(printed[0].rstrip("%")) >= (97.0 if epochs == 30 else 80.0)
    assert epochs < 30 or printed[1] == "[0 1 2]"
