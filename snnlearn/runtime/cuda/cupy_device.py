"""A real GPU, through CuPy. Import this module only where ``import cupy`` works.

CuPy gives memory, launches and graphs; nothing here makes it compile a kernel of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cupy
import numpy as np
from cupy.cuda import driver, function, runtime
from numpy.typing import NDArray

from snnlearn.errors import BackendError, BuildError
from snnlearn.runtime.cuda import nvrtc
from snnlearn.runtime.cuda.device import Device, Module


class CupyDevice(Device):
    """A GPU by its number; several objects for one GPU do not wait for one another.

    All work is in a stream of its own. It is one of those that wait for CUDA's default stream and that the default
    stream waits for, so that code of the user's that touches an array there, as CuPy and PyTorch do unless told
    otherwise, sees and leaves it up to date. Work in the user's own streams is for the user to synchronise.

    Parameters
    ----------
    index : int
        0 for the first that CUDA sees.

    Attributes
    ----------
    cuda : cupy.cuda.Device
    stream : cupy.cuda.Stream
    """

    def __init__(self, index: int = 0) -> None:
        # The device is made current for each call: other code in the process may use others.
        self.cuda = cupy.cuda.Device(index)
        with self.cuda:
            self.stream = cupy.cuda.Stream()
        self.name = runtime.getDeviceProperties(index)["name"].decode()
        self.multiprocessors = int(self.cuda.attributes["MultiProcessorCount"])
        self.cooperative = bool(self.cuda.attributes["CooperativeLaunch"])

    @contextmanager
    def use(self) -> Iterator[None]:
        """Make the device current. Errors of CUDA become ours: after one, the process can do no more on this device."""
        try:
            with self.cuda:
                yield
        except (runtime.CUDARuntimeError, driver.CUDADriverError) as error:
            raise BackendError(
                f"{self.name} has stopped: {error}; an index beyond the end of an extra global parameter may do that"
            ) from error

    def compile(self, source: str, flush_denormals: bool) -> Path:
        """Return a source compiled for this device, from the cache where it is there."""
        return nvrtc.build(source, int(self.cuda.compute_capability), flush_denormals)

    def load(self, program: Path) -> CupyModule:
        """Put a compiled program on the device."""
        with self.cuda:
            return CupyModule(self, program)

    def free_memory(self) -> int:
        """Return how many bytes can be allocated: those of the device and those that CuPy keeps for later."""
        with self.use():
            return int(self.cuda.mem_info[0]) + int(cupy.get_default_memory_pool().free_bytes())

    def zeros(self, size: int, dtype: str) -> cupy.ndarray:
        """Return a new CuPy array of zeros."""
        # With the stream current, CuPy gives the memory to nobody else before the stream has done with it.
        with self.use(), self.stream:
            return cupy.zeros(size, dtype)

    def from_dlpack(self, memory: Any) -> cupy.ndarray:
        """Return an array of another library as CuPy's, without a copy."""
        with self.use():
            return cupy.from_dlpack(memory)

    def pointer(self, array: cupy.ndarray) -> int:
        """Return an array's address on the device."""
        return int(array.data.ptr)

    def write(self, array: cupy.ndarray, values: NDArray[Any]) -> None:
        """Copy values of the same size and type to an array on the device."""
        with self.use():
            array.set(np.ascontiguousarray(values, dtype=array.dtype), stream=self.stream)

    def read(self, array: cupy.ndarray) -> NDArray[Any]:
        """Return a copy of an array on the device."""
        values: NDArray[Any] = np.empty(array.shape, array.dtype)
        with self.use():
            array.get(stream=self.stream, out=values)  # waits
        return values

    def copy(self, target: cupy.ndarray, source: cupy.ndarray) -> None:
        """Copy an array on the device to another one of as many bytes."""
        to, come = self.pointer(target), self.pointer(source)
        with self.use():
            runtime.memcpyAsync(to, come, source.nbytes, runtime.memcpyDeviceToDevice, self.stream.ptr)

    def synchronize(self) -> None:
        """Wait until the device has done all that was asked of it."""
        with self.use():
            self.stream.synchronize()

    def mark(self) -> cupy.cuda.Event:
        """Return an event."""
        with self.use():
            event = cupy.cuda.Event()
            event.record(self.stream)
            return event

    def elapsed(self, first: cupy.cuda.Event, second: cupy.cuda.Event) -> float:
        """Return the time between two events [s]; waits for the second."""
        with self.use():
            second.synchronize()
            return float(cupy.cuda.get_elapsed_time(first, second)) / 1000

    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        """Capture the launches that ``enqueue`` enqueues in a graph; return what launches it."""
        with self.use():
            # In a stream that the default stream has nothing to do with: work there would else break the capture.
            previous, self.stream = self.stream, cupy.cuda.Stream(non_blocking=True)
            try:
                self.stream.begin_capture()
                try:
                    enqueue()
                except BaseException:
                    with suppress(RuntimeError):
                        self.stream.end_capture()
                    raise
                graph = self.stream.end_capture()
            finally:
                self.stream = previous

        def launch() -> None:
            with self.use():
                graph.launch(self.stream)

        return launch

    def close(self) -> None:
        """Give memory of freed arrays, which CuPy keeps for this stream, back to the device."""
        with self.use():
            self.stream.synchronize()
            cupy.get_default_memory_pool().free_all_blocks(self.stream)


