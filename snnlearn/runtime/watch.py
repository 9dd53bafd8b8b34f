"""What has overwritten a simulation's arrays since one began to watch them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Protocol
from weakref import ref


class Watched(Protocol):
    """A simulation, as a watch sees it."""

    def check_before_running(self, check: Callable[[Any], None]) -> None:
        """Call a function before the next timestep."""


class Watch:
    """Notes which arrays are written to, and the first time by what.

    Attributes
    ----------
    written : dict of str to str
        By the plan's names: by what.
    """

    def __init__(self) -> None:
        self.written: dict[str, str] = {}

    def note(self, names: Iterable[str], how: str) -> None:
        """Note that arrays are written to."""
        for name in names:
            self.written.setdefault(name, how)

    def before_timesteps(self, simulation: Watched, names: Collection[str]) -> None:
        """Note, before the next timestep, that timesteps write to these arrays."""
        this = ref(self)  # the simulation is not to keep a watch that nobody else has

        def note(read: object) -> None:
            watch = this()
            if watch is not None:
                watch.note(names, "by timesteps")

        simulation.check_before_running(note)
