"""A network as a PyTorch module: unrolled over timesteps, differentiable to any order."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.torch import Options, SurrogateValues, emit_group, emit_step
from snnlearn.errors import NetworkError, TorchError, did_you_mean
from snnlearn.network import Location
from snnlearn.runtime.torch.inputs import SPIKES, Call, Given, find_input, flat_inputs
from snnlearn.runtime.torch.program import load_source
from snnlearn.runtime.torch.simulation import TorchSimulation

_SHARED = frozenset(
    ["_simulation", "_surrogate", "_options", "_recorded", "_places", "_programs", "_updates", "_inputs"]
)


@dataclass(frozen=True, eq=False)
class State:
    """All that the future of a network depends on, at one time.

    Attributes
    ----------
    arrays : dict of str to object
        Tensors, lists of tensors and integers, by the plan's names.
    timestep : int
        The number of the next timestep.
    attached : bool
        Whether derivatives lead to it that are not in its tensors: those of an engine.
    """

    arrays: Mapping[str, Any]
    timestep: int
    attached: bool = False

    def detach(self) -> State:
        """Return the state without the graph that led to it: derivatives end here, as at the end of a window."""
        return State({name: _map(value, Tensor.detach) for name, value in self.arrays.items()}, self.timestep)


class Outputs(dict[str, dict[str, Tensor]]):
    """What a run of a network gives: tensors of shape (timesteps, batch, neurons), by population and variable.

    Attributes
    ----------
    state : State
        That in which the run ended.
    """

    state: State


def _map(value: Any, function: Any) -> Any:
    if isinstance(value, list):
        return [function(part) for part in value]
    return function(value) if isinstance(value, Tensor) else value


class SpikingModule(nn.Module):
    """A network whose forward pass runs it; `snnlearn.torch.to_module` makes it.

    Parameters
    ----------
    simulation : TorchSimulation
        What it starts from.
    parameters : mapping of str to Location
        The arrays that are parameters, by their names in the module.
    recorded : mapping of str to sequence of Location
        What a forward pass returns, by population; `Location(population, "spikes")` are its spikes.
    surrogate : SurrogateValues or None
    options : Options
    inputs : sequence of Given
        What calls may give, beside spikes of any population.
    """

    def __init__(
        self,
        simulation: TorchSimulation,
        parameters: Mapping[str, Location],
        recorded: Mapping[str, Sequence[Location]],
        surrogate: SurrogateValues | None,
        options: Options,
        inputs: Sequence[Given] = (),
    ) -> None:
        super().__init__()
        self._simulation, self._surrogate, self._options = simulation, surrogate, options
        self._recorded, self._inputs = recorded, tuple(inputs)
        self._places = {name: simulation.tensors.locations[at] for name, at in parameters.items()}
        for name, array in self._places.items():
            self.register_parameter(name, nn.Parameter(self._first(array)))
        self._programs: dict[frozenset[str], Any] = {}
        self._updates: dict[str, Any] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> SpikingModule:
        # Copies have parameters of their own, and share the network, which no run changes.
        twin = memo[id(self)] = type(self).__new__(type(self))
        for name, value in self.__dict__.items():
            object.__setattr__(twin, name, value if name in _SHARED else copy.deepcopy(value, memo))
        return twin

    @property
    def plan(self) -> Plan:
        """What it runs."""
        return self._simulation.plan

    def _first(self, array: Array) -> Tensor:
        value = self._simulation.tensors.arrays[array.name]
        first = value[0] if isinstance(value, list) else value
        if not isinstance(first, Tensor) or not first.dtype.is_floating_point:
            raise TorchError(
                f"{array.location} is of type {array.type.name}: only floating-point numbers have gradients"
            )
        return first.clone()

    # ---- running ----

    def initial_state(self) -> State:
        """Return the state that a run starts from, with the parameters in it."""
        arrays = {name: _map(value, lambda t: t) for name, value in self._simulation.tensors.arrays.items()}
        for name, array in self._places.items():
            value = getattr(self, name)
            arrays[array.name] = [value] * array.slots if array.queue is not None else value
        return State(arrays, self._simulation.timestep)

    def forward(
        self,
        inputs: Mapping[str, Tensor | Mapping[str, Tensor]] | None = None,
        timesteps: int | None = None,
        state: State | None = None,
    ) -> Outputs:
        """Run the network.

        Parameters
        ----------
        inputs : mapping of str to Tensor, or to mapping of str to Tensor, optional
            Spikes of populations, shape (timesteps, batch, neurons) or, without a batch, (timesteps, neurons): they
            take the place of the population's own threshold. By population and name, ``{"Hidden": {"Isyn": current}}``,
            also what the module was given ``inputs=`` for: currents are added, values of variables replaced. There are
            derivatives with respect to all of them. There may be fewer patterns than the batch has copies.
        timesteps : int, optional
            By default as many as there are inputs for.
        state : State, optional
            Where to go on: ``state`` of the outputs of another run. By default the network starts anew. Parameters
            that are weights are always those of the module.

        Returns
        -------
        Outputs
            Tensors of shape (timesteps, batch, neurons), by population and variable.

        Raises
        ------
        NetworkError
            For a population that does not exist, a shape that does not fit, and no number of timesteps.
        TorchError
            For a state that no run left, and a tensor of another type or device.
        """
        if state is not None and not isinstance(state, State):
            raise TorchError(f"state is what another run left, out.state, not {state!r}")
        if state is not None and state.arrays.keys() != self._simulation.tensors.arrays.keys():
            raise TorchError("state is of another module: what a module left is for that one and its copies")
        call = self._call(inputs, timesteps)
        rows = {self._array_of(one): self._rows(tensor) for one, tensor in call.tensors.items()}
        spikes = {self._spikes(one.population) for one in call.tensors if one.name == SPIKES}
        steps, program = call.timesteps, self._program(frozenset(spikes))
        start = self.initial_state() if state is None else state
        arrays = {name: _map(value, lambda t: t) for name, value in start.arrays.items()}
        if state is not None:
            arrays |= {a.name: getattr(self, n) for n, a in self._places.items() if self._fixed(a)}
        places = [(group, _label(at), self._simulation.tensors.locations[at]) for group, at in self._outputs()]
        found: list[list[Tensor]] = [[] for _ in places]
        seed = self._simulation.seed
        for n in range(steps):
            now = {name: row[n] for name, row in rows.items()}
            arrays |= {name: row for name, row in now.items() if name not in spikes}
            program.step(arrays, {name: now[name] for name in spikes}, start.timestep + n, seed)
            for values, (_, _, array) in zip(found, places, strict=True):
                value = arrays[array.name]
                values.append(value[arrays[array.queue]] if array.queue is not None else value)
        outputs = Outputs()
        for values, (group, label, array) in zip(found, places, strict=True):
            outputs.setdefault(group, {})[label] = self._stacked(values, array)[:, : call.patterns]
        outputs.state = State(arrays, start.timestep + steps)
        return outputs

    def custom_update(self, group: str, state: State) -> State:
        """Return the state that a group of custom updates leaves.

        Parameters
        ----------
        group : str
        state : State

        Raises
        ------
        NetworkError
            If there is no such group.
        TorchError
            For code that has no counterpart among tensors.
        """
        if group not in self.plan.custom_updates:
            raise NetworkError(
                f"there is no custom update group '{group}'{did_you_mean(group, self.plan.custom_updates)}"
            )
        if group not in self._updates:
            self._updates[group] = load_source(emit_group(self.plan, group))
        arrays = {name: _map(value, lambda t: t) for name, value in state.arrays.items()}
        self._updates[group].update(arrays, {}, state.timestep, self._simulation.seed)
        return State(arrays, state.timestep)

    def source(self, inputs: Iterable[str] = ()) -> str:
        """Return the emitted Python of a timestep, for populations whose spikes are given."""
        given = frozenset(self._spikes(name) for name in inputs)
        return self._source(given)

    # ---- helpers ----

    def _source(self, given: frozenset[str]) -> str:
        live = {self._simulation.tensors.locations[at].name for _, at in self._outputs()}
        options = Options(self._options.smooth, self._options.detach_reset, self._options.surrogate, given)
        return emit_step(self.plan, options, self._surrogate, live)

    def _program(self, given: frozenset[str]) -> Any:
        if given not in self._programs:
            self._programs[given] = load_source(self._source(given))
        return self._programs[given]

    def _outputs(self) -> list[tuple[str, Location]]:
        return [(group, at) for group, places in self._recorded.items() for at in places]

    def _fixed(self, array: Array) -> bool:
        """Whether no timestep changes an array, so that it is the parameter's whatever the state."""
        return not self._simulation.writes(array.location)

    def _call(self, inputs: Any, timesteps: int | None) -> Call:
        given = [(self._given(population, name), tensor) for population, name, tensor in flat_inputs(inputs)]
        kind = torch.float64 if self.plan.precision == "double" else torch.float32
        return Call(given, timesteps, self._simulation.network.batch_size, kind, torch.device("cpu"))

    def _given(self, population: str, name: str) -> Given:
        size = self._population(population).size
        return Given(population, SPIKES, "", size) if name == SPIKES else find_input(population, name, self._inputs)

    def _array_of(self, one: Given) -> str:
        """Return the name of the array that takes what is given."""
        if one.name == SPIKES:
            return self._spikes(one.population)
        return self._simulation.tensors.locations[Location(one.population, "own", one.variable)].name

    def _rows(self, tensor: Tensor) -> Sequence[Tensor]:
        """Return what is given in each timestep, in the shape of the network's arrays."""
        return (tensor if self._simulation.network.batch_size > 1 else tensor.squeeze(1)).unbind(0)

    def _population(self, name: str) -> Any:
        neurons = self._simulation.network.neurons
        if name not in neurons:
            raise NetworkError(f"there is no population '{name}'{did_you_mean(str(name), neurons)}")
        return neurons[name]

    def _spikes(self, name: str) -> str:
        self._population(name)
        return self._simulation.tensors.locations[Location(name, "spikes")].name

    def _stacked(self, values: list[Tensor], array: Array) -> Tensor:
        like = self._simulation.tensors.arrays[array.name]
        shape = (like[0] if isinstance(like, list) else like).shape
        stacked = torch.stack(values) if values else torch.zeros((0, *shape))
        return stacked if array.batched else stacked.unsqueeze(1)


def _label(at: Location) -> str:
    return at.name or at.space
