"""A NIR graph without its nesting: nodes by full name, their kinds and parameters, edges and paths."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError, did_you_mean

Shape = tuple[int, ...]

NEURONS = ("LIF", "CubaLIF", "IF", "LI", "CubaLI", "I", "Threshold")
LINEAR = ("Linear", "Affine", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay")
KINDS = ("Input", "Output", "NIRGraph", *NEURONS, *LINEAR)
# Of each kind of node that has them by element.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak", "w_in"),
    "I": ("r",),
    "Threshold": ("threshold",),
    "Scale": ("scale",),
    "Delay": ("delay",),
}
THROUGH = "Through"  # the input or output of a graph within the graph
_ENDS = ("Input", "Output")
_DEEPEST = 32
_MOST_PATHS, _MOST_BETWEEN = 10_000, 1000
_MOST = 1 << 26  # elements of a node


@dataclass(frozen=True)
class Node:
    """A node that is no graph.

    Parameters
    ----------
    name : str
        Full, with those of the graphs around it: ``"rnn.lif"``.
    kind : str
        The name of its class in NIR, or `THROUGH`.
    given : nir.NIRNode
    """

    name: str
    kind: str
    given: Any

    @property
    def whole(self) -> str:
        """What messages call it."""
        return f"node '{self.name}' ({type(self.given).__name__})"

    def array(self, name: str) -> NDArray[np.float64]:
        """Return a parameter in double precision.

        Raises
        ------
        ExchangeError
            If it is none, or not finite.
        """
        given = getattr(self.given, name, None)
        if name == "v_reset" and given is None:  # NIR before 1.0.5, which had none
            return np.zeros_like(self.array("v_threshold"))
        try:
            value = np.asarray(given, np.float64)
        except (TypeError, ValueError) as error:
            raise ExchangeError(f"{self.whole}: {name} is no array of numbers: {error}") from error
        if not np.isfinite(value).all():
            raise ExchangeError(f"{self.whole}: {name} has numbers that are not finite")
        return value

    def number(self, name: str) -> int:
        """Return a whole number."""
        value = np.asarray(getattr(self.given, name, None))
        if value.dtype.kind not in "iu" or value.size != 1:
            raise ExchangeError(f"{self.whole}: {name} is {getattr(self.given, name, None)!r}, not a whole number")
        return int(value.flat[0])

    def declared(self) -> Shape | None:
        """Return the shape that an Input says it has; None where it says none."""
        types = getattr(self.given, "input_type", None)
        value = next(iter(types.values()), None) if isinstance(types, Mapping) else types
        if value is None:
            return None
        shape = np.atleast_1d(np.asarray(value))
        # Shapes of one dimension that came as floating-point numbers are common in files.
        whole = (
            shape.dtype.kind in "iuf" and shape.ndim == 1 and shape.size > 0 and bool((shape == np.rint(shape)).all())
        )
        if not whole or (shape < 1).any() or math.prod(map(float, shape)) > _MOST:
            raise ExchangeError(f"{self.whole}: {value!r} is no shape of up to {_MOST} elements")
        return tuple(int(x) for x in shape)

    def sides(self, name: str, default: int = 1) -> tuple[int, int]:
        """Return a whole number for height and for width; of a Conv1d, ``default`` for the height."""
        value = np.asarray(getattr(self.given, name, None))
        if value.dtype.kind not in "iu" or value.size not in (1, 2):
            raise ExchangeError(
                f"{self.whole}: {name} is {getattr(self.given, name, None)!r}, not one or two whole numbers"
            )
        first, last = int(value.flat[0]), int(value.flat[-1])
        return (default, last) if self.kind == "Conv1d" else (first, last)


@dataclass(frozen=True)
class Flat:
    """A graph without graphs in it.

    Parameters
    ----------
    nodes : dict of str to Node
    edges : tuple of pairs of str
    """

    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]

    def after(self) -> dict[str, list[str]]:
        """Return the nodes behind each node."""
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            found[source].append(target)
        return found


def flatten(graph: Any) -> Flat:
    """Return a graph's nodes and edges, with those of graphs within it.

    Raises
    ------
    ExchangeError
        For a node of an unknown kind, edges to nodes that are not there, graphs with several inputs or outputs where
        an edge does not say which.
    """
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    _add(graph, "", 0, nodes, edges)
    repeated = len(edges) - len(set(edges))
    if repeated:
        twice = next(edge for edge in edges if edges.count(edge) > 1)
        raise ExchangeError(f"the edge from '{twice[0]}' to '{twice[1]}' is there twice")
    for source, target in edges:
        if nodes[target].kind == "Input" or nodes[source].kind == "Output":
            raise ExchangeError(f"the edge from '{source}' to '{target}' leads into an Input or out of an Output")
    return Flat(nodes, tuple(edges))


def _add(graph: Any, within: str, depth: int, nodes: dict[str, Node], edges: list[tuple[str, str]]) -> None:
    if depth > _DEEPEST:
        raise ExchangeError(f"graph '{within}' is within more than {_DEEPEST} others")
    ends: dict[str, tuple[list[str], list[str]]] = {}  # of each name in this graph: where edges to and from it go
    for name, given in graph.nodes.items():
        full, kind = f"{within}{name}", type(given).__name__
        if kind == "NIRGraph":
            _add(given, f"{full}.", depth + 1, nodes, edges)
            inner = {k: [f"{full}.{n}" for n, x in given.nodes.items() if type(x).__name__ == k] for k in _ENDS}
            ends[name] = (inner["Input"], inner["Output"])
            continue
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS) or f"; supported are {', '.join(KINDS)}"
            raise ExchangeError(f"node '{full}' is of the kind {kind}, which is not supported{hint}")
        if full in nodes:
            raise ExchangeError(f"there are two nodes called '{full}'")
        nodes[full] = Node(full, THROUGH if within and kind in _ENDS else kind, given)
        ends[name] = ([full], [full])
    for source, target in graph.edges:
        edges.append((_end(ends, source, within, 1), _end(ends, target, within, 0)))


def _end(ends: Mapping[str, tuple[list[str], list[str]]], name: str, within: str, side: int) -> str:
    if name not in ends:
        raise ExchangeError(f"an edge names '{within}{name}', which is no node{did_you_mean(name, ends)}")
    found = ends[name][side]
    if len(found) != 1:
        what = _ENDS[side]
        raise ExchangeError(
            f"graph '{within}{name}' has {len(found)} nodes of the kind {what}: an edge needs exactly one to lead to"
        )
    return found[0]


def walk(flat: Flat, start: str, after: Mapping[str, list[str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each path from a node on through linear nodes to the next neurons or outputs: what lies between, the end.

    Raises
    ------
    ExchangeError
        For a loop without a neuron, and more paths than a network has.
    """
    stack: list[tuple[tuple[str, ...], str]] = [((), name) for name in after[start]]
    count = 0
    while stack:
        between, name = stack.pop()
        if flat.nodes[name].kind in NEURONS or flat.nodes[name].kind in _ENDS:
            count += 1
            yield between, name
        elif name in between or name == start:
            loop = " -> ".join([*between[between.index(name) if name in between else 0 :], name])
            raise ExchangeError(f"{flat.nodes[name].whole} is in a loop without a neuron, {loop}: it has no state")
        else:
            stack += [((*between, name), further) for further in reversed(after[name])]
        if count > _MOST_PATHS or len(stack) > _MOST_PATHS:
            raise ExchangeError(f"node '{start}': more than {_MOST_PATHS} paths lead from it to the next neurons")
        if len(between) > _MOST_BETWEEN:
            raise ExchangeError(f"node '{start}': more than {_MOST_BETWEEN} nodes are between it and the next neurons")
