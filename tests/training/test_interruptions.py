"""Training that is interrupted anywhere goes on to the very weights of one that was not."""

import contextlib
import threading
from pathlib import Path

import numpy as np
import pytest
from delta_rule import PHASES, Examples, Late, Log, SquaredError, make, weights

from snnlearn.errors import SnnlearnError, TrainingError
from snnlearn.training import OPTIMISERS, Callback, StopTraining, TrainingPhase

SETTINGS = {"count": 6, "validation": 3}
# One event of each kind, in the middle and at the ends of phases (12 and 9 updates, 2 and 1.5 epochs).
EVENTS = [
    ("train_begin", 21),
    ("phase_begin", 0),
    ("phase_begin", 1),
    ("epoch_begin", 0),
    ("epoch_begin", 1),
    ("trial_begin", 0),
    ("trial_begin", 7),
    ("update", 0),
    ("update", 5),
    ("update", 11),
    ("update_end", 11),
    ("trial_end", 4),
    ("trial_end", 5),
    ("trial_end", 11),
    ("epoch_end", 0),
    ("epoch_end", 1),
    ("epoch_end", 3),
    ("phase_end", 0),
    ("phase_end", 1),
]


@pytest.fixture(scope="module", params=[0, 1, 3], ids="offset{}".format)
def whole(request):
    learner = make(**SETTINGS, update_offset=request.param)
    learner.fit_opt_sched(PHASES)
    return request.param, learner


def check_same(learner, whole):
    np.testing.assert_array_equal(weights(learner), weights(whole))
    np.testing.assert_array_equal(learner.sched.losses, whole.sched.losses)
    assert learner.sched.phases == whole.sched.phases
    assert [(e.epoch, e.loss, e.validation_loss) for e in learner.epochs] == [
        (e.epoch, e.loss, e.validation_loss) for e in whole.epochs
    ]


@pytest.mark.parametrize("error", [StopTraining, ValueError, KeyboardInterrupt], ids=lambda e: e.__name__)
@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_going_on_after_an_event(event, error, whole):
    offset, expected = whole
    check_going_on(make(**SETTINGS, update_offset=offset), Log(event, error), expected)


@pytest.fixture(scope="module")
def whole_and_late():
    learner = make(**SETTINGS, update_offset=1, kind=Late, read_trials=4)
    learner.fit_opt_sched(PHASES)
    return learner


@pytest.mark.parametrize("error", [StopTraining, KeyboardInterrupt], ids=lambda e: e.__name__)
@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_going_on_with_a_loss_on_the_device(event, error, whole_and_late):
    learner = make(**SETTINGS, update_offset=1, kind=Late, read_trials=4)
    check_going_on(learner, Log(event, error), whole_and_late)


def check_going_on(learner, log, expected):
    learner.callbacks.append(log)
    error = log.error
    if error is StopTraining:
        learner.fit_opt_sched(PHASES)
    else:
        with pytest.raises(TrainingError if error is ValueError else error):
            learner.fit_opt_sched(PHASES)
    assert log.stop_at is None, "the event came"
    learner.fit_opt_sched(PHASES, resume=True)
    check_same(learner, expected)


class Flaky(Examples):
    def present(self, model, index):
        super().present(model, index)
        if len(self.presented) == 9:
            raise KeyboardInterrupt


def test_interrupted_while_an_example_is_shown(whole):
    offset, expected = whole
    learner = make(**SETTINGS, update_offset=offset)
    learner.data = Flaky(learner.network, 6, 3)
    with pytest.raises(KeyboardInterrupt):
        learner.fit_opt_sched(PHASES)
    learner.fit_opt_sched(PHASES, resume=True)
    check_same(learner, expected)


class OnceInValidation(SquaredError):
    def of_trial(self, data, index):
        if data.count == 3 and self.network.pop("armed", False):
            raise KeyboardInterrupt
        return super().of_trial(data, index)


def test_interrupted_in_validation(whole):
    offset, expected = whole
    learner = make(**SETTINGS, update_offset=offset)
    learner.network["armed"] = True
    learner.loss = OnceInValidation(learner.network)
    learner.data.count, learner.validation.count = 6, 3
    with pytest.raises(KeyboardInterrupt):
        learner.fit_opt_sched(PHASES)
    learner.fit_opt_sched(PHASES, resume=True)
    check_same(learner, expected)


def test_early_stopping_in_the_last_trial_of_a_phase():
    learner = make(8, callbacks=[Log(("epoch_end", 1))])
    learner.fit_opt_sched([TrainingPhase(2, "SGD", 0.01), TrainingPhase(3.5, "SGD", 0.01)])
    assert learner.runner.trial == 16


@pytest.mark.parametrize("event", [("update", 3), ("update_end", 3), ("trial_begin", 3)], ids=str)
@pytest.mark.parametrize("every", [1, 3])
def test_a_new_fit_after_a_stop_begins_anew(event, every):
    learner = make(6, every=every, update_offset=1, callbacks=[Log(event)])
    learner.fit(8, 0.01, "SGD")
    learner.fit(1, 0.02, "SGD")
    assert set(learner.sched.lrs[:, 0]) == {0.02}
    assert len(learner.sched.phases) == 1


