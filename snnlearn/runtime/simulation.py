"""A loaded simulation: device arrays, timesteps, custom updates, recordings."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError
from snnlearn.network import Location, Network, NeuronPopulation
from snnlearn.runtime import first_values
from snnlearn.runtime.library import Library

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_CHUNK = 2000  # timesteps between looks at Ctrl-C


@dataclass(frozen=True, eq=False)
class Recording:
    """The spikes of a population in consecutive timesteps.

    Attributes
    ----------
    rows : ndarray of uint32, shape (timesteps, words)
        A bit for each neuron.
    first : int
        The first row's timestep.
    dt : float
        [ms]
    neurons : int
    """

    rows: NDArray[np.uint32]
    first: int
    dt: float
    neurons: int

    def decode(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return the spikes.

        Returns
        -------
        times : ndarray of float64, shape (spikes,)
            [ms], ascending.
        ids : ndarray of int32, shape (spikes,)
            Ascending within a timestep.
        """
        # Little-endian words, so that bit n of a row is neuron n.
        octets = np.ascontiguousarray(self.rows, dtype="<u4").view(np.uint8)
        bits = np.unpackbits(octets, axis=1, bitorder="little")[:, : self.neurons]
        row, ids = np.nonzero(bits)
        return (self.first + row.astype(np.float64)) * self.dt, ids.astype(np.int32)


