"""Where a variable lives, and references to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Which of a group's variables: a neuron's or custom update's own, a synapse's, one end's, the postsynaptic model's;
# or other memory of the group: arrays and dynamic parameters, summed input, spikes, kept past.
VariableSpace = Literal["own", "synapse", "pre", "post", "psm"]
Space = Literal[
    VariableSpace, "egp", "param", "psm_param", "out_post", "out_pre", "spikes", "spike_count", "recording", "history"
]


@dataclass(frozen=True, order=True)
class Location:
    """The address of one variable, or other piece of memory, in a network."""

    group: str
    space: Space
    name: str

    @property
    def key(self) -> str:
        """A name for files: group, space and name, unique in a network."""
        return ".".join(part for part in (self.group, self.space, self.name) if part)

    def __str__(self) -> str:
        where = {"pre": "pre_vars of ", "post": "post_vars of ", "psm": "psm_vars of "}
        return f"{where.get(self.space, '')}'{self.group}.{self.name}'"


@dataclass(frozen=True)
class Reference:
    """A reference to a variable with one value for each neuron."""

    to: Location


@dataclass(frozen=True)
class WeightReference:
    """A reference to a variable with one value for each synapse.

    Attributes
    ----------
    to : Location
    transpose : Location, optional
        A variable of the connection in the opposite direction that receives the values, transposed, after
        each update.
    """

    to: Location
    transpose: Location | None = None
