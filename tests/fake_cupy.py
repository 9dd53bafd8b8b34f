"""A CuPy without a GPU: what our device asks of it is written down, in order, and memory is the host's."""

from __future__ import annotations

import ctypes
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest


class FakeError(RuntimeError):
    """What CuPy raises for an error of CUDA, with its number."""

    def __init__(self, status: int, text: str = "cudaErrorUnknown") -> None:
        super().__init__(text)
        self.status = status


class FakeStream:
    """A stream: work in it is written down under its name."""

    def __init__(self, cupy: FakeCupy, name: str) -> None:
        self.cupy, self.name = cupy, name
        self.ptr = 1000 + len(cupy.streams)
        cupy.streams[self.ptr] = self

    def __enter__(self) -> FakeStream:
        self.cupy.note("use", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        self.cupy.note("leave", self.name)

    def synchronize(self) -> None:
        self.cupy.note("synchronize", self.name)

    def begin_capture(self) -> None:
        self.cupy.note("begin capture", self.name)

    def end_capture(self) -> Any:
        self.cupy.note("end capture", self.name)
        return SimpleNamespace(launch=lambda stream: self.cupy.note("graph", stream.name))


class FakeFunction:
    """A kernel."""

    def __init__(self, cupy: FakeCupy, name: str) -> None:
        self.cupy, self.name, self.ptr = cupy, name, name

    def __call__(
        self,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: tuple[Any, ...],
        shared_mem: int = 0,
        stream: Any = None,
        enable_cooperative_groups: bool = False,
    ) -> None:
        together = ("together",) if enable_cooperative_groups else ()
        self.cupy.note(self.name, grid, block, args, stream.name, *together)


class FakeModule:
    """A loaded program; each variable in it is 64 bytes of host memory."""

    def __init__(self, cupy: FakeCupy) -> None:
        self.cupy = cupy
        self.memory: dict[str, Any] = {}

    def load_file(self, path: str) -> None:
        self.cupy.note("load", path)
        if self.cupy.bad_program:
            raise self.cupy.cuda.driver.CUDADriverError("CUDA_ERROR_INVALID_IMAGE: device kernel image is invalid")

    def get_function(self, name: str) -> FakeFunction:
        self.cupy.note("find", name)
        return FakeFunction(self.cupy, name)

    def get_global_var(self, name: str) -> int:
        self.cupy.note("find", name)
        self.memory[name] = ctypes.create_string_buffer(64)
        return ctypes.addressof(self.memory[name])


class FakeArray:
    """An array: ``values`` is its memory."""

    def __init__(self, cupy: FakeCupy, values: Any) -> None:
        self.cupy, self.values = cupy, values
        self.shape, self.dtype = values.shape, values.dtype
        self.data, self.nbytes = SimpleNamespace(ptr=values.ctypes.data), values.nbytes

    def set(self, values: Any, stream: Any) -> None:
        assert (values.shape, values.dtype, values.flags.c_contiguous) == (self.shape, self.dtype, True)
        self.cupy.note("set", stream.name)
        self.values[:] = values

    def get(self, stream: Any, out: Any) -> None:
        self.cupy.note("get", stream.name)
        out[:] = self.values


class FakeCupy(ModuleType):
    """The module ``cupy``.

    Attributes
    ----------
    calls : list of tuple
        What was asked, with the device that was current.
    """

    def __init__(self) -> None:
        super().__init__("cupy")
        self.__spec__ = ModuleSpec("cupy", None)
        self.calls: list[tuple[Any, ...]] = []
        self.streams: dict[int, FakeStream] = {}
        self.current = 7  # other code's
        self.bad_program = False
        self.ndarray = FakeArray
        runtime = SimpleNamespace(
            CUDARuntimeError=FakeError,
            getDeviceCount=lambda: 2,
            runtimeGetVersion=lambda: 13_000,
            getDeviceProperties=lambda index: {"name": b"NVIDIA T%d" % index},
            memcpyHostToDevice=1,
            memcpyDeviceToHost=2,
            memcpyDeviceToDevice=3,
            memcpyAsync=self._memcpy,
        )
        driver = SimpleNamespace(
            CUDADriverError=type("CUDADriverError", (RuntimeError,), {}),
            occupancyMaxActiveBlocksPerMultiprocessor=lambda function, threads, shared: 2048 // threads,
        )
        self.cuda = ModuleType("cupy.cuda")
        self.cuda.__dict__.update(
            runtime=runtime,
            driver=driver,
            function=SimpleNamespace(Module=lambda: FakeModule(self)),
            Device=self._device,
            Stream=self._stream,
            Event=self._event,
            get_elapsed_time=lambda first, second: 1000.0 * (second.time - first.time),
        )
        self._pool = SimpleNamespace(
            free_bytes=lambda: 24, free_all_blocks=lambda stream: self.note("free all", stream.name)
        )

    def note(self, *what: Any) -> None:
        self.calls.append((self.current, *what))

    def taken(self) -> list[tuple[Any, ...]]:
        """What was asked since this was called last."""
        calls, self.calls = self.calls, []
        return calls

    def zeros(self, size: int, dtype: str) -> FakeArray:
        self.note("zeros", size, dtype)
        return FakeArray(self, np.zeros(size, dtype))

    def get_default_memory_pool(self) -> Any:
        return self._pool

    def _device(self, index: int) -> Any:
        return _FakeDevice(self, index)

    def _stream(self, non_blocking: bool = False) -> FakeStream:
        stream = FakeStream(self, "capture" if non_blocking else "own")
        self.note("stream", stream.name)
        return stream

    def _event(self) -> Any:
        event = SimpleNamespace(time=len(self.calls), synchronize=lambda: self.note("wait"))
        event.record = lambda stream: self.note("record", stream.name)
        return event

    def _memcpy(self, to: int, source: int, size: int, kind: int, stream: int) -> None:
        self.note("copy", {1: "to device", 2: "to host", 3: "on device"}[kind], size, self.streams[stream].name)
        ctypes.memmove(to, source, size)


class _FakeDevice:
    def __init__(self, cupy: FakeCupy, index: int) -> None:
        self.cupy, self.index = cupy, index
        self.compute_capability = "90"
        self.attributes = {"MultiProcessorCount": 132, "CooperativeLaunch": 1}
        self.mem_info = (1000, 2000)
        self.before: list[int] = []

    def __enter__(self) -> None:
        self.before.append(self.cupy.current)
        self.cupy.current = self.index

    def __exit__(self, *_: object) -> None:
        self.cupy.current = self.before.pop()


def install(monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    """Put a CuPy in place of any that may be installed."""
    cupy = FakeCupy()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setitem(sys.modules, "cupy.cuda", cupy.cuda)
    return cupy
