"""An engine in a process of its own: it builds, then works for each line of input, and answers in lines of JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_CACHES = ("XDG_CACHE_HOME", "CUPY_CACHE_DIR", "CUDA_CACHE_PATH")


class WorkerFailed(SystemExit):
    """A worker has ended without an answer; ends the benchmark, unless somebody catches it."""

    def __init__(self, what: str, errors: str) -> None:
        super().__init__(f"{what} failed\n{errors}")
        lines = errors.strip().splitlines()
        self.last_line = lines[-1] if lines else f"{what} failed"


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
    limit_s : float, optional
        How long an answer may take.
    """

    def __init__(
        self, what: str, command: list[str], cache_dir: str, *, quiet: bool, limit_s: float | None = None
    ) -> None:
        self.what, self._limit_s = what, limit_s
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            env={**os.environ, **dict.fromkeys(_CACHES, cache_dir)},
            text=True,
        )
        self.seconds: list[float] = []
        self.built = self._answer()
        self.last: dict[str, Any] = {}

    def run(self) -> None:
        """Have it work once; what that took is the last of `seconds`, the whole answer is `last`."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        self.last = self._answer()
        self.seconds.append(self.last["s"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        if self._limit_s is None:
            line = self.process.stdout.readline()
        else:
            killer = threading.Timer(self._limit_s, self.process.kill)
            killer.start()
            line = self.process.stdout.readline()
            killer.cancel()
        if not line:
            errors = self.process.communicate()[1] or ""
            if self.process.returncode == -signal.SIGKILL and self._limit_s is not None:
                errors += f"killed: no answer within {self._limit_s:g} s"
            raise WorkerFailed(self.what, errors)
        answer: dict[str, Any] = json.loads(line)
        return answer


def interleave(
    workers: list[Worker], rounds: int, failed: Callable[[Worker, WorkerFailed], None] | None = None
) -> None:
    """Have all work in turn, for so many rounds after one that is not counted; they end then.

    Where one fails, ``failed`` is told and the others go on; without it, all is over.
    """
    working = list(workers)
    for number in range(rounds + 1):
        for worker in tuple(working):
            try:
                worker.run()
            except WorkerFailed as failure:
                if failed is None:
                    raise
                failed(worker, failure)
                working.remove(worker)
            if number == 0:
                worker.seconds.clear()
    for worker in working:
        worker.process.communicate()
