"""A simulation on a GPU: arrays on a device, and the program that works on them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.cuda.program import (
    ARRAYS,
    CLOCK,
    CLOCK_FIELDS,
    CLOSE_BLOCK,
    REPORT_FIELDS,
    REPORTS,
    RUN,
    SETTINGS,
    Launch,
    Program,
)
from snnlearn.codegen.plan import Array, Plan
from snnlearn.codegen.reports import REPORT_KINDS, describe
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.network import Location, Network
from snnlearn.runtime.cuda.buffer import Buffer
from snnlearn.runtime.cuda.device import Device, Module
from snnlearn.runtime.cuda.launching import Launcher
from snnlearn.runtime.cuda.memory import check_memory
from snnlearn.runtime.cuda.strategies import Choice, Graph, Loop, Persistent, Strategy, choose_strategy
from snnlearn.runtime.interrupts import uninterrupted
from snnlearn.runtime.simulation import Simulation
from snnlearn.runtime.sizes import bytes_by_group, first_size, placed, state_bytes

_CLOCK = np.dtype(CLOCK_FIELDS)
_REPORT = np.dtype(REPORT_FIELDS)
_REPORTS = np.dtype([("error", _REPORT), ("warning", _REPORT)])

# Asking is quicker than running. A host that never waited could ask for hours of work in a second, and Ctrl-C would
# then have to wait for all of it. A wait leaves the device idle for microseconds: after so many, nobody can tell.
_UNSEEN = 20_000  # timesteps enqueued without synchronisation


class CudaSimulation(Simulation):
    """A network in a GPU's memory.

    `run` is asynchronous: the device executes launches in the order in which they are enqueued, and reads synchronise.
    All time-dependent state lives on the device; the host counts the timesteps that it has enqueued.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    program : Program
        What the plan was emitted as.
    device : Device
        Closed with the simulation.
    compiled : Path
        What the device compiled the program's source to.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    timing : bool
    strategy : str
        One of `snnlearn.runtime.cuda.strategies.STRATEGIES`.

    Raises
    ------
    NetworkError
        If the network does not fit on the device; before anything is allocated.
    BackendError
        If the strategy cannot be had there.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan,
        program: Program,
        device: Device,
        compiled: Path,
        *,
        seed: int = 0,
        recording_timesteps: int = 0,
        timing: bool = False,
        strategy: str = "auto",
    ) -> None:
        super().__init__(network, plan, recording_timesteps)
        self._program, self._device, self._process = program, device, os.getpid()
        this = proxy(self)  # so that the simulation goes with the last that knows it
        self.updates = {name: partial(CudaSimulation._custom_update, this, name) for name in program.custom_updates}
        self._timestep = self._pending = self._unseen = 0
        self._warned = self._closed = False
        self._may_report = False  # whether code has run since the last look that can report
        self._arrays: dict[str, Buffer] = {}
        self._host_copies: dict[str, Buffer] = {}  # the device's copies of the host's copies
        self._module: Module | None = None
        try:
            check_memory(bytes_by_group(plan, network, recording_timesteps), device.free_memory(), device.name)
            module = self._module = device.load(compiled)
            self._launcher = Launcher(device, module, program.threads, timing)
            self.choice = self._choose(module, strategy, timing)
            self._strategy = self._make_strategy(module)
            for array in plan.arrays:
                self._arrays[array.name] = self._allocate(array, first_size(array, network, recording_timesteps))
            self._bind()
            module.write_global(SETTINGS, np.array([seed, recording_timesteps], np.uint64))
            module.write_global(CLOCK, np.zeros((), _CLOCK))
            module.write_global(REPORTS, np.zeros((), _REPORTS))
            self._start(seed)
        except BaseException:
            with contextlib.suppress(Exception):
                self._close()
            raise

    def _choose(self, module: Module, given: str, timing: bool) -> Choice:
        p, device = self._program, self._device
        return choose_strategy(
            given,
            timing=timing,
            cooperative=device.cooperative,
            wanted_blocks=p.persistent_blocks,
            max_resident_blocks=module.max_resident_blocks(RUN, p.threads) if device.cooperative else 0,
            nbytes=state_bytes(self.plan),
        )

    def _make_strategy(self, module: Module) -> Strategy:
        if self.choice.name == "loop":
            return Loop(self._program, self._launcher)
        if self.choice.name == "graph":
            return Graph(self._program, self._device, module)
        return Persistent(self._program, module)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which strategy runs the timesteps, and why."""
        return (f"timesteps on {self._device.name}: strategy '{self.choice.name}': {self.choice.why}",)

    # ---- arrays ----

    def _allocate(self, array: Array, size: int) -> Buffer:
        dtype = array.type.dtype_for(self.plan.precision)
        try:
            return Buffer(self._device, size, dtype)
        except MemoryError:  # CuPy's is one too
            needed, free = size * np.dtype(dtype).itemsize, self._device.free_memory()
            raise NetworkError(
                f"there is no memory on {self._device.name} for {array.location}: "
                f"it takes {needed:,} bytes and {free:,} are free"
            ) from None

    def _bind(self) -> None:
        """Tell where the arrays are, then where the device's copies of the host's are."""
        pointers = [self._arrays[a.name].pointer for a in self.plan.arrays]
        copies = [self._host_copies.get(name) for name in self.plan.host_arrays]
        pointers += [0 if copy is None else copy.pointer for copy in copies]
        if pointers:
            self._open().write_global(ARRAYS, np.array(pointers, np.uint64))

    def _bind_host(self) -> None:
        for name, values in self._host_arrays.items():
            if name not in self._host_copies:
                self._host_copies[name] = self._allocate(self.plan.array(name), len(values))
        self._bind()

    def _buffer(self, at: Location) -> Buffer:
        """Return an array, up to date."""
        self._flush()
        return self._arrays[self._by_location[at].name]

    def _read(self, at: Location) -> NDArray[Any]:
        return self._buffer(at).read()

    def _copy(self, at: Location) -> NDArray[Any]:
        return self._buffer(at).read()

    def _write(self, at: Location, values: NDArray[Any]) -> None:
        self._buffer(at).write(values)

    def _device_array(self, at: Location) -> Any:
        # Whoever works on it need not know of the order in which things are asked here.
        buffer = self._buffer(at)
        self._device.synchronize()
        return buffer.array

    @uninterrupted  # the program must not go on with memory that has been freed
    def _replace(self, given: Iterable[tuple[Array, NDArray[Any]]]) -> None:
        self._flush()
        for array, values in given:
            if len(self._arrays[array.name]) != len(values):
                self._arrays[array.name] = self._allocate(array, len(values))
            self._arrays[array.name].write(values)
        self._bind()

    def _adopt(self, name: str, memory: Any) -> None:
        self._arrays[name] = self._arrays[name].moved_to(self._device.from_dlpack(memory).reshape(-1))

    def _settle(self) -> None:
        self._open()
        self._device.synchronize()

    def memory(self, name: str) -> Any:
        """Return an array of the plan on the device."""
        return self._arrays[name].array

    def held(self, at: Location) -> NDArray[Any]:
        """Return what an array holds now, as a copy."""
        return self._arrays[self._by_location[at].name].read()

    @uninterrupted  # the program must not go on with memory that has been freed
    def gather(self, names: tuple[str, ...]) -> Any:
        """Put arrays next to each other, and return their memory as bytes."""
        old = [self._arrays[name] for name in names]
        places = placed([buffer.array.nbytes for buffer in old])
        pool = self.new_bytes(places[-1], "the state of neurons")
        for name, buffer, place in zip(names, old, places, strict=False):
            piece = pool[place : place + buffer.array.nbytes]
            self._device.copy(piece, buffer.array)
            self._arrays[name] = buffer.moved_to(piece.view(buffer.array.dtype))
        self._bind()
        return pool

    def new_bytes(self, number: int, what: str) -> Any:
        """Return new memory on the device."""
        try:
            return self._device.zeros(number, "uint8")
        except MemoryError:
            free = self._device.free_memory()
            raise NetworkError(
                f"there is no memory on {self._device.name} for {what}: it takes {number:,} bytes and {free:,} are free"
            ) from None

    def copy_bytes(self, target: Any, source: Any) -> None:
        """Copy memory on the device."""
        self._open()
        self._device.copy(target, source)

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded, or stayed behind in another process."""
        return self._module is None or self._process != os.getpid()

    # ---- launches ----

    def _launch(self, launches: Sequence[Launch]) -> None:
        """Ask for launches, and take host copies to the device and back around those that work on them."""
        for names, group in groupby(launches, key=lambda launch: launch.host_arrays):
            some = tuple(group)
            for name in names:
                self._host_copies[name].write(self._host_arrays[name])
            self._launcher.enqueue(some)
            self._may_report = self._may_report or any(launch.reports for launch in some)
            for name in names:
                self._host_arrays[name][...] = self._host_copies[name].read()

    def _connect(self) -> None:
        self._launch(self._program.connect)

    @uninterrupted
    def _index_columns(self, group: str) -> None:
        self._open()
        self._launch(self._program.column_indexing[group])

    def _initialise(self) -> None:
        self._launch(self._program.init)

    @uninterrupted
    def _custom_update(self, group: str) -> bool:
        self._flush()
        self._launch(self._program.custom_updates[group])
        return True

    def _flush(self) -> None:
        """Flush deferred kernels."""
        self._open()
        if self._pending:
            self._enqueue_deferred()
            self._check()

    @uninterrupted
    def _enqueue_deferred(self) -> None:
        self._open().launch(CLOSE_BLOCK, 1, self._program.threads)
        self._launcher.enqueue(self._program.deferred)
        self._pending = 0
        self._may_report = self._may_report or any(launch.reports for launch in self._program.deferred)

    def _step(self) -> bool:
        return self._run(1)

    def _run(self, timesteps: int) -> bool:
        self._open()
        self._enqueue(timesteps)
        if not self._program.reports and self._unseen >= _UNSEEN:
            self._device.synchronize()
            self._unseen = 0
        return self._program.reports

    @uninterrupted
    def _enqueue(self, timesteps: int) -> None:
        self._strategy.run(timesteps, self._pending)
        self._timestep += timesteps
        if self._program.depth:
            self._pending = (self._pending + timesteps) % self._program.depth
        self._unseen += timesteps
        self._may_report = self._may_report or self._program.reports

    def _time(self) -> int:
        # The device may not be there yet; nobody waits for it here.
        self._open()
        return self._timestep

    @uninterrupted
    def _set_time(self, timestep: int) -> None:
        module = self._open()
        if timestep == self._timestep:
            return
        self._flush()  # which takes timesteps to follow one another
        module.write_global(CLOCK, np.uint64(timestep))  # the clock's first field
        self._timestep = timestep

    def _reports(self) -> tuple[str | None, str | None]:
        module = self._open()
        if not self._may_report:
            return None, None  # nor is there a need to wait for the device
        found = module.read_global(REPORTS, _REPORTS).copy()
        self._unseen, self._may_report = 0, False
        error = _text(found["error"])
        warning = None if self._warned else _text(found["warning"])
        self._warned = self._warned or warning is not None
        if error is not None:
            found["error"] = np.zeros((), _REPORT)  # warnings are given once, and what is seen stays so
            module.write_global(REPORTS, found)
        return error, warning

    def _timers(self) -> dict[str, float]:
        self._flush()
        seconds = self._launcher.seconds()
        return {name: seconds.get(name, 0.0) for name in self.plan.timers}

    # ---- life ----

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        here = self._process == os.getpid()  # a fork has nothing of the device's, so nothing to give back
        try:
            if here:
                self._device.synchronize()  # what it works with must not go
        finally:
            self._module, self._arrays, self._host_copies = None, {}, {}
            if here:
                self._device.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._close()

    def _open(self) -> Module:
        if self._module is None:
            raise LifecycleError("the simulation has been unloaded")
        if self._process != os.getpid():
            raise LifecycleError(
                "the simulation was loaded before this process was forked, and the GPU stayed with the other: "
                "load it in this process"
            )
        return self._module


def _text(report: Any) -> str | None:
    """Return the line that a report means, if there is one."""
    if not report["seen"]:
        return None
    where = bytes(report["where"]).split(b"\0")[0].decode("utf-8", "replace")
    kind, a = int(report["kind"]), report["a"]
    number = float(a.view(np.float64)) if REPORT_KINDS[kind].real else int(a)
    return describe(kind, where, number, int(report["b"]))
