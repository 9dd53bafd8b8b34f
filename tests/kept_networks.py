"""Small networks to record and to play, each step of which is known."""

from __future__ import annotations

from typing import Any

from snnlearn.genn import GeNNModel, VarAccess, create_neuron_model

COUNTER = create_neuron_model(
    "Counter",
    vars=["x", ("flag", "uint8_t"), ("shared", "scalar", VarAccess.READ_ONLY_SHARED_NEURON)],
    sim_code="x += 1.0; flag = 1;",
)
SPIKING = create_neuron_model("Spiking", vars=["V"], sim_code="V += 1.0;", threshold_condition_code="V > 2.0")
READER = create_neuron_model(
    "Reader",
    vars=[
        ("r", "scalar", VarAccess.READ_ONLY_DUPLICATE),
        ("alike", "scalar", VarAccess.READ_ONLY),
        ("small", "uint8_t", VarAccess.READ_ONLY_DUPLICATE),
        "own",
    ],
    sim_code="own = r;",
)
START = {"x": 0.0, "flag": 0, "shared": 1.0}
READS = {"r": 0.0, "alike": 0.0, "small": 0, "own": 0.0}


def counting(batch: int = 1, **given: Any) -> tuple[GeNNModel, Any]:
    model = GeNNModel("float", "counting", threads=1, **given)
    model.batch_size = batch
    return model, model.add_neuron_population("P", 4, COUNTER, {}, START)


def reading(size: int = 4, batch: int = 1) -> tuple[GeNNModel, Any]:
    model = GeNNModel("float", "reading", threads=1)
    model.batch_size = batch
    return model, model.add_neuron_population("R", size, READER, {}, READS)


def kept_values(**preferences: Any) -> GeNNModel:
    """Return a network with recorded variables and spikes, every timestep and now and then, and players of them."""
    model = GeNNModel("float", "kept", **preferences)
    model.dt, model.batch_size = 1.0, 2
    code = {"sim_code": "V += 1.0; n++;", "threshold_condition_code": "V > 5.0", "reset_code": "V = 0.0;"}
    neuron = create_neuron_model("N", vars=[("V", "scalar"), ("n", "uint8_t")], **code)
    access = VarAccess.READ_ONLY_DUPLICATE
    reader = create_neuron_model("R", vars=[("a", "scalar", access), ("b", "scalar", access)])
    for size in (40, 2000):
        recorded = model.add_neuron_population(f"A{size}", size, neuron, {}, {"V": 0.0, "n": 0})
        often = model.record(recorded, "V", timesteps=10, spikes=True)
        seldom = model.record(recorded, "n", timesteps=10, every=3)
        plays = model.add_neuron_population(f"B{size}", size, reader, {}, {"a": 0.0, "b": 0.0})
        model.play(plays, "a", often["V"], reverse=True)
        model.play(plays, "b", seldom["n"])
    return model
