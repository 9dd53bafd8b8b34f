"""Where a variable lives, and references to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from snnlearn.attributes import frozen
from snnlearn.network.keys import called

# Which of a group's variables: a neuron's, current source's or custom update's own, a synapse's, one end's, the
# postsynaptic model's; or what the simulation keeps besides and custom updates may refer to: summed input, input
# still on its way, times of spikes and events, how many there were.
VariableSpace = Literal["own", "synapse", "pre", "post", "psm"]
StateSpace = Literal[
    "out_post",
    "out_pre",
    "den_delay",
    "spike_time",
    "prev_spike_time",
    "spike_count",
    "pre_event_time",
    "prev_pre_event_time",
    "post_event_time",
    "prev_post_event_time",
]
# Other memory: arrays and dynamic parameters, lists of spikes and events, recordings, queues, kept past, connectivity;
# rows of recorded and of played variables, and where in them the simulation is; lengths of arrays from outside.
MemorySpace = Literal[
    "egp",
    "psm_egp",
    "connect_egp",
    "init_egp",
    "param",
    "psm_param",
    "spikes",
    "recording",
    "pre_events",
    "pre_event_count",
    "pre_event_recording",
    "post_events",
    "post_event_count",
    "post_event_recording",
    "queue",
    "den_queue",
    "history",
    "row_length",
    "ind",
    "kernel_ind",
    "column_start",
    "column_synapses",
    "calls",
    "recorded",
    "recorded_spikes",
    "recorder",
    "recorder_index",
    "played",
    "player",
    "length",
]
Space = Literal[VariableSpace, StateSpace, MemorySpace]


@dataclass(frozen=True, order=True)
class Location:
    """The address of one variable, or other piece of memory, in a network."""

    group: str
    space: Space
    name: str = ""

    @property
    def key(self) -> str:
        """A name for files: group, space and name, unique in a network."""
        return ".".join(part for part in (self.group, self.space, self.name) if part)

    def __str__(self) -> str:
        where = {"pre": "pre_vars of ", "post": "post_vars of ", "psm": "psm_vars of ", "recorded": "the recording of "}
        if not self.name:
            return f"{self.space} of {self.group!r}"
        return f"{where.get(self.space, '')}'{called(self.group)}.{self.name}'"


@frozen
@dataclass(frozen=True)
class Reference:
    """A reference to a variable with one value for each neuron."""

    to: Location


@frozen
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


@frozen
@dataclass(frozen=True)
class ArrayReference:
    """A reference to a group's extra global parameter."""

    to: Location


def plain(ref: Any) -> Any:
    """Return a reference alone: the address, without what a class that derives from one of these knows besides."""
    if isinstance(ref, WeightReference):
        return ref if type(ref) is WeightReference else WeightReference(ref.to, ref.transpose)
    kind = ArrayReference if isinstance(ref, ArrayReference) else Reference
    return ref if type(ref) is kind else kind(ref.to)
