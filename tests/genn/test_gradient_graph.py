"""The graph of the demo's network: a file that Graphviz draws, and a picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from snnlearn import genn
from snnlearn.errors import GradientError
from snnlearn.userproject import superspike

GOLDEN = Path(__file__).with_name("superspike_graph.dot")


@pytest.fixture(scope="module")
def program() -> Any:
    trains = superspike.frozen_poisson(1, 20, 100.0), superspike.frozen_poisson(2, 10, 100.0)
    return superspike.describe(genn, *trains, seed=1, num_hidden=16, rule="bptt").program


def test_the_demo_in_the_dot_language(program: Any) -> None:
    text = program.graph(prefix="step0.")
    assert text + "\n" == GOLDEN.read_text(encoding="utf-8")
    nodes = re.findall(r'^    "(.*?)" \[shape', text, re.MULTILINE)
    assert 10 < len(nodes) <= 50
    assert all(node.startswith("step0.") for node in nodes)
    assert program.graph().replace('"', '"step0.') != text  # the prefix is at the beginning of names alone
    assert re.sub(r'"step0\.', '"', text) == program.graph()


def test_the_demo_as_a_picture(program: Any) -> None:
    text = program.graph(prefix="step0.", format="svg")
    shown = [element.text for element in ET.fromstring(text).iter() if element.tag.endswith("}text")]
    dot = program.graph(prefix="step0.")
    nodes = re.findall(r'^    "(.*?)" \[shape', dot, re.MULTILINE)
    assert sorted(nodes) == sorted(label for label in shown if label in nodes)
    assert text == program.graph(prefix="step0.", format="svg")


def test_another_format(program: Any) -> None:
    with pytest.raises(GradientError, match="there is no format 'png'"):
        program.graph(format="png")


def test_prefixes(program: Any) -> None:
    """Quotes and backslashes are text to DOT's strings and dollars to the picture, whose nodes keep their names."""
    assert program.graph(prefix='a"\\').splitlines()[2].strip().startswith('"a\\"\\\\')
    shown = [e.text for e in ET.fromstring(program.graph(prefix="$\\no$", format="svg")).iter() if e.text]
    assert "$\\no$Output.V" in shown
    with pytest.raises(GradientError, match=r"prefix is what names of nodes begin with, such as 'step0\.', not None"):
        program.graph(prefix=None, format="svg")
    with pytest.raises(GradientError, match="there is no format"):
        program.graph(format=[])
