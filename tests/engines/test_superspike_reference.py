"""The issue's acceptance: trial 0 of SuperSpike equals GeNN's, from the same weights and input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn.codegen.plan import DEFAULT
from snnlearn.genn import (
    GeNNModel,
    create_var_ref,
    create_wu_var_ref,
    init_postsynaptic,
    init_weight_update,
)
from snnlearn.models import Feedback, RMaxProp, SuperSpike, SuperSpikeHidden, SuperSpikeOutput

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SNNLEARN_REFERENCE") or ROOT.parent / "shared" / "reference")
FILE = FOLDER / "superspike_genn.npz"
STEPS = 18_900
UPDATES = (5_000, 10_000, 15_000)  # an update follows the timestep of this number

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"no reference data: {FILE} (set SNNLEARN_REFERENCE to its folder)"
)

NEURON = {"C": 10.0, "tauMem": 10.0, "Vrest": -60.0, "Vthresh": -50.0, "tauRefrac": 5.0}
SYNAPSE = {"tauRise": 5.0, "tauDecay": 10.0, "beta": 1000.0, "Vthresh": -50.0}
OPTIMISER = {"updateTime": 500.0, "tauRMS": 30000.0, "epsilon": 1e-32, "wMin": -100.0, "wMax": 100.0, "r0": 1.0}


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


def connect(model: GeNNModel, name: str, pre: Any, post: Any, weights: Any) -> Any:
    return model.add_synapse_population(
        name,
        "DENSE",
        pre,
        post,
        init_weight_update(
            SuperSpike,
            SYNAPSE,
            {"w": weights, "e": 0.0, "lambda": 0.0, "m": 0.0},
            {"z": 0.0, "zTilda": 0.0},
            {"sigmaPrime": 0.0},
            post_var_refs={"V": create_var_ref(post, "V"), "errTilda": create_var_ref(post, "errTilda")},
        ),
        init_postsynaptic("ExpCurr", {"tau": 5.0}),
    )


def superspike(reference: dict[str, Any], recording: int = STEPS, **preferences: Any) -> GeNNModel:
    model = GeNNModel("float", "superspike", backend="cpu", **preferences)
    model.dt = 0.1
    model.seed = 1
    input_end = reference["input_end_spike"]
    target_end = np.cumsum(np.bincount(reference["target_neuron"], minlength=200))
    source = model.add_neuron_population(
        "Input", 200, "SpikeSourceArray", {}, {"startSpike": np.r_[0, input_end[:-1]], "endSpike": input_end}
    )
    hidden = model.add_neuron_population(
        "Hidden", 256, SuperSpikeHidden, NEURON, {"V": -60.0, "refracTime": 0.0, "errTilda": 0.0}
    )
    zero = dict.fromkeys(["refracTime", "errRise", "errTilda", "errDecay", "avgSqrErr"], 0.0)
    output = model.add_neuron_population(
        "Output",
        200,
        SuperSpikeOutput,
        {**NEURON, "tauRise": 5.0, "tauDecay": 10.0, "tauAvgErr": 10000.0},
        {**zero, "V": -60.0, "startSpike": np.r_[0, target_end[:-1]], "endSpike": target_end},
    )
    source.extra_global_params["spikeTimes"].set_init_values(reference["input_spike_time_ms"])
    output.extra_global_params["spikeTimes"].set_init_values(reference["target_time_ms"])
    for population in (source, hidden, output):
        population.spike_recording_enabled = True

    input_hidden = connect(model, "InputHidden", source, hidden, reference["w_input_hidden_initial"])
    hidden_output = connect(model, "HiddenOutput", hidden, output, reference["w_hidden_output_initial"])
    output_hidden = model.add_synapse_population(
        "OutputHidden",
        "DENSE",
        output,
        hidden,
        init_weight_update(
            Feedback,
            vars={"w": reference["w_output_hidden_initial"]},
            pre_var_refs={"errTilda": create_var_ref(output, "errTilda")},
        ),
        init_postsynaptic("DeltaCurr"),
    )
    output_hidden.post_target_var = "ISynFeedback"
    for name, weights, back in [("InputHidden", input_hidden, None), ("HiddenOutput", hidden_output, output_hidden)]:
        transpose = (back, "w") if back is not None else ()
        refs = {"m": create_wu_var_ref(weights, "m"), "variable": create_wu_var_ref(weights, "w", *transpose)}
        model.add_custom_update(f"{name}Optimiser", "GradientLearn", RMaxProp, OPTIMISER, {"upsilon": 0.0}, refs)
    model.build()
    model.load(num_recording_timesteps=recording)
    return model


def weights(model: GeNNModel) -> dict[str, Any]:
    found = {}
    for group, key in [
        ("InputHidden", "input_hidden"),
        ("HiddenOutput", "hidden_output"),
        ("OutputHidden", "output_hidden"),
    ]:
        variable = model.synapse_populations[group].vars["w"]
        variable.pull_from_device()
        found[key] = variable.values
    return found


def run_trial(model: GeNNModel) -> dict[str, Any]:
    """Run trial 0; return the weights after the first update."""
    first = {}
    for update in UPDATES:
        model.run(update + 1 - model.timestep)
        model.custom_update("GradientLearn")
        first = first or weights(model)
    model.run(STEPS - model.timestep)
    model.pull_recording_buffers_from_device()
    return first


def matched(ours: set[tuple[int, int]], theirs: set[tuple[int, int]]) -> float:
    """Return the share of spikes with a partner: the same neuron, at most one timestep away, each used once."""
    free, found = set(ours), 0
    for step, neuron in sorted(theirs):
        for candidate in ((step, neuron), (step - 1, neuron), (step + 1, neuron)):
            if candidate in free:
                free.remove(candidate)
                found += 1
                break
    return found / max(len(ours), len(theirs)) if ours or theirs else 1.0


def as_set(times: Any, ids: Any) -> set[tuple[int, int]]:
    return set(zip(np.rint(np.asarray(times, np.float64) * 10).astype(int).tolist(), ids.tolist(), strict=True))


# The optimised default multiplies by reciprocals, and still agrees.
@pytest.mark.parametrize("optimise", [(), DEFAULT], ids=["plain", "default"])
def test_trial_0_equals_genn(reference: dict[str, Any], optimise: tuple[str, ...]) -> None:
    model = superspike(reference, flush_denormals=False, optimise=optimise, threads=2)
    first = run_trial(model)
    for layer, population in model.neuron_populations.items():
        ours = as_set(*population.spike_recording_data[0])
        theirs = as_set(reference[f"{layer.lower()}_time_ms_trial0"], reference[f"{layer.lower()}_id_trial0"])
        assert len(theirs) > 500, "the reference has spikes to compare"
        early = [{spike for spike in spikes if spike[0] < UPDATES[0]} for spikes in (ours, theirs)]
        assert matched(*early) >= 0.999, layer
        assert matched(ours, theirs) >= 0.99, layer
    for key, ours in first.items():
        theirs = reference[f"w_{key}_after_update1"]
        assert np.any(theirs != reference[f"w_{key}_initial"]), "the update changes weights"
        close = np.abs(ours - theirs) <= 1e-3 * np.abs(theirs)
        assert close.mean() >= 0.999, key
    model.unload()


def test_flushing_denormals_changes_no_spike_before_the_first_update(reference: dict[str, Any]) -> None:
    recorded = []
    for flush in (True, False):
        model = superspike(reference, recording=UPDATES[0], threads=2, flush_denormals=flush)
        model.run(UPDATES[0])
        model.pull_recording_buffers_from_device()
        recorded.append([p.spike_recording_data[0] for p in model.neuron_populations.values()])
        model.unload()
    counts = []
    for flushed, kept in zip(*recorded, strict=True):
        counts.append(flushed[0].size)
        np.testing.assert_array_equal(flushed, kept)
    assert min(counts[:2]) > 50, "input and hidden neurons spike (output neurons do not yet)"
