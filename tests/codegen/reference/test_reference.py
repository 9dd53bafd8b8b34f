"""The reference engine as users meet it: its program, its numbers, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import LifecycleError, NetworkError, PreferenceError
from snnlearn.genn import (
    GeNNModel,
    create_neuron_model,
    create_weight_update_model,
    init_postsynaptic,
    init_weight_update,
)
from snnlearn.runtime.reference import numbers


def model(precision: str = "double", sim_code: str = "V += a * Isyn;", **preferences: Any) -> GeNNModel:
    """Return a population that a connection of its own excites."""
    made = GeNNModel(precision, "shown", backend="reference", **preferences)
    neuron = create_neuron_model(
        "Neuron",
        params=["a"],
        vars=["V", ("n", "int")],
        extra_global_params=[("table", "scalar*")],
        sim_code=sim_code,
        threshold_condition_code="V > 1.0",
        reset_code="V = 0.0;",
    )
    p = made.add_neuron_population("P", 3, neuron, {"a": 0.1}, {"V": [0.5, 0.9, 1.1], "n": [0, 1, 2]})
    p.extra_global_params["table"].set_init_values(np.arange(3.0))
    rule = create_weight_update_model("Rule", vars=["w"], pre_spike_syn_code="addToPost(w);")
    made.add_synapse_population(
        "S", "DENSE", p, p, init_weight_update(rule, {}, {"w": 2.0}), init_postsynaptic("DeltaCurr")
    )
    return made


def loaded(*args: Any, **preferences: Any) -> GeNNModel:
    made = model(*args, **preferences)
    made.build()
    made.load()
    return made


def test_the_source_is_a_timestep_in_genns_order() -> None:
    made = loaded()
    source = made.source()
    step = source[source.index("def step(") :]
    assert step.index("presynaptic_update_S(") < step.index("neuron_update_P(")
    assert "v_S_out_post[j] = v_S_out_post[j] + v_w" in source
    assert "v_V = v_V + (v_a * v_Isyn)" in source
    made.run(2)
    p = made.neuron_populations["P"]
    p.vars["V"].pull_from_device()
    np.testing.assert_array_equal(p.vars["V"].values, [0.5 + 0.1 * 2.0, 0.0, 0.1 * 2.0])  # the second spikes at 1.1
    assert "neuron_update_P" in made.explain()
    made.unload()
    with pytest.raises(LifecycleError):
        made.run(1)


def test_single_precision_rounds_after_every_operation() -> None:
    code = "V = V * V * 1.1f - n / 3 + (float)0.7 * V; n = n * 715827883 + 7;"
    made = loaded("float", code)
    v, n = np.array([0.5, 0.9, 1.1], np.float32), np.arange(3)
    made.run(1)
    p = made.neuron_populations["P"]
    for variable in p.vars.values():
        variable.pull_from_device()
    expected = v * v * np.float32(1.1) - (n // 3).astype(np.float32) + np.float32(0.7) * v
    expected[expected > 1.0] = 0.0
    np.testing.assert_array_equal(p.vars["V"].values, expected)
    np.testing.assert_array_equal(p.vars["n"].values, (n * 715827883 + 7 + 2**31) % 2**32 - 2**31)


def test_an_index_beyond_the_end_is_an_error() -> None:
    made = loaded(sim_code="V = table[n + 1];")
    with pytest.raises(
        NetworkError, match="P: sim_code: table: an index beyond the end of the array: it is 3, and there"
    ):
        made.run(1)


def test_checked_builds_show_the_place() -> None:
    made = loaded(sim_code="V = table[n + 1];", checked=True)
    with pytest.raises(NetworkError, match=r"an index beyond the end of 'table'[^^]*\^[\s\S]*it is 3, and there are 3"):
        made.run(1)
    other = loaded(sim_code="n = 7 / (n - 1) + (1 << n * 20);", checked=True)
    with pytest.raises(NetworkError, match=r"7 is divided by 0|it is by 40 bits"):
        other.run(1)


def test_a_division_of_integers_by_zero_is_an_error() -> None:
    with pytest.raises(NetworkError, match="7 is divided by 0"):
        loaded(sim_code="n = 7 / (n - 1);").run(1)


def test_deferred_kernels_are_refused() -> None:
    made = model(optimise=["defer"])
    rule = create_weight_update_model("Trace", vars=["e"], pre_vars=["x"], synapse_dynamics_code="e = 0.9 * e + x;")
    p = made.neuron_populations["P"]
    update = init_weight_update(rule, {}, {"e": 0.0}, {"x": 1.0})
    made.add_synapse_population("T", "DENSE", p, p, update, init_postsynaptic("DeltaCurr"))
    with pytest.raises(
        PreferenceError, match="the back end 'reference' defers no kernel: leave 'defer' out of optimise"
    ):
        made.build()


def test_times_are_measured() -> None:
    made = model()
    made.timing_enabled = True
    made.build()
    made.load()
    made.run(20)
    assert made.neuron_update_time > 0.0
    assert made.presynaptic_update_time > 0.0


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (numbers.divide(1.0, 0.0), math.inf),
        (numbers.divide(-1.0, 0.0), -math.inf),
        (numbers.divide(1.0, -0.0), -math.inf),
        (numbers.divide(0.0, 0.0), math.nan),
        (numbers.single(0.1), 0.10000000149011612),
        (numbers.single(1e39), math.inf),
        (numbers.single(-1e-40), -0.0),
        (numbers.single_ieee(1e-40), float(np.float32(1e-40))),
        (numbers.int32(2**31), -(2**31)),
        (numbers.uint8(-1), 255),
        (numbers.int64(2.9), 2),
        (numbers.quotient(-7, 2), -3),
        (numbers.remainder_of(-7, 2), -1),
        (numbers.maths.round(-2.5), -3.0),
        (numbers.maths.round(0.49999999999999994), 0.0),
        (numbers.maths.rint(2.5), 2.0),
        (numbers.maths.log(0.0), -math.inf),
        (numbers.maths.pow(0.0, -1.0), math.inf),
        (numbers.maths.exp(1000.0), math.inf),
        (numbers.maths.atanh(1.0), math.inf),
        (numbers.maths.fmod(math.inf, 1.0), math.nan),
        (numbers.maths.tgamma(200.0), math.inf),
        (numbers.maths.fma(1.0 + 2.0**-30, 1.0 - 2.0**-30, -1.0), -(2.0**-60)),
        (numbers.maths.fmax(math.nan, 2.0), 2.0),
        (numbers.maths.ilogb(0.75), -1),
    ],
)
def test_numbers_are_those_of_c(found: float, expected: float) -> None:
    np.testing.assert_equal(found, expected)
