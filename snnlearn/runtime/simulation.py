"""A loaded simulation: device arrays, timesteps, custom updates, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.errors import LifecycleError
from snnlearn.network import CustomUpdate, Location, Network, NeuronPopulation, SynapsePopulation
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
        octets = self.rows.astype("<u4", copy=False).view(np.uint8)
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
        self.recording_timesteps = recording_timesteps
        self._groups = {name: number for number, name in enumerate(plan.custom_updates)}
        self._by_location = {a.location: a for a in plan.arrays}
        self._arrays = {a.name: self._allocate(a) for a in plan.arrays}
        self._library: Library | None = Library(library, source, threads, flush_denormals, portable)
        self._bind()
        self._open().configure(seed, recording_timesteps, timing)
        self._set_given_values()
        self._open().initialise()

    def _allocate(self, array: Array) -> NDArray[Any]:
        size = array.size if array.size is not None else 0
        if array.location.space == "recording":
            neurons = self.network.neurons[array.location.group].size
            size = self.recording_timesteps * ((neurons + 31) // 32)
        return aligned_zeros(size, array.type.dtype_for(self.plan.precision))

    def _bind(self) -> None:
        self._open().bind([self._arrays[a.name] for a in self.plan.arrays])

    def _set_given_values(self) -> None:
        """Set dynamic parameters, arrays and variables that the network gives as numbers."""
        net = self.network
        for at, variable in net.variables.items():
            if isinstance(variable.init, np.ndarray):
                self.array(at)[:] = variable.init
        groups: list[NeuronPopulation | SynapsePopulation | CustomUpdate] = [*net.neurons.values()]
        groups += [*net.synapses.values(), *net.custom_updates.values()]
        for group in groups:
            for name, values in group.extra_global_params.items():
                self.set_extra_global_param(Location(group.name, "egp", name), values)
        for array in self.plan.arrays:
            at = array.location
            if at.space in ("param", "psm_param"):
                self.array(at)[0] = self._param(at)

    def _param(self, at: Location) -> float:
        if at.group in self.network.neurons:
            return self.network.neurons[at.group].params[at.name]
        if at.group in self.network.custom_updates:
            return self.network.custom_updates[at.group].params[at.name]
        synapses = self.network.synapses[at.group]
        return (synapses.postsynaptic if at.space == "psm_param" else synapses.weight_update).params[at.name]

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

    def set_extra_global_param(self, at: Location, values: NDArray[Any]) -> None:
        """Replace an extra global parameter by values of any length."""
        library = self._open()
        library.flush()
        array = self._by_location[at]
        # One element more, so that an empty array has an address.
        fresh = aligned_zeros(len(values) + 1, array.type.dtype_for(self.plan.precision))[: len(values)]
        fresh[:] = values
        self._arrays[array.name] = fresh
        self._bind()

    def set_dynamic_param(self, at: Location, value: float) -> None:
        """Set a dynamic parameter from the next timestep or update on."""
        self.array(at)[0] = value

    def run(self, timesteps: int) -> None:
        """Run timesteps in compiled code."""
        library = self._open()
        while timesteps > 0:
            library.run(min(timesteps, _CHUNK))
            timesteps -= _CHUNK

    def custom_update(self, group: str) -> None:
        """Run a group of custom updates; the group must exist."""
        self._open().custom_update(self._groups[group])

    def recording(self, group: str) -> Recording:
        """Return a copy of what a population's recording holds.

        Raises
        ------
        LifecycleError
            If fewer timesteps have passed than it holds.
        """
        length, timestep = self.recording_timesteps, self.timestep
        if timestep < length:
            raise LifecycleError(
                f"the recording of '{group}' holds {length} timesteps and only {timestep} have passed: "
                "it can be read once it is full"
            )
        words = self.array(Location(group, "recording", "")).reshape(length, -1)
        # The ring's oldest row belongs to timestep - length.
        rows = np.roll(words, -(timestep % length), axis=0)
        return Recording(rows, timestep - length, self.network.dt, self.network.neurons[group].size)

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
        """Free everything."""
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
    return at.space not in ("egp", "history")


def aligned_zeros(size: int, dtype: str) -> NDArray[Any]:
    """Return zeros of shape (size,) that start on a cache line."""
    nbytes = size * np.dtype(dtype).itemsize
    memory = np.zeros(nbytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + nbytes].view(dtype)
