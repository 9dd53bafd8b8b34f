"""Locks between processes: one makes what all need, and the others wait for it."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_log = logging.getLogger("snnlearn")
_PATIENCE_S = 300.0  # as long as the slowest compilation may take; whoever holds a lock longer has stopped working
_SLOW_S = 10.0  # before a user is told what takes so long
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.1
# What systems answer that have no locks: some network file systems.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


@contextmanager
def locked(path: Path, done: Callable[[], bool], patience_s: float = _PATIENCE_S) -> Iterator[bool]:
    """Hold the lock of a name within a ``with`` block, or wait for whoever does.

    A lock ends with the process that holds it, so none is ever stale; what may be left behind is an empty file. The
    block runs without the lock where the file system has no locks, as soon as ``done()``, and where the holder does not
    finish in time (it has been stopped, perhaps): the block must be safe with several at once.

    Parameters
    ----------
    path : Path
        The file that stands for the lock; removed at the end.
    done : callable
        Whether what the lock is for has been done by another.
    patience_s : float
        How long to wait for the holder [s].

    Yields
    ------
    bool
        Whether the lock is held.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    file = _wait(path, done, patience_s)
    try:
        yield file is not None
    finally:
        if file is not None:
            release(file, path)


def take(path: Path) -> int | None:
    """Take a lock; returns its open file, for `release`, or None while another holds it.

    Raises
    ------
    OSError
        If the file cannot be written, or the file system has no locks.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "there are no such locks")
    import fcntl

    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _names(path, file):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # the last holder has removed it in the meantime


def release(file: int, path: Path) -> None:
    """Give a lock back, with its file."""
    try:
        path.unlink(missing_ok=True)
    finally:
        os.close(file)


def has_no_locks(error: OSError) -> bool:
    """Whether an error of `take` means that there are no locks here."""
    return error.errno in _NO_LOCKS


def _wait(path: Path, done: Callable[[], bool], patience_s: float) -> int | None:
    start, pause, told = time.monotonic(), _FIRST_PAUSE_S, False
    while True:
        try:
            file = take(path)
        except OSError as error:
            if has_no_locks(error):
                return None
            raise
        waited = time.monotonic() - start
        if file is not None or done() or waited > patience_s:
            return file
        if waited > _SLOW_S and not told:
            told = True
            _log.warning("another process is compiling the same; waiting for it (%s)", path)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _names(path: Path, file: int) -> bool:
    """Whether a name still is that of an open file."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False
