"""Delays that a queue has no room for wrap around, as in GeNN, and are warned of once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import ModelWarning
from snnlearn.genn import create_neuron_model, create_weight_update_model, init_postsynaptic, init_weight_update

SOURCE = create_neuron_model("Once", sim_code="", threshold_condition_code="t == 0.0")
SUM = create_neuron_model("Sum", vars=["when"], sim_code="if (Isyn > 0.0) { when = t; }")
LATER = create_weight_update_model(
    "Later", vars=[("d", "uint8_t")], pre_spike_syn_code="addToPostDelay(1.0, d);", synapse_dynamics_code=""
)


def test_a_delay_that_is_too_long(engine: Any, start: Any) -> None:
    longest, delays = 5, np.array([0, 1, 4, 5, 7, 255])
    model = engine.model()
    source = model.add_neuron_population("A", 1, SOURCE, {}, {})
    target = model.add_neuron_population("B", len(delays), SUM, {}, {"when": -1.0})
    synapses = model.add_synapse_population(
        "AB", "DENSE", source, target, init_weight_update(LATER, vars={"d": delays}), init_postsynaptic("DeltaCurr")
    )
    synapses.max_dendritic_delay_timesteps = longest
    start(model)
    model.step_time()
    message = r"pre_spike_syn_code of AB \(Later\): a delay of (7|255) timesteps is taken modulo 5, as in GeNN"
    # It points at the user's line, whatever of the library stands between, such as a trainer.
    library: dict[str, Any] = {"__name__": "snnlearn.training.trainer"}
    exec("def step(model): model.step_time()", library)
    with pytest.warns(ModelWarning, match=message) as caught:
        library["step"](model)
    assert [str(w.filename) for w in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.run(8)
    target.vars["when"].pull_from_device()
    # The spike at t = 0 is transmitted in the next step.
    expected = np.where(delays > longest, delays % longest, delays)
    np.testing.assert_array_equal(target.vars["when"].view, 1.0 + expected)
