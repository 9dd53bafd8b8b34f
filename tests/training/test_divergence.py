"""Divergence: a verdict that neither the unit nor the zero of a loss changes, and what a learner does with it."""

import math

import numpy as np
import pytest
from delta_rule import Log, SquaredError, make, weights

from snnlearn.errors import TrainingError
from snnlearn.training import Callback, StopTraining, TrainingPhase
from snnlearn.training.divergence import FEWEST, Divergence


def verdicts(losses):
    divergence, given = Divergence(), []
    for loss in losses:
        divergence.add(loss)
        given.append(divergence.diverges)
    return given


def first(losses):
    """Return how many losses it takes, None where it never diverges."""
    given = verdicts(losses)
    return given.index(True) + 1 if True in given else None


RANDOM = np.random.default_rng(5)
HARMLESS = {
    "a log-likelihood": [-1.0 - 0.01 * k for k in range(300)],
    "through zero": [0.5 - 0.02 * k for k in range(300)],
    "nothing, then a little": [0.0] * 15 + [1e-6] * 85,
    "nothing for long, then noise": [0.0] * 150 + list(1e-6 * RANDOM.exponential(size=300)),
    "rounding, then noise": list(1.0 + 6e-8 * RANDOM.integers(0, 2, 60)) + list(1.3 + 0.1 * RANDOM.normal(size=300)),
    "always the same": [7.0] * 50,
    "a slow rise": [0.2 + 1e-3 * k for k in range(400)],
    "noise": list(RANDOM.normal(size=2000)),
    "single large losses": list(RANDOM.lognormal(0.0, 1.0, 2000)),
    "squared noise": list(RANDOM.normal(size=2000) ** 2),
    "seldom anything": list((RANDOM.random(2000) < 0.02) * 1.0),
    "warm restarts": [0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * (k % 50) / 50)) for k in range(400)],
    "a start like no other": [1e9, *(0.9**k for k in range(200))],
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_diverge(name):
    for sign_of_zero in (0.0, -100.0):
        assert first([loss + sign_of_zero for loss in HARMLESS[name]]) is None


FALL = [1.0 - 0.01 * k for k in range(60)]


@pytest.mark.parametrize(
    ("losses", "latest"),
    [
        ([2.0**k for k in range(40)], 20),
        ([1.1**k for k in range(200)], 40),
        (FALL + [0.4 + 0.001 * 2.0**k for k in range(40)], 60 + 16),
        (FALL + [0.4 + 0.001 * 1.1**k for k in range(200)], 60 + 100),
        (FALL + [50.0] * 10, 60 + 3),
        (list(RANDOM.normal(size=200)) + list(100.0 + 30.0 * RANDOM.normal(size=20)), 200 + 4),
    ],
    ids=["doubling", "a tenth more", "doubling later", "a tenth more later", "to a bound", "noise to a bound"],
)
def test_what_diverges_is_told_in_time_whatever_its_unit_and_zero(losses, latest):
    found = first(losses)
    assert found is not None
    assert FEWEST < found <= latest
    for scale, shift in [(1.0, -100.0), (1.0, 1e6), (1e-12, 0.0), (1e12, 0.0), (3.0, -7.0)]:
        assert first([scale * loss + shift for loss in losses]) == found


@pytest.mark.parametrize("seed", range(20))
def test_a_verdict_depends_on_neither_unit_nor_zero(seed):
    random = np.random.default_rng(seed)
    # Whole numbers, so that a shift and a factor round nothing.
    walk = np.cumsum(random.integers(-20, 21, 400) * np.where(np.arange(400) > 200, 2 ** (seed % 5), 1)).astype(float)
    walk[250:] += 40.0 * walk[:250].max() * (seed % 2)
    plain = verdicts(walk)
    assert any(plain) or seed % 2 == 0
    for scale in (2.0**-60, 1.0, 2.0**60):
        for shift in (-1e6, 0.0, 12345.0):
            assert verdicts(scale * (walk + shift)) == plain


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("before", [0, 1, 50])
def test_what_is_not_finite_diverges_at_once(value, before):
    assert first([1.0] * before + [value]) == before + 1
    assert verdicts([1.0] * before + [value, 1.0])[-1] is False


class Seen(SquaredError):
    """The squared error in another unit and with another zero; not finite from trial ``broken`` on."""

    def __init__(self, network, scale=1.0, shift=0.0, broken=None):
        super().__init__(network)
        self.scale, self.shift, self.broken, self.trials = scale, shift, broken, 0

    def of_trial(self, data, index):
        self.trials += 1
        if self.broken is not None and self.trials > self.broken:
            return math.nan
        return self.scale * super().of_trial(data, index) + self.shift


