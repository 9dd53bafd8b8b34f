"""What is built for a graph: its populations, the paths between them, constant inputs, and how late each is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.graph import NEURONS, Flat, Node, Shape, walk
from snnlearn.exchange.nir.maps import Entries, bias_of, entries_of, identity

Numbers = NDArray[np.float64]
_MIXING = ("Linear", "Affine", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d")
MOST_STEPS = 2**16 - 2  # of a delay
_WHOLE = 0.01  # how far from a whole number of timesteps a delay may be, in timesteps


@dataclass(frozen=True)
class Path:
    """Linear nodes that lead from one population to another.

    Parameters
    ----------
    source, target : str
    between : tuple of Node
    shapes : tuple of Shape
        Of what each node between takes.
    delay : int
        Of all its synapses [timesteps].
    delays : tuple of ndarray or None
        Of each source, of each target [timesteps], beside that.
    """

    source: str
    target: str
    between: tuple[Node, ...]
    shapes: tuple[Shape, ...]
    delay: int
    delays: tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]

    @property
    def name(self) -> str:
        """The nodes between, or what it leads from and to."""
        return "_".join(n.name for n in self.between) or f"{self.source}_to_{self.target}"

    @property
    def mapping(self) -> tuple[Node, ...]:
        """The nodes that change numbers."""
        return tuple(n for n in self.between if n.kind in (*_MIXING, "Scale"))

    def entries(self, size: int) -> Entries:
        """Return all of it as one matrix, for a source of so many elements."""
        found = identity(size)
        for node, shape in zip(self.between, self.shapes, strict=True):
            one = entries_of(node, shape)
            found = found if one is None else found.then(one, node)
        return found


@dataclass(frozen=True)
class Plan:
    """What is built for a graph.

    Parameters
    ----------
    flat : Flat
    shapes : dict of str to pair of Shape
    populations : tuple of str
        Nodes that have one: inputs, neurons, and outputs that sum something up.
    paths : tuple of Path
    biases : dict of str to list of pairs of Node and array
        By population: which nodes add a constant input, and how much of it reaches each neuron.
    views : dict of str to str
        Outputs that are a population's own.
    """

    flat: Flat
    shapes: dict[str, tuple[Shape, Shape]]
    populations: tuple[str, ...]
    paths: tuple[Path, ...]
    biases: dict[str, list[tuple[Node, Numbers]]]
    views: dict[str, str]


def plan_of(flat: Flat, shapes: dict[str, tuple[Shape, Shape]], dt: float) -> Plan:
    """Return what is to be built.

    Raises
    ------
    ExchangeError
        For a loop without a neuron, and delays that are no whole numbers of timesteps [ms].
    """
    after = flat.after()
    starts = [n.name for n in flat.nodes.values() if n.kind in (*NEURONS, "Input")]
    paths = [_path(flat, shapes, s, between, end, dt) for s in starts for between, end in walk(flat, s, after)]
    views = {}
    for node in flat.nodes.values():
        if node.kind == "Output":
            into = [p for p in paths if p.target == node.name]
            others = any(target == node.name and source not in starts for source, target in flat.edges)
            if len(into) == 1 and not others and not into[0].between and flat.nodes[into[0].source].kind != "Input":
                views[node.name] = into[0].source
    populations = [*starts, *(n.name for n in flat.nodes.values() if n.kind == "Output" and n.name not in views)]
    biases: dict[str, list[tuple[Node, Numbers]]] = {}
    for node in flat.nodes.values():
        bias = bias_of(node, shapes[node.name][0])
        if bias is None:
            continue
        for between, end in walk(flat, node.name, after):
            rest = _path(flat, shapes, node.name, between, end, dt).entries(bias.size)
            size = math.prod(shapes[end][0])
            moved = np.bincount(rest.post, rest.value * bias[rest.pre], size).astype(np.float64)
            if moved.any() or node.kind == "Affine":  # which may be trained, from 0 on
                biases.setdefault(end, []).append((node, moved))
    return Plan(flat, shapes, tuple(populations), tuple(p for p in paths if p.target not in views), biases, views)


def _path(
    flat: Flat, shapes: dict[str, tuple[Shape, Shape]], source: str, between: tuple[str, ...], target: str, dt: float
) -> Path:
    nodes = tuple(flat.nodes[name] for name in between)
    delay, mixed = 0, False
    own: list[NDArray[np.int64] | None] = [None, None]
    for node in nodes:
        if node.kind in _MIXING:
            if own[1] is not None:
                raise ExchangeError(
                    f"{flat.nodes[target].whole}: delays that differ between two weights, before {node.whole}, are not "
                    "supported; those next to neurons are"
                )
            mixed = True
        if node.kind == "Delay":
            steps = _steps(node, shapes[node.name][0], dt)
            if (steps == steps[0]).all():
                delay += int(steps[0])
                continue
            before = own[int(mixed)]
            own[int(mixed)] = steps if before is None else before + steps
    return Path(source, target, nodes, tuple(shapes[n.name][0] for n in nodes), delay, (own[0], own[1]))


def _steps(node: Node, shape: Shape, dt: float) -> NDArray[np.int64]:
    delay = np.broadcast_to(node.array("delay"), shape).ravel() * (1000.0 / dt)
    whole = np.rint(delay)
    if (delay > MOST_STEPS).any():
        raise ExchangeError(f"{node.whole}: a delay of {delay.max() * dt:g} ms is more than {MOST_STEPS} timesteps")
    if (delay < 0.0).any() or (np.abs(delay - whole) > _WHOLE).any():
        worst = int(np.argmax(np.where(delay < 0.0, np.inf, np.abs(delay - whole))))
        raise ExchangeError(
            f"{node.whole}: a delay of {delay[worst] * dt:g} ms is no whole number of timesteps of {dt:g} ms; the "
            f"nearest is {max(whole[worst], 0.0) * dt:g} ms"
        )
    return whole.astype(np.int64)


# ---- time ----


def latencies(plan: Plan) -> dict[str, int]:
    """Return by how many timesteps each population is late: the longest way to it, without the edges that close loops.

    A connection takes a timestep, also where a program that steps layer after layer takes none. Loops are entered from
    inputs on, whatever the order of nodes, which files sort by name.
    """
    inputs_first = sorted(plan.populations, key=lambda name: plan.flat.nodes[name].kind != "Input")
    after: dict[str, list[str]] = {name: [] for name in inputs_first}
    for path in plan.paths:
        after[path.source].append(path.target)
    order = _order(after)
    place = {name: number for number, name in enumerate(order)}
    late = dict.fromkeys(order, 0)
    for name in order:
        for target in after[name]:
            if place[target] > place[name]:
                late[target] = max(late[target], late[name] + 1)
    return late


def _order(after: dict[str, list[str]]) -> list[str]:
    """Return names so that edges lead on, but for those that close loops (a reversed depth-first postorder)."""
    done: list[str] = []
    seen: set[str] = set()
    for start in after:
        stack = [(start, iter(after[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                done.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(after[following])))
    return done[::-1]
