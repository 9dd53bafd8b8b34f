"""The learner on a network so small that everything can be reckoned by hand."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from delta_rule import LINE, PHASES, Examples, Log, SquaredError, make, weights

from snnlearn import genn
from snnlearn.errors import ArgumentError, TrainingError
from snnlearn.training import Callback, Learner, Mean, Measure, TrainingPhase

ROOT = Path(__file__).resolve().parents[2]


class Largest(SquaredError):
    name = "largest"

    def after_trial(self, data, index):
        self.state["most"] = max(self.state.get("most", 0.0), self.of_trial(data, index))

    def value(self, timestep):
        return self.state.pop("most")


def test_it_learns():
    learner = make(20, metrics=[])
    learner.fit(30, 0.1, "SGD", momentum=0.0)
    assert learner.epochs[0].loss > 0.5
    assert learner.epochs[-1].loss < 1e-4
    np.testing.assert_allclose(weights(learner), np.linspace(-1.0, 1.0, 8), atol=0.02)


def test_check_weights():
    learner = make(2)
    learner.fit(1, 0.1, "SGD")
    learner.check_weights()
    for bad in (np.nan, np.inf):
        learner.network["w"].view[3] = bad
        learner.network["w"].push_to_device()
        with pytest.raises(TrainingError, match="1 of 8 weights of 'Synapses' are no longer finite; a lower learning"):
            learner.check_weights()


def test_arguments_that_no_method_takes_are_named():
    learner = make(2)
    with pytest.raises(ArgumentError, match=r"^Learner\.fit takes no argument 'epoch'; did you mean 'epochs'"):
        learner.fit(epoch=1)
    with pytest.raises(
        ArgumentError, match=r"^Learner\.fit_opt_sched takes no argument 'phase'; did you mean 'phases'"
    ):
        learner.fit_opt_sched(phase=[])


def test_rates_by_iteration():
    learner = make(6)
    learner.fit_opt_sched(PHASES)
    first = 0.1 + (0.02 - 0.1) * np.arange(12) / 12
    second = 0.05 / 2 * (1 + np.cos(np.pi * np.arange(9) / 9))
    np.testing.assert_allclose(learner.sched.lrs[:, 0], np.concatenate([first, second]), rtol=1e-12)
    np.testing.assert_array_equal(learner.sched.momenta[:, 0], [0.5] * 12 + [0.9] * 9)
    assert learner.sched.phase_starts.tolist() == [0, 12]
    assert len(learner.sched.losses) == 21


def test_the_first_update_by_hand():
    learner = make(1, shuffle=False)
    learner.build()
    before = weights(learner).astype(np.float64)
    learner.fit(1, 0.25, "SGD", momentum=0.0)
    x, target = learner.data.x[0].astype(np.float64), learner.data.target[0].astype(np.float64)
    gradient = (
        np.outer(x, 3 * (target - x @ before.reshape(4, 2))) / 4
    )  # mean over 4 timesteps, of which one is left out
    # A dozen float32 operations, each off by at most 6e-8 of values around 1.
    np.testing.assert_allclose(weights(learner), before + 0.25 * gradient.ravel(), atol=2e-6)


def test_each_epoch_shows_every_example_once():
    learner = make(6)
    learner.fit(3, 0.01, "SGD")
    orders = np.reshape(learner.data.presented, (3, 6))
    assert all(sorted(order) == list(range(6)) for order in orders.tolist())
    assert len({tuple(order) for order in orders.tolist()}) > 1
    again = make(6)
    again.fit(3, 0.01, "SGD")
    assert again.data.presented == learner.data.presented


def test_validation_leaves_no_trace():
    plain, validated = make(6, every=2), make(6, every=2, validation=5)
    for learner in (plain, validated):
        learner.fit_opt_sched(PHASES)
    np.testing.assert_array_equal(weights(plain), weights(validated))
    np.testing.assert_array_equal(plain.sched.losses, validated.sched.losses)
    assert all(np.isnan(epoch.validation_loss) for epoch in plain.epochs)
    assert all(np.isfinite(epoch.validation_loss) for epoch in validated.epochs)
    assert validated.epochs[-1].validation_loss < validated.epochs[0].validation_loss


def test_metrics_of_training_and_of_validation():
    learner = make(6, shuffle=False)
    learner.metrics = (Largest(learner.network),)
    learner.fit(2, 0.0, "SGD", momentum=0.0)
    errors = np.sum((learner.data.x @ weights(learner).reshape(4, 2) - learner.data.target) ** 2, axis=1)
    assert learner.epochs[1].metrics == {"largest": pytest.approx(errors.max(), rel=1e-5)}
    assert learner.epochs[1].loss == pytest.approx(errors.mean(), rel=1e-5)


def test_data_of_each_phase():
    learner = make(6)
    other = Examples(learner.network, 3, 8)
    learner.fit_opt_sched(
        [TrainingPhase(1, "SGD", 0.01), TrainingPhase(2, "SGD", 0.01)], data_list=[learner.data, other]
    )
    assert (len(learner.data.presented), len(other.presented)) == (6, 6)
    assert [epoch.epoch for epoch in learner.epochs] == [0, 1, 2]


def test_callbacks_in_order():
    log = Log()
    learner = make(2, callbacks=[log])
    learner.fit_opt_sched([TrainingPhase(1, "SGD", 0.01), TrainingPhase(0.5, "Adam", 0.01)])
    trial = lambda n: [("trial_begin", n), ("update", n), ("update_end", n), ("trial_end", n)]  # noqa: E731
    assert log.events == [
        ("train_begin", 3),
        ("phase_begin", 0),
        ("epoch_begin", 0),
        *trial(0),
        *trial(1),
        ("epoch_end", 0),
        ("phase_end", 0),
        ("phase_begin", 1),
        ("epoch_begin", 1),
        *trial(2),
        ("epoch_end", 1),
        ("phase_end", 1),
        ("train_end",),
    ]


def test_a_second_fit_counts_on():
    learner = make(6)
    learner.fit(1, 0.01, "SGD")
    learner.fit(2, 0.01, "SGD")
    assert [epoch.epoch for epoch in learner.epochs] == [1, 2]
    assert (learner.runner.trial, learner.runner.update, len(learner.sched)) == (18, 18, 12)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("stop", [0, 4, 5, 11, 12, 13, 19])
def test_stop_save_load_and_go_on(stop, offset, tmp_path):
    settings = {"count": 6, "validation": 3, "every": 1, "update_offset": offset}
    whole = make(**settings)
    whole.fit_opt_sched(PHASES)
    first = make(**settings, callbacks=[Log(("update_end", stop))])
    first.fit_opt_sched(PHASES)
    assert first.runner.update == stop + 1
    first.save(tmp_path / "half")
    second = make(**settings)
    second.load(tmp_path / "half")
    np.testing.assert_array_equal(weights(second), weights(first))
    second.fit_opt_sched(PHASES, resume=True)
    np.testing.assert_array_equal(weights(second), weights(whole))
    np.testing.assert_array_equal(second.sched.losses, whole.sched.losses)
    np.testing.assert_array_equal(second.sched.lrs, whole.sched.lrs)
    assert second.sched.phases == whole.sched.phases
    assert [(e.epoch, e.loss, e.validation_loss) for e in second.epochs] == [
        (e.epoch, e.loss, e.validation_loss) for e in whole.epochs
    ]


def test_going_on_in_a_new_process(tmp_path):
    whole = make()
    whole.fit_opt_sched(PHASES)
    half = make(callbacks=[Log(("update_end", 7))])
    half.fit_opt_sched(PHASES)
    half.save(tmp_path / "half")
    program = f"""
