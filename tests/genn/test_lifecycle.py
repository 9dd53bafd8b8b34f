"""A model's life: what can be done when, and what is said otherwise."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import BackendError, LifecycleError, ModelWarning, NetworkError, PreferenceError
from snnlearn.genn import (
    GeNNModel,
    create_custom_update_model,
    create_neuron_model,
    create_var_init_snippet,
    create_var_ref,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_var,
    init_weight_update,
)

NEURON = create_neuron_model(
    "N", params=["k"], vars=["x"], extra_global_params=[("table", "scalar*")], sim_code="x += k + 0.0 * table[0];"
)
WEIGHTS = create_weight_update_model("W", params=["k"], vars=["w"])
UPDATE = create_custom_update_model("U", params=["k"], var_refs=["v"], update_code="v += k;")


def describe(**preferences: Any) -> GeNNModel:
    model = GeNNModel("float", "life", **{"threads": 1, **preferences})
    population = model.add_neuron_population("P", 4, NEURON, {"k": 1.0}, {"x": 0.0})
    population.extra_global_params["table"].set_init_values([1.0, 2.0])
    model.add_synapse_population(
        "S",
        "DENSE",
        population,
        population,
        init_weight_update(WEIGHTS, {"k": 1.0}, {"w": 0.0}),
        init_postsynaptic("ExpCurr", {"tau": 5.0}),
    )
    model.add_custom_update("C", "G", UPDATE, {"k": 1.0}, {}, {"v": create_var_ref(population, "x")})
    return model


@pytest.fixture
def model() -> GeNNModel:
    return describe()


NOT_LOADED = {
    "step_time": lambda m: m.step_time(),
    "run": lambda m: m.run(1),
    "custom_update": lambda m: m.custom_update("G"),
    "timestep": lambda m: m.timestep,
    "set timestep": lambda m: setattr(m, "timestep", 0),
    "t": lambda m: m.t,
    "recording": lambda m: m.pull_recording_buffers_from_device(),
    "unload": lambda m: m.unload(),
    "push": lambda m: m.neuron_populations["P"].vars["x"]._simulation(),
    "timer": lambda m: m.neuron_update_time,
}


@pytest.mark.parametrize("use", NOT_LOADED.values(), ids=NOT_LOADED)
def test_before_load_and_after_unload(model: GeNNModel, use: Any) -> None:
    with pytest.raises(LifecycleError, match=r"not loaded: call build\(\) and load\(\) first"):
        use(model)
    model.build()
    with pytest.raises(LifecycleError, match=r"not loaded: call build\(\) and load\(\) first"):
        use(model)
    model.load()
    model.unload()
    with pytest.raises(LifecycleError, match=r"not loaded: call build\(\) and load\(\) first"):
        use(model)


def test_views_are_there_while_loaded(model: GeNNModel) -> None:
    x = model.neuron_populations["P"].vars["x"]
    table = model.neuron_populations["P"].extra_global_params["table"]
    for array in (x, table):
        with pytest.raises(LifecycleError, match=rf"'P.{array.name}' has no values until the model is loaded"):
            array.view  # noqa: B018
    model.build()
    model.load()
    assert (x.view.shape, table.view.tolist()) == ((4,), [1.0, 2.0])
    with pytest.raises(LifecycleError, match="the model is loaded; change `view` and push it"):
        table.set_init_values([3.0])
    with pytest.raises(NetworkError, match=r"has shape \(4,\); got values of shape \(3,\)"):
        x.values = [1.0, 2.0, 3.0]
    kept = x.view
    model.unload()
    with pytest.raises(LifecycleError, match=r"has no values until"):
        x.values  # noqa: B018
    assert kept.tolist() == [0.0] * 4, "what was handed out stays readable"
    table.set_init_values([3.0, 4.0, 5.0])
    model.load()
    assert table.view.tolist() == [3.0, 4.0, 5.0]


def test_build_and_load_happen_once(model: GeNNModel) -> None:
    with pytest.raises(LifecycleError, match=r"call build\(\) before load\(\)"):
        model.load()
    with pytest.raises(LifecycleError, match=r"call build\(\) before source\(\)"):
        model.source()
    model.build()
    assert "neuron_update_P" in model.source()
    with pytest.raises(LifecycleError, match="built already: too late for build"):
        model.build()
    model.load()
    with pytest.raises(LifecycleError, match="loaded already"):
        model.load()


TOO_LATE = {
    "dt": lambda m: setattr(m, "dt", 0.5),
    "its groups": lambda m: m.add_neuron_population("Q", 1, NEURON, {"k": 1.0}, {"x": 0.0}),
    "spike_recording_enabled": lambda m: setattr(m.neuron_populations["P"], "spike_recording_enabled", True),
    "post_target_var": lambda m: setattr(m.synapse_populations["S"], "post_target_var", "Isyn"),
    "dynamic": lambda m: m.neuron_populations["P"].set_param_dynamic("k"),
    "parameters are dynamic": lambda m: m.synapse_populations["S"].set_wu_param_dynamic("k"),
    "which parameters are dynamic": lambda m: m.synapse_populations["S"].set_ps_param_dynamic("tau"),
    "which parameters": lambda m: m.custom_updates["C"].set_param_dynamic("k"),
}


@pytest.mark.parametrize(("what", "change"), TOO_LATE.items(), ids=TOO_LATE)
def test_descriptions_are_fixed_by_build(model: GeNNModel, what: str, change: Any) -> None:
    model.build()
    with pytest.raises(LifecycleError, match=rf"(too late for|can only be changed before).*|.*{what}") as caught:
        change(model)
    assert what in str(caught.value)


def test_recording_needs_a_length_and_to_be_full_and_pulled(model: GeNNModel) -> None:
    population = model.neuron_populations["P"]
    with pytest.raises(LifecycleError, match="'P' records no spikes"):
        population.spike_recording_data  # noqa: B018
    population.spike_recording_enabled = True
    model.build()
    for length in (None, 0):
        with pytest.raises(LifecycleError, match=r"'P' is recorded: load\(\) needs num_recording_timesteps"):
            model.load(num_recording_timesteps=length)
    for wrong in (-3, "3", 2.5):
        with pytest.raises(NetworkError, match=r"load\(\): num_recording_timesteps must be an integer"):
            model.load(num_recording_timesteps=wrong)  # type: ignore[arg-type]
    model.load(num_recording_timesteps=5)
    with pytest.raises(LifecycleError, match="call pull_recording_buffers_from_device first"):
        population.spike_recording_data  # noqa: B018
    model.run(4)
    with pytest.raises(LifecycleError, match="holds 5 timesteps and only 4 have passed"):
        model.pull_recording_buffers_from_device()
    model.run(1)
    model.pull_recording_buffers_from_device()
    ((times, ids),) = population.spike_recording_data
    assert (times.size, ids.size) == (0, 0)
    model.unload()
    with pytest.raises(LifecycleError, match="call pull_recording_buffers_from_device first"):
        population.spike_recording_data  # noqa: B018


def test_recording_without_a_population_that_records(model: GeNNModel) -> None:
    model.build()
    model.load(num_recording_timesteps=5)
    with pytest.raises(LifecycleError, match="nothing is recorded; set spike_recording_enabled"):
        model.pull_recording_buffers_from_device()


def test_an_array_without_values_is_empty_and_warned_of() -> None:
    model = GeNNModel("float", "life")
    reader = create_neuron_model(
        "Reader", vars=["x"], extra_global_params=[("table", "scalar*")], sim_code="if (t > 0.0) { x = table[0]; }"
    )
    population = model.add_neuron_population("P", 1, reader, {}, {"x": 0.0})
    model.build()
    with pytest.warns(ModelWarning, match=r"^'P' has no values for .*'table': it is empty, .*; call set_init_values"):
        model.load()
    model.step_time()
    table = population.extra_global_params["table"]
    with pytest.raises(LifecycleError, match="was given no values before load"):
        table.view  # noqa: B018
    model.unload()
    table.set_init_values([4.0, 2.0])
    model.load()
    model.run(2)
    population.vars["x"].pull_from_device()
    assert population.vars["x"].view.tolist() == [4.0]


def test_an_array_without_values_that_others_are_made_from() -> None:
    init = create_var_init_snippet(
        "First", var_init_code="value = table[0];", extra_global_params=[("table", "scalar*")]
    )
    model = GeNNModel("float", "life")
    plain = create_neuron_model("Plain", vars=["x"])
    population = model.add_neuron_population("P", 1, plain, {}, {"x": init_var(init)})
    model.build()
    message = r"'P' has no values for .*'table' of what initialises 'x'; call set_init_values\(...\) of it before load"
    with pytest.raises(LifecycleError, match=message):
        model.load()
    population.vars["x"].extra_global_params["table"].set_init_values([3.0])
    model.load()
    assert population.vars["x"].view.tolist() == [3.0]


def test_dynamic_parameters(model: GeNNModel) -> None:
    population, synapses = model.neuron_populations["P"], model.synapse_populations["S"]
    population.set_param_dynamic("k")
    synapses.set_ps_param_dynamic("tau")
    synapses.set_wu_param_dynamic("k")
    synapses.set_wu_param_dynamic("k", False)
    with pytest.raises(NetworkError, match="no parameter 'kk' to make dynamic; "):
        population.set_param_dynamic("kk")
    model.build()
    model.load()
    for group, name, message in [
        (population, "q", "no dynamic parameter 'q'"),
        (synapses, "k", "no dynamic parameter 'k'; call set_param_dynamic before build"),
        (model.custom_updates["C"], "k", "no dynamic parameter 'k'; call set_param_dynamic before build"),
    ]:
        with pytest.raises(NetworkError, match=message):
            group.set_dynamic_param_value(name, 1.0)
    with pytest.raises(NetworkError, match="'P': parameter 'k' must be a number, not 'two'"):
        population.set_dynamic_param_value("k", "two")
    synapses.set_dynamic_param_value("tau", 3.0)
    population.set_dynamic_param_value("k", 2.5)
    model.run(2)
    x = population.vars["x"]
    x.pull_from_device()
    assert set(x.view) == {5.0}


def test_a_group_outlives_its_model_without_harm() -> None:
    model = describe()
    model.build()
    model.load()
    x = model.neuron_populations["P"].vars["x"]
    del model
    gc.collect()
    assert x.view.tolist() == [0.0] * 4
    with pytest.raises(LifecycleError, match="the model of 'P' is gone: keep the GeNNModel"):
        x.push_to_device()


def test_populations_of_another_model(model: GeNNModel) -> None:
    stranger = describe().neuron_populations["P"]
    weights, psm = init_weight_update(WEIGHTS, {"k": 1.0}, {"w": 0.0}), init_postsynaptic("DeltaCurr")
    with pytest.raises(NetworkError, match="is no neuron population of this model"):
        model.add_synapse_population("T", "DENSE", model.neuron_populations["P"], stranger, weights, psm)


def test_names_are_unique_within_a_kind_of_groups(model: GeNNModel) -> None:
    for name in ("P", "S", "C"):
        if name in model.neuron_populations:
            with pytest.raises(NetworkError, match=f"there is a group called '{name}' in neuron_populations already"):
                model.add_neuron_population(name, 1, NEURON, {"k": 1.0}, {"x": 0.0})
        else:
            assert model.add_neuron_population(name, 1, NEURON, {"k": 1.0}, {"x": 0.0}).name == name
    model.build()


def test_custom_update_groups(model: GeNNModel) -> None:
    model.build()
    model.load()
    with pytest.raises(NetworkError, match="no custom update group 'g'"):
        model.custom_update("g")
    with pytest.raises(NetworkError, match="no custom update group 'C'"):
        model.get_custom_update_time("C")


def test_timestep_and_run(model: GeNNModel) -> None:
    model.dt = 0.25
    model.build()
    model.load()
    model.run(0)
    model.step_time()
    model.run(2)
    assert (model.timestep, model.t) == (3, 0.75)
    model.timestep = np.int64(1)
    assert model.timestep == 1
    for wrong in (-1, 2.5, "a", True):
        with pytest.raises(NetworkError, match="timestep must be an integer of at least 0"):
            model.timestep = wrong  # type: ignore[assignment]
        with pytest.raises(NetworkError, match="the number of timesteps must be an integer of at least 0"):
            model.run(wrong)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=r"timestep must be below 2\*\*64"):
        model.timestep = 2**64
    with pytest.raises(NetworkError, match="a state is a mapping of names to arrays, not NoneType"):
        model.set_state(None)  # type: ignore[arg-type]


def test_two_threads_cannot_run_one_model(model: GeNNModel) -> None:
    model.build()
    model.load()
    running = threading.Thread(target=model.run, args=(3_000_000,))
    running.start()
    found = []
    while running.is_alive() and len(found) < 2:
        for use in (lambda: model.run(1), model.unload):
            try:
                use()
            except LifecycleError as error:
                found.append(str(error))
        if not model._loaded:
            break
    running.join()
    assert model._loaded, "it was not taken away from the other thread"
    assert found[:2] == [
        "another thread is running this model",
        "another thread is running this model: it cannot be unloaded now",
    ]


def test_a_model_that_no_memory_holds_names_the_array() -> None:
    model = GeNNModel("float", "vast")
    model.add_neuron_population("P", 2**31 - 1, create_neuron_model("V", vars=["V"]), {}, {"V": 0.0})
    model.batch_size = 2**30
    model.build()
    with pytest.raises(NetworkError, match=r"there is no memory for 'P\.V': it takes [\d,]+ bytes"):
        model.load()


@pytest.mark.parametrize("dt", [0.0, -0.1, float("inf"), float("nan"), "fast", None])
def test_a_wrong_timestep(model: GeNNModel, dt: Any) -> None:
    with pytest.raises(NetworkError, match=r"dt must be a (positive )?number"):
        model.dt = dt


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "one"])
def test_a_wrong_seed(model: GeNNModel, seed: Any) -> None:
    with pytest.raises(PreferenceError, match=r"seed must be an integer from 0 to 2\*\*64 - 1"):
        model.seed = seed


def test_times_spent(model: GeNNModel) -> None:
    model.timing_enabled = True
    model.build()
    model.load()
    model.run(1000)
    model.custom_update("G")
    assert model.neuron_update_time > 0.0
    assert model.init_time > 0.0
    assert model.get_custom_update_time("G") > 0.0
    for nothing in (model.init_sparse_time, model.synapse_dynamics_time, model.postsynaptic_update_time,
                    model.presynaptic_update_time, model.get_custom_update_transpose_time("G")):  # fmt: skip
        assert nothing == 0.0


def test_wrong_arguments_of_the_model() -> None:
    with pytest.raises(PreferenceError, match="precision must be 'float' or 'double', not 'half'"):
        GeNNModel("half")  # type: ignore[arg-type]
    for name, message in [
        ("hip", r"no back end 'hip': GeNN has, through PyGeNN and choose_backend\('genn:hip'\)"),
        ("hip:0", r"no back end 'hip:0': GeNN has, through PyGeNN and choose_backend\('genn:hip'\)"),
        ("", r"no back end ''"),
        ("cud", r"no back end 'cud'; did you mean 'cuda'"),
        ("cpu:1", r"no back end 'cpu:1'; did you mean 'cpu'"),
        ("cuda:", r"back end 'cuda:': a device is named by its number, as in 'cuda:0'"),
        ("cuda:-1", r"a device is named by its number"),
    ]:
        with pytest.raises(BackendError, match=message):
            GeNNModel("float", "m", backend=name)
    with pytest.raises(PreferenceError, match="time_precision must be 'float' or 'double', not 'half'"):
        GeNNModel("float", "m", time_precision="half")
    model = GeNNModel("float", "m", "single_threaded_cpu", "float")
    assert (model.backend_name, model.batch_size) == ("cpu", 1)
    for size in (0, 1.5, "two"):
        with pytest.raises(NetworkError, match="model 'm': batch_size must be a positive integer"):
            model.batch_size = size  # type: ignore[assignment]


def test_the_precision_of_times() -> None:
    assert GeNNModel("double", "m").time_precision == "double"
    assert GeNNModel("float", "m", time_precision="double").time_precision == "double"
    model = describe(time_precision="double")
    with pytest.raises(LifecycleError, match="has groups already: too late for its time_precision"):
        model.time_precision = "float"
    with pytest.raises(LifecycleError, match="has groups already: too late for its time_precision"):
        model.time_precision = None
    model.time_precision = "double"
    model.build()
    assert "scalar is float, timepoint is double" in model.explain()
    with pytest.raises(LifecycleError, match="built already: too late for its time_precision"):
        model.time_precision = "double"
    model = GeNNModel("float", "m")
    model.precision = "double"
    assert model.time_precision == "double", "as long as times have none of their own"


def test_references_to_what_is_not_there(model: GeNNModel) -> None:
    population, synapses = model.neuron_populations["P"], model.synapse_populations["S"]
    with pytest.raises(NetworkError, match="'P' has no variable 'y'"):
        create_var_ref(population, "y")
    with pytest.raises(NetworkError, match="not 'S', a SynapseGroup; try create_wu_var_ref"):
        create_var_ref(synapses, "w")
    with pytest.raises(NetworkError, match="needs both a transpose group and the name"):
        create_wu_var_ref(synapses, "w", synapses)
    stranger = describe().neuron_populations["P"]
    stranger.name = "Elsewhere"
    with pytest.raises(NetworkError, match="is to 'Elsewhere', no group of this model"):
        model.add_custom_update("D", "G", UPDATE, {"k": 1.0}, {}, {"v": create_var_ref(stranger, "x")})


def test_a_connection_is_not_its_own_transposed_copy(model: GeNNModel) -> None:
    synapses = model.synapse_populations["S"]
    ref = create_wu_var_ref(synapses, "w", synapses, "w")
    model.add_custom_update("D", "G", UPDATE, {"k": 1.0}, {}, {"v": ref})
    with pytest.raises(NetworkError, match=r"'D': 'S\.w' cannot be its own transposed copy"):
        model.build()
