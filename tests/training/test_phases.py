"""Training phases: rates over their iterations, equality, and everything that cannot be."""

import copy
import math
import pickle

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.training.decay import DecayType
from snnlearn.training.optimisers import OPTIMISERS
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.rates import PerConnection

ARRAY = np.array([1e-4, 1e-3, 1e-2])


def test_a_rate_without_decay_stays():
    phase = TrainingPhase(1, "SGD", 0.3, momentum=0.8)
    assert [phase.lr_at(i, 7) for i in range(7)] == [0.3] * 7
    assert [phase.momentum_at(i, 7) for i in range(7)] == [0.8] * 7


def test_what_is_left_out_is_the_optimisers():
    phase = TrainingPhase(2)
    assert phase.rule is OPTIMISERS["RMaxProp"]
    assert phase.lr_at(1, 2) == OPTIMISERS["RMaxProp"].params["lr"]
    assert math.isnan(phase.momentum_at(1, 2))
    assert TrainingPhase(2, "Adam").momentum_at(1, 2) == 0.9
    assert TrainingPhase(2, "Adam", lr_decay=DecayType.LINEAR).lr_at(1, 2) == 0.0005


@pytest.mark.parametrize("n", [1, 2, 9, 1000])
def test_rates_and_momenta_follow_their_decays(n):
    phase = TrainingPhase(1, "SGD", (1e-3, 1e-1), DecayType.EXPONENTIAL, (0.95, 0.85), (DecayType.POLYNOMIAL, 3))
    for i in {0, n // 2, n - 1}:
        assert phase.lr_at(i, n) == pytest.approx(1e-3 * 100 ** (i / n), rel=1e-13)
        assert phase.momentum_at(i, n) == pytest.approx(0.85 + 0.1 * (1 - i / n) ** 3, rel=1e-13)


@pytest.mark.parametrize("decay", [DecayType.LINEAR, DecayType.COSINE, (DecayType.POLYNOMIAL, 2)], ids=str)
def test_a_lone_value_with_a_decay_ends_at_zero(decay):
    lone, pair = TrainingPhase(1, "SGD", 0.4, decay), TrainingPhase(1, "SGD", (0.4, 0.0), decay)
    assert [lone.lr_at(i, 10) for i in range(10)] == [pair.lr_at(i, 10) for i in range(10)]
    assert lone.lr_at(0, 10) == 0.4
    assert 0.0 < lone.lr_at(9, 10) < 0.1


def test_the_next_phase_takes_over_where_this_would_have_ended():
    """The end of a phase is the value of iteration n, which is the next phase's first."""
    up = TrainingPhase(1, "SGD", (0.1, 0.5), DecayType.LINEAR)
    down = TrainingPhase(1, "SGD", (0.5, 0.1), DecayType.LINEAR)
    rates = [up.lr_at(i, 4) for i in range(4)] + [down.lr_at(i, 4) for i in range(4)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2])


def test_a_list_without_decay_is_one_rate_a_connection():
    for given in (ARRAY.tolist(), PerConnection(ARRAY), ARRAY):
        np.testing.assert_array_equal(TrainingPhase(1, "SGD", given).lr_at(3, 4), ARRAY)


@pytest.mark.parametrize("given", [ARRAY, PerConnection(ARRAY.tolist()), PerConnection(tuple(ARRAY))], ids=str)
def test_discriminative_rates(given):
    constant = TrainingPhase(1, "SGD", given)
    np.testing.assert_array_equal(constant.lr_at(3, 4), ARRAY)
    falling = TrainingPhase(1, "SGD", given, DecayType.COSINE)
    np.testing.assert_allclose(falling.lr_at(2, 4), ARRAY / 2)
    rising = TrainingPhase(1, "SGD", (ARRAY / 10, given), DecayType.LINEAR)
    np.testing.assert_allclose(rising.lr_at(1, 4), ARRAY / 10 + 0.225 * ARRAY)


def test_a_pair_may_mix_a_number_and_an_array():
    phase = TrainingPhase(1, "SGD", (0.0, [1.0, 2.0]), DecayType.LINEAR, momentum=[0.5, 0.9])
    np.testing.assert_allclose(phase.lr_at(1, 2), [0.5, 1.0])
    np.testing.assert_allclose(phase.momentum_at(1, 2), [0.5, 0.9])


def test_a_decay_of_ones_own():
    def staircase(start, end, fraction):
        return start if fraction < 0.5 else end

    phase = TrainingPhase(1, "SGD", ([1.0, 2.0], [3.0, 4.0]), staircase, (0.9, 0.5), staircase)
    np.testing.assert_array_equal([phase.lr_at(i, 4) for i in range(4)], [[1, 2], [1, 2], [3, 4], [3, 4]])
    assert [phase.momentum_at(i, 4) for i in range(4)] == [0.9, 0.9, 0.5, 0.5]
    lone = TrainingPhase(1, "SGD", 1.0, staircase)
    assert [lone.lr_at(i, 2) for i in range(2)] == [1.0, 0.0]


