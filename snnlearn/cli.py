"""What the commands of the project share: errors of one line, and exit statuses."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from snnlearn.errors import ModelWarning, SnnlearnError, TargetWarning, TrainingWarning, did_you_mean, shortened
from snnlearn.streams import Lenient, lenient_streams

EXIT_NOT_PRINTED = 1
EXIT_BAD_INPUT = 2
EXIT_SIGNAL = 128  # and the signal's number, as shells have it

_WARNINGS = (ModelWarning, TargetWarning, TrainingWarning)


class Interrupted(KeyboardInterrupt):
    """A signal that ends a command in order.

    Parameters
    ----------
    number : int
        The signal's.
    text : str
        What the command's last line says.
    """

    def __init__(self, number: int = signal.SIGINT, text: str = "interrupted") -> None:
        super().__init__(text)
        self.number, self.text = int(number), text


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


_terminate.ends_a_run = True  # type: ignore[attr-defined]


@contextmanager
def raised_signals() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM raise KeyboardInterrupt within a ``with`` block, SIGTERM an `Interrupted`.

    A signal that the process ignores, or has a handler of its own for, is left alone; so are those of a thread that is
    not the main one, for no other gets any.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        raised: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _terminate}
        for number, handler in raised.items():
            found = signal.getsignal(number)
            if getattr(found, "ends_a_run", False) or (number == signal.SIGTERM and found is signal.SIG_DFL):
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def saying(text: str) -> Iterator[None]:
    """Have a signal within a ``with`` block end a command with this as its last line."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(getattr(stop, "number", signal.SIGINT), text) from stop


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, ``PROG: error: message``, with exit status 2.

    The usage that argparse prints first hides the message; ``--help`` still shows it. Options cannot be
    abbreviated, because a script with an abbreviation breaks when an option is added, and an unknown option
    is answered with the nearest known one. Parameters are those of :class:`argparse.ArgumentParser`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse arguments as argparse does; an unknown option's message names the nearest known one."""
        known, unknown = self.parse_known_args(args, namespace or argparse.Namespace())
        if unknown:
            name = unknown[0].split("=")[0]
            hint = did_you_mean(name, _option_names(self)) if name.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return known

    def error(self, message: str) -> NoReturn:
        """Print the message as one line on stderr and exit with status 2."""
        # A subcommand's prog is "snnlearn target"; scripts that look for an error expect the command alone.
        self.exit(EXIT_BAD_INPUT, f"{self.prog.split()[0]}: error: {shortened(message)}\n")


def run_command(prog: str, body: Callable[[], int]) -> int:
    """Run the body of a command and turn what the user can mend into one line and an exit status.

    A stdout or stderr that takes nothing more does not end the body: what is printed then is lost, and what is
    written to files is not.

    Parameters
    ----------
    prog : str
        Name of the command, the start of the line.
    body : callable
        Takes nothing and returns an exit status.

    Returns
    -------
    int
        What `body` returned; 2 after an :class:`SnnlearnError`, whose text goes to stderr; 130 after Ctrl-C and
        143 after SIGTERM, as shells have it; 1 if `body` succeeded but something of what it printed could not be
        written, for another reason than that nobody read it. Any other exception is a defect of the program and keeps
        its traceback.

    Raises
    ------
    SystemExit
        If `body` does.
    """
    with raised_signals(), lenient_streams() as (out, _), _one_line_warnings(prog):
        try:
            status = _status(prog, body)
        except SystemExit as stop:
            # After --help.
            if stop.code or not _lost(prog, out):
                raise
            status = EXIT_NOT_PRINTED
        else:
            if status == 0 and _lost(prog, out):
                status = EXIT_NOT_PRINTED
    return status


def _status(prog: str, body: Callable[[], int]) -> int:
    try:
        return body()
    except (Exception, KeyboardInterrupt) as error:
        interruption = _interruption(error)
        if interruption is not None:
            print(f"{prog}: {interruption.text}", file=sys.stderr)
            return EXIT_SIGNAL + interruption.number
        if not isinstance(error, SnnlearnError):
            raise
        print(f"{prog}: error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _interruption(error: BaseException | None) -> Interrupted | None:
    """Return the signal that an error comes from: before Python 3.12, one within a class's body is a RuntimeError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error if error is None or isinstance(error, Interrupted) else Interrupted()


def _lost(prog: str, out: Lenient) -> bool:
    """Return whether something of stdout could not be written, and say so; a reader that left wanted no more."""
    out.flush()
    if out.error is None or isinstance(out.error, BrokenPipeError):
        return False
    print(f"{prog}: error: cannot write to stdout: {out.error.strerror or out.error}", file=sys.stderr)
    return True


@contextmanager
def _one_line_warnings(prog: str) -> Iterator[None]:
    """Print snnlearn's own warnings, and what it logs, as ``PROG: warning: message``, each time."""
    log, handler = logging.getLogger("snnlearn"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{prog}: warning: %(message)s"))
    handler.setLevel(logging.WARNING)
    log.addHandler(handler)
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
            if issubclass(category, _WARNINGS):
                print(f"{prog}: warning: {message}", file=sys.stderr)
            else:
                others(message, category, *args, **kwargs)

        for category in _WARNINGS:
            warnings.simplefilter("always", category)
        warnings.showwarning = show
        try:
            yield
        finally:
            log.removeHandler(handler)


def _option_names(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the long options of a parser and of its subcommands."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _option_names(subparser)
