"""Recipes against the notebook's closed forms."""

import math

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.training.decay import DecayType
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.recipes import phases_1cycle, phases_sgdr, phases_step


def test_sgdr_is_the_notebooks_list():
    lr, cycle_len, cycle_mult = 1e-2, 3, 2
    assert phases_sgdr(lr, "Adam", 3, cycle_len, cycle_mult) == [
        TrainingPhase(cycle_len / 20, "Adam", lr / 100),
        TrainingPhase(cycle_len * 19 / 20, "Adam", lr, DecayType.COSINE),
        TrainingPhase(cycle_len * 2, "Adam", lr, DecayType.COSINE),
        TrainingPhase(cycle_len * 4, "Adam", lr, DecayType.COSINE),
    ]


def test_sgdr_restarts_at_the_largest_rate():
    _, first, second = phases_sgdr(0.1, "RMaxProp", 2, 1, 1)
    for phase in (first, second):
        rates = [phase.lr_at(i, 20) for i in (0, 10, 19)]
        assert rates == pytest.approx([0.1, 0.05, 0.05 * (1 + math.cos(math.pi * 0.95))])


def test_1cycle_is_the_notebooks_list():
    cycle_len, lr, div, pct, max_mom, min_mom = 3, 1e-2, 10, 10, 0.95, 0.85
    tri_cyc = (1 - pct / 100) * cycle_len
    linear = {"lr_decay": DecayType.LINEAR, "momentum_decay": DecayType.LINEAR}
    assert phases_1cycle(cycle_len, lr, div, pct, max_mom, min_mom) == [
        TrainingPhase(tri_cyc / 2, "SGD", (lr / div, lr), momentum=(max_mom, min_mom), **linear),
        TrainingPhase(tri_cyc / 2, "SGD", (lr, lr / div), momentum=(min_mom, max_mom), **linear),
        TrainingPhase(
            cycle_len - tri_cyc, "SGD", (lr / div, lr / (100 * div)), lr_decay=DecayType.LINEAR, momentum=max_mom
        ),
    ]


def test_1cycle_over_its_iterations():
    rates, momenta = [], []
    for phase, n in zip(phases_1cycle(10, 1.0, 10, 20, 0.9, 0.5, "Adam"), (4, 4, 2), strict=True):
        rates += [phase.lr_at(i, n) for i in range(n)]
        momenta += [phase.momentum_at(i, n) for i in range(n)]
    assert rates == pytest.approx([0.1, 0.325, 0.55, 0.775, 1.0, 0.775, 0.55, 0.325, 0.1, 0.0505])
    assert momenta == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9])


def test_step_divides_the_rate_again_and_again():
    phases = phases_step(1.0, 400, 0.1, 1000)
    assert [phase.epochs for phase in phases] == [400, 400, 200]
    assert [phase.lr_at(0, 1) for phase in phases] == pytest.approx([1.0, 0.1, 0.01])
    assert {phase.rule.name for phase in phases} == {"RMaxProp"}
    assert phases_step(1.0, 2, 0.5) == phases_step(1.0, 2, 0.5, 6)


@pytest.mark.parametrize(("every", "total", "number"), [(400, 400, 1), (400, 100, 1), (0.1, 0.3, 3), (0.1, 0.35, 4)])
def test_step_lasts_as_long_as_it_should(every, total, number):
    phases = phases_step(1.0, every, 0.1, total)
    assert len(phases) == number
    assert math.fsum(phase.epochs for phase in phases) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    ("recipe", "epochs"),
    [
        (lambda lr: phases_sgdr(lr, "SGD", 2, 1, 2), 3),
        (lambda lr: phases_1cycle(1, lr, 10, 10, 0.9, 0.8), 1),
        (lambda lr: phases_step(lr, 2, 0.1, 5), 5),
    ],
    ids=["sgdr", "1cycle", "step"],
)
def test_recipes_take_a_rate_for_each_connection(recipe, epochs):
    for rates in ([0.1, 0.2], np.array([0.1, 0.2])):
        phases, alone = recipe(rates), recipe(0.2)
        assert math.fsum(phase.epochs for phase in phases) == pytest.approx(epochs)
        for phase, single in zip(phases, alone, strict=True):
            phase.check_connections(2)
            np.testing.assert_allclose(phase.lr_at(1, 3), single.lr_at(1, 3) * np.array([0.5, 1.0]), rtol=1e-12)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (lambda: phases_sgdr(0.1, "SGD", 0, 1, 2), "num_cycle must be a positive whole number, not 0"),
        (lambda: phases_sgdr(0.1, "SGD", 1.5, 1, 2), "num_cycle must be a positive whole number, not 1.5"),
        (lambda: phases_sgdr(0.1, "SGD", 1, 0, 2), "cycle_len must be positive and finite, not 0"),
        (lambda: phases_sgdr(0.1, "SGD", 1, 1, -2), "cycle_mult must be positive and finite, not -2"),
        (lambda: phases_sgdr(math.nan, "SGD", 1, 1, 2), "lr must be finite, not nan"),
        (lambda: phases_sgdr(0.1, "SGDR", 1, 1, 2), "no optimiser 'SGDR'; did you mean 'SGD'"),
        (lambda: phases_1cycle(-1, 0.1, 10, 10, 0.9, 0.8), "cycle_len must be positive and finite, not -1"),
        (lambda: phases_1cycle(1, 0.1, 0, 10, 0.9, 0.8), "div must be positive and finite, not 0"),
        (lambda: phases_1cycle(1, 0.1, 10, 0, 0.9, 0.8), "pct must lie between 0 and 100, both excluded, not 0"),
        (lambda: phases_1cycle(1, 0.1, 10, 100, 0.9, 0.8), "pct must lie between 0 and 100, both excluded, not 100"),
        (lambda: phases_1cycle(1, 0.1, 10, 10, 1.9, 0.8), r"the start of momentum must be in \[0, 1\), not 1.9"),
        (lambda: phases_1cycle(1, 0.1, 10, 10, 0.9, 0.8, "RMaxProp"), "the optimiser 'RMaxProp' has no momentum"),
        (lambda: phases_step(0.1, 0, 0.1), "every must be positive and finite, not 0"),
        (lambda: phases_step(0.1, 1, 10), r"factor must be in \(0, 1\]: .* 0.1 for a tenth; not 10"),
        (lambda: phases_step(0.1, 1, 0.1, 0), "num_epochs must be positive and finite, not 0"),
        (lambda: phases_step([], 1, 0.1), "lr is empty"),
    ],
)
def test_recipes_that_cannot_work(recipe, message):
    with pytest.raises(TrainingError, match=message):
        recipe()


def test_1cycle_without_momentum():
    plain = phases_1cycle(10, 1.0, 10, 10, None, None, "RMaxProp")
    assert [(p.epochs, p.lr) for p in plain] == [(4.5, (0.1, 1.0)), (4.5, (1.0, 0.1)), (1.0, (0.1, 0.001))]
    with pytest.raises(TrainingError, match=r"max_mom=0.9 and min_mom=None: give both, or None for both"):
        phases_1cycle(10, 1.0, 10, 10, 0.9, None, "SGD")
