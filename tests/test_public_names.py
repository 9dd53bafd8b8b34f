"""Every public name has a docstring and a row in docs/api.md, and every row there has a public name."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snnlearn import models

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
MODULES = (
    "snnlearn",
    "snnlearn.genn",
    "snnlearn.declare",
    "snnlearn.models",
    "snnlearn.models.surrogates",
    "snnlearn.grad",
    "snnlearn.torch",
    "snnlearn.training",
    "snnlearn.training.encoders",
    "snnlearn.builders",
    "snnlearn.runs",
    "snnlearn.meta",
    "snnlearn.io",
    "snnlearn.exchange",
    "snnlearn.datasets",
    "snnlearn.plot",
    "snnlearn.backends",
    "snnlearn.data",
    "snnlearn.errors",
)


def documented() -> dict[str, dict[str, str]]:
    """Return the rows of the page: module, name and text."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        module = re.match(r"`([\w.]+)`\n", section)
        assert module is not None, section[:40]
        table = section.partition("| name | what |")[2]
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
        assert len(dict(rows)) == len(rows), "a name stands twice"
        found[module[1]] = dict(rows)
    return found


ROWS = documented()


def public(module: str) -> dict[str, Any]:
    """Return the public names of a module that docs/api.md lists; docs/models.md and its test have those of models."""
    if module == "snnlearn.torch":
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    found = importlib.import_module(module)
    names = {name: getattr(found, name) for name in found.__all__}
    if module == "snnlearn.models":
        return {name: value for name, value in names.items() if all(value is not model for model in models.ALL)}
    return names


def test_the_page_has_a_section_for_each_module() -> None:
    assert tuple(ROWS) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_has_a_row_and_each_row_a_name(module: str) -> None:
    assert ROWS[module].keys() == public(module).keys()
    assert all(text.strip() for text in ROWS[module].values())


def has_docstring(thing: Any) -> bool:
    """Return whether something has a docstring of its own: neither inherited nor made by `dataclass` or `Enum`."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    made = text is not None and inspect.isclass(thing) and text.startswith(f"{thing.__name__}(")
    return bool(text) and not made


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class defines itself."""
    for name, member in vars(cls).items():
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_has_a_docstring(module: str) -> None:
    missing = []
    for name, thing in public(module).items():
        if not (inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing)):
            continue  # a constant: its row says what it is
        if not has_docstring(thing):
            missing.append(name)
        if inspect.isclass(thing) and not issubclass(thing, enum.Enum):
            missing += [f"{name}.{member}" for member, value in members(thing) if not has_docstring(value)]
    assert not missing


def test_a_docstring_has_to_be_ones_own() -> None:
    class Documented:
        """Something."""

    class Inherits(Documented):
        pass

    assert has_docstring(Documented)
    assert not has_docstring(Inherits)


def test_the_example_of_files_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    shown = re.findall(r"# (\[[^\n:]*\])", code)
    assert capsys.readouterr().out.splitlines() == shown
