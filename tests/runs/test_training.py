"""Training in a run folder: checkpoints, signals, the watch, and going on for longer."""

from __future__ import annotations

import signal
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delta_rule import Log, make, weights

from snnlearn import runs
from snnlearn.cli import Interrupted
from snnlearn.errors import OutputError, RunError, TrainingError, TrainingWarning
from snnlearn.runs.commands import inspect_lines
from snnlearn.runs.folder import RunFolder
from snnlearn.runs.watch import _is_saturated
from snnlearn.training import Callback, DecayType, Learner, TrainingPhase
from snnlearn.training.checkpoint import Checkpoint

STEADY = [TrainingPhase(2, "SGD", 0.05), TrainingPhase(1, "Adam", 0.02)]


def begin(tmp_path: Path, **more: Any) -> runs.Run:
    return runs.begin(tmp_path / "run", "example", seed=3, engine="cpu", **more)


def train(run: runs.Run, phases: list[TrainingPhase], *callbacks: Callback) -> Learner:
    learner = make(6, validation=2, callbacks=callbacks)
    run.load(learner)
    try:
        with run.training(learner):
            learner.fit_opt_sched(phases, extend=run.resumed)
        run.end(learner)
    finally:
        run.close()
    return learner


def whole(phases: list[TrainingPhase]) -> Learner:
    learner = make(6, validation=2)
    learner.fit_opt_sched(phases)
    return learner


def same(one: Learner, other: Learner) -> None:
    np.testing.assert_array_equal(weights(one), weights(other))
    assert one.epochs == other.epochs
    assert one.sched.to_dict() == other.sched.to_dict()


# ---- going on for longer ----


def test_a_run_at_a_constant_rate_can_have_more_trials(tmp_path: Path) -> None:
    train(begin(tmp_path), STEADY)
    longer = [STEADY[0], TrainingPhase(2, "Adam", 0.02), TrainingPhase(1, "SGD", (0.1, 0.0), DecayType.LINEAR)]
    same(train(runs.resume(tmp_path / "run", "example"), longer), whole(longer))
    record = runs.read_run(tmp_path / "run")
    assert [(s["from_trial"], s["trials"], s["exit"]) for s in record["sessions"]] == [
        (0, 18, "finished"),
        (18, 30, "finished"),
    ]


@pytest.mark.parametrize(
    "longer",
    [
        [STEADY[0], TrainingPhase(2, "Adam", 0.03)],
        [TrainingPhase(3, "SGD", 0.05), STEADY[1]],
        [STEADY[0], TrainingPhase(2, "Adam", (0.02, 0.01), DecayType.LINEAR)],
        STEADY[:1],
    ],
)
def test_other_phases_are_refused(longer: list[TrainingPhase]) -> None:
    learner = whole(STEADY)
    with pytest.raises(TrainingError, match="only phases at a constant rate can go on for longer"):
        learner.fit_opt_sched(longer, extend=True)


def test_a_fit_that_ended_within_an_epoch_cannot_go_on_for_longer() -> None:
    learner = whole([TrainingPhase(1.5, "SGD", 0.05)])
    with pytest.raises(TrainingError, match="only phases at a constant rate"):
        learner.fit_opt_sched([TrainingPhase(2.5, "SGD", 0.05)], extend=True)
    with pytest.raises(TrainingError, match="there is no fit to resume"):
        make().fit_opt_sched(STEADY, extend=True)


# ---- checkpoints ----


class Files(Callback):
    """Notes after which trials the file is another one."""

    def __init__(self, file: Path) -> None:
        self.file, self.seen, self.last = file, [], None

    def on_trial_begin(self, trainer: Any, trial: int) -> None:
        found = self.file.stat().st_ino if self.file.is_file() else None
        if found != self.last:
            self.seen.append(Checkpoint.read(self.file).progress["runner"][0])
        self.last = found


