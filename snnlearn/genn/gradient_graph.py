"""The graph of a gradient: one timestep, with a node for each variable and an edge for each entry of the Jacobian."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from snnlearn.dialect import algebra
from snnlearn.dialect.tree import Expr, Name
from snnlearn.genn.adjoint_parts import Parts
from snnlearn.grad.derivatives import pullback
from snnlearn.grad.step import step_of
from snnlearn.graph_drawing import Arrow, draw_svg


def edges_of(parts: Parts, losses: dict[str, str]) -> list[Arrow]:
    """Return the edges of a network, in the direction of time.

    Parameters
    ----------
    parts : Parts
    losses : dict of str to str
        The name of the loss of each population that has one.
    """
    found = []
    for name, reversal in parts.neurons.items():
        found += [Arrow(f"{name}.{a}", f"{name}.{b}", late) for a, b, late in _within(parts, name)]
        found += [Arrow(f"{name}.{variable}", losses[name]) for variable in reversal.losses if name in losses]
    for name, c in parts.connections.items():
        weights = [Arrow(f"{name}.{variable}", f"{c.group.trg._key}.{c.inputs.target}") for variable in c.wrt]
        late = 1 + int(c.group.spec.axonal_delay_steps)
        sender = f"{c.group.src._key}.{c.shown or 'spikes'}"
        sent = [Arrow(sender, f"{c.group.trg._key}.{c.inputs.target}", late)] if c.back else []
        found += [*weights, *sent]
    return found


def _within(parts: Parts, name: str) -> Iterator[tuple[str, str, int]]:
    """Yield what depends on what within a timestep of a population: (source, to, timesteps)."""
    reversal, neuron = parts.neurons[name], parts.declared[name]
    inputs = list(dict.fromkeys(i.target for i in reversal.inputs))
    if not (reversal.states or inputs):
        return
    step = step_of(neuron, *reversal.parts)
    shown = [c.shown for c in parts.connections.values() if c.shown and c.group.src._key == name]
    ends: dict[str, Expr] = {v: step.after[v] for v in dict.fromkeys([*reversal.states, *reversal.losses, *shown])}
    if step.spike is not None and step.margin is not None:
        ends["spikes"] = step.spike
    for to, value in ends.items():
        adjoints = pullback(step, [(value, Name("adjoint", algebra.SCALAR))], [*reversal.states, *inputs]).adjoints
        yield from ((source, to, int(source not in inputs)) for source in adjoints)


def as_dot(edges: list[Arrow], prefix: str, weights: frozenset[str]) -> str:
    """Return edges as a graph in the DOT language, as Graphviz draws it.

    Parameters
    ----------
    edges : list of Arrow
    prefix : str
        What the name of each node begins with.
    weights : frozenset of str
        The nodes that are leaves: what is differentiated with respect to.
    """
    prefix = prefix.replace("\\", "\\\\").replace('"', '\\"')  # as DOT's strings have it; names of nodes have neither
    nodes = dict.fromkeys(node for edge in edges for node in (edge.source, edge.to))
    lines = ["digraph {", "    rankdir=LR;"]
    lines += [f'    "{prefix}{node}" [shape={"box" if node in weights else "ellipse"}];' for node in nodes]
    for edge in edges:
        label = f' [label="t-{edge.late}"]' if edge.late else ""
        lines.append(f'    "{prefix}{edge.source}" -> "{prefix}{edge.to}"{label};')
    return "\n".join([*lines, "}"])


def as_svg(edges: list[Arrow], prefix: str, weights: frozenset[str]) -> str:
    """Return edges as a picture, in SVG; the parameters are those of `as_dot`."""
    arrows = [replace(edge, source=prefix + edge.source, to=prefix + edge.to) for edge in edges]
    return draw_svg(arrows, frozenset(prefix + node for node in weights))


GRAPH_FORMATS = {"dot": as_dot, "svg": as_svg}
