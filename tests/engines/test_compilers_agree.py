"""Every C++ compiler on this machine gives the same bits."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import Any

import numpy as np
import pytest

from snnlearn.genn import GeNNModel, create_var_ref, init_postsynaptic, init_var, init_weight_update
from snnlearn.models import SuperSpike, SuperSpikeHidden


def compilers() -> list[str]:
    found = [name for name in ("g++", "clang++") if shutil.which(name)]
    if importlib.util.find_spec("ziglang") is not None:
        found.append(f"{sys.executable} -m ziglang c++")
    return found


def run() -> list[Any]:
    model = GeNNModel("float", "compilers", threads=2)
    model.dt, model.seed = 0.1, 8
    neuron = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
    first = {"V": init_var("Uniform", {"min": -60.0, "max": -45.0}), "refracTime": 0.0, "errTilda": 0.1}
    population = model.add_neuron_population("P", 130, SuperSpikeHidden, neuron, first)
    refs = {name: create_var_ref(population, name) for name in ("V", "errTilda")}
    synapses = [
        model.add_synapse_population(
            name,
            "DENSE",
            population,
            population,
            init_weight_update(
                SuperSpike,
                {"tauRise": 5.0, "tauDecay": 10.0, "beta": 1000.0, "Vthresh": -50.0},
                {"w": init_var("NormalClipped", {"mean": 1.0, "sd": 9.0, "min": -20.0, "max": 20.0})}
                | dict.fromkeys(["e", "lambda", "m"], 0.0),
                {"z": 0.0, "zTilda": 0.0},
                {"sigmaPrime": 0.0},
                post_var_refs=refs,
            ),
            init_postsynaptic("ExpCurr", {"tau": 5.0}),
        )
        for name in ("S", "Error")
    ]
    synapses[1].post_target_var = "ISynFeedback"
    population.spike_recording_enabled = True
    model.build()
    model.load(num_recording_timesteps=1000)
    model.run(1000)
    model.pull_recording_buffers_from_device()
    values = [*population.spike_recording_data[0], *model.state().values()]
    model.unload()
    return values


@pytest.mark.slow
@pytest.mark.skipif(len(compilers()) < 2, reason="needs two of g++, clang++ and the ziglang wheel")
def test_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for compiler in compilers():
        monkeypatch.setenv("CXX", compiler)
        results.append(run())
    assert results[0][0].size > 100, "there are spikes"
    assert np.count_nonzero(results[0][-1]) > 100, "and gradients"
    for other in results[1:]:
        for ours, theirs in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
