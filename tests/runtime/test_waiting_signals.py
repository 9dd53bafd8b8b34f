"""A timestep that takes long, or for ever, is given up when a signal that ends the run waits."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.declare import NeuronModel
from snnlearn.dialect import check_model
from snnlearn.dialect.loops import ends_soon
from snnlearn.errors import NetworkError


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def endless() -> genn.GeNNModel:
    """Return a loaded model whose second neuron never leaves a loop once it is told to stay."""
    code = """
    for (int n = 0; n < 3; n++) { V += 1.0; }
    while (stay > 0.5) { V *= 0.5; }
    do { V += 1.0; } while (stay > 2.0);
    """
    model = genn.GeNNModel("float", "endless", threads=1)
    neurons = genn.create_neuron_model("endless", vars=["V", "stay"], sim_code=code)
    model.add_neuron_population("P", 1000, neurons, {}, {"V": 1.0, "stay": 0.0})
    model.build()
    model.load()
    return model


@pytest.mark.usefixtures("_ctrl_c")
def test_an_endless_loop_is_left() -> None:
    model = endless()
    stay = model.neuron_populations["P"].vars["stay"]
    model.run(3)
    kept = model.state()
    model.run(2)
    undisturbed = model.state()
    for run in (lambda: model.run(1), model.step_time, lambda: model.run(5000)):
        stay.view[1] = 1.0
        stay.push_to_device()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        begin = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            run()
        assert time.perf_counter() - begin < 3.0, "0.33 s, and more where the machine has other work"
        with pytest.raises(NetworkError, match=r"was interrupted in the midst of a timestep, .*: put one back"):
            model.run(1)
        with pytest.raises(NetworkError, match="was interrupted in the midst of a timestep"):
            model.step_time()
        with pytest.raises(NetworkError, match="was interrupted in the midst of a timestep"):
            model.check_whole()
        model.set_state(kept)
        model.check_whole()
        model.run(2)
        for key, values in undisturbed.items():
            np.testing.assert_array_equal(values, model.state()[key])
    model.unload()


def test_a_signal_that_is_only_noted_gives_nothing_up() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        model = endless()
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        steps = 0
        while not seen:
            model.run(20_000)
            steps += 20_000
        model.run(10)
        assert model.timestep == steps + 10
        model.unload()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("code", "soon"),
    [
        ("for (int n = 0; n < 10; n++) { V += n; }", True),
        ("for (unsigned int n = 2; n <= 10; ++n) { if (V > 1.0) { break; } V += n; }", True),
        ("for (int n = 10; n > 0; n--) { V += n; }", True),
        ("for (int n = 0; n < 1000000000; n++) { V += n; }", False),
        ("for (int n = 0; n < V; n++) { V += n; }", False),
        ("for (int n = 0; n < 10; n--) { V += n; }", False),
        ("for (int n = 0; n < 10; n += 1) { V += n; }", False),
        ("for (unsigned int n = 10; n >= 0; n--) { V += n; }", False),
        ("for (uint8_t n = 0; n < 300; n++) { V += n; }", False),
        ("for (int n = 0; n < 10; n++) { n = 0; }", False),
        ("for (int n = 0; n < 10; n++) { for (int m = 0; m < 10; m++) { V += m; } }", False),
        ("for (;;) { V += 1.0; }", False),
        ("while (V < 1.0) { V += 1.0; }", False),
    ],
)
def test_which_loops_are_sure_to_end_soon(code: str, soon: bool) -> None:
    checked = check_model(NeuronModel("n", vars=["V"], sim_code=code))
    assert ends_soon(checked.snippets["sim_code"].tree.statements[0]) is soon
