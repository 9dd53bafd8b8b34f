"""Identifiers of generated source."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from small_networks import network
from snnlearn import codegen
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import build_plan
from snnlearn.codegen.plan.names import PREFIX, Names, label
from snnlearn.runtime.compiler import find_compiler


def test_each_is_handed_out_once() -> None:
    names = Names(frozenset(["v_taken"]))
    found = [names.unique(n) for n in ("V", "V", "V_2", "taken", "V")]
    assert found == ["v_V", "v_V_2", "v_V_2_2", "v_taken_2", "v_V_3"]
    assert all(name in names for name in ("v_taken", *found))
    assert "v_W" not in names
    assert names.unique("neuron_update_A", prefix="") == "neuron_update_A"


@pytest.mark.parametrize("word", ["new", "i", "sim", "WIDTH", "M_PI", "_x", "__x", "tile_w", "23E_V", "v_V"])
def test_what_is_handed_out_starts_as_nothing_else_does(word: str) -> None:
    assert Names().unique(word) == f"{PREFIX}{word}"
    assert label(f"{PREFIX}{word}") == word


def test_no_word_of_templates_schedules_and_printers_starts_like_an_identifier() -> None:
    folder = Path(codegen.__path__[0])
    files = [path for path in folder.glob("*/templates/*") if path.is_file()]
    files += [path for name in ("lower", "clike", "cpp", "cuda") for path in (folder / name).rglob("*.py")]
    names = {path.name for path in files}
    assert {"simulation.cpp.jinja", "program.cu.jinja", "support.h", "strips.py", "synapses.py", "nests.py"} <= names
    for path in files:
        assert not re.findall(rf"(?<![\w.]){PREFIX}\w*", path.read_text()), path.name


def test_no_macro_of_the_compiler_or_its_headers_starts_like_an_identifier(tmp_path: Path) -> None:
    source = tmp_path / "simulation.cpp"
    source.write_text(emit_cpp(build_plan(network())))
    command = [*find_compiler().command, "-x", "c++", "-std=c++17", "-E", "-dM", str(source)]
    macros = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^#define (\w+)", macros, re.MULTILINE)
    assert {"L_tmpnam", "P_tmpdir", "EOF", "NULL", "stdin"} <= set(found)
    assert not [name for name in found if name.startswith(PREFIX)]
