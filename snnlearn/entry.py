"""Where the console scripts begin: next to nothing is imported before Ctrl-C ends a command with one line."""

from __future__ import annotations

import os
import signal
from importlib import import_module


def snnlearn() -> int:
    """Run the command ``snnlearn``; returns its exit status."""
    return _run("snnlearn", "snnlearn.command")


def superspike_demo() -> int:
    """Run the command ``superspike_demo``; returns its exit status."""
    return _run("superspike_demo", "snnlearn.userproject.superspike_demo")


def yin_yang() -> int:
    """Run the command ``yin_yang``; returns its exit status."""
    return _run("yin_yang", "snnlearn.userproject.yin_yang")


def _run(prog: str, module: str) -> int:
    EndsAtOnce(prog).begin()
    main = import_module(module).main
    EndsAtOnce.end()
    status: int = main()
    # All is done and written, and taking the process down takes a moment too.
    EndsAtOnce(prog).begin()
    return status


class EndsAtOnce:
    """Ctrl-C ends the process with one line and status 130, where nothing is under way that could be lost.

    A KeyboardInterrupt would not do: modules that are being imported catch it, or print it and go on.

    Parameters
    ----------
    prog : str
        Name of the command, the start of the line.
    """

    def __init__(self, prog: str) -> None:
        self.prog = prog

    def begin(self) -> None:
        """Begin, unless the process ignores Ctrl-C (as in the background of a shell) or has a handler of its own."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._stop)

    @staticmethod
    def end() -> None:
        """Have Ctrl-C raise KeyboardInterrupt again."""
        if isinstance(getattr(signal.getsignal(signal.SIGINT), "__self__", None), EndsAtOnce):
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _stop(self, *_: object) -> None:
        os.write(2, f"{self.prog}: interrupted\n".encode())
        os._exit(130)
