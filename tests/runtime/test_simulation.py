"""A loaded simulation: memory, interruption, freedom from leaks of threads."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small_networks import network
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.errors import LifecycleError
from snnlearn.network import Location
from snnlearn.runtime import CpuSimulation, Recording
from snnlearn.runtime.host_simulation import aligned_zeros
from snnlearn.runtime.library import build_library


def load(**options: Any) -> CpuSimulation:
    net = network()
    plan = optimise(build_plan(net))
    source = emit_cpp(plan)
    return CpuSimulation(net, plan, source, build_library(source), **{"recording_timesteps": 10, **options})


@pytest.mark.parametrize("size", [0, 1, 7, 64, 1000])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32", "float64"])
def test_arrays_start_on_a_cache_line(size: int, dtype: str) -> None:
    array = aligned_zeros(size, dtype)
    assert array.ctypes.data % 64 == 0 or size == 0
    assert (array.shape, array.dtype) == ((size,), dtype)
    assert not array.any()
    array[:] = 1
    assert array.all()


def test_recordings_decode_by_time_then_id() -> None:
    rows = np.zeros((3, 2), np.uint32)
    rows[0, 0], rows[0, 1], rows[2, 0] = 0x80000001, 0b110, 0b1000
    times, ids = Recording(rows, first=100, dt=0.5, neurons=34).decode()
    # Bit 2 of the second word is of no neuron: there are 34.
    assert times.tolist() == [50.0, 50.0, 50.0, 51.0]
    assert ids.tolist() == [0, 31, 33, 3]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own answer to Ctrl-C, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_run_leaves_the_simulation_usable() -> None:
    simulation = load(threads=2)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        simulation.run(10**9)
    reached = simulation.timestep
    assert reached > 0
    simulation.run(10)
    assert simulation.timestep == reached + 10
    assert simulation.recording(Location("A", "recording"))[0].first == reached
    assert np.isfinite(simulation.read(Location("S", "synapse", "e"))).all()
    simulation.close()


def test_what_is_closed_says_so() -> None:
    simulation = load()
    simulation.close()
    simulation.close()
    for use in (lambda: simulation.run(1), lambda: simulation.timestep, simulation.timers):
        with pytest.raises(LifecycleError, match="has been unloaded"):
            use()


def test_time_is_measured_where_asked_for() -> None:
    timed, untimed = load(timing=True), load()
    for simulation in (timed, untimed):
        simulation.run(1000)
    assert set(timed.timers()) == set(timed.plan.timers)
    assert all(seconds > 0.0 for seconds in timed.timers().values())
    assert not any(untimed.timers().values())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads through /proc")
def test_threads_end_with_the_simulation() -> None:
    def threads() -> set[str]:
        return set(os.listdir("/proc/self/task"))

    before = threads()  # some may end while this test runs: those of earlier tests

    def falls_to(number: int) -> bool:
        deadline = time.monotonic() + 5.0
        while len(threads() - before) > number and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(threads() - before) <= number

    simulation = load(threads=5)
    assert len(threads() - before) >= 4
    assert falls_to(4), "those that helped to build it end"
    simulation.run(3)
    del simulation
    gc.collect()
    assert falls_to(0)
