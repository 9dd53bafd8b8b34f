"""What docs/exchange.md shows works as it stands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "exchange.md").read_text(encoding="utf-8")
ALL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
# Of networks, where NIR's library is not installed: pip install ".[nir]".
BLOCKS = [block for block in ALL if "import nir" not in block or importlib.util.find_spec("nir") is not None]


def test_what_it_prints() -> None:
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    for block in BLOCKS:
        exec(block, names)
    assert printed == re.findall(r"print\(.*\)  # (.*)", "\n".join(BLOCKS))
    assert len(printed) == (9 if len(BLOCKS) == len(ALL) else 6)
