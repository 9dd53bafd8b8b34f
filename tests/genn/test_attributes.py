"""Misspelt attributes, and those that come too late, are errors; attributes of a program's own are not."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import (
    FixedMappingError,
    LifecycleError,
    ModelWarning,
    SnnlearnError,
    UnknownAttributeError,
    UnknownNameError,
)
from snnlearn.genn import (
    GeNNModel,
    ParallelismHint,
    VarLocation,
    create_custom_update_model,
    create_neuron_model,
    create_var_ref,
    create_wu_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
    with_backend,
)
from snnlearn.training import TrainedConnection

NEURON = create_neuron_model(
    "N",
    params=["a"],
    vars=["V", "trace"],
    extra_global_params=[("table", "scalar*")],
    sim_code="V += a * table[0] + Isyn;",
    threshold_condition_code="V > 100.0",
)
UPDATE = create_custom_update_model("U", vars=["n"], var_refs=["v"], update_code="v += 1.0;")


def describe() -> dict[str, Any]:
    model = GeNNModel("float", "attributes", threads=1)
    pop = model.add_neuron_population("Output", 4, NEURON, {"a": 1.0}, {"V": [1.0, 2.0, 3.0, 4.0], "trace": 0.0})
    pop.extra_global_params["table"].set_init_values([1.0, 2.0])
    weights = init_weight_update("StaticPulse", {}, {"g": init_var("Uniform", {"min": 0.0, "max": 1.0})})
    shape = init_postsynaptic("ExpCurr", {"tau": 5.0})
    syn = model.add_synapse_population("S", "SPARSE", pop, pop, weights, shape, init_sparse_connectivity("OneToOne"))
    source = model.add_current_source("C", "DC", pop, {"amp": 0.1})
    update = model.add_custom_update("U", "G", UPDATE, {}, {"n": 0.0}, {"v": create_var_ref(pop, "V")})
    wu = model.add_custom_update("W", "G", UPDATE, {}, {"n": 0.0}, {"v": create_wu_var_ref(syn, "g")})
    return {
        "model": model,
        "pop": pop,
        "syn": syn,
        "source": source,
        "update": update,
        "wu": wu,
        "var": pop.vars["V"],
        "synvar": syn.vars["g"],
        "table": pop.extra_global_params["table"],
        "neuron": NEURON,
        "weights": weights,
        "shape": shape,
        "preferences": model.preferences,
        "connection": TrainedConnection(syn, gradient="g", weight="g"),
    }


MISSPELT = [
    ("model", "sed", "seed"),
    ("model", "Seed", "seed"),
    ("model", "batchsize", "batch_size"),
    ("model", "batchSize", "batch_size"),
    ("model", "timing_enable", "timing_enabled"),
    ("model", "DT", "dt"),
    ("model", "presicion", "precision"),
    ("model", "default_var_loc", "default_var_location"),
    ("model", "fuse_post_synaptic_models", "fuse_postsynaptic_models"),
    ("model", "time_step", "timestep"),
    ("model", "backend", "backend_name"),
    ("model", "threads", "GeNNModel(..., threads=...)"),
    ("model", "thread", "GeNNModel(..., threads=...)"),
    ("model", "optimize", "GeNNModel(..., optimise=...)"),
    ("model", "flush_denormal", "GeNNModel(..., flush_denormals=...)"),
    ("model", "manual_device_id", "GeNNModel(..., manual_device_id=...)"),
    ("model", "num_recording_timesteps", "load(num_recording_timesteps=...)"),
    ("model", "spike_recording_enabled", "NeuronGroup"),
    ("model", "max_connections", "SynapseGroup"),
    ("model", "t", "set timestep"),
    ("model", "num_neurons", "read-only"),
    ("model", "preferences", "read-only"),
    ("pop", "spike_recording_enable", "spike_recording_enabled"),
    ("pop", "spikeRecordingEnabled", "spike_recording_enabled"),
    ("pop", "recording_enabled", "spike_recording_enabled"),
    ("pop", "spike_event_recording", "spike_event_recording_enabled"),
    ("pop", "num_neuron", "num_neurons"),
    ("pop", "batch_size", "GeNNModel"),
    ("pop", "axonal_delay_steps", "SynapseGroup"),
    ("syn", "axonal_delay_step", "axonal_delay_steps"),
    ("syn", "max_connection", "max_connections"),
    ("syn", "post_target", "post_target_var"),
    ("syn", "narrow_sparse_ind", "narrow_sparse_ind_enabled"),
    ("syn", "spike_recording_enabled", "NeuronGroup"),
    ("source", "target_vra", "target_var"),
    ("update", "num_nuerons", "num_neurons"),
    ("wu", "update_group_nam", "update_group_name"),
    ("var", "value", "values"),
    ("var", "vew", "view"),
    ("var", "recording_enabled", "variables of neurons are recorded by `model.record(population, name, timesteps)`"),
    ("synvar", "valeus", "values"),
    ("table", "value", "values"),
    ("neuron", "sim_cod", "sim_code"),
    ("weights", "prams", "params"),
    ("shape", "vras", "vars"),
    ("preferences", "thread", "threads"),
    ("connection", "gradent", "gradient"),
]


@pytest.mark.parametrize(("of", "name", "meant"), MISSPELT)
def test_misspelt_attributes_cannot_be_set(of: str, name: str, meant: str) -> None:
    owner = describe()[of]
    with pytest.raises(UnknownAttributeError) as caught:
        setattr(owner, name, True)
    assert meant in str(caught.value), str(caught.value)
    assert isinstance(caught.value, SnnlearnError)
    assert name in ("t", "num_neurons", "preferences") or not hasattr(owner, name)


@pytest.mark.parametrize("of", ["model", "pop", "syn", "source", "update", "wu", "var", "synvar", "table"])
@pytest.mark.parametrize(
    "name", ["my_data", "layer", "label", "size", "patch_size", "rng_seed", "stats", "colour", "T"]
)
def test_a_program_hangs_its_own(of: str, name: str) -> None:
    owner = describe()[of]
    setattr(owner, name, [1])
    getattr(owner, name).append(2)
    assert getattr(owner, name) == [1, 2]
    delattr(owner, name)


def test_classes_that_derive_from_the_model_have_their_own() -> None:
    class Cortex(with_backend("cpu").GeNNModel):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("float", "cortex", threads=1)
            self.layers, self.speed = ["L4"], 3

    cortex = Cortex()
    assert (cortex.layers, cortex.speed) == (["L4"], 3)
    with pytest.raises(UnknownAttributeError, match="GeNNModel has no attribute 'sed'; did you mean 'seed'"):
        cortex.sed = 5


def test_what_genns_own_tests_misspell_only_warns() -> None:
    model = describe()["model"]
    with pytest.warns(ModelWarning, match="did you mean 'default_narrow_sparse_ind_enabled'") as caught:
        model.narrow_sparse_ind_enabled = True
    assert caught[0].filename == __file__
    assert not model.default_narrow_sparse_ind_enabled
    assert not hasattr(model, "narrow_sparse_ind_enabled")


UNKNOWN = [
    (lambda m, p: p.vars["v"], "'Output' has no variable 'v'; did you mean 'V'?"),
    (lambda m, p: p.vars["W"], "'Output' has no variable 'W'; known: V, trace"),
    (lambda m, p: p.extra_global_params["tabel"], "no extra global parameter 'tabel'; did you mean 'table'?"),
    (lambda m, p: p.params["A"], "'Output' has no parameter 'A'; did you mean 'a'?"),
    (lambda m, p: m.neuron_populations["Ouput"], "the model has no neuron population 'Ouput'; did you mean 'Output'?"),
    (lambda m, p: m.synapse_populations["s"], "the model has no synapse population 's'; did you mean 'S'?"),
    (lambda m, p: m.current_sources["X"], "the model has no current source 'X'; known: C"),
    (lambda m, p: m.custom_updates["u"], "the model has no custom update 'u'; did you mean 'U'?"),
    (lambda m, p: m.custom_connectivity_updates["u"], "no custom connectivity update 'u'; there are none"),
    (lambda m, p: m.synapse_populations["S"].psm_vars["x"], "'S' has no variable 'x'; there are none"),
]


@pytest.mark.parametrize(("look", "text"), UNKNOWN)
def test_unknown_names_name_the_nearest(look: Callable[[Any, Any], Any], text: str) -> None:
    made = describe()
    with pytest.raises(UnknownNameError) as caught:
        look(made["model"], made["pop"])
    assert text in str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_variables_and_groups_are_not_replaced() -> None:
    made = describe()
    for mapping, name in ((made["pop"].vars, "V"), (made["pop"].params, "a"), (made["model"].neuron_populations, "P")):
        with pytest.raises(FixedMappingError, match="nothing can be put in the place of"):
            mapping[name] = 3.0


TOO_LATE = {
    "seed": lambda m, p, s: setattr(m, "seed", 5),
    "name": lambda m, p, s: setattr(m, "name", "other"),
    "dt": lambda m, p, s: setattr(m, "dt", 0.5),
    "batch_size": lambda m, p, s: setattr(m, "batch_size", 2),
    "precision": lambda m, p, s: setattr(m, "precision", "double"),
    "backend_name": lambda m, p, s: setattr(m, "backend_name", "cpu"),
    "default_var_location": lambda m, p, s: setattr(m, "default_var_location", VarLocation.DEVICE),
    "default_sparse_connectivity_location": lambda m, p, s: setattr(
        m, "default_sparse_connectivity_location", VarLocation.DEVICE
    ),
    "default_narrow_sparse_ind_enabled": lambda m, p, s: setattr(m, "default_narrow_sparse_ind_enabled", True),
    "fuse_postsynaptic_models": lambda m, p, s: setattr(m, "fuse_postsynaptic_models", True),
    "fuse_pre_post_weight_update_models": lambda m, p, s: setattr(m, "fuse_pre_post_weight_update_models", True),
    "spike_recording_enabled": lambda m, p, s: setattr(p, "spike_recording_enabled", True),
    "spike_event_recording_enabled": lambda m, p, s: setattr(p, "spike_event_recording_enabled", True),
    "recording_zero_copy_enabled": lambda m, p, s: setattr(p, "recording_zero_copy_enabled", True),
    "narrow_sparse_ind_enabled": lambda m, p, s: setattr(s, "narrow_sparse_ind_enabled", True),
    "parallelism_hint": lambda m, p, s: setattr(s, "parallelism_hint", ParallelismHint.PRESYNAPTIC),
    "num_threads_per_spike": lambda m, p, s: setattr(s, "num_threads_per_spike", 2),
    "axonal_delay_steps": lambda m, p, s: setattr(s, "axonal_delay_steps", 2),
    "max_connections": lambda m, p, s: setattr(s, "max_connections", 4),
    "post_target_var": lambda m, p, s: setattr(s, "post_target_var", "Isyn"),
}


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    made = describe()
    made["model"].build()
    return made


@pytest.mark.parametrize("name", TOO_LATE)
def test_what_comes_too_late_says_when_it_is_due(built: dict[str, Any], name: str) -> None:
    with pytest.raises(LifecycleError) as caught:
        TOO_LATE[name](built["model"], built["pop"], built["syn"])
    text = str(caught.value)
    assert name in text
    assert "before build()" in text or "before the model is built" in text


def test_kernels_are_timed_from_load_on() -> None:
    model = describe()["model"]
    model.build()
    model.timing_enabled = True
    model.load()
    with pytest.raises(LifecycleError, match=r"too late for timing_enabled; set it before load\(\)"):
        model.timing_enabled = False
    model.unload()
    model.timing_enabled = False


GONE: dict[str, Callable[[Any, Any], Any]] = {
    "push": lambda p, s: p.vars["V"].push_to_device(),
    "pull": lambda p, s: p.vars["V"].pull_from_device(),
    "device array": lambda p, s: p.vars["V"].device_array,
    "current view": lambda p, s: p.vars["V"].current_view,
    "setting": lambda p, s: setattr(p, "spike_recording_enabled", True),
    "location": lambda p, s: p.set_var_location("V", VarLocation.DEVICE),
    "dynamic": lambda p, s: p.set_param_dynamic("a"),
    "initial values": lambda p, s: p.vars["trace"].set_init_values(3.0),
    "max_connections": lambda p, s: setattr(s, "max_connections", 3),
    "connections": lambda p, s: s.set_sparse_connections([0], [0]),
    "connectivity": lambda p, s: s.get_sparse_pre_inds(),
    "pull connectivity": lambda p, s: s.pull_connectivity_from_device(),
    "push connectivity": lambda p, s: s.push_connectivity_to_device(),
    "values": lambda p, s: s.vars["g"].values,
    "events": lambda p, s: setattr(s, "pre_spike_event_recording_enabled", True),
    "zero copy": lambda p, s: setattr(p, "recording_zero_copy_enabled", True),
}


# Once loaded, the host copy says first that it is too late for initial values.
LOADED_TOO = [name for name in GONE if name != "initial values"]


@pytest.mark.parametrize(("name", "loaded"), [*((n, False) for n in GONE), *((n, True) for n in LOADED_TOO)])
def test_a_group_says_that_its_model_is_gone(name: str, loaded: bool) -> None:
    made = describe()
    pop, syn = made["pop"], made["syn"]
    if loaded:
        made["model"].build()
        made["model"].load()
    made.clear()
    gc.collect()
    with pytest.raises(LifecycleError, match=r"the model of '(Output|S)' is gone: keep the GeNNModel for as long as"):
        GONE[name](pop, syn)


def test_what_a_group_keeps_itself_outlives_its_model() -> None:
    made = describe()
    pop = made["pop"]
    made["model"].build()
    made["model"].load()
    made.clear()
    gc.collect()
    np.testing.assert_array_equal(pop.vars["V"].view, [1.0, 2.0, 3.0, 4.0])
    assert (pop.name, pop.num_neurons, pop.params["a"]) == ("Output", 4, 1.0)
