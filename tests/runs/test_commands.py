"""Runs that are done again, and what ``snnlearn`` says of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from snnlearn.command import main
from snnlearn.data import target_path
from snnlearn.userproject.superspike_demo import main as superspike_demo


def test_a_run_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files, byte for byte; of another target another curve, and why."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(target_path(), "target.ras")
    one = [
        "--target-file",
        "target.ras",
        "--first-id",
        "1",
        "--num-trials",
        "2",
        "--seed",
        "3",
        "--quiet",
        "--save",
        "run",
    ]
    assert superspike_demo(["--record-trial", "0", *one]) == 0
    capsys.readouterr()
    assert main(["rerun", "run"]) == 0
    said = capsys.readouterr().out
    assert {"learning_curve.csv: the same", "weights.npz: the same", "superspike_demo.png: the same"} <= set(
        said.splitlines()
    )
    for name in ("learning_curve.csv", "weights.npz", "superspike_demo.png"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "run-again" / name).read_bytes()
    assert main(["compare", "run", "run-again"]) == 0
    assert capsys.readouterr().out == "the two runs are the same\n"

    shutil.rmtree("run-again")
    Path("target.ras").write_text("0.5 1\n0.7 5\n")
    capsys.readouterr()
    assert main(["rerun", "run"]) == 1
    said = capsys.readouterr().out
    assert "the target is another today: what follows from it differs" in said
    assert "learning_curve.csv: differs" in said
    assert main(["compare", "run", "run-again"]) == 1
    assert "learning_curve.csv: the first difference is in line 2" in capsys.readouterr().out
