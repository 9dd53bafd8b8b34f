"""Writing files so that a reader sees either the old file or the whole new one."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from snnlearn.errors import OutputError, SnnlearnError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp|\.snnlearn-\w+")


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w", durable: bool = False) -> Iterator[IO[Any]]:
    r"""Open a file for writing that appears under its name only if all was written.

    The data go to a temporary file in the same folder, which replaces `path` at the end of the ``with``
    block. If the block raises anything at all, `path` is left as it was and the temporary file is removed.
    This guards against a program that stops half-way; with `durable` against a power cut too. A program that is killed
    leaves the temporary file, which `sweep_temporary` removes.

    Parameters
    ----------
    path : path-like
        File to write. A symbolic link is followed, so that the link stays one.
    mode : {"w", "wb"}
        Text (UTF-8, ``\n`` line ends on every system) or bytes, which can be read back too.
    durable : bool
        Wait until the file, and then its name, are on the disk.

    Yields
    ------
    file object
        The open temporary file.

    Raises
    ------
    OutputError
        If the file cannot be written or `path` is something else than a file; the text names `path`.
    ValueError
        If `mode` is neither ``"w"`` nor ``"wb"``.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"mode must be 'w' or 'wb', not {mode!r}")
    final = Path(os.path.realpath(path))
    # Replacing works on devices too: as root, writing to /dev/null would turn it into a plain file.
    if final.exists() and not final.is_file():
        kind = "a folder" if final.is_dir() else "not a regular file"
        raise OutputError(f"cannot write {path}: it is {kind}")
    if not final.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {final.parent} does not exist")
    # Not tempfile.mkstemp: its files are readable by their owner only, whatever the umask says.
    temporary = final.with_name(f".{final.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with _open_new(temporary, mode) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, final)
        if durable:
            sync_folder(final.parent)
    except SnnlearnError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk, where the system can say."""
    with suppress(OSError):  # not everywhere can a folder be opened
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def sweep_temporary(folder: Path) -> None:
    """Remove what `atomic_write` and `check_output_dir` left in a folder when their process was killed.

    Nobody else may be writing to the folder.
    """
    for file in folder.iterdir():
        if _TEMPORARY.fullmatch(file.name) and not file.is_dir():
            with suppress(OSError):
                file.unlink()


def check_output_dir(path: str | os.PathLike[str]) -> Path:
    """Raise if files cannot be written to a folder, before a long training.

    The folder and its parents are created if they are missing. A small temporary file is really written and
    removed, because permission bits say nothing for root, on read-only mounts or on full disks.

    Parameters
    ----------
    path : path-like
        The folder.

    Returns
    -------
    Path
        The folder, which now exists.

    Raises
    ------
    OutputError
        If the folder cannot be created or written to; the text names it.
    """
    if not os.fspath(path):
        raise OutputError("the name of the output folder is empty; '.' is the current folder")
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder {folder}: {_reason(error)}") from error
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".snnlearn-") as probe:
            probe.write(b"can this be written?\n")
            probe.flush()
    except OSError as error:
        raise OutputError(f"cannot write to the folder {folder}: {_reason(error)}") from error
    return folder


def _open_new(path: Path, mode: str) -> IO[Any]:
    return open(path, "x+b") if mode == "wb" else open(path, "x", encoding="utf-8", newline="\n")


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return "there is a file of that name"
    return error.strerror or str(error)
