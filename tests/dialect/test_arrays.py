"""Arrays that code writes to, and variables as they were some timesteps ago."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dialect_interpreter import run_snippet
from snnlearn.declare import value_type
from snnlearn.dialect import Snippet, tree

Parse = Callable[..., Snippet]
Refuse = Callable[..., None]
INT = value_type("int")


@pytest.mark.parametrize(
    ("code", "reads", "after"),
    [
        ("store[1] = 7;", "", [10, 7, 30]),
        ("*store = 7;", "", [7, 20, 30]),
        ("*(store + n) = 7;", "n", [10, 20, 7]),
        ("store[n] += 1.5;", "n store", [10, 20, 31]),
        ("store[0]++; --store[1];", "store", [11, 19, 30]),
        ("store[0] = store[1] = store[2]++;", "store", [30, 30, 31]),
        ("store[1] |= 8;", "store", [10, 28, 30]),
    ],
)
def test_elements_change(parse: Parse, code: str, reads: str, after: list[int]) -> None:
    snippet = parse(code)
    assert (snippet.reads, snippet.writes) == (set(reads.split()), {"store"})
    array = [10, 20, 30]
    run_snippet(snippet, {"n": 2}, {"store": array})
    assert array == after


def test_what_an_assignment_to_an_element_looks_like(parse: Parse) -> None:
    snippet = parse("store[n] = 3;")
    assert isinstance(snippet.tree, tree.Block)
    target = tree.Index("store", tree.Name("n", INT), INT)
    assert snippet.tree.statements == (tree.Evaluate(tree.Assign("=", target, tree.Literal("3", INT), INT)),)


def test_a_dereferenced_array_is_its_element(parse: Parse) -> None:
    assert parse("V = *a + *(a + n);") == parse("V = a[0] + a[n];")


def test_a_delayed_read(parse: Parse) -> None:
    snippet = parse("V = past[n + 1] - past;")
    assert snippet.reads == {"past", "n"}
    assert snippet.delayed == {"past"}
    assert parse("V = past + a[1];").delayed == set()
    assert run_snippet(snippet, {"n": 1, "past": 1.0, "V": 0.0}, {"past": [1.0, 2.0, 5.0]})["V"] == 4.0


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("V = past[‸V];", "a delay in timesteps must be an integer, not scalar"),
        ("V = ‸past[0][1];", "only a declared array can be indexed"),
        ("‸past[1] = 3;", "'past' is read-only here: it is a postsynaptic variable"),
        ("‸store = 3;", "'store' is an array: only its elements change, as in store\\[0\\] = 1"),
        ("‸store++;", "'store' is an array: only its elements change"),
        ("store[‸1.5] = 3;", "an index must be an integer, not scalar"),
        ("V = ‸*past;", "no such '\\*' here: it needs a pointer into an array"),
        ("V = ‸store;", "'store' is an array: index it"),
        ("V = ‸total;", "'total' can only be assigned to, with '=': it is a target of a reduction"),
        ("‸total += 1;", "'total' can only be assigned to, with '='"),
        ("‸total++;", "'total' can only be assigned to, with '='"),
    ],
)
def test_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


@pytest.mark.parametrize("marked", ["store[0] ‸= 3", "‸store[0]++", "V > (store[1] ‸+= 1)"])
def test_an_expression_changes_no_element(refuse: Refuse, marked: str) -> None:
    refuse(marked, "changes a variable, which this code must not", expression=True)
