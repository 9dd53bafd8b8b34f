"""A neuron that spikes once a trial, at the time that the current pattern has for it.

``spikeTimes`` [ms] holds all patterns one after the other, ``num_neurons`` times each; ``next`` is the neuron's place
in it, ``last`` the place behind. `ShowPattern` moves both to another pattern, on the device. Which timestep a time
belongs to: see `snnlearn.models.SpikeSourceArray`.
"""

from snnlearn.declare import ArrayPart, NeuronModel
from snnlearn.models.spike_source_array import NOW, has_come

PatternSource = NeuronModel(
    "PatternSource",
    vars=[("next", "unsigned int"), ("last", "unsigned int")],
    extra_global_params=[("spikeTimes", "timepoint*")],
    array_parts=[ArrayPart("spikeTimes", "next", "last")],
    sim_code=NOW,
    threshold_condition_code=has_come("spikeTimes", "next", "last"),
    reset_code="next++;",
)
