"""Parameters of optimisers stay in their intervals, in the model's precision too; what does not is refused in time."""

import math

import numpy as np
import pytest
from delta_rule import make as delta_rule
from delta_rule import weights

from snnlearn import genn
from snnlearn.declare import CustomUpdateModel
from snnlearn.errors import NetworkError, TrainingError
from snnlearn.training import OPTIMISERS, DecayType, Optimiser, TrainingPhase, attach
from snnlearn.userproject.superspike_training import DEMO_OPTIMISERS

ALMOST_1 = 0.99999999
ONE = r"must be in \[0, 1\), but 0.99999999 is 1 in single precision \('float'\), where the nearest is 0.99999994"


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ({"optimiser": "Adam", "beta": ALMOST_1}, f"phase 0: optimiser 'Adam': beta2 {ONE}; double precision holds it"),
        ({"optimiser": "Adam", "momentum": ALMOST_1}, f"'Adam': beta1 {ONE}"),
        ({"optimiser": "AdamW", "beta": 1 - 1e-12}, r"'AdamW': beta2 .* is 1 in single precision"),
        ({"optimiser": "RMSProp", "beta": ALMOST_1}, f"'RMSProp': beta {ONE}"),
        ({"optimiser": "RMSProp", "momentum": [ALMOST_1]}, f"'RMSProp': momentum {ONE}"),
        ({"optimiser": "RMaxProp", "beta": ALMOST_1}, f"'RMaxProp': beta {ONE}"),
        (
            {"optimiser": "SGD", "momentum": (0.5, ALMOST_1), "momentum_decay": DecayType.LINEAR},
            f"'SGD': momentum {ONE}",
        ),
        ({"optimiser": "SGD", "lr": 1e39}, r"'SGD': lr must be in \[0, inf\), but 1e\+39 is inf .* 3.4028235e\+38"),
        ({"optimiser": "SGD", "lr": (1e39, 0.1), "lr_decay": DecayType.COSINE}, "'SGD': lr must be in"),
        ({"optimiser": "SGD", "wds": 1e39}, "'SGD': weightDecay must be in"),
        ({"optimiser": OPTIMISERS["Adam"].variant("A", beta1=ALMOST_1)}, f"'A': beta1 {ONE}"),
        (
            {"optimiser": OPTIMISERS["Adam"].variant("A", epsilon=1e-50)},
            r"'A' of 'A_Synapses': epsilon must be in \(0, inf\), but 1e-50 is 0 .* the nearest is 1.1754944e-38",
        ),
        ({"optimiser": OPTIMISERS["RMSProp"].variant("R", epsilon=1e-40)}, "epsilon must be in .* but 1e-40 is 0"),
        (
            {"optimiser": DEMO_OPTIMISERS["RMaxPropSeed"].variant("S", tauRMS=1e39)},
            r"'S' of 'S_Synapses': tauRMS must be in \(0, inf\), but 1e\+39 is inf",
        ),
    ],
)
def test_what_rounding_takes_out_of_its_interval_is_refused_before_training(phase, message):
    learner = delta_rule()
    with pytest.raises(TrainingError, match=message):
        learner.fit_opt_sched([TrainingPhase(1, **phase)])
    assert learner.runner.timestep == 0


@pytest.mark.parametrize("beta", [0.99999994, 0.9999999])
def test_the_largest_betas_train(beta):
    learner = delta_rule()
    learner.fit_opt_sched([TrainingPhase(1, "Adam", 0.01, beta=beta, momentum=beta)])
    assert np.isfinite(weights(learner)).all()


def test_double_precision_holds_more():
    learner = delta_rule(precision="double")
    learner.fit_opt_sched([TrainingPhase(1, "Adam", 0.01, beta=ALMOST_1)])
    moved = weights(learner)
    assert moved.dtype == np.float64
    assert np.isfinite(moved).all()
    with pytest.raises(TrainingError, match=r"beta must be in \[0, 1\), not 1"):
        learner.fit_opt_sched([TrainingPhase(1, "Adam", 0.01, beta=np.nextafter(1.0, 2.0))])


