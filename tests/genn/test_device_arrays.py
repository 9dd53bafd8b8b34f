"""Arrays of the device themselves: their shapes, that they are no copies, and when they are up to date."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import snnlearn.genn as genn
from snnlearn.errors import LifecycleError
from snnlearn.genn import GeNNModel, VarLocation

COUNTER = genn.create_neuron_model(
    "Counter",
    vars=["x"],
    extra_global_params=[("table", "scalar*")],
    sim_code="x += table[1];",
    threshold_condition_code="t - st > 100.0",
)
# Its trace is deferred: nothing reads it in a timestep.
TRACE = genn.create_weight_update_model(
    "Trace",
    vars=["g", "trace"],
    pre_neuron_var_refs=["x"],
    pre_spike_syn_code="addToPost(g);",
    synapse_dynamics_code="trace += g * x;",
)
STEPS = 5


def describe(batch_size: int = 1, kind: str = "DENSE", **preferences: Any) -> Any:
    model = GeNNModel("float", "arrays", **{"threads": 2, **preferences})
    model.dt, model.batch_size, model.seed = 1.0, batch_size, 1
    p = model.add_neuron_population("P", 3, COUNTER, {}, {"x": 0.0})
    p.extra_global_params["table"].set_init_values([1.0, 2.0])
    one = genn.init_var("Constant", {"constant": 1.0})
    weights = genn.init_weight_update(TRACE, {}, {"g": one, "trace": 0.0}, pre_var_refs={"x": "x"})
    init = None if kind.startswith("DENSE") else genn.init_sparse_connectivity("OneToOne")
    s = model.add_synapse_population("S", kind, p, p, weights, genn.init_postsynaptic("DeltaCurr"), init)
    return model, p, s


def load(*args: Any, **preferences: Any) -> Any:
    model, p, s = describe(*args, **preferences)
    model.build()
    model.load()
    return model, p, s


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("kind", ["DENSE", "SPARSE"])
def test_they_have_the_host_copys_shape(batch_size: int, kind: str) -> None:
    _, p, s = load(batch_size, kind)
    for array in (p.vars["x"], p.extra_global_params["table"], p.spike_times, s.out_post, *s.vars.values()):
        assert array.device_array.shape == array._view.shape
        assert array.device_array.dtype == array._view.dtype
        assert not np.shares_memory(array.device_array, array._view)


def test_changes_take_effect_at_once_and_in_both_directions() -> None:
    model, p, _ = load()
    x = np.from_dlpack(p.vars["x"].device_array)
    (x if x.flags.writeable else p.vars["x"].device_array)[:] = [1.0, 2.0, 3.0]  # NumPy before 2.1 reads only
    p.extra_global_params["table"].device_array[1] = 10.0
    model.run(1)
    np.testing.assert_array_equal(p.vars["x"].device_array, [11.0, 12.0, 13.0])
    np.testing.assert_array_equal(x, [11.0, 12.0, 13.0])
    np.testing.assert_array_equal(p.vars["x"].view, [0.0, 0.0, 0.0], "the host copy is another thing")


def test_reading_the_attribute_does_what_was_put_off() -> None:
    model, _, s = load()
    model.run(STEPS)
    expected = 2.0 * sum(range(STEPS))
    assert set(s.vars["trace"].device_array) == {expected}
    s.vars["trace"].device_array[:] = 0.0
    model.run(1)
    assert set(s.vars["trace"].device_array) == {2.0 * STEPS}


def test_what_lives_on_the_device_alone_can_be_had_there() -> None:
    model, p, _ = describe()
    p.set_var_location("x", VarLocation.DEVICE)
    model.build()
    model.load()
    model.run(2)
    with pytest.raises(LifecycleError, match="lives on the device alone"):
        p.vars["x"].view  # noqa: B018
    np.testing.assert_array_equal(p.vars["x"].device_array, [4.0] * 3)


def test_before_load_after_unload_and_of_what_is_not_stored() -> None:
    model, p, s = describe(1, "PROCEDURAL", optimise=("strength",))
    model.build()
    with pytest.raises(LifecycleError, match="not loaded"):
        p.vars["x"].device_array  # noqa: B018
    model.load()
    with pytest.raises(LifecycleError, match="made anew with each spike and never stored"):
        s.vars["g"].device_array  # noqa: B018
    model.unload()
    with pytest.raises(LifecycleError, match="not loaded"):
        p.vars["x"].device_array  # noqa: B018
