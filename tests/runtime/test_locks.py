"""Locks between processes: never stale, never waited for without end, never in the way where there are none."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from snnlearn.runtime import locks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
HOLD = """
import sys
from pathlib import Path
from snnlearn.runtime import locks

file = locks.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name.lock"


def never() -> bool:
    return False


def test_one_at_a_time(path: Path) -> None:
    order: list[str] = []

    def other() -> None:
        with locks.locked(path, never):
            order.append("other")

    thread = threading.Thread(target=other)
    with locks.locked(path, never):
        thread.start()
        time.sleep(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
    assert not path.exists()


def test_a_lock_ends_with_its_process(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert locks.take(path) is None
        holder.kill()
    assert path.exists()
    with locks.locked(path, never, patience_s=5.0):
        assert locks.take(path) is None
    assert not path.exists()


def test_a_holder_that_never_ends_is_not_waited_for_without_end(path: Path) -> None:
    file = locks.take(path)
    assert file is not None
    with locks.locked(path, never, patience_s=0.05):
        assert path.exists()
    assert path.exists(), "it is the holder's still"
    locks.release(file, path)


def test_what_is_done_is_not_waited_for(path: Path) -> None:
    file = locks.take(path)
    assert file is not None
    answers = iter([False, True])
    with locks.locked(path, lambda: next(answers)):
        pass
    locks.release(file, path)


def test_a_file_that_its_holder_removes_is_no_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    real, removed = fcntl.flock, []

    def flock(file: int, how: int) -> None:
        if not removed:
            removed.append(path.unlink())
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    file = locks.take(path)
    assert file is not None
    assert os.path.samestat(os.fstat(file), path.stat())
    locks.release(file, path)


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with locks.locked(path, never):
        pass
    monkeypatch.setattr("fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"), locks.locked(path, never):
        pass


def test_a_folder_in_the_way(path: Path) -> None:
    path.mkdir()
    with pytest.raises(IsADirectoryError), locks.locked(path, never):
        pass
