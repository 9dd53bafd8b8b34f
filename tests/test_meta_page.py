"""What docs/meta.md shows of states, ends of gradients and two loops works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "meta.md").read_text(encoding="utf-8")
TITLES = ("States", "Where gradients end", "Two loops", "Second order", "The graph")
SECTIONS = [re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE) for title in TITLES]
TEXT = "\n".join(found[1] for found in SECTIONS if found is not None)


def test_the_sections_do_what_they_say() -> None:
    assert None not in SECTIONS
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, names)
    names["model"].unload()
    promised = re.findall(r"print\(.*\)  # (.*)", TEXT)
    assert len(printed) == len(promised) > 3
    for line, text in zip(printed, promised, strict=True):
        assert text.startswith(line), line
    assert names["picture"].startswith("<?xml")
