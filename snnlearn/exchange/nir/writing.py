"""A model becomes a NIR graph: one that came from a graph becomes that again, with the numbers as they are now."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.calling import named
from snnlearn.errors import ExchangeError
from snnlearn.exchange.nir.connecting import Link
from snnlearn.exchange.nir.files import write_graph
from snnlearn.exchange.nir.from_model import graph_of_model
from snnlearn.exchange.nir.graph import NEURONS, PARAMETERS, Node
from snnlearn.exchange.nir.network import NirNetwork
from snnlearn.exchange.nir.neurons import parameters_of, to_node
from snnlearn.exchange.nir.state import neuron_values, rounded, variable
from snnlearn.genn import GeNNModel, NeuronGroup

Numbers = NDArray[np.float64]


@named
def to_nir(
    network: NirNetwork | GeNNModel,
    path: str | os.PathLike[str] | None = None,
    *,
    outputs: Iterable[NeuronGroup] | None = None,
) -> Any:
    """Return a network as a NIR graph.

    What came from NIR becomes the same graph, equal to it where nothing has changed: numbers that the model holds as it
    was given them are the graph's own, not rounded by way of it. Any other model becomes a flat graph with a node for
    each population and each connection.

    Parameters
    ----------
    network : NirNetwork or GeNNModel
        A loaded model's weights are those on the device; otherwise those that it begins with.
    path : path-like, optional
        A file to write the graph to.
    outputs : iterable of NeuronGroup, optional
        Of a GeNNModel, the populations that Output nodes show (default: those that lead nowhere).

    Returns
    -------
    nir.NIRGraph

    Raises
    ------
    ExchangeError
        For a group that NIR has no node for, with its name: refractory periods, other neurons than LIF, CubaLIF, IF and
        LI, plastic synapses; and for weights that were several nodes' and have changed.
    MissingLibraryError
        If ``nir`` is not installed.
    OutputError
        If the file cannot be written.
    """
    if isinstance(network, NirNetwork):
        if outputs is not None:
            raise ExchangeError("outputs: a network from NIR has its own")
        graph = _graph_of(network)
    elif isinstance(network, GeNNModel):
        graph = graph_of_model(network, outputs)
    else:
        raise ExchangeError(f"a NirNetwork or GeNNModel was expected, not {type(network).__name__}")
    if path is not None:
        write_graph(path, graph)
    return graph


def _graph_of(network: NirNetwork) -> Any:
    graph = copy.deepcopy(network._graph)
    precision = network.model.precision
    for name, group in network.populations.items():
        node = network._plan.flat.nodes[name]
        if node.kind in NEURONS:
            _write_neurons(node, _node(graph, name), neuron_values(group), network)
        if name in network._plan.biases:
            _write_bias(name, network, graph, neuron_values(group)["Ioffset"])
    written: dict[str, Numbers] = {}
    for link in network._links:
        _write_weights(link, graph, precision, written)
    return graph


def _node(graph: Any, name: str) -> Any:
    """Return the node of a full name."""
    if name in graph.nodes:
        return graph.nodes[name]
    for key, inner in graph.nodes.items():
        if name.startswith(f"{key}.") and hasattr(inner, "nodes"):
            try:
                return _node(inner, name[len(key) + 1 :])
            except KeyError:
                continue
    raise KeyError(name)


def _put(given: Any, name: str, new: Numbers, unchanged: NDArray[np.bool_]) -> None:
    """Set an array of a node, of the full shape that it stands for, where it is another than it was."""
    own = np.asarray(getattr(given, name))
    if unchanged.all():
        return
    full = np.broadcast_to(own, new.shape)
    kind = own.dtype if own.dtype.kind == "f" else np.dtype(np.float64)
    setattr(given, name, np.where(unchanged, full, new).astype(kind))


def _write_neurons(node: Node, given: Any, now: dict[str, Numbers], network: NirNetwork) -> None:
    shape = network._plan.shapes[node.name][0]
    precision = network.model.precision
    before = {name: rounded(value, precision) for name, value in parameters_of(node, shape).items()}
    new, old = to_node(node.kind, now), to_node(node.kind, before)
    for name in PARAMETERS[node.kind]:
        _put(given, name, new[name].reshape(shape), (new[name] == old[name]).reshape(shape))


def _write_weights(link: Link, graph: Any, precision: str, written: dict[str, Numbers]) -> None:
    if link.form == "kernel" and not link.group._loaded:
        return
    now = variable(link.group, "g")
    if link.form == "sparse":
        before = link.path.entries(link.group.src.num_neurons).value
        if not np.array_equal(now, rounded(before, precision)):
            names = " and ".join(f"'{n.name}'" for n in link.path.between) or f"'{link.path.source}'"
            raise ExchangeError(
                f"the weights of connection '{link.group.name}' have changed, and they were made of {names}: NIR has "
                "no node for them"
            )
        return
    (node,) = (n for n in link.path.mapping)
    weight = node.array("weight")
    before = rounded(weight, precision)
    new = now.reshape(weight.shape) if link.form == "kernel" else now.reshape(weight.T.shape).T
    other = written.setdefault(node.name, new)
    if not np.array_equal(other, new):
        raise ExchangeError(
            f"{node.whole}: several connections had its weights, and they have become different: '{link.group.name}'"
        )
    _put(_node(graph, node.name), "weight", new, new == before)


def _write_bias(name: str, network: NirNetwork, graph: Any, now: Numbers) -> None:
    plan, parts = network._plan, network._plan.biases[name]
    before = rounded(np.sum([value for _, value in parts], axis=0), network.model.precision)
    if np.array_equal(now, before):
        return
    node = parts[0][0]
    direct = [target for source, target in plan.flat.edges if source == node.name]
    if len(parts) != 1 or direct != [name]:
        names = " and ".join(f"'{n.name}'" for n, _ in parts)
        raise ExchangeError(f"the constant input of '{name}' has changed, and it was made of the biases of {names}")
    bias = node.array("bias")
    new = now.reshape(bias.size, -1) if bias.size else now.reshape(1, -1)
    if not (new == new[:, :1]).all():
        raise ExchangeError(
            f"{node.whole}: neurons of one channel have different constant inputs; it has one bias for each"
        )
    old = before.reshape(new.shape)
    _put(_node(graph, node.name), "bias", new[:, 0].reshape(bias.shape), (new[:, 0] == old[:, 0]).reshape(bias.shape))
