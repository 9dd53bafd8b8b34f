"""The console command ``snnlearn``, and what it shares with other commands."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imsave

import snnlearn
from snnlearn.cli import Parser, run_command
from snnlearn.command import main
from snnlearn.errors import BuildError, OutputError, SnnlearnError
from snnlearn.io import read_ras
from snnlearn.runtime import cache


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return an empty current folder with a picture: left half black, right half white."""
    monkeypatch.chdir(tmp_path)
    pixels = np.full((40, 60, 3), 255, dtype=np.uint8)
    pixels[:, :30] = 0
    imsave("half.png", pixels)
    return tmp_path


def run(capsys, *arguments):
    """Run the command as a shell would and return its exit status, stdout and stderr."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    return (status, *capsys.readouterr())


def test_target_from_a_picture(here, capsys):
    status, out, err = run(capsys, "target", "half.png", "out.ras")
    assert (status, err) == (0, "")
    # Half of 189 bins: the middle one is half covered, grey, and dithered; the 94 before it are black.
    trains = read_ras("out.ras", 200, 1890.0)
    assert out == f"out.ras: {trains.num_spikes} spikes of 200 neurons in 1.89 s\n"
    per_neuron = trains.end_index - trains.start_index
    assert set(per_neuron) == {94, 95}
    assert trains.times.max() < 950.0


def test_first_id(here, capsys):
    arguments = ("target", "half.png", "out.ras", "--num-neurons", "7", "--duration-s", "0.4", "--first-id")
    found = {}
    for first_id in (0, 1):
        assert run(capsys, *arguments, str(first_id))[::2] == (0, "")
        found[first_id] = read_ras("out.ras", 7, 400.0, first_id)
        assert {line.split()[1] for line in (here / "out.ras").read_text().splitlines()} == {
            str(first_id + n) for n in range(7)
        }
    np.testing.assert_array_equal(found[0].ids, found[1].ids)
    np.testing.assert_array_equal(found[0].times, found[1].times)


def test_a_target_is_written_where_the_message_cannot_be(here):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    code = "import sys; from snnlearn.command import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "target", "half.png", "out.ras"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "snnlearn: error: cannot write to stdout: No space left on device\n"
    assert read_ras("out.ras", 200, 1890.0).num_spikes > 0


def test_options(here, capsys):
    arguments = ("target", "half.png", "out.ras", "--num-neurons", "7", "--duration-s", "0.4")
    assert run(capsys, *arguments, "--seed", "1")[0] == 0
    first = (here / "out.ras").read_bytes()
    assert read_ras("out.ras", 7, 400.0).num_spikes == 7 * 20
    assert run(capsys, *arguments, "--seed", "2", "--preview", "look.png")[0] == 0
    assert (here / "out.ras").read_bytes() != first
    assert (here / "look.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir()) == ["half.png", "look.png", "out.ras"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: COMMAND"),
        ("targte a b", "argument COMMAND: invalid choice: 'targte' (choose from"),
        ("target half.png", "the following arguments are required: OUT.ras"),
        ("target half.png o.ras --sed 1", "unrecognized arguments: --sed 1; did you mean '--seed'?"),
        ("target half.png o.ras --see 1", "unrecognized arguments: --see 1; did you mean '--seed'?"),
        ("target half.png o.ras more", "unrecognized arguments: more\n"),
        ("target half.png o.ras --seed -1", "argument --seed: it must be a whole number from 0 on, not '-1'"),
        ("target half.png o.ras --seed x", "argument --seed: it must be a whole number from 0 on, not 'x'"),
        ("target half.png o.ras --first-id 2", "argument --first-id: invalid choice: 2"),
        ("target half.png o.ras --num-neurons 0", "argument --num-neurons: it must be a whole number from 1 on"),
        ("target half.png o.ras --num-neurons 99999999", "a target needs 1 to 10000000 pixels, not 99999999"),
        ("target half.png o.ras --duration-s 0", "argument --duration-s: it must be a multiple of 0.01 s"),
        ("target half.png o.ras --duration-s 1.895", "it must be a multiple of 0.01 s, such as 1.89, not '1.895'"),
        ("target half.png o.ras --duration-s nan", "it must be a multiple of 0.01 s, such as 1.89, not 'nan'"),
        ("target half.png o.ras --duration-s inf", "it must be a multiple of 0.01 s, such as 1.89, not 'inf'"),
        ("target no.png o.ras", "no.png: there is no such file"),
        ("target . o.ras", ".: this is a folder, not a picture"),
        ("target half.png no/o.ras", "cannot write no/o.ras: the folder "),
        ("target half.png .", "cannot write .: it is a folder"),
        ("target half.png half.png", "IMAGE and OUT.ras are the same file, half.png"),
        ("target half.png o.png --preview ./o.png", "OUT.ras and --preview are the same file, o.png"),
        ("target half.png o.ras --preview p.jpg", "cannot write p.jpg: a figure's name must end in .png, .pdf or"),
        ("target half.png o.ras --preview no/p.png", "cannot write no/p.png: the folder "),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(here, capsys, arguments, message):
    picture = (here / "half.png").read_bytes()
    status, out, err = run(capsys, *arguments.split())
    assert (status, out) == (2, "")
    assert err.startswith("snnlearn: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir() == ["half.png"]
    assert (here / "half.png").read_bytes() == picture


def test_version_and_help(capsys):
    assert run(capsys, "--version") == (0, f"snnlearn {snnlearn.__version__}\n", "")
    status, out, _ = run(capsys, "target", "--help")
    assert status == 0
    for option in ("--seed", "--num-neurons", "--duration-s", "--first-id", "--preview"):
        assert option in out


def test_parser_prints_one_line(capsys):
    parser = Parser(prog="some_command")
    parser.add_argument("--trials", type=int)
    for arguments, message in (
        (["--trials", "x"], "argument --trials: invalid int value: 'x'"),
        (["--trails=3"], "unrecognized arguments: --trails=3; did you mean '--trials'?"),
        (["--quite-different"], "unrecognized arguments: --quite-different; known: --help, --trials"),
    ):
        with pytest.raises(SystemExit) as stop:
            parser.parse_args(arguments)
        assert stop.value.code == 2
        assert capsys.readouterr() == ("", f"some_command: error: {message}\n")
    assert parser.parse_args(["--trials", "3"]).trials == 3


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (None, 0, ""),
        (SnnlearnError("it is wrong"), 2, "prog: error: it is wrong\n"),
        (BuildError("no luck"), 2, "prog: error: no luck\n"),
        (KeyboardInterrupt(), 130, "prog: interrupted\n"),
    ],
)
def test_run_command(capsys, raised, status, line):
    def body():
        if raised is not None:
            raise raised
        return 0

    assert run_command("prog", body) == status
    assert capsys.readouterr() == ("", line)


def test_an_interrupted_import_is_an_interruption(capsys):
    """Python before 3.12 makes a RuntimeError of a Ctrl-C that comes while a class is made, as Matplotlib's are."""

    def body():
        try:
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt as stop:
                raise RuntimeError("Error calling __set_name__") from stop
        except RuntimeError as error:
            raise OutputError("figures cannot be drawn") from error

    assert run_command("prog", body) == 130
    assert capsys.readouterr() == ("", "prog: interrupted\n")


