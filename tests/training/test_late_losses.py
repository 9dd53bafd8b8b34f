"""Losses that stay on the device are read many at a time; everything else is as if each were read at once."""

import numpy as np
import pytest
from delta_rule import PHASES, Early, Late, Log, make, weights

from snnlearn import genn
from snnlearn.errors import TrainingError
from snnlearn.training import Callback, SumLog, TrainingPhase

GROW = genn.create_neuron_model("grow", vars=["x"], sim_code="x += 0.25;")


class Reads:
    """Counts how often a log's numbers are copied to the host."""

    def __init__(self, monkeypatch, log):
        self.number = 0
        pull = log._kept.pull_from_device

        def counted():
            self.number += 1
            pull()

        monkeypatch.setattr(log._kept, "pull_from_device", counted)


def logged(size=5):
    model = genn.GeNNModel("float", "logged", threads=1)
    population = model.add_neuron_population("P", size, GROW, {}, {"x": np.arange(size) / 8})
    log = SumLog(genn, model, population, "x")
    model.build()
    model.load()
    return model, log


def expected(step, size=5):
    return size * (size - 1) / 16 + 0.25 * size * step


def test_sums_are_read_in_one_go(monkeypatch):
    model, log = logged()
    reads, noted = Reads(monkeypatch, log), []
    for _ in range(4):
        model.run(1)
        noted.append(log.note())
    assert reads.number == 0
    assert [one.value() for one in noted] == [expected(step) for step in range(1, 5)]
    assert reads.number == 1
    log.read()
    assert reads.number == 1, "nothing is left to read"


def test_a_full_log_is_read_before_more_is_noted(monkeypatch):
    model, log = logged()
    reads, noted = Reads(monkeypatch, log), []
    for _ in range(12):
        model.run(1)
        noted.append(log.note())
    assert reads.number == 2
    assert [one.value() for one in noted] == [expected(step) for step in range(1, 13)]


@pytest.mark.parametrize("group", [0, 1])
@pytest.mark.parametrize("before", [0, 3])
def test_an_interruption_while_a_sum_is_noted(monkeypatch, before, group):
    model, log = logged()
    noted = []
    for _ in range(before):
        model.run(1)
        noted.append(log.note())
    update = model.custom_update

    def interrupted(name):
        update(name)
        if name == log._groups[group]:
            raise KeyboardInterrupt

    monkeypatch.setattr(model, "custom_update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        log.note()
    monkeypatch.setattr(model, "custom_update", update)
    for _ in range(3):
        model.run(1)
        noted.append(log.note())
    assert [one.value() for one in noted] == [expected(step) for step in range(1, before + 4)]


def test_an_interruption_while_the_log_begins_anew(monkeypatch):
    model, log = logged()
    model.run(1)
    first = log.note()
    push = log._turn.push_to_device

    def interrupted():
        push()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(log._turn, "push_to_device", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.read()
    model.run(1)
    assert [log.note().value(), first.value()] == [expected(2), expected(1)]


def test_sums_are_exact_where_single_precision_is_not():
    model = genn.GeNNModel("float", "exact", threads=1)
    values = (np.random.default_rng(1).uniform(1.0, 1e6, 300)).astype(np.float32)
    still = genn.create_neuron_model("still", vars=["x"])
    log = SumLog(genn, model, model.add_neuron_population("P", 300, still, {}, {"x": values}), "x")
    model.build()
    model.load()
    assert log.note().value() == values.sum(dtype=np.float64) != values.sum()


@pytest.mark.parametrize("validation", [0, 3])
def test_the_history_is_that_of_losses_read_at_once(monkeypatch, validation):
    fits = []
    for kind in (Early, Late):
        learner = make(validation=validation, kind=kind, update_offset=1, read_trials=9)
        reads = Reads(monkeypatch, learner.loss.log)
        learner.fit_opt_sched(PHASES)
        fits.append((learner, reads.number))
    (early, many), (late, few) = fits
    assert few < many
    np.testing.assert_array_equal(weights(late), weights(early))
    np.testing.assert_array_equal(late.sched.losses, early.sched.losses)
    np.testing.assert_array_equal(late.sched.lrs, early.sched.lrs)
    assert late.sched.phases == early.sched.phases
    assert [(e.epoch, e.loss, e.validation_loss) for e in late.epochs] == [
        (e.epoch, e.loss, e.validation_loss) for e in early.epochs
    ]


class Looks(Callback):
    def __init__(self):
        self.seen = []

    def on_trial_end(self, trainer, trial):
        self.seen.append((len(trainer.sched), len(trainer.epochs)))


def test_who_looks_sees_everything_so_far():
    learner = make(3, kind=Late, callbacks=[Looks()], read_trials=100)
    learner.fit(2, 0.01, "SGD")
    assert learner.callbacks[0].seen == [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)]


@pytest.mark.parametrize(("read_trials", "trials"), [(1, 2), (4, 4), (5, 5), (100, 12)])
def test_a_loss_that_is_not_finite_is_told_at_the_next_read(read_trials, trials):
    learner = make(6, kind=Late, read_trials=read_trials)
    learner.loss.wrong = 8
    with pytest.raises(TrainingError, match=r"the loss is nan at update 1: .*lower learning rate"):
        learner.fit(2, 0.01, "SGD")
    assert learner.runner.trial == trials
    assert np.flatnonzero(np.isfinite(learner.sched.losses)).tolist() == [0]
    learner.loss.wrong = None
    learner.fit(1, 0.01, "SGD")
    assert np.isfinite(learner.sched.losses).all()


def test_a_callback_that_looks_at_a_loss_that_is_not_finite():
    learner = make(6, kind=Late, callbacks=[Looks()])
    learner.loss.wrong = 8
    with pytest.raises(TrainingError, match="the loss is nan at update 1: "):
        learner.fit(2, 0.01, "SGD")
    assert learner.runner.trial == 2


def test_divergence_is_seen_at_its_update():
    ends = []
    for kind in (Early, Late):
        learner = make(kind=kind)
        learner.loss.wrong = 40
        learner.fit_opt_sched([TrainingPhase(5, "SGD", 0.01)], stop_div=True)
        ends.append((learner.runner.trial, len(learner.sched)))
    assert ends[0] == ends[1] == (10, 10)


def test_a_checkpoint_in_the_middle_of_a_fit(tmp_path):
    whole = make(kind=Late)
    whole.fit_opt_sched(PHASES)
    first = make(kind=Late, callbacks=[Log(("update", 7))])
    first.fit_opt_sched(PHASES)
    first.save(tmp_path / "one")
    second = make(kind=Late)
    second.load(tmp_path / "one")
    second.fit_opt_sched(PHASES, resume=True)
    np.testing.assert_array_equal(weights(second), weights(whole))
    np.testing.assert_array_equal(second.sched.losses, whole.sched.losses)
    assert [e.loss for e in second.epochs] == [e.loss for e in whole.epochs]


def test_the_history_of_an_interrupted_fit_outlives_the_model():
    learner = make(6, kind=Late, callbacks=[Log(("trial_end", 3), KeyboardInterrupt)], read_trials=100)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(2, 0.01, "SGD")
    learner.model.unload()
    assert np.isfinite(learner.sched.losses).tolist() == [True] * 4


def test_read_trials_must_be_positive():
    with pytest.raises(TrainingError, match="read_trials must be a whole number and positive: 0"):
        make(read_trials=0)
