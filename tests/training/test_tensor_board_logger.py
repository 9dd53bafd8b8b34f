"""What TensorBoard's own reader finds of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delta_rule import Log, make

from snnlearn.errors import MissingLibraryError, OutputError, TrainingError
from snnlearn.io import optional
from snnlearn.training import Learner, TensorBoardLogger, TrainingPhase

pytest.importorskip("tensorboard", reason="TensorBoard is not installed: pip install '.[tensorboard]'")

FIVE = [TrainingPhase(5, "SGD", 0.05)]


def shown(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what a chart shows: steps and values by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def known(learner: Learner) -> dict[str, list[tuple[int, float]]]:
    values: dict[str, Any] = {
        "loss": lambda epoch: epoch.loss,
        "validation_loss": lambda epoch: epoch.validation_loss,
    }
    # In single precision, as TensorBoard keeps numbers.
    return {n: [(e.epoch, float(np.float32(value(e)))) for e in learner.epochs] for n, value in values.items()}


def test_each_epoch_is_there_once(tmp_path: Path) -> None:
    """Also of a fit that goes on, from before what was written, and of another one in the same folder."""
    learner = make(
        3, validation=1, callbacks=[TensorBoardLogger(tmp_path), Log(("trial_begin", 10), KeyboardInterrupt)]
    )
    with pytest.raises(KeyboardInterrupt):
        learner.fit_opt_sched(FIVE)
    assert len(learner.epochs) == 3
    assert shown(tmp_path) == known(learner), "before it was interrupted"
    saved = learner.save(tmp_path / "saved")
    for folder in (tmp_path, tmp_path / "fresh"):
        whole = make(3, validation=1, callbacks=[TensorBoardLogger(folder)])
        whole.fit_opt_sched(FIVE)
        assert shown(folder) == known(whole)
        later = make(3, validation=1, callbacks=[TensorBoardLogger(folder)])
        later.load(saved)
        later.fit_opt_sched(FIVE, resume=True)
        assert shown(folder) == known(later)
        assert len(later.epochs) == 5
        later.fit(2, 0.01, "SGD")
        assert [step for step, _ in shown(folder)["loss"]] == list(range(7))
    last = make(3, validation=1, callbacks=[TensorBoardLogger(tmp_path / "new")])
    last.load(saved)
    last.fit_opt_sched(FIVE, resume=True)
    assert shown(tmp_path / "new") == known(last), "with what the checkpoint knows"


def test_where_it_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    learner = make(3, callbacks=[TensorBoardLogger(tmp_path / "file" / "x")])
    with pytest.raises(OutputError, match=r"cannot write to .*file/x: Not a directory"):
        learner.fit(1, 0.05, "SGD")
    assert learner.runner.trial == 0
    with pytest.raises(TrainingError, match="a TrialRunner has no epochs to follow"):
        TensorBoardLogger(tmp_path).on_train_begin(learner.runner, 1)

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(
        MissingLibraryError, match=r'tensorboard is needed for this: pip install "snnlearn\[tensorboard'
    ):
        TensorBoardLogger(tmp_path)
