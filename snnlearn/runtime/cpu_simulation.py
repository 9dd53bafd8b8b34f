"""A simulation on the CPU: NumPy arrays, and the compiled library that works on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NoReturn

from snnlearn.codegen.plan import Plan
from snnlearn.codegen.reports import TORN, describe
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.network import Network
from snnlearn.runtime.host_simulation import HostSimulation
from snnlearn.runtime.library import Library
from snnlearn.runtime.waiting_signals import waiting_signals


class CpuSimulation(HostSimulation):
    """A network in the CPU's memory.

    Parameters
    ----------
    network : Network
    plan : Plan
        Of that network.
    source : str
        What the plan was emitted as.
    library : Path
        What the source was compiled to.
    seed : int
        0 to 2**64 - 1.
    recording_timesteps : int
        How many timesteps the recording holds; 0 where nothing is recorded.
    threads : int
    flush_denormals : bool
    timing : bool
    portable : bool
        Whether the library was compiled for any CPU of the architecture.
    """

    _turn = 1
    _turn_is_timed = True
    _reentrant = True  # Python code comes between compiled functions, never into one

    def __init__(
        self,
        network: Network,
        plan: Plan,
        source: str,
        library: Path,
        *,
        seed: int = 0,
        recording_timesteps: int = 0,
        threads: int = 1,
        flush_denormals: bool = True,
        timing: bool = False,
        portable: bool = False,
    ) -> None:
        super().__init__(network, plan, recording_timesteps)
        self._column_numbers = {name: number for number, name in enumerate(plan.column_indexing)}
        self._library: Library | None = Library(library, source, threads, flush_denormals, portable)
        self._bind()
        self._take_calls(self._library)
        self._signals = waiting_signals()
        self._open().watch(self._signals)
        self._open().configure(seed, recording_timesteps, timing)
        self._start(seed)

    def _bind(self) -> None:
        self._open().bind([self._arrays[a.name] for a in self.plan.arrays])

    def _take_calls(self, library: Library) -> None:
        self._step, self._run = library.step, library.run
        self.updates = {name: library.custom_update(n) for n, name in enumerate(self.plan.custom_updates)}
        deferred = any(kernel.deferral is not None for kernel in self.plan.step)
        self._flush = library.flush if deferred else None

    def _attend(self) -> None:
        self._signals.attend()

    def need_whole(self) -> None:
        """Raise NetworkError where a run was given up in the midst of a timestep."""
        if self._open().torn:
            raise NetworkError(describe(TORN, "the simulation", 0, 0))

    def _heal(self) -> None:
        self._open().heal()

    def _refuse(self, why: str) -> None:
        """Have every later call raise LifecycleError, for this reason."""
        refuse = partial(_raise, why)
        self._why_unusable: str = why
        self._step = self._run = self._flush = refuse
        self.updates = dict.fromkeys(self.updates, refuse)

    def _settle(self) -> None:
        self._open()

    @property
    def closed(self) -> bool:
        """Whether it has been unloaded, or stayed behind in another process."""
        return self._library is None or not self._library.usable

    def _connect(self) -> None:
        self._open().connect()

    def _index_columns(self, group: str) -> None:
        self._open().index_columns(self._column_numbers[group])

    def _initialise(self) -> None:
        self._open().initialise()

    def _bind_host(self) -> None:
        self._open().bind_host(list(self._host_arrays.values()))

    def _time(self) -> int:
        # The compiled code keeps it: an interrupted run cannot part the two.
        return self._open().timestep

    def _set_time(self, timestep: int) -> None:
        self._open().timestep = timestep

    def _reports(self) -> tuple[str | None, str | None]:
        library = self._open()
        return library.error(), library.warning()

    def _timers(self) -> dict[str, float]:
        library = self._open()
        self._flush_and_check()
        return dict(zip(self.plan.timers, library.timers(len(self.plan.timers)), strict=True))

    def _close(self) -> None:
        library, self._library = self._library, None
        if library is not None:
            self._refuse("the simulation has been unloaded")
            library.close()
        self._arrays = {}

    def _forked(self, torn: bool) -> None:
        super()._forked(torn)
        library = self._library
        if library is None or not (torn or library.threads > 1):
            return
        what = "another thread was at work on it" if torn else "its threads stayed behind"
        self._refuse(f"the simulation was loaded before this process was forked, and {what}: {_AFTER_FORK[torn]}")
        library.abandon()

    def _flush_and_check(self) -> None:
        self._open()
        if self._flush is not None and self._flush():
            self._check()

    def _open(self) -> Library:
        if self._library is None or not self._library.usable:
            raise LifecycleError(self._why_unusable)
        return self._library


_AFTER_FORK = {False: "load it in this process, or with threads=1", True: "load it in this process"}


def _raise(why: str, *_: object) -> NoReturn:
    raise LifecycleError(why)
