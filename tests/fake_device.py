"""A device and a program with kernels in Python, which write down what they are asked.

The program counts: each timestep adds one to ``x``, and a deferred kernel adds up the ``x`` of all timesteps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn import genn
from snnlearn.codegen.cuda.program import (
    ARRAYS,
    BARRIER,
    CLOCK,
    CLOCK_FIELDS,
    CLOSE_BLOCK,
    REPORT_FIELDS,
    REPORTS,
    RUN,
    Launch,
    Program,
)
from snnlearn.codegen.plan import Plan, build_plan
from snnlearn.network import Location, Network
from snnlearn.runtime.cuda.device import Device, Module
from snnlearn.runtime.cuda.simulation import CudaSimulation

CLOCK_TYPE = np.dtype(CLOCK_FIELDS)
REPORT_TYPE = np.dtype([("error", REPORT_FIELDS), ("warning", REPORT_FIELDS)])
X, SUM = Location("P", "own", "x"), Location("P", "own", "sum")
COUNTER = genn.create_neuron_model(
    "Counter", vars=["x", "sum"], extra_global_params=[("table", "scalar*")], sim_code="x += 1.0 + 0.0 * table[0];"
)
STEP = (Launch("count", 3, "neuron_update"), Launch("finish", 1, "neuron_update"))
DEFERRED = (Launch("add_up", 2, "synapse_dynamics"),)
UPDATES = {"G": (Launch("double", 1, "custom_update_G"),)}
WAITS = ("read", "read global", "synchronize", "elapsed")
CODE = {"count": "x += 1", "add_up": "sum += block", "double": "x *= 2", "finish": "clock", CLOSE_BLOCK: "close"}


REPORTING = (replace(STEP[0], reports=True), STEP[1])


def program(depth: int = 4, step: tuple[Launch, ...] = STEP, **more: Any) -> Program:
    parts: dict[str, Any] = {"deferred": DEFERRED if depth else (), "depth": depth, "custom_updates": UPDATES}
    return Program("source", 32, step, step, **{**parts, "persistent_blocks": 3, **more})


class FakeDevice(Device):
    """Memory is NumPy's; every launch takes a second."""

    name = "a fake"
    multiprocessors = 2

    def __init__(self, asked: Program, plan: Plan, free: int = 1 << 30, cooperative: bool = True) -> None:
        self.program, self.plan, self.free, self.cooperative = asked, plan, free, cooperative
        self.log: list[str] = []
        self.memory: dict[int, NDArray[Any]] = {}
        self.time = 0.0
        self.closed = False
        self.captured: list[Callable[[], None]] | None = None
        self.kernels: dict[str, Callable[[FakeModule], None]] = {}  # more of them

    def compile(self, source: str, flush_denormals: bool) -> Path:
        return Path(source)

    def load(self, program: Path) -> FakeModule:
        self.module = FakeModule(self)
        return self.module

    def free_memory(self) -> int:
        return self.free

    def zeros(self, size: int, dtype: str) -> NDArray[Any]:
        array: NDArray[Any] = np.zeros(size, dtype)
        self.memory[self.pointer(array)] = array
        return array

    def from_dlpack(self, memory: Any) -> NDArray[Any]:
        return np.from_dlpack(memory)

    def pointer(self, array: Any) -> int:
        return int(array.ctypes.data)

    def write(self, array: Any, values: NDArray[Any]) -> None:
        assert (array.shape, array.dtype) == (values.shape, values.dtype)
        self.enqueue("write", lambda: array.__setitem__(slice(None), values))

    def read(self, array: Any) -> NDArray[Any]:
        self.enqueue("read", lambda: None)
        return np.array(array)

    def copy(self, target: Any, source: Any) -> None:
        self.ask("copy", lambda: target.__setitem__(slice(None), source))

    def synchronize(self) -> None:
        self.enqueue("synchronize", lambda: None)

    def mark(self) -> float:
        return self.time

    def elapsed(self, first: Any, second: Any) -> float:
        self.log.append("elapsed")
        return float(second - first)

    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        captured = self.captured = []
        enqueue()
        self.captured = None
        self.log.append(f"capture {len(captured)}")
        return lambda: self.enqueue(f"replay {len(captured)}", lambda: [work() for work in captured])  # type: ignore[func-returns-value]

    def close(self) -> None:
        self.closed = True

    def enqueue(self, what: str, work: Callable[[], Any]) -> None:
        assert not self.closed
        if self.captured is not None:
            self.captured.append(work)
            return
        self.log.append(what)
        work()

    def launches(self) -> list[str]:
        """Return what was launched since this was asked last."""
        found = [what for what in self.log if what not in (*WAITS, "write")]
        self.log.clear()
        return found


