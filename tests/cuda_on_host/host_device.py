"""A device for tests, which runs CUDA programs on the CPU."""

from __future__ import annotations

import _ctypes
import ctypes
import os
import re
import shutil
import tempfile
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuda_on_host import compiling
from cuda_on_host.errors import LaunchError
from cuda_on_host.memory import GuardedMemory
from cuda_on_host.scheduler import LOCK, scheduler
from snnlearn.errors import BuildError
from snnlearn.runtime.cuda.device import Device, Module

_ORDERS = ("ascending", "descending", "shuffled")
_MOST_THREADS, _MOST_SHARED = 1024, 227 * 1024


class HostDevice(Device):
    """A device that runs each launch at once, one thread after the other.

    Parameters
    ----------
    order : str, optional
        In which order threads, and blocks, have their turns: ``ascending``, ``descending``, ``shuffled`` or
        ``shuffled:SEED``. Where results depend on it there is a barrier missing. By default the environment's
        ``SNN_HOST_ORDER``, else ascending.
    memory : int
        Bytes for arrays.
    multiprocessors : int
    cooperative : bool
    resident : int
        How many threads a multiprocessor can have at the same time.
    seconds : float
        How long a launch may take.

    Attributes
    ----------
    launches : Counter of str
        How often each kernel has run.
    """

    name = "this CPU, as a GPU"
    threads = 64  # idle ones take time here

    def __init__(
        self,
        order: str | None = None,
        *,
        memory: int = 1 << 32,
        multiprocessors: int = 4,
        cooperative: bool = True,
        resident: int = 512,
        seconds: float = 60.0,
    ) -> None:
        asked = order or os.environ.get("SNN_HOST_ORDER") or _ORDERS[0]
        match = re.fullmatch(r"(\w+?)(?::(\d+))?", asked)
        if match is None or match[1] not in _ORDERS:
            raise ValueError(f"order {asked!r} is none of {', '.join(_ORDERS)}, {_ORDERS[-1]}:SEED")
        self.multiprocessors = multiprocessors
        self.cooperative = cooperative
        self.resident = resident
        self.launches: Counter[str] = Counter()
        self._order, self._seed = _ORDERS.index(match[1]), int(match[2] or 0)
        self._seconds = seconds
        self._memory = GuardedMemory(memory)
        self._captured: list[Callable[[], None]] | None = None  # while launches are being captured

    def compile(self, source: str, flush_denormals: bool) -> Path:
        return compiling.program(source, flush_denormals)

    def load(self, program: Path) -> HostModule:
        return HostModule(self, program)

    def free_memory(self) -> int:
        return self._memory.free()

    def zeros(self, size: int, dtype: str) -> NDArray[Any]:
        self.only_launches("zeros")
        return self._memory.zeros(size, dtype)

    def from_dlpack(self, memory: Any) -> NDArray[Any]:
        return np.from_dlpack(memory)

    def pointer(self, array: Any) -> int:
        return int(array.ctypes.data)

    def write(self, array: Any, values: NDArray[Any]) -> None:
        self.only_launches("write")
        if array.shape != values.shape or array.dtype != values.dtype:
            raise ValueError(f"{values.dtype}{values.shape} does not go into {array.dtype}{array.shape}")
        array[...] = values

    def read(self, array: Any) -> NDArray[Any]:
        self.only_launches("read")
        self._memory.check("before read")
        return np.array(array)

    def copy(self, target: Any, source: Any) -> None:
        self.only_launches("copy")
        if target.nbytes != source.nbytes:
            raise ValueError(f"{source.nbytes} bytes do not go into {target.nbytes}")
        self._memory.check("before copy")
        target.view(np.uint8)[...] = source.view(np.uint8)

    def synchronize(self) -> None:
        self.only_launches("synchronize")

    def mark(self) -> float:
        self.only_launches("mark")
        return time.perf_counter()

    def elapsed(self, first: Any, second: Any) -> float:
        self.only_launches("elapsed")
        return float(second - first)

    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        self.only_launches("capture")
        captured: list[Callable[[], None]] = []
        self._captured = captured
        try:
            enqueue()
        finally:
            self._captured = None

        def replay() -> None:
            for launch in captured:
                self.enqueue(launch)

        return replay

    def close(self) -> None:
        self._memory.check("before close")

    def check(self) -> None:
        """See whether the memory around all arrays is as it was."""
        self._memory.check("by now")

    def enqueue(self, launch: Callable[[], None]) -> None:
        """Do a launch, or capture it."""
        if self._captured is None:
            launch()
        else:
            self._captured.append(launch)

    def only_launches(self, function: str) -> None:
        """Raise an error if launches are being captured: a GPU captures nothing else."""
        if self._captured is not None:
            raise LaunchError(f"{function}() cannot be captured")

    def run(
        self, module: int, kernel: str, address: int, blocks: int, threads: int, argument: int | None, shared: int
    ) -> None:
        """Run a kernel of a module; with an argument, its blocks all together."""
        self.launches[kernel] += 1
        with LOCK:
            error = scheduler().snn_host_launch(
                module,
                address,
                blocks,
                threads,
                None if argument is None else ctypes.c_uint64(argument),
                argument is not None,
                shared,
                self._order,
                (self._seed * 1_000_003 + self.launches.total()) % (1 << 31),
                self._seconds,
            )
        if error is not None:
            raise LaunchError(f"{kernel}, {error.decode()}")
        self._memory.check(f"after {kernel}")


