"""A compiled copy of a network, run forward and back on tensors that other libraries share with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from snnlearn.errors import LifecycleError, TorchError
from snnlearn.genn import GeNNModel
from snnlearn.genn.adjoint_network import AdjointNetwork, delay_of
from snnlearn.genn.adjoint_parts import Task, check_fixed, find_parts
from snnlearn.genn.copies import copy_model
from snnlearn.genn.dynamic_params import check_dynamic
from snnlearn.genn.playback import Playback
from snnlearn.genn.recording import RecordedVariable
from snnlearn.genn.tapes import Tapes
from snnlearn.grad.reverse import EMITTED
from snnlearn.network import Location
from snnlearn.runtime.torch.inputs import SPIKES, Given
from snnlearn.runtime.torch.module import State
from snnlearn.torch.weights import Weights, weights_of

Output = tuple[str, str]  # population and variable, or "spikes"
_TAPE = "tape."  # what the names of the tape's last rows begin with in a state


@dataclass(frozen=True, eq=False)
class Design:
    """What engines are made from.

    Attributes
    ----------
    model : GeNNModel
        Not built; populations that are given something read it from variables.
    loaded : mapping of str to ndarray, or None
        The state of the model that it was copied from, where that was loaded.
    timestep : int
        Where a run begins.
    task : Task
        All that may be differentiated.
    constants : mapping of str to float
        Those of the surrogate.
    parameters : mapping of str to Location
    inputs : tuple of Given
    outputs : tuple of (str, str)
    """

    model: GeNNModel
    loaded: Mapping[str, Any] | None
    timestep: int
    task: Task
    constants: Mapping[str, float]
    parameters: Mapping[str, Location]
    inputs: tuple[Given, ...]
    outputs: tuple[Output, ...]


class Engine:
    """A loaded copy of the network, with the pass back.

    Parameters
    ----------
    design : Design
    window : int
        For how many timesteps, at most.

    Raises
    ------
    GradientError
        For a part of the network without a derivative.
    """

    def __init__(self, design: Design, window: int) -> None:
        self.design, self.window = design, window
        self.model = model = copy_model(design.model)
        self._playbacks = {one: self._play(one) for one in design.inputs}
        self.parts = find_parts(model, design.task)
        check_fixed(model, self.parts)
        check_dynamic(model, self.parts)
        self.tapes = self._add_tapes()
        self._recordings = self._record()
        model.build()
        model.load()
        self.simulation = model._loaded_simulation()
        self._continue_from_loaded()
        plan = self.simulation.plan
        changed = {q.array for q in plan.queues}.union(*(k.writes for k in plan.step))
        self.weights: dict[str, Weights] = {
            name: weights_of(model, self.simulation, at, changed) for name, at in design.parameters.items()
        }
        self._updates = {name: {n for o in group for n in o.writes} for name, group in plan.custom_updates.items()}
        self._fixed = {self.simulation.name_of(at) for at in design.parameters.values()} - changed
        lasting = changed.union(*self._updates.values()) - self._fixed
        rows = ("recorded", "recorded_spikes", "recorder", "player", "played")
        self._lasting = [a.name for a in plan.arrays if a.name in lasting and a.location.space not in rows]
        self._start = self._snapshot()
        self._adjoints: dict[tuple[frozenset[Output], frozenset[Given]], AdjointNetwork] = {}

    # ---- making ----

    def _play(self, one: Given) -> Playback:
        group = self.model.neuron_populations[one.population]
        return self.model.play(group, one.variable, np.zeros((1, self.model.batch_size, one.size)))

    def _add_tapes(self) -> Tapes | None:
        if not self.parts.neurons:
            return None
        delays = [delay_of(c) for c in self.parts.connections.values()]
        neurons = self.parts.neurons
        return Tapes(self.model, neurons, self.design.constants, self.window, 1 + max(delays, default=0))

    def _record(self) -> dict[Output, RecordedVariable]:
        """Have the outputs recorded; returns what has the rows of each."""
        found: dict[Output, RecordedVariable] = {}
        for name, group in self.model.neuron_populations.items():
            wanted = [variable for population, variable in self.design.outputs if population == name]
            own = [v for v in wanted if v != SPIKES]
            spikes = SPIKES in wanted and bool(group.spec.model.threshold_condition_code.strip())
            if own or spikes:
                recording = self.model.record(group, own, timesteps=self.window, spikes=spikes)
                found |= {(name, v): recording[v] for v in own}
                found |= {(name, SPIKES): recording.spikes} if spikes else {}
        return found

    def _continue_from_loaded(self) -> None:
        """Take over the state of the model that this is a copy of."""
        if self.design.loaded is None:
            return
        simulation = self.simulation
        arrays = {a.location for a in simulation.plan.arrays}
        egps = [at for at in arrays if at.space.endswith("egp") and at.key in self.design.loaded]
        simulation.set_extra_global_params((at, self.design.loaded[at.key]) for at in egps)
        here = simulation.state()
        known = {k: v for k, v in self.design.loaded.items() if k in here and here[k].shape == v.shape}
        simulation.set_state({**here, **known})

    # ---- the state ----

    def _array(self, name: str) -> Tensor:
        """Return an array of the plan as a tensor, without a copy."""
        return from_dlpack(self.simulation.memory(name))

    def _snapshot(self) -> dict[str, Tensor]:
        self.simulation.flush()
        self.settle()
        return {name: self._array(name).clone() for name in self._lasting}

    def initial_state(self) -> State:
        """Return the state that a run starts from, whatever the parameters."""
        return State(dict(self._start), self.design.timestep)

    def state(self, timesteps: int, *, attached: bool) -> State:
        """Return the state after a run of so many timesteps, with the last rows of the tape."""
        arrays: dict[str, Any] = self._snapshot()
        if self.tapes is not None:
            end = self._offset + timesteps - self._untaped
            for name, track, rows in self._tracks():
                arrays[f"{_TAPE}{name}.{track}"] = rows[max(end - self.tapes.before, 0) : end].clone()
        return State(arrays, self.model.timestep, attached)

    def custom_update(self, group: str, state: State, parameters: Mapping[str, Tensor]) -> State:
        """Return the state that a group of custom updates leaves; TorchError where it writes a parameter."""
        written = sorted(self._updates[group] & self._fixed)
        if written:
            raise TorchError(
                f"custom_update('{group}') writes {self.simulation.plan.array(written[0]).location}, which is a "
                "parameter of the module: change that in PyTorch"
            )
        self.begin(state, parameters)
        self.model.custom_update(group)
        tape = {name: rows for name, rows in state.arrays.items() if name.startswith(_TAPE)}
        return State(self._snapshot() | tape, state.timestep, state.attached)

    def _tracks(self) -> Sequence[tuple[str, str, Tensor]]:
        assert self.tapes is not None
        found = []
        for name, recording in self.tapes.recordings.items():
            rows = {track: recording[track] for track in recording.variables}
            rows |= {"": recording.spikes} if recording._record.spikes else {}
            found += [(name, track, from_dlpack(one.memory)) for track, one in rows.items()]
        return found

    # ---- forward ----

    @property
    def device(self) -> torch.device:
        """Where its arrays are."""
        return self._array(self._lasting[0]).device if self._lasting else torch.device("cpu")

    @property
    def loaded(self) -> bool:
        """Whether it is what it was."""
        return self.model._simulation is self.simulation

    def settle(self) -> None:
        """Wait for the engine and for PyTorch, where they work on their own."""
        self.simulation.settle("PyTorch reads what it has computed")
        _synchronise(self.device)

    def begin(self, state: State | None, parameters: Mapping[str, Tensor]) -> None:
        """Put the network into a state, with these parameters; what is on the tape goes."""
        self.simulation.flush()
        self.settle()
        start = self._start if state is None else state.arrays
        if any(getattr(start.get(name), "shape", None) != first.shape for name, first in self._start.items()):
            raise TorchError("state is of another module: what a module left is for that one and its copies")
        for name in self._lasting:
            self._array(name).copy_(start[name])
        self.model.timestep = self.design.timestep if state is None else state.timestep
        for name, value in parameters.items():
            self.weights[name].take(value.detach(), lasting=state is not None)
        self._restart({} if state is None else state.arrays)

    def _restart(self, arrays: Mapping[str, Any]) -> None:
        for recording in {one.recording for one in self._recordings.values()}:
            recording.clear()
        self._offset = self._untaped = 0
        if self.tapes is None:
            return
        self.tapes.enable(True)
        for recording in self.tapes.recordings.values():
            recording.clear()
        self.tapes.restart()
        kept = [(rows, arrays[f"{_TAPE}{n}.{t}"]) for n, t, rows in self._tracks() if f"{_TAPE}{n}.{t}" in arrays]
        if kept:
            for rows, values in kept:
                rows[: len(values)].copy_(values)
            self._offset = len(kept[0][1])
            self.tapes.follow(self._offset)

    def run(self, timesteps: int, inputs: Mapping[Given, Tensor], *, tape: bool) -> None:
        """Run timesteps; inputs that are not given are zero."""
        for one, playback in self._playbacks.items():
            value = inputs.get(one)

            def write(memory: Any, value: Tensor | None = value) -> None:
                rows = from_dlpack(memory)
                rows.zero_() if value is None else rows.copy_(value[: len(rows)])

            playback.fill(timesteps, write)
        self.settle()
        if self.tapes is not None and not tape and timesteps > self.tapes.before:
            # A run that goes on from the end may look back as far as this.
            self._untaped = timesteps - self.tapes.before
            self.tapes.enable(False)
            self.model.run(self._untaped)
            self.tapes.enable(True)
        self.model.run(timesteps - self._untaped)

    def outputs(self, timesteps: int) -> dict[Output, Tensor]:
        """Return what was recorded, as new tensors of shape (timesteps, batch, neurons)."""
        self.settle()
        return {output: self._rows(output, timesteps) for output in self.design.outputs}

    def _rows(self, output: Output, timesteps: int) -> Tensor:
        kind = torch.float64 if self.model.precision == "double" else torch.float32
        recorded = self._recordings.get(output)
        if recorded is None:  # neurons that do not spike
            group = self.model.neuron_populations[output[0]]
            shape = (timesteps, self.model.batch_size, group.num_neurons)
            return torch.zeros(shape, dtype=kind, device=self.device)
        rows = from_dlpack(recorded.memory)[:timesteps]
        if recorded.name is None:
            return _bits(rows, recorded.recording.population.spec.size).to(kind)
        if rows.dtype.is_floating_point:
            return rows.to(kind, copy=True)
        return rows.to(rows.dtype if rows.dtype == torch.bool else torch.int64, copy=True)

    def differentiable(self, output: Output) -> bool:
        """Whether an output depends on anything to differentiate with respect to."""
        group = self.model.neuron_populations[output[0]]
        reversal = self.parts.neurons.get(group._key)
        return reversal is not None and _seed(output) in reversal.losses

    # ---- back ----

    def back(
        self, timesteps: int, seeds: Mapping[Output, Tensor], given: frozenset[Given]
    ) -> tuple[dict[str, Tensor], dict[Given, Tensor]]:
        """Go back through the last run.

        Parameters
        ----------
        timesteps : int
        seeds : mapping of output to Tensor, shape (timesteps, batch, neurons)
            The derivatives of the loss with respect to outputs.
        given : frozenset of Given
            Inputs to differentiate with respect to.

        Returns
        -------
        parameters : dict of str to Tensor
        inputs : dict of Given to Tensor, shape (timesteps, batch, neurons)
        """
        if not self.loaded:
            raise LifecycleError(
                "the engine of the module was unloaded or loaded anew between forward and backward: call the module "
                "once more, and then backward()"
            )
        assert self.tapes is not None
        self.settle()
        self.tapes.check()
        network = self._adjoint(frozenset(seeds), given)
        keys = {self._key(output): _writer(seed) for output, seed in seeds.items()}
        network.run(timesteps, keys)
        network.model._loaded_simulation().settle("PyTorch reads what it has computed")
        found = {name: self.weights[name].gradient(network) for name in self.design.parameters}
        return found, {one: self._given(network, one, timesteps) for one in given}

    def _key(self, output: Output) -> tuple[str, str]:
        """Return what adjoints call an output."""
        return self.model.neuron_populations[output[0]]._key, _seed(output)

    def _adjoint(self, outputs: frozenset[Output], given: frozenset[Given]) -> AdjointNetwork:
        """Return the adjoint network for some outputs and inputs."""
        if (outputs, given) not in self._adjoints:
            groups = self.model.neuron_populations
            seeds = _by_first(map(self._key, outputs))
            wanted = _by_first((groups[one.population]._key, one.variable) for one in given)
            parts = find_parts(self.model, replace(self.design.task, seeds=seeds, given=wanted), self.parts)
            assert self.tapes is not None
            self._adjoints[outputs, given] = AdjointNetwork(self.model, parts, self.design.constants, self.tapes)
        return self._adjoints[outputs, given]

    def _given(self, network: AdjointNetwork, one: Given, timesteps: int) -> Tensor:
        group = self.model.neuron_populations[one.population]
        rows = network.given(group._key, one.variable, timesteps)
        if rows is not None:
            return from_dlpack(rows).flip(0)
        kind = torch.float64 if self.model.precision == "double" else torch.float32
        return torch.zeros((timesteps, self.model.batch_size, one.size), dtype=kind, device=self.device)


def _by_first(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for first, second in pairs:
        found[first] = found.get(first, frozenset()) | {second}
    return found


def _seed(output: Output) -> str:
    return EMITTED if output[1] == SPIKES else output[1]


def _bits(words: Tensor, size: int) -> Tensor:
    """Return the lowest bits of words along the last axis, one behind the other."""
    octets = words.contiguous().view(torch.uint8)
    bits = (octets.unsqueeze(-1) >> torch.arange(8, dtype=torch.uint8, device=words.device)) & 1
    return bits.flatten(-2)[..., :size]


def _writer(seed: Tensor) -> Any:
    def write(memory: Any) -> None:
        from_dlpack(memory).copy_(seed)
        _synchronise(seed.device)

    return write


def _synchronise(device: torch.device) -> None:
    """Wait for PyTorch on a GPU: a stream of the user's need not wait for the engine's, nor that for it."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()
