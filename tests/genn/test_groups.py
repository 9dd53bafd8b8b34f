"""What can be set on groups until the model is built, and what a group says of itself."""

from __future__ import annotations

from typing import Any

import pytest

import snnlearn.genn as genn
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn import GeNNModel, ParallelismHint, SynapseMatrixConnectivity, SynapseMatrixType

NEURON = genn.create_neuron_model(
    "N", vars=["x"], additional_input_vars=[("other", "scalar", 0.0)], sim_code="x = Isyn + 10.0 * other;"
)
LATE = genn.create_weight_update_model(
    "Late",
    params=["gain"],
    vars=["g", ("d", "uint8_t")],
    synapse_dynamics_code="addToPostDelay(gain * g, d); addToPre(1.0);",
)
CURRENT = genn.create_postsynaptic_model(
    "P", params=["scale"], vars=["last"], sim_code="last = inSyn; injectCurrent(scale * inSyn); inSyn = 0.0;"
)
SOURCE = genn.create_current_source_model("C", params=["amp"], injection_code="injectCurrent(amp);")


@pytest.fixture
def parts() -> Any:
    model = GeNNModel("double", "groups", threads=1)
    model.dt = 1.0
    a = model.add_neuron_population("A", 1, NEURON, {}, {"x": 0.0})
    b = model.add_neuron_population("B", 1, NEURON, {}, {"x": 0.0})
    s = model.add_synapse_population(
        "S",
        SynapseMatrixType.DENSE,
        a,
        b,
        genn.init_weight_update(LATE, {"gain": 1.0}, {"g": 2.0, "d": 2}),
        genn.init_postsynaptic(CURRENT, {"scale": 1.0}, {"last": 0.0}),
    )
    c = model.add_current_source("C", SOURCE, a, {"amp": 0.5})
    return model, a, b, s, c