def test_checkpoints_come_every_so_many_trials(tmp_path: Path) -> None:
    files = Files(tmp_path / "run" / "checkpoint.npz")
    train(begin(tmp_path, checkpoint_every=5), STEADY, files)
    assert files.seen == [5, 10, 15]
    assert Checkpoint.read(files.file).progress["runner"][0] == 18
    with pytest.raises(TrainingError, match="every 1 trial or more, not 0"):
        runs.Keeper(files.file, 0)


def test_a_disk_that_is_full_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, calls = Checkpoint.write, []

    def fail_twice(self: Checkpoint, name: Path) -> Path:
        calls.append(name)
        if len(calls) in (2, 3):
            raise OutputError(f"cannot write {name}: No space left on device")
        return write(self, name)

    monkeypatch.setattr(Checkpoint, "write", fail_twice)
    with pytest.warns(TrainingWarning, match="no checkpoint of trial (8|12): cannot write .* No space left on device"):
        same(train(begin(tmp_path, checkpoint_every=4), STEADY), whole(STEADY))
    monkeypatch.setattr(Checkpoint, "write", lambda self, name: (_ for _ in ()).throw(OutputError("full")))
    other = runs.begin(tmp_path / "other", "example", seed=3, engine="cpu")
    with pytest.raises(OutputError, match="full"):
        train(other, STEADY)
    assert not (tmp_path / "other" / "weights.npz").exists()


@pytest.mark.parametrize("event", ["trial_begin", "update", "trial_end"])
def test_an_error_ends_with_the_last_trials_end(event: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"Log.on_{event} raised ZeroDivisionError"):
        train(begin(tmp_path, checkpoint_every=3), STEADY, Log((event, 7), ZeroDivisionError))
    record = runs.read_run(tmp_path / "run")
    assert record["sessions"][0]["exit"].startswith("TrainingError: the callback Log")
    kept = record["sessions"][0]["checkpoint_trial"]
    assert kept in (6, 7, 8)
    same(train(runs.resume(tmp_path / "run", "example"), STEADY), whole(STEADY))


# ---- signals ----


class Signal(Callback):
    """Sends signals to its own process, in the middle of a trial."""

    def __init__(self, trial: int, number: int, times: int = 1) -> None:
        self.trial, self.number, self.times = trial, number, times

    def on_update(self, trainer: Any, update: int) -> None:
        if trainer.runner.trial == self.trial:
            for _ in range(self.times):
                signal.raise_signal(self.number)


@pytest.fixture
def _python_answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_python_answers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_the_trial_at_hand(number: int, tmp_path: Path) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with pytest.raises(Interrupted, match=r"interrupted; example --resume .*run goes on after trial 8$") as caught:
        train(begin(tmp_path), STEADY, Signal(7, number))
    assert caught.value.number == number
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert runs.read_run(tmp_path / "run")["sessions"][0]["exit"] == f"interrupted by {signal.Signals(number).name}"
    assert not (tmp_path / "run" / "weights.npz").exists()
    same(train(runs.resume(tmp_path / "run", "example"), STEADY), whole(STEADY))


@pytest.mark.usefixtures("_python_answers")
def test_the_second_signal_does_not_wait(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="interrupted; no trial was finished"):
        train(begin(tmp_path), STEADY, Signal(7, signal.SIGINT, 2))
    with pytest.raises(Interrupted, match="goes on after trial 6"):
        train(runs.begin(tmp_path / "other", "example", seed=3, engine="cpu", checkpoint_every=3), STEADY,
              Signal(7, signal.SIGTERM, 2))  # fmt: skip
    for folder in (tmp_path / "run", tmp_path / "other"):
        same(train(runs.resume(folder, "example"), STEADY), whole(STEADY))


class Slow(Callback):
    """Makes trials last, for nobody to wait for them."""

    def on_update(self, trainer: Any, update: int) -> None:
        if trainer.runner.trial in (5, 6, 7):
            time.sleep(0.2)


