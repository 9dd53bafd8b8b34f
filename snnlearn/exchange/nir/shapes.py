"""The shapes of what a graph's nodes take and give: from inputs on, and as far as nodes say so themselves."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.graph import NEURONS, PARAMETERS, Flat, Node, Shape
from snnlearn.exchange.nir.windows import window_of


def shapes_of(flat: Flat) -> dict[str, tuple[Shape, Shape]]:
    """Return the shapes of what each node takes and gives.

    Raises
    ------
    ExchangeError
        Where they do not fit, or cannot be told.
    """
    taken: dict[str, Shape] = {}
    given: dict[str, Shape] = {}
    waiting = deque(flat.nodes.values())
    after = flat.after()
    reached = {target for _, target in flat.edges}
    for node in flat.nodes.values():
        own = _own(node)
        if own is None and node.kind in NEURONS and node.name not in reached:
            own = _of_parameters(node) or (1,)
        if own is not None:
            taken[node.name] = own
    while waiting:
        node = waiting.popleft()
        if node.name not in taken or node.name in given:
            continue
        given[node.name] = _behind(node, taken[node.name])
        for name in after[node.name]:
            before = taken.get(name)
            taken[name] = _joined(flat.nodes[name], before, given[node.name])
            if before is not None and before != taken[name]:
                given.pop(name, None)
            waiting.append(flat.nodes[name])
    missing = [name for name in flat.nodes if name not in given]
    if missing:
        raise ExchangeError(
            f"{flat.nodes[missing[0]].whole}: nothing says which shape its input has: give the graph an Input"
        )
    return {name: (taken[name], given[name]) for name in flat.nodes}


def _own(node: Node) -> Shape | None:
    """Return the shape of what a node takes as far as it says so itself."""
    if node.kind in ("Linear", "Affine"):
        weight = node.array("weight")
        if weight.ndim != 2:
            raise ExchangeError(f"{node.whole}: a weight of shape {weight.shape} is not supported; (out, in) is")
        return (weight.shape[1],)
    if node.kind == "Input":
        return node.declared()
    if node.kind in PARAMETERS:
        shape = _of_parameters(node)
        return shape if math.prod(shape) > 1 and node.kind != "Scale" else None
    return None


def _of_parameters(node: Node) -> Shape:
    try:
        shape = np.broadcast_shapes(*(node.array(name).shape for name in PARAMETERS[node.kind]))
    except ValueError:
        raise ExchangeError(f"{node.whole}: its parameters are of shapes that do not fit together") from None
    if 0 in shape:
        raise ExchangeError(f"{node.whole}: its parameters are empty")
    return shape


def _joined(node: Node, own: Shape | None, arriving: Shape) -> Shape:
    """Return the shape of what a node takes, of which one node before it gives this."""
    if node.kind in ("Linear", "Affine"):
        if own is None or math.prod(arriving) != own[0]:
            raise ExchangeError(f"{node.whole}: its weight takes {own} numbers, and {arriving} arrive")
        return own
    if node.kind in PARAMETERS and math.prod(_of_parameters(node)) > 1:
        try:
            fits = np.broadcast_shapes(_of_parameters(node), arriving) == arriving
        except ValueError:
            fits = False
        if not fits:
            raise ExchangeError(
                f"{node.whole}: its parameters have shape {_of_parameters(node)}, and {arriving} arrives"
            )
        return arriving
    if own is not None and own != arriving and math.prod(own) != math.prod(arriving):
        raise ExchangeError(f"{node.whole}: what arrives has shape {arriving} here and {own} there")
    return own or arriving


def _behind(node: Node, shape: Shape) -> Shape:
    """Return the shape of what a node gives for what it takes."""
    if node.kind in ("Linear", "Affine"):
        return (node.array("weight").shape[0],)
    if node.kind in ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"):
        return window_of(node, shape).output
    if node.kind == "Flatten":
        start, end = node.number("start_dim"), node.number("end_dim")
        dims = range(len(shape))
        try:
            first, last = dims[start], dims[end]
        except IndexError:
            raise ExchangeError(f"{node.whole}: there are no dimensions {start} to {end} in {shape}") from None
        return (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return shape
