"""Streams that cannot fail, as a command has them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from snnlearn.cli import run_command
from snnlearn.errors import SnnlearnError, TargetWarning
from snnlearn.streams import Lenient, lenient_streams

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


START = "import os, sys\nfrom snnlearn.cli import run_command\n"
PRINTS = """
def body():
    for number in range(20_000):
        print("line", number)
    print("done", file=sys.stderr)
    return STATUS
sys.exit(run_command("prog", body))
"""


def run(code, shell="", **options):
    """Run a program that ends with the exit status of a command, by way of a shell's redirections."""
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-c", START + code]
    return subprocess.run(command, timeout=60, check=False, **{"text": True, **options})


def test_a_reader_that_leaves_ends_the_printing_alone():
    read, write = os.pipe()
    os.close(read)
    done = run(PRINTS.replace("STATUS", "0"), stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "done\n")


@needs_full
def test_a_full_disk_is_said_at_the_end():
    done = run(PRINTS.replace("STATUS", "0"), ">/dev/full", stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "done\nprog: error: cannot write to stdout: No space left on device\n"


@needs_full
def test_what_failed_anyway_keeps_its_status():
    assert run(PRINTS.replace("STATUS", "7"), ">/dev/full 2>&1").returncode == 7
    leaves = "sys.exit(run_command('prog', lambda: print('text') or sys.exit({})))"
    assert run(leaves.format(0), ">/dev/full 2>&1").returncode == 1
    assert run(leaves.format(3), ">/dev/full 2>&1").returncode == 3


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_become_files(closed, tmp_path):
    code = f"""
def body():
    with open({str(tmp_path / "out")!r}, "w") as file:
        os.write(1, b"what a library prints")
        os.write(2, b"what a library prints")
        print("text", file=sys.stderr)
        file.write("done")
    return 0
sys.exit(run_command("prog", body))
"""
    assert run(code, closed).returncode == 0
    assert (tmp_path / "out").read_text() == "done"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", b"\\xe9 \\udcff"), ("latin-1", b"\xe9 \\udcff"), ("utf-8", b"\xc3\xa9 \\udcff")],
)
def test_characters_that_the_encoding_lacks_are_escaped(encoding, expected):
    code = "sys.exit(run_command('prog', lambda: print('\\xe9 \\udcff') or print('\\xe9', file=sys.stderr) or 0))"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = run(code, text=False, capture_output=True, env=environment)
    assert done.returncode == 0
    assert done.stdout.strip() == expected
    assert b"Traceback" not in done.stderr


class Failing(io.StringIO):
    """Takes no more than a few characters."""

    def write(self, text):
        if self.tell() + len(text) > 5:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_nothing_is_written_after_a_failure():
    stream = Failing()
    lenient = Lenient(stream)
    assert [lenient.write(text) for text in ("abc", "defg", "h")] == [3, 4, 1]
    lenient.flush()
    assert stream.getvalue() == "abc"
    assert lenient.error is not None
    assert lenient.error.strerror == "No space left on device"
    assert lenient.isatty() is False


def test_the_streams_come_back(capsys):
    before = sys.stdout, sys.stderr
    with suppress(KeyboardInterrupt), lenient_streams():
        print("text")
        assert (sys.stdout, sys.stderr) != before
        raise KeyboardInterrupt
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "text\n"


def test_warnings_of_a_command_are_one_line_each(capsys):
    def body():
        import warnings

        for _ in range(2):
            warnings.warn("either way", TargetWarning, stacklevel=1)
        raise SnnlearnError("it is wrong")

    assert run_command("prog", body) == 2
    line = "prog: warning: either way\n"
    assert capsys.readouterr() == ("", line + line + "prog: error: it is wrong\n")
