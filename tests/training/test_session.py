"""The session: one owner of all that a resumed training needs."""

import dataclasses

import numpy as np
import pytest
from delta_rule import PHASES, Late, Log, SquaredError, make, weights

from snnlearn.errors import TrainingError
from snnlearn.training import TrialRunner
from snnlearn.training.arguments import Settings
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.session import Counters, SessionState


@pytest.fixture(scope="module")
def half_way(tmp_path_factory):
    """What a checkpoint has of a fit that was stopped in its second phase, in the middle of an epoch."""
    learner = make(6, validation=3, kind=Late, read_trials=50, callbacks=[Log(("update", 16))])
    learner.fit_opt_sched(PHASES)
    return Checkpoint.read(learner.save(tmp_path_factory.mktemp("half_way") / "one")).progress


def test_a_state_goes_through_a_checkpoint_and_back(half_way):
    state = SessionState.from_dict(half_way)
    there = state.to_dict()
    assert there == {name: half_way[name] for name in there}
    assert state.counters == Counters(17, 68, 17, None)
    assert (state.start.trial, state.fit["epochs_done"], state.fit["announced"]) == (0, 2, 16)
    assert len(state.history) == 17
    assert [phase.optimiser for phase in state.history.phases] == ["SGD", "Adam"]


def test_the_format_of_checkpoints(half_way):
    """Those written by earlier versions are to be read, so the names in a file stay."""
    assert set(half_way) == {
        "format", "setup", "optimisers", "runner", "timestep", "conductor", "measures", "history", "epochs",
        "fingerprint",
    }  # fmt: skip
    assert set(half_way["conductor"]) == {
        "start", "epochs_done", "epoch_losses", "measured", "announced", "pending_epoch"
    }  # fmt: skip
    assert set(half_way["conductor"]["start"]) == {"trial", "timestep", "epoch", "signature"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conductor": {"start": None}}, "no state of a training: KeyError: 'epochs_done'"),
        ({"conductor": {"start": {"trial": 0}}}, "no state of a training: it does not say where its fit began"),
        ({"epochs": [[0, 0.1]]}, "no state of a training: an epoch's result is not of four parts"),
        ({"history": {}}, "no state of a training: KeyError: this is no history"),
    ],
)
def test_what_is_no_state_changes_nothing(change, message, half_way, tmp_path):
    learner = make(6, validation=3, kind=Late)
    learner.fit(1, 0.01, "SGD")
    before = weights(learner).copy()
    checkpoint = Checkpoint.read(learner.save(tmp_path / "one"))
    damaged = dataclasses.replace(checkpoint, progress={**checkpoint.progress, **change}).write(tmp_path / "damaged")
    with pytest.raises(TrainingError, match=message):
        learner.load(damaged)
    assert learner.runner.trial == 6
    np.testing.assert_array_equal(weights(learner), before)


def test_a_runner_goes_on_with_given_counters():
    class Model:
        timestep = 0
        updates = ()

        def run(self, number):
            self.timestep += number

        def custom_update(self, group):
            self.updates += (runner.timestep,)

    model = Model()
    runner = TrialRunner(model, 10, update_group="Learn", update_timesteps=4, counters=Counters(3, 30, 7))
    runner.run(1)
    assert model.updates == (32, 36, 40)
    assert runner.counters == Counters(runner.trial, runner.timestep, runner.update) == Counters(4, 40, 10)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_a_setting_has_one_owner(name):
    learner = make(3, validation=2)
    value = object()
    setattr(learner, name, value)
    assert getattr(learner, name) is getattr(learner._session.settings, name) is value
    assert name not in vars(learner)


def test_measures_are_those_of_the_settings():
    learner = make(3)
    other = SquaredError(learner.network)
    learner.metrics = [other]
    assert learner._session.settings.measures == (learner.loss, other)


def test_there_is_no_rate_before_a_fit():
    with pytest.raises(TrainingError, match="no fit has been laid out yet"):
        make().lr_of_update(0)
