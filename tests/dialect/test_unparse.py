"""Trees become code strings again: what the checker makes of the text is the tree."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dialect_author import PARAMETERS, TYPES, Author
from dialect_damage import GOOD, damaged, noise
from snnlearn import models
from snnlearn.declare import Model, NeuronModel, VarInitSnippet, value_type
from snnlearn.dialect import Scope, Snippet, Symbol, check_model, parse_code, substitute, tree, unparse
from snnlearn.dialect.scopes import initialiser_scopes, scopes_of
from snnlearn.dialect.unparse import spellable
from snnlearn.errors import DialectError

Parse = Callable[..., Snippet]
BUILT_IN = [pytest.param(m, id=f"{type(m).__name__}.{m.name}") for m in models.ALL]


def spelt(root: Any) -> Any:
    """Return a tree with names that code can have."""
    names = spellable(root)

    def rename(node: Any) -> Any:
        new = {"Name": "id", "Declare": "name", "Index": "array"}.get(type(node).__name__, "")
        old = getattr(node, new, None)
        return replace(node, **{new: names[old]}) if old in names else node

    return tree.rewrite(root, rename)


@pytest.mark.parametrize("model", BUILT_IN)
def test_every_code_string_of_the_library_comes_back(model: Model) -> None:
    scopes = initialiser_scopes(model) if isinstance(model, VarInitSnippet) else scopes_of(model)
    outer: dict[str, Any] = {}
    for attribute, snippet in check_model(model).snippets.items():
        expression = attribute.endswith("threshold_condition_code")
        text = unparse(snippet.tree)
        again, seen = parse_code(text, scopes[attribute], "again", expression=expression, outer=outer)
        assert again.tree == spelt(snippet.tree)
        assert again == Snippet(spelt(snippet.tree), snippet.reads, snippet.writes, snippet.calls, snippet.delayed)
        if isinstance(model, NeuronModel) and attribute == "sim_code":
            outer = seen


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_come_back(seed: int) -> None:
    author = Author(seed)
    names = TYPES | PARAMETERS | {"p": "scalar", "q": "scalar", "dt": "scalar", "id": "int", "num_neurons": "int"}
    scope = Scope({n: Symbol("variable", value_type(t), writable=True) for n, t in names.items()}, {})
    code = "\n".join(author.statement(2) for _ in range(40))
    first = parse_code(code, scope, "first")[0].tree
    assert parse_code(unparse(first), scope, "again")[0].tree == first


@pytest.mark.parametrize("make", [damaged, noise])
def test_whatever_damaged_code_is_accepted_comes_back(parse: Parse, make: Callable[[random.Random], str]) -> None:
    rng, accepted = random.Random(make.__name__), 0
    for _ in range(150):
        expression = rng.random() < 0.2
        code = make(rng)
        try:
            root = parse(code, expression=expression).tree
        except DialectError:
            continue
        accepted += 1
        assert parse(unparse(root), expression=expression).tree == spelt(root), code
    assert accepted > 2
    assert parse(unparse(parse(GOOD).tree)).tree == parse(GOOD).tree


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("V=-(-V);", "V = -(-V);"),
        ("n = - --n;", "n = -(--n);"),
        ("n = n - -n - (n - n);", "n = n - -n - (n - n);"),
        ("V = (V, W);", "V = (V, W);"),
        ("V = W = f;", "V = W = f;"),
        ("V = (n = 3) + 1;", "V = (n = 3) + 1;"),
        ("V = b ? (b ? 1.0 : 2.0) : b ? 3.f : 4.0d;", "V = b ? b ? 1.0 : 2.0 : b ? 3.f : 4.0d;"),
        ("V = (b ? V : W) * (V + W) / (V / W);", "V = (b ? V : W) * (V + W) / (V / W);"),
        ("V = (scalar)(n + 1) * (int)n;", "V = (scalar)(n + 1) * (int)n;"),
        ("n = n & 1 | 3u << 2 ^ ~n;", "n = n & 1 | 3u << 2 ^ ~n;"),
        ("b = !(n == 3 && (b || n));", "b = !(n == 3 && (b || n));"),
        ('printf("100%% \\"a\\\\\\n%d", n);', 'printf("100%% \\"a\\\\\\n%d", n);'),
        ('printf("why? %f", V);', 'printf("why? %f", (double)V);'),
        ("scalar n = n + 1; V = n;", "scalar n_local = n + 1;\nV = n_local;"),
        ("scalar *p = a + n; V = p[1] + *p++;", "int64_t p_at = n;\nV = a[p_at + 1] + a[p_at++];"),
    ],
)
def test_text(parse: Parse, code: str, text: str) -> None:
    assert unparse(parse(code).tree) == f"{text}\n"
    assert parse(text).tree == spelt(parse(code).tree)


def test_statements_are_indented(parse: Parse) -> None:
    code = """if (b) {
    for (int i = 0, j = 1; i < n; i++, j--) {
        V += i;
    }
}
else {
    do {
        n--;
    } while (n > 0);
    switch (n) {
    case -1: {
        break;
    }
    default: {
    }
    }
}
for_each_synapse {
    while (b) {
        b = false;
    }
}
"""
    assert unparse(parse(code).tree) == code
    assert unparse(parse(code).tree.statements, indent="  ") == re.sub("^", "  ", code, flags=re.M)[:-2]


def test_a_loop_over_a_pointer_and_a_number_counts_both(parse: Parse) -> None:
    root = parse("for (scalar *p = a, x = 1.0; x < 3.0; p++, x += 1.0) V += *p;").tree
    assert parse(unparse(root)).tree.statements[0].statements[2].body == spelt(root).statements[0].body


def test_a_name_that_is_taken_is_avoided(parse: Parse) -> None:
    root = parse("scalar n = 1.0; scalar n_local = 2.0; V = n + n_local;").tree
    text = unparse(root, taken={"n_local_2"})
    assert text.endswith("V = n_local_3 + n_local;\n")


def test_an_expression_for_a_name(parse: Parse) -> None:
    root = parse("V + a[n] * V", expression=True).tree
    changed = substitute(root, {"V": parse("W - 1.0", expression=True).tree, "a": root})
    assert unparse(changed) == "W - 1.0 + a[n] * (W - 1.0)"
    assert substitute(root, {}) is root


def parse_place(root: Any) -> Any:
    """Return where the call in a tree is."""
    return next(n.at for n in tree.walk(root) if isinstance(n, tree.Call))


def test_nodes_know_where_their_code_is(parse: Parse) -> None:
    code = "V = 1.0;\n    if (b) { W = exp(tau); }"
    root = parse(code).tree
    for node in tree.walk(root):
        if isinstance(node, tree.Call):
            assert str(
                node.at.error("here it is")
            ) == "here, line 2: here it is\n        if (b) { W = exp(tau); }\n" + (" " * 21 + "^")
    changed = substitute(root, {"tau": tree.Name("g", value_type("scalar"))})
    assert [n.at for n in tree.walk(changed) if isinstance(n, tree.Call)] == [parse_place(root)]
    assert root == parse(code.replace(" ", "  ")).tree
    assert "at=" not in repr(root)
