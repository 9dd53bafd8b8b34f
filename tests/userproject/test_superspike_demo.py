"""The command: what it writes, prints and refuses."""

import csv
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snnlearn import exchange, genn
from snnlearn.data import target_path
from snnlearn.errors import TrainingError
from snnlearn.io import SpikeTrains, read_ras
from snnlearn.userproject import superspike as ss
from snnlearn.userproject.superspike_demo import Progress, get_parser, main
from snnlearn.userproject.superspike_training import (
    DEMO_OPTIMISERS,
    SCHEDULES,
    default_schedule,
    linear,
    make_learner,
    step,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_display(monkeypatch, tmp_path):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)


def run(*args):
    return main([str(a) for a in args])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two trials with everything saved, on one thread and on two."""
    folders = {}
    for threads in (1, 2):
        folders[threads] = tmp_path_factory.mktemp(f"threads{threads}")
        status = run(
            "--record-trial", 0, 1, "--num-trials", 2, "--seed", 5, "--threads", threads, "--save-data", "--quiet",
            "--output-dir", folders[threads],
        )  # fmt: skip
        assert status == 0
    return folders


def test_saved_files(saved):
    names = {f"{layer}_spikes_{trial}.csv" for layer in ("input", "hidden", "output") for trial in (0, 1)}
    assert {file.name for file in saved[1].iterdir()} == names | {"learning_curve.csv"}


def test_spike_files(saved):
    first, *rows = (saved[1] / "input_spikes_1.csv").read_text().splitlines()
    assert first == "# Time [ms], Neuron ID"
    spikes = [(float(time), int(neuron)) for time, neuron in (row.split(",") for row in rows)]
    assert spikes == sorted(spikes)
    assert 1500 < len(spikes) < 2300  # 1890 expected, standard deviation 43
    # The input is frozen: the same in every trial.
    assert (saved[1] / "input_spikes_0.csv").read_text() == (saved[1] / "input_spikes_1.csv").read_text()


def test_learning_curve(saved):
    with (saved[1] / "learning_curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["1", "2"]
    assert all(float(row["r0"]) == 1.0 for row in rows)
    ratios = [float(row["error"]) / float(row["error_of_silent"]) for row in rows]
    # The silent layer's normalised error hardly moves between the first trial and the second.
    assert ratios[1] == pytest.approx(ratios[0], rel=0.02)


def test_files_do_not_depend_on_threads(saved):
    for file in saved[1].iterdir():
        assert file.read_bytes() == (saved[2] / file.name).read_bytes(), file.name


def test_another_seed_is_another_run(saved, tmp_path):
    assert run("--record-trial", 0, "--num-trials", 1, "--seed", 6, "--save-data", "--quiet") == 0
    assert (tmp_path / "hidden_spikes_0.csv").read_bytes() != (saved[1] / "hidden_spikes_0.csv").read_bytes()


def test_prints_every_tenth_trial_and_saves_the_plot_without_a_display(capsys, tmp_path):
    assert run("--record-trial", 9, "--num-trials", 11, "--seed", 1, "--kernel-profiling") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("Backend cpu (")
    assert lines[0].endswith(", seed 1")
    assert lines[1].startswith("Trial 10 (r0 = 1.000000, error = ")
    labels = [line.split(": ")[0] for line in lines[2:9]]
    assert labels == [
        "Init",
        "Init sparse",
        "Neuron update",
        "Presynaptic update",
        "Synapse dynamics",
        "Gradient learning custom update",
        "Gradient learning custom update transpose",
    ]
    seconds = {label: float(line.split(": ")[1]) for label, line in zip(labels, lines[2:9], strict=True)}
    assert seconds["Init sparse"] == 0.0
    assert all(seconds[label] > 0.0 for label in labels if label != "Init sparse")
    assert lines[9] == f"Plot saved to {tmp_path / 'superspike_demo.png'}"
    assert (tmp_path / "superspike_demo.png").read_bytes().startswith(b"\x89PNG")
    assert err == ""  # no bar where there is no terminal


def test_weights_that_are_not_finite_are_an_error_though_the_curve_shows_silence(capsys, monkeypatch, tmp_path):
    def spoil(self, trainer, trial):
        weights = trainer.connections[0].synapses.vars["w"]
        weights.view[...] = np.nan
        weights.push_to_device()

    monkeypatch.setattr("snnlearn.userproject.superspike_demo.Progress.on_epoch_begin", spoil)
    assert run("--record-trial", "--num-trials", 2, "--seed", 1, "--save-data", "--quiet") == 2
    assert [np.isfinite(share) for _, share in curve()] == [True, True]
    message = "51200 of 51200 weights of 'InputHidden' are no longer finite; a lower learning rate"
    assert capsys.readouterr().err.startswith(f"superspike_demo: error: {message}")


def test_the_curve_ends_where_the_state_is_no_longer_finite():
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    network = ss.describe(genn, ss.frozen_poisson(1), target, seed=1)
    learner = make_learner(genn, network, target, [DEMO_OPTIMISERS["SGD"]])
    progress = Progress(learner, "", None, plotting=False, quiet=True)
    learner.callbacks.append(progress)
    learner.fit(1, 0.001, "SGD")
    network.output.vars["avgSqrErr"].values = np.nan
    network.output.vars["avgSqrErr"].push_to_device()
    with pytest.raises(TrainingError, match=r"the loss is nan at update 3: "):
        learner.fit(20, 0.001, "SGD")
    assert learner.runner.trial == 10
    progress.settle()
    assert [point.trial for point in progress.curve] == [1]


def test_quiet_and_plot_file(capsys, tmp_path):
    assert run("--record-trial", "--num-trials", 1, "--seed", 1, "--quiet", "--plot-file", "new/curve.svg") == 0
    assert capsys.readouterr() == ("", "")
    assert "<svg" in (tmp_path / "new" / "curve.svg").read_text()[:1000]


def test_learning_rate_falls_tenfold_every_400_trials():
    phases = step(1000, 1.0, DEMO_OPTIMISERS["RMaxProp"])
    assert [phase.epochs for phase in phases] == [400, 400, 200]
    assert [phase.lr for phase in phases] == pytest.approx([1.0, 0.1, 0.01])


def test_by_default_the_rate_is_held_for_ten_trials_and_falls_to_0():
    held, falling = linear(600, 0.5, DEMO_OPTIMISERS["RMaxProp"])
    assert (held.epochs, falling.epochs) == (10, 590)
    assert held.lr_at(3, 40) == falling.lr_at(0, 2000) == 0.5
    assert falling.lr_at(1000, 2000) == 0.25
    assert falling.lr_at(1999, 2000) == pytest.approx(0.5 / 2000)
    for trials in (1, 10):
        (whole,) = linear(trials, 0.5, DEMO_OPTIMISERS["RMaxProp"])
        assert (whole.epochs, whole.lr) == (trials, 0.5)
    assert {name: default_schedule(name) for name in DEMO_OPTIMISERS} == {
        name: "step" if name == "RMaxPropSeed" else "linear" for name in DEMO_OPTIMISERS
    }


@pytest.mark.parametrize(("options", "rate"), [((), 0.5), (("--optimiser", "RMaxPropSeed"), 1.0)])
def test_the_default_schedule_is_the_optimisers(options, rate, tmp_path):
    assert run("--record-trial", "--num-trials", 12, "--seed", 1, "--save-data", "--quiet", *options) == 0
    with (tmp_path / "learning_curve.csv").open() as file:
        rates = [float(row["r0"]) for row in csv.DictReader(file)]
    assert rates[:9] == [1.0] * 9
    assert rates[10] == pytest.approx(rate, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_error_does_not_rise_again(seed, tmp_path):
    """With a rate that falls to a tenth after 400 trials it does, from about 3.1 to 3.7 % of a silent layer's."""
    assert run("--record-trial", "--seed", seed, "--save-data", "--quiet") == 0
    with (tmp_path / "learning_curve.csv").open() as file:
        shares = [float(row["error_of_silent"]) for row in csv.DictReader(file)]
    assert len(shares) == 600
    assert shares[-1] < 0.03
    assert shares[-1] <= min(shares) * 1.02


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimiser", DEMO_OPTIMISERS)
def test_schedules_fill_the_trials(schedule, optimiser):
    phases = SCHEDULES[schedule](600, 1.0, DEMO_OPTIMISERS[optimiser])
    assert sum(phase.epochs for phase in phases) == pytest.approx(600)
    assert max(np.max(phase.lr_at(0, 1)) for phase in phases) <= 1.0


