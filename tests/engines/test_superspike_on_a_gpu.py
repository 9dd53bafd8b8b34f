"""The demo's network at its real size on CUDA's source: it learns, and waits for nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnlearn import genn
from snnlearn.data import target_path
from snnlearn.io import read_ras
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st

# The feedback's sums, of at most 256 terms, come in another order. Each order errs by (n - 1) 2^-24 of the sum of sizes
# at most (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 4.2); the optimiser squares them.
BOUND = 2 * 2 * (256 - 1) * 2.0**-24  # 6e-5 of an array's largest value; measured: 2e-6

State = dict[str, NDArray[Any]]


def learn(engine: Any) -> tuple[State, State]:
    """Return the state after loading, and after two updates in the midst of blocks of timesteps."""
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    module = genn.with_backend(engine.backend)
    network = ss.describe(module, ss.frozen_poisson(1), target, seed=1, recording=True, **engine.preferences)
    rule = st.DEMO_OPTIMISERS["RMaxProp"]
    learner = st.make_learner(module, network, target, [rule], recorded=[0])
    learner.build()
    model = network.model
    try:
        first = model.state()
        for timesteps in (300, 250):
            model.custom_update("SourceReset")
            model.run(timesteps)
            model.custom_update(learner.update_group(rule))
            model.custom_update("CalculateTranspose")
            model.timestep = 0
        return first, model.state()
    finally:
        model.unload()


@pytest.fixture(scope="module")
def expected(engines: list[Any]) -> tuple[State, State]:
    return learn(engines[1])


@pytest.mark.parametrize("name", ["cuda-loop", "cuda-graph", "cuda-persistent"])
def test_it_learns_as_on_the_cpu(engines: list[Any], name: str, expected: tuple[State, State]) -> None:
    (engine,) = [engine for engine in engines if engine.name == name]
    (first, last), (first_there, last_there) = learn(engine), expected
    assert first.keys() == first_there.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, first_there[name], err_msg=name)
    assert np.abs(last["InputHidden.synapse.w"] - first["InputHidden.synapse.w"]).max() > 0
    for name, values in last.items():
        if values.dtype.kind == "f":
            scale = np.abs(last_there[name][np.isfinite(last_there[name])]).max(initial=0.0)
            np.testing.assert_allclose(values, last_there[name], rtol=0.0, atol=BOUND * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(values, last_there[name], err_msg=name)


def test_neither_timesteps_nor_updates_wait_for_the_device(engines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    (graph,) = [engine for engine in engines if engine.name == "cuda-graph"]
    target = read_ras(target_path(), ss.NUM_OUTPUT, ss.TRIAL_MS)
    module = genn.with_backend(graph.backend)
    network = ss.describe(module, ss.frozen_poisson(1), target, seed=1, **graph.preferences)
    rule = st.DEMO_OPTIMISERS["RMaxProp"]
    learner = st.make_learner(module, network, target, [rule])
    learner.build()
    model = network.model
    simulation, waits = model._simulation, Counter[str]()
    for part, name in [(simulation._device, name) for name in ("read", "synchronize", "elapsed")] + [
        (simulation._module, "read_global")
    ]:
        monkeypatch.setattr(part, name, lambda *args, name=name: waits.update([name]))
    model.custom_update("SourceReset")
    model.run(130)
    model.custom_update(learner.update_group(rule))
    model.timestep = 0
    monkeypatch.undo()
    assert not waits
    model.unload()
