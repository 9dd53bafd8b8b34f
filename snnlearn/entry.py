"""Where the console scripts begin: next to nothing is imported before Ctrl-C ends a command with one line."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def snnlearn() -> int:
    """Run the command ``snnlearn``; returns its exit status."""
    return _run("snnlearn", "snnlearn.command")


def superspike_demo() -> int:
    """Run the command ``superspike_demo``; returns its exit status."""
    return _run("superspike_demo", "snnlearn.userproject.superspike_demo")


def yin_yang() -> int:
    """Run the command ``yin_yang``; returns its exit status."""
    return _run("yin_yang", "snnlearn.userproject.yin_yang")


def few_shot() -> int:
    """Run the command ``few_shot``; returns its exit status."""
    return _run("few_shot", "snnlearn.userproject.few_shot")


def tracking() -> int:
    """Run the command ``tracking``; returns its exit status."""
    return _run("tracking", "snnlearn.userproject.tracking")


def torch_yin_yang() -> int:
    """Run the command ``torch_yin_yang``; returns its exit status."""
    return _run("torch_yin_yang", "snnlearn.userproject.torch_yin_yang")


def _run(prog: str, module: str) -> int:
    EndsAtOnce(prog).begin()
    main = import_module(module).main
    EndsAtOnce.end()
    try:
        status: int = main()
    except KeyboardInterrupt:  # in the moment before the command itself catches it, or after
        EndsAtOnce(prog)._stop()
    # All is done and written, and taking the process down takes a moment too.
    EndsAtOnce(prog).begin()
    return status


class EndsAtOnce:
    """Ctrl-C ends the process with one line and status 130, where nothing is under way that could be lost.

    A KeyboardInterrupt would not do: modules that are being imported catch it, or print it and go on. So does Python's
    own import system.

    ``with EndsAtOnce(prog):`` begins and ends it.

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
            with suppress(ValueError):  # only the main thread may set handlers, and is the one that gets Ctrl-C
                signal.signal(signal.SIGINT, self._stop)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()

    @staticmethod
    def end() -> None:
        """Have Ctrl-C raise KeyboardInterrupt again."""
        if isinstance(getattr(signal.getsignal(signal.SIGINT), "__self__", None), EndsAtOnce):
            with suppress(ValueError):
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _stop(self, *_: object) -> NoReturn:
        os.write(2, f"{self.prog}: interrupted\n".encode())
        os._exit(130)
