"""A NIR graph becomes a model."""

from __future__ import annotations

import copy
import math
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Literal

import numpy as np

from snnlearn.calling import named
from snnlearn.declare import NeuronModel, Var, VarAccess
from snnlearn.errors import ArgumentError, ExchangeError, ModelWarning, did_you_mean
from snnlearn.exchange.nir.connecting import Link, connect
from snnlearn.exchange.nir.files import read_graph
from snnlearn.exchange.nir.graph import NEURONS, Node, flatten
from snnlearn.exchange.nir.network import NirNetwork
from snnlearn.exchange.nir.neurons import (
    KINDS,
    METHODS,
    RESETS,
    Method,
    Reset,
    Sum,
    Values,
    described,
    parameters_of,
    stepping,
    with_beginning,
)
from snnlearn.exchange.nir.plan import Path, Plan, latencies, plan_of
from snnlearn.exchange.nir.shapes import shapes_of
from snnlearn.genn import GeNNModel, NeuronGroup
from snnlearn.genn.preferences import all_names
from snnlearn.spelling import misspelt

_ROW = Var("x", "scalar", VarAccess.READ_ONLY_DUPLICATE)
GivenSpikes = NeuronModel("GivenSpikes", vars=(_ROW,), sim_code="", threshold_condition_code="x > 0.5")
GivenValues = NeuronModel("GivenValues", vars=(_ROW,), sim_code="")
Sends = Literal["spikes", "values"]


@named
def from_nir(
    graph: Any,
    *,
    dt: float,
    method: Method = "exact",
    reset: Reset | Mapping[str, Reset] = "v_reset",
    inputs: Sends | Mapping[str, Sends] = "spikes",
    batch_size: int = 1,
    precision: str = "float",
    name: str = "nir",
    **preferences: Any,
) -> NirNetwork:
    """Describe a NIR graph as a model: a population for each neuron node, a connection for what lies between two.

    Parameters
    ----------
    graph : nir.NIRGraph or path-like
        The graph, or a file of NIR's.
    dt : float
        The timestep [ms]. A spike is an input of 1 for one timestep, so what a weight does depends on it: give that of
        the program that the graph is from.
    method : {"exact", "euler", "forward-euler"}
        How equations are stepped: ``"exact"`` for an input that is constant within a timestep; by Euler's method,
        currents first and then potentials; or all from what the timestep before has left.
    reset : {"v_reset", "subtract", "delayed-v_reset", "delayed-subtract"} or mapping of str to these
        What a spike does to the potential: it becomes v_reset, as NIR says; it falls by v_threshold - v_reset; or
        either at the end of the next timestep, before that looks at the threshold. By node, where they differ; nodes
        that are not named follow NIR.
    inputs : {"spikes", "values"} or mapping of str to these
        What is fed to the Input nodes.
    batch_size : int
        How many copies of the network run side by side.
    precision : {"float", "double"}
    name : str
        The model's.
    **preferences
        Of `GeNNModel`: ``backend`` and others.

    Returns
    -------
    NirNetwork

    Raises
    ------
    ExchangeError
        For nodes and forms of them that are not supported, with the node's name; for shapes that do not fit.
    MissingLibraryError
        If a file is to be read and ``nir`` is not installed.

    Source
    ------
    Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15, 8122.
    """
    _check_spelling(preferences)
    if method not in METHODS:
        raise ExchangeError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    if isinstance(dt, bool) or not isinstance(dt, int | float) or not 0.0 < dt < math.inf:
        raise ExchangeError(f"dt must be a positive number of milliseconds, not {dt!r}")
    if isinstance(graph, str | os.PathLike):
        graph = read_graph(graph)
    if type(graph).__name__ != "NIRGraph":
        raise ExchangeError(f"a nir.NIRGraph or a file of one was expected, not {type(graph).__name__}")
    flat = flatten(graph)
    plan = plan_of(flat, shapes_of(flat), dt)
    model = GeNNModel(precision, name, **preferences)
    model.dt, model.batch_size = float(dt), batch_size
    nodes = plan.flat.nodes.values()
    sent = _chosen("inputs", inputs, [n.name for n in nodes if n.kind == "Input"], ("spikes", "values"))
    resets = _chosen("reset", reset, [n.name for n in nodes if n.kind in NEURONS], RESETS)
    return _Builder(plan, model, method, resets, sent).network(copy.deepcopy(graph))


def _check_spelling(preferences: Iterable[str]) -> None:
    """Raise an error for an argument's name that is nearly right, which would be taken for a preference."""
    arguments = ("method", "reset", "inputs", "batch_size", "precision")
    for given in preferences:
        near = None if given in all_names() else misspelt(given, arguments)
        if near is not None:
            raise ArgumentError(f"from_nir takes no argument '{given}'; did you mean '{near}'?")


