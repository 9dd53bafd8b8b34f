"""What docs/meta.md shows of rates for each synapse works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "meta.md").read_text(encoding="utf-8")
(SECTION,) = re.findall(r"^## Rates for each synapse\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


def test_the_section_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    for block in BLOCKS:
        exec(block, names)
        names["model"].unload()
    promised = [re.split(":", text)[0] for text in re.findall(r"print\(.*\)  # (.*)", SECTION)]
    assert printed == promised
    assert {path.name for path in tmp_path.iterdir()} == {"rates_example.npz", "rates_example.png"}