def test_equal_phases_are_equal():
    arguments = {"lr": ARRAY, "lr_decay": DecayType.LINEAR, "wds": ARRAY, "beta": 0.99}
    phase = TrainingPhase(1, "Adam", **arguments)
    same = TrainingPhase(1.0, OPTIMISERS["Adam"], **{**arguments, "lr": PerConnection(ARRAY.tolist())})
    assert phase == same
    assert hash(phase) == hash(same)
    assert pickle.loads(pickle.dumps(phase)) == copy.deepcopy(phase) == phase
    assert phase != TrainingPhase(1, "AdamW", **arguments)
    # One value for each connection is not start and end.
    assert TrainingPhase(1, "SGD", PerConnection([0.1, 0.2]), DecayType.LINEAR) != TrainingPhase(
        1, "SGD", (0.1, 0.2), DecayType.LINEAR
    )


def test_an_array_changed_later_changes_no_phase():
    array = ARRAY.copy()
    phase = TrainingPhase(1, "SGD", array)
    array[:] = 7.0
    np.testing.assert_array_equal(phase.lr_at(0, 1), ARRAY)


def test_rates_per_connection_become_arrays():
    phase = TrainingPhase(1, "SGD", wds=[0.1, 0.2])
    assert np.asarray(phase.wds).dtype == np.float64
    np.testing.assert_array_equal(np.asarray(phase.wds), [0.1, 0.2])
    assert repr(phase.wds) == "PerConnection(0.1, 0.2)"


def test_arrays_must_be_as_long_as_there_are_connections():
    for phase in (
        TrainingPhase(1, "SGD", ARRAY),
        TrainingPhase(1, "SGD", (0.1, ARRAY), DecayType.LINEAR),
        TrainingPhase(1, "SGD", momentum=[0.1, 0.2, 0.3]),
        TrainingPhase(1, "SGD", wds=ARRAY),
    ):
        phase.check_connections(3)
        with pytest.raises(TrainingError, match=r"(lr|momentum|wds) has 3 values for 2 trained connections"):
            phase.check_connections(2)
    TrainingPhase(1, "SGD", 0.1).check_connections(2)


@pytest.mark.parametrize(("i", "n"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_iteration_outside_the_phase(i, n):
    with pytest.raises(TrainingError, match=f"there is no iteration {i} of {n}"):
        TrainingPhase(1).lr_at(i, n)


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (0, "epochs must be positive and finite, not 0"),
        (-1.5, "epochs must be positive and finite, not -1.5"),
        (math.nan, "epochs must be positive and finite, not nan"),
        (math.inf, "epochs must be positive and finite, not inf"),
        ("3", "epochs must be a number, not '3'"),
        (True, "epochs must be a number, not True"),
    ],
)
def test_bad_epochs(epochs, message):
    with pytest.raises(TrainingError, match=message):
        TrainingPhase(epochs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimiser": "adam"}, "there is no optimiser 'adam'; did you mean 'Adam'"),
        ({"lr": math.nan}, "^lr must be finite, not nan"),
        ({"lr": math.inf}, "^lr must be finite, not inf"),
        ({"lr": -0.1}, "^lr must be at least 0, not -0.1"),
        ({"lr": "fast"}, "^lr must be a number, not 'fast'"),
        ({"lr": [0.1, math.nan]}, r"^lr\[1\] must be finite, not nan"),
        ({"lr": [[0.1], [0.2]]}, r"^lr\[0\] must be a number, not \[0.1\]"),
        ({"lr": []}, "^lr is empty: give one value for each trained connection"),
        ({"lr": (0.1, math.nan), "lr_decay": DecayType.LINEAR}, "the end of lr must be finite"),
        ({"lr": (None, 0.1), "lr_decay": DecayType.LINEAR}, "the start of lr must be a number, not None"),
        ({"lr": (1, 2, 3)}, r"lr is a tuple of 3: a tuple is \(start, end\); for one value per connection give a list"),
        ({"lr": (0.1, 0.2)}, r"lr=\(0.1, 0.2\) is a pair, but lr_decay is NO: name a decay"),
        ({"momentum": (0.9, 0.8)}, r"momentum=\(0.9, 0.8\) is a pair, but momentum_decay is NO"),
        ({"lr": 0.1, "lr_decay": DecayType.EXPONENTIAL}, "lr_decay is EXPONENTIAL and lr a lone value: .* end at 0"),
        ({"lr_decay": DecayType.EXPONENTIAL}, "lr_decay is EXPONENTIAL and lr a lone value"),
        ({"lr": (0.1, 0.0), "lr_decay": DecayType.EXPONENTIAL}, "so lr must not be 0 at either end"),
        ({"lr": ([0.0, 1.0], 1.0), "lr_decay": DecayType.EXPONENTIAL}, "so lr must not be 0 at either end"),
        ({"lr": 0.1, "lr_decay": DecayType.POLYNOMIAL}, "^lr_decay: POLYNOMIAL needs its power"),
        ({"momentum": 0.1, "momentum_decay": "linear"}, "^momentum_decay: 'linear' is no decay; did you mean"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\), not 1"),
        ({"momentum": [0.9, -0.1]}, r"momentum\[1\] must be in \[0, 1\), not -0.1"),
        ({"wds": -1.0}, "wds must be at least 0"),
        ({"wds": math.nan}, "wds must be finite"),
        ({"beta": 1.0, "optimiser": "Adam"}, r"beta must be in \[0, 1\), not 1"),
        ({"beta": 0.9}, "the optimiser 'SGD' has no beta"),
        ({"optimiser": "RMaxProp", "momentum": 0.9}, "the optimiser 'RMaxProp' has no momentum"),
        ({"optimiser": "RMaxProp", "momentum_decay": DecayType.LINEAR}, "the optimiser 'RMaxProp' has no momentum"),
        ({"lr": [1.0, 2.0], "wds": [1.0]}, "arrays of different lengths: lr has 2 values, wds 1"),
        ({"lr": ([1.0, 2.0], [1.0]), "lr_decay": DecayType.LINEAR}, "lr has 2 values, lr 1"),
        ({"lr": [(0.1, 0.2), (0.3, 0.4)], "lr_decay": DecayType.LINEAR}, r"lr is a list of tuples: .*\(\[starts\], \["),
        (
            {"lr": ((0.1, 0.2), 0.3), "lr_decay": DecayType.LINEAR},
            r"the start of lr must be a number, not \(0.1, 0.2\)",
        ),
        (
            {"lr": (1, 2, 3), "lr_decay": DecayType.LINEAR},
            r"for one value per connection give PerConnection\(\[1, 2, 3\]\)",
        ),
    ],
)
def test_what_cannot_work_is_an_error(arguments, message):
    with pytest.raises(TrainingError, match=message):
        TrainingPhase(1, **{"optimiser": "SGD", **arguments})


