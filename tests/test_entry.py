"""Where console scripts begin: Ctrl-C is one line from the first moments on."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from snnlearn import entry
from snnlearn.cli import Interrupted, run_command

COMMANDS = ["snnlearn", "superspike_demo", "yin_yang", "torch_yin_yang", "few_shot", "tracking", "digits", "randman"]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_next_to_nothing_is_imported_first():
    heavy = ["numpy", "tqdm", "argparse", "importlib.metadata", "dataclasses", "snnlearn.errors", "snnlearn.training"]
    done = run(f"import sys, snnlearn.entry; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import snnlearn; print(snnlearn.SnnlearnError.__name__)",
        "import snnlearn; print(snnlearn.errors.SnnlearnError.__name__)",
        "from snnlearn import SnnlearnError; print(SnnlearnError.__name__)",
        "from snnlearn import *; print(SnnlearnError.__name__)",
        "from snnlearn import errors; print(errors.SnnlearnError.__name__)",
    ],
)
def test_the_package_has_its_errors(code):
    assert run(code).stdout == "SnnlearnError\n"


@pytest.mark.parametrize(
    ("when", "text"), [("import", "interrupted; nothing was begun"), ("return", "interrupted, when all was done")]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["snnlearn", "tracking"])
def test_a_signal_is_one_line_while_nothing_can_be_lost(command, number, when, text):
    # A finder of modules that catches everything stands for those that do; so does a module on its way out.
    code = f"""
import os, signal, sys
from snnlearn import entry

def interrupted(*_):
    try:
        os.kill(os.getpid(), {int(number)})
    except BaseException:
        pass
    print("it went on", file=sys.stderr)

class Main:
    main = staticmethod(lambda: 0)

entry.import_module = interrupted if {when!r} == "import" else lambda name: Main
entry.{command}()
interrupted()
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", f"{command}: {text}\n")


def test_a_signal_changes_no_status_while_python_ends():
    """Python has taken its handlers away by then; what is left of a module that is cleared is at its last words."""
    code = """
import os, signal, sys
from snnlearn import entry

class Main:
    main = staticmethod(lambda: 3)

class Last:
    def __del__(self, kill=os.kill, pid=os.getpid(), numbers=(signal.SIGINT, signal.SIGTERM), write=os.write):
        for number in numbers:
            kill(pid, number)
        write(1, b"went on")

sys.last = Last()
entry.import_module = lambda name: Main
raise SystemExit(entry.tracking())
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (3, "went on", "")


def test_commands_do_without_docstrings():
    code = f"""
import sys
from snnlearn import entry

sys.argv[1:] = ["--help"]
for command in {COMMANDS}:
    try:
        getattr(entry, command)()
    except SystemExit as stop:
        print("status", command, stop.code)
"""
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("status")] == [
        f"status {command} 0" for command in COMMANDS
    ]
    assert done.stdout.count("  -h, --help") == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_that_a_command_does_not_catch(command):
    code = f"""
from snnlearn import entry

class Main:
    def main():
        raise KeyboardInterrupt

entry.import_module = lambda name: Main
entry.{command}()
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{command}: interrupted\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_signals_raise_while_a_command_runs(command, monkeypatch):
    def main():
        return run_command(command, body)

    def body():
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
        return 7

    names, before = [], [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def import_module(name):
        names.append(name)
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        return type("Module", (), {"main": staticmethod(main)})

    monkeypatch.setattr(entry, "import_module", import_module)
    try:
        assert getattr(entry, command)() == 7
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    assert names[0].rsplit(".", 1)[-1] in (command, "command")


def test_a_command_that_ignores_ctrl_c_goes_on_ignoring_it(monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ends = entry.EndsAtOnce("prog")
        ends.begin()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        ends.end()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_block_that_ends_at_once():
    code = """
import os, signal
from snnlearn.entry import EndsAtOnce

with EndsAtOnce("prog"):
    pass
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("raised", flush=True)
with EndsAtOnce("prog"):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        pass
print("it went on")
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "raised\n", "prog: interrupted; nothing was begun\n")


def test_a_block_in_another_thread_leaves_ctrl_c_alone():
    failed = []

    def block():
        try:
            with entry.EndsAtOnce("prog"):
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert not failed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
