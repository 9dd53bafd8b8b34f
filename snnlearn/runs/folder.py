"""The folder of a run: its files, its record ``run.json``, and that one process at a time works in it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from snnlearn.errors import OutputError, RunError
from snnlearn.io import atomic_write, check_output_dir
from snnlearn.io.atomic import sweep_temporary, sync_folder

RECORD, CHECKPOINT, WEIGHTS, CURVE = "run.json", "checkpoint.npz", "weights.npz", "learning_curve.csv"
OF_A_RUN = (RECORD, CHECKPOINT, WEIGHTS, CURVE)  # files
RUNNING = "running"  # the exit of a session that has not ended
_FORMAT = 1
_MOST = 1 << 24  # bytes of a record
_PARTS: dict[str, type] = {
    "program": str,
    "arguments": list,
    "seed": int,
    "options": dict,
    "versions": dict,
    "engine": dict,
    "machine": dict,
    "digests": dict,
    "files": list,
    "sessions": list,
}


class RunFolder:
    """A run's folder, which this process alone works in until `close`.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    path : Path
    record : dict
        What ``run.json`` has.

    Raises
    ------
    RunError
        If another process works in it.
    OutputError
        If it cannot be written to.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = check_output_dir(path)
        self.record: dict[str, Any] = {}
        self._lock = _locked(self.path)
        sweep_temporary(self.path)

    def close(self) -> None:
        """Let other processes work in it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @classmethod
    def new(cls, path: str | os.PathLike[str], overwrite: bool = False) -> RunFolder:
        """Return a folder for a new run.

        Parameters
        ----------
        path : path-like
            Of a folder that is empty, or is not there yet.
        overwrite : bool
            Remove the run that is there, and nothing else.

        Raises
        ------
        RunError
            If something is in it, or stays in it.
        OutputError
            If it cannot be written to.
        """
        there = Path(path)
        if there.is_dir() and not overwrite and _contents(there):
            what = "holds another run" if (there / RECORD).is_file() else f"is not empty: it has {_named(there)}"
            raise RunError(f"the folder {path} {what}; --resume goes on with a run, --overwrite replaces it")
        folder = cls(path)
        try:
            if overwrite and (folder.path / RECORD).is_file():
                # The record goes last: until then, this is a run's folder.
                others = (name for name in OF_A_RUN if name != RECORD)
                folder.remove([*others, *read_run(folder.path)["files"], RECORD])
            if _contents(folder.path):
                raise RunError(f"the folder {path} has files that are no run's: {_named(folder.path)}")
        except BaseException:
            folder.close()
            raise
        return folder

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> RunFolder:
        """Return the folder of a run, with its record.

        Raises
        ------
        RunError
            If it is none, or another process works in it.
        """
        read_run(path)  # before a folder is made
        folder = cls(path)
        try:
            folder.record = read_run(path)  # as the process before has left it
        except BaseException:
            folder.close()
            raise
        return folder

    @property
    def checkpoint(self) -> Path:
        """The file of the newest checkpoint."""
        return self.path / CHECKPOINT

    @property
    def weights(self) -> Path:
        """The file of the weights that a finished run has trained."""
        return self.path / WEIGHTS

    def write_record(self, **changes: Any) -> None:
        """Write ``run.json``, whole or not at all."""
        self.record.update(changes)
        text = json.dumps({"format": _FORMAT, **self.record}, indent=1, default=str)
        with atomic_write(self.path / RECORD, durable=True) as file:
            file.write(text + "\n")

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of the folder, where they are there; whatever a name says, nothing else."""
        for name in names:
            file = self.path / name
            if Path(name).name == name and not file.is_dir():
                with suppress(FileNotFoundError):
                    file.unlink()

    def sync(self, names: Iterable[str]) -> None:
        """Wait until files that are being written are on the disk."""
        for name in names:
            with suppress(OSError):
                opened = os.open(self.path / name, os.O_RDONLY)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)
        sync_folder(self.path)


def read_run(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the record of a run.

    Parameters
    ----------
    path : path-like
        Its folder.

    Returns
    -------
    dict
        The contents of ``run.json``, checked: ``program`` and ``arguments`` (of its command line), ``seed``,
        ``options``, ``versions``, ``engine``, ``machine``, ``digests``, ``files`` and ``sessions``.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    file = Path(path) / RECORD
    try:
        found = os.stat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST:
            raise RunError(f"{file} is no record of a run")
        record = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is no folder of a run: it has no {RECORD}") from None
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError, MemoryError):
        raise RunError(f"{file} is no record of a run, or is damaged") from None
    if not isinstance(record, dict) or record.pop("format", None) != _FORMAT:
        raise RunError(f"{file} is no record of a run, or is of another version")
    for name, kind in _PARTS.items():
        if type(record.get(name)) is not kind:
            raise RunError(f"{file} is damaged: it has no {name}")
    _check_record(file, record)
    return record


def check_program(path: str | os.PathLike[str], record: Mapping[str, Any], program: str) -> None:
    """Raise RunError unless a record is of a program's run."""
    if record["program"] != program:
        raise RunError(f"the run in {path} is one of {record['program'][:100]}, not of {program}")


def _check_record(file: Path, record: Mapping[str, Any]) -> None:
    """Raise RunError unless the parts of a record have the form that a run gives them."""
    texts = [*record["arguments"], *record["files"]]
    options = record["options"]
    every, stop = options.get("checkpoint_every"), options.get("stop_on_nan")
    fine = all(isinstance(text, str) and "\0" not in text for text in texts)
    fine = fine and all(Path(name).name == name for name in record["files"])
    fine = fine and (every is None or (type(every) is int and every > 0)) and type(stop) is bool
    fine = fine and all(
        isinstance(session, dict) and isinstance(session.get("exit"), str) for session in record["sessions"]
    )
    fine = fine and all(isinstance(digest, str) for digest in record["digests"].values())
    fine = fine and isinstance(record["engine"].get("name", ""), str)
    if not fine:
        raise RunError(f"{file} is damaged: its parts have another form")


def _contents(path: Path) -> list[str]:
    """Return the names of what is in a folder, leftovers of killed processes apart."""
    return sorted(file.name for file in path.iterdir() if not file.name.endswith(".tmp"))


def _named(path: Path) -> str:
    names = _contents(path)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def is_worked_in(path: str | os.PathLike[str]) -> bool | None:
    """Return whether a process works in the folder of a run; None where the system cannot say."""
    try:
        import fcntl

        opened = os.open(path, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(opened)
    return False


def _locked(path: Path) -> int | None:
    """Lock a folder for this process; None where the system cannot."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        opened = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"the folder {path} cannot be opened: {error.strerror or error}") from None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise RunError(f"another process works in the folder {path}: wait for it, or stop it first") from None
    except OSError:  # a file system without locks
        pass
    return opened