def _chosen(what: str, given: Any, nodes: list[str], known: tuple[str, ...]) -> dict[str, Any]:
    """Return what is chosen for each of some nodes; the first that is known where nothing is."""
    wanted = dict(given) if isinstance(given, Mapping) else dict.fromkeys(nodes, given)
    for name, value in wanted.items():
        if name not in nodes:
            raise ExchangeError(f"{what}: the graph has no such node '{name}'{did_you_mean(str(name), nodes)}")
        if value not in known:
            raise ExchangeError(f"{what}: '{name}' is given {value!r}, which is none of {', '.join(known)}")
    return dict.fromkeys(nodes, known[0]) | wanted


class _Builder:
    """Adds what is planned to a model."""

    def __init__(
        self, plan: Plan, model: GeNNModel, method: Method, resets: dict[str, Reset], inputs: dict[str, str]
    ) -> None:
        self.plan, self.model, self.method, self.resets, self.inputs = plan, model, method, resets, inputs
        self.late = latencies(plan)
        self.names: set[str] = set()
        self.populations: dict[str, NeuronGroup] = {}

    def network(self, graph: Any) -> NirNetwork:
        plan = self.plan
        players = {}
        for name in plan.populations:
            group = self.populations[name] = self._population(plan.flat.nodes[name])
            if name in self.inputs:
                players[name] = self.model.play(group, "x", np.zeros((1, group.num_neurons)))
        links = tuple(self._link(path) for path in plan.paths)
        outputs = {n.name: plan.views.get(n.name, n.name) for n in plan.flat.nodes.values() if n.kind == "Output"}
        return NirNetwork(self.model, self.populations, links, players, outputs, self.late, graph, plan)

    def _name(self, wanted: str) -> str:
        word = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "_"
        free = next(name for i in count(1) if (name := f"{word}_{i}" if i > 1 else word) not in self.names)
        self.names.add(free)
        return free

    def _population(self, node: Node) -> NeuronGroup:
        shape = self.plan.shapes[node.name][0]
        size = math.prod(shape)
        if size < 1:
            raise ExchangeError(f"{node.whole}: it has shape {shape}: there is nothing in it")
        if node.kind == "Input":
            kind = GivenSpikes if self.inputs[node.name] == "spikes" else GivenValues
            return self.model.add_neuron_population(self._name(node.name), size, kind, {}, {"x": 0.0})
        if node.kind in NEURONS:
            values = parameters_of(node, shape)
            model = stepping(node, values, self.method, self.resets[node.name], self.model.dt)
        else:
            values, model = {"Ioffset": np.zeros(size)}, Sum
        return self._neurons(node, model, values)

    def _neurons(self, node: Node, model: NeuronModel, values: Values) -> NeuronGroup:
        constant = self.plan.biases.get(node.name, [])
        size, dt, late = values["Ioffset"].size, self.model.dt, self.late[node.name]
        if constant:
            values = values | {"Ioffset": np.sum([value for _, value in constant], axis=0)}
            if late:
                model = with_beginning(model)
                values = values | {"Begin": np.full(size, (late - 0.5) * dt)}
        first: dict[str, Any] = {v.name: 0.0 for v in model.vars}
        first["V"] = values.get("Vrest", np.zeros(1)) if "Vrest" in values else 0.0
        own = [n for n, wanted in (("Ioffset", constant), ("C", (values.get("C", np.ones(1)) < 0.0).any())) if wanted]
        found = described(model, values, own, first, dt)
        return self.model.add_neuron_population(self._name(node.name), size, found.model, found.params, found.vars)

    # ---- connections ----

    def _delay(self, path: Path) -> int:
        """Return how many timesteps more than one a path takes, so that what arrives together belongs together."""
        ahead = self.late[path.target] - self.late[path.source]
        wanted = ahead - 1 if ahead > 0 else ahead
        if wanted < 0:
            warnings.warn(
                f"the connection from '{path.source}' back to '{path.target}' closes a loop of several connections, "
                f"each of which takes a timestep: it comes {-wanted} timesteps later than where layers are stepped one "
                "after the other",
                ModelWarning,
                stacklevel=5,
            )
        return path.delay + max(wanted, 0)

    def _link(self, path: Path) -> Link:
        node = self.plan.flat.nodes[path.source]
        sends = None
        if node.kind == "Input":
            sends = "x" if self.inputs[node.name] == "values" else None
        elif not KINDS[node.kind].threshold_condition_code:
            sends = "V"
        ends = self.populations[path.source], self.populations[path.target]
        return connect(self.model, self._name(path.name), path, ends, sends, self._delay(path))
