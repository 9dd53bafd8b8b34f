"""``snnlearn rerun``, ``inspect`` and ``compare``: runs and checkpoints, looked at and done again."""

from __future__ import annotations

import filecmp
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snnlearn.errors import RunError, TrainingError
from snnlearn.io import read_learning_curve
from snnlearn.runs.folder import CHECKPOINT, CURVE, RECORD, RUNNING, WEIGHTS, is_worked_in, read_run
from snnlearn.runs.run import FINISHED
from snnlearn.training.archive import read_archive
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.fingerprint import differences

# What can be done again, and where its `main` is: a run's record says which of these, and nothing else.
_PROGRAMS = {
    program: f"snnlearn.userproject.{program}" for program in ("superspike_demo", "yin_yang", "digits", "randman")
}


# ---- inspect ----


def inspect_lines(path: Path) -> Iterator[str]:
    """Yield in lines what a run or a checkpoint holds.

    Raises
    ------
    TrainingError
        If it is neither, or damaged.
    """
    if path.is_dir():
        yield from _run_lines(path)
        if (path / CHECKPOINT).is_file():
            yield from _checkpoint_lines(path / CHECKPOINT)
    elif path.name == RECORD:
        yield from _run_lines(path.parent)
    else:
        yield from _checkpoint_lines(path)


def _run_lines(path: Path) -> Iterator[str]:
    record = read_run(path)
    yield f"run: {path}"
    yield f"command: {record['program']} {' '.join(record['arguments'])}"
    yield f"seed: {record['seed']}"
    for name in ("engine", "versions", "machine", "digests"):
        yield f"{name}: " + ", ".join(f"{key} {_short(value)}" for key, value in record[name].items())
    for number, session in enumerate(record["sessions"]):
        parts = [f"from trial {session.get('from_trial')}"]
        if "trials" in session:
            parts.append(f"to {session['trials']} in {session.get('wall_s')} s")
        yield f"session {number}: {', '.join(parts)}: {_exit_of(path, session)}"
    if not record["sessions"]:
        yield "session: none yet" if is_worked_in(path) else "session: none: it was ended before it trained"
    if (path / CURVE).is_file() and record["program"] == "superspike_demo":
        points = read_learning_curve(path / CURVE)
        if points:
            last = points[-1]
            share = f"{last.error_of_silent:.2%} of a silent output layer's"
            yield f"curve: {len(points)} trials, error at the end {last.error:.6g}, {share}"


def _exit_of(path: Path, session: Mapping[str, Any]) -> str:
    """Return how a session ended; one that is said to run may have been killed."""
    if session["exit"] != RUNNING:
        return str(session["exit"])
    return {True: RUNNING, False: "killed: its process is gone", None: f"{RUNNING}, or killed"}[is_worked_in(path)]


