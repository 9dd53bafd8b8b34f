"""Runs that are disturbed at random moments, and resumed until they end."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# What a session may end with: whatever the moment was, no traceback and nothing unforeseen.
STATUSES = {signal.SIGKILL: {-9, 0}, signal.SIGINT: {130, 0}, signal.SIGTERM: {143, 0}}
# The last line of one that was interrupted: what there is, and how to go on.
LAST_LINE = re.compile(
    r"\w+: interrupted(, when all was done|; nothing was begun|; the run in \S+ is finished|"
    r"; (no trial was finished; )?\w+ --resume \S+ (begins anew|goes on where it was|goes on after trial \d+))"
)


def start(program: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a program in a process of its own, as its console script does; returns when its own code has begun."""
    code = (
        # Shells have background jobs ignore Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"from snnlearn.entry import EndsAtOnce, {program}; EndsAtOnce('{program}').begin(); "
        f"print('begun', flush=True); raise SystemExit({program}())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def sessions(
    program: str,
    arguments: Sequence[str],
    folder: Path,
    signals: Sequence[int],
    longest: float,
    seed: int,
    in_training: float = 0.75,
    start: Callable[[str, Sequence[str]], Any] = start,
) -> Iterator[tuple[int, int, str]]:
    """Begin a run, disturb it with one signal after the other at random moments, then let it end.

    Yields signal, status and stderr of each session; 0 is the signal of those that end by themselves. A run that ends
    before all signals are used up is begun again. A share of ``in_training`` of the moments is from where a session
    has trained; the others are from its beginning. ``start`` starts a session.
    """
    moments = random.Random(seed)
    left = list(signals)
    while True:
        began = time.time()
        if folder.is_dir() and (folder / "run.json").is_file():
            process = start(program, ["--resume", str(folder)])
        else:
            process = start(program, [*arguments, "--save", str(folder)])
        number = left.pop() if left else 0
        if number:
            if moments.random() < in_training:
                wait_for_training(process, folder / "learning_curve.csv", began, moments.randrange(6))
            time.sleep(moments.uniform(0.0, longest))
            process.send_signal(number)
        _, errors = process.communicate(timeout=600)
        yield number, process.returncode, errors
        if not number and process.returncode == 0:
            return
        if process.returncode == 0 and left:
            for file in folder.iterdir():
                file.unlink()


def wait_for_training(process: Any, curve: Path, began: float, lines: int) -> None:
    """Wait until a session has trained so far: most moments are to be in that, not in what comes before it."""
    first = None
    while process.poll() is None:
        if curve.is_file() and curve.stat().st_mtime > began:
            size = curve.read_bytes().count(b"\n")
            first = size if first is None else first
            if size >= first + lines:
                return
        time.sleep(0.01)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what a run has written, by file, that is the same in each run like it."""
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name not in ("run.json", "checkpoint.npz")
    }
