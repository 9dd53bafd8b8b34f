"""Ctrl-C, kept for a moment."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Uninterrupted:
    """Keeps Ctrl-C until the end of a ``with`` block: what is half asked of a device cannot be taken back."""

    def __enter__(self) -> None:
        self._caught: tuple[int, FrameType | None] | None = None
        self._before = signal.getsignal(signal.SIGINT)
        # Only the main thread is ever interrupted; and what is no function, nobody can call later.
        self._keeps = callable(self._before) and threading.current_thread() is threading.main_thread()
        if self._keeps:
            signal.signal(signal.SIGINT, self._keep)

    def __exit__(self, *_: object) -> None:
        if not self._keeps:
            return
        signal.signal(signal.SIGINT, self._before)
        if self._caught is not None and callable(self._before):
            self._before(*self._caught)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        self._caught = number, frame
