"""Rates of synapses that are learnt: read, set, saved, recovered, drawn, scheduled; on the delta rule's network."""

import math

import numpy as np
import pytest
from delta_rule import make, weights

from snnlearn.errors import TrainingError
from snnlearn.training import OPTIMISERS, DecayType, TrainingPhase

LEARNING = ["MetaSGD", "IDBD", "HypergradientSGD"]
# Of those that learn on line, with rates that move within a few updates of this network.
EAGER = [
    OPTIMISERS["IDBD"].variant("IDBD", theta=0.3),
    OPTIMISERS["HypergradientSGD"].variant("HypergradientSGD", hyperRate=1.0),
]


@pytest.fixture(scope="module")
def trained():
    learner = make(optimisers=LEARNING)
    learner.fit(3, 0.01, "IDBD")
    return learner


def test_the_table_says_which_optimisers_learn_rates():
    assert [name for name, rule in sorted(OPTIMISERS.items()) if rule.rate_var is not None] == sorted(LEARNING)


@pytest.mark.parametrize("rule", EAGER, ids=lambda rule: rule.name)
def test_rates_learnt_on_line_lower_the_loss_and_survive_a_checkpoint(rule, tmp_path):
    learner = make(optimisers=[rule])
    phases = [TrainingPhase(20, rule, 0.02)]
    learner.fit_opt_sched(phases)
    losses, rates = learner.sched.losses, learner.rates(rule)["Synapses"]
    assert np.mean(losses[-6:]) < 0.5 * np.mean(losses[:6])
    assert np.ptp(rates) > 0.1 * 0.02
    learner.save(tmp_path / "rates")
    again = make(optimisers=[rule])
    again.load(tmp_path / "rates")
    np.testing.assert_array_equal(again.rates(rule)["Synapses"], rates)
    for one in (learner, again):
        one.fit(2, 0.02, rule)
    np.testing.assert_array_equal(weights(again), weights(learner))


@pytest.mark.parametrize("name", LEARNING)
def test_rates_are_set_and_read(trained, name):
    rates = trained.rates(name)
    wanted = np.linspace(0.001, 0.02, 8)
    rates["Synapses"] = wanted
    np.testing.assert_allclose(rates["Synapses"], wanted, rtol=1e-5)
    rates["Synapses"] = 0.004
    np.testing.assert_allclose(rates["Synapses"], 0.004, rtol=1e-5)
    assert dict(rates).keys() == {"Synapses"}
    assert len(rates) == 1


def test_a_rate_that_is_set_is_what_its_weight_moves_by(trained):
    rates = trained.rates("MetaSGD")
    trained.set_rates(rates.rule, {"lr": 0.5})
    rates["Synapses"] = [0.0, *[0.01] * 6, 0.02]
    before = weights(trained).ravel()
    trained.fit(1, 0.5, "MetaSGD")
    moved = weights(trained).ravel() != before
    assert moved.tolist() == [False, *[True] * 7]


def test_a_schedule_moves_all_rates_alike(trained):
    rates = trained.rates("MetaSGD")
    trained.set_rates(rates.rule, {"lr": 1.0})
    rates["Synapses"] = np.linspace(0.001, 0.008, 8)
    trained.fit(1, (1.0, 0.5), "MetaSGD", lr_decay=DecayType.LINEAR)
    last = trained.sched.lrs[-1, 0]
    assert 0.5 < last < 1.0
    np.testing.assert_allclose(rates["Synapses"], last * np.linspace(0.001, 0.008, 8), rtol=1e-6)


def test_weights_end_at_their_bounds_and_leave_no_trace():
    learner = make(bounds=(-0.2, 0.2), optimisers=["IDBD"])
    learner.fit(20, 0.05, "IDBD")
    at_bound = np.abs(weights(learner).ravel()) == np.float32(0.2)
    (update,) = learner._network.updates_of(OPTIMISERS["IDBD"])
    update.vars["h"].pull_from_device()
    assert at_bound.any()
    assert np.abs(weights(learner)).max() == np.float32(0.2)
    assert np.all(update.vars["h"].view[at_bound] == 0.0)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("MetaSGD", math.nan, r"rates of 'Synapses' must be finite; it is nan"),
        ("IDBD", [0.1] * 7 + [math.inf], r"rates of 'Synapses' must be finite; number 7 is inf"),
        ("HypergradientSGD", "fast", r"rates of 'Synapses' must be numbers, not 'fast'"),
        ("IDBD", [0.1] * 7 + [0.0], r"rates of 'Synapses' must be positive: 'IDBD' keeps their logarithms"),
        ("MetaSGD", [0.1] * 7, r"there are \(8,\) synapses, and the values have the shape \(7,\)"),
    ],
)
def test_what_is_no_rate_is_refused(trained, name, values, message):
    rates = trained.rates(name)
    before = rates["Synapses"]
    with pytest.raises(TrainingError, match=message):
        rates["Synapses"] = values
    np.testing.assert_array_equal(rates["Synapses"], before)


def test_what_there_is_not_is_refused(trained):
    with pytest.raises(TrainingError, match="no trained connection 'Synapse'; did you mean 'Synapses'"):
        trained.rates("IDBD")["Synapse"]
    with pytest.raises(TrainingError, match="'Adam' learns no rates: all synapses have its lr"):
        trained.rates("Adam")
    with pytest.raises(TrainingError, match="the optimiser 'Other' is not compiled"):
        trained.rates(OPTIMISERS["IDBD"].variant("Other"))
    trained.set_rates(OPTIMISERS["MetaSGD"], {"lr": 0.0})
    with pytest.raises(TrainingError, match="cannot be set while lr is 0"):
        trained.rates("MetaSGD")["Synapses"] = 0.1


def test_rates_are_drawn(trained, tmp_path):
    rates = trained.rates("IDBD")
    trained.set_rates(rates.rule, {"lr": 0.01})
    rates["Synapses"] = np.geomspace(1e-4, 0.1, 8)
    figure = rates.plot(tmp_path / "rates.svg")
    (ax,) = figure.axes
    assert (ax.get_title(), ax.get_xscale()) == ("Synapses", "log")
    assert sum(patch.get_height() for patch in ax.patches) == 8
    rates["Synapses"] = 0.02
    assert rates.plot().axes[0].get_xscale() == "linear"
    assert (tmp_path / "rates.svg").read_text(encoding="utf-8").startswith("<?xml")
