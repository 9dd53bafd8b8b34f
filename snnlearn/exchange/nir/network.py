"""A network that was a NIR graph: its model, and what its parts are called in the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import ExchangeError, did_you_mean
from snnlearn.exchange.nir.connecting import Link
from snnlearn.exchange.nir.plan import Plan
from snnlearn.genn import GeNNModel, NeuronGroup, Playback, Recording, SynapseGroup


class NirNetwork:
    """A described model with the names of the graph that it comes from; `from_nir` makes it.

    It can be recorded, differentiated, built, loaded and trained as any model. Whatever a graph's node is called, its
    group is called the same, with ``_`` for what is no letter or digit: ``lif1_lif`` for the node ``lif`` in the graph
    ``lif1``.

    Attributes
    ----------
    model : GeNNModel
    populations : dict of str to NeuronGroup
        By node: of Input nodes (variable ``x``, played), of neurons, and of Output nodes that sum up what linear nodes
        give (variable ``V``).
    connections : dict of str to SynapseGroup
        By the nodes that it stands for, ``"fc1"``; of several, ``"pool -> conv"``; of none, ``"lif1 -> lif2"``. Its
        weights are ``vars["g"]``.
    inputs : dict of str to Playback
        What Input nodes play: assign ``values`` of shape (timesteps, neurons), before ``load`` or after.
    outputs : dict of str to str
        The population of each Output node: what leads there straight from neurons is theirs.
    latency : dict of str to int
        By node, how many timesteps after its input a population is at the same timestep of the graph. Each connection
        takes one; shorter ways are made as long as the longest.
    """

    def __init__(
        self,
        model: GeNNModel,
        populations: Mapping[str, NeuronGroup],
        links: tuple[Link, ...],
        inputs: Mapping[str, Playback],
        outputs: Mapping[str, str],
        latency: Mapping[str, int],
        graph: Any,
        plan: Plan,
    ) -> None:
        self.model = model
        self.populations = dict(populations)
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)
        self.latency = dict(latency)
        self._links, self._graph, self._plan = links, graph, plan
        self._recordings: dict[str, Recording] = {}
        self._first: dict[str, NDArray[Any]] = {}

    @property
    def connections(self) -> dict[str, SynapseGroup]:
        """The connections, by what they stand for."""
        found: dict[str, SynapseGroup] = {}
        for link in self._links:
            nodes = [node.name for node in link.path.between]
            name = " -> ".join(nodes or [link.path.source, link.path.target])
            if name in found:
                name = " -> ".join([link.path.source, *nodes, link.path.target])
            found[name] = link.group
        return found

    def run(self, inputs: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, NDArray[Any]]:
        """Run the network from rest, and return what its outputs do in the timesteps of the graph.

        The first call builds and loads the model, with room for as many timesteps as it is given. Later ones begin from
        the same state, with the weights as they are by then.

        Parameters
        ----------
        inputs : array_like or mapping of str to array_like, shape (timesteps, neurons)
            For each Input node: 1 for a spike, or values, as `from_nir` was told. With batches, shape (timesteps,
            batch, neurons). In place of neurons there may be the node's own shape.

        Returns
        -------
        dict of str to ndarray, shape (timesteps, neurons) or (timesteps, batch, neurons)
            By Output node: 1 where a neuron spikes, or the potential.

        Raises
        ------
        ExchangeError
            For inputs that are missing, of other lengths or shapes, or longer than those of the first call.
        """
        rows = self._rows(inputs)
        length = len(next(iter(rows.values())))
        longest = length + max(self.latency.values(), default=0)
        if not self._recordings:
            self._prepare(longest)
        room = next(iter(self._recordings.values())).timesteps
        if longest > room:
            raise ExchangeError(
                f"there is room for {length - longest + room} timesteps, those of the first run, and {length} are given"
            )
        self._begin()
        for name, playback in self.inputs.items():
            more = np.zeros((room - length, *rows[name].shape[1:]))
            playback.values = np.concatenate([rows[name], more])
        self.model.run(room)
        alone = int(self.model.batch_size) == 1
        found = {}
        for output, name in self.outputs.items():
            values = self._recordings[output].values[self.latency[name] :][:length]
            values = values.astype(np.int64) if values.dtype.kind in "bu" else values
            found[output] = values[:, 0] if alone else values
        return found

    # ---- helpers ----

    def _rows(self, inputs: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, NDArray[np.float64]]:
        given = dict(inputs) if isinstance(inputs, Mapping) else dict.fromkeys(list(self.inputs)[:1], inputs)
        for name in [*given, *self.inputs]:
            if name not in self.inputs:
                raise ExchangeError(f"the graph has no Input '{name}'{did_you_mean(str(name), self.inputs)}")
            if name not in given:
                raise ExchangeError(f"nothing is given to the Input '{name}'")
        if not given:
            raise ExchangeError("the graph has no Input to run with; use its model")
        batch = int(self.model.batch_size)
        found = {}
        for name, values in given.items():
            size = self.populations[name].num_neurons
            try:
                array = np.asarray(values, np.float64)
            except (TypeError, ValueError) as error:
                raise ExchangeError(f"Input '{name}': this is no array of numbers: {error}") from error
            if array.ndim < 2 or math.prod(array.shape[1:]) != batch * size or not len(array):
                raise ExchangeError(
                    f"Input '{name}': an array of shape (timesteps, {f'{batch}, ' if batch > 1 else ''}{size}) was "
                    f"expected, not {array.shape}"
                )
            found[name] = array.reshape(len(array), batch, size)
        if len({len(array) for array in found.values()}) > 1:
            raise ExchangeError(f"inputs have {sorted({len(a) for a in found.values()})} timesteps; they need the same")
        return found

    def _prepare(self, timesteps: int) -> None:
        if not self.outputs:
            raise ExchangeError("the graph has no Output to watch; use its model")
        for output, name in self.outputs.items():
            group = self.populations[name]
            spikes = bool(group.spec.model.threshold_condition_code)
            self._recordings[output] = self.model.record(group, () if spikes else "V", timesteps, spikes=spikes)
        self.model.build()
        self.model.load()
        self._first = self.model.state()

    def _begin(self) -> None:
        """Go back to the beginning, with the weights as they are."""
        now = self.model.state()
        kept = {f"{link.group.name}.synapse.g" for link in self._links}
        for group in self.populations.values():
            kept |= {f"{group.name}.own.{v.name}" for v in group.spec.model.vars if not v.writable}
        self.model.set_state({k: now[k] if k in kept else value for k, value in self._first.items()})
        self.model.timestep = 0
        for recording in self._recordings.values():
            recording.clear()