@pytest.mark.usefixtures("_python_answers")
def test_long_trials_are_given_up(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"goes on after trial [67]"):
        train(begin(tmp_path), STEADY, Signal(7, signal.SIGINT), Slow())
    same(train(runs.resume(tmp_path / "run", "example"), STEADY), whole(STEADY))


class AfterTrial(Callback):
    """Sends a signal at a trial's end, where a trial is expected to end soon."""

    def on_trial_end(self, trainer: Any, trial: int) -> None:
        if trial == 17:
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_waits_is_answered_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="--save keeps it") as caught, runs.Interruption("--save keeps it") as waits:  # noqa: PT012
        waits.expect_trial(0.0)
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.number == signal.SIGTERM
    with pytest.raises(Interrupted, match="goes on after trial 18"):
        train(begin(tmp_path), STEADY, AfterTrial())
    same(train(runs.resume(tmp_path / "run", "example"), STEADY), whole(STEADY))


@pytest.mark.parametrize("when", ["before", "after", "behind the end"])
def test_a_signal_outside_training_is_recorded(when: str, tmp_path: Path) -> None:
    """And answered with what goes on; SIGTERM has its own handler back behind the block."""
    learner, before = make(6, validation=2), signal.getsignal(signal.SIGTERM)
    text, exit_ = {
        "before": ("no trial was finished; example --resume .* begins anew", "interrupted by SIGTERM"),
        "after": ("example --resume .* goes on after trial 18", "interrupted by SIGTERM"),
        "behind the end": ("the run in .* is finished", "finished"),
    }[when]
    with pytest.raises(Interrupted, match=f"^interrupted; {text}$") as caught, begin(tmp_path) as run:  # noqa: PT012
        if when != "before":
            with run.training(learner):
                learner.fit_opt_sched(STEADY)
        if when == "behind the end":
            run.end(learner)
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    (session,) = runs.read_run(tmp_path / "run")["sessions"]
    trials = 0 if when == "before" else 18
    assert (session["exit"], session["from_trial"], session["trials"]) == (exit_, 0, trials)
    same(train(runs.resume(tmp_path / "run", "example"), STEADY), whole(STEADY))


def test_whatever_ends_a_new_run_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no"), begin(tmp_path):
        raise TrainingError("no")
    assert [s["exit"] for s in runs.read_run(tmp_path / "run")["sessions"]] == ["TrainingError: no"]
    with pytest.raises(TrainingError, match="not so"), runs.resume(tmp_path / "run", "example"):
        raise TrainingError("not so")
    with pytest.raises(KeyboardInterrupt), runs.resume(tmp_path / "run", "example"):
        raise KeyboardInterrupt
    learner = make(6, validation=2)
    with runs.resume(tmp_path / "run", "example") as run, run.training(learner):
        learner.fit_opt_sched(STEADY)
    exits = [s["exit"] for s in runs.read_run(tmp_path / "run")["sessions"]]
    assert exits == ["TrainingError: no", "interrupted by SIGINT", "left without Run.end"]


def test_a_run_whose_process_is_gone(tmp_path: Path) -> None:
    run, folder = begin(tmp_path), tmp_path / "run"
    assert "session: none yet" in inspect_lines(folder)
    run.folder.write_record(sessions=[{"from_trial": 0, "exit": "running"}])
    assert "session 0: from trial 0: running" in inspect_lines(folder)
    run.close()
    assert "session 0: from trial 0: killed: its process is gone" in inspect_lines(folder)
    with pytest.warns(TrainingWarning, match="the process that had the run in .* is gone without a word: it was kill"):
        resumed = runs.resume(folder, "example")
    same(train(resumed, STEADY), whole(STEADY))
    assert [s["exit"] for s in runs.read_run(folder)["sessions"]] == ["killed", "finished"]
    resumed.folder.write_record(sessions=[])
    assert "session: none: it was ended before it trained" in inspect_lines(folder)


