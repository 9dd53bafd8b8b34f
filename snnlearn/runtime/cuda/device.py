"""A GPU as simulations see it: memory, compiled programs, launches, clocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.codegen.cuda.emit import THREADS
from snnlearn.codegen.cuda.program import Launch


class Device(ABC):
    """One GPU. Whatever is asked of it happens in the order of asking; only what returns values waits for it.

    Attributes
    ----------
    name : str
        For messages: ``NVIDIA H200``.
    multiprocessors : int
    threads : int
        Of each block of the programs it runs.
    cooperative : bool
        Whether it can launch a kernel whose blocks all run at once and wait for one another.
    """

    name: str
    multiprocessors: int
    threads: int = THREADS
    cooperative: bool

    @abstractmethod
    def compile(self, source: str, flush_denormals: bool) -> Path:
        """Return a source compiled for this device, from the cache where it is there.

        Raises
        ------
        BuildError
        """

    @abstractmethod
    def load(self, program: Path) -> Module:
        """Put a compiled program on the device."""

    @abstractmethod
    def free_memory(self) -> int:
        """Return how many bytes can be allocated."""

    @abstractmethod
    def zeros(self, size: int, dtype: str) -> Any:
        """Return a new array of zeros on the device, of shape (size,): a CuPy array, on a real GPU.

        Raises
        ------
        MemoryError
            Where there is no room for it.
        """

    @abstractmethod
    def from_dlpack(self, memory: Any) -> Any:
        """Return an array of another library on this device as one of this device's, without a copy."""

    @abstractmethod
    def pointer(self, array: Any) -> int:
        """Return an array's address on the device."""

    @abstractmethod
    def write(self, array: Any, values: NDArray[Any]) -> None:
        """Copy values of the same size and type to an array on the device."""

    @abstractmethod
    def read(self, array: Any) -> NDArray[Any]:
        """Return a copy of an array on the device, shape (size,)."""

    @abstractmethod
    def copy(self, target: Any, source: Any) -> None:
        """Copy an array on the device to another one of as many bytes."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until the device has executed all that is enqueued."""

    @abstractmethod
    def mark(self) -> Any:
        """Enqueue an event, which marks the end of all launches so far, and return it."""

    @abstractmethod
    def elapsed(self, first: Any, second: Any) -> float:
        """Return the time between two events [s]; waits for the second."""

    @abstractmethod
    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        """Capture the launches that ``enqueue`` enqueues, without running them; return what replays them."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the device holds beside arrays and modules."""


class Module(ABC):
    """A compiled program on a device."""

    @abstractmethod
    def launch(self, kernel: str, blocks: int, threads: int) -> None:
        """Launch a kernel without arguments."""

    @abstractmethod
    def launch_together(self, kernel: str, blocks: int, threads: int, argument: int) -> None:
        """Launch a kernel whose blocks wait for one another (a cooperative launch), with one uint64 argument."""

    @abstractmethod
    def max_resident_blocks(self, kernel: str, threads: int) -> int:
        """Return how many blocks of a kernel can run on the device at the same time."""

    @abstractmethod
    def write_global(self, name: str, values: NDArray[Any]) -> None:
        """Set a variable of the module, ``__device__`` or ``__constant__``, or the first of its bytes, to these."""

    @abstractmethod
    def read_global(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a variable of the module as an array of shape () of a type."""


def launch_all(module: Module, launches: Sequence[Launch], threads: int) -> None:
    """Launch kernels one after the other."""
    for launch in launches:
        module.launch(launch.kernel, launch.blocks, threads)
