"""A simulation whose arrays are PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.plan.domains import BuildDomain
from snnlearn.codegen.reports import describe
from snnlearn.codegen.torch import emit_group, emit_initial
from snnlearn.errors import LifecycleError, TorchError
from snnlearn.network import Location, Network
from snnlearn.runtime.simulation import Simulation
from snnlearn.runtime.torch.memory import TensorMemory
from snnlearn.runtime.torch.program import load_source

_SPIKES = {"spikes": "spike_count", "pre_events": "pre_event_count", "post_events": "post_event_count"}


class _Device:
    """An array as `Simulation.pull` and `push` take it."""

    def __init__(self, memory: TensorMemory, array: Array) -> None:
        self._memory, self._array = memory, array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._memory.read(self._array), dtype)

    def __setitem__(self, key: object, values: NDArray[Any]) -> None:
        self._memory.write(self._array, values)


class TorchSimulation(Simulation):
    """A network as tensors, run without derivatives: what other engines compute, to be compared with them.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network, without rewrites; its precision may be another.
    source : str
        What the plan was emitted as.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.

    Raises
    ------
    TorchError
        For code that has no counterpart among tensors.
    """

    def __init__(
        self, network: Network, plan: Plan, source: str, *, seed: int = 0, recording_timesteps: int = 0
    ) -> None:
        super().__init__(network, plan, recording_timesteps)
        self.tensors = TensorMemory(network, plan, recording_timesteps)
        self._arrays = {a.name: _Device(self.tensors, a) for a in plan.arrays}
        self._seed, self._timestep, self._open = seed, 0, True
        self._trouble: str | None = None
        self._initial = load_source(emit_initial(plan))
        self._program = load_source(source)
        self._recorded = list(self._recordings())
        self._step, self._run, self._flush = self._one, self._many, None
        self.updates = {name: self._update(name) for name in plan.custom_updates}
        self._start(seed)

    @property
    def seed(self) -> int:
        """Of the random numbers."""
        return self._seed

    # ---- timesteps ----

    @torch.no_grad()
    def _one(self) -> bool:
        self._program.step(self.tensors.arrays, {}, self._timestep, self._seed)
        for recording, spikes in self._recorded:
            self._record(recording, spikes)
        self._timestep += 1
        return False

    def _many(self, timesteps: int) -> bool:
        for _ in range(timesteps):
            self._one()
        return False

    def _update(self, group: str) -> Any:
        emitted: list[Any] = []

        @torch.no_grad()
        def run() -> bool:
            if not emitted:
                emitted.append(load_source(emit_group(self.plan, group)))
            emitted[0].update(self.tensors.arrays, {}, self._timestep, self._seed)
            return False

        return run

    def _recordings(self) -> Iterator[tuple[Array, Array]]:
        for kernel in self.plan.step:
            for spike in kernel.spikes:
                if spike.recording is not None:
                    yield self.plan.array(spike.recording), self.plan.array(spike.spikes)

    def _record(self, recording: Array, spikes: Array) -> None:
        found = self.tensors.arrays[spikes.name]
        marks = found[self.tensors.arrays[spikes.queue]] if spikes.queue is not None else found
        copies, neurons = self.network.batch_size, marks.shape[-1]
        words = np.zeros((copies, -(-neurons // 32) * 32), np.uint8)
        words[:, :neurons] = marks.reshape(copies, neurons).numpy() > 0.5
        row = np.packbits(words, axis=1, bitorder="little").view("<u4")
        rows = self.tensors.read(recording).reshape(self.recording_timesteps, copies, -1)
        rows[self._timestep % self.recording_timesteps] = row

    # ---- first values ----

    @torch.no_grad()
    def _connect(self) -> None:
        for kernel in self.plan.connect:
            made = getattr(self._initial, kernel.name)(self.tensors.arrays, {}, 0, self._now(), self._seed)
            pre, post, place = made.synapses().numpy()
            assert isinstance(kernel.domain, BuildDomain)
            sparse = kernel.domain.sparse
            lengths = np.bincount(pre, minlength=made.pre)
            self.tensors.write(self.plan.array(sparse.row_length), lengths)
            order = np.argsort(pre, kind="stable")
            number = np.arange(pre.size) - (np.cumsum(lengths) - lengths)[pre[order]]
            if lengths.max(initial=0) > made.stride:
                self._trouble = describe(2, made.title, int(lengths.argmax()), made.stride)
                continue
            where = pre[order] * made.stride + number
            for name, values in ((sparse.ind, post), (sparse.kernel_ind, place)):
                if name is not None:
                    padded = np.zeros(made.pre * made.stride, np.int64)
                    padded[where] = values[order]
                    self.tensors.write(self.plan.array(name), padded)

    def _now(self) -> torch.Tensor:
        return torch.tensor(self._timestep * self.plan.dt, dtype=torch.float64)

    @torch.no_grad()
    def _initialise(self) -> None:
        for kernel in self.plan.init:
            getattr(self._initial, kernel.name)(self.tensors.arrays, {}, 0, self._now(), self._seed)

    def _index_columns(self, group: str) -> None:
        self.tensors.index_columns(group)

    def _bind_host(self) -> None:
        """Host code runs on no tensors: it is refused when it is called for."""

    # ---- recorded variables, which PyTorch's own graph makes needless ----

    def _start_history(self) -> None:
        if any(k.players for k in self.plan.step):
            raise TorchError(f"{self.network.name}: recorded variables are played on other engines alone")

    def _bind(self) -> None:
        pass

    def _settle(self) -> None:
        pass

    def _adopt(self, name: str, memory: Any) -> None:
        raise self._no_memory()

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded."""
        return not self._open

    def memory(self, name: str) -> Any:
        """Refuse: a tensor is no memory that could be written to."""
        raise self._no_memory()

    def held(self, at: Location) -> Any:
        """Refuse, as `memory`."""
        raise self._no_memory()

    def gather(self, names: tuple[str, ...]) -> Any:
        """Refuse, as `memory`."""
        raise self._no_memory()

    def new_bytes(self, number: int, what: str) -> Any:
        """Refuse, as `memory`."""
        raise self._no_memory()

    def copy_bytes(self, target: Any, source: Any) -> None:
        """Refuse, as `memory`."""
        raise self._no_memory()

    def length_of(self, name: str) -> int:
        """Return how many elements an array has."""
        return int(self.tensors.read(self.plan.array(name)).size)

    def copies(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return what arrays are now: a timestep makes new tensors and leaves these."""
        return {name: self.tensors.kept(name) for name in names}

    def put_copy(self, name: str, copy: Any) -> None:
        """Replace an array by what it was."""
        self.tensors.put_back(name, copy)

    def _no_memory(self) -> TorchError:
        return TorchError(f"{self.network.name}: variables are recorded on other engines; here keep the tensors")

    # ---- arrays ----

    def _array(self, at: Location) -> Array:
        if not self._open:
            raise LifecycleError("the simulation has been unloaded")
        return self._by_location[at]

    def _read(self, at: Location) -> NDArray[Any]:
        return self.tensors.read(self._array(at))

    def _copy(self, at: Location) -> NDArray[Any]:
        return np.array(self._read(at))

    def _write(self, at: Location, values: NDArray[Any]) -> None:
        array = self._array(at)
        size = self.tensors.read(array).size
        self.tensors.write(array, np.broadcast_to(values, (size,)))

    def set_state(self, state: Any) -> None:
        """Put back what `state` returned, of this engine or of another one."""
        super().set_state(state)
        for at, array in self._by_location.items():
            count = _SPIKES.get(at.space)
            if count is not None:
                lengths = state[Location(at.group, count).key]  # type: ignore[arg-type]
                self.tensors.mark_spikes(array, np.asarray(state[at.key]), np.asarray(lengths))

    def _device_array(self, at: Location) -> Any:
        raise TorchError(f"{at} is a tensor that never changes: a timestep makes a new one; pull it, or push to it")

    def _replace(self, given: Iterable[tuple[Array, NDArray[Any]]]) -> None:
        for array, values in given:
            self.tensors.write(array, np.asarray(values, self.tensors.dtype(array)))

    # ---- the rest ----

    def _reports(self) -> tuple[str | None, str | None]:
        trouble, self._trouble = self._trouble, None
        return trouble, None

    def _time(self) -> int:
        return self._timestep

    def _set_time(self, timestep: int) -> None:
        self._timestep = timestep

    def _timers(self) -> dict[str, float]:
        return dict.fromkeys(self.plan.timers, 0.0)

    def _close(self) -> None:
        self._open = False
