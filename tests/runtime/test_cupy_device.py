"""What is asked of CuPy: which calls, in which order, in which stream, with which device current."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fake_cupy
from fake_cupy import FakeCupy
from snnlearn.codegen.cuda.program import CLOCK_FIELDS
from snnlearn.errors import BackendError, BuildError
from snnlearn.runtime.cuda import nvrtc

MODULE = "snnlearn.runtime.cuda.cupy_device"


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    # Our module keeps the CuPy that it was imported with.
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    fake = fake_cupy.install(monkeypatch)
    monkeypatch.setitem(sys.modules, MODULE, importlib.import_module(MODULE))
    return fake


@pytest.fixture
def device(cupy: FakeCupy) -> Any:
    """The second of two GPUs."""
    device = importlib.import_module(MODULE).CupyDevice(1)
    assert cupy.taken() == [(1, "stream", "own")]
    assert cupy.current == 7, "other code's device is current again"
    return device


@pytest.fixture
def module(device: Any, cupy: FakeCupy) -> Any:
    module = device.load(Path("some.cubin"))
    assert cupy.taken() == [(1, "load", "some.cubin")]
    return module


def test_what_the_device_is(device: Any) -> None:
    assert (device.name, device.multiprocessors, device.cooperative) == ("NVIDIA T1", 132, True)
    assert device.free_memory() == 1024, "what CuPy keeps for later counts as free"


def test_it_is_compiled_for(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvrtc, "build", lambda *given: given)
    assert device.compile("source", True) == ("source", 90, True)


def test_arrays(device: Any, cupy: FakeCupy) -> None:
    array = device.zeros(3, "float32")
    assert cupy.taken() == [(1, "use", "own"), (1, "zeros", 3, "float32"), (1, "leave", "own")]
    assert device.pointer(array) == array.values.ctypes.data
    device.write(array, np.arange(6, dtype=np.float32)[::2])
    np.testing.assert_array_equal(device.read(array), [0, 2, 4])
    assert device.read(array).base is None
    assert cupy.taken() == [(1, "set", "own"), (1, "get", "own"), (1, "get", "own")]
    other = device.zeros(3, "float32")
    device.copy(other, array)
    assert cupy.taken()[-1] == (1, "copy", "on device", 12, "own")
    np.testing.assert_array_equal(device.read(other), [0, 2, 4])


def test_launches(module: Any, cupy: FakeCupy) -> None:
    for _ in range(2):
        module.launch("step", 12, 256)
    step = (1, "step", (12,), (256,), (), "own")
    assert cupy.taken() == [(1, "find", "step"), step, step]
    module.launch_together("snn_run", 132, 256, 2**40)
    found, (*start, arguments, stream, together) = cupy.taken()
    assert found == (1, "find", "snn_run")
    assert (start, stream, together) == ([1, "snn_run", (132,), (256,)], "own", "together")
    assert [(a.dtype.name, int(a)) for a in arguments] == [("uint64", 2**40)]
    assert module.max_resident_blocks("snn_run", 256) == 132 * 8


def test_variables_of_the_module(module: Any, cupy: FakeCupy) -> None:
    dtype = np.dtype(CLOCK_FIELDS, align=True)
    clock = np.zeros((), dtype)
    clock["timestep"], clock["block"] = 12, 34
    module.write_global("snn_clock", clock)
    read = module.read_global("snn_clock", dtype)
    assert (read.shape, read.dtype, read) == ((), dtype, clock)
    assert cupy.taken() == [
        (1, "find", "snn_clock"),
        (1, "copy", "to device", dtype.itemsize, "own"),
        (1, "copy", "to host", dtype.itemsize, "own"),
        (1, "synchronize", "own"),
    ]


def test_marks(device: Any, cupy: FakeCupy) -> None:
    first = device.mark()
    second = device.mark()
    assert device.elapsed(first, second) == 1.0
    assert cupy.taken() == [(1, "record", "own"), (1, "record", "own"), (1, "wait")]


def test_a_capture_is_launched_in_the_devices_stream(device: Any, module: Any, cupy: FakeCupy) -> None:
    again = device.capture(lambda: module.launch("step", 1, 32))
    assert cupy.taken() == [
        (1, "stream", "capture"),
        (1, "begin capture", "capture"),
        (1, "find", "step"),
        (1, "step", (1,), (32,), (), "capture"),
        (1, "end capture", "capture"),
    ]
    again()
    again()
    module.launch("step", 1, 32)
    assert cupy.taken() == [(1, "graph", "own"), (1, "graph", "own"), (1, "step", (1,), (32,), (), "own")]


def test_a_capture_that_is_stopped(device: Any, module: Any, cupy: FakeCupy) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.capture(stopped)
    assert cupy.taken()[-1] == (1, "end capture", "capture")
    module.launch("step", 1, 32)
    assert cupy.taken()[-1] == (1, "step", (1,), (32,), (), "own")


def test_the_end(device: Any, cupy: FakeCupy) -> None:
    device.synchronize()
    device.close()
    assert cupy.taken() == [(1, "synchronize", "own"), (1, "synchronize", "own"), (1, "free all", "own")]


def test_a_program_that_cannot_be_loaded(device: Any, cupy: FakeCupy) -> None:
    cupy.bad_program = True
    with pytest.raises(BuildError, match=r"NVIDIA T1 cannot load some\.cubin: CUDA_ERROR_INVALID_IMAGE"):
        device.load(Path("some.cubin"))


def test_errors_of_cuda_are_ours_and_name_the_device(
    cupy: FakeCupy, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise fake_cupy.FakeError(700, "cudaErrorIllegalAddress: an illegal memory access was encountered")

    monkeypatch.setattr(device.stream, "synchronize", fail)
    with pytest.raises(BackendError, match=r"^NVIDIA T1 has stopped: cudaErrorIllegalAddress.*extra global parameter"):
        device.synchronize()
    assert cupy.current == 7
