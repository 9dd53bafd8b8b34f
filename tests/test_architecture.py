"""The imports follow the street that docs/architecture.md draws, in one direction; files and functions stay small.

Imports are read from the syntax tree, wherever they stand: at the top, within a function, or for a type checker only.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
INSTALLED = ("models", "userproject", "data")  # folders beside snnlearn/ that install as its subpackages
LONGEST_FILE = 500
LONGEST_FUNCTION = 60

# What still breaks a rule. An entry that is no longer needed fails its test, so that these tables only get shorter.
CIRCLES: tuple[frozenset[str], ...] = ()
LONG_FILES: frozenset[str] = frozenset()
LONG_FUNCTIONS: frozenset[str] = frozenset()


class Stage(NamedTuple):
    """A row of the table of stages."""

    name: str
    places: tuple[str, ...]  # paths from the root of the checkout
    imports: frozenset[str]


def python_files(*folders: str) -> list[Path]:
    """Return the Python files of folders, each once: none behind a symbolic link."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if path.resolve() == path)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] in INSTALLED:
        parts = ("snnlearn", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for path in python_files("snnlearn", *INSTALLED)}


def names_imported(node: ast.AST, package: str) -> Iterator[str]:
    """Yield each full name that an import may mean, a module or something in one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        yield from (value.value for value in node.args if isinstance(value, ast.Constant))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(module: str) -> set[str]:
    """Return the modules of this project that a module imports."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(tree(path)):
        for name in names_imported(node, package):
            found |= {name} & FILES.keys() or {name.rpartition(".")[0]} & FILES.keys()
    return found - {module}


@cache
def imports() -> dict[str, set[str]]:
    return {module: imports_of(module) for module in FILES}


def circles(graph: dict[str, set[str]]) -> list[frozenset[str]]:
    """Return the sets of modules that import each other, by way of others or not (strongly connected components)."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    reach = {module: reachable(module) for module in graph}
    return sorted(
        {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]},
        key=sorted,
    )


def table_of_stages() -> list[Stage]:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|", PAGE, re.MULTILINE)
    return [
        Stage(name, tuple(re.findall(r"`(.+?)`", where)), frozenset(re.findall(r"\w+", imports)))
        for name, where, imports in rows
    ]


STAGES = table_of_stages()


@cache
def stage_of(module: str) -> str:
    """Return the stage whose longest place holds the module's file."""
    path = FILES[module].relative_to(ROOT)
    matching = [
        (len(place), stage.name)
        for stage in STAGES
        for place in stage.places
        if path == Path(place) or Path(place) in path.parents
    ]
    assert matching, f"{path} is in no row of the table of stages in docs/architecture.md"
    return max(matching)[1]


@cache
def arrows() -> dict[str, dict[str, tuple[str, str]]]:
    """Return which stages each stage imports, with one example of importing and imported module."""
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for module, imported in imports().items():
        for other in imported:
            found[stage_of(module)].setdefault(stage_of(other), (module, other))
    return found


def test_the_picture_has_the_tables_stages_in_their_order() -> None:
    picture = re.search(r"^```\n(.*?──►.*?)\n", PAGE, re.MULTILINE | re.DOTALL)
    assert picture is not None
    drawn = [name.strip() for name in picture[1].split("──►")]
    names = [stage.name for stage in STAGES]
    assert [name for name in names if name in drawn] == drawn
    assert len(names) == len(set(names))


def test_all_places_exist() -> None:
    for stage in STAGES:
        assert stage.places, stage.name
        for place in stage.places:
            assert (ROOT / place).exists(), place


@pytest.mark.parametrize("position", range(len(STAGES)), ids=[stage.name for stage in STAGES])
def test_a_stage_imports_what_its_row_says_all_of_it_to_its_left(position: int) -> None:
    stage = STAGES[position]
    left = {other.name for other in STAGES[:position]}
    assert stage.imports <= left | {"nothing"}, "the table has an arrow against the street"
    found = arrows()[stage.name]
    against = {other: example for other, example in found.items() if other not in stage.imports | {stage.name}}
    assert not against, "a stage is imported that the row in docs/architecture.md does not name"
    assert not sorted(stage.imports - {"nothing"} - found.keys()), "the row names a stage that is not imported"


def test_no_circle_but_the_known_ones() -> None:
    found = circles(imports())
    new = [sorted(circle) for circle in found if not any(circle <= known for known in CIRCLES)]
    assert not new
    unneeded = frozenset[str]().union(*CIRCLES).difference(*found)
    assert not sorted(unneeded), "modules that are in no circle any more: remove them from CIRCLES"


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(graph) == [frozenset("bc")]
    assert circles({"a": {"b"}, "b": set()}) == []


ALL_FILES = python_files("snnlearn", *INSTALLED, "tests", "benchmarks")


def over(lengths: Iterable[tuple[str, int]], most: int, known: frozenset[str]) -> None:
    """Check that nothing is longer but what is known to be, and that all of that still is."""
    long = {name: length for name, length in lengths if length > most}
    assert not {name: length for name, length in long.items() if name not in known}
    assert not sorted(known - long.keys()), "no longer too long: remove it from the table at the top"


def templates() -> list[Path]:
    """Return the files of C, C++ and CUDA, and those that become one: templates, and the device of the tests."""
    found = (path for folder in ("snnlearn", "tests") for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in found if path.suffix in {".jinja", ".h", ".cuh", ".cpp"} and path.resolve() == path)


def test_no_file_is_long() -> None:
    files = [*ALL_FILES, *templates()]
    lengths = ((str(path.relative_to(ROOT)), len(path.read_text(encoding="utf-8").splitlines())) for path in files)
    over(lengths, LONGEST_FILE, LONG_FILES)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    if not body:
        return 0
    assert function.end_lineno is not None
    return function.end_lineno - body[0].lineno + 1


def functions() -> Iterator[tuple[str, int]]:
    for path in ALL_FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}::{node.name}", body_lines(node)


def test_no_function_is_long() -> None:
    over(functions(), LONGEST_FUNCTION, LONG_FUNCTIONS)


def test_signature_and_docstring_do_not_count() -> None:
    source = 'def f(\n    a,\n    b,\n):\n    """Say.\n\n    More.\n    """\n    c = a\n    return c\n'
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 2


PATHS = re.findall(r"^\| (?!\*\*).+\? \| (.+?) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("answer", PATHS)
def test_the_table_of_questions_names_files_and_functions_that_exist(answer: str) -> None:
    paths = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|md|jinja))`", answer)
    assert paths
    texts = ""
    folder = Path()
    for name in paths:
        # A bare name is beside the file named before it.
        places = [ROOT / name, ROOT / "snnlearn" / name, folder / name]
        path = next((place for place in places if place.is_file()), None)
        assert path is not None, name
        folder = path.parent
        texts += path.read_text(encoding="utf-8")
    for name in re.findall(r"`([A-Za-z_.]+)`", re.sub(r"`[^`]*\.(?:py|md|jinja)`", "", answer)):
        assert re.search(rf"\b{name.rpartition('.')[2]}\b", texts), name