import json, sys
sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT)!r}]
from delta_rule import PHASES, make, weights
learner = make()
learner.load({str(tmp_path / "half")!r})
learner.fit_opt_sched(PHASES, resume=True)
print(json.dumps([float(w) for w in weights(learner)]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [float(w) for w in weights(whole)]


def test_finder_leaves_everything_as_it_was(tmp_path):
    learner, untouched = make(20), make(20)
    for each in (learner, untouched):
        each.fit(1, 0.01, "SGD")
    found = learner.lr_find(1e-4, 10.0, epochs=3, optimiser="SGD")
    np.testing.assert_array_equal(weights(learner), weights(untouched))
    assert np.all(np.diff(found.lrs) > 0)
    assert found.lrs[0] == pytest.approx(1e-4)
    # Rates above 2 over the largest eigenvalue of the mean x x^T diverge; the suggestion is below that.
    largest = np.linalg.eigvalsh(learner.data.x.T @ learner.data.x / 20).max()
    assert 1e-3 < found.suggestion < 2.0 / largest
    assert "where the loss falls fastest" in found.why
    found.plot(tmp_path / "found.png")
    assert (tmp_path / "found.png").stat().st_size > 5000
    for each in (learner, untouched):
        each.fit(1, 0.01, "SGD")
    np.testing.assert_array_equal(weights(learner), weights(untouched))


def test_stop_div():
    learner = make(20)
    learner.fit_opt_sched([TrainingPhase(3, "SGD", 0.05), TrainingPhase(20, "SGD", 5.0)], stop_div=True)
    assert 60 < learner.runner.trial < 100


class Broken(Measure):
    def value(self, timestep):
        return float("nan") if timestep >= 12 else 1.0


def test_a_loss_that_is_not_finite():
    with pytest.raises(TrainingError, match=r"the loss is nan at update 2: .*lower learning rate"):
        make(loss=Broken()).fit(1, 0.01, "SGD")


class Clumsy(Callback):
    def on_epoch_end(self, trainer, epoch):
        raise ZeroDivisionError("oops")


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda learner: learner.fit_opt_sched([]), "there are no phases to train"),
        (
            lambda learner: learner.fit_opt_sched([LINE], data_list=[learner.data] * 2),
            "data_list has 2 data sets for 1 phases",
        ),
        (lambda learner: learner.fit(1, [0.1, 0.2], "SGD"), "phase 0: lr has 2 values for 1 trained connections"),
        (lambda learner: learner.fit(0.01, 0.1, "SGD"), "phase 0: 0.01 epochs of 6 trials are less than one trial"),
        (lambda learner: learner.fit(1, 0.1, "Adamm"), "there is no optimiser 'Adamm'; did you mean 'Adam'"),
        (lambda learner: learner.fit_opt_sched([LINE], resume=True), "there is no fit to resume"),
        (lambda learner: learner.save("x"), "there is nothing to save: the network is not built yet"),
        (lambda learner: learner.load("nowhere"), r"there is no checkpoint nowhere\.npz"),
        (lambda learner: learner.validate(), "the learner has no validation data"),
    ],
)
def test_errors_before_anything_runs(do, message):
    learner = make()
    with pytest.raises(TrainingError, match=message):
        do(learner)
    assert learner.runner.timestep == 0


