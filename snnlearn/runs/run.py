"""One run in its folder: begun or resumed, trained, recorded, ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.cli import Interrupted, raised_signals, saying
from snnlearn.errors import RunError, TrainingWarning
from snnlearn.runs import facts
from snnlearn.runs.folder import CURVE, OF_A_RUN, RECORD, RUNNING, WEIGHTS, RunFolder, check_program
from snnlearn.runs.interruption import Interruption
from snnlearn.runs.keeper import Keeper
from snnlearn.runs.watch import Watch
from snnlearn.training import Learner
from snnlearn.training.archive import write_archive

FINISHED = "finished"


class Run:
    """A run with its folder, made by `begin` and `resume`.

    ``with runs.begin(...) as run:`` closes it, and records whatever ends the block: a signal before or after the
    training too, which says how to go on.

    Parameters
    ----------
    folder : RunFolder
    resumed : bool
        Whether it goes on with what is there.

    Attributes
    ----------
    folder : RunFolder
    resumed : bool
        Whether there is a checkpoint to go on from.
    """

    def __init__(self, folder: RunFolder, resumed: bool) -> None:
        self.folder = folder
        self.resumed = resumed and folder.checkpoint.is_file()
        self._began = time.monotonic()
        self._signals = contextlib.ExitStack()
        self._state = "new"  # then "open", while the record has a session that has not ended, then "ended"
        self._loaded: int | None = None  # after how many trials the checkpoint was taken that has been loaded
        self._keeper: Keeper | None = None
        self._told: BaseException | None = None  # what says how to go on already

    def __enter__(self) -> Run:
        self._signals.enter_context(raised_signals())
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            with contextlib.suppress(Exception):  # what has ended the block is not to be hidden
                self._record_end(error)
            if isinstance(error, KeyboardInterrupt) and error is not self._told:
                raise self._how_to_go_on(error) from error
        finally:
            self.close()
            self._signals.close()

    @property
    def record(self) -> Mapping[str, Any]:
        """What ``run.json`` has."""
        return self.folder.record

    @property
    def arguments(self) -> list[str]:
        """The command line, without what says where the run is."""
        return list(self.folder.record["arguments"])

    def check_digest(self, name: str, digest: str, force: bool = False) -> None:
        """Take note of what a digest of the input is, or compare it where the run is resumed.

        Raises
        ------
        RunError
            If it is another one, unless ``force`` is given.
        """
        known = self.folder.record["digests"]
        if not force and known.get(name, digest) != digest:
            raise RunError(
                f"the {name} is not that of the run in {self.folder.path}: its SHA-256 was {known[name][:12]}… and is "
                f"{digest[:12]}… (--force goes on all the same)"
            )
        known[name] = digest

    def file(self, name: str) -> Path:
        """Return where a file is written that is a part of the run, such as a callback's.

        It is on the disk before a checkpoint that is after it, goes where another run takes this one's place, and
        ``snnlearn rerun`` compares it.

        Parameters
        ----------
        name : str
            Without a folder.

        Raises
        ------
        RunError
            If it is no such name, or that of a file that all runs have.
        """
        files = self.folder.record["files"]
        if Path(name).name != name or name.startswith(".") or not name or name in OF_A_RUN:
            raise RunError(f"{name!r:.100} cannot be the name of a file of the run's own")
        if name not in files:
            self.folder.write_record(files=[*files, name])
        return self.folder.path / name

    def load(self, learner: Learner, force: bool = False) -> int:
        """Have a learner be where the run was; returns after how many trials.

        Raises
        ------
        CheckpointError
            If the checkpoint is damaged.
        TrainingError
            If it is of another training or network, unless ``force`` is given.
        """
        if self.resumed:
            learner.load(self.folder.checkpoint, force=force)
            self._loaded = learner.runner.trial
        return learner.runner.trial

    @contextlib.contextmanager
    def training(self, learner: Learner, populations: Sequence[Any] = ()) -> Iterator[Keeper]:
        """Train within this: checkpoints, signals, the watch; weights and the record of how it ended behind it.

        Parameters
        ----------
        learner : Learner
            Built, and loaded where the run is resumed. Its callbacks are there.
        populations : sequence of neuron groups
            Recorded layers, for the watch.
        """
        options, trial = self.folder.record["options"], learner.runner.trial
        self.folder.remove([WEIGHTS])
        # Without the optimisers, which a learner that is not built yet does not have all of.
        declared = {k: v for k, v in learner.fingerprint().items() if not k.startswith("optimiser '")}
        self.folder.record["digests"]["network"] = facts.digest_of_values(declared)
        self._begin_session(trial)
        with Interruption() as interruption:
            watch = Watch(learner.connections, populations, options["stop_on_nan"])
            every, sync = options["checkpoint_every"], lambda: self.folder.sync([CURVE, *self.folder.record["files"]])
            self._keeper = keeper = Keeper(self.folder.checkpoint, every, interruption, sync, watch)
            if self.resumed:
                keeper.continues(trial)
            learner.callbacks += [watch, keeper]
            try:
                yield keeper
            except BaseException as error:
                with contextlib.suppress(Exception):  # what has ended the training is not to be hidden
                    keeper.rescue(learner)
                with contextlib.suppress(Exception):
                    self._end_session(_reason(error), learner.runner.trial)
                if isinstance(error, KeyboardInterrupt):
                    raise self._how_to_go_on(error) from error
                raise
            finally:
                learner.callbacks = [c for c in learner.callbacks if c not in (watch, keeper)]
        write_archive(self.folder.weights, weights_of(learner))

    def end(self, learner: Learner) -> None:
        """Record that all is done and written."""
        self.folder.sync([CURVE, *self.folder.record["files"]])
        self._end_session(FINISHED, learner.runner.trial)

    def close(self) -> None:
        """Let other processes work in the folder."""
        self.folder.close()

    # ---- the record ----

    @property
    def _kept(self) -> int | None:
        """After how many trials the checkpoint was taken that is there, as far as that is known."""
        return self._keeper.trial if self._keeper is not None else self._loaded

    def _record_end(self, error: BaseException | None) -> None:
        """Record how it ended, unless that is done; a run that is only refused to be gone on with stays as it was."""
        sessions, stopped = self.record["sessions"], isinstance(error, KeyboardInterrupt)
        if self._state == "new" and error is not None and (stopped or not sessions):
            self._begin_session(self._kept or (sessions[-1].get("checkpoint_trial") if sessions else None) or 0)
        if self._state == "open":
            self._end_session("left without Run.end" if error is None else _reason(error))

    def _begin_session(self, trial: int) -> None:
        record = self.folder.record
        for session in record["sessions"]:
            if session["exit"] == RUNNING:
                session["exit"] = "killed"
        session = {
            "command": [os.path.basename(sys.argv[0]), *sys.argv[1:]],
            "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "from_trial": trial,
            "exit": RUNNING,
        }
        self.folder.write_record(sessions=[*record["sessions"], session])
        self._state = "open"

    def _end_session(self, reason: str, trials: int | None = None) -> None:
        session = self.folder.record["sessions"][-1]
        session |= {
            "exit": reason,
            "trials": trials if trials is not None else self._kept or session["from_trial"],
            "checkpoint_trial": self._kept,
            "wall_s": round(time.monotonic() - self._began, 3),
            "peak_memory_bytes": facts.peak_memory(),
        }
        self.folder.write_record()
        self._state = "ended"

    def _how_to_go_on(self, error: KeyboardInterrupt) -> Interrupted:
        program, path = self.folder.record["program"], shlex.quote(str(self.folder.path))
        sessions = self.folder.record["sessions"]
        if sessions and sessions[-1]["exit"] == FINISHED:
            there = f"the run in {path} is finished"
        elif self._kept:
            there = f"{program} --resume {path} goes on after trial {self._kept}"
        elif self.resumed:
            there = f"{program} --resume {path} goes on where it was"
        else:
            there = f"no trial was finished; {program} --resume {path} begins anew"
        self._told = told = Interrupted(_number_of(error), f"interrupted; {there}")
        return told


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted by {signal.Signals(_number_of(error)).name}"
    return f"{type(error).__name__}: {error}"[:500]


def _number_of(error: KeyboardInterrupt) -> int:
    return error.number if isinstance(error, Interrupted) else signal.SIGINT


def weights_of(learner: Learner) -> dict[str, NDArray[Any]]:
    """Return the trained weights by connection and variable, up to date."""
    found = {}
    for connection in learner.connections:
        variable = connection.synapses.vars[connection.weight]
        variable.pull_from_device()
        found[f"{connection.synapses.name}.{connection.weight}"] = np.array(variable.current_values)
    return found


def begin(
    folder: str | os.PathLike[str],
    program: str,
    *,
    seed: int,
    engine: str,
    arguments: Sequence[str] = (),
    digests: Mapping[str, str] | None = None,
    files: Sequence[str] = (),
    checkpoint_every: int | None = None,
    stop_on_nan: bool = True,
    overwrite: bool = False,
) -> Run:
    """Begin a run in a folder of its own.

    Parameters
    ----------
    folder : path-like
        Empty, or not there yet.
    program : str
        The name of what trains.
    seed : int
    engine : str
        Of the backend.
    arguments : sequence of str
        The command line that another run like it needs.
    digests : mapping of str to str
        The SHA-256 of what comes from files: ``{"target": ...}``.
    files : sequence of str
        The names of the files that the program writes to the folder, beside checkpoint, curve and weights.
    checkpoint_every : int, optional
        See `Keeper`.
    stop_on_nan : bool
        See `Watch`.
    overwrite : bool
        Remove the run that is there.

    Raises
    ------
    RunError
        If the folder holds another run or other files, or another process works in it.
    OutputError
        If it cannot be written to.
    """
    record = {
        "program": program,
        "arguments": list(arguments),
        "seed": seed,
        "options": {"checkpoint_every": checkpoint_every, "stop_on_nan": stop_on_nan},
        "digests": dict(digests or {}),
        "files": list(files),
        "sessions": [],
    }
    with saying("interrupted; nothing was begun"):
        record |= {"versions": facts.versions(), "engine": facts.engine(engine), "machine": facts.machine()}
        found = RunFolder.new(folder, overwrite)
        try:
            found.write_record(**record)
        except BaseException:
            found.remove([RECORD])
            found.close()
            raise
    return Run(found, resumed=False)


def resume(folder: str | os.PathLike[str], program: str, checkpoint_every: int | None = None) -> Run:
    """Go on with the run of a folder.

    Parameters
    ----------
    folder : path-like
    program : str
        The name of what trains: it is that program's run.
    checkpoint_every : int, optional
        Instead of what was said when it began.

    Raises
    ------
    RunError
        If it is no run's or another program's, is damaged, or another process works in it.
    """
    with saying(f"interrupted; {program} --resume {shlex.quote(str(folder))} goes on where it was"):
        found = RunFolder.existing(folder)
        try:
            check_program(folder, found.record, program)
            if any(session["exit"] == RUNNING for session in found.record["sessions"][-1:]):
                _warn(f"the process that had the run in {folder} is gone without a word: it was killed")
            _warn_of_changes(found.record)
        except BaseException:
            found.close()
            raise
    if checkpoint_every is not None:
        found.record["options"]["checkpoint_every"] = checkpoint_every
    return Run(found, resumed=True)


def _warn_of_changes(record: Mapping[str, Any]) -> None:
    """Warn where what a run's numbers may depend on is not what it was when that began."""
    engine = facts.engine(record["engine"].get("name", ""))
    pairs = {**facts.versions(), "compiler": engine.get("compiler_version"), "cpu": facts.machine()["cpu"]}
    there, cpu = record["engine"].get("compiler_version"), record["machine"].get("cpu")
    before = {**record["versions"], "compiler": there, "cpu": cpu}
    changed = [f"{k} was {before[k]!s:.80}, and is {pairs.get(k)!s:.80}" for k in before if before[k] != pairs.get(k)]
    if changed:
        _warn(f"the run may end with other last digits than where it was begun: {'; '.join(changed[:5])}")


def _warn(text: str) -> None:
    warnings.warn(text, TrainingWarning, stacklevel=4)
