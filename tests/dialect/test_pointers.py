"""Pointers into arrays: gone when the check is done, with the same effect as in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dialect_interpreter import run_snippet
from snnlearn.declare import NeuronModel
from snnlearn.declare.types import value_type
from snnlearn.dialect import Scope, Snippet, Symbol, check_model, parse_code, tree
from snnlearn.errors import DialectError

Parse = Callable[..., Snippet]
Refuse = Callable[..., None]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("int *p = store; V = *p;", 10),
        ("int *p = store + 2; V = *p;", 30),
        ("int *p = 1 + store; V = p[1];", 30),
        ("int *p = store + u; V = p[-1];", 10),
        ("int *p = store + u; V = *(p - 1);", 10),
        ("V = *(store + u - 1);", 10),
        ("V = *(u + store);", 20),
        ("V = (store + 3)[-1];", 30),
        ("int *p = store; p += 2; V = *p; p -= 1; V -= *p;", 10),
        ("int *p = store; V = *p++; V += 100 * *p;", 2010),
        ("int *p = store; V = *++p;", 20),
        ("int *p = store + 2; int *q = p--; V = *p - *q;", -10),
        ("int *p = store + 2, *q = store; q = p - 1; V = *q;", 20),
        ("const int *p = store; { const int *store = p + 1; V = *store; }", 20),
        ("int n = 2; int *p = store + n; n = 0; V = *p;", 30),
        ("int * const p = store + 1; V = p[0];", 20),
        ("V = 0; int *p = store; for (int i = 0; i < 3; i++) V += *p++;", 60),
    ],
)
def test_what_a_pointer_points_to(parse: Parse, code: str, expected: float) -> None:
    snippet = parse(code)
    assert snippet.reads - {"u", "V"} == {"store"}
    assert snippet.writes == {"V"}
    assert run_snippet(snippet, {"V": -1.0, "u": 1, "n": 7}, {"store": [10, 20, 30]})["V"] == expected


def test_what_is_written_through_a_pointer(parse: Parse) -> None:
    snippet = parse("int *p = store + 1; *p = 5; p[1] += 2; *(p - 1) = 9; *p++ = 6; *p |= 1;")
    assert (snippet.reads, snippet.writes) == ({"store"}, {"store"})
    array = [10, 20, 30]
    run_snippet(snippet, {}, {"store": array})
    assert array == [9, 6, 33]


def test_a_pointer_is_a_distance_in_the_tree(parse: Parse) -> None:
    snippet = parse("int *p = store + n; V = p[1];")
    kinds: dict[str, list[Any]] = {}
    tree.rewrite(snippet.tree, lambda node: kinds.setdefault(type(node).__name__, []).append(node) or node)
    (declared,) = kinds["Declare"]
    assert (declared.name, declared.type.name) == ("p.at", "int64_t")
    (index,) = kinds["Index"]
    assert index.array == "store"
    assert tree.names_in(index.index) == {"p.at"}


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("int ‸*x;", "'x' must point into an array from the start"),
        ("int x = 1, ‸*y;", "'y' must point into an array from the start"),
        ("int ‸*x = 0;", "'x' must point into an array from the start"),
        ("int ‸*x = n;", "'x' must point into an array from the start"),
        ("int *‸*x = store;", "there are no pointers to pointers"),
        ("float ‸*x = store;", "'x' points to float, but 'store' is an array of int"),
        ("scalar *p = a; *‸p = 3;", "'a' is read-only here: it is an extra global parameter"),
        ("const int *p = store; ‸p[0] = 3;", "'store' is read-only here"),
        ("int * const p = store; ‸p++;", "'p' is read-only here: it is a const pointer"),
        ("int *p = store; p = ‸n;", "'p' points into 'store', and can point into nothing else"),
        ("int *p = store; p = ‸a;", "'p' points into 'store', and can point into nothing else"),
        ("int *p = store; ‸p *= 2;", "a pointer has no '\\*='"),
        ("int *p = store; p += ‸V;", "an index must be an integer, not scalar"),
        ("int *p = store + ‸1.5;", "an index must be an integer, not scalar"),
        ("int *p = store; V = ‸p;", "'p' is an array: index it"),
        ("int *p = store; V = ‸p - store;", "'p' is an array: index it"),
        ("int *p = store; V = *(‸p - store);", "of pointers, only one and a whole number can be added"),
        ("V = *(‸n - store);", "of pointers, only one and a whole number can be added"),
        ("(‸store + 1) = store;", "only a local pointer can be moved"),
        ("(‸store + 1)++;", "only a local pointer can be moved"),
        ("‸store += 1;", "'store' is an array: only its elements change"),
        ("int *p = store; { int *q = p; } *‸q = 1;", "unknown name 'q'"),
        ("V = *(store + ‸none);", "unknown name 'none'"),
        ("int *p = store; int ‸p = 3;", "'p' is declared twice in this block"),
        ("V = ‸*(true + 1);", "no such"),
    ],
)
def test_refused(refuse: Refuse, marked: str, message: str) -> None:
    refuse(marked, message)


def test_an_expression_moves_no_pointer() -> None:
    declared: dict[str, Any] = {"extra_global_params": [("a", "scalar*")], "sim_code": "scalar *p = a + id;"}
    checked = check_model(NeuronModel("m", **declared, threshold_condition_code="*p > 1.0"))
    assert checked.snippets["threshold_condition_code"].reads == {"a"}
    for code in ("*p++ > 1.0", "(p += 1) > 1.0"):
        with pytest.raises(DialectError, match="changes a variable, which this code must not"):
            check_model(NeuronModel("m", **declared, threshold_condition_code=code))


def test_pointers_cannot_nest_without_end() -> None:
    scope = Scope({"n": Symbol("parameter", value_type("int"))}, {})
    with pytest.raises(DialectError, match="nested"):
        parse_code("*(" + "+".join(["n"] * 300) + ")", scope, "here", expression=True)
