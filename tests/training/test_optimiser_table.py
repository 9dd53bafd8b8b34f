"""The table of optimisers and its entries as values: names, variants, and what does not fit."""

import copy
import math
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from delta_rule import make, weights

from snnlearn import genn, models
from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import TrainingError
from snnlearn.training.optimisers import OPTIMISERS, attach, resolve_optimiser

NESTEROV = OPTIMISERS["SGD"].variant("NesterovSGD", nesterov=1.0)
EACH = pytest.mark.parametrize("rule", [*OPTIMISERS.values(), NESTEROV], ids=lambda rule: rule.name)


def test_the_table_has_the_names_of_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| optimiser \| lr .*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(OPTIMISERS)
    values = [value for value in vars(models).values() if isinstance(value, Optimiser)]
    assert list(OPTIMISERS.values()) == values, "each name once"


@EACH
def test_an_entry_can_schedule_rate_decay_and_scale(rule):
    assert rule.dynamic_params[0] == rule.lr_param
    assert {rule.decay_param, "gradientScale"} <= set(rule.dynamic_params)


def test_names_are_resolved_with_a_suggestion():
    assert resolve_optimiser("Adam") is OPTIMISERS["Adam"]
    assert resolve_optimiser(NESTEROV) is NESTEROV
    with pytest.raises(TrainingError, match="no optimiser 'adamw'; did you mean 'AdamW'"):
        resolve_optimiser("adamw")
    with pytest.raises(TrainingError, match="a name or an Optimiser, not 3"):
        resolve_optimiser(3)


def test_a_variant_has_other_defaults_and_nothing_else():
    variant = OPTIMISERS["Adam"].variant("Eager", beta1=0.5)
    assert (variant.name, variant.default("beta1"), variant.default("beta2")) == ("Eager", 0.5, 0.999)
    assert OPTIMISERS["Adam"].default("beta1") == 0.9
    assert math.isnan(OPTIMISERS["SGD"].default(OPTIMISERS["SGD"].beta_param))


@EACH
def test_entries_are_values(rule):
    assert copy.deepcopy(rule) == pickle.loads(pickle.dumps(rule)) == rule
    assert len({rule, copy.deepcopy(rule)}) == 1
    with pytest.raises(TypeError, match="item assignment"):
        rule.params["lr"] = 2.0


def test_what_is_printed_names_the_table_or_says_all():
    assert repr(OPTIMISERS["Adam"]) == "OPTIMISERS['Adam']"
    assert "nesterov=1" in repr(NESTEROV)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"beta": 0.5}, "'Mine': model 'Adam' has no parameter 'beta'; did you mean 'beta[12]'"),
        ({"beta1": math.nan}, "'Mine': beta1 must be a finite number, not nan"),
        ({"beta1": "0.9"}, "'Mine': beta1 must be a finite number, not '0.9'"),
    ],
)
def test_a_bad_variant_is_an_error(params, message):
    with pytest.raises(TrainingError, match=message):
        OPTIMISERS["Adam"].variant("Mine", **params)


def test_an_optimiser_must_fit_its_model():
    model = CustomUpdateModel("Mine", params=["eta"], var_refs=["m", "variable"], update_code="m = 0.0;")
    with pytest.raises(TrainingError, match="'Mine' has no value for eta of model 'Mine'"):
        Optimiser("Mine", model, {}, lr_param="eta")
    with pytest.raises(TrainingError, match="there is no parameter 'lr'; known: eta"):
        Optimiser("Mine", model, {"eta": 1.0})
    headless = CustomUpdateModel("Mine", params=["eta"], var_refs=["variable"], update_code="variable = eta;")
    with pytest.raises(TrainingError, match=r"must refer to 'm' and 'variable', not to \['variable'\]; gradient_ref"):
        Optimiser("Mine", headless, {"eta": 1.0}, lr_param="eta")
    with pytest.raises(TrainingError, match="gradient_ref and variable_ref are both 'variable'"):
        Optimiser("Mine", headless, {"eta": 1.0}, lr_param="eta", gradient_ref="variable")


BY_SLOPE = CustomUpdateModel(
    "BySlope", params=["lr"], var_refs=["slope", "weight"], update_code="weight += lr * slope; slope = 0.0;"
)
CALLED = CustomUpdateModel(
    "Called", params=["lr"], var_refs=["m", "variable"], update_code="variable += lr * m; m = 0.0;"
)


def test_a_model_may_call_gradient_and_weight_what_it_likes():
    named = Optimiser("BySlope", BY_SLOPE, {"lr": 0.1}, gradient_ref="slope", variable_ref="weight")
    assert copy.deepcopy(named) == pickle.loads(pickle.dumps(named)) == named
    assert named.variant("Faster", lr=0.2).gradient_ref == "slope"
    same = Optimiser("Called", CALLED, {"lr": 0.1})
    found = []
    for rule in (named, same):
        learner = make(optimisers=[rule])
        learner.fit(3, 0.05, rule)
        found.append(weights(learner))
    assert np.any(found[0] != found[0][0])
    np.testing.assert_array_equal(*found)


def test_a_checkpoint_knows_which_reference_is_the_gradient(tmp_path):
    rules = [
        Optimiser("BySlope", BY_SLOPE, {"lr": 0.1}, gradient_ref=gradient, variable_ref=weight)
        for gradient, weight in (("slope", "weight"), ("weight", "slope"))
    ]
    one, other = (make(optimisers=[rule]) for rule in rules)
    one.fit(1, 0.01, rules[0])
    one.save(tmp_path / "one")
    with pytest.raises(TrainingError, match="optimiser 'BySlope', gradient_ref is 'slope' there, 'weight' here"):
        other.load(tmp_path / "one")


def test_overrides_must_be_parameters():
    model = genn.GeNNModel("float", "unused", backend="cpu")
    with pytest.raises(
        TrainingError, match="'Adam' of 'Update': model 'Adam' has no parameter 'wmin'; did you mean 'wMin'"
    ):
        attach(model, "Adam", "Update", "Learn", None, None, {"wmin": -1.0})
