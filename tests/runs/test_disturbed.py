"""Killed, interrupted and terminated at random moments, a run ends with what an undisturbed one ends with."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest
from runs.disturbed import LAST_LINE, STATUSES, contents, sessions, start, wait_for_training
from runs.forking import Forking

from snnlearn.runs import read_run
from snnlearn.userproject.superspike_demo import main

SHORT = ("--record-trial", "2", "--num-trials", "5", "--seed", "3", "--threads", "1", "--quiet", "--save-data")
LONG = ("--record-trial", "2", "150", "--num-trials", "200", "--seed", "3", "--threads", "1", "--quiet", "--save-data")
PATTERNS = ("--epochs", "4", "--num-train", "2000", "--num-valid", "300", "--quiet")


def disturb(
    program: str,
    arguments: tuple[str, ...],
    signals: list[int],
    longest: float | None,
    tmp_path: Path,
    every: str | None,
    in_training: float = 0.75,
) -> None:
    """Compare a disturbed run with a whole one; moments come within ``longest`` [s], or within the whole one's time."""
    began = time.monotonic()
    for _ in sessions(program, arguments, tmp_path / "whole", [], 0.0, 0):
        pass
    longest = longest or time.monotonic() - began
    kept = [] if every is None else ["--checkpoint-every", every]
    folder = tmp_path / "disturbed"
    with ExitStack() as stack:
        # Where moments of the imports are none of those asked for, sessions do without them.
        begin = stack.enter_context(Forking()).start if in_training else start
        check(sessions(program, [*arguments, *kept], folder, signals, longest, 1, in_training, begin), folder)
    assert contents(folder) == contents(tmp_path / "whole")
    assert not [file.name for file in folder.iterdir() if file.name.startswith(".") or file.name.endswith(".tmp")]


def check(ended: Iterable[tuple[int, int, str]], folder: Path) -> None:
    for number, status, errors in ended:
        assert status in (STATUSES[signal.Signals(number)] if number else {0}), errors
        assert "Traceback" not in errors, errors
        exits = [s["exit"] for s in read_run(folder)["sessions"]] if (folder / "run.json").is_file() else []
        if status in (130, 143):
            last = errors.splitlines()[-1]
            # Between the end of a run and of its command there is no more to be said than that.
            assert LAST_LINE.fullmatch(last) or (last.endswith(": interrupted") and exits[-1] == "finished"), errors
        if status != -signal.SIGKILL:
            assert "running" not in exits


def test_a_run_that_is_killed_once(tmp_path: Path) -> None:
    assert main([*SHORT, "--save", str(tmp_path / "whole")]) == 0
    folder, began = tmp_path / "disturbed", time.time()
    process = start("superspike_demo", [*SHORT, "--checkpoint-every", "1", "--save", str(folder)])
    wait_for_training(process, folder / "learning_curve.csv", began, 1)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it is in its midst"
    assert main(["--resume", str(folder)]) == 0
    assert contents(folder) == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_run_that_is_disturbed_a_few_times(tmp_path: Path) -> None:
    disturb("superspike_demo", SHORT, [signal.SIGKILL, signal.SIGTERM], 0.5, tmp_path, "1")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "times"), [(signal.SIGKILL, 200), (signal.SIGINT, 50), (signal.SIGTERM, 50)])
def test_a_run_that_is_disturbed_all_the_time(number: int, times: int, tmp_path: Path) -> None:
    every = "2" if number == signal.SIGKILL else None
    disturb("superspike_demo", LONG, [number] * times, 2.5, tmp_path, every)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_disturbed_anywhere(number: int, tmp_path: Path) -> None:
    """While it starts, compiles, trains, draws and saves."""
    disturb("superspike_demo", SHORT[:-1], [number] * 50, None, tmp_path, None, in_training=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["handwritten", "bptt"])
def test_a_classifier_that_is_disturbed(rule: str, tmp_path: Path) -> None:
    signals = [signal.SIGKILL, signal.SIGINT, signal.SIGTERM] * 7
    disturb("yin_yang", (*PATTERNS, "--rule", rule), signals, 2.5, tmp_path, "33")


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["bptt", "superspike"])
def test_another_rule_that_is_disturbed(rule: str, tmp_path: Path) -> None:
    arguments = (*SHORT[:3], "20", *SHORT[4:], "--rule", rule, "--optimiser", "Adam")
    disturb("superspike_demo", arguments, [signal.SIGKILL, signal.SIGINT, signal.SIGTERM] * 4, 4.0, tmp_path, "3")
