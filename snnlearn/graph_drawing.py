"""A graph as a picture: columns from left to right, without a program that lays graphs out.

The steps are those of Sugiyama, Tagawa & Toda (1981), IEEE Transactions on Systems, Man, and Cybernetics 11(2),
109-125: break cycles, put nodes in layers, order each layer by the mean place of the neighbours, draw. Matplotlib is
imported when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches.
_LETTER, _MARGIN, _HEIGHT = 0.085, 0.22, 0.3
_GAP_X, _GAP_Y = 0.55, 0.28
_SWEEPS = 6
_LEGEND = "boxes: leaves    dashed: of the timestep before, or of the one that is named"
_COLOURS = {True: "#f3e3c3", False: "#dfe8f2"}  # of leaves, and of all else


@dataclass(frozen=True)
class Arrow:
    """From a node to another; ``late`` is by how many timesteps."""

    source: str
    to: str
    late: int = 0


@dataclass
class Layout:
    """Where everything is.

    Attributes
    ----------
    places : dict of str to (float, float)
        The middle of each node [inch].
    ways : dict of Arrow to list of (float, float)
        By way of which points each arrow goes that leads to the right.
    """

    places: dict[str, tuple[float, float]]
    ways: dict[Arrow, list[tuple[float, float]]]


def width_of(node: str) -> float:
    """Return how wide a node is [inch]."""
    return _LETTER * len(node) + _MARGIN


def lay_out(arrows: Sequence[Arrow]) -> Layout:
    """Return where nodes are, in layers from left to right; arrows within cycles may lead back."""
    nodes = list(dict.fromkeys(node for arrow in arrows for node in (arrow.source, arrow.to)))
    forward = _without_cycles(nodes, arrows)
    layer_of = _layers(nodes, forward)
    layers: list[list[str]] = [[] for _ in range(1 + max(layer_of.values(), default=0))]
    for node in nodes:
        layers[layer_of[node]].append(node)
    chains: dict[Arrow, list[str]] = {}
    for number, arrow in enumerate(forward):  # a place of its own in each layer that an arrow passes
        passed = range(layer_of[arrow.source] + 1, layer_of[arrow.to])
        chains[arrow] = [arrow.source, *(f"\0{number} {layer}" for layer in passed), arrow.to]
        for layer, point in zip(passed, chains[arrow][1:-1], strict=True):
            layers[layer].append(point)
    _order(layers, [pair for chain in chains.values() for pair in pairwise(chain)])
    places = _places(layers)
    ways = {arrow: [places[node] for node in chain] for arrow, chain in chains.items()}
    return Layout({node: places[node] for node in nodes}, ways)


def _without_cycles(nodes: Iterable[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """Return the arrows but for those that a walk in depth finds to lead back to where it has come from."""
    leaving: dict[str, list[Arrow]] = {node: [] for node in nodes}
    for arrow in arrows:
        leaving[arrow.source].append(arrow)
    entered = {arrow.to for arrow in arrows if arrow.to != arrow.source}
    above: dict[str, bool] = {}  # whether the walk is still beyond a node that it has come to
    back: set[Arrow] = set()
    for start in sorted(leaving, key=lambda node: node in entered):  # leaves first
        path = [] if start in above else [(start, iter(leaving[start]))]
        above.setdefault(start, True)
        while path:
            node, left = path[-1]
            found = next(left, None)
            if found is None:
                above[node] = False
                path.pop()
            elif above.get(found.to):
                back.add(found)
            elif found.to not in above:
                above[found.to] = True
                path.append((found.to, iter(leaving[found.to])))
    return [arrow for arrow in dict.fromkeys(arrows) if arrow not in back]


def _layers(nodes: Sequence[str], forward: Sequence[Arrow]) -> dict[str, int]:
    """Return layers: each node behind all that lead to it, and leaves right before what they lead to."""
    found = dict.fromkeys(nodes, 0)
    leaving: dict[str, list[str]] = {node: [] for node in nodes}
    waits = dict.fromkeys(nodes, 0)  # for how many arrows
    for arrow in forward:
        leaving[arrow.source].append(arrow.to)
        waits[arrow.to] += 1
    first = ready = [node for node in nodes if not waits[node]]
    while ready:
        later = []
        for node in ready:
            for to in leaving[node]:
                found[to] = max(found[to], found[node] + 1)
                waits[to] -= 1
                later += [] if waits[to] else [to]
        ready = later
    for node in first:
        found[node] = min((found[to] for to in leaving[node]), default=1) - 1
    return found


def _order(layers: list[list[str]], pairs: list[tuple[str, str]]) -> None:
    """Order each layer by the mean place of the neighbours, to the left and to the right in turn."""
    before: dict[str, list[str]] = {}
    behind: dict[str, list[str]] = {}
    for source, to in pairs:
        before.setdefault(to, []).append(source)
        behind.setdefault(source, []).append(to)
    place = {node: number for layer in layers for node, number in _from_the_middle(layer)}
    for sweep in range(_SWEEPS):
        neighbours = before if sweep % 2 == 0 else behind
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            mean = {n: _mean([place[k] for k in neighbours.get(n, ())], place[n]) for n in layer}
            layer.sort(key=mean.__getitem__)
            place.update(_from_the_middle(layer))


def _from_the_middle(layer: Sequence[str]) -> list[tuple[str, float]]:
    """Return the nodes of a layer with their places, which compare with those of layers of another length."""
    return [(node, number - (len(layer) - 1) / 2) for number, node in enumerate(layer)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _places(layers: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    found, left = {}, 0.0
    for layer in layers:
        width = max(width_of(node) for node in layer if not node.startswith("\0"))
        for number, node in enumerate(layer):
            height = ((len(layer) - 1) / 2 - number) * (_HEIGHT + _GAP_Y)
            found[node] = (left + width / 2, height)
        left += width + _GAP_X
    return found


def draw_svg(arrows: Sequence[Arrow], leaves: frozenset[str]) -> str:
    """Return a picture of a graph, as SVG: the same graph gives the same text.

    Parameters
    ----------
    arrows : sequence of Arrow
        Those of an earlier timestep are dashed, and say which, unless it is the one before.
    leaves : frozenset of str
        The nodes that are drawn as leaves.
    """
    import matplotlib
    from matplotlib.figure import Figure

    layout = lay_out(arrows)
    xs, ys = zip(*layout.places.values(), strict=True)
    points = [y for way in layout.ways.values() for _, y in way]
    widest = max(width_of(node) for node in layout.places)
    left, right = min(xs) - widest / 2 - 0.1, max(xs) + widest / 2 + 0.1
    back = any(arrow not in layout.ways and arrow.source != arrow.to for arrow in arrows)
    low, high = min([*ys, *points]) - (1.1 if back else 0.6), max([*ys, *points]) + 0.65
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "snnlearn", "font.family": "monospace"}):
        figure = Figure(figsize=(right - left, high - low))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(left, right), ylim=(low, high))
        axes.set_axis_off()
        for arrow in dict.fromkeys(arrows):
            _draw_arrow(axes, arrow, layout, low + 0.45)
        for node, place in layout.places.items():
            _draw_node(axes, node, place, node in leaves)
        axes.text(left + 0.1, low + 0.1, _LEGEND, fontsize=7)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _draw_node(axes: Axes, node: str, place: tuple[float, float], leaf: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    width, (x, y) = width_of(node), place
    style = "square,pad=0" if leaf else f"round,pad=0,rounding_size={_HEIGHT / 2}"
    box = FancyBboxPatch(
        (x - width / 2, y - _HEIGHT / 2), width, _HEIGHT, boxstyle=style, facecolor=_COLOURS[leaf], edgecolor="#444444",
        linewidth=0.8, zorder=2,
    )  # fmt: skip
    axes.add_patch(box)
    axes.text(x, y, node, fontsize=9, ha="center", va="center", zorder=3, parse_math=False)


def _draw_arrow(axes: Axes, arrow: Arrow, layout: Layout, floor: float) -> None:
    """Draw an arrow: to the right by way of its points, to the left below all nodes, or as a loop above its node."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = layout.places[arrow.source], layout.places[arrow.to]
    half, half_of_target = width_of(arrow.source) / 2, width_of(arrow.to) / 2
    if arrow.source == arrow.to:
        top, ear = y0 + _HEIGHT / 2, min(half, 0.25)
        points = [(x0 + ear, top), (x0 + ear, top + 0.4), (x0 - ear, top + 0.4), (x0 - ear, top)]
    elif arrow in layout.ways:
        way = [(x0 + half, y0), *layout.ways[arrow][1:-1], (x1 - half_of_target, y1)]
        points = [way[0]]
        for (a, b), (c, d) in pairwise(way):
            points += [((a + c) / 2, b), ((a + c) / 2, d), (c, d)]
    else:
        points = [(x0, y0 - _HEIGHT / 2), (x0, floor), (x1, floor), (x1, y1 - _HEIGHT / 2)]
    path = Path(points, [Path.MOVETO, *[Path.CURVE4] * (len(points) - 1)])
    line = "--" if arrow.late else "-"
    patch = FancyArrowPatch(
        path=path, arrowstyle="-|>", mutation_scale=8, linestyle=line, color="#666666", linewidth=0.9
    )
    axes.add_patch(patch)
    if arrow.late > 1:
        first = (len(points) - 1) // 3 // 2 * 3
        weighted = list(zip((1, 3, 3, 1), points[first : first + 4], strict=True))
        x, y = (sum(weight * point[axis] for weight, point in weighted) / 8 for axis in (0, 1))
        around = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        axes.text(x, y, f"t-{arrow.late}", fontsize=7, color="#444444", ha="center", va="center", bbox=around)
