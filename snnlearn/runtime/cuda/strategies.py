"""The launch strategies of a simulation on a GPU: kernel by kernel, as graphs, or by one persistent kernel.

The results are the same to the last bit. They differ in what lies between two kernels: a launch by the host, a launch
by the device itself, or a barrier.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from snnlearn.codegen.cuda.program import BARRIER, RUN, Program
from snnlearn.errors import BackendError
from snnlearn.runtime.cuda.device import Device, Module, launch_all
from snnlearn.runtime.cuda.launching import Launcher

Name = Literal["loop", "graph", "persistent"]
STRATEGIES = ("auto", "loop", "graph", "persistent")

# What a persistent kernel saves is the time between kernels. That counts while all a timestep touches is in the chip's
# second-level cache (40 MiB and more on cards for servers since 2020, less than half of which others keep busy); above
# that memory is what a timestep waits for, and a graph does as well without holding the whole chip.
CACHE_BYTES = 32 * 2**20
_BLOCK = 64  # timesteps in a graph, where no kernel is deferred
# How often a block of the persistent kernel may take part in a phase: a second turn takes less than a launch.
_MAX_WAVES = 2


@dataclass(frozen=True)
class Choice:
    """A strategy, and why it was taken."""

    name: Name
    why: str


def choose_strategy(
    given: str, *, timing: bool, cooperative: bool, wanted_blocks: int, max_resident_blocks: int, nbytes: int
) -> Choice:
    """Return how to run timesteps.

    Parameters
    ----------
    given : str
        One of `STRATEGIES`.
    timing : bool
        Whether kernels are to be timed.
    cooperative : bool
        Whether the device can run blocks that wait for one another.
    wanted_blocks : int
        How many blocks the widest phase of a timestep has.
    max_resident_blocks : int
        How many blocks of the persistent kernel the device can run at the same time.
    nbytes : int
        What the arrays of the plan take.

    Raises
    ------
    BackendError
        If what was asked for cannot be; names what can.
    """
    if given == "loop":
        return Choice("loop", "asked for")
    if timing:
        if given != "auto":
            raise BackendError(
                f"strategy='{given}' and timing_enabled: kernels are timed one by one; use strategy='loop', or 'auto'"
            )
        return Choice("loop", "kernels are timed one by one")
    if given == "graph":
        return Choice("graph", "asked for")
    obstacle = _why_not_cooperative(cooperative, max_resident_blocks)
    if given == "persistent":
        if obstacle is not None:
            raise BackendError(f"strategy='persistent': {obstacle}; use strategy='graph', or 'auto'")
        return Choice("persistent", "asked for")
    if obstacle is None and wanted_blocks > _MAX_WAVES * max_resident_blocks:
        obstacle = f"a timestep has up to {wanted_blocks:,} blocks at once, the device room for {max_resident_blocks:,}"
    if obstacle is None and nbytes > CACHE_BYTES:
        obstacle = f"its arrays, {nbytes / 2**20:,.0f} MiB, are more than the {CACHE_BYTES >> 20} MiB of a cache"
    if obstacle is not None:
        return Choice("graph", obstacle)
    turns = "" if wanted_blocks <= max_resident_blocks else f", {max_resident_blocks:,} at a time,"
    return Choice("persistent", f"{wanted_blocks:,} blocks{turns} and {nbytes / 2**20:.1f} MiB are on the chip at once")


def _why_not_cooperative(cooperative: bool, max_resident_blocks: int) -> str | None:
    if not cooperative:
        return "the device cannot run blocks that wait for one another (no cooperative launches)"
    return "the kernel takes more registers than the device has" if max_resident_blocks < 1 else None


class Strategy(ABC):
    """Enqueues timesteps on a device."""

    @abstractmethod
    def run(self, timesteps: int, pending: int) -> None:
        """Enqueue timesteps.

        Parameters
        ----------
        timesteps : int
        pending : int
            How many timesteps deferred kernels have yet to see, before these.
        """


class Loop(Strategy):
    """Launch after launch: the reference."""

    def __init__(self, program: Program, launcher: Launcher) -> None:
        self._program, self._launcher = program, launcher

    def run(self, timesteps: int, pending: int) -> None:
        """Ask for one launch after the other."""
        p = self._program
        for _ in range(timesteps):
            self._launcher.enqueue(p.step)
            pending += 1
            if pending == p.depth:
                self._launcher.enqueue(p.deferred)
                pending = 0


class Graph(Strategy):
    """A block of timesteps, captured once and replayed; the device goes from kernel to kernel without the host.

    A block begins where a block of the kept past does, so that deferred kernels run at its end.
    """

    def __init__(self, program: Program, device: Device, module: Module) -> None:
        self._program, self._device, self._module = program, device, module
        self._length = program.depth or _BLOCK
        self._graphs: dict[int, Callable[[], None]] = {}  # by the number of timesteps

    def run(self, timesteps: int, pending: int) -> None:
        """Ask for single timesteps up to the next block, whole blocks, and single ones again."""
        p = self._program
        while timesteps:
            if pending == 0 and timesteps >= self._length:
                self._replay(self._length)
                timesteps -= self._length
                continue
            self._replay(1)
            timesteps -= 1
            pending = pending + 1 if p.depth else 0
            if p.depth and pending == p.depth:
                launch_all(self._module, p.deferred, p.threads)
                pending = 0

    def _replay(self, timesteps: int) -> None:
        if timesteps not in self._graphs:
            self._graphs[timesteps] = self._device.capture(lambda: self._enqueue(timesteps))
        self._graphs[timesteps]()

    def _enqueue(self, timesteps: int) -> None:
        p = self._program
        for _ in range(timesteps):
            launch_all(self._module, p.phases, p.threads)
        if timesteps == p.depth:
            launch_all(self._module, p.deferred, p.threads)


class Persistent(Strategy):
    """One kernel for any number of timesteps, whose blocks wait for one another between the phases of each."""

    def __init__(self, program: Program, module: Module) -> None:
        self._program, self._module = program, module
        self.blocks = min(program.persistent_blocks, module.max_resident_blocks(RUN, program.threads))

    def run(self, timesteps: int, pending: int) -> None:
        """Ask for one launch, which closes and works off full blocks of the kept past itself."""
        self._module.write_global(BARRIER, np.zeros(1, np.uint32))
        self._module.launch_together(RUN, self.blocks, self._program.threads, timesteps)
