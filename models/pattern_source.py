"""A neuron that spikes once a trial, at the time that the current pattern has for it.

``spikeTimes`` [ms] holds all patterns one after the other, ``num_neurons`` times each; ``next`` is the neuron's place
in it, ``last`` the place behind. `ShowPattern` moves both to another pattern, on the device.
"""

from snnlearn.declare import NeuronModel

PatternSource = NeuronModel(
    "PatternSource",
    vars=[("next", "unsigned int"), ("last", "unsigned int")],
    extra_global_params=[("spikeTimes", "scalar*")],
    threshold_condition_code="next != last && t >= spikeTimes[next]",
    reset_code="next++;",
)