class FakeModule(Module):
    """Its kernels are below, by name."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        self.variables: dict[str, bytes] = {BARRIER: b"\1\0\0\0", REPORTS: bytes(REPORT_TYPE.itemsize)}
        self.kept = self.block = 0.0

    def launch(self, kernel: str, blocks: int, threads: int) -> None:
        assert threads == self.device.program.threads
        self.device.enqueue(kernel, lambda: self.work(kernel))

    def launch_together(self, kernel: str, blocks: int, threads: int, argument: int) -> None:
        assert (kernel, threads) == (RUN, self.device.program.threads)
        assert blocks <= self.max_resident_blocks(kernel, threads)
        assert not any(self.variables[BARRIER])
        self.variables[BARRIER] = b"\1\0\0\0"
        self.device.enqueue(f"run {argument} on {blocks}", lambda: self.run(argument))

    def max_resident_blocks(self, kernel: str, threads: int) -> int:
        return 4

    def write_global(self, name: str, values: NDArray[Any]) -> None:
        new = values.tobytes()
        self.variables[name] = new + self.variables.get(name, b"")[len(new) :]

    def read_global(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        self.device.enqueue("read global", lambda: None)
        return self.value(name, dtype)

    def value(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a variable without anybody's noticing."""
        assert len(self.variables[name]) == dtype.itemsize
        return np.frombuffer(self.variables[name], dtype)[0]  # type: ignore[no-any-return]

    # ---- what a kernel sees ----

    def array(self, name: str) -> NDArray[Any]:
        """Return an array of the plan, or a device's copy of the host's."""
        names = [a.name for a in self.device.plan.arrays] + [f"host {name}" for name in self.device.plan.host_arrays]
        pointers = np.frombuffer(self.variables[ARRAYS], np.uint64)
        assert len(pointers) == len(names)
        return self.device.memory[int(pointers[names.index(name)])]

    @property
    def clock(self) -> NDArray[Any]:
        return self.value(CLOCK, CLOCK_TYPE).copy()

    def report(self, which: str, kind: int, where: bytes, a: int = 0, b: int = 0) -> None:
        found = self.value(REPORTS, REPORT_TYPE).copy()
        if not found[which]["seen"]:
            found[which] = (1, kind, a, b, where)
            self.write_global(REPORTS, found)

    def work(self, kernel: str) -> None:
        self.device.time += 1.0
        if kernel in self.device.kernels:
            self.device.kernels[kernel](self)
            return
        match CODE[kernel]:
            case "x += 1":
                self.array("v_P_x")[:] += 1
            case "x *= 2":
                self.array("v_P_x")[:] *= 2
            case "sum += block":
                self.array("v_P_sum")[:] += self.block
                self.block = 0.0
            case "close":
                self.close_block()
            case "clock":
                clock = self.clock
                self.kept += float(self.array("v_P_x")[0])
                clock["timestep"] += 1
                clock["pending"] += 1 if self.device.program.depth else 0
                self.write_global(CLOCK, clock)
                if self.device.program.depth and clock["pending"] == self.device.program.depth:
                    self.close_block()

    def close_block(self) -> None:
        clock = self.clock
        assert clock["pending"], "there is nothing to close"
        assert self.block == 0.0, "the block before has not been worked off"
        self.block, self.kept = self.kept, 0.0
        clock["pending"] = 0
        self.write_global(CLOCK, clock)

    def run(self, timesteps: int) -> None:
        for _ in range(timesteps):
            for launch in self.device.program.step:
                self.work(launch.kernel)
            if self.device.program.depth and self.clock["pending"] == 0:
                self.work("add_up")


def network(batch_size: int = 1, recorded: bool = False) -> Network:
    model = genn.GeNNModel("double", "fake")
    model.batch_size = batch_size
    p = model.add_neuron_population("P", 5, COUNTER, {}, {"x": 0.0, "sum": 0.0})
    p.extra_global_params["table"].set_init_values([1.0, 2.0, 3.0])
    p.spike_recording_enabled = recorded
    return model._describe()


def load(
    asked: Program | None = None,
    net: Network | None = None,
    kernels: dict[str, Callable[[FakeModule], None]] | None = None,
    free: int = 1 << 30,
    cooperative: bool = True,
    **options: Any,
) -> tuple[CudaSimulation, FakeDevice]:
    """Return a simulation, and the device that it is on."""
    asked, net = asked or program(), net or network()
    plan = build_plan(net)
    device = FakeDevice(asked, plan, free, cooperative)
    device.kernels = kernels or {}
    simulation = CudaSimulation(net, plan, asked, device, Path("compiled"), **options)
    return simulation, device
