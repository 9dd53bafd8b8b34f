"""A NIR graph without its nesting: nodes by full name, their kinds, shapes and edges."""

from __future__ import annotations

import math
from collections import deque
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
THROUGH = "Through"  # the input or output of a graph within the graph
_DEEPEST = 32
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


_ENDS = ("Input", "Output")


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


# ---- shapes ----


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


# ---- windows that move over pictures ----


@dataclass(frozen=True)
class Window:
    """What a convolution or pool looks at: pairs are of height and width.

    Parameters
    ----------
    channels : tuple of int
        Of input and output.
    size, stride, dilation, margin : tuple of int
        ``margin`` is how much of the empty frame is above and left of the picture.
    taken, given : tuple of int
        Height and width of input and output.
    groups : int
    flat : bool
        Whether pictures are lines: of a Conv1d.
    """

    channels: tuple[int, int]
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    margin: tuple[int, int]
    taken: tuple[int, int]
    given: tuple[int, int]
    groups: int
    flat: bool

    @property
    def output(self) -> Shape:
        """The shape of the output."""
        return (self.channels[1], *(self.given[1:] if self.flat else self.given))


def window_of(node: Node, shape: Shape) -> Window:
    """Return the window of a convolution or pool over an input of a shape.

    Raises
    ------
    ExchangeError
        If they do not fit.
    """
    flat = node.kind == "Conv1d"
    if len(shape) != (2 if flat else 3):
        raise ExchangeError(f"{node.whole}: it takes channels and {'a length' if flat else 'a picture'}, not {shape}")
    taken = (1, shape[1]) if flat else (shape[1], shape[2])
    if node.kind in ("Conv1d", "Conv2d"):
        weight = node.array("weight")
        groups = node.number("groups")
        if (
            weight.ndim != len(shape) + 1
            or groups < 1
            or weight.shape[1] * groups != shape[0]
            or weight.shape[0] % groups
        ):
            raise ExchangeError(f"{node.whole}: a weight of shape {weight.shape} in {groups} groups takes no {shape}")
        size = (1, weight.shape[2]) if flat else (weight.shape[2], weight.shape[3])
        dilation, channels = node.sides("dilation"), (shape[0], weight.shape[0])
    else:
        size, dilation, channels, groups = node.sides("kernel_size"), (1, 1), (shape[0], shape[0]), shape[0]
    stride = node.sides("stride")
    if min(*size, *stride, *dilation) < 1:
        raise ExchangeError(f"{node.whole}: kernel, stride and dilation must be at least 1")
    reach = tuple(d * (k - 1) for d, k in zip(dilation, size, strict=True))
    padding = getattr(node.given, "padding", None)
    if isinstance(padding, str | bytes):
        frame, stride = _named_padding(node, padding, reach, stride)
    else:
        both = node.sides("padding", 0)
        frame = (2 * both[0], 2 * both[1])
    given = tuple((t + f - r - 1) // s + 1 for t, f, r, s in zip(taken, frame, reach, stride, strict=True))
    if min(*given, *frame) < 0 or 0 in given:
        raise ExchangeError(f"{node.whole}: a kernel of {size} does not fit into an input of {shape}")
    margin = (frame[0] // 2, frame[1] // 2)
    return Window(channels, size, stride, dilation, margin, taken, (given[0], given[1]), groups, flat)


def _named_padding(
    node: Node, padding: str | bytes, reach: tuple[int, ...], stride: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    name = padding.decode() if isinstance(padding, bytes) else padding
    if name == "valid":
        return (0, 0), stride
    if name != "same":
        raise ExchangeError(f"{node.whole}: padding is 'same', 'valid' or numbers, not {name!r}")
    if stride != (1, 1):
        raise ExchangeError(f"{node.whole}: padding 'same' goes with a stride of 1, not {stride}")
    return (reach[0], reach[1]), stride


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


_MOST_PATHS = 10_000
