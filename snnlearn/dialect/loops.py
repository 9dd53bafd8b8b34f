"""Which loops of code are sure to end soon."""

from __future__ import annotations

from typing import Any

from snnlearn.dialect import tree

_FEW = 1000  # passes
_MOST = 1 << 30


def ends_soon(loop: tree.Statement) -> bool:
    """Whether a loop counts a variable of its own from one literal to another, in few passes, without further loops."""
    if not isinstance(loop, tree.For) or len(loop.start) != 1 or not isinstance(loop.start[0], tree.Declare):
        return False
    counter, condition, step = loop.start[0], loop.condition, loop.step
    if not (isinstance(condition, tree.Binary) and isinstance(step, tree.Step) and _is(step.target, counter.name)):
        return False
    begin, end = _number(counter.value), _number(condition.right)
    if begin is None or end is None or not _is(condition.left, counter.name):
        return False
    towards = {"++": ("<", "<="), "--": (">", ">=")}[step.op]
    passes = end - begin if step.op == "++" else begin - end
    # One that counts down does so below zero: not what has no sign.
    counts = counter.type.name == "int" or (counter.type.name == "unsigned int" and step.op == "++")
    return (
        counts
        and max(begin, end) < _MOST
        and condition.op in towards
        and passes <= _FEW
        and not _disturbs(loop.body, counter.name)
    )


def _is(e: Any, name: str) -> bool:
    return isinstance(e, tree.Name) and e.id == name


def _number(e: tree.Expr | None) -> int | None:
    """Return the number of a literal of an integer."""
    try:
        return int(e.text, 0) if isinstance(e, tree.Literal) and e.type.kind == "int" else None
    except ValueError:  # a suffix
        return None


def _disturbs(body: tree.Block, counter: str) -> bool:
    """Whether a body changes the counter, or has loops."""
    found = False

    def look(node: Any) -> Any:
        nonlocal found
        loops = isinstance(node, (tree.For, tree.While, tree.ForEachSynapse))
        changes = isinstance(node, (tree.Assign, tree.Step)) and _is(node.target, counter)
        # One of the same name within: then it is not clear at a glance whose is changed.
        hides = isinstance(node, tree.Declare) and node.name == counter
        found = found or loops or changes or hides
        return node

    tree.rewrite(body, look)
    return found
