"""The typed tree is a plain value that can be rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snnlearn.declare import value_type
from snnlearn.dialect import Snippet, tree

Parse = Callable[..., Snippet]
CODE = """
const scalar x = 2 * W;
if (V > x) { V -= a[n]; } else V = -exp(W);
for (int i = 0, j = 1; i < n && b; i++, j--) { if (i) continue; V += (float)i; }
do { n--; } while (n > 0 ? true : !b);
switch (n) { case 1: addToPost(V); break; default: ; }
for_each_synapse { printf("%d", n); }
"""


def nodes(root: Any) -> list[Any]:
    """Return all nodes of a tree, children before their parents."""
    found: list[Any] = []
    tree.rewrite(root, lambda node: found.append(node) or node)
    return found


def test_trees_of_equal_code_are_equal(parse: Parse) -> None:
    one, two = parse(CODE), parse(CODE.replace("\n", " /* */\n\t"))
    assert one == two
    assert hash(one) == hash(two)


def test_a_rewrite_that_changes_nothing_returns_the_tree_itself(parse: Parse) -> None:
    root = parse(CODE).tree
    assert tree.rewrite(root, lambda node: node) is root


def test_a_rewrite_reaches_every_node_children_first(parse: Parse) -> None:
    root = parse(CODE).tree
    found = nodes(root)
    kinds = {type(node).__name__ for node in found}
    assert kinds == {
        *("Block", "Declare", "Evaluate", "If", "For", "While", "Switch", "Case", "Jump", "ForEachSynapse"),
        *("Literal", "Text", "Name", "Unary", "Binary", "Ternary", "Call", "Index", "Cast", "Assign", "Step", "Comma"),
    }
    assert found[-1] is root
    seen: set[int] = set()
    for node in found:
        children = [c for f in vars(node).values() for c in (f if isinstance(f, tuple) else [f])]
        assert all(id(c) in seen for c in children if type(c).__module__ == tree.__name__)
        seen.add(id(node))


def test_a_rewrite_replaces_where_it_is_asked_to(parse: Parse) -> None:
    def rename(node: Any) -> Any:
        return tree.Name("W2", node.type) if node == tree.Name("W", value_type("scalar")) else node

    root = parse(CODE).tree
    changed = tree.rewrite(root, rename)
    assert tree.names_in(changed) == tree.names_in(root) - {"W"} | {"W2"}
    assert tree.rewrite(changed, lambda n: tree.Name("W", n.type) if getattr(n, "id", "") == "W2" else n) == root


@pytest.mark.parametrize(
    ("code", "names"),
    [("V = W;", "V W"), ("V++;", "V"), ("V = a[n];", "V a n"), ("int i = n;", "i n"), (CODE, "x W V a n b i j")],
)
def test_names_in(parse: Parse, code: str, names: str) -> None:
    assert tree.names_in(parse(code).tree) == set(names.split())


def test_names_in_are_the_names_read_or_written_and_locals(parse: Parse) -> None:
    snippet = parse(CODE)
    local = {node.name for node in nodes(snippet.tree) if isinstance(node, tree.Declare)}
    assert tree.names_in(snippet.tree) - local == snippet.names