@pytest.mark.parametrize(
    ("schedule", "optimiser"),
    [
        ("best", "Adam"),
        ("1cycle", "SGD"),
        ("constant", "RMaxPropSeed"),
        pytest.param("1cycle", "IDBD", marks=pytest.mark.slow),
    ],
)
def test_other_schedules_and_optimisers(schedule, optimiser, tmp_path):
    args = ["--schedule", schedule, "--optimiser", optimiser, "--num-trials", 10, "--seed", 1]
    assert run("--record-trial", "--save-data", "--quiet", *args) == 0
    with (tmp_path / "learning_curve.csv").open() as file:
        rates = [float(row["r0"]) for row in csv.DictReader(file)]
    assert (max(rates) > min(rates)) == (schedule != "constant")


def test_finder(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("snnlearn.userproject.superspike_demo.FINDER_TRIALS", 8)
    assert run("--record-trial", "--seed", 1, "--lr-find", "--output-dir", tmp_path / "found") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(", seed 1")
    assert lines[1].startswith("Suggested learning rate: ")
    assert lines[2] == f"Plot saved to {tmp_path / 'found' / 'superspike_demo_lr.png'}"
    assert (tmp_path / "found" / "superspike_demo_lr.png").stat().st_size > 10_000


def test_defaults_are_the_seeds():
    args = get_parser().parse_args(["--record-trial", "3", "1"])
    assert (args.record_trial, args.num_trials, args.kernel_profiling, args.save_data) == ([3, 1], 600, False, False)


def curve():
    with Path("learning_curve.csv").open() as file:
        return [(int(row["trial"]), float(row["error_of_silent"])) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    "spikes",
    ["1.8899 200\n", "1.8899 1\n1.8899 200\n", "0.0 200\n", "0.5 3\n0.5 3\n0.50004 3\n1.8899 200\n"],
    ids=["the last timestep", "twice", "the first timestep", "one timestep for several"],
)
def test_targets_at_the_ends_of_a_trial(spikes, capsys, tmp_path):
    (tmp_path / "t.ras").write_text(spikes)
    args = ["--record-trial", "--num-trials", 2, "--seed", 1, "--save-data", "--target-file", "t.ras"]
    assert run(*args) == 0
    assert [trial for trial, _ in curve()] == [1, 2]
    assert all(np.isfinite(share) for _, share in curve())
    assert capsys.readouterr().err == ""


def test_spikes_after_the_last_timestep(capsys, tmp_path):
    (tmp_path / "t.ras").write_text("0.5 200\n1.88995 3\n")
    args = ["--record-trial", "--num-trials", 1, "--seed", 1, "--save-data", "--target-file", "t.ras"]
    assert run(*args) == 0
    assert capsys.readouterr().err == (
        "superspike_demo: warning: t.ras: 1 of 2 spikes come after the trial's last timestep, which begins at "
        "1.8899 s, and cannot take place\n"
    )
    (tmp_path / "t.ras").write_text("1.88995 200\n")
    refuse(capsys, r"t\.ras: 1 of 1 spikes come after the trial's last timestep", *args)


def test_targets_of_other_programs(capsys, tmp_path):
    """One target in four formats is one training."""
    pytest.importorskip("h5py", reason="the extra hdf5 is not installed")
    args = ["--record-trial", "--num-trials", 1, "--seed", 1, "--save-data", "--quiet", "--target-file"]
    trains = SpikeTrains.from_spikes([500.0, 700.1], [0, 4], ss.NUM_OUTPUT)
    exchange.write(tmp_path / "t.h5", trains, population="cortex")
    (tmp_path / "t.gdf").write_text("11\t5000\n15\t7001\n")
    (tmp_path / "t.ras").write_text("0.5 1\n0.7001 5\n")
    (tmp_path / "t.csv").write_text("# Time [ms], Neuron ID\n500.0,0\n700.1,4\n")
    found = set()
    for file in (["t.ras"], ["t.csv"], ["t.h5"], ["t.gdf", "--first-id", 11, "--target-unit", 0.1]):
        assert run(*args, *file) == 0
        found.add(Path("learning_curve.csv").read_bytes())
    assert len(found) == 1
    capsys.readouterr()
    refuse(capsys, r"t\.gdf: a file without the columns' names does not say .*; say it: unit=", *args, "t.gdf")
    refuse(capsys, "there is no population 'thalamus'", *args, "t.h5", "--target-population", "thalamus")
    refuse(capsys, r"t\.ras: --target-unit is for \.csv", *args, "t.ras", "--target-unit", "ms")
    refuse(
        capsys, r"t\.gdf: 1 of 2 spikes are at or after the end", *args, "t.gdf", "--first-id", 11, "--target-unit", 0.3
    )


def test_ids_that_start_at_0(capsys, tmp_path):
    args = ["--record-trial", "--num-trials", 1, "--seed", 1, "--save-data", "--quiet", "--target-file"]
    found = {}
    for name, first_id, spikes in [
        ("zero", 0, "0.5 0\n0.7 4\n"),
        ("one", 1, "0.5 1\n0.7 5\n"),
        ("two", 1, "0.5 2\n0.7 5\n"),
    ]:
        (tmp_path / f"{name}.ras").write_text(spikes)
        assert run(*args, f"{name}.ras", "--first-id", first_id) == 0
        found[name] = Path("learning_curve.csv").read_bytes()
    assert found["zero"] == found["one"] != found["two"]
    assert capsys.readouterr() == ("", "")
    refuse(capsys, r"zero\.ras:1: .* 0 is out of the range 1\.\.200; .*first_id=0 \(--first-id 0\)", *args, "zero.ras")
    assert run(*args, "one.ras") == 0
    assert Path("learning_curve.csv").read_bytes() == found["one"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("superspike_demo: warning: one.ras: the ids, 1 to 5 for 200 neurons, could count from 0 or")


@pytest.mark.parametrize(
    ("redirection", "trials"),
    [(">&-", 2), (">/dev/full", 2), ("| head -n 1", 11), ("2>&- >&-", 2)],  # each tenth trial is printed
)
def test_a_training_outlives_its_stdout(redirection, trials, tmp_path):
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    arguments = f"--record-trial 0 --num-trials {trials} --seed 1 --save-data"
    command = f"{sys.executable} -m snnlearn.userproject.superspike_demo {arguments}"
    shell = f"({command}; echo $? > status) {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", shell], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    full = "superspike_demo: error: cannot write to stdout: No space left on device\n"
    assert done.stderr == (full if "full" in redirection else "")
    assert (tmp_path / "status").read_text() == ("1\n" if "full" in redirection else "0\n")
    assert len(curve()) == trials
    assert (tmp_path / "output_spikes_0.csv").is_file()


def test_a_path_that_cannot_be_printed(tmp_path):
    folder = "\xe9 \udcff" if sys.platform == "linux" else "\xe9"
    command = [sys.executable, "-m", "snnlearn.userproject.superspike_demo", "--record-trial", "--num-trials", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "--output-dir", folder], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\xe9" in done.stdout.splitlines()[-1]
    assert (tmp_path / folder / "superspike_demo.png").is_file()


GOOD = "0.5 1\n0.25 200\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"missing\.ras"),
        (b"", r"target\.ras.*no spikes|target\.ras.*empty"),
        (b"\x89PNG\r\n\x00\x01", r"target\.ras"),
        (b"0.5 1\nhello\n", r"target\.ras.*2"),
        (b"0.5 1\n0.5 201\n", r"target\.ras.*2.*1.*200"),
        (b"0.5 0\n", r"target\.ras.*1.*200"),
        (b"-0.5 1\n", r"target\.ras.*1"),
        (b"nan 1\n", r"target\.ras.*1"),
        (b"0.1 1\n0.5 1\ninf 1\n", r"target\.ras.*3"),
        (b"0.1 1\n1.9 1\n2.5 2\n", r"2 of 3"),
    ],
)
def test_bad_targets(content, message, capsys, tmp_path):
    file = tmp_path / ("target.ras" if content is not None else "missing.ras")
    if content is not None:
        file.write_bytes(content)
    out = tmp_path / "out"
    refuse(capsys, message, "--target-file", file, "--record-trial", 0, "--save-data", "--output-dir", out)
    assert not out.exists() or list(out.iterdir()) == []


