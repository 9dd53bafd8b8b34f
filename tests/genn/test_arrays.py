"""Host copies: their shapes with batches and delays, where they live, and what initial values need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import snnlearn.genn as genn
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError
from snnlearn.genn import GeNNModel, VarAccess, VarLocation

COUNTER = genn.create_neuron_model(
    "Counter",
    vars=["x", ("own", "int", VarAccess.READ_ONLY_DUPLICATE), ("all", "int", VarAccess.READ_ONLY),
          ("one", "int", VarAccess.READ_ONLY_SHARED_NEURON)],
    sim_code="x += own + all + one;",
    threshold_condition_code="x > 3.0",
)  # fmt: skip
VALUES = {"x": 0.0, "own": 1, "all": 0, "one": 0}
READ = genn.create_weight_update_model(
    "Read",
    vars=["g"],
    pre_vars=["p"],
    post_vars=["q"],
    pre_neuron_var_refs=[("x", "scalar", genn.VarAccessMode.READ_ONLY)],
    pre_spike_code="p += 1.0;",
    post_spike_code="q += 1.0;",
    synapse_dynamics_code="addToPost(x * g);",
)


def model(batch_size: int = 1) -> GeNNModel:
    made = GeNNModel("float", "arrays", threads=1)
    made.dt, made.batch_size = 1.0, batch_size
    return made


def pair(made: GeNNModel, delay: int = 0) -> Any:
    a = made.add_neuron_population("A", 3, COUNTER, {}, VALUES)
    b = made.add_neuron_population("B", 2, COUNTER, {}, VALUES)
    weights = genn.init_weight_update(READ, {}, {"g": 1.0}, {"p": 0.0}, {"q": 0.0}, {"x": "x"})
    s = made.add_synapse_population("S", "DENSE", a, b, weights, genn.init_postsynaptic("DeltaCurr"))
    s.axonal_delay_steps = delay
    return a, b, s


@pytest.mark.parametrize("batch_size", [1, 3])
def test_shapes(batch_size: int) -> None:
    made = model(batch_size)
    a, _, s = pair(made, delay=4)
    made.build()
    made.load()
    copies = (batch_size,) if batch_size > 1 else ()
    shapes = {name: variable.view.shape for name, variable in a.vars.items()}
    assert shapes == {"x": (*copies, 5, 3), "own": (*copies, 3), "all": (3,), "one": (*copies, 1)}
    assert a.vars["x"].current_view.shape == (*copies, 3)
    assert a.vars["own"].current_view.shape == (*copies, 3)
    assert (s.pre_vars["p"].view.shape, s.post_vars["q"].view.shape) == ((*copies, 5, 3), (*copies, 2))
    assert s.vars["g"].view.shape == (*copies, 6)
    assert s.out_post.view.shape == (batch_size, 2)
    assert a.spike_times is None
    made.unload()
    assert s.out_post is None


def test_current_values_are_those_of_the_last_timestep() -> None:
    made = model()
    a, _, _ = pair(made, delay=2)
    made.build()
    made.load()
    for step in range(1, 6):
        made.step_time()
        a.vars["x"].pull_from_device()
        assert a.vars["x"].current_values.tolist() == [float(step)] * 3
    assert sorted(a.vars["x"].values[:, 0]) == [3.0, 4.0, 5.0]
    before = a.vars["x"].view.copy()
    a.vars["x"].current_view[:] = 10.0
    a.vars["x"].push_to_device()
    made.step_time()
    a.vars["x"].pull_from_device()
    assert a.vars["x"].current_values.tolist() == [11.0] * 3
    assert (a.vars["x"].view == before).sum() == 3, "one slot is as it was, one was changed and one overwritten"


def test_each_copy_of_a_batch_has_its_own_values() -> None:
    made = model(2)
    given = {**VALUES, "own": np.array([[1, 2, 3], [10, 20, 30]])}
    a = made.add_neuron_population("A", 3, COUNTER, {}, given)
    a.spike_recording_enabled = True
    made.build()
    made.load(num_recording_timesteps=2)
    made.run(2)
    a.vars["x"].pull_from_device()
    assert a.vars["x"].view.tolist() == [[2.0, 4.0, 6.0], [20.0, 40.0, 60.0]]
    made.pull_recording_buffers_from_device()
    (times, ids), (more_times, more_ids) = a.spike_recording_data
    assert (times.tolist(), ids.tolist()) == ([1.0, 1.0], [1, 2])
    assert (more_times.tolist(), more_ids.tolist()) == ([0.0] * 3 + [1.0] * 3, [0, 1, 2] * 2)


def test_a_row_for_each_copy() -> None:
    made = model(2)
    made.add_neuron_population("A", 3, COUNTER, {}, {**VALUES, "x": np.zeros((3, 3))})
    with pytest.raises(NetworkError, match=r"initial value of 'A.x': 3 rows for a batch of 2"):
        made.build()


def test_values_are_broadcast_over_copies() -> None:
    made = model(2)
    a = made.add_neuron_population("A", 3, COUNTER, {}, VALUES)
    made.build()
    made.load()
    a.vars["x"].values = [1.0, 2.0, 3.0]
    assert a.vars["x"].view.tolist() == [[1.0, 2.0, 3.0]] * 2
    with pytest.raises(NetworkError, match=r"'A.x' has shape \(2, 3\); got values of shape \(4,\)"):
        a.vars["x"].values = np.zeros(4)


def test_what_lives_on_the_device_alone_has_no_host_copy() -> None:
    made = model()
    made.default_var_location = VarLocation.DEVICE
    a = made.add_neuron_population("A", 3, COUNTER, {}, VALUES)
    assert a.get_var_location("x") == VarLocation.DEVICE
    a.set_var_location("own", VarLocation.HOST_DEVICE)
    with pytest.raises(NetworkError, match="'A' has no variable 'y'"):
        a.set_var_location("y", VarLocation.DEVICE)
    with pytest.raises(NetworkError, match=r"'A.x': 'here' is no VarLocation"):
        a.set_var_location("x", "here")  # type: ignore[arg-type]
    made.build()
    with pytest.raises(LifecycleError, match="the location of variables can only be changed before"):
        a.set_var_location("x", VarLocation.HOST_DEVICE)
    made.load()
    assert a.vars["own"].view.tolist() == [1, 1, 1]
    for use in (lambda: a.vars["x"].view, a.vars["x"].pull_from_device, a.vars["x"].push_to_device):
        with pytest.raises(LifecycleError, match=r"'A.x' lives on the device alone; give it the location HOST_DEVICE"):
            use()


def test_arrays_of_initialisers() -> None:
    table = genn.create_var_init_snippet(
        "Table", extra_global_params=[("values", "scalar*")], var_init_code="value = values[id];"
    )
    made = model()
    a = made.add_neuron_population("A", 3, COUNTER, {}, {**VALUES, "x": genn.init_var(table)})
    b = made.add_neuron_population("B", 2, COUNTER, {}, {**VALUES, "x": genn.init_var(table)})
    a.vars["x"].extra_global_params["values"].set_init_values([1.0, 2.0, 3.0])
    made.build()
    with pytest.raises(
        LifecycleError, match="no values for the extra global parameter 'values' of what initialises 'x'"
    ):
        made.load()
    b.vars["x"].extra_global_params["values"].set_init_values([7.0, 8.0])
    made.load()
    assert (a.vars["x"].view.tolist(), b.vars["x"].view.tolist()) == ([1.0, 2.0, 3.0], [7.0, 8.0])


def test_initial_values_may_be_replaced() -> None:
    made = model()
    a = made.add_neuron_population("A", 3, COUNTER, {}, {**VALUES, "x": [1.0, 2.0, 3.0]})
    a.vars["own"].set_init_values(genn.init_var("Uniform", {"min": 4.0, "max": 4.0}))
    made.build()
    a.vars["x"].set_init_values([5.0, 6.0, 7.0])
    with pytest.raises(
        LifecycleError, match=r"'A.x': the model is built; .* only an array can take the place of anoth"
    ):
        a.vars["x"].set_init_values(0.0)
    with pytest.raises(NetworkError, match=r"initial value of 'x' must have shape \(3,\)"):
        a.vars["x"].set_init_values([5.0])
    made.load()
    assert (a.vars["x"].view.tolist(), a.vars["own"].view.tolist()) == ([5.0, 6.0, 7.0], [4, 4, 4])
    with pytest.raises(LifecycleError, match=r"'A.x': the model is loaded; change `view` and push it"):
        a.vars["x"].set_init_values([5.0, 6.0, 7.0])


def test_times_of_spikes() -> None:
    made = model()
    times = genn.create_neuron_model(
        "Times", vars=["x"], sim_code="x = st;", threshold_condition_code="t > 1.5 * id && id < 2"
    )
    seen = genn.create_weight_update_model("Seen", vars=["g"], synapse_dynamics_code="g = prev_st_pre;")
    a = made.add_neuron_population("A", 3, times, {}, {"x": 0.0})
    weights = genn.init_weight_update(seen, {}, {"g": 0.0})
    made.add_synapse_population("S", "DENSE", a, a, weights, genn.init_postsynaptic("DeltaCurr"))
    made.build()
    made.load()
    made.run(4)
    never = -float(np.finfo(np.float32).max)
    for array in (a.spike_times, a.prev_spike_times):
        array.pull_from_device()
    assert a.spike_times.view.tolist() == [3.0, 3.0, never]
    assert a.prev_spike_times.view.tolist() == [2.0, 2.0, never]


def test_recorded_events() -> None:
    made = model()
    events = genn.create_weight_update_model(
        "Events",
        pre_neuron_var_refs=[("x", "scalar", genn.VarAccessMode.READ_ONLY)],
        pre_event_threshold_condition_code="x == 2.0",
        pre_event_syn_code="addToPost(1.0);",
    )
    a = made.add_neuron_population("A", 3, COUNTER, {}, {**VALUES, "own": [0, 1, 2]})
    s = made.add_synapse_population(
        "S",
        "DENSE",
        a,
        a,
        genn.init_weight_update(events, pre_var_refs={"x": "x"}),
        genn.init_postsynaptic("DeltaCurr"),
    )
    with pytest.raises(LifecycleError, match="'S' records no presynaptic events: set spike_event_recording_enabled of"):
        s.pre_spike_event_recording_data  # noqa: B018
    a.spike_event_recording_enabled = True
    with pytest.raises(LifecycleError, match="'S' records no postsynaptic events: its model has no post_event_thresh"):
        s.post_spike_event_recording_data  # noqa: B018
    made.build()
    made.load(num_recording_timesteps=3)
    made.run(3)
    with pytest.raises(LifecycleError, match="'S': call pull_recording_buffers_from_device first"):
        s.pre_spike_event_recording_data  # noqa: B018
    made.pull_recording_buffers_from_device()
    ((times, ids),) = s.pre_spike_event_recording_data
    assert (times.tolist(), ids.tolist()) == ([0.0, 1.0], [2, 1])


def test_input_left_over() -> None:
    made = model()
    a, _, s = pair(made)
    made.build()
    made.load()
    s.out_post.view[:] = 5.0
    s.out_post.push_to_device()
    s.out_post.view[:] = 0.0
    s.out_post.pull_from_device()
    assert s.out_post.view.tolist() == [[5.0, 5.0]]
    assert a.params == {}


def test_arrays_that_no_code_reads_need_no_values() -> None:
    made = model()
    unread = genn.create_neuron_model("Unread", vars=["x"], extra_global_params=[("e", "scalar*")], sim_code="x = 1.0;")
    a = made.add_neuron_population("A", 3, unread, {}, {"x": 0.0})
    b = made.add_neuron_population("B", 3, unread, {}, {"x": 0.0})
    read = genn.create_custom_update_model(
        "Read", var_refs=["x"], extra_global_param_refs=[("e", "scalar*")], update_code="x = e[0];"
    )
    refs = {"x": genn.create_var_ref(b, "x")}
    made.add_custom_update("U", "G", read, {}, {}, refs, {"e": genn.create_egp_ref(b, "e")})
    made.build()
    with pytest.warns(ModelWarning, match="'B' has no values for the extra global parameter 'e'") as caught:
        made.load()
    assert len(caught) == 1
    made.unload()
    b.extra_global_params["e"].set_init_values([5.0])
    made.load()
    with pytest.raises(LifecycleError, match=r"egp of 'A.e'|'A.e' was given no values before load"):
        a.extra_global_params["e"].view  # noqa: B018
    made.custom_update("G")
    b.vars["x"].pull_from_device()
    assert b.vars["x"].view.tolist() == [5.0] * 3


def test_set_array_makes_the_callers_memory_the_host_copy() -> None:
    made = model()
    population = made.add_neuron_population("P", 3, COUNTER, {}, {**VALUES, "x": [1.0, 2.0, 3.0]})
    variable = population.vars["x"]
    with pytest.raises(LifecycleError, match="has no values until"):
        variable.set_array(np.zeros(3, np.float32))
    made.build()
    made.load()
    mine = np.array([5.0, 6.0, 7.0], np.float32)
    variable.set_array(mine)
    assert variable.view.base is mine or variable.view is mine
    variable.push_to_device()
    made.step_time()
    variable.pull_from_device()
    assert mine.tolist() == [6.0, 7.0, 8.0], "pulled into the caller's memory"

    class FromRuntime:
        host_view = memoryview(bytearray(12))

    variable.set_array(FromRuntime(), (3,), None)
    assert variable.view.tolist() == [0.0, 0.0, 0.0]
    variable.pull_from_device()
    assert np.frombuffer(FromRuntime.host_view, np.float32).tolist() == [6.0, 7.0, 8.0]
    unfit: list[tuple[Any, ...]] = [
        (np.zeros(3),),
        (np.zeros(4, np.float32),),
        (np.zeros(3, np.float32), (1, 3)),
        (np.zeros(6, np.float32)[::2],),
        (np.broadcast_to(np.float32(1.0), 3),),
    ]
    for given in unfit:
        with pytest.raises(NetworkError, match=r"'P\.x': the host copy"):
            variable.set_array(*given)
    made.unload()
    with pytest.raises(LifecycleError, match="has no values until"):
        variable.set_array(mine)


def test_set_array_of_synapses_and_extra_global_parameters() -> None:
    made = model()
    neuron = genn.create_neuron_model("N", vars=["x"], extra_global_params=[("e", "scalar*")], sim_code="x += e[0];")
    population = made.add_neuron_population("P", 2, neuron, {}, {"x": 0.0})
    table = population.extra_global_params["e"]
    table.set_init_values([1.0, 2.0])
    synapses = made.add_synapse_population(
        "S", "SPARSE", population, population,
        genn.init_weight_update("StaticPulse", {}, {"g": [1.0, 2.0]}), genn.init_postsynaptic("DeltaCurr"),
    )  # fmt: skip
    synapses.set_sparse_connections([0, 1], [1, 0])
    made.build()
    made.load()
    for array, mine in ((table, np.array([4.0, 5.0], np.float32)), (synapses.vars["g"], np.ones(2, np.float32))):
        array.set_array(mine)
        array.push_to_device()
        array.values = 0.0
        array.pull_from_device()
        assert array.values.tolist() == mine.tolist()
    assert table.values.tolist() == [4.0, 5.0]
    made.step_time()
    population.vars["x"].pull_from_device()
    assert population.vars["x"].view.tolist() == [4.0, 4.0]


def test_what_arrays_start_with() -> None:
    made = model()
    population = made.add_neuron_population("P", 3, COUNTER, {}, {**VALUES, "x": [1, 2, 3]})
    given, number = population.vars["x"], population.vars["own"]
    assert (given.init_required, given.init_values.tolist()) == (True, [1, 2, 3])
    assert (number.init_required, number.init_values) == (False, None)
    number.set_init_values(genn.init_var("Uniform", {"min": 0.0, "max": 2.0}))
    assert (number.init_required, number.init_values) == (False, None)
    source = made.add_neuron_population("S", 1, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 1})
    times = source.extra_global_params["spikeTimes"]
    assert times.init_values is None
    times.set_init_values([2.0])
    assert times.init_values.tolist() == [2.0]
