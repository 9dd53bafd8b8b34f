"""What is transferred between host and device while the demo trains: a budget for each trial."""

from collections import Counter

import pytest

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.genn.arrays import Array
from snnlearn.io import read_ras
from snnlearn.training import Callback
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st
from snnlearn.userproject.superspike_demo import Progress

TRIALS = 20
# Of an engine, as far as it has such: what looks at one array, and what at more.
ONE = ("pull", "push", "read", "write", "copy", "device_array")
MORE = ("recording", "state", "set_state", "newest_slot", "timers", "set_extra_global_params")


class Transfers(Callback):
    """Counts transfers; all from the beginning of a trial to that of the next is the trial's."""

    def __init__(self, monkeypatch, simulation):
        self.trials = [Counter()]
        for name in ("push_to_device", "pull_from_device"):
            monkeypatch.setattr(Array, name, self.spy(getattr(Array, name), name))
        for name in ("set_dynamic_param", *ONE, *MORE):
            if hasattr(simulation, name):
                monkeypatch.setattr(simulation, name, self.spy(getattr(simulation, name), name))

    def spy(self, method, name):
        def counted(*args, **kwargs):
            self.trials[-1]["one" if name in ONE else name] += 1
            if name == "pull_from_device":
                self.trials[-1]["bytes"] += args[0]._array.nbytes
            return method(*args, **kwargs)

        return counted

    def on_trial_begin(self, trainer, trial):
        self.trials.append(Counter())


@pytest.fixture(scope="module", params=["step", "linear", "1cycle"])
def run(request):
    """The transfers of each trial, and the learning curve."""
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    network = ss.describe(genn, ss.frozen_poisson(1), target, seed=1)
    rule = st.DEMO_OPTIMISERS["RMaxProp"]
    learner = st.make_learner(genn, network, target, [rule])
    learner.build()
    with pytest.MonkeyPatch.context() as patch:
        transfers = Transfers(patch, learner.model._simulation)
        progress = Progress(learner, "", None, plotting=False, quiet=True)
        learner.callbacks += [transfers, progress]
        learner.fit_opt_sched(st.SCHEDULES[request.param](TRIALS, 1.0, rule))
    return request.param, transfers.trials[1:], progress.curve


def test_nothing_is_read_but_one_small_array_every_ten_trials(run):
    _, trials, _ = run
    for number, counts in enumerate(trials):
        assert counts["pull_from_device"] == int(number % 10 == 9), number
        assert counts["bytes"] <= 8 * ss.NUM_OUTPUT
        assert not any(counts[name] for name in MORE)


def test_nothing_is_written_but_rates_that_change(run):
    schedule, trials, _ = run
    for number, counts in enumerate(trials[1:], 1):  # the first sets all
        assert counts["push_to_device"] == counts["pull_from_device"]  # the log begins anew
        assert counts["one"] == counts["push_to_device"] + counts["pull_from_device"] + counts["set_dynamic_param"]
        # At most 4 updates, of 2 connections.
        assert counts["set_dynamic_param"] <= (0 if schedule == "step" else 8), number


def test_the_curve_has_every_trial(run):
    _, _, curve = run
    assert [point.trial for point in curve] == list(range(1, TRIALS + 1))
    assert all(0.0 < point.error_of_silent < 1.3 for point in curve)
