"""Launches of kernels one after the other, and the time they take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from snnlearn.codegen.cuda.program import Launch
from snnlearn.runtime.cuda.device import Device, Module, launch_all

_MOST_MARKS = 10_000  # that wait to be read: each takes a little of the device's memory


class Launcher:
    """Enqueues launches on a device.

    Parameters
    ----------
    device : Device
    module : Module
        On that device.
    threads : int
        Of each block.
    timing : bool
        Whether to take the time.
    """

    def __init__(self, device: Device, module: Module, threads: int, timing: bool) -> None:
        self._device, self._module, self._threads, self._timing = device, module, threads, timing
        self._spans: list[tuple[str, Any, Any]] = []  # timer, and the marks before and after
        self._sums: dict[str, float] = {}

    def enqueue(self, launches: Sequence[Launch]) -> None:
        """Enqueue launches."""
        if not self._timing:
            launch_all(self._module, launches, self._threads)
            return
        before: Any = None
        for timer, some in groupby(launches, key=lambda launch: launch.timer):
            before = self._device.mark() if before is None else before
            launch_all(self._module, tuple(some), self._threads)
            after = self._device.mark()
            self._spans.append((timer, before, after))
            before = after
        if len(self._spans) > _MOST_MARKS:
            self._add_up()

    def seconds(self) -> dict[str, float]:
        """Return the time spent so far [s], by timer; synchronises."""
        self._add_up()
        return dict(self._sums)

    def _add_up(self) -> None:
        # Reading a mark synchronises, so all are read here.
        spans, self._spans = self._spans, []
        for timer, before, after in spans:
            self._sums[timer] = self._sums.get(timer, 0.0) + self._device.elapsed(before, after)
