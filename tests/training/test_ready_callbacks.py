"""Callbacks that are there for everybody: early stopping, checkpoints, a table, a bar."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delta_rule import Log, make, weights

from snnlearn import runs
from snnlearn.errors import OutputError, RunError, TrainingError, TrainingWarning
from snnlearn.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    EpochResult,
    Learner,
    Measure,
    ModelCheckpoint,
    ProgressBar,
    TrainingPhase,
)
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.monitoring import Monitor, epoch_values

SCORES = (1.0, 3.0, 2.0, 5.0, 4.0, 4.5, 5.0, 1.0)  # of epochs; 3 is the best


class Scripted(Measure):
    """A metric that comes out as it is to."""

    name = "score"

    def value(self, timestep: int) -> float:
        self.state["n"] = self.state.get("n", -1.0) + 1.0
        return SCORES[int(self.state["n"])]


class Kept(Callback):
    """Has the weights of each epoch's end."""

    def __init__(self) -> None:
        self.weights: list[Any] = []

    def on_epoch_end(self, trainer: Any, epoch: int) -> None:
        self.weights.append(weights(trainer).copy())


def scored(*callbacks: Callback, **more: Any) -> Learner:
    return make(3, metrics=[Scripted()], callbacks=callbacks, **more)


EIGHT = [TrainingPhase(8, "SGD", 0.05)]


# ---- what is followed ----


@pytest.mark.parametrize(
    ("mode", "delta", "values", "best"),
    [
        ("min", 0.0, [3.0, 2.0, 2.0, 4.0], 1),
        ("max", 0.0, [3.0, 2.0, 3.0, 4.0], 3),
        ("max", 0.5, [3.0, 3.4, 3.5, 3.6, 4.1], 3),
        ("min", 1.0, [3.0, 2.5, 2.0], 0),
        ("min", 0.0, [math.nan, 2.0, math.nan, 3.0], 1),
        ("max", 0.0, [-math.inf, -5.0], 1),
        ("min", 0.0, [math.nan] * 2, None),
        ("min", 0.0, [], None),
    ],
)
def test_when_it_was_best(mode: str, delta: float, values: list[float], best: int | None) -> None:
    epochs = [EpochResult(n + 7, math.nan, math.nan, {"score": value}) for n, value in enumerate(values)]
    assert Monitor("score", mode, delta).best(epochs) == best


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (EarlyStopping("validation_los"), "there is no 'validation_los' to follow; did you mean 'validation_loss'?"),
        (EarlyStopping("scores", mode="max"), "there is no 'scores' to follow; did you mean 'score'?"),
        (EarlyStopping("score"), "whether a larger 'score' is better is not known: give mode='max' or mode='min'"),
        (ModelCheckpoint("x", "accuracy"), "there is no 'accuracy' to follow; known: loss, score, validation_loss"),
        (ModelCheckpoint("x", "score"), "give mode='max'"),
    ],
)
def test_names_that_there_are_not(callback: Callback, message: str) -> None:
    learner = scored(callback, validation=1)
    with pytest.raises(TrainingError) as caught:
        learner.fit(1, 0.05, "SGD")
    assert message in str(caught.value)
    assert learner.runner.trial == 0


def test_what_is_not_there_to_follow() -> None:
    learner = scored()
    learner.callbacks.append(EarlyStopping("validation_loss"))
    with pytest.raises(TrainingError, match="no 'validation_loss' to follow; the learner has no validation data"):
        learner.fit(1, 0.05, "SGD")
    with pytest.raises(TrainingError, match="a TrialRunner has no epochs to follow: train with a Learner"):
        EarlyStopping().on_train_begin(learner.runner, 1)
    learner.callbacks.clear()
    assert epoch_values(learner) == {}
    learner.fit(1, 0.05, "SGD")
    assert epoch_values(learner) == {"loss": learner.epochs[0].loss, "score": 1.0}


