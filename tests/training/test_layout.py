"""Phases end to end: no trial and no update lost or doubled."""

from itertools import pairwise

import pytest

from snnlearn.errors import TrainingError
from snnlearn.training import TrialRunner
from snnlearn.training.layout import lay_out


def lay(epochs, length, *, trial_timesteps=10, every=3, offset=1, first_trial=0, same=None):
    runner = TrialRunner(None, trial_timesteps, update_group="Learn", update_timesteps=every, update_offset=offset)
    lengths = length if isinstance(length, list) else [length] * len(epochs)
    return lay_out(
        epochs,
        lengths,
        same or [True] * len(epochs),
        first_trial,
        first_trial * trial_timesteps,
        first_trial,
        trial_timesteps,
        runner.updates_until,
    )


@pytest.mark.parametrize("first_trial", [0, 7])
@pytest.mark.parametrize("every", [1, 3, 10, 37])
@pytest.mark.parametrize("epochs", [[1], [0.05, 0.95], [0.5] * 7, [1 / 3] * 9, [2.5, 0.1, 4.4]])
def test_segments_meet(epochs, every, first_trial):
    segments = lay(epochs, 20, every=every, first_trial=first_trial)
    assert segments[0].first_trial == first_trial
    for before, after in pairwise(segments):
        assert after.first_trial == before.end
        assert after.first_update == before.first_update + before.num_updates
    total = sum(s.num_trials for s in segments)
    assert total == round(sum(epochs) * 20)
    # Brute force: an update after each timestep that is a multiple of the interval, but for number 0.
    begin, end = first_trial * 10, (first_trial + total) * 10
    assert sum(s.num_updates for s in segments) == sum(t % every == 0 and t > 0 for t in range(begin, end))


def test_a_fraction_is_rounded_once():
    # Rounded on their own, 0.5 and 9.5 trials would be 1 + 10.
    assert [s.num_trials for s in lay([0.05, 0.95], 10)] == [1, 9]
    assert [s.num_trials for s in lay([0.15] * 4, 10)] == [2, 1, 2, 1]


def test_epochs_go_on_across_phases_of_the_same_data():
    first, second = lay([1.5, 1.0], 4)
    assert [first.epoch(t) for t in range(6)] == [0, 0, 0, 0, 1, 1]
    assert [second.epoch(t) for t in range(6, 10)] == [1, 1, 2, 2]
    assert [second.index(t) for t in range(6, 10)] == [2, 3, 0, 1]
    assert [t for t in range(6) if first.ends_epoch(t)] == [3]
    assert [t for t in range(6, 10) if second.ends_epoch(t)] == [7, 9]


def test_other_data_start_an_epoch():
    first, second = lay([1.5, 1.0], [4, 3], same=[True, False])
    assert [t for t in range(6) if first.ends_epoch(t)] == [3, 5]
    assert [second.epoch(t) for t in range(6, 9)] == [2, 2, 2]
    assert [second.index(t) for t in range(6, 9)] == [0, 1, 2]


def test_less_than_a_trial():
    with pytest.raises(TrainingError, match=r"phase 1: 0.01 epochs of 10 trials are less than one trial"):
        lay([1.0, 0.01], 10)