def test_an_optimiser_that_was_not_compiled():
    learner = make()
    learner.fit(1, 0.01, "SGD")
    with pytest.raises(
        TrainingError, match=r"the optimiser 'RMSProp' was not compiled.*Learner\(optimisers=\[\"RMSProp\"\]\)"
    ):
        learner.fit(1, 0.01, "RMSProp")


def test_a_callback_that_raises_is_named():
    with pytest.raises(TrainingError, match=r"the callback Clumsy\.on_epoch_end raised ZeroDivisionError: oops"):
        make(callbacks=[Clumsy()]).fit(1, 0.01, "SGD")


def test_no_connections():
    with pytest.raises(TrainingError, match="at least one connection"):
        Learner(genn, None, [], trial_timesteps=1, update_timesteps=1, loss=Broken())


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (np.nan, 1), ("a", 1), (None, 1), (0, 1, 2), 5, ()], ids=repr)
def test_bounds_that_are_none(bounds):
    connection = replace(make().connections[0], bounds=bounds)
    with pytest.raises(TrainingError, match=r"bounds of 'Synapses' must be \(low, high\), not "):
        Learner(genn, None, [connection], trial_timesteps=1, update_timesteps=1, loss=Broken())


def test_whole_numbers_of_numpy():
    assert make(read_trials=np.int32(2)).read_trials == 2


class Unfinished(Mean):
    name = "nothing yet"


def test_a_measure_without_its_number_cannot_be_made():
    with pytest.raises(TrainingError, match="Unfinished is a Mean: override of_trial, or of_batch"):
        Unfinished()


def test_a_mean_of_trials_needs_a_trial_between_updates():
    """Its number would be NaN, as if the network had diverged."""
    learner = make(update_timesteps=2)
    with pytest.raises(TrainingError, match="'loss' is a mean of trials, and none has ended before the update at"):
        learner.fit(1, 0.01, "SGD")


class Given(Mean):
    name = "accuracy"

    def __init__(self, given):
        super().__init__()
        self.given = given

    def of_trial(self, data, index):
        return self.given


@pytest.mark.parametrize("given", [None, "3", 1j, [1.0], np.ones(1), np.ones(3), {}], ids=repr)
def test_a_measure_that_gives_no_number_is_named(given):
    learner = make()
    learner.loss = Given(given)
    with pytest.raises(TrainingError, match="'accuracy' must be a number, not "):
        learner.fit(1, 0.01, "SGD")


class Direct(Given):
    def value(self, timestep):
        return self.given


@pytest.mark.parametrize("validation", [0, 5])
def test_a_metric_that_gives_no_number_is_named(validation):
    learner = make(6, validation=validation)
    learner.metrics = (Direct("0.9"),)
    with pytest.raises(TrainingError, match=r"'accuracy' must be a number, not '0\.9'"):
        learner.fit(1, 0.01, "SGD")


@pytest.mark.parametrize("given", [3, True, np.float32(0.5), np.int64(3), np.array(0.5)], ids=repr)
def test_numbers_that_a_measure_may_give(given):
    learner = make()
    learner.loss = Given(given)
    learner.fit(1, 0.01, "SGD")
    assert set(learner.sched.losses) == {float(given)}


def test_checkpoint_of_other_optimisers(tmp_path):
    one = make(optimisers=["SGD"])
    one.fit(1, 0.01, "SGD")
    one.save(tmp_path / "one")
    other = make(optimisers=["Adam"])
    other.build()
    with pytest.raises(TrainingError, match="the optimiser 'SGD' was not compiled"):
        other.load(tmp_path / "one")
    more = make(optimisers=["SGD", "Adam"])
    with pytest.raises(TrainingError, match=r"the checkpoint is of another network: it has no Adam_Synapses\.own\."):
        more.load(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04 damaged"])
def test_a_file_that_is_no_checkpoint(content, tmp_path):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(TrainingError, match=r"bad\.npz is no checkpoint, or is damaged"):
        make().load(tmp_path / "bad")


def test_table(capsys):
    learner = make(6, validation=2, quiet=False)
    learner.metrics = (Largest(learner.network),)
    learner.fit(2, 0.01, "SGD")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["epoch", "loss", "val_loss", "largest"]
    assert [len(line.split()) for line in (first, second)] == [4, 4]
    assert float(second.split()[1]) == pytest.approx(learner.epochs[1].loss, rel=1e-5)
