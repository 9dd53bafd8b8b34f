"""EventProp where a spike has waited for something else than its margin, which was above zero before."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn import genn, grad

RUNNING = genn.create_neuron_model(
    "Running", vars=["V", "R"], params=["tau", "pause"], sim_code="V += dt * (Isyn - V) / tau; R -= dt;",
    threshold_condition_code="R <= 0.0 && V >= 1.0", reset_code="V -= 0.1; R = pause;",
)  # fmt: skip


def test_spikes_whose_margin_was_above_zero_before() -> None:
    """V goes on while the neuron is refractory: the next spike comes as much later as the one before did."""
    dt, steps = 0.005, 1400
    model = genn.GeNNModel("double", "running", threads=1)
    model.dt = dt
    source = model.add_neuron_population("Input", 1, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 1})
    source.extra_global_params["spikeTimes"].set_init_values([0.0])
    cells = model.add_neuron_population("Cells", 1, RUNNING, {"tau": 5.0, "pause": 2.0}, {"V": 0.0, "R": 0.0})
    update, psm = (
        genn.init_weight_update("StaticPulse", {}, {"g": 5.0}),
        genn.init_postsynaptic("ExpCurr", {"tau": 15.0}),
    )
    weight = model.add_synapse_population("Weights", "DENSE", source, cells, update, psm).vars["g"]
    program = grad.differentiate(model, [weight], method="eventprop", window=steps, outputs=[cells])
    recording = model.record(cells, ["V"], timesteps=steps, spikes=True)
    model.build()
    model.load()
    state = model.state()
    model.run(steps)
    times = np.flatnonzero(recording.spikes.values)
    assert len(times) == 3
    assert np.diff(times) * dt == pytest.approx(2.0, abs=2 * dt)
    found = []
    for time in times:
        one = np.zeros((steps, 1))
        one[time] = 1.0
        program.zero_grad()
        program.backward({cells: one}, retain_tape=True)
        found.append(float(weight.grad[0]))
    assert found[0] < -0.1
    assert found[1:] == pytest.approx([found[0]] * 2, rel=1e-6)
    assert "has a time: a spike, at the end of R > 0.0" in program.explain()
    program.forget()
    model.set_state({**state, cells.vars["V"].location.key: np.full((1,), 1.5)})  # above the threshold as it begins
    program.forget()
    model.run(steps)
    assert recording.spikes.values[0, 0, 0]
    one[:], one[0] = 0.0, 1.0
    program.zero_grad()
    program.backward({cells: one})
    assert weight.grad[0] == 0.0
    model.unload()


def test_adjoints_that_are_given_are_those_of_a_linear_loss() -> None:
    """As a spike moves, so does what a reset changes: with adjoints in the place of a loss too."""
    dt, steps, found = 0.1, 80, []
    for loss in (True, False):
        model = genn.GeNNModel("double", "given", threads=1)
        model.dt = dt
        source = model.add_neuron_population("Input", 1, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 1})
        source.extra_global_params["spikeTimes"].set_init_values([0.0])
        cells = model.add_neuron_population("Cells", 1, RUNNING, {"tau": 5.0, "pause": 2.0}, {"V": 0.0, "R": 0.0})
        update, psm = (
            genn.init_weight_update("StaticPulse", {}, {"g": 5.0}),
            genn.init_postsynaptic("ExpCurr", {"tau": 9.0}),
        )
        weight = model.add_synapse_population("Weights", "DENSE", source, cells, update, psm).vars["g"]
        given = (
            {"loss": {cells: grad.Loss("Sum", loss_code="loss = 3.0 * V;")}} if loss else {"outputs": [cells.vars["V"]]}
        )
        program = grad.differentiate(model, [weight], method="eventprop", window=steps, **given)
        model.build()
        model.load()
        model.run(steps)
        program.backward(None if loss else {cells.vars["V"]: np.full((steps, 1), 3.0)})
        found.append(float(weight.grad[0]))
        model.unload()
    assert found[1] == pytest.approx(found[0], rel=1e-12)
