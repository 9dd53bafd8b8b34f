"""The whole network: groups by name, every variable with its shape, and the checks across groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from snnlearn.declare import Precision, ValueType, Var, VarRef, value_type
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.groups import CustomUpdate, NeuronPopulation, SynapsePopulation
from snnlearn.network.references import Location, VariableSpace, WeightReference
from snnlearn.network.values import as_number


@dataclass(frozen=True, eq=False)
class Variable:
    """One variable of a network.

    Attributes
    ----------
    location : Location
    type : ValueType
    shape : tuple of int
        ``(neurons,)``, or ``(presynaptic, postsynaptic)`` neurons.
    init : VarInit or array of the flattened shape
    """

    location: Location
    type: ValueType
    shape: tuple[int, ...]
    init: Any

    @property
    def size(self) -> int:
        """How many values."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Network:
    """A checked network: what to simulate, and nothing about how.

    Parameters
    ----------
    name : str
    dt : float
        Timestep [ms].
    precision : {"float", "double"}
        Meaning of ``scalar``.
    neurons, synapses, custom_updates : mapping of str to group
        By name, in the order of their declaration.

    Attributes
    ----------
    variables : mapping of Location to Variable

    Raises
    ------
    NetworkError
        For a name used twice, a timestep that is not positive, and references that do not fit.
    """

    name: str
    dt: float
    precision: Precision
    neurons: Mapping[str, NeuronPopulation]
    synapses: Mapping[str, SynapsePopulation]
    custom_updates: Mapping[str, CustomUpdate]
    variables: Mapping[Location, Variable] = field(init=False)

    def __post_init__(self) -> None:
        owner = f"network '{self.name}'"
        if not 0 < as_number(self.dt, f"{owner}: dt") < math.inf:
            raise NetworkError(f"{owner}: dt must be a positive number of ms, not {self.dt!r}")
        if self.precision not in get_args(Precision):
            raise NetworkError(f"{owner}: precision must be 'float' or 'double', not {self.precision!r}")
        seen: set[str] = set()
        groups: Mapping[str, NeuronPopulation | SynapsePopulation | CustomUpdate]
        for groups in (self.neurons, self.synapses, self.custom_updates):
            for name, group in groups.items():
                if name in seen:
                    raise NetworkError(f"{owner}: two groups are called '{name}'")
                if group.name != name:
                    raise NetworkError(f"{owner}: '{name}' is another name for '{group.name}'")
                if group.precision != self.precision:
                    raise NetworkError(f"{owner}: '{name}' is of {group.precision} precision, not {self.precision}")
                seen.add(name)
        object.__setattr__(self, "variables", self._collect_variables())
        for synapses in self.synapses.values():
            self._check_neuron_references(synapses)
        for update in self.custom_updates.values():
            self._check_update_references(update)

    def _collect_variables(self) -> dict[Location, Variable]:
        found: dict[Location, Variable] = {}

        def add(
            group: str, space: VariableSpace, declared: tuple[Var, ...], values: Mapping[str, Any], *shape: int
        ) -> None:
            for v in declared:
                at = Location(group, space, v.name)
                found[at] = Variable(at, value_type(v.type), shape, values[v.name])

        for n in self.neurons.values():
            add(n.name, "own", n.model.vars, n.vars, n.size)
        for s in self.synapses.values():
            wu, psm = s.weight_update.model, s.postsynaptic.model
            add(s.name, "synapse", wu.vars, s.vars, s.source.size, s.target.size)
            add(s.name, "pre", wu.pre_vars, s.pre_vars, s.source.size)
            add(s.name, "post", wu.post_vars, s.post_vars, s.target.size)
            add(s.name, "psm", psm.vars, s.psm_vars, s.target.size)
        for u in self.custom_updates.values():
            shape = self._referred(u, next(iter(u.var_refs.values())).to, found).shape
            add(u.name, "own", u.model.vars, u.vars, *shape)
        return found

    def _referred(self, owner: CustomUpdate, to: Location, known: Mapping[Location, Variable]) -> Variable:
        if to not in known:
            names = [at.name for at in known if at.group == to.group and at.space == to.space]
            raise NetworkError(f"custom update '{owner.name}': there is no variable {to}{did_you_mean(to.name, names)}")
        return known[to]

    def _check_neuron_references(self, s: SynapsePopulation) -> None:
        wu, psm = s.weight_update, s.postsynaptic
        for side, population, declared, given in [
            ("presynaptic", s.source, wu.model.pre_neuron_var_refs, wu.pre_var_refs),
            ("postsynaptic", s.target, wu.model.post_neuron_var_refs, wu.post_var_refs),
            ("postsynaptic", s.target, psm.model.neuron_var_refs, psm.var_refs),
        ]:
            for ref in declared:
                owner = f"synapse population '{s.name}': reference '{ref.name}'"
                to = given[ref.name].to
                if to.group != population.name:
                    raise NetworkError(f"{owner} is to '{to.group}', but its {side} population is '{population.name}'")
                if to not in self.variables:
                    names = [v.name for v in population.model.vars]
                    raise NetworkError(f"{owner}: there is no variable {to}{did_you_mean(to.name, names)}")
                self._check_type(owner, ref, self.variables[to])

    def _check_update_references(self, u: CustomUpdate) -> None:
        shape = None
        for ref in u.model.var_refs:
            owner = f"custom update '{u.name}': reference '{ref.name}'"
            given = u.var_refs[ref.name]
            variable = self._referred(u, given.to, self.variables)
            if len(variable.shape) != (2 if isinstance(given, WeightReference) else 1):
                maker = "create_var_ref" if isinstance(given, WeightReference) else "create_wu_var_ref"
                raise NetworkError(f"{owner}: {given.to} has shape {variable.shape}; make it with {maker}")
            self._check_type(owner, ref, variable)
            if variable.size != u.size:
                raise NetworkError(f"{owner}: {given.to} has {variable.size} values, the update {u.size}")
            if shape is not None and variable.shape != shape:
                raise NetworkError(f"{owner}: {given.to} has shape {variable.shape}, the first reference {shape}")
            shape = variable.shape
            if isinstance(given, WeightReference) and given.transpose is not None:
                self._check_transpose(u, owner, given, variable)

    def _check_transpose(self, u: CustomUpdate, owner: str, given: WeightReference, variable: Variable) -> None:
        assert given.transpose is not None
        other = self._referred(u, given.transpose, self.variables)
        for to in (given.to, given.transpose):
            if to.group not in self.synapses:
                raise NetworkError(f"{owner}: {to} is no variable of a connection, so it cannot be transposed")
        forward, back = self.synapses[given.to.group], self.synapses[given.transpose.group]
        if (back.source.name, back.target.name) != (forward.target.name, forward.source.name):
            raise NetworkError(
                f"{owner}: '{back.name}' ({back.source.name} to {back.target.name}) is not the reverse of "
                f"'{forward.name}' ({forward.source.name} to {forward.target.name})"
            )
        if other.type != variable.type:
            raise NetworkError(f"{owner}: {given.transpose} is of type '{other.type.name}', not '{variable.type.name}'")

    def _check_type(self, owner: str, ref: VarRef, variable: Variable) -> None:
        if value_type(ref.type) != variable.type:
            raise NetworkError(f"{owner} is of type '{ref.type}', but {variable.location} of '{variable.type.name}'")
