"""Signals that wait for Python while compiled code runs: where that can read their numbers.

Python's own handler in C writes the number of each signal into a pipe (`signal.set_wakeup_fd`); its handlers in Python
run when compiled code returns. Code that does not return by itself reads the pipe, now and then.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import threading

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name))


class WaitingSignals:
    """The numbers of signals that have come, and which of them end a run.

    Attributes
    ----------
    file : int
        To read from; -1 where there is none: another part of the program has the signals' numbers, or this system
        cannot.
    fatal : c_uint64
        One bit for each signal whose handler is known to end what runs.
    """

    def __init__(self) -> None:
        self.file = -1
        self.fatal = ctypes.c_uint64(0)
        self._main = threading.main_thread().ident
        self._install()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._install_anew)

    def attend(self) -> None:
        """Look which signals end a run: Ctrl-C where that raises KeyboardInterrupt, and what says so of itself."""
        fatal = 0
        if threading.get_ident() == self._main:
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if handler is signal.default_int_handler or getattr(handler, "ends_a_run", False):
                    fatal |= 1 << number
        self.fatal.value = fatal

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread() or os.name != "posix":
            return
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        if before == -1:
            self.file = read
            return
        signal.set_wakeup_fd(before)  # of an event loop
        os.close(read)
        os.close(write)

    def _install_anew(self) -> None:
        """Have a pipe of its own in a fork: what comes there is not for the process that it was made from."""
        if self.file == -1:
            return
        self._main = threading.get_ident()
        old = signal.set_wakeup_fd(-1)
        read, write = os.pipe()
        with contextlib.suppress(OSError):
            os.dup2(read, self.file)  # under the number that simulations know
            os.close(read)
            os.set_blocking(self.file, False)
        with contextlib.suppress(OSError):
            os.close(old)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)


_signals: WaitingSignals | None = None


def waiting_signals() -> WaitingSignals:
    """Return those of this process."""
    global _signals
    if _signals is None:
        _signals = WaitingSignals()
    return _signals
