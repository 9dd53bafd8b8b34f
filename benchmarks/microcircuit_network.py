"""The cortical microcircuit of Potjans & Diesmann at a fraction of its size, against PyGeNN's API.

Potjans & Diesmann (2014), The cell-type specific cortical microcircuit: relating structure and activity in a
full-scale spiking network model, Cerebral Cortex 24(3), tables 4 and 5. Scaled down as in van Albada, Helias &
Diesmann (2015), Scalability of asynchronous networks is limited by one-to-one mapping between effective connectivity
and correlations, PLoS Computational Biology 11(9): fewer neurons and connections, stronger weights, and a constant
current for the input that is missing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

DT_MS = 0.1
POPULATIONS = ("23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I")
SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
EXTERNAL_INPUTS = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
EXTERNAL_HZ = 8.0
MEAN_HZ = (0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523)  # of the network at full size
# Probabilities of a connection, by target and source.
CONNECTED = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
WEIGHT = 0.0878  # [nA]
INHIBITION = -4.0  # times as strong
DELAY_MS = {"E": (1.5, 0.75), "I": (0.75, 0.375)}  # mean and standard deviation
LONGEST_MS = {kind: mean + 3.719 * sd for kind, (mean, sd) in DELAY_MS.items()}  # 99.99 % are shorter
LIF = {"C": 0.25, "TauM": 10.0, "Vrest": -65.0, "Vreset": -65.0, "Vthresh": -50.0, "TauRefrac": 2.0}
TAU_SYN_MS = 0.5


def weight(target: int, source: int) -> float:
    """Return the mean weight [nA] of a connection at full size."""
    if POPULATIONS[source].endswith("I"):
        return INHIBITION * WEIGHT
    return 2.0 * WEIGHT if (POPULATIONS[target], POPULATIONS[source]) == ("23E", "4E") else WEIGHT


def inputs(target: int, source: int) -> float:
    """Return how many inputs each target neuron has from a source population at full size."""
    pairs = float(SIZES[target] * SIZES[source])
    return math.log(1.0 - CONNECTED[target, source]) / math.log((pairs - 1.0) / pairs) / SIZES[target]


def describe(genn: Any, scale: float, **preferences: Any) -> Any:
    """Return the model, not yet built; ``scale`` is that of neurons and of inputs."""
    model = genn.GeNNModel("float", f"microcircuit_{round(100 * scale)}", **preferences)
    model.dt = DT_MS
    model.seed = 1
    model.fuse_postsynaptic_models = True
    model.default_narrow_sparse_ind_enabled = True
    groups = [add_population(genn, model, number, scale) for number in range(len(POPULATIONS))]
    for target in range(len(POPULATIONS)):
        for source in range(len(POPULATIONS)):
            number = round(inputs(target, source) * scale * groups[target].num_neurons)
            if number > 0:
                connect(genn, model, groups, target, source, number, scale)
    return model


def add_population(genn: Any, model: Any, number: int, scale: float) -> Any:
    """Add a population with its external input."""
    mean_input = sum(weight(number, s) * inputs(number, s) * MEAN_HZ[s] for s in range(len(POPULATIONS)))
    mean_input += WEIGHT * EXTERNAL_INPUTS[number] * EXTERNAL_HZ
    missing = 1e-3 * TAU_SYN_MS * (1.0 - math.sqrt(scale)) * mean_input
    start = {"V": genn.init_var("Normal", {"mean": -58.0, "sd": 5.0}), "RefracTime": 0.0}
    name = POPULATIONS[number]
    size = round(SIZES[number] * scale)
    group = model.add_neuron_population(f"L{name}", size, "LIF", {**LIF, "Ioffset": missing}, start)
    group.spike_recording_enabled = True
    rate = EXTERNAL_INPUTS[number] * scale * EXTERNAL_HZ
    poisson = {"weight": WEIGHT / math.sqrt(scale), "tauSyn": TAU_SYN_MS, "rate": rate}
    model.add_current_source(f"L{name}_poisson", "PoissonExp", group, poisson, {"current": 0.0})
    return group


def connect(genn: Any, model: Any, groups: list[Any], target: int, source: int, number: int, scale: float) -> None:
    """Connect two populations by a number of synapses with random weights and delays."""
    kind = POPULATIONS[source][-1]
    mean = weight(target, source) / math.sqrt(scale)
    most = float(np.finfo(np.float32).max)
    limits = {"min": 0.0, "max": most} if kind == "E" else {"min": -most, "max": 0.0}
    relative = 0.05 if mean > 1.5 * WEIGHT / math.sqrt(scale) else 0.1
    delay_mean, delay_sd = DELAY_MS[kind]
    delays = {"mean": delay_mean, "sd": delay_sd, "min": 0.0, "max": LONGEST_MS[kind]}
    synapses = model.add_synapse_population(
        f"L{POPULATIONS[source]}_L{POPULATIONS[target]}",
        "SPARSE",
        groups[source],
        groups[target],
        genn.init_weight_update(
            "StaticPulseDendriticDelay",
            {},
            {
                "g": genn.init_var("NormalClipped", {"mean": mean, "sd": abs(mean) * relative, **limits}),
                "d": genn.init_var("NormalClippedDelay", delays),
            },
        ),
        genn.init_postsynaptic("ExpCurr", {"tau": TAU_SYN_MS}),
        genn.init_sparse_connectivity("FixedNumberTotalWithReplacement", {"num": number}),
    )
    synapses.max_dendritic_delay_timesteps = round(max(LONGEST_MS.values()) / DT_MS)
