"""Populations of neurons, and currents into them.

Each group is a frozen value that checks itself when it is made, and names the groups that it is attached to. What one
group alone cannot know (whether a reference's target exists, say) is checked by `snnlearn.network.Network`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snnlearn.declare import CurrentSourceModel, NeuronModel, Precision
from snnlearn.errors import NetworkError
from snnlearn.network.checks import (
    check_group_name,
    check_of_one_model,
    check_references,
    check_size,
    no_values,
    resolve_references,
)
from snnlearn.network.history import Play, Record, check_plays, check_records
from snnlearn.network.references import Reference


@dataclass(frozen=True, eq=False)
class NeuronPopulation:
    """A number of neurons of one model.

    Parameters
    ----------
    name : str
        Unique in the network; a C identifier.
    size : int
        How many neurons.
    model : NeuronModel
    params : mapping of str to float
        A value for each parameter of the model.
    vars : mapping of str to number, array of shape (size,) or (batch_size, size), or VarInit
        The initial value of each variable.
    extra_global_params : mapping of str to array
        May be given later, but before the simulation is loaded.
    dynamic_params : set of str
        Parameters that can be changed while the simulation runs; derived parameters do not follow.
    spike_recording_enabled, spike_event_recording_enabled : bool
        The latter is of all connections from and to it.
    precision : {"float", "double"}
        Meaning of ``scalar``.
    records : tuple of Record
        What is recorded of its variables.
    plays : tuple of Play
        Which of its variables are taken from recorded rows.

    Raises
    ------
    NetworkError
        For a name, size or value that does not fit.
    DialectError
        For an error in the model's code.
    """

    name: str
    size: int
    model: NeuronModel
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    extra_global_params: Mapping[str, Any] = no_values()
    dynamic_params: frozenset[str] = frozenset()
    spike_recording_enabled: bool = False
    spike_event_recording_enabled: bool = False
    precision: Precision = "float"
    records: tuple[Record, ...] = ()
    plays: tuple[Play, ...] = ()

    def __post_init__(self) -> None:
        check_group_name(self.name, "neuron population")
        owner = f"neuron population {self.name!r}"
        object.__setattr__(self, "size", check_size(owner, "the number of neurons", self.size))
        check_of_one_model(self, owner, NeuronModel, self.size)
        check_records(owner, self.model, self.records)
        check_plays(owner, self.model, self.plays)

    @property
    def recorded_space(self) -> Literal["own"]:
        """Where the variables are that can be recorded."""
        return "own"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that synapses and current sources may deliver to."""
        return ("Isyn", *(v.name for v in self.model.additional_input_vars))


@dataclass(frozen=True, eq=False)
class CurrentSource:
    """A current into every neuron of a population.

    Parameters
    ----------
    name : str
    model : CurrentSourceModel
    target : str
        The population's name.
    params : mapping of str to float
    vars : mapping of str to number, array of shape (neurons,) or (batch_size, neurons), or VarInit
    var_refs : mapping of str to Reference, or to the name of a variable
        Variables of the target.
    extra_global_params : mapping of str to array
    dynamic_params : set of str
    target_var : str
        The input that ``injectCurrent`` adds to.
    precision : {"float", "double"}

    Raises
    ------
    NetworkError
        For a name or value that does not fit.
    """

    name: str
    model: CurrentSourceModel
    target: str
    params: Mapping[str, float] = no_values()
    vars: Mapping[str, Any] = no_values()
    var_refs: Mapping[str, Any] = no_values()
    extra_global_params: Mapping[str, Any] = no_values()
    dynamic_params: frozenset[str] = frozenset()
    target_var: str = "Isyn"
    precision: Precision = "float"

    def __post_init__(self) -> None:
        check_group_name(self.name, "current source")
        owner = f"current source {self.name!r}"
        if not isinstance(self.target, str):
            raise NetworkError(f"{owner}: target is a {type(self.target).__name__}, not the name of a population")
        check_of_one_model(self, owner, CurrentSourceModel)
        check_references(self.var_refs, self.model.neuron_var_refs, "neuron reference", owner, (str, Reference))
        object.__setattr__(self, "var_refs", resolve_references(self.target, self.var_refs))