@pytest.mark.parametrize("name", ["lr", "momentum"])
@pytest.mark.parametrize(
    "decay",
    [DecayType.LINEAR, DecayType.COSINE, DecayType.EXPONENTIAL, (DecayType.POLYNOMIAL, 2), lambda s, e, x: s],
    ids=["linear", "cosine", "exponential", "polynomial", "function"],
)
def test_a_list_with_a_decay_could_mean_two_things(name, decay):
    both = rf"{name}=\(0.1, 0.2\); for one value a connection, .*{name}=PerConnection\(\[0.1, 0.2\]\) or an array"
    with pytest.raises(TrainingError, match=both):
        TrainingPhase(1, "SGD", **{name: [0.1, 0.2], f"{name}_decay": decay})
    with pytest.raises(TrainingError, match=rf"{name}=\(start, end\); .*PerConnection\(\[0.1\]\)"):
        TrainingPhase(1, "SGD", **{name: [0.1], f"{name}_decay": decay})
    other = "momentum" if name == "lr" else "lr"
    phase = TrainingPhase(1, "SGD", **{name: [0.1, 0.2], other: (0.3, 0.1), f"{other}_decay": DecayType.LINEAR})
    assert getattr(phase, name) == PerConnection((0.1, 0.2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0.1, r"PerConnection takes one list of values, PerConnection\(\[0.1, 0.2\]\), not 0.1"),
        ([], "PerConnection is empty"),
        ([0.1, math.nan], r"PerConnection\[1\] must be finite, not nan"),
        ([(0.1, 0.2)], r"PerConnection\[0\] must be a number, not \(0.1, 0.2\)"),
        (np.ones((2, 2)), r"PerConnection\[0\] must be a number, not \[1.0, 1.0\]"),
    ],
)
def test_what_is_not_one_value_for_each_connection(given, message):
    with pytest.raises(TrainingError, match=message):
        PerConnection(given)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda start, end, fraction: math.nan, "the value of lr_decay .* must be finite, not nan"),
        (lambda start, end, fraction: -1.0, "the value of lr_decay .* must be at least 0, not -1"),
        (lambda start, end, fraction: "x", "the value of lr_decay .* must be a number"),
        (lambda start, end, fraction: np.ones(3), r"returned array.*, of shape \(3,\) instead of \(\)"),
    ],
)
def test_a_decay_of_ones_own_is_tried_at_once(function, message):
    with pytest.raises(TrainingError, match=message):
        TrainingPhase(1, "SGD", 0.1, function)


def test_a_decay_of_ones_own_is_watched_later_too():
    phase = TrainingPhase(1, "SGD", 0.1, momentum=(0.5, 0.9), momentum_decay=lambda start, end, x: start + x)
    assert phase.momentum_at(1, 4) == 0.75
    with pytest.raises(TrainingError, match=r"the value of momentum_decay .* must be in \[0, 1\), not 1"):
        phase.momentum_at(2, 4)
