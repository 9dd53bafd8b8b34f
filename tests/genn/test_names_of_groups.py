"""Groups may have names that C would not allow."""

import pytest

from snnlearn.genn import GeNNModel, create_custom_update_model, create_var_ref, init_postsynaptic, init_weight_update


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