def test_a_decay_of_ones_own_is_watched_in_the_models_precision():
    learner = delta_rule()
    last = lambda start, end, fraction: start if fraction < 0.5 else ALMOST_1  # noqa: E731
    phase = TrainingPhase(1, "SGD", 0.01, momentum=(0.5, 0.9), momentum_decay=last)
    with pytest.raises(TrainingError, match=f"optimiser 'SGD': momentum {ONE}"):
        learner.fit_opt_sched([phase])
    assert learner.runner.update == 3


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Adam", {"beta1": 1.0}, r"beta1 must be in \[0, 1\), not 1.0"),
        ("Adam", {"epsilon": 0.0}, r"epsilon must be in \(0, inf\), not 0.0"),
        ("SGD", {"momentum": -0.1}, r"momentum must be in \[0, 1\), not -0.1"),
        ("SGD", {"nesterov": 2.0}, r"nesterov must be in \[0, 1\], not 2.0"),
        ("SGD", {"lr": -1.0}, r"lr must be in \[0, inf\), not -1.0"),
        ("RMaxProp", {"weightDecay": -1.0}, r"weightDecay must be in \[0, inf\), not -1.0"),
    ],
)
def test_a_variant_outside_is_refused_at_once(name, params, message):
    with pytest.raises(TrainingError, match=message):
        OPTIMISERS[name].variant("X", **params)


def model_with_an_optimiser(precision="float", **params):
    model = genn.GeNNModel(precision, "alone", threads=1)
    still = genn.create_neuron_model("still", vars=["w", "m"])
    group = model.add_neuron_population("N", 2, still, {}, {"w": 1.0, "m": 0.1})
    refs = [genn.create_var_ref(group, name) for name in ("m", "w")]
    return model, attach(model, "Adam", "update", "Learn", *refs, params)


def test_bounds_that_single_precision_cannot_hold():
    with pytest.raises(TrainingError, match=r"wMax must be in \(-inf, inf\), but 1e\+39 is inf in single precision"):
        model_with_an_optimiser(wMax=1e39)
    model_with_an_optimiser("double", wMax=1e39)


@pytest.mark.parametrize("value", [ALMOST_1, 1.0, -0.5, math.inf, 2.0])
def test_a_dynamic_value_is_checked_too(value):
    model, update = model_with_an_optimiser()
    model.build()
    model.load()
    with pytest.raises(NetworkError, match=r"'update': parameter 'beta2' must be in \[0, 1\), (but|not) "):
        update.set_dynamic_param_value("beta2", value)
    update.set_dynamic_param_value("beta2", 0.5)
    model.custom_update("Learn")
    group = model.neuron_populations["N"].vars["w"]
    group.pull_from_device()
    assert np.isfinite(group.view).all()


@pytest.mark.parametrize("precision", ["float", "double"])
def test_a_group_is_checked_in_its_precision(precision):
    """Not only optimisers: whatever model declares an interval, wherever its parameters are given."""
    model = genn.GeNNModel(precision, "intervals")
    leaky = genn.create_neuron_model("leaky", params=[("keep", "scalar", "[0, 1)")], vars=["V"])
    if precision == "double":
        model.add_neuron_population("N", 1, leaky, {"keep": ALMOST_1}, {"V": 0.0})
    else:
        with pytest.raises(NetworkError, match=f"neuron population 'N': parameter 'keep' {ONE}"):
            model.add_neuron_population("N", 1, leaky, {"keep": ALMOST_1}, {"V": 0.0})
    with pytest.raises(NetworkError, match=r"neuron population 'M': parameter 'keep' must be in \[0, 1\), not 1.5"):
        model.add_neuron_population("M", 1, leaky, {"keep": 1.5}, {"V": 0.0})
    pulse = genn.create_weight_update_model(
        "pulse", params=[("share", "scalar", "[0, 1)")], pre_spike_syn_code="addToPost(share);"
    )
    with pytest.raises(NetworkError, match=r"weight update 'pulse': parameter 'share' must be in \[0, 1\), not 1"):
        genn.init_weight_update(pulse, {"share": 1}, {})
    if precision == "float":
        cells = model.add_neuron_population("S", 1, leaky, {"keep": 0.5}, {"V": 0.0})
        inits = genn.init_weight_update(pulse, {"share": ALMOST_1}, {}), genn.init_postsynaptic("DeltaCurr")
        with pytest.raises(NetworkError, match=f"synapse population 'P': parameter 'share' {ONE}"):
            model.add_synapse_population("P", "DENSE", cells, cells, *inits)


def test_the_end_that_a_lone_rate_never_reaches_is_not_checked():
    positive = CustomUpdateModel(
        "positive",
        params=[("lr", "scalar", "(0, inf)")],
        var_refs=["m", "variable"],
        update_code="variable += lr * m; m = 0.0;",
    )
    rule = Optimiser("Positive", positive, {"lr": 0.1})
    delta_rule().fit_opt_sched([TrainingPhase(1, rule, 0.01), TrainingPhase(1, rule, 0.01, DecayType.COSINE)])
    with pytest.raises(TrainingError, match=r"phase 0: optimiser 'Positive': lr must be in \(0, inf\), not 0.0"):
        delta_rule().fit_opt_sched([TrainingPhase(1, rule, (0.01, 0.0), DecayType.LINEAR)])
