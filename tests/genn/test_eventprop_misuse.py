"""What EventProp says of a program, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from eventprop_networks import AIM, CONNECTIONS, INPUTS, OUTPUTS, WithTarget, describe, reference

from snnlearn import genn, grad
from snnlearn.errors import DialectError, GradientError


def described(**options: Any) -> tuple[Any, dict[str, Any], Any]:
    """Return a model before it is built, with a program of its spikes' times."""
    model, groups = describe(reference(), 0.1, output=WithTarget)
    wrt = [groups[c].vars["g"] for c in CONNECTIONS]
    given = {"loss": {groups["Output"]: grad.FirstSpikeLoss(3.0)}, "method": "eventprop", "window": 300, **options}
    return model, groups, grad.differentiate(model, wrt, **given)


def test_what_is_said() -> None:
    model, groups, program = described()
    text = program.explain()
    assert text.startswith("EventProp, windows of at most 300 timesteps\n")
    assert "has a time: a spike, as V - Vthresh becomes 0" in text
    assert "has a time: the end of RefracTime > 0.0" in text
    assert "cut: spikes that come or go as weights change" in text
    model.build()
    model.load()
    model.run(300)
    for gradient, message in (
        ({groups["Input"]: np.zeros((300, INPUTS))}, "'Input' has no spikes whose times depend on wrt"),
        ({groups["Output"]: np.zeros((299, OUTPUTS))}, r"gradient of the spikes of 'Output': the window has the shape"),
    ):
        with pytest.raises(GradientError, match=message):
            program.backward(gradient)
    model.unload()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surrogate": "FastSigmoid"}, "surrogate is not for method='eventprop'"),
        ({"detach_reset": False}, "detach_reset=False is for method='bptt'"),
        ({"least_slope": -1.0}, "least_slope is a number from 0 on, not -1.0"),
        ({"least_slope": float("nan")}, "least_slope is a number from 0 on"),
        ({"window": None}, "method='eventprop' needs window"),
        ({"checkpoint": 64}, "checkpoints hold a block"),
        ({"feedback": "symmetric"}, "feedback is for forward rules"),
        ({"flow": {"Hidden": {}}}, "flow is a mapping of populations"),
        ({"method": "bptt"}, "method='bptt' needs surrogate"),
        ({"method": "bptt", "surrogate": "FastSigmoid"}, "FirstSpikeLoss is for method='eventprop'"),
        ({"method": "bptt", "surrogate": "FastSigmoid", "least_slope": 1.0}, "least_slope is for method='eventprop'"),
        ({"method": "evenprop"}, "did you mean 'eventprop'"),
    ],
)
def test_misuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GradientError, match=message):
        described(**options)


def test_flows_that_no_pass_needs_are_checked_too() -> None:
    """Nothing leads back to the hidden layer, whose flow is not used: a wrong one would go unseen."""
    model, groups = describe(reference(), 0.1)
    wrt, loss = [groups["HiddenOutput"].vars["g"]], {groups["Output"]: AIM}
    for flow, error, message in (
        ({"U": "V"}, GradientError, "flow: 'LIF' has no variable 'U'"),
        ({"V": "-V / tauM"}, DialectError, "unknown name 'tauM'; did you mean 'TauM'"),
        ({"V": "-V /"}, DialectError, "flow of 'V' of 'LIF'"),
        ({"V": 3.0}, GradientError, "flow: that of 'V' is an expression"),
    ):
        with pytest.raises(error, match=message):
            grad.differentiate(model, wrt, loss, method="eventprop", window=9, flow={groups["Hidden"]: flow})
    assert not model._programs


def test_losses_of_first_spikes() -> None:
    model, groups = describe(reference(), 0.1)
    wrt, output = [groups["HiddenOutput"].vars["g"]], groups["Output"]
    given: dict[str, Any] = {"method": "eventprop", "window": 300}
    with pytest.raises(GradientError, match="'Output' has no variable 'target'"):
        grad.differentiate(model, wrt, {output: grad.FirstSpikeLoss(3.0)}, **given)
    with pytest.raises(GradientError, match="one FirstSpikeLoss, or both"):
        grad.differentiate(model, wrt, {output: (AIM, AIM)}, **given)
    for bad in ({"tau": 0.0}, {"tau": float("inf")}, {"tau": 1.0, "early": -1.0}, {"tau": 1.0, "target": 3}):
        with pytest.raises(GradientError, match="FirstSpikeLoss: "):
            grad.FirstSpikeLoss(**bad)
    loss = grad.FirstSpikeLoss(2.0, early=0.3, early_tau=7.0)
    first, target = np.array([[3.0, 4.0, np.inf]]), np.array([[0.0, 1.0, 0.0]])
    by = loss.of(first, target, 20.0)[1]
    for i in range(2):
        step = 1e-6 * np.eye(3)[i]
        expected = (loss.of(first + step, target, 20.0)[0] - loss.of(first - step, target, 20.0)[0]) / 2e-6
        assert by[0, i] == pytest.approx(expected[0], rel=1e-6)
    assert by[0, 2] == 0.0


@pytest.mark.parametrize(
    ("rule", "psm", "message"),
    [
        (
            "StaticPulse",
            ("ExpCond", {"tau": 5.0, "E": 2.0}),
            "'ExpCond' of 'W' does not only add up, decay and pass on",
        ),
        ("StaticGraded", ("ExpCurr", {"tau": 5.0}), "sends in every timestep, and EventProp follows spikes"),
        ("StaticPulse", ("DeltaCurr", {}), "'DeltaCurr' passes on at once what arrives"),
    ],
)
def test_connections_without_times(rule: str, psm: tuple[str, dict[str, float]], message: str) -> None:
    model, groups = describe(reference(), 0.1)
    first, second = groups["Hidden"], groups["Output"]
    refs: dict[str, Any] = {"var_refs": {"V": genn.create_var_ref(second, "V")}} if psm[0] == "ExpCond" else {}
    if rule == "StaticGraded":
        graded = genn.create_weight_update_model(
            "Graded",
            vars=["g"],
            pre_neuron_var_refs=[("V_pre", "scalar")],
            synapse_dynamics_code="addToPost(g * V_pre);",
        )
        update = genn.init_weight_update(
            graded, {}, {"g": 0.1}, pre_var_refs={"V_pre": genn.create_var_ref(first, "V")}
        )
    else:
        update = genn.init_weight_update(rule, {}, {"g": 0.1})
    post = genn.init_postsynaptic(psm[0], psm[1], **refs)
    model.add_synapse_population("W", "DENSE", first, second, update, post)
    weights = groups["InputHidden"].vars["g"]
    with pytest.raises(GradientError, match=message):
        grad.differentiate(model, [weights], {second: AIM}, method="eventprop", window=10)


def test_dynamic_parameters() -> None:
    model, groups, _ = described()
    groups["Hidden"].set_param_dynamic("Vrest")
    with pytest.raises(GradientError, match="'Hidden' has the dynamic parameter 'Vrest', and EventProp finds"):
        model.build()
