"""The folder of compiled simulations: what is in it is code that will run here, so nobody else may have put it there.

Entries are called after their key, which names all that they depend on, and the digest of their content. Beside them
there may be folders in which something is being compiled, and locks.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from snnlearn.errors import BuildError
from snnlearn.runtime import locks

ADVICE = "set XDG_CACHE_HOME to a folder that can be written"
_PRIVATE = 0o700
_OTHERS, _OTHERS_WRITE = 0o077, 0o022
_ENTRY = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}\.[a-z]+")
_LOCK = re.compile(r"([0-9a-f]{32})\.lock")
_WORK = re.compile(r"build-(?:([0-9a-f]{32})-)?[a-z0-9_]+")
_ABANDONED_S = 86400.0  # how old what is unfinished is where no lock tells whether anybody is at work on it
_USED_S = 3600.0  # how exactly it is known when an entry was last used
_BLOCK = 1 << 20
_NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_OWN = os.geteuid() if hasattr(os, "geteuid") else None  # systems without owners guard users' folders themselves


@dataclass(frozen=True)
class Entry:
    """A stored file: its path, its size [bytes] and when it was last used [s]."""

    path: Path
    size: int
    used: float


def make_private(folder: Path) -> None:
    """Make the folder if there is none; see to it that nobody but this user can write to it or read it.

    One that others could write to is emptied.

    Raises
    ------
    BuildError
        If it is another user's, or others can write to it whatever is done.
    OSError
        If it cannot be made.
    """
    try:
        folder.mkdir(_PRIVATE)
    except FileNotFoundError:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(_PRIVATE, exist_ok=True)
    except FileExistsError:
        pass
    status = os.stat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory")
    if _OWN is None:
        return
    what = f"the cache of compiled simulations, {folder},"
    if status.st_uid != _OWN:
        raise BuildError(
            f"{what} belongs to another user (number {status.st_uid}), whose code would run here; "
            "set XDG_CACHE_HOME to a folder of your own"
        )
    if status.st_mode & _OTHERS:
        with suppress(OSError):
            os.chmod(folder, _PRIVATE)
        if status.st_mode & _OTHERS_WRITE:
            if os.stat(folder).st_mode & _OTHERS_WRITE:
                raise BuildError(f"others can write to {what} and their code would run here; {ADVICE} by you alone")
            for entry in entries(folder):
                _discard(entry.path)


def find(folder: Path, key: str, suffix: str) -> Path | None:
    """Return an entry that is whole and this user's own; what has its name and is neither is removed."""
    for path in sorted(folder.glob(f"{key}-*{suffix}")):
        if is_whole(path):
            _note_use(path)
            return path
        _discard(path)
    return None


def is_whole(path: Path) -> bool:
    """Whether a file is this user's own and has the content of which its name has the digest.

    Raises
    ------
    OSError
        If the system gives no file or memory to look at it: nothing is known of it then.
    """
    try:
        return path.stem.rpartition("-")[2] == digest(path)
    except OSError as error:
        if error.errno in _NOTHING_LEFT:
            raise
        return False


def digest(path: Path) -> str:
    """Return what tells a file's content from any other.

    Raises
    ------
    OSError
        If it cannot be read: PermissionError if it is no regular file, another user's, or one that others may change.
    """
    # A FIFO would be waited for, and a link may lead anywhere.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    found = hashlib.sha256()
    with open(path, "rb", buffering=0, opener=lambda name, _: os.open(name, flags)) as file:
        status = os.fstat(file.fileno())
        foreign = _OWN is not None and (status.st_uid != _OWN or status.st_mode & _OTHERS_WRITE)
        if foreign or not stat.S_ISREG(status.st_mode):
            raise PermissionError(errno.EACCES, "not a file of this user alone")
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()[:16]


def entries(folder: Path) -> list[Entry]:
    """Return what is stored, the least recently used first; nothing where there is no such folder."""
    found = []
    for path, status in _listed(folder):
        if _ENTRY.fullmatch(path.name) and not stat.S_ISDIR(status.st_mode):
            found.append(Entry(path, status.st_size, status.st_mtime))
    return sorted(found, key=lambda entry: (entry.used, entry.path.name))


def evict(folder: Path, most: int, keep: Path | None = None) -> int:
    """Remove entries, the least recently used first, until at most so many bytes are left; returns how many went."""
    present = entries(folder)
    total, removed = sum(entry.size for entry in present), 0
    for entry in present:
        if total > most and entry.path != keep:
            _discard(entry.path)
            total, removed = total - entry.size, removed + 1
    return removed


def sweep(folder: Path, held: str | None = None) -> int:
    """Remove what processes left behind that ended while they compiled something; returns how many that were.

    Parameters
    ----------
    folder : Path
    held : str, optional
        The key whose lock the caller holds.
    """
    removed = 0
    for path, status in _listed(folder):
        work, lock = _WORK.fullmatch(path.name), _LOCK.fullmatch(path.name)
        if work is not None and stat.S_ISDIR(status.st_mode):
            removed += _sweep(path, status, work[1], held)
        elif lock is not None and lock[1] != held:
            _sweep(path, status, lock[1], held)
    return removed


def _sweep(path: Path, status: os.stat_result, key: str | None, held: str | None) -> bool:
    """Remove something unfinished unless a process is at work on this key."""
    file, lock = None, path.with_name(f"{key}.lock")
    stale = time.time() - status.st_mtime > _ABANDONED_S
    try:
        if key is not None and key != held:
            file = locks.take(lock)
            stale = file is not None
    except OSError as error:
        stale = stale and locks.has_no_locks(error)
    stale = stale or (key is not None and key == held)
    if stale:
        _discard(path)
    if file is not None:
        with suppress(OSError):
            locks.release(file, lock)
    return stale


def _listed(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        with suppress(OSError):  # another process has removed it
            yield folder / name, os.lstat(folder / name)


def _discard(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _note_use(path: Path) -> None:
    """Have an entry's time say when it was last used."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _USED_S:
            os.utime(path)
