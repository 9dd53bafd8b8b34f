"""What a plan becomes for a GPU: source text, and which of its kernels to launch when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Names of what the host reads and writes in a loaded module, and of the kernels that every program has.
ARRAYS = "snn_arrays"  # pointers: to the plan's arrays in order, then to the device's copies of the host's, in order
SETTINGS = "snn_settings"  # two uint64: the seed, how many timesteps recordings hold
CLOCK = "snn_clock"  # see `CLOCK_FIELDS`
REPORTS = "snn_reports"  # two records: error, warning; see `REPORT_FIELDS`
BARRIER = "snn_barrier"  # a uint32, zero before each launch of the persistent kernel
RUN, CLOSE_BLOCK = "snn_run", "snn_close_block"

# As NumPy spells structures; aligned as in C.
CLOCK_FIELDS = [
    ("timestep", "<u8"),
    ("first_pending", "<u8"),  # of the timesteps that deferred kernels have yet to see: the first
    ("block_first", "<u8"),  # of the block that they work on: the first timestep
    ("pending", "<u4"),  # how many they have yet to see
    ("filling", "<u4"),  # which block of the kept past these fill
    ("block_kept", "<u4"),  # how many timesteps the block has that they work on
    ("block", "<u4"),  # which one that is
]
REPORT_FIELDS = [("seen", "<u4"), ("kind", "<i4"), ("a", "<i8"), ("b", "<i8"), ("where", "S768")]


@dataclass(frozen=True)
class Launch:
    """One launch of a kernel without arguments.

    Attributes
    ----------
    kernel : str
    blocks : int
    timer : str
        Under which name its time is summed.
    host_arrays : tuple of str
        The arrays whose host copies it works on: the device's copies of those are to be brought up to date before it,
        and the host's after it.
    reports : bool
        Whether its code can report an error or a warning.
    """

    kernel: str
    blocks: int
    timer: str
    host_arrays: tuple[str, ...] = ()
    reports: bool = False


@dataclass(frozen=True)
class Program:
    """A plan as CUDA C++, and the order in which its kernels run.

    Attributes
    ----------
    source : str
    threads : int
        Of each block of each launch.
    step : tuple of Launch
        One timestep, kernel by kernel: it moves the clock on, and closes a block of the kept past that it fills.
    phases : tuple of Launch
        The same in as few launches as can be: several kernels each, where none waits for another.
    deferred : tuple of Launch
        Work on the block of the kept past that was closed last; empty where no kernel is deferred.
    depth : int
        How many timesteps a block of the kept past has; 0 where no kernel is deferred.
    connect, init : tuple of Launch
    column_indexing : mapping of str to tuple of Launch
        By connection: list its columns anew.
    custom_updates : mapping of str to tuple of Launch
        By group.
    persistent_blocks : int
        How many blocks the persistent kernel, ``snn_run(uint64_t timesteps)``, can make use of.
    """

    source: str
    threads: int
    step: tuple[Launch, ...]
    phases: tuple[Launch, ...]
    deferred: tuple[Launch, ...] = ()
    depth: int = 0
    connect: tuple[Launch, ...] = ()
    init: tuple[Launch, ...] = ()
    column_indexing: Mapping[str, tuple[Launch, ...]] = field(default_factory=dict)
    custom_updates: Mapping[str, tuple[Launch, ...]] = field(default_factory=dict)
    persistent_blocks: int = 1

    @property
    def reports(self) -> bool:
        """Whether a timestep's code can report an error or a warning."""
        return any(launch.reports for launch in (*self.step, *self.deferred))
