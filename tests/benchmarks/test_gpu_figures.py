"""What the benchmark makes of figures that a GPU gave: nothing here needs one."""

import gpu_figures as figures
import numpy as np
import pytest

LARGE = figures.Layers(2000, 2560, 2000)


def test_numbers_of_synapses():
    demo = figures.Layers(200, 256, 200)
    assert (demo.plastic, demo.feedback) == (102_400, 51_200)
    assert LARGE.plastic == 10_240_000


def test_the_ideal_pass_by_hand():
    # 10,240,000 synapses of 12 bytes, read and written in each of 295.3, that is 296 blocks of 64 timesteps.
    assert figures.deferred_bytes(LARGE, 18_900) == 2 * 12 * 10_240_000 * 296 == 72_744_960_000
    assert figures.feedback_bytes(LARGE, 18_900) == 4 * 5_120_000 * 18_900
    assert figures.deferred_bytes(figures.Layers(1, 1, 1), 64) == 2 * 12 * 2
    assert figures.deferred_bytes(figures.Layers(1, 1, 1), 65) == 4 * 12 * 2
    found = figures.against_ideal(LARGE, 18_900, 4e12, 0.05)
    assert found["deferred_s"] == pytest.approx(72.74496 / 4000)
    assert found["times_deferred"] == pytest.approx(0.05 / 0.018186, rel=1e-4)
    assert found["feedback_s"] == pytest.approx(0.096768)
    assert found["times_both"] == pytest.approx(0.05 / (0.018186 + 0.096768), rel=1e-4)


def trains(*spikes):
    times, ids = zip(*spikes, strict=True) if spikes else ((), ())
    return np.array(times, dtype=np.float64), np.array(ids, dtype=np.int32)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ([], [], 1.0),
        ([(0.1, 1)], [], 0.0),
        ([(0.1, 1), (0.30000000000000004, 2)], [(0.3, 2), (0.1, 1)], 1.0),
        ([(0.1, 1), (0.2, 2), (0.3, 3), (0.4, 4)], [(0.1, 1), (0.2, 2), (0.3, 4)], 0.5),
    ],
)
def test_share_of_equal_spikes(one, other, share):
    assert figures.share_of_equal(trains(*one), trains(*other), 0.1) == share
    assert figures.share_of_equal(trains(*other), trains(*one), 0.1) == share


START = {"build_s": 3.0, "load_s": 0.5, "ready_s": 5.0, "chosen": ""}
SPIKES = {layer: {"here": 1000, "cpu": 1000, "share": 0.9995} for layer in ("Input", "Hidden", "Output")}
RESULT = {
    "card": {"name": "A card", "copy_bytes_per_s": 4.1e12},
    "start": {"empty": START, "warm": {**START, "build_s": 0.1}},
    "trials": {
        "timesteps": 18900,
        "engines": {
            "persistent": {**START, "s_per_trial": [0.060, 0.059, 0.070]},
            "graph": {"error": "out of memory"},
            "cpu": {**START, "s_per_trial": [0.033]},
        },
    },
    "same_seed": {
        "persistent": {"weights_equal": {"InputHidden": True, "HiddenOutput": True}, "spikes": SPIKES},
        "graph": {"error": "out of memory"},
    },
    "large": {
        "layers": [2000, 2560, 2000],
        "plastic": 10_240_000,
        "timesteps": 18900,
        "engines": {"cuda": {**START, "chosen": "strategy 'graph': why", "s_per_trial": [0.05]}},
        "ideal": figures.against_ideal(LARGE, 18_900, 4e12, 0.05),
    },
    "profile": {
        "demo": {"timesteps": 18900, "s_per_trial": {"neuron_update": 0.3, "synapse_dynamics": 0.1, "init": 0.0}},
        "large": {"error": "killed: no answer within 100 s"},
    },
}


def test_the_report():
    lines = figures.report(RESULT).splitlines()
    assert "- name: A card" in lines
    assert "| empty | 3.00 | 0.50 | 5.00 |" in lines
    assert "| persistent | 60.0 | 59.0 | 70.0 | 3.17 |" in lines
    assert "| graph | failed: out of memory |  |  |  |" in lines
    assert "| persistent | equal | 99.950 | 99.950 | 99.950 |" in lines
    assert "2,000-2,560-2,000 neurons, 10,240,000 plastic synapses" in lines
    assert "cuda: strategy 'graph': why" in lines
    assert "| neuron_update | 300.00 | 15.873 | 75 |" in lines
    assert "large: failed: killed: no answer within 100 s" in lines
    assert "| a trial, persistent kernel | 60 ms | ≤ 100 ms | yes |" in lines
    assert "| the same, goal | 60 ms | ≤ 50 ms | NO |" in lines
    assert "| a timestep, persistent kernel | 3.175 us | ≤ 5.3 us | yes |" in lines
    assert "| warm start | 0.6 s | ≤ 1 s | yes |" in lines
    assert "| initial weights equal | 100 % | ≥ 100 % | yes |" in lines
    assert "| spikes equal | 99.95 % | ≥ 99.9 % | yes |" in lines
    assert "| large, times the ideal pass | 2.749 | ≤ 2 | NO |" in lines


def test_weights_and_spikes_that_differ():
    one = {"weights_equal": {"InputHidden": True, "HiddenOutput": False}, "spikes": {"Input": {"share": 0.99}}}
    lines = figures.report({"same_seed": {"loop": one}}).splitlines()
    assert "| loop | differ | 99.000 |" in lines
    assert "| initial weights equal | 0 % | ≥ 100 % | NO |" in lines
    assert "| spikes equal | 99 % | ≥ 99.9 % | NO |" in lines


@pytest.mark.parametrize("part", RESULT)
def test_a_part_that_failed_is_named_and_others_are_left_out(part):
    text = figures.report({part: {"error": "why"}})
    assert text.count("failed: why") == 1
    assert text.count("\n## ") == 1
    assert text.count("not measured") == len(figures.bounds({}))


@pytest.mark.parametrize("part", RESULT)
def test_every_part_can_be_measured_alone(part):
    assert figures.report({part: RESULT[part]}).count("\n## ") == 1
