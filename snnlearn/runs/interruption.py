"""Ctrl-C and SIGTERM: a training ends at once, or with the trial at hand where that is as good as at once."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

from snnlearn.cli import Interrupted
from snnlearn.runtime.interrupts import put_off

_SOON = 0.12  # [s] within which a trial is worth waiting for
_AT_LAST = 0.2  # [s] after which it is not any more, whatever was expected
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Raises `snnlearn.cli.Interrupted` on Ctrl-C and SIGTERM, within a ``with`` block.

    A trial whose end is expected soon is finished first: `number` says that somebody waits, and who trains raises
    `Interrupted` at the trial's end, or at the block's. The second signal is always answered at once. Only the main
    thread has signals, and a handler that the program has of its own stays.

    Parameters
    ----------
    text : str
        What a command's last line says of it.

    Attributes
    ----------
    number : int or None
        The signal that has come.
    """

    def __init__(self, text: str = "interrupted") -> None:
        self.text = text
        self.number: int | None = None
        self._trial_ends: float | None = None  # when that is expected
        self._before: dict[int, Any] = {}

    def expect_trial(self, seconds: float | None) -> None:
        """Take note that a trial begins, and how long it will take as far as that is known."""
        self._trial_ends = None if seconds is None else time.perf_counter() + seconds

    def error(self) -> Interrupted:
        """Return what to raise for the signal that has come."""
        return Interrupted(self.number or signal.SIGINT, self.text)

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                ours = handler in (signal.default_int_handler, signal.SIG_DFL) or getattr(handler, "ends_a_run", False)
                if ours:
                    self._before[number] = signal.signal(number, self._come)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if signal.getsignal(signal.SIGALRM) == self._ring:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if kind is None and self.number is not None:
            raise self.error()

    def _come(self, number: int, frame: FrameType | None) -> None:
        if put_off(number):
            return
        soon = self._trial_ends is not None and self._trial_ends - time.perf_counter() < _SOON
        if self.number is None and soon and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
            self.number = number
            signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, _AT_LAST)
            return
        self.number = number
        raise self.error()

    _come.ends_a_run = True  # type: ignore[attr-defined]

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if put_off(number):
            return
        raise self.error()

    _ring.ends_a_run = True  # type: ignore[attr-defined]
