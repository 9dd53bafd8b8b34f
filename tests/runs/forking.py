"""Sessions of commands without their imports: one process has imported all there is, and forks for each session.

Run as a program, this is that process: it reads a session's command from stdin, prints the number of its process and,
when that has ended, its status.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

IMPORTED = (
    "snnlearn.userproject.superspike_demo",
    "snnlearn.userproject.yin_yang",
    "snnlearn.genn",
    "matplotlib.figure",
)


class Forking:
    """Starts sessions, in a ``with`` block."""

    def __enter__(self) -> Forking:
        self._folder = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()
        self._folder.cleanup()

    def start(self, program: str, arguments: Sequence[str]) -> Session:
        """Start a program as its console script does; one at a time."""
        return Session(self._server, program, arguments, Path(self._folder.name))


class Session:
    """A process of a session: what `subprocess.Popen` has of it."""

    def __init__(self, server: subprocess.Popen[bytes], program: str, arguments: Sequence[str], folder: Path) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._answers, self._errors = server.stdout, folder / "stderr"
        server.stdin.write(json.dumps([program, list(arguments), str(self._errors)]).encode() + b"\n")
        server.stdin.flush()
        self.pid = int(self._line())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the status, None while it runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self.returncode = int(self._line())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait until it has ended; returns what it printed on stderr."""
        if self.returncode is None:
            assert select.select([self._answers], [], [], timeout)[0], "it does not end"
            self.returncode = int(self._line())
        return "", self._errors.read_text(encoding="utf-8")

    def _line(self) -> bytes:
        """Return a line of the server's, byte by byte: what is in a buffer cannot be waited for."""
        found = b""
        while not found.endswith(b"\n"):
            found += os.read(self._answers.fileno(), 1)
        return found


def serve() -> None:
    """Fork for each line of stdin, until there are no more."""
    for module in IMPORTED:
        import_module(module)
    from snnlearn import entry

    for line in sys.stdin:
        program, arguments, errors = json.loads(line)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells have background jobs ignore
        ends = entry.EndsAtOnce(program)
        ends.begin()  # before there is a child that signals are sent to
        child = os.fork()
        if child == 0:
            for number, target in enumerate((os.devnull, os.devnull, errors)):
                os.dup2(os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            sys.argv[1:] = arguments
            raise SystemExit(getattr(entry, program)())
        ends.end()
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
