"""Divisions of integers that a model's own numbers leave without a result: refused before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from snnlearn.dialect import tree
from snnlearn.dialect.constants import division_fault
from snnlearn.errors import NetworkError


def check_divisions(title: str, node: tree.Block | tree.Expr, known: Mapping[str, int]) -> None:
    """Check the divisions that code does whenever it runs; one behind a condition may be guarded by it.

    Parameters
    ----------
    title : str
        Whose code it is.
    node : Block or expression
    known : mapping of str to int
        The names that stand for whole numbers.

    Raises
    ------
    NetworkError
        At a division by zero; shows the line and a caret.
    """
    if not known or not _divides(node):
        return
    for found in _always(node):
        if isinstance(found, tree.Binary):
            op, left, right = found.op, found.left, found.right
        elif isinstance(found, tree.Assign):
            op, left, right = found.op[:-1], found.target, found.value
        else:
            continue
        fault = division_fault(op, left, right, known)
        if fault:
            values = ", ".join(f"'{name}' is {known[name]}" for name in sorted(tree.names_in(right) & known.keys()))
            message = f"{fault}: {values}" if values else fault
            raise NetworkError(f"{title}: {message}" if found.at is None else str(found.at.error(message)))


@tree.memoised
def _divides(node: Any) -> bool:
    """Whether integers are divided anywhere."""
    binary = (n for n in tree.walk(node) if isinstance(n, (tree.Binary, tree.Assign)))
    return any(n.op in ("/", "%", "/=", "%=") and n.type.kind != "float" for n in binary)


def _always(node: Any) -> Iterator[Any]:
    """Yield the expressions that are evaluated whenever a node is."""
    if isinstance(node, tuple):
        for item in node:
            yield from _always(item)
    elif node is not None:
        if isinstance(node, (tree.Binary, tree.Assign)):
            yield node
        yield from _always(_first_parts(node))


def _first_parts(node: Any) -> tuple[Any, ...]:
    """Return the parts of a node that come first, or always."""
    if isinstance(node, tree.Binary) and node.op in ("&&", "||"):
        return (node.left,)
    if isinstance(node, (tree.Ternary, tree.If)):
        return (node.condition,)
    if isinstance(node, tree.While):
        return (node.condition,) if not node.test_last else ()
    if isinstance(node, tree.For):
        return (node.start, node.condition)
    if isinstance(node, tree.Switch):
        return (node.value,)
    if isinstance(node, tree.ForEachSynapse):
        return ()
    return tree.children(node)