class CupyModule(Module):
    """A compiled program on a GPU."""

    def __init__(self, device: CupyDevice, program: Path) -> None:
        self._on = device
        self._module = function.Module()
        try:
            self._module.load_file(str(program))
        except driver.CUDADriverError as error:
            raise BuildError(f"{device.name} cannot load {program}: {error}") from error
        self._functions: dict[str, Any] = {}
        self._globals: dict[str, int] = {}

    def launch(self, kernel: str, blocks: int, threads: int) -> None:
        """Launch a kernel without arguments."""
        with self._on.use():
            self._function(kernel)((blocks,), (threads,), (), stream=self._on.stream)

    def launch_together(self, kernel: str, blocks: int, threads: int, argument: int) -> None:
        """Launch a kernel whose blocks wait for one another, with one uint64 argument."""
        arguments = (np.uint64(argument),)
        with self._on.use():
            self._function(kernel)(
                (blocks,), (threads,), arguments, stream=self._on.stream, enable_cooperative_groups=True
            )

    def max_resident_blocks(self, kernel: str, threads: int) -> int:
        """Return how many blocks of a kernel can run on the device at the same time."""
        with self._on.use():
            each = driver.occupancyMaxActiveBlocksPerMultiprocessor(self._function(kernel).ptr, threads, 0)
        return int(each) * self._on.multiprocessors

    def write_global(self, name: str, values: NDArray[Any]) -> None:
        """Set a variable of the module to these bytes."""
        # CUDA has copied memory that is not page-locked when the call returns: these values may go.
        held = np.array(values, order="C")
        with self._on.use():
            runtime.memcpyAsync(
                self._global(name), held.ctypes.data, held.nbytes, runtime.memcpyHostToDevice, self._on.stream.ptr
            )

    def read_global(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a variable of the module as an array of shape () of a type."""
        values: NDArray[Any] = np.empty((), dtype)
        with self._on.use():
            runtime.memcpyAsync(
                values.ctypes.data, self._global(name), values.nbytes, runtime.memcpyDeviceToHost, self._on.stream.ptr
            )
            self._on.stream.synchronize()
        return values

    def _function(self, kernel: str) -> Any:
        found = self._functions.get(kernel)
        if found is None:
            found = self._functions[kernel] = self._module.get_function(kernel)
        return found

    def _global(self, name: str) -> int:
        found = self._globals.get(name)
        if found is None:
            found = self._globals[name] = int(self._module.get_global_var(name))
        return found
