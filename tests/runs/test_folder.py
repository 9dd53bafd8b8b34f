"""The folder of a run: what it says, what it refuses, and what is swept from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snnlearn import runs
from snnlearn.cli import Parser
from snnlearn.command import main
from snnlearn.errors import RunError
from snnlearn.runs import folder as folder_module
from snnlearn.runs.folder import RunFolder


def begin(folder: Path, **more: Any) -> runs.Run:
    return runs.begin(folder, "example", seed=3, engine="cpu", arguments=["--num-trials", "5"], **more)


def test_the_record_says_what_another_run_needs(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", digests={"target": "abc"}, files=["plot.png"], checkpoint_every=4)
    run.close()
    found = runs.read_run(tmp_path / "run")
    assert found["arguments"] == ["--num-trials", "5"]
    assert (found["program"], found["seed"], found["digests"]["target"]) == ("example", 3, "abc")
    assert found["options"] == {"checkpoint_every": 4, "stop_on_nan": True}
    assert {"snnlearn", "python", "numpy"} <= set(found["versions"])
    assert found["engine"]["flags"]
    assert found["machine"]["cpu"]


def test_a_folder_has_one_run(tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    with pytest.raises(RunError, match="holds another run; --resume goes on with a run, --overwrite replaces it"):
        begin(tmp_path / "run")
    (tmp_path / "run" / "learning_curve.csv").write_text("an old curve")
    begin(tmp_path / "run", overwrite=True).close()
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["run.json"]


def test_files_of_others_are_neither_mixed_nor_removed(tmp_path: Path) -> None:
    begin(tmp_path / "run", files=["plot.png"]).close()
    for name in ("plot.png", "thesis.tex"):
        (tmp_path / "run" / name).write_text("precious")
    with pytest.raises(RunError, match=r"has files that are no run's: thesis\.tex"):
        begin(tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "thesis.tex").read_text() == "precious"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(RunError, match=r"thesis\.tex"):
            begin(tmp_path / "other", overwrite=overwrite)


def test_a_record_cannot_have_files_elsewhere_removed(tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    (tmp_path / "precious").write_text("precious")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["files"] = ["../precious"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="damaged"):
        begin(tmp_path / "run", overwrite=True)
    folder = RunFolder(tmp_path / "run")
    folder.remove(["../precious", "/etc/hostname"])
    folder.close()
    assert (tmp_path / "precious").is_file()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    code = "import sys; from snnlearn import runs; runs.resume(sys.argv[1], 'example')"
    other = subprocess.run([sys.executable, "-c", code, tmp_path / "run"], capture_output=True, text=True, check=False)
    assert "RunError: another process works in the folder" in other.stderr
    run.close()
    runs.resume(tmp_path / "run", "example").close()
    with pytest.raises(RunError, match="is one of example, not of yin_yang"):
        runs.resume(tmp_path / "run", "yin_yang")


def test_a_record_is_read_when_nobody_else_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin(tmp_path / "run")
    lock = folder_module._locked

    def wait_for_it(path: Path) -> int | None:
        first.folder.write_record(sessions=[{"exit": "finished"}])
        first.close()
        return lock(path)

    monkeypatch.setattr(folder_module, "_locked", wait_for_it)
    run = runs.resume(tmp_path / "run", "example")
    assert [session["exit"] for session in run.record["sessions"]] == ["finished"]
    run.close()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    for name in (".checkpoint.npz.0123abcd.tmp", ".snnlearn-a1b2c3d4", ".run.json.ffffffff.tmp"):
        (tmp_path / "run" / name).write_text("half")
    (tmp_path / "run" / ".mine.tmp").write_text("whole")
    runs.resume(tmp_path / "run", "example").close()
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [".mine.tmp", "run.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": [1]},
        {"arguments": ["\0"]},
        {"files": ["a/b"]},
        {"options": {"checkpoint_every": -1, "stop_on_nan": True}},
        {"options": {"checkpoint_every": 10**400, "stop_on_nan": 1}},
        {"sessions": [{}]},
        {"digests": {"target": 1}},
        {"engine": {"name": 5}},
        {"seed": "1"},
        {"format": 2},
        {"program": None},
    ],
)
def test_a_record_is_checked(change: dict[str, Any], tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**record, **change}))
    with pytest.raises(RunError, match=r"run\.json is (damaged|no record of a run)"):
        runs.read_run(tmp_path / "run")


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b"[]", b'{"format": 1}', b"{}"])
def test_what_is_no_record(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError):
        runs.read_run(tmp_path)
    for command in (["inspect", str(tmp_path)], ["compare", str(tmp_path), str(tmp_path)], ["rerun", str(tmp_path)]):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith("snnlearn: error: ")


def test_a_run_is_of_a_program_that_is_known_and_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(tmp_path / "run").close()
    assert main(["rerun", str(tmp_path / "run")]) == 2
    assert "is one of example: that is no program of snnlearn's" in capsys.readouterr().err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**record, "program": "yin_yang"}))
    assert main(["rerun", str(tmp_path / "run")]) == 2
    assert "is not finished: yin_yang --resume" in capsys.readouterr().err


# ---- options ----


def parser() -> Parser:
    found = Parser(prog="example")
    found.add_argument("--num-trials", type=int, default=7)
    found.add_argument("--rates", type=float, nargs="*", default=[0.1])
    found.add_argument("--quiet", action="store_true")
    runs.add_options(found)
    return found


def test_a_command_line_comes_back(tmp_path: Path) -> None:
    args = parser().parse_args(["--rates", "0.1", "1e-3", "--save", str(tmp_path / "run"), "--no-stop-on-nan"])
    arguments = runs.as_arguments(parser(), args, num_trials=9)
    assert arguments == ["--num-trials", "9", "--rates", "0.1", "0.001"]
    runs.begin(tmp_path / "run", "example", seed=1, engine="cpu", arguments=arguments).close()
    resumed = ["--resume", str(tmp_path / "run")]
    assert runs.parse_arguments(parser(), resumed).num_trials == 9
    more = runs.parse_arguments(parser(), [*resumed, "--num-trials", "12", "--quiet"], ["--num-trials"])
    assert (more.num_trials, more.quiet, more.rates) == (12, True, [0.1, 0.001])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--resume", "RUN", "--rates", "3"], "takes all else from the run's run.json: leave out --rates 3"),
        (["--resume", "RUN", "--save", "x"], "leave out --save x"),
        (["--checkpoint-every", "3"], "need a folder for checkpoints: --save RUN"),
        (["--no-stop-on-nan"], "need a folder for checkpoints: --save RUN"),
        (["--save", "x", "--checkpoint-every", "0"], "must be at least 1, not 0"),
        (["--overwrite"], "--overwrite is for --save"),
        (["--force"], "--force is for --resume"),
    ],
)
def test_options_that_do_not_go_together(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(tmp_path / "run").close()
    with pytest.raises(SystemExit, match="2"):
        runs.parse_arguments(parser(), [str(tmp_path / "run") if word == "RUN" else word for word in argv])
    assert message in capsys.readouterr().err


def test_another_programs_run_is_not_parsed(tmp_path: Path) -> None:
    runs.begin(tmp_path / "run", "example", seed=1, engine="cpu", arguments=["--theirs", "1"]).close()
    with pytest.raises(RunError, match="is one of example, not of mine"):
        runs.parse_arguments(parser(), ["--resume", str(tmp_path / "run")], program="mine")


def test_a_record_cannot_say_where_else_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs.begin(tmp_path / "run", "example", seed=1, engine="cpu", arguments=["--save", "/tmp/elsewhere"]).close()
    with pytest.raises(SystemExit, match="2"):
        runs.parse_arguments(parser(), ["--resume", str(tmp_path / "run")])
    assert "says where another is to be kept" in capsys.readouterr().err
