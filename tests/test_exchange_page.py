"""What docs/exchange.md shows works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "exchange.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_what_it_prints() -> None:
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    for block in BLOCKS:
        exec(block, names)
    assert printed == re.findall(r"print\(.*\)  # (.*)", "\n".join(BLOCKS))
    assert len(printed) == 6
