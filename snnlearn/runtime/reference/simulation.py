"""A simulation that plain Python runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from snnlearn.codegen.plan import Plan
from snnlearn.codegen.plan.kernels import Operation
from snnlearn.errors import LifecycleError
from snnlearn.network import Network
from snnlearn.runtime.host_simulation import HostSimulation
from snnlearn.runtime.interrupts import uninterrupted
from snnlearn.runtime.reference.memory import Memory


class ReferenceSimulation(HostSimulation):
    """A network that is computed one neuron and one synapse after the other, in Python's numbers.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network, without deferred kernels.
    source : str
        What `snnlearn.codegen.reference` made of it.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    timing : bool
    """

    _turn = 1

    def __init__(
        self,
        network: Network,
        plan: Plan,
        source: str,
        *,
        seed: int = 0,
        recording_timesteps: int = 0,
        timing: bool = False,
    ) -> None:
        super().__init__(network, plan, recording_timesteps)
        self._seed, self._timestep, self._closed = seed, 0, False
        self._memory = Memory(plan, self._arrays, self._host_arrays, recording_timesteps)
        self._seconds = dict.fromkeys(plan.timers, 0.0)
        self._module = self._load(source, timing)
        self._step, self._run, self._flush = self._one, self._many, None
        self.updates = {name: self._update(n) for n, name in enumerate(plan.custom_updates)}
        self._start(seed)

    def _load(self, source: str, timing: bool) -> Any:
        module = ModuleType("snnlearn_reference")
        exec(compile(source, f"<{self.network.name!a}, printed by snnlearn>", "exec"), vars(module))
        operations: list[Operation] = [*self.plan.step, *self.plan.connect, *self.plan.init]
        operations += [operation for group in self.plan.custom_updates.values() for operation in group]
        for operation in operations if timing else ():
            setattr(module, operation.name, self._timed(getattr(module, operation.name), operation.timer))
        return module

    def _timed(self, function: Callable[..., None], timer: str) -> Callable[..., None]:
        @wraps(function)
        def run(*args: Any) -> None:
            begin = perf_counter()
            function(*args)
            self._seconds[timer] += perf_counter() - begin

        return run

    # ---- timesteps and updates ----

    @uninterrupted  # which would leave a timestep half done
    def _one(self) -> bool:
        self._need_open()
        with np.errstate(all="ignore"):
            self._module.step(self._memory, self._timestep, self._seed)
        self._timestep += 1
        return self._reported

    def _many(self, timesteps: int) -> bool:
        for _ in range(timesteps):
            self._one()
        return self._reported

    def _update(self, number: int) -> Callable[[], bool]:
        @uninterrupted
        def run() -> bool:
            self._need_open()
            getattr(self._module, f"update_{number}")(self._memory, self._timestep, self._seed)
            return self._reported

        return run

    def _call(self, name: str) -> None:
        t = self._timestep * self.plan.dt
        getattr(self._module, name)(self._memory, self._timestep, t, self._seed)

    def _connect(self) -> None:
        for kernel in self.plan.connect:
            self._call(kernel.name)

    def _initialise(self) -> None:
        for kernel in self.plan.init:
            self._call(kernel.name)

    def _index_columns(self, group: str) -> None:
        self._call(self.plan.column_indexing[group].name)

    # ---- what a simulation asks of an engine ----

    @property
    def _reported(self) -> bool:
        return self._memory.error is not None or self._memory.warning is not None

    def _reports(self) -> tuple[str | None, str | None]:
        memory = self._memory
        found = memory.error, memory.warning
        memory.error = memory.warning = None
        return found

    def _bind(self) -> None:
        pass  # the memory has the very dictionaries of arrays

    def _bind_host(self) -> None:
        self._memory.host_arrays = self._host_arrays

    def _settle(self) -> None:
        self._need_open()

    def _time(self) -> int:
        self._need_open()
        return self._timestep

    def _set_time(self, timestep: int) -> None:
        self._need_open()
        self._timestep = timestep

    def _timers(self) -> dict[str, float]:
        return dict(self._seconds)

    def _flush_and_check(self) -> None:
        self._need_open()

    def _need_open(self) -> None:
        if self._closed:
            raise LifecycleError("the simulation has been unloaded")

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded."""
        return self._closed

    def _close(self) -> None:
        self._closed = True
        self._arrays = self._memory.arrays = {}