# ---- the watch ----


class Spoil(Callback):
    """Writes something to a weight after a trial."""

    def __init__(self, trial: int, *values: float) -> None:
        self.trial, self.values = trial, values

    def on_trial_end(self, trainer: Learner, trial: int) -> None:
        if trial == self.trial:
            variable = trainer.network["w"]
            variable.pull_from_device()
            variable.values = [*self.values, *variable.values[len(self.values) :]]
            variable.push_to_device()


def test_weights_that_are_not_finite_end_the_run_with_the_checkpoint_before(tmp_path: Path) -> None:
    phases = [TrainingPhase(3, "SGD", 0.0)]
    with pytest.raises(TrainingError, match="after trial 8 2 of 8 weights of 'Synapses' are no longer finite"):
        train(begin(tmp_path, checkpoint_every=4), phases, Spoil(7, np.nan, np.inf))
    checkpoint = Checkpoint.read(tmp_path / "run" / "checkpoint.npz")
    assert checkpoint.progress["runner"][0] == 4
    assert np.isfinite(checkpoint.arrays["Synapses.synapse.w"]).all()


def test_weights_at_their_bounds_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlearn.runs.watch._SHARE", 1e9)  # however short a trial is
    learner = make(6)
    learner.callbacks += [Spoil(2, *[5.0] * 5, 9.0), runs.Watch(learner.connections)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        learner.fit(2, 0.0, "SGD", momentum=0.0)
    texts = [str(one.message) for one in said if one.category is TrainingWarning]
    assert texts[0].startswith("after trial 3 weights of 'Synapses' are from -0.1")
    assert texts[0].endswith(" to 9, out of (-5, 5)")
    assert texts[1:] == ["after trial 4 75% of the weights of 'Synapses' are at a bound"]


def test_saturation() -> None:
    times = np.arange(0.0, 100.0, 5.0)
    every = np.concatenate([times] * 10), np.repeat(np.arange(10), len(times))
    assert _is_saturated(*every, 10)
    assert not _is_saturated(*every, 20), "half of them are silent"
    now_and_then = np.concatenate([[1.0, 6.0], np.arange(10.0, 1000.0, 50.0)])
    assert not _is_saturated(np.concatenate([now_and_then] * 3), np.repeat(np.arange(3), len(now_and_then)), 3)
    assert not _is_saturated(np.array([]), np.array([], int), 3)


def test_layers_without_spikes_are_said() -> None:
    class Group:
        name, num_neurons = "Hidden", 3
        spike_recording_data = ((np.array([]), np.array([], int)),)

    class Model:
        def pull_recording_buffers_from_device(self) -> None: ...

    class Trainer:
        model = Model()

    watch = runs.Watch([], [Group()])
    with pytest.warns(TrainingWarning, match="after trial 4 'Hidden' is silent: no neuron has spiked"):
        watch.on_trial_end(Trainer(), 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.on_trial_end(Trainer(), 10_000)


def test_another_input_is_refused(tmp_path: Path) -> None:
    run = begin(tmp_path, digests={"target": "a" * 64})
    run.check_digest("target", "a" * 64)
    with pytest.raises(RunError, match=r"the target is not that of the run in .*: its SHA-256 was aaaaaaaaaaaa…"):
        run.check_digest("target", "b" * 64)
    run.check_digest("target", "b" * 64, force=True)
    run.close()


# ---- power cuts ----


def test_files_are_on_the_disk_before_a_checkpoint_that_is_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, synced = begin(tmp_path, files=["spikes.csv"], checkpoint_every=6), []
    monkeypatch.setattr(RunFolder, "sync", lambda folder, names: synced.append(sorted(names)))
    train(run, STEADY)
    assert synced == [["learning_curve.csv", "spikes.csv"]] * 5  # of three epochs, of the end, and of the run
