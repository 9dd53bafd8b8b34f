"""What docs/gradients.md shows works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "gradients.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def page() -> tuple[dict[str, Any], list[str]]:
    """Run the page from its first line to its last; returns its names, and what it printed."""
    names: dict[str, Any] = {}
    printed: list[str] = []
    names["print"] = lambda *values: printed.append(" ".join(map(str, values)))
    for block in BLOCKS:
        exec(block, names)
    names["model"].unload()
    names["regression"].unload()
    names["timed"].unload()
    return names, printed


def test_what_it_prints(page: tuple[dict[str, Any], list[str]]) -> None:
    """Each comment behind a print is what is printed, up to its dots."""
    promised = re.findall(r"print\(.*\)  # (.*)", "\n".join(BLOCKS))
    printed = page[1]
    assert len(promised) > 5
    for text in promised:
        start = re.split(r" \.\.\.|: ", text)[0]
        assert any(line.startswith(start) for line in printed), text


def test_accumulation(page: tuple[dict[str, Any], list[str]]) -> None:
    np.testing.assert_allclose(page[0]["twice"], 2 * page[0]["once"], rtol=1e-5)
    assert np.any(page[0]["once"])
