"""Where the console scripts begin: next to nothing is imported before a signal ends a command with one line."""

from __future__ import annotations

import atexit
import os
import signal
from contextlib import suppress
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def _command(prog: str, module: str) -> Callable[[], int]:
    """Return the function that a console script calls."""

    def command() -> int:
        atexit.register(_leave)
        ends = EndsAtOnce(prog)
        ends.begin()
        main = import_module(module).main
        ends.text = "interrupted"
        try:
            status: int = main()
        except KeyboardInterrupt as stop:  # in the moment before the command itself catches it, or after
            ends._stop(getattr(stop, "number", signal.SIGINT))
        ends.text = "interrupted, when all was done" if status == 0 else "interrupted"
        ends.begin()  # taking the process down takes a moment too
        return status

    command.__name__, command.__doc__ = prog, f"Run the command ``{prog}``; returns its exit status."
    return command


def _leave() -> None:
    """Ignore signals from here on: Python takes its handlers away before the process ends, as its status says."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if getattr(signal.getsignal(number), "ends_a_run", False):
            signal.signal(number, signal.SIG_IGN)


class EndsAtOnce:
    """Ctrl-C and SIGTERM end the process with one line and status 130 or 143, where nothing can be lost.

    A KeyboardInterrupt would not do: modules that are being imported catch it, or print it and go on. So does Python's
    own import system.

    ``with EndsAtOnce(prog):`` begins and ends it.

    Parameters
    ----------
    prog : str
        Name of the command, the start of the line.

    Attributes
    ----------
    text : str
        The rest of the line.
    """

    def __init__(self, prog: str) -> None:
        self.prog = prog
        self.text = "interrupted; nothing was begun"
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """Begin, unless the process ignores a signal (as in the background of a shell) or has a handler of its own."""
        for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            handler = signal.getsignal(number)
            if handler is default or getattr(handler, "ends_a_run", False):
                with suppress(ValueError):  # only the main thread may set handlers, and is the one that gets signals
                    signal.signal(number, self._stop)
                    self._before[number] = handler

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Have signals do again what they did before."""
        for number, handler in self._before.items():
            if getattr(signal.getsignal(number), "__self__", None) is self:
                signal.signal(number, handler)
        self._before.clear()

    def _stop(self, number: int, *_: object) -> NoReturn:
        with suppress(OSError):
            os.write(2, f"{self.prog}: {self.text}\n".encode())
        os._exit(128 + number)

    _stop.ends_a_run = True  # type: ignore[attr-defined]


snnlearn = _command("snnlearn", "snnlearn.command")
superspike_demo = _command("superspike_demo", "snnlearn.userproject.superspike_demo")
yin_yang = _command("yin_yang", "snnlearn.userproject.yin_yang")
few_shot = _command("few_shot", "snnlearn.userproject.few_shot")
tracking = _command("tracking", "snnlearn.userproject.tracking")
torch_yin_yang = _command("torch_yin_yang", "snnlearn.userproject.torch_yin_yang")
digits = _command("digits", "snnlearn.userproject.digits")
randman = _command("randman", "snnlearn.userproject.randman")
