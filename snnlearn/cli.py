"""What the commands of the project share: errors of one line, and exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from snnlearn.errors import SnnlearnError, did_you_mean

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


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
        self.exit(EXIT_BAD_INPUT, f"{self.prog.split()[0]}: error: {message}\n")


def run_command(prog: str, body: Callable[[], int]) -> int:
    """Run the body of a command and turn what the user can mend into one line and an exit status.

    Parameters
    ----------
    prog : str
        Name of the command, the start of the line.
    body : callable
        Takes nothing and returns an exit status.

    Returns
    -------
    int
        What `body` returned; 2 after an :class:`SnnlearnError`, whose text goes to stderr; 130 after Ctrl-C,
        as shells have it. Any other exception is a defect of the program and keeps its traceback.
    """
    try:
        return body()
    except SnnlearnError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        # Whoever read the output has had enough; Python must not find out again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _option_names(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the long options of a parser and of its subcommands."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _option_names(subparser)
