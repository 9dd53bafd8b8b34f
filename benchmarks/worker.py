"""An engine in a process of its own: it builds, then works for each line of input, and answers in lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


class Worker:
    """The other end of such a process.

    Parameters
    ----------
    what : str
        What works there, for messages.
    command : list of str
        A Python script and its arguments.
    cache_dir : str
        Where it keeps its compiled models.
    quiet : bool
        Whether to keep what it prints to standard error for the message of a failure.
    """

    def __init__(self, what: str, command: list[str], cache_dir: str, *, quiet: bool) -> None:
        self.what = what
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            env={**os.environ, "XDG_CACHE_HOME": cache_dir},
            text=True,
        )
        self.seconds: list[float] = []
        self.built = self._answer()
        self.last: dict[str, Any] = {}

    def run(self) -> None:
        """Have it work once; what that took is the last of `seconds`, the whole answer is `last`."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.last = self._answer()
        self.seconds.append(self.last["s"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            errors = self.process.stderr.read() if self.process.stderr else ""
            raise SystemExit(f"{self.what} failed\n{errors}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def interleave(workers: list[Worker], rounds: int) -> None:
    """Have all work in turn, for so many rounds after one that is not counted; they end then."""
    for number in range(rounds + 1):
        for worker in workers:
            worker.run()
            if number == 0:
                worker.seconds.clear()
    for worker in workers:
        worker.process.communicate()