@pytest.mark.parametrize(
    ("make_one", "message"),
    [
        (lambda: EarlyStopping(patience=0), "patience must be a whole number and positive: 0"),
        (lambda: EarlyStopping(min_delta=-1.0), "min_delta must be a number from 0 on, not -1.0"),
        (lambda: EarlyStopping(min_delta=math.nan), "min_delta must be a number from 0 on, not nan"),
        (lambda: EarlyStopping(mode="maximum"), "mode must be 'min' or 'max', not 'maximum'; did you mean"),
        (lambda: ModelCheckpoint("x", every=0), "every must be a whole number and positive: 0"),
        (lambda: ModelCheckpoint("x", "loss", 2), "give one of them"),
    ],
)
def test_arguments_out_of_range(make_one: Any, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        make_one()
    assert message in str(caught.value)


# ---- early stopping ----


def test_training_stops_and_the_best_weights_are_back() -> None:
    stopping, kept = EarlyStopping("score", 3, mode="max"), Kept()
    learner = scored(stopping, kept)
    learner.fit_opt_sched(EIGHT)
    assert [epoch.metrics["score"] for epoch in learner.epochs] == list(SCORES[:7])
    assert (stopping.best_epoch, stopping.stopped_epoch) == (3, 6)
    np.testing.assert_array_equal(weights(learner), kept.weights[3])
    assert not np.array_equal(weights(learner), kept.weights[6])

    stopping, kept = EarlyStopping("score", 2, mode="max", restore_best=False), Kept()
    learner = scored(stopping, kept)
    learner.fit_opt_sched(EIGHT)
    np.testing.assert_array_equal(weights(learner), kept.weights[5])


def test_a_fit_that_ends_before_has_its_best_weights_too() -> None:
    kept = Kept()
    learner = scored(EarlyStopping("score", 5, mode="max"), kept)
    learner.fit_opt_sched([TrainingPhase(6, "SGD", 0.05)])
    np.testing.assert_array_equal(weights(learner), kept.weights[3])
    learner.fit(1, 0.05, "SGD")
    assert not np.array_equal(weights(learner), kept.weights[3]), "another fit has a best epoch of its own"


def stopped_within(folder: Path, *callbacks: Callback) -> Path:
    """Return a checkpoint of a training that ended in its sixth epoch, after the best one."""
    learner = scored(*callbacks, Log(("trial_begin", 16), KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        learner.fit_opt_sched(EIGHT)
    return learner.save(folder / "stopped")


def gone_on(checkpoint: Path, *callbacks: Callback) -> Learner:
    learner = scored(*callbacks)
    learner.load(checkpoint)
    learner.fit_opt_sched(EIGHT, resume=True)
    return learner


def test_a_fit_that_goes_on_stops_where_it_would_have(tmp_path: Path) -> None:
    whole = scored(EarlyStopping("score", 3, mode="max"))
    whole.fit_opt_sched(EIGHT)
    best = tmp_path / "best.npz"
    stopped = stopped_within(tmp_path, EarlyStopping("score", 3, mode="max", file=best))
    other = gone_on(stopped, EarlyStopping("score", 3, mode="max", file=best))
    assert repr(other.epochs) == repr(whole.epochs)
    np.testing.assert_array_equal(weights(other), weights(whole))
    with pytest.raises(TrainingError, match=r"of the best epoch so far, 3, were another process's: EarlyStopping\("):
        gone_on(stopped, EarlyStopping("score", 3, mode="max"))
    ended = whole.save(tmp_path / "ended")
    with pytest.raises(TrainingError, match=r"ended\.npz has not the weights of this fit's best epoch so far, 3"):
        gone_on(stopped, EarlyStopping("score", 3, mode="max", file=ended))
    again = gone_on(ended, EarlyStopping("score", 3, mode="max", file=best))
    assert again.runner.trial == 21, "it had ended"
    np.testing.assert_array_equal(weights(again), weights(whole))


# ---- checkpoints ----


def test_checkpoints_of_epochs(tmp_path: Path) -> None:
    learner = scored(
        ModelCheckpoint(tmp_path / "new" / "epoch-{epoch}.npz", every=3),
        ModelCheckpoint(tmp_path / "best.npz", "score", mode="max"),
        ModelCheckpoint(lambda epoch: tmp_path / f"{epoch:03}.npz", "score", mode="max"),
    )
    learner.fit_opt_sched(EIGHT)
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["epoch-2.npz", "epoch-5.npz"]
    assert sorted(file.name for file in tmp_path.glob("0*")) == ["000.npz", "001.npz", "003.npz"]
    assert len(Checkpoint.read(tmp_path / "best.npz").progress["epochs"]) == 4
    assert (tmp_path / "best.npz").read_bytes() == (tmp_path / "003.npz").read_bytes()


def test_a_checkpoint_that_cannot_be_written_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = scored(ModelCheckpoint(tmp_path / "x.npz", every=5))
    monkeypatch.setattr(Learner, "save", lambda self, name: (_ for _ in ()).throw(OutputError("no space left")))
    with pytest.warns(TrainingWarning, match="no checkpoint of epoch 4: no space left"):
        learner.fit_opt_sched(EIGHT)
    (tmp_path / "file").touch()
    learner = scored(ModelCheckpoint(tmp_path / "file" / "x.npz"))
    with pytest.raises(OutputError, match="cannot create the folder"):
        learner.fit_opt_sched(EIGHT)


# ---- the table ----


def table(learner: Learner) -> str:
    rows = [f"{e.epoch},{e.loss!r},{e.metrics['score']!r}\n" for e in learner.epochs]
    return "".join(["epoch,loss,score\n", *rows])


def test_a_table_goes_on_without_a_double_row(tmp_path: Path) -> None:
    whole, file = scored(), tmp_path / "log.csv"
    whole.fit_opt_sched(EIGHT)
    stopped = stopped_within(tmp_path, CSVLogger(file))
    assert file.read_text() == "".join(table(whole).splitlines(keepends=True)[:6])
    later = scored(CSVLogger(file))
    later.fit_opt_sched(EIGHT)  # as if the checkpoint were of a time before what the file has
    for found in (file.read_text(), file.read_text() + "9,0.1", "epoch,loss,score\n0,1.0,1.0\n", ""):
        file.write_text(found)
        gone_on(stopped, CSVLogger(file))
        assert file.read_text() == table(whole)
    learner = scored(CSVLogger(file))
    learner.fit(1, 0.05, "SGD")
    first = learner.epochs
    learner.fit(2, 0.05, "SGD")
    assert [row.partition(",")[0] for row in file.read_text().splitlines()] == ["epoch", "0", "1", "2"]
    assert f"0,{first[0].loss!r},1.0" in file.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epoch,loss\n0,1.0\n", r"its first line is 'epoch,loss', and is to be 'epoch,loss,score'; give CSVLogger an"),
        ("epoch,loss,score\n0,1.0\n", "line 2, is no epoch's: '0,1.0'"),
        ("epoch,loss,score\nx,1.0,2.0\n", "line 2, is no epoch's: 'x,1.0,2.0'"),
        ("\xff\xfe", "cannot be read"),
    ],
)
def test_a_table_of_something_else(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(content.encode("latin-1"))
    learner = scored(CSVLogger(tmp_path / "log.csv"))
    with pytest.raises(TrainingError, match=message):
        learner.fit_opt_sched(EIGHT)
    assert (tmp_path / "log.csv").read_bytes() == content.encode("latin-1")
    with pytest.raises(OutputError, match="it is a folder"):
        scored(CSVLogger(tmp_path / "new" / "..")).fit_opt_sched(EIGHT)


# ---- the bar ----


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_for_terminals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = stopped_within(tmp_path)
    for kind in (io.StringIO, Terminal):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", kind())
            gone_on(stopped, ProgressBar("digits"))
            shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
        if kind is io.StringIO:
            assert shown == ""
        else:
            assert "\rdigits:  67%" in shown, "it begins where the fit goes on"
            assert "digits: 100%" in shown
            assert "24/24" in shown
            assert "score=5" in shown
    with pytest.raises(TrainingError, match="the learner shows a bar of its own: give it quiet=True, or leave out"):
        scored(ProgressBar(), quiet=False).fit_opt_sched(EIGHT)


# ---- in a run folder ----


def train(run: runs.Run, *others: Callback) -> None:
    stopping = EarlyStopping("score", 3, mode="max", file=run.file("best.npz"))
    learner = scored(stopping, CSVLogger(run.file("log.csv")), *others)
    with run:
        run.load(learner)
        with run.training(learner):
            learner.fit_opt_sched(EIGHT, resume=run.resumed)
        run.end(learner)


def test_a_run_that_is_stopped_early(tmp_path: Path) -> None:
    """After an error it ends with the files of an undisturbed one; another run takes its place as a whole."""
    for name in ("whole", "disturbed"):
        run = runs.begin(tmp_path / name, "example", seed=1, engine="cpu", checkpoint_every=2)
        if name == "disturbed":
            with pytest.raises(TrainingError, match="ZeroDivisionError"):
                train(run, Log(("update", 17), ZeroDivisionError))
            run = runs.resume(tmp_path / name, "example")
        train(run)
    for name in ("best.npz", "log.csv", "weights.npz"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "disturbed" / name).read_bytes()
    with runs.begin(tmp_path / "whole", "example", seed=1, engine="cpu", overwrite=True) as run:
        assert [file.name for file in run.folder.path.iterdir()] == ["run.json"]
        for name in ("checkpoint.npz", "../x", "a/b", ""):
            with pytest.raises(RunError, match="cannot be the name of a file of the run's own"):
                run.file(name)