def values(model: GeNNModel, group: Any, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        model.step_time()
        group.vars["x"].pull_from_device()
        found.append(float(group.vars["x"].view[0]))
    return found


def test_delays_are_needed_where_code_delays(parts: Any) -> None:
    model, _, b, s, _ = parts
    assert s.max_dendritic_delay_timesteps == 1
    with pytest.raises(NetworkError, match="'S': its code calls addToPostDelay; set max_dendritic_delay_timesteps"):
        model.build()
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(NetworkError, match="'S': max_dendritic_delay_timesteps must be a positive integer"):
            s.max_dendritic_delay_timesteps = wrong
    s.max_dendritic_delay_timesteps = 3
    model.build()
    model.load()
    assert values(model, b, 4) == [0.0, 0.0, 2.0, 2.0]
    with pytest.raises(LifecycleError, match="'S': max_dendritic_delay_timesteps can only be changed before"):
        s.max_dendritic_delay_timesteps = 4


@pytest.mark.parametrize("attribute", ["axonal_delay_steps", "back_prop_delay_steps"])
def test_other_delays(parts: Any, attribute: str) -> None:
    s = parts[3]
    setattr(s, attribute, 5)
    assert getattr(s, attribute) == 5
    with pytest.raises(NetworkError, match=f"'S': {attribute} must be an integer of at least 0, not -1"):
        setattr(s, attribute, -1)


def test_targets_of_input(parts: Any) -> None:
    model, a, b, s, c = parts
    s.max_dendritic_delay_timesteps = 3
    s.post_target_var, s.pre_target_var, c.target_var = "other", "other", "other"
    for group, attribute, population in [
        (s, "post_target_var", "B"),
        (s, "pre_target_var", "A"),
        (c, "target_var", "A"),
    ]:
        with pytest.raises(
            NetworkError, match=f"{attribute}: '{population}' has no input 'others'; did you mean 'other'"
        ):
            setattr(group, attribute, "others")
    model.build()
    model.load()
    assert values(model, b, 3) == [0.0, 0.0, 20.0]
    assert values(model, a, 1) == [15.0]


def test_dynamic_parameters(parts: Any) -> None:
    model, a, b, s, c = parts
    s.max_dendritic_delay_timesteps = 3
    s.set_wu_param_dynamic("gain")
    s.set_ps_param_dynamic("scale")
    c.set_param_dynamic("amp", True)
    with pytest.raises(NetworkError, match="no parameter 'gian' to make dynamic; did you mean 'gain'"):
        s.set_wu_param_dynamic("gian")
    model.build()
    with pytest.raises(LifecycleError, match="'C': which parameters are dynamic can only be changed before"):
        c.set_param_dynamic("amp", False)
    model.load()
    model.run(3)
    s.set_dynamic_param_value("scale", 100.0)
    c.set_dynamic_param_value("amp", 0.25)
    assert values(model, b, 1) == [200.0]
    assert values(model, a, 1) == [1.25]
    s.set_dynamic_param_value("gain", 3)
    assert values(model, b, 3)[-1] == 600.0
    with pytest.raises(NetworkError, match="'C' has no dynamic parameter 'amd'; did you mean 'amp'"):
        c.set_dynamic_param_value("amd", 1.0)
    with pytest.raises(NetworkError, match="'C': parameter 'amp' must be a number, not 'much'"):
        c.set_dynamic_param_value("amp", "much")


def test_what_a_connection_says_of_itself(parts: Any) -> None:
    model, a, b, s, c = parts
    assert (s.src, s.trg, s.name, s.synapse_group) == (a, b, "S", s)
    assert s.matrix_type is SynapseMatrixType.DENSE
    assert s.matrix_type & SynapseMatrixConnectivity.DENSE
    assert [v.name for v in s.wu_initialiser.snippet.get_vars()] == ["g", "d"]
    assert dict(s.ps_initialiser.params) == {"scale": 1.0}
    assert s.sparse_connectivity_initialiser.snippet.get_row_build_code() == ""
    assert s.toeplitz_connectivity_initialiser is None
    assert (s.kernel_size, s.max_connections, s.max_source_connections, s.weight_update_var_size) == ([], 1, 1, 1)
    assert (c.target_pop, c.model, dict(c.params)) == (a, SOURCE, {"amp": 0.5})
    assert (a.model.get_vars()[0].name, a.num_neurons, model.num_neurons) == ("x", 1, 2)
    assert s.vars["d"].type == "uint8_t"


def test_kernels() -> None:
    model = GeNNModel("float", "kernels", threads=1)
    a = model.add_neuron_population("A", 16, NEURON, {}, {"x": 0.0})
    conv = {"conv_kh": 3, "conv_kw": 3, "conv_ih": 4, "conv_iw": 4, "conv_ic": 1,
            "conv_oh": 4, "conv_ow": 4, "conv_oc": 1}  # fmt: skip
    pulse = genn.init_weight_update("StaticPulse", {}, {"g": list(range(9))})
    psm = genn.init_postsynaptic("DeltaCurr")
    init = genn.init_toeplitz_connectivity("Conv2D", conv)
    s = model.add_synapse_population("S", "TOEPLITZ", a, a, pulse, psm, init)
    assert (s.kernel_size, s.weight_update_var_size) == ([3, 3, 1, 1], 9)
    assert s.toeplitz_connectivity_initialiser.snippet.name == "Conv2D"
    model.build()
    model.load()
    assert s.vars["g"].view.tolist() == s.vars["g"].values.tolist() == list(range(9))


def test_hints_are_taken_without_effect(parts: Any) -> None:
    model, a, _, s, _ = parts
    s.parallelism_hint, s.num_threads_per_spike = ParallelismHint.PRESYNAPTIC, 8
    s.narrow_sparse_ind_enabled = True
    a.recording_zero_copy_enabled = True
    assert not a.recording_zero_copy_enabled
    model.fuse_postsynaptic_models = model.fuse_pre_post_weight_update_models = True
    model.default_narrow_sparse_ind_enabled = True
    with pytest.raises(NetworkError, match="default_var_location: 'here' is no VarLocation"):
        model.default_var_location = "here"


def test_the_same_model_object_belongs_to_its_model(parts: Any) -> None:
    model, a, _, s, _ = parts
    s.max_dendritic_delay_timesteps = 3
    assert not model._built
    assert model._runtime is None
    model.build()
    model.load()
    assert model._loaded
    assert model._runtime is not None
    assert a.vars["x"]._array is not None
    model.unload()
    assert (model._loaded, model._runtime, a.vars["x"]._view, a.vars["x"]._array) == (False, None, None, None)
    with pytest.raises(LifecycleError, match="the model is built already: too late for its precision"):
        model.precision = "float"