def test_a_new_fit_after_divergence():
    learner = make(20)
    learner.fit_opt_sched([TrainingPhase(3, "SGD", 0.05), TrainingPhase(20, "SGD", 5.0)], stop_div=True)
    learner.fit(1, 0.001, "SGD")
    assert len(learner.epochs) == 1


def test_other_phases_cannot_be_resumed():
    learner = make(6, callbacks=[Log(("update", 3))])
    learner.fit_opt_sched(PHASES)
    with pytest.raises(TrainingError, match="resume needs the phases and data of the fit that was stopped"):
        learner.fit_opt_sched(PHASES[:1], resume=True)


def test_a_checkpoint_with_an_optimiser_of_ones_own(tmp_path):
    nesterov = OPTIMISERS["SGD"].variant("NesterovSGD", nesterov=1.0)
    one = make(6, optimisers=[nesterov])
    one.fit(1, 0.01, nesterov)
    one.save(tmp_path / "one")
    other = make(6, optimisers=[nesterov])
    other.load(tmp_path / "one")
    np.testing.assert_array_equal(weights(other), weights(one))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 4}, None),
        ({"every": 2}, "update_timesteps is 4 there, 8 here"),
        ({"update_offset": 1}, "update_offset is 0 there, 1 here"),
        ({"shuffle": False}, "shuffle is True there, False here"),
        ({"metrics": [SquaredError(None)]}, r"measures is \['loss'\] there, \['loss', 'loss'\] here"),
    ],
)
def test_a_checkpoint_of_another_training(settings, message, tmp_path):
    one = make()
    one.fit(1, 0.01, "SGD")
    one.save(tmp_path / "one")
    other = make(**settings)
    if message is None:  # the seed of the data is not the learner's
        other.load(tmp_path / "one")
        return
    with pytest.raises(TrainingError, match=f"the checkpoint is of another training: {message}"):
        other.load(tmp_path / "one")


def test_a_build_that_failed_can_be_tried_again(monkeypatch):
    learner = make()
    monkeypatch.setenv("CXX", "/nowhere/c++")
    monkeypatch.setattr("snnlearn.runtime.cache.cache_dir", lambda: Path("/nowhere"))
    with pytest.raises(SnnlearnError, match="CXX"):
        learner.fit(1, 0.01, "SGD")
    monkeypatch.undo()
    learner.fit(1, 0.01, "SGD")
    assert learner.runner.trial == 6


@pytest.mark.parametrize("event", [("phase_end", 0), ("train_end",)], ids=str)
def test_a_stop_at_the_end_does_not_stop_the_next_fit(event):
    learner = make(6, callbacks=[Log(event)])
    learner.fit(1, 0.01, "SGD")
    learner.fit(2, 0.01, "SGD")
    assert learner.runner.trial == 18


def test_the_finder_half_way_changes_nothing(whole):
    offset, expected = whole
    learner = make(**SETTINGS, update_offset=offset, callbacks=[Log(("trial_end", 7))])
    learner.fit_opt_sched(PHASES)
    before = learner.lr_of_update(learner.runner.update)
    with contextlib.suppress(TrainingError):  # "the loss never falls", where it is low already
        learner.lr_find(1e-4, 10.0, epochs=6, optimiser="SGD")
    assert learner.lr_of_update(learner.runner.update) == before
    learner.fit_opt_sched(PHASES, resume=True)
    check_same(learner, expected)


def test_data_of_another_length_cannot_be_resumed():
    learner = make(6, callbacks=[Log(("update", 3))])
    learner.fit_opt_sched(PHASES)
    learner.data = Examples(learner.network, 3, 3)
    with pytest.raises(TrainingError, match="resume needs the phases and data of the fit that was stopped"):
        learner.fit_opt_sched(PHASES, resume=True)


def test_another_thread_can_stop_training_and_nothing_else(tmp_path):
    learner = make(**SETTINGS)
    refused = []

    def ask(*_):
        def elsewhere():
            for use in (
                lambda: learner.save(tmp_path / "there.npz"),
                lambda: learner.load(tmp_path / "here.npz"),
                lambda: learner.fit_opt_sched(PHASES),
                lambda: learner.runner.run(1),
                learner.validate,
                lambda: learner.sched,
                lambda: learner.epochs,
            ):
                with pytest.raises(TrainingError, match="another thread is training with this") as error:
                    use()
                refused.append(error)
            learner.runner.request_stop()

        learner.save(tmp_path / "here.npz")  # in the thread that trains
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    class Ask(Callback):
        on_update_end = staticmethod(ask)

    learner.callbacks.append(Ask())
    learner.fit_opt_sched(PHASES)
    assert len(refused) == 7
    assert learner.runner.update == 1
    learner.callbacks.clear()
    thread = threading.Thread(target=learner.save, args=(tmp_path / "later.npz",))
    thread.start()
    thread.join()
    assert (tmp_path / "later.npz").is_file(), "once it does not train, any thread may ask"