def _short(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _checkpoint_lines(path: Path) -> Iterator[str]:
    checkpoint = Checkpoint.read(path)
    progress = checkpoint.progress
    trial, timestep, update, left = progress["runner"]
    sealed = "its digest is right" if progress["format"] > 1 else "without a digest"
    yield f"checkpoint: {path}, {path.stat().st_size:,} bytes, {sealed}"
    within = f", {left} timesteps left of the trial" if left is not None else ""
    yield f"progress: {trial} trials, {update} updates, {timestep} timesteps{within}"
    yield f"optimisers: {', '.join(map(str, progress['optimisers']))}"
    for key, array in checkpoint.arrays.items():
        yield f"  {key}: {array.dtype} {array.shape}{_range(array)}"


def _range(array: Any) -> str:
    if not array.size:
        return ""
    if array.dtype.kind != "f":
        return f", {array.min()} to {array.max()}"
    finite = array[np.isfinite(array)]
    text = f", {finite.min():.6g} to {finite.max():.6g}" if finite.size else ""
    return text if finite.size == array.size else f"{text}, {array.size - finite.size} not finite"


# ---- compare ----


def compare_lines(one: Path, other: Path) -> Iterator[str]:
    """Yield in lines how two runs differ; none where they do not.

    Raises
    ------
    TrainingError
        If one is no run, or damaged.
    """
    yield from _differing_records(read_run(one), read_run(other))
    yield from _differing_curves(one, other)
    yield from _differing_networks(one, other)
    yield from _differing_weights(one, other)


def _differing_records(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name in ("program", "arguments", "seed"):
        if one[name] != other[name]:
            yield f"{name}: {_short(one[name])} | {_short(other[name])}"
    for name in ("versions", "engine", "machine", "digests"):
        for key in {**one[name], **other[name]}:
            if one[name].get(key) != other[name].get(key):
                yield f"{name}, {key}: {_short(one[name].get(key))} | {_short(other[name].get(key))}"


def _differing_curves(one: Path, other: Path) -> Iterator[str]:
    if not all((path / CURVE).is_file() for path in (one, other)):
        return
    lines, others = ((path / CURVE).read_text(encoding="utf-8").splitlines() for path in (one, other))
    if len(lines) != len(others):
        yield f"{CURVE}: {len(lines) - 1} lines | {len(others) - 1} lines"
    for number, (line, theirs) in enumerate(zip(lines, others, strict=False)):
        if line != theirs:
            yield f"{CURVE}: the first difference is in line {number + 1}: {line[:100]} | {theirs[:100]}"
            return


def _differing_networks(one: Path, other: Path) -> Iterator[str]:
    if all((path / CHECKPOINT).is_file() for path in (one, other)):
        mine, theirs = (Checkpoint.read(path / CHECKPOINT).progress.get("fingerprint", {}) for path in (one, other))
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from (f"network: {text}" for text in differences(mine, theirs)[:10])


def _differing_weights(one: Path, other: Path) -> Iterator[str]:
    if not all((path / WEIGHTS).is_file() for path in (one, other)):
        return
    mine, theirs = (read_archive(path / WEIGHTS)[0] for path in (one, other))
    for key in {**mine, **theirs}:
        if key not in mine or key not in theirs or mine[key].shape != theirs[key].shape:
            yield f"{WEIGHTS}, {key}: other shapes"
        elif mine[key].tobytes() != theirs[key].tobytes():
            most = float(np.max(np.abs(mine[key].astype(np.float64) - theirs[key])))
            yield f"{WEIGHTS}, {key}: they differ by {most:.6g} at most"


# ---- rerun ----


def rerun(path: Path, new: Path | None = None) -> int:
    """Do a finished run again in a folder of its own, and print which files are the same.

    Parameters
    ----------
    path : Path
        The run's folder.
    new : Path, optional
        Where; by default ``RUN-again``.

    Returns
    -------
    int
        0, or 1 where a file is another.

    Raises
    ------
    RunError
        If there is no such run, it is not finished, or of a program that is not known.
    TrainingError
        If today's program does not write a file that is there.
    """
    record = read_run(path)
    if record["program"] not in _PROGRAMS:
        raise RunError(f"the run in {path} is one of {record['program'][:100]}: that is no program of snnlearn's")
    if not record["sessions"] or record["sessions"][-1]["exit"] != FINISHED:
        raise RunError(f"the run in {path} is not finished: {record['program']} --resume {path} goes on with it")
    target = new if new is not None else path.with_name(f"{path.resolve().name}-again")
    if any(text.split("=")[0] in ("--save", "--resume", "--overwrite", "--output-dir") for text in record["arguments"]):
        raise RunError(f"the run in {path} has a command line that says where another is to be kept")
    program = importlib.import_module(_PROGRAMS[record["program"]])
    status: int = program.main([*record["arguments"], "--save", str(target)])
    if status != 0:
        return status
    same = True
    digests = read_run(target)["digests"]
    for name, before in record["digests"].items():
        if digests.get(name) != before:
            print(f"the {name} is another today: what follows from it differs")
    for name in sorted({CURVE, WEIGHTS, *record["files"]}):
        if not (path / name).is_file():
            continue
        if not (target / name).is_file():
            raise TrainingError(f"{target / name} is not there: the program of today does not write it")
        equal = filecmp.cmp(path / name, target / name, shallow=False)
        same = same and equal
        print(f"{name}: {'the same' if equal else 'differs'}")
    return 0 if same else 1
