"""What of a population is kept in each timestep, and what is taken from what was kept before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from snnlearn.declare import NeuronModel, ValueType, VarAccessDim, WeightUpdateModel, get_var_access_dim
from snnlearn.dialect import check_model
from snnlearn.errors import NetworkError, did_you_mean
from snnlearn.network.references import Location

Elements = Union[range, tuple[int, ...]]


@dataclass(frozen=True)
class Record:
    """Variables of a population or connection that are recorded: their values as a timestep leaves them.

    Attributes
    ----------
    variables : tuple of str
    spikes : bool
        Whether it is recorded too which neurons spiked in the timestep, a bit each.
    timesteps : int
        How many timesteps are kept; no part of generated source.
    every : int
        Every how many timesteps a row is.
    only : bool
        Whether the variables are nowhere but in the rows: each starts from 0 in a timestep, and what computes it is
        left out where no row is written. Nothing else reads them.
    elements : sequence of int, optional
        The neurons, or synapses, whose values a row holds, in its order; all by default.
    """

    variables: tuple[str, ...]
    spikes: bool
    timesteps: int
    every: int = 1
    only: bool = False
    elements: Elements | None = None

    def rows_at(self, group: str, number: int, variable: str) -> Location:
        """Return where the rows of a variable are, of a group's recording of this number."""
        return Location(group, "recorded", variable if self.elements is None else f"{variable}.{number}")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return -(-self.timesteps // self.every)


@dataclass(frozen=True)
class Play:
    """A variable of a population that is taken from recorded rows, one in each timestep.

    Attributes
    ----------
    variable : str
    type : ValueType
        Of the rows' values.
    every : int
        How many timesteps a row lasts.
    reverse : bool
        Whether rows are taken from the newest to the oldest.
    bits : bool
        Whether the rows are recorded spikes, a bit for each neuron.
    only : bool
        Whether the variable is nowhere but in the rows, so that nothing but the neurons' own code sees it.
    """

    variable: str
    type: ValueType
    every: int
    reverse: bool
    bits: bool = False
    only: bool = False


def check_records(owner: str, model: NeuronModel, records: tuple[Record, ...]) -> None:
    """Raise NetworkError unless all that is to be recorded is there, and recorded once."""
    known = {v.name: v for v in model.vars}
    seen: set[str] = set()
    if sum(record.only for record in records) > 1:
        raise NetworkError(f"{owner}: two recordings are of variables that are nowhere but in the rows")
    for record in records:
        if not (record.variables or record.spikes):
            raise NetworkError(f"{owner}: a recording needs names of variables, or spikes=True")
        for name in record.variables:
            if name not in known:
                hint = "; spikes=True records spikes" if name == "spikes" else did_you_mean(name, known)
                raise NetworkError(f"{owner} has no variable '{name}' to record{hint}")
            if name in seen and record.elements is None:
                raise NetworkError(f"{owner}: variable '{name}' is recorded twice; once is enough for all readers")
            seen |= {name} if record.elements is None else set()
            if not get_var_access_dim(known[name].access) & VarAccessDim.ELEMENT:
                raise NetworkError(
                    f"{owner}: variable '{name}' has one value for all neurons; variables with one for each can be "
                    "recorded"
                )
        if record.spikes and "threshold_condition_code" not in check_model(model).snippets:
            raise NetworkError(
                f"{owner}: spikes cannot be recorded: model '{model.name}' has no threshold_condition_code"
            )
    if sum(record.spikes and not record.only for record in records) > 1:
        raise NetworkError(f"{owner}: its spikes are recorded twice; once is enough for all readers")


def check_synapse_records(owner: str, model: WeightUpdateModel, records: tuple[Record, ...]) -> None:
    """Raise NetworkError unless all that is to be recorded is a variable of synapses."""
    known = {v.name: v for v in model.vars}
    for record in records:
        if record.spikes or not record.variables:
            raise NetworkError(f"{owner}: a recording of synapses needs names of variables; populations record spikes")
        for name in record.variables:
            if name not in known:
                raise NetworkError(f"{owner} has no variable of synapses '{name}'{did_you_mean(name, known)}")
            if not get_var_access_dim(known[name].access) & VarAccessDim.ELEMENT:
                raise NetworkError(f"{owner}: variable '{name}' has one value for all synapses")


def check_plays(owner: str, model: NeuronModel, plays: tuple[Play, ...]) -> None:
    """Raise NetworkError unless each variable that is played is one that code only reads, and can hold the rows."""
    known = {v.name: v for v in model.vars}
    seen: set[str] = set()
    for play in plays:
        name = play.variable
        if name not in known:
            raise NetworkError(f"{owner} has no variable '{name}' to play a recording to{did_you_mean(name, known)}")
        if name in seen:
            raise NetworkError(f"{owner}: variable '{name}' has a recording to play already")
        seen.add(name)
        v = known[name]
        if v.writable or not get_var_access_dim(v.access) & VarAccessDim.ELEMENT:
            raise NetworkError(
                f"{owner}: variable '{name}' has access {v.access.name}; what a recording is played to is declared "
                "READ_ONLY_DUPLICATE"
            )