def seen(count=20, callbacks=(), **loss):
    learner = make(count, callbacks=callbacks)
    learner.loss = Seen(learner.network, **loss)
    return learner


DIVERGING = [TrainingPhase(3, "SGD", 0.05), TrainingPhase(20, "SGD", 5.0)]
UNITS = [(1.0, -100.0), (1.0, 1e6), (1e-12, 0.0), (1e-12, -1e-9), (2.0**20, 0.0)]


@pytest.mark.parametrize(("scale", "shift"), UNITS)
def test_a_run_stops_at_the_same_update_in_any_unit(scale, shift):
    plain, other = seen(), seen(scale=scale, shift=shift)
    for learner in (plain, other):
        learner.fit_opt_sched(DIVERGING, stop_div=True)
    assert 60 < plain.runner.trial < 80
    assert other.runner.trial == plain.runner.trial


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), *UNITS])
def test_learning_is_no_divergence(scale, shift):
    learner = seen(scale=scale, shift=shift)
    learner.fit_opt_sched([TrainingPhase(10, "SGD", 0.02, momentum=0.0)], stop_div=True)
    assert learner.runner.trial == 200


@pytest.mark.parametrize("broken", [1, 5, 30])
def test_a_run_stops_where_the_loss_is_not_finite(broken):
    learner = seen(broken=broken)
    learner.fit_opt_sched([TrainingPhase(3, "SGD", 0.01)], stop_div=True)
    assert learner.runner.trial == broken + 1
    assert math.isnan(learner.sched.losses[-1])


@pytest.mark.parametrize("stop", [3, 12, 61])
def test_a_resumed_run_stops_where_the_whole_one_does(stop, tmp_path):
    whole = seen(shift=-100.0)
    whole.fit_opt_sched(DIVERGING, stop_div=True)
    half = seen(shift=-100.0, callbacks=[Log(("update_end", stop))])
    half.fit_opt_sched(DIVERGING, stop_div=True)
    assert half.runner.trial < whole.runner.trial
    half.save(tmp_path / "half")
    rest = seen(shift=-100.0)
    rest.load(tmp_path / "half")
    rest.fit_opt_sched(DIVERGING, stop_div=True, resume=True)
    assert rest.runner.trial == whole.runner.trial
    np.testing.assert_array_equal(rest.sched.losses, whole.sched.losses)
    np.testing.assert_array_equal(weights(rest), weights(whole))


@pytest.mark.parametrize(("scale", "shift"), UNITS)
def test_the_finder_suggests_the_same_in_any_unit(scale, shift):
    plain, other = (
        learner.lr_find(1e-4, 10.0, epochs=3, optimiser="SGD") for learner in (seen(), seen(scale=scale, shift=shift))
    )
    assert len(other.losses) == len(plain.losses)
    assert other.suggestion == pytest.approx(plain.suggestion, rel=1e-6)


class Stopper(Callback):
    def on_update_end(self, trainer, update):
        if update == 7:
            raise StopTraining


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({"count": 9}, {}, "9 losses are too few .*: all 9 updates of the run were made; train for more epochs"),
        (
            {"broken": 12},
            {},
            r"12 losses are too few .*: the loss diverged at update 13 of 20, at a rate of .*; start from a lower rate",
        ),
        (
            {"callbacks": [Stopper()]},
            {"epochs": 3},
            r"8 losses are too few .*: a callback stopped training after 8 of 60 updates, at a rate of",
        ),
        ({"scale": 0.0, "shift": 3.0, "count": 30}, {}, "the loss never falls .*: all 30 updates .* were made"),
    ],
    ids=["few data", "diverged", "stopped", "level"],
)
def test_the_finder_says_what_happened(settings, arguments, message):
    with pytest.raises(TrainingError, match=message):
        seen(**settings).lr_find(1e-4, 10.0, optimiser="SGD", **arguments)


def test_the_finder_takes_numbers_of_numpy():
    plain, numpys = (
        seen().lr_find(start, end, epochs=3, optimiser="SGD")
        for start, end in ((2**-13, 8.0), (np.float32(2**-13), np.int64(8)))
    )
    assert plain.suggestion == numpys.suggestion


def test_the_finder_says_where_it_diverged():
    found = seen(broken=50).lr_find(1e-4, 1.0, epochs=3, optimiser="SGD")
    assert found.why.endswith(f"the loss diverged at update 51 of 60, at a rate of {1e-4 * 1e4 ** (50 / 60):.3g}")
