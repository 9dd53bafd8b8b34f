"""Groups may have names that C would not allow."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from snnlearn.errors import SnnlearnError
from snnlearn.genn import (
    GeNNModel,
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_var,
    init_weight_update,
)
from snnlearn.network.keys import GroupKey, called


@pytest.mark.parametrize("name", ["23E", "4", "_", "_A", "__a__", "float", "t", "ABC"])
def test_names(name: str) -> None:
    model = GeNNModel("float", name, threads=1)
    params = {"C": 1, "TauM": 20, "Vrest": -70, "Vreset": -70, "Vthresh": -50, "Ioffset": 30, "TauRefrac": 5}
    group = model.add_neuron_population(name, 4, "LIF", params, {"V": -70, "RefracTime": 0})
    pulse = init_weight_update("StaticPulse", {}, {"g": 1.0})
    model.add_synapse_population(name + "_s", "DENSE", group, group, pulse, init_postsynaptic("DeltaCurr"))
    zero = create_custom_update_model("zero", var_refs=["V"], update_code="V = 0.0;")
    model.add_custom_update(name + "0", name, zero, {}, {}, {"V": create_var_ref(group, "V")})
    model.build()
    model.load()
    model.run(3)
    model.custom_update(name)
    group.vars["V"].pull_from_device()
    assert group.vars["V"].view.tolist() == [0.0] * 4


# Groups of different kinds have one name: messages do not name the second by what it is called in the network.

NEURON = create_neuron_model("N", vars=[("x", "uint8_t")], sim_code="x = Isyn;", threshold_condition_code="x > 100")


def population(model: GeNNModel) -> Any:
    return model.add_neuron_population("A", 4, NEURON, {}, {"x": 0})


def connect(model: GeNNModel, kind: str = "DENSE", g: Any = 1.0) -> Any:
    a = population(model)
    rule = create_weight_update_model("W", vars=[("g", "uint8_t")], pre_spike_syn_code="addToPost(g);")
    return model.add_synapse_population(
        "A", kind, a, a, init_weight_update(rule, {}, {"g": g}), init_postsynaptic("DeltaCurr")
    )


def a_value_of_a_variable(model: GeNNModel) -> None:
    connect(model, g=256)
    model.build()


def an_initial_value(model: GeNNModel) -> None:
    connect(model, g=init_var("Uniform", {"min": 300.0, "max": 400.0}))
    model.build()
    model.load()


def no_connections(model: GeNNModel) -> None:
    connect(model, "SPARSE")
    model.build()
    model.load()


def a_current(model: GeNNModel) -> None:
    model.add_current_source("A", "DC", population(model), {"ampl": 1.0}, {})
    model.build()


def an_update(model: GeNNModel) -> None:
    s = connect(model)
    double = create_custom_update_model("Double", var_refs=[("x", "double")], update_code="x = 2.0 * x;")
    model.add_custom_update("A", "G", double, {}, {}, {"x": create_wu_var_ref(s, "g")})
    model.build()


@pytest.mark.parametrize(
    ("provoke", "message"),
    [
        (a_value_of_a_variable, "synapse population 'A'.*'g' is of type 'uint8_t', which cannot hold 256"),
        (an_initial_value, "'A.g' is of type 'uint8_t'"),
        (no_connections, "'A' has no connections"),
        (a_current, "current source 'A': unknown parameter 'ampl'"),
        (an_update, "custom update 'A': .*'A.g'"),
    ],
)
def test_messages_name_a_group_as_its_user_does(provoke: Callable[[GeNNModel], None], message: str) -> None:
    with pytest.raises(SnnlearnError, match=message) as error:
        provoke(GeNNModel("float", "alike", threads=1))
    assert not any(kind in str(error.value) for kind in ("_populations", "_sources", "_updates"))


def test_a_key_is_a_string_that_knows_its_name() -> None:
    key = GroupKey("A_current_sources", "A")
    assert key == "A_current_sources" == f"{key}"
    assert (repr(key), called(key), called("A")) == ("'A'", "A", "A")
    for again in (copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert again == key
        assert called(again) == "A"
