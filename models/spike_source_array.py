"""A neuron that spikes at given times.

Each neuron owns ``spikeTimes[startSpike:endSpike]`` [ms], ascending, and spikes in the first timestep with
``t >= spikeTimes[startSpike]``; at most once a timestep. ``startSpike`` moves on with each spike: to play
the train again, rewind it (`snnlearn.models.SourceReset`).

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import NeuronModel, VarAccess

SpikeSourceArray = NeuronModel(
    "SpikeSourceArray",
    vars=[("startSpike", "unsigned int"), ("endSpike", "unsigned int", VarAccess.READ_ONLY_DUPLICATE)],
    extra_global_params=[("spikeTimes", "scalar*")],
    threshold_condition_code="startSpike != endSpike && t >= spikeTimes[startSpike]",
    reset_code="startSpike++;",
)