def refuse(capsys, message, *args):
    """Expect exit status 2, one line on stderr that matches, nothing on stdout."""
    try:
        status = run(*args)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("superspike_demo: error: ")
    assert re.search(message, err), err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--record-trial", 10, "--num-trials", 10], "--record-trial 10: the trials of this run are 0 to 9"),
        (["--record-trial", -1], "--record-trial -1: the trials of this run are 0 to 599"),
        (["--record-trial", 0, "--num-trials", 0], "--num-trials must be at least 1, not 0"),
        (["--record-trial", "--num-trials", -5], "--num-trials must be at least 1, not -5"),
        (["--record-trial", "x"], "invalid int value: 'x'"),
        ([], "the following arguments are required: --record-trial"),
        (["--record-trial", 0, "--backend", "gpu"], "unknown backend 'gpu'.*available here: cpu"),
        (["--record-trial", 0, "--backend", "cuda:99"], "backend 'cuda:99' is not available: .*available here: cpu"),
        (["--record-trial", 0, "--seed", 0], "--seed must be from 1"),
        (["--record-trial", 0, "--threads", 0], "threads must be an integer from 1 to 1024, not 0"),
        (["--record-trial", 0, "--plot-file", "x.gif"], r"x\.gif.*\.png, \.pdf or \.svg"),
        (["--record-trial", 0, "--optimiser", "Adamm"], "--optimiser.*Adamm"),
        (["--record-trial", 0, "--lr", "nan"], "lr must be finite"),
        (["--record-trial", 0, "--lr", -1], "lr must be at least 0"),
        (["--record-trial", 0, "--lr", "inf"], "lr must be finite"),
        (
            ["--record-trial", 0, "--lr", "1e39"],
            r"--lr 1e\+39 is infinite in single precision; it must be at most 3\.4",
        ),
        (["--record-trial", 0, "--lr", "1e-39"], "--lr 1e-39 is 0 in single precision"),
        (["--record-trial", 0, "--num-trials", 10**9], "--num-trials must be at most 10000000, not 1000000000"),
        (["--record-trial", 0, "--threads", 10**9], "threads must be an integer from 1 to 1024"),
        (["--record-trial", 0, "--seed", 2**64], "--seed must be from 1"),
        (["--record-trial", 0, "--first-id", 2], r"first_id must be 0 or 1, not 2"),
        (
            ["--record-trial", 0, "--first-id", 0],
            r"oxford-target\.ras:\d+: .* 200 is out of the range 0\.\.199; .*first_id=1",
        ),
        (["--record-trial", 0, "--schedule", "sgdr", "--num-trials", 20], "the schedule sgdr needs at least 70 trials"),
        (["--record-trial", 0, "--num-trial", 3], "--num-trial.*did you mean '--num-trials'"),
    ],
)
def test_bad_arguments(args, message, capsys):
    refuse(capsys, message, *args)


