"""Forward rules of whole networks: which loss each layer has, and that hidden layers follow their signal exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import forward_references as reference
from forward_networks import arriving, input_spikes, run_layer
from snnlearn.declare import Loss, NeuronModel
from snnlearn.dialect import check_model
from snnlearn.errors import GradientError
from snnlearn.grad import network_rules
from snnlearn.models import LIF, ClassReadout, DeltaCurr, ExpCurr, SuperSpikeHidden, SuperSpikeOutput

VAN_ROSSUM = Loss("VanRossum", loss_code="loss = 0.5 * errTilda * errTilda;")
SQUARE = Loss("Square", loss_code="loss = 0.5 * (V - target) * (V - target);")
LEAKY = {"C": 1.0, "TauM": 20.0, "Vrest": -65.0, "Vreset": -68.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 3.0}
SUPERSPIKE = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0, "tau": 5.0, "beta": 1.0}
ERROR = {"tauRise": 5.0, "tauDecay": 10.0}
READOUT = {"tauMem": 15.0, "tStart": 0.0, "tau": 7.0}
BETA = 0.7
ALIF = NeuronModel(
    "ALIF",
    vars=["V", "A"],
    sim_code="V = 0.9 * V + Isyn; A *= 0.98;",
    threshold_condition_code="V >= 1.0 + 0.4 * A",
    reset_code="V -= 1.0; A += 1.0;",
)


def rules(method: Any, **options: Any) -> Any:
    given = {"surrogate": "FastSigmoid", "params": [LEAKY | {"tau": 5.0, "beta": BETA}, READOUT | {"beta": BETA}]}
    return network_rules(method, [(LIF, ExpCurr)], (ClassReadout, ExpCurr), SQUARE, **given | options)


def test_superspike_of_a_network_is_the_rule_written_by_hand() -> None:
    found = network_rules(
        "superspike",
        [(SuperSpikeHidden, ExpCurr)],
        (SuperSpikeOutput, ExpCurr),
        VAN_ROSSUM,
        surrogate="FastSigmoid",
        params=SUPERSPIKE | ERROR,
    )
    for rule in (found.output, *found.hidden):
        w = rule.weight_update
        assert [v.name for v in w.vars] == ["w", "eps_errRise", "eps_errDecay", "m"]
        assert [v.name for v in w.pre_vars] == ["eps_inSyn", "eps_V"]
    assert found.hidden[0].neuron is SuperSpikeHidden
    assert found.feedback.synapse_dynamics_code == "addToPost(w * errTilda);\n"
    assert found.feedback_refs == {"errTilda": "errTilda"}


def test_a_neuron_without_a_variable_for_the_signal_gets_one() -> None:
    found = rules("superspike")
    (hidden,) = found.hidden
    assert hidden.neuron.name == "LIFWithError"
    assert [x.name for x in hidden.neuron.additional_input_vars] == ["ErrorInput"]
    assert hidden.post_neuron_var_refs["errorSignal"] == "errorSignal"
    assert found.feedback.synapse_dynamics_code == "addToPost(w * (V - target));\n"
    assert [v.name for v in found.output.weight_update.vars] == ["w", "m"]
    for rule in (found.output, hidden):
        check_model(rule.weight_update)
        check_model(rule.neuron)
    check_model(found.feedback)
    assert hidden.params["tauMem"] == 15.0
    assert hidden.params["ExpCurr_tau"] == 7.0
    assert hidden.params["tau"] == 5.0


def test_what_only_spikes_drive_is_followed_by_eprop() -> None:
    options = {"surrogate": "Triangle", "params": READOUT}
    for method, own in (("superspike", []), ("eprop", ["eps_A"]), ("rtrl", ["eps_A"])):
        found = network_rules(method, [(ALIF, DeltaCurr)], (ClassReadout, ExpCurr), SQUARE, **options)
        names = [v.name for v in found.hidden[0].weight_update.vars]
        assert [name for name in names if name == "eps_A"] == own


@pytest.mark.parametrize("own", ["tau", "tauMem"])
def test_the_parameter_of_a_loss_has_one_name_in_all_rules(own: str) -> None:
    """One of the same name is the neuron's, or the postsynaptic model's."""
    neuron = NeuronModel("Leaky", params=[own], vars=["V"], sim_code=f"V += (Isyn - V) / {own};")
    level = Loss("Level", params=["tau"], loss_code="loss = 0.5 * (V - tau) * (V - tau);")
    values = {"tau": 8.0, "Level_tau": 0.5}
    found = network_rules("eprop", [], (neuron, ExpCurr), level, surrogate="Sigmoid", params=values)
    assert found.output.params["Level_tau"] == 0.5
    assert "Level_tau" in found.feedback.synapse_dynamics_code
    assert found.feedback_params == {"Level_tau": 0.5}


@pytest.mark.parametrize("method", ["superspike", "eprop", "rtrl"])
def test_the_rules_explain_themselves(method: Any) -> None:
    text = rules(method).explain()
    assert text.count("forward rule of the weights into ") == 2
    assert ('jacobian "exact"' in text) is (method == "rtrl")
    assert "paths through spikes of other neurons" in text
    assert "eps_ClassReadout_V: of each synapse, as it follows eps_ClassReadout_inSyn" in text


def test_misuse() -> None:
    with pytest.raises(GradientError, match=r"there is no forward method 'eprob'; did you mean 'eprop'\?"):
        rules("eprob")
    with pytest.raises(GradientError, match="params: there are 2 layers, not 1"):
        rules("eprop", params=[LEAKY])
    timed = Loss("Timed", loss_code="loss = t * V * V;")
    with pytest.raises(GradientError, match="derivative by V depends on V, which a reset changes, and on t or by more"):
        network_rules("eprop", [], (LIF, ExpCurr), timed, surrogate="FastSigmoid")
    two = Loss("Two", loss_code="loss = V * V * score;")
    with pytest.raises(GradientError, match="loss 'Two' depends on V and score: one variable can be fed back"):
        network_rules("eprop", [], (ClassReadout, ExpCurr), two, surrogate="FastSigmoid")
    with pytest.raises(GradientError, match="not respond linearly to a spike: the derivative of SuperSpikeOutput_V"):
        network_rules(
            "eprop",
            [(SuperSpikeHidden, ExpCurr)],
            (SuperSpikeOutput, ExpCurr),
            Loss("Potential", loss_code="loss = V * V;"),
            surrogate="FastSigmoid",
        )


def test_a_hidden_layer_follows_its_signal_exactly() -> None:
    """What a spike does to a leaky readout, two timesteps of the synapse's arithmetic later, times the signal."""
    torch = pytest.importorskip("torch", reason="the reference is PyTorch's")
    steps, inputs, size = 600, 20, 12
    (rule,) = rules("rtrl").hidden
    spikes = input_spikes(1, steps, inputs, 0.08)
    weights = np.random.default_rng(2).normal(0.3, 0.6, (inputs, size))
    found, count = run_layer(
        rule, spikes, weights, params=LEAKY, initial={"V": -65.0}, psm_params={"tau": 5.0}, signal="ErrorInput"
    )
    decay, leak = np.exp(-1.0 / 7.0), np.exp(-1.0 / 15.0)
    state: dict[str, Any] = {"inSyn": 0.0, "V": 0.0, "sent": 0.0}

    def current(in_syn: Any, layer: Any) -> tuple[Any, Any]:
        return 5.0 * (1.0 - np.exp(-1.0 / 5.0)) * in_syn, in_syn * np.exp(-1.0 / 5.0)

    def loss(layer: Any, sent: Any, t: int) -> Any:
        amount = state["inSyn"] + state["sent"]  # of the spikes that arrive now
        steady = 7.0 * (1.0 - decay) * amount
        state.update(V=steady - leak * (steady - state["V"]), inSyn=decay * amount, sent=sent)
        return torch.tensor(np.sin(0.37 * t + 0.7 * np.arange(size))) * state["V"]

    layer = reference.LIFLayer(torch, LEAKY, 1.0, size, BETA)
    expected, same = reference.gradient(torch, layer, weights, arriving(spikes), current, loss)
    assert same >= 500
    assert abs(same - count) <= size
    assert np.abs(-found - expected).max() <= 1e-10 * np.abs(expected).max()
