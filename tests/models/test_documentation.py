"""docs/models.md says what the declarations say."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from snnlearn import declare, models
from snnlearn.declare import Model
from snnlearn.dialect.library import MATHS, MESSAGES, RANDOM
from snnlearn.dialect.scopes import scopes_of

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
LIBRARY, CODE = PAGE.split("\n## Code strings\n")
MODULES = {m.name: importlib.import_module(f"snnlearn.models.{m.name}") for m in pkgutil.iter_modules(models.__path__)}


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows of a table, without its head."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def sections() -> dict[type[Model], dict[str, list[str]]]:
    found = {}
    for section in LIBRARY.split("\n### ")[1:]:
        kind = re.search(r"^`(\w+)`$", section, re.MULTILINE)
        assert kind is not None
        rows = table(section)
        found[getattr(declare, kind[1])] = {row[0].strip("| "): row[1:] for row in rows}
        assert len(found[getattr(declare, kind[1])]) == len(rows), "no model stands twice in its table"
    return found


SECTIONS = sections()
IDS = [f"{type(m).__name__}.{m.name}" for m in models.ALL]


def described(cell: str) -> list[tuple[str, str, bool]]:
    """Return name, type and whether it is a reference, of each entry of a cell."""
    entries = [re.fullmatch(r"(→ )?`(\w+)`(?: (.+))?", part.strip()) for part in cell.split(",") if part.strip(" |")]
    assert all(entries), cell
    return [(e[2], (e[3] or "scalar").replace("\\*", "*"), bool(e[1])) for e in entries if e]


def test_every_model_stands_in_the_table_of_its_kind() -> None:
    assert {kind: set(rows) for kind, rows in SECTIONS.items()} == {
        kind: {m.name for m in models.ALL if type(m) is kind} for kind in {type(m) for m in models.ALL}
    }


@pytest.mark.parametrize("model", models.ALL, ids=IDS)
def test_rows_match_declarations(model: Model) -> None:
    params, state, equation, source = SECTIONS[type(model)][model.name]
    assert described(params) == [(p.name, p.type, False) for p in model.params]
    fields = [(a, f) for a, f in model.named_fields() if a not in ("params", "derived_params")]
    assert described(state) == [(f.name, f.type, a.endswith("refs")) for a, f in fields]
    assert equation
    assert source.strip("| ")


@pytest.mark.parametrize("model", models.ALL, ids=IDS)
def test_sources_stand_in_the_files(model: Model) -> None:
    source = SECTIONS[type(model)][model.name][3].strip("| ")
    (text,) = {
        m.__doc__ or "" for m in MODULES.values() if any(v is model for v in vars(m).values()) and owns(m, model)
    }
    if source != "snnlearn":
        for part in source.split("; "):
            for word in re.findall(r"[A-Z]\w+|\d{4}", part):
                assert word in text, f"{model.name}: the file does not mention {word}"


def owns(module: object, model: Model) -> bool:
    """Whether a module declares a model, and did not import it from another."""
    names = [name for name, value in vars(module).items() if value is model]
    path = getattr(module, "__file__", None)
    return path is not None and any(f"\n{name} = " in Path(path).read_text(encoding="utf-8") for name in names)


def test_names_of_each_code() -> None:
    rows: dict[tuple[str, str], tuple[set[str], set[str], set[str], set[str], bool]] = {}
    for kind, codes, names, actions in table(CODE.split("### Names in scope")[1].split("\n\n* ")[0]):
        for code in re.findall(r"`(\w+)`", codes):
            outside, _, inside = names.partition("(")
            does, _, within = actions.partition("(")
            sets = [set(re.findall(r"`(\w+)`", text)) for text in (outside, inside, does, within)]
            rows[kind.strip("| "), code] = (sets[0], sets[1], sets[2], sets[3], "random numbers" in actions)
    expected = {}
    for kind in [k for k in vars(declare).values() if isinstance(k, type) and issubclass(k, Model) and k is not Model]:
        for code, scope in scopes_of(kind("m")).items():
            inside, within = (scope.loop.symbols, scope.loop.actions) if scope.loop else ({}, {})
            own = set(scope.actions) - set(RANDOM)
            random = set(RANDOM) <= set(scope.actions)
            expected[kind.__name__, code] = (set(scope.symbols), set(inside), own, set(within), random)
    assert rows == expected


def test_functions() -> None:
    text = CODE.split("### Functions")[1].split("###")[0]
    maths, random, messages = (part.split("\n* ")[0] for part in text.split("\n* ")[1:4])
    assert set(re.findall(r"\w+", maths.split("`")[1])) == set(MATHS)
    assert set(re.findall(r"`(\w+)\(", random)) == set(RANDOM)
    assert set(re.findall(r"`(\w+)\(", messages)) == set(MESSAGES)