def test_output_dir_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    refuse(capsys, "file", "--record-trial", 0, "--output-dir", tmp_path / "file" / "below")


def test_no_compiler(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ziglang" else find_spec(name))
    refuse(capsys, r"no C\+\+ compiler found.*g\+\+.*snnlearn\[compiler\]", "--record-trial", 0)


def test_runs_as_a_script_from_another_folder(tmp_path):
    target = tmp_path / "two.ras"
    target.write_text(GOOD)
    script = ROOT / "userproject" / "superspike_demo.py"
    done = subprocess.run(
        [sys.executable, str(script), "--record-trial", "0", "--num-trials", "1", "--target-file", str(target)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Plot saved to" in done.stdout


def test_the_bundled_target_is_the_default():
    assert target_path().name == "oxford-target.ras"


@pytest.mark.slow
def test_learns_to_draw_the_bundled_target(tmp_path):
    assert run("--record-trial", 99, "--num-trials", 100, "--seed", 1, "--save-data", "--quiet") == 0
    with (tmp_path / "learning_curve.csv").open() as file:
        assert float(list(csv.DictReader(file))[-1]["error_of_silent"]) <= 0.20


@pytest.mark.parametrize("name", ["learning_curve.csv", "output_spikes_0.csv", "plot.png"])
def test_a_file_that_is_a_folder_is_found_before_training(name, capsys, tmp_path):
    (tmp_path / name).mkdir()
    args = ["--record-trial", 0, "--save-data", "--plot-file", tmp_path / "plot.png"]
    refuse(capsys, f"cannot write .*{name}: it is a folder", *args)


def test_ctrl_c_keeps_the_curve(capsys, monkeypatch, tmp_path):
    def stop(self, trainer, trial, spikes):
        raise KeyboardInterrupt

    monkeypatch.setattr("snnlearn.userproject.superspike_demo.Progress.on_recording", stop)
    assert run("--record-trial", 1, "--num-trials", 5, "--seed", 1, "--save-data") == 130
    with (tmp_path / "learning_curve.csv").open() as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["1"]
    assert capsys.readouterr().err == "superspike_demo: interrupted\n"


def test_a_broken_compiler_is_one_line(capsys, monkeypatch):
    monkeypatch.setenv("CXX", "/bin/true")
    refuse(capsys, r"compiler /bin/true failed: it wrote no library; is it a C\+\+ compiler", "--record-trial", 0)
