"""A balanced random network of leaky integrate-and-fire neurons with exponential synapses, against PyGeNN's API.

Vogels & Abbott (2005), Signal propagation and logic gating in networks of integrate-and-fire neurons, Journal of
Neuroscience 25(46); its current-based form as in Brette et al. (2007), Simulation of networks of spiking neurons,
Journal of Computational Neuroscience 23(3), benchmark 2: 80 % excitatory neurons, 2 % of all pairs connected.
"""

from __future__ import annotations

from typing import Any

DT_MS = 0.1
CONNECTED = 0.02
LIF = {"C": 1.0, "TauM": 20.0, "Vrest": -49.0, "Vreset": -60.0, "Vthresh": -50.0, "Ioffset": 0.0, "TauRefrac": 5.0}
TAU_SYN_MS = {"E": 5.0, "I": 10.0}
WEIGHT = {"E": 0.0027, "I": -0.0337}  # [nA], of a connection in 4,000 neurons


def describe(genn: Any, neurons: int, **preferences: Any) -> Any:
    """Return the model, not yet built."""
    model = genn.GeNNModel("float", f"balanced_{neurons}", **preferences)
    model.dt = DT_MS
    model.seed = 1
    model.fuse_postsynaptic_models = True
    start = {"V": genn.init_var("Uniform", {"min": LIF["Vreset"], "max": LIF["Vthresh"]}), "RefracTime": 0.0}
    sizes = {"E": neurons * 4 // 5, "I": neurons // 5}
    groups = {name: model.add_neuron_population(name, size, "LIF", LIF, start) for name, size in sizes.items()}
    for group in groups.values():
        group.spike_recording_enabled = True
    for source in "EI":
        for target in "EI":
            model.add_synapse_population(
                source + target,
                "SPARSE",
                groups[source],
                groups[target],
                genn.init_weight_update("StaticPulseConstantWeight", {"g": WEIGHT[source] * 4000 / neurons}),
                genn.init_postsynaptic("ExpCurr", {"tau": TAU_SYN_MS[source]}),
                genn.init_sparse_connectivity(
                    "FixedProbabilityNoAutapse" if source == target else "FixedProbability", {"prob": CONNECTED}
                ),
            )
    return model