class HostModule(Module):
    """A shared library with kernels.

    Raises
    ------
    BuildError
        If it cannot be loaded.
    """

    def __init__(self, device: HostDevice, program: Path) -> None:
        self._device = device
        with tempfile.TemporaryDirectory() as folder:
            # A file that is loaded twice would be there once, and variables are a module's own.
            copy = shutil.copyfile(program, Path(folder) / program.name)
            try:
                self._library = ctypes.CDLL(str(copy))
            except OSError as error:
                raise BuildError(f"{program} cannot be loaded: {error}") from error
        weakref.finalize(self, _ctypes.dlclose, self._library._handle).atexit = False
        self._state = self._address("snn_host_module")
        with LOCK:
            scheduler().snn_host_attach(self._state)

    def launch(self, kernel: str, blocks: int, threads: int, shared: int = 0) -> None:
        """Launch a kernel without arguments, with ``shared`` bytes of dynamic shared memory for each block."""
        self._launch(kernel, blocks, threads, None, shared)

    def launch_together(self, kernel: str, blocks: int, threads: int, argument: int, shared: int = 0) -> None:
        """Launch a kernel whose blocks take turns."""
        if not self._device.cooperative:
            raise LaunchError(f"{kernel}: {self._device.name} has no cooperative launches")
        if blocks > self.max_resident_blocks(kernel, threads):
            room = self.max_resident_blocks(kernel, threads)
            raise LaunchError(f"{kernel}: {blocks} blocks of {threads} threads at once, where there is room for {room}")
        self._launch(kernel, blocks, threads, argument, shared)

    def max_resident_blocks(self, kernel: str, threads: int) -> int:
        self._address(kernel)
        return self._device.multiprocessors * (self._device.resident // threads)

    def write_global(self, name: str, values: NDArray[Any]) -> None:
        self._device.only_launches("write_global")
        data = np.ascontiguousarray(values)
        ctypes.memmove(self._global(name, data.nbytes), data.ctypes.data, data.nbytes)

    def read_global(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        self._device.only_launches("read_global")
        values = np.empty((), dtype)
        ctypes.memmove(values.ctypes.data, self._global(name, values.nbytes), values.nbytes)
        return values

    def _launch(self, kernel: str, blocks: int, threads: int, argument: int | None, shared: int) -> None:
        if blocks < 1 or not 1 <= threads <= _MOST_THREADS:
            raise LaunchError(f"{kernel}: a GPU cannot launch {blocks} blocks of {threads} threads")
        if shared > _MOST_SHARED:
            raise LaunchError(f"{kernel}: no GPU has {shared} bytes of shared memory for a block")
        address = self._address(kernel)
        # `self` stays alive as long as what is captured here.
        self._device.enqueue(lambda: self._device.run(self._state, kernel, address, blocks, threads, argument, shared))

    def _global(self, name: str, size: int) -> int:
        address = self._address(name)
        has = scheduler().snn_host_size(address)
        if has != -1 and size > has:
            raise LaunchError(f"{name} has {has} bytes, not {size}")
        return address

    def _address(self, name: str) -> int:
        try:
            return ctypes.addressof(ctypes.c_char.in_dll(self._library, name))
        except ValueError:
            raise LaunchError(f'the program has no {name} that is extern "C" and __global__ or __device__') from None