class Simulation:
    """One network in memory, ready to run.

    The arrays here are the *device's*; on this engine they are in the same kind of memory as the host's, yet separate,
    as on every engine.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    source : str
        What the plan was emitted as.
    library : Path
        What the source was compiled to.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    threads : int
    flush_denormals : bool
    timing : bool
    portable : bool
        Whether the library was compiled for any CPU of the architecture.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan,
        source: str,
        library: Path,
        *,
        seed: int = 0,
        recording_timesteps: int = 0,
        threads: int = 1,
        flush_denormals: bool = True,
        timing: bool = False,
        portable: bool = False,
    ) -> None:
        self.network, self.plan = network, plan
        self._running = threading.Lock()
        self.recording_timesteps = recording_timesteps
        self._groups = {name: number for number, name in enumerate(plan.custom_updates)}
        self._by_location = {a.location: a for a in plan.arrays}
        self._arrays = {a.name: self._allocate(a) for a in plan.arrays}
        self._library: Library | None = Library(library, source, threads, flush_denormals, portable)
        self._bind()
        self._hosted: dict[str, NDArray[Any]] = {}
        self._open().configure(seed, recording_timesteps, timing)
        first_values.set_numbers(self, seed)
        self._open().connect()
        first_values.set_connections(self)
        self._check()
        self._open().list_columns()
        self._open().initialise()
        first_values.set_variables(self)
        # Host code has an array of the right size even where nobody else looks at the host's copy.
        self._hosted = {name: self._arrays[name].copy() for name in plan.hosted}
        self._open().bind_host(list(self._hosted.values()))
        self._check()

    def _allocate(self, array: Array) -> NDArray[Any]:
        size = array.total(self.network.batch_size) or 0
        if array.location.space in _RECORDINGS:
            words = (self._recorded_population(array.location).size + 31) // 32
            size = self.recording_timesteps * self.network.batch_size * words
        dtype = array.type.dtype_for(self.plan.precision)
        try:
            return aligned_zeros(size, dtype)
        except (MemoryError, ValueError, OverflowError):
            needed = size * np.dtype(dtype).itemsize
            raise NetworkError(f"there is no memory for {array.location}: it takes {needed:,} bytes") from None

    def _recorded_population(self, at: Location) -> NeuronPopulation:
        if at.space == "recording":
            return self.network.neurons[at.group]
        s = self.network.synapses[at.group]
        return s.source if at.space == "pre_event_recording" else s.target

    def _bind(self) -> None:
        self._open().bind([self._arrays[a.name] for a in self.plan.arrays])

    def _check(self) -> None:
        """Raise NetworkError if code has done what it must not since this was called last; else warn of doubts."""
        library = self._open()
        trouble, doubt = library.trouble(), library.doubt()
        if trouble is not None:
            raise NetworkError(trouble)
        if doubt is not None:
            warnings.warn(doubt, ModelWarning, stacklevel=4)

    @property
    def timestep(self) -> int:
        """The number of the next timestep. The compiled code keeps it: an interrupted run cannot part the two."""
        return self._open().timestep

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        self._open().timestep = timestep

    def array(self, at: Location) -> NDArray[Any]:
        """Return a device array, up to date, of shape (size,); changes to it take effect at once."""
        self._open().flush()
        return self._arrays[self._by_location[at].name]

    def set_extra_global_params(self, given: Iterable[tuple[Location, NDArray[Any]]]) -> None:
        """Replace extra global parameters by values of any length."""
        self._open().flush()
        for at, values in given:
            self._set_array(at, values)
        self._bind()

    def _set_array(self, at: Location, values: NDArray[Any]) -> None:
        array = self._by_location[at]
        if self._hosted.get(array.name) is not None and len(self._arrays[array.name]) == len(values):
            self._arrays[array.name][:] = values
            return
        # One element more, so that an empty array has an address.
        fresh = aligned_zeros(len(values) + 1, array.type.dtype_for(self.plan.precision))[: len(values)]
        fresh[:] = values
        self._arrays[array.name] = fresh

    def set_dynamic_param(self, at: Location, value: float) -> None:
        """Set a dynamic parameter from the next timestep or update on."""
        self.array(at)[0] = value

    def run(self, timesteps: int) -> None:
        """Run timesteps in compiled code."""
        library = self._open()
        if not self._running.acquire(blocking=False):
            raise LifecycleError("another thread is running this model")
        try:
            while timesteps > 0:
                if library.run(min(timesteps, _CHUNK)):
                    self._check()
                timesteps -= _CHUNK
        finally:
            self._running.release()

    def custom_update(self, group: str) -> None:
        """Run a group of custom updates; the group must exist."""
        self._open().custom_update(self._groups[group])
        self._check()

    def newest_slot(self, queue: Location) -> int:
        """Return which slot of a queue was written last."""
        return int(self.array(queue)[0])

    def connectivity_changed(self, group: str) -> None:
        """List a connection's columns anew, after its rows were written to."""
        names = list(self.plan.columns)
        if group in names:
            self._open().list_columns(names.index(group))

    def set_host_array(self, at: Location, values: NDArray[Any]) -> None:
        """Have host code of custom connectivity updates work on this array."""
        self._hosted[self._by_location[at].name] = values
        self._open().bind_host(list(self._hosted.values()))

    @property
    def host_locations(self) -> list[Location]:
        """The arrays whose host copies compiled code works on."""
        return [self.plan.array(name).location for name in self._hosted]

    def recording(self, at: Location) -> list[Recording]:
        """Return a copy of what a recording holds, for each copy of the batch.

        Raises
        ------
        LifecycleError
            If fewer timesteps have passed than it holds.
        """
        length, timestep = self.recording_timesteps, self.timestep
        if timestep < length:
            raise LifecycleError(
                f"the recording of '{at.group}' holds {length} timesteps and only {timestep} have passed: "
                "it can be read once it is full"
            )
        words = self.array(at).reshape(length, self.network.batch_size, -1)
        # The ring's oldest row belongs to timestep - length.
        rows = np.roll(words, -(timestep % length), axis=0)
        neurons = self._recorded_population(at).size
        return [
            Recording(rows[:, copy], timestep - length, self.network.dt, neurons)
            for copy in range(self.network.batch_size)
        ]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the future depends on, by what it holds; arrays given from outside apart."""
        self._open().flush()
        return {at.key: self._arrays[array.name].copy() for at, array in self._by_location.items() if _is_state(at)}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned; names, shapes and types must be the same."""
        self._open().flush()
        for at, array in self._by_location.items():
            if _is_state(at):
                self._arrays[array.name][:] = state[at.key]

    def timers(self) -> dict[str, float]:
        """Return the time spent so far [s], by timer of the plan; that of several threads together where they share."""
        library = self._open()
        library.flush()
        return dict(zip(self.plan.timers, library.timers(len(self.plan.timers)), strict=True))

    def close(self) -> None:
        """Free everything; LifecycleError while another thread runs the simulation."""
        if self._running.locked():
            raise LifecycleError("another thread is running this model: it cannot be unloaded now")
        library, self._library = self._library, None
        if library is not None:
            library.close()
        self._arrays = {}

    def _open(self) -> Library:
        if self._library is None:
            raise LifecycleError("the simulation has been unloaded")
        if not self._library.usable:
            raise LifecycleError(
                "the simulation was loaded before this process was forked, and its threads stayed behind: "
                "load it in this process, or with threads=1"
            )
        return self._library


def _is_state(at: Location) -> bool:
    return at.space not in ("egp", "psm_egp", "connect_egp", "init_egp", "history")


_RECORDINGS = ("recording", "pre_event_recording", "post_event_recording")


def aligned_zeros(size: int, dtype: str) -> NDArray[Any]:
    """Return zeros of shape (size,) that start on a cache line."""
    nbytes = size * np.dtype(dtype).itemsize
    memory = np.zeros(nbytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + nbytes].view(dtype)
