"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from snnlearn.errors import OutputError, TargetError
from snnlearn.io import atomic_write, check_output_dir


def test_old_content_stays_until_the_end(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with atomic_write(path) as file:
        file.write("new\n")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == b"new\n"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_bytes(tmp_path):
    with atomic_write(tmp_path / "file", "wb") as file:
        file.write(b"\0\r\n")
    assert (tmp_path / "file").read_bytes() == b"\0\r\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, TargetError])
def test_failure_leaves_everything_as_it_was(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail_half_way():
        with atomic_write(path) as file:
            file.write("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_error_of_the_disk_becomes_ours(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(OutputError) as error, atomic_write(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(error.value) == f"cannot write {path}: No space left on device"
    assert os.listdir(tmp_path) == []


def test_folder_missing_folder_and_file_as_folder(tmp_path):
    (tmp_path / "plain").write_text("x")
    for path, message in (
        (tmp_path, f"cannot write {tmp_path}: it is a folder"),
        (
            tmp_path / "no" / "file",
            f"cannot write {tmp_path / 'no' / 'file'}: the folder {tmp_path / 'no'} does not exist",
        ),
        (
            tmp_path / "plain" / "file",
            f"cannot write {tmp_path / 'plain' / 'file'}: the folder {tmp_path / 'plain'} does not exist",
        ),
    ):
        with pytest.raises(OutputError) as error, atomic_write(path):
            pytest.fail("the block must not run")
        assert str(error.value) == message


def test_refuses_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="it is not a regular file"), atomic_write(tmp_path / "pipe"):
        pytest.fail("the block must not run")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_follows_links_and_respects_the_umask(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "file")
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "link") as file:
            file.write("x")
    finally:
        os.umask(old)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "x"
    assert stat.S_IMODE((tmp_path / "real" / "file").stat().st_mode) == 0o640


def test_long_names(tmp_path):
    path = tmp_path / ("x" * 250)
    with atomic_write(path) as file:
        file.write("x")
    assert path.read_text() == "x"


def test_refuses_other_modes(tmp_path):
    with pytest.raises(ValueError, match="mode must be 'w' or 'wb', not 'a'"), atomic_write(tmp_path / "f", "a"):
        pytest.fail("the block must not run")


def test_output_dir_is_created_and_left_empty(tmp_path):
    folder = check_output_dir(str(tmp_path / "a" / "b"))
    assert folder == tmp_path / "a" / "b"
    assert os.listdir(folder) == []
    assert check_output_dir(folder) == folder


def test_output_dir_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError) as error:
        check_output_dir(tmp_path / "file")
    assert str(error.value) == f"cannot create the folder {tmp_path / 'file'}: there is a file of that name"
    with pytest.raises(OutputError, match=r"cannot create the folder .*: Not a directory"):
        check_output_dir(tmp_path / "file" / "below")


def test_output_dir_that_cannot_be_written_to(tmp_path, monkeypatch):
    # For root permission bits do not count; here the kernel refuses, as on a read-only mount.
    def refuse(*_args, **_kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile._mkstemp_inner", refuse)
    with pytest.raises(OutputError) as error:
        check_output_dir(tmp_path)
    assert str(error.value) == f"cannot write to the folder {tmp_path}: Read-only file system"


def test_output_dir_without_a_name():
    with pytest.raises(OutputError, match="the name of the output folder is empty"):
        check_output_dir("")
