"""A plan's arrays as tensors, and as the flat arrays that all engines show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlearn.codegen.plan import Array, Plan
from snnlearn.network import Location, Network
from snnlearn.runtime.sizes import first_size

_SPIKES = {"spikes": "spike_count", "pre_events": "pre_event_count", "post_events": "post_event_count"}
_COUNTS = {count: spikes for spikes, count in _SPIKES.items()}
_NUMBERS = frozenset(["queue", "den_queue", "calls"])
# What only a host looks at: rows are kept as `Rows`, spikes are decoded when somebody asks for them.
_HOST = frozenset(["row_length", "column_start", "column_synapses"]) | frozenset(
    ["recording", "pre_event_recording", "post_event_recording", "recorded", "recorded_spikes", "recorder"]
)


@dataclass(frozen=True, eq=False)
class Rows:
    """The synapses of sparse connectivity, one row behind the other.

    Attributes
    ----------
    pre, post, place : Tensor of int64, shape (synapses,)
        Presynaptic and postsynaptic neuron, and where the synapse is in memory with its gaps.
    """

    pre: Tensor
    post: Tensor
    place: Tensor

    @classmethod
    def of(cls, lengths: NDArray[Any], ind: NDArray[Any]) -> Rows:
        """Return rows of these lengths, whose synapses lead to the neurons of a padded array."""
        stride = ind.size // max(lengths.size, 1)
        inside = np.arange(stride) < lengths[:, None].astype(np.int64)
        place = np.flatnonzero(inside)
        post = ind.reshape(-1)[place].astype(np.int64)
        return cls(*(torch.from_numpy(x) for x in (place // max(stride, 1), post, place)))


class TensorMemory:
    """The arrays of a simulation.

    Attributes
    ----------
    arrays : dict of str to object
        By the plan's names, as emitted code sees them: tensors, with the copies of a batch along the first axis; lists
        of tensors, one for each slot of a queue; `Rows`; integers where a queue's newest slot is.
    """

    def __init__(self, network: Network, plan: Plan, recording_timesteps: int) -> None:
        self.network, self.plan = network, plan
        self.locations = {a.location: a for a in plan.arrays}
        self.arrays: dict[str, Any] = {}
        self._host: dict[str, NDArray[Any]] = {}
        # Rows come first: they say how many values the synapses' variables have.
        for array in sorted(plan.arrays, key=lambda a: a.location.space not in ("row_length", "ind")):
            zeros = np.zeros(first_size(array, network, recording_timesteps), self.dtype(array))
            self.write(array, zeros)

    def dtype(self, array: Array) -> np.dtype[Any]:
        """Return the type that an array's elements have on other engines."""
        return np.dtype(array.type.dtype_for(self.plan.precision))

    def kind(self, array: Array) -> torch.dtype:
        """Return the type of an array's tensors."""
        if array.location.space in _SPIKES:
            return torch.float64 if self.plan.precision == "double" else torch.float32
        if array.type.kind == "float":
            return torch.float64 if self.dtype(array) == np.float64 else torch.float32
        return torch.bool if array.type.kind == "bool" else torch.int64

    # ---- shapes ----

    def rows_of(self, array: Array) -> str | None:
        """Return the name of the rows that an array has a value for each synapse of, if they are sparse."""
        at = array.location
        if at.space == "kernel_ind":
            return self.locations[Location(at.group, "ind")].name
        variable = self.network.variables.get(at)
        if variable is None or variable.over != "synapse":
            return None
        connection = self.network.groups.connection_of(at)
        ind = self.locations.get(Location(connection, "ind")) if connection is not None else None
        return None if ind is None else ind.name

    def shape(self, array: Array) -> tuple[int, ...]:
        """Return the shape of one copy's values at one time, with gaps where there are any."""
        variable = self.network.variables.get(array.location)
        if variable is not None and variable.over == "synapse" and self.rows_of(array) is None:
            return variable.shape
        return (-1,) if array.size is None else (array.size,)

    def _copies(self, array: Array) -> int:
        return self.network.batch_size if array.batched else 1

    # ---- to and from other engines' form ----

    def write(self, array: Array, flat: NDArray[Any]) -> None:
        """Take the values of an array in the form of other engines."""
        space = array.location.space
        if space in _COUNTS:
            return  # what the list of spikes says
        if space in _HOST:
            self._host[array.name] = np.array(flat, self.dtype(array))
            if space == "row_length":
                self._place(array.location.group)
        elif space == "ind":
            self._host[array.name] = np.array(flat, self.dtype(array))
            self._place(array.location.group)
        elif space in _NUMBERS:
            self.arrays[array.name] = int(flat[0])
        elif space in _SPIKES:
            self.arrays[array.name] = self._slots(array, self._marks(array, flat))
        else:
            self.arrays[array.name] = self._slots(array, np.asarray(flat))

    def _slots(self, array: Array, flat: NDArray[Any]) -> Any:
        kind, rows = self.kind(array), self.rows_of(array)
        values = torch.from_numpy(np.ascontiguousarray(flat).astype(_host_type(kind)))
        copies, shape = self._copies(array), self.shape(array)
        if array.size is None:
            return values
        parts = values.reshape(copies, array.slots, *shape)
        if not array.batched:
            parts = parts[0].unsqueeze(0)
        found = [parts[:, n] if array.batched else parts[0, n] for n in range(array.slots)]
        if rows is not None and rows in self.arrays:
            found = [part[..., self.arrays[rows].place] for part in found]
        return [part.clone() for part in found] if array.queue is not None else found[0].clone()

    def read(self, array: Array) -> NDArray[Any]:
        """Return the values of an array in the form of other engines."""
        space = array.location.space
        if space in _COUNTS:
            spikes = self.locations[Location(array.location.group, _COUNTS[space])]  # type: ignore[arg-type]
            return self._numpy(spikes).sum(-1).reshape(-1).astype(self.dtype(array))
        if array.name in self._host:
            return self._host[array.name]
        if space in _NUMBERS:
            return np.array([self.arrays[array.name]], self.dtype(array))
        values = self._numpy(array)
        if space in _SPIKES:
            return self._listed(array, values)
        return values.reshape(-1).astype(self.dtype(array))

    def _numpy(self, array: Array) -> NDArray[Any]:
        """Return the values of an array, shape (copies, slots, size)."""
        found, rows = self.arrays[array.name], self.rows_of(array)
        parts = [part.detach() for part in (found if isinstance(found, list) else [found])]
        if rows is not None:
            assert array.size is not None
            parts = [self._padded(part, self.arrays[rows], array.size) for part in parts]
        if array.size is None:
            return np.asarray(parts[0].numpy())
        stacked = torch.stack([part.reshape(self._copies(array), array.size) for part in parts], 1)
        return np.asarray(stacked.numpy())

    @staticmethod
    def _padded(part: Tensor, rows: Rows, size: int) -> Tensor:
        padded = torch.zeros((*part.shape[:-1], size), dtype=part.dtype)
        padded[..., rows.place] = part
        return padded

    def _marks(self, array: Array, flat: NDArray[Any]) -> NDArray[Any]:
        """Return 1 for each neuron on a list of spikes, given the lists and their lengths: at first there are none."""
        return np.zeros(flat.size)

    def _listed(self, array: Array, marks: NDArray[Any]) -> NDArray[Any]:
        """Return the lists of neurons that have spiked, the rest zero."""
        found = np.zeros(marks.shape, self.dtype(array))
        for copy, slot in np.ndindex(*marks.shape[:2]):
            ids = np.flatnonzero(marks[copy, slot] > 0.5)
            found[copy, slot, : ids.size] = ids
        return found.reshape(-1)

    def mark_spikes(self, array: Array, lists: NDArray[Any], counts: NDArray[Any]) -> None:
        """Take lists of the neurons that have spiked, with their lengths."""
        assert array.size is not None
        shape = self._copies(array), array.slots
        marks = np.zeros((*shape, array.size))
        for copy, slot in np.ndindex(*shape):
            ids = lists.reshape(*shape, array.size)[copy, slot, : counts.reshape(shape)[copy, slot]]
            marks[copy, slot, ids] = 1.0
        self.arrays[array.name] = self._slots(array, marks.reshape(-1))

    def kept(self, name: str) -> tuple[Any, Any]:
        """Return what an array is, for `put_back`; nothing changes a tensor in place."""
        value, host = self.arrays.get(name), self._host.get(name)
        return list(value) if isinstance(value, list) else value, None if host is None else host.copy()

    def put_back(self, name: str, kept: tuple[Any, Any]) -> None:
        """Have an array be what `kept` gave."""
        value, host = kept
        if value is not None:
            self.arrays[name] = list(value) if isinstance(value, list) else value
        if host is not None:
            self._host[name] = host.copy()

    # ---- connectivity ----

    def _place(self, connection: str) -> None:
        """Find the synapses of a connection anew, and keep the values that they had."""
        lengths = self._host.get(self._name(connection, "row_length"))
        ind = self._host.get(self._name(connection, "ind"))
        if lengths is None or ind is None or lengths.max(initial=0) > ind.size // max(lengths.size, 1):
            return
        name = self._name(connection, "ind")
        kept = {a.name: self.read(a) for a in self._synaptic(name) if name in self.arrays}
        self.arrays[name] = Rows.of(lengths, ind)
        for array in self._synaptic(name):
            if array.name in kept:
                self.write(array, kept[array.name])

    def _synaptic(self, rows: str) -> Iterator[Array]:
        return (a for a in self.plan.arrays if a.name in self.arrays and a.name != rows and self.rows_of(a) == rows)

    def _name(self, connection: str, space: Any) -> str:
        return self.locations[Location(connection, space)].name

    def index_columns(self, connection: str) -> None:
        """List the synapses of each postsynaptic neuron, for a host to look at."""
        rows: Rows = self.arrays[self._name(connection, "ind")]
        start = self.locations[Location(connection, "column_start")]
        synapses = self.locations[Location(connection, "column_synapses")]
        assert start.size is not None
        post = rows.post.numpy()
        self._host[start.name] = np.searchsorted(np.sort(post), np.arange(start.size)).astype(self.dtype(start))
        listed = np.zeros_like(self._host[synapses.name])
        listed[: post.size] = rows.place.numpy()[np.lexsort((rows.place.numpy(), post))]
        self._host[synapses.name] = listed


def _host_type(kind: torch.dtype) -> str:
    return {torch.float64: "float64", torch.float32: "float32", torch.bool: "bool"}.get(kind, "int64")