def test_an_error_on_the_way_out_of_an_interruption_is_told(capsys):
    def body():
        try:
            raise KeyboardInterrupt
        finally:
            raise OutputError("cannot write learning_curve.csv")

    assert run_command("prog", body) == 2
    assert capsys.readouterr() == ("", "prog: error: cannot write learning_curve.csv\n")


def test_what_is_logged_is_a_warning_of_one_line(capsys):
    log = logging.getLogger("snnlearn")

    def body():
        log.warning("threads: %d", 99)
        log.debug("nobody asked")
        return 0

    handlers = list(log.handlers)
    assert run_command("prog", body) == 0
    assert capsys.readouterr() == ("", "prog: warning: threads: 99\n")
    assert log.handlers == handlers


def test_run_command_passes_the_status_and_leaves_defects_alone():
    assert run_command("prog", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run_command("prog", lambda: 1 // 0)


# ---- snnlearn cache ----


def test_the_cache_is_shown_and_cleared(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["cache", "info"]) == 0
    assert not (tmp_path / "snnlearn").exists(), "looking makes nothing"
    cache.stored(["x"], ".so", lambda target: target.write_bytes(bytes(200_000)))
    monkeypatch.setenv("SNNLEARN_CACHE_MB", "500")
    assert main(["cache", "info"]) == 0
    assert main(["cache", "clear"]) == 0
    assert main(["cache", "clear"]) == 0
    folder = tmp_path / "snnlearn"
    assert capsys.readouterr().out.splitlines()[3:] == [
        f"folder: {folder}",
        "files:  1",
        "size:   0.2 MB of at most 500 MB",
        f"{folder}: removed 1 file",
        f"{folder}: removed 0 files",
    ]


def test_a_cache_without_an_action(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["cache"])
    assert stop.value.code == 2
    assert "ACTION" in capsys.readouterr().err
