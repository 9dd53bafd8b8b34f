"""The trial runner against a model that writes down what it is told."""

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.training import Callback, StopTraining, TrialRunner


class Group:
    name = "Cells"
    # GeNN's order: ids descend within a word.
    spike_recording_data = ((np.array([0.2, 0.1, 0.1]), np.array([0, 5, 2], dtype=np.int32)),)


class Model:
    """Counts timesteps over all trials and notes everything else with that count."""

    def __init__(self):
        self.total = 0
        self.log = []
        self._timestep = 0

    @property
    def timestep(self):
        return self._timestep

    @timestep.setter
    def timestep(self, value):
        self._timestep = value
        self.log.append(("timestep", value))

    def run(self, number):
        assert number > 0
        self.total += number
        self._timestep += number

    def custom_update(self, group):
        self.log.append((group, self.total))

    def pull_recording_buffers_from_device(self):
        self.log.append(("pull", self.total))


class SteppingModel(Model):
    """Has no run(n), like PyGeNN's own."""

    run = None

    def __getattribute__(self, name):
        if name == "run":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def step_time(self):
        self.total += 1
        self._timestep += 1


def seed_updates(trials, trial_timesteps, every):
    """The loop of GeNN's superspike_demo, word for word: after which number of timesteps it updates."""
    timestep, updates = 0, []
    for _ in range(trials):
        for _ in range(trial_timesteps):
            if timestep != 0 and timestep % every == 0:
                updates.append(timestep + 1)
            timestep += 1
    return updates


@pytest.mark.parametrize("model_type", [Model, SteppingModel])
@pytest.mark.parametrize(
    ("trials", "length", "every"),
    [(3, 18900, 5000), (7, 10, 3), (4, 10, 10), (4, 9, 10), (3, 10, 1), (5, 1, 2), (2, 10, 100)],
)
def test_updates_come_when_the_seeds_loop_makes_them(model_type, trials, length, every):
    model = model_type()
    TrialRunner(model, length, update_group="Learn", update_timesteps=every, update_offset=1).run(trials)
    assert [total for group, total in model.log if group == "Learn"] == seed_updates(trials, length, every)
    assert model.total == trials * length


def test_a_run_in_parts_is_one_run():
    whole, parts = Model(), Model()
    TrialRunner(whole, 7, update_group="Learn", update_timesteps=3).run(5)
    runner = TrialRunner(parts, 7, update_group="Learn", update_timesteps=3)
    runner.run(2)
    runner.run(3)
    assert parts.log == whole.log


def test_sources_are_reset_before_each_trial():
    model = Model()
    TrialRunner(model, 4, reset_groups=["Rewind", "Quieten"]).run(2)
    start = lambda total: [("Rewind", total), ("Quieten", total), ("timestep", 0)]  # noqa: E731
    assert model.log == start(0) + start(4)


class Log(Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self, runner, num_trials):
        self.events.append(("train", num_trials))

    def on_trial_begin(self, runner, trial):
        self.events.append(("begin", trial))

    def on_update(self, runner, update):
        self.events.append(("update", update, runner.timestep))
        assert ("Learn", runner.model.total) not in runner.model.log

    def on_update_end(self, runner, update):
        self.events.append(("updated", update))
        assert ("Learn", runner.model.total) in runner.model.log

    def on_recording(self, runner, trial, spikes):
        times, ids = spikes["Cells"]
        self.events.append(("recording", trial, times.tolist(), ids.tolist()))

    def on_trial_end(self, runner, trial):
        self.events.append(("end", trial))

    def on_train_end(self, runner):
        self.events.append(("done",))


def test_callbacks_hear_everything_in_order():
    log = Log()
    runner = TrialRunner(
        Model(),
        4,
        update_group="Learn",
        update_timesteps=5,
        update_offset=1,
        record=[1],
        populations=[Group],
        callbacks=[log],
    )
    runner.run(2)
    assert log.events == [
        ("train", 2),
        ("begin", 0),
        ("end", 0),
        ("begin", 1),
        ("update", 0, 6),
        ("updated", 0),
        ("recording", 1, [0.1, 0.1, 0.2], [2, 5, 0]),
        ("end", 1),
        ("done",),
    ]
    assert (runner.trial, runner.timestep, runner.update) == (2, 8, 1)


def test_updates_without_offset_come_with_the_interval():
    model = Model()
    runner = TrialRunner(model, 6, update_group="Learn", update_timesteps=4)
    runner.run(2)
    assert [total for group, total in model.log if group == "Learn"] == [4, 8, 12]
    assert [runner.updates_until(t) for t in (0, 3, 4, 7, 8, 12)] == [0, 0, 1, 1, 2, 3]


class StopAt(Callback):
    def __init__(self, update, error):
        self.at, self.error = update, error

    def on_update_end(self, runner, update):
        if update == self.at:
            raise self.error


@pytest.mark.parametrize("stop", range(5))
def test_a_stopped_run_goes_on_where_it_was(stop):
    whole, parts = Model(), Model()
    TrialRunner(whole, 7, update_group="Learn", update_timesteps=3).run(3)
    runner = TrialRunner(parts, 7, update_group="Learn", update_timesteps=3, callbacks=[StopAt(stop, StopTraining())])
    runner.run(3)
    assert runner.update == stop + 1
    assert runner.trial < 3
    runner.run(3 - runner.trial)
    assert parts.log == whole.log
    assert (runner.trial, runner.timestep) == (3, 21)


def test_an_error_in_a_callback_names_it():
    runner = TrialRunner(Model(), 7, update_group="Learn", update_timesteps=3, callbacks=[StopAt(0, KeyError("x"))])
    with pytest.raises(TrainingError, match=r"the callback StopAt\.on_update_end raised KeyError: 'x'") as caught:
        runner.run(1)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trial_timesteps": 0}, "trial_timesteps must be positive, not 0"),
        ({"update_group": "Learn"}, "update_group and update_timesteps belong together"),
        ({"update_timesteps": 5}, "update_group and update_timesteps belong together"),
        ({"update_group": "Learn", "update_timesteps": -1}, "update_timesteps must be positive, not -1"),
        ({"update_offset": -1}, "update_offset must be a whole number and not negative: -1"),
        ({"trial_timesteps": 2.5}, "trial_timesteps must be a whole number, not 2.5"),
        ({"update_group": "Learn", "update_timesteps": 4.5}, "update_timesteps must be a whole number, not 4.5"),
        ({"update_offset": 1.5}, "update_offset must be a whole number and not negative: 1.5"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(TrainingError, match=message):
        TrialRunner(Model(), **{"trial_timesteps": 10, **settings})


def test_no_trials():
    with pytest.raises(TrainingError, match="num_trials must be positive, not 0"):
        TrialRunner(Model(), 10).run(0)
