"""A synapse that sends the same weight with each spike as all synapses of its connection.

Parameters
----------
``g``: weight, in the unit of the postsynaptic model's input.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import WeightUpdateModel

StaticPulseConstantWeight = WeightUpdateModel(
    "StaticPulseConstantWeight", params=["g"], pre_spike_syn_code="addToPost(g);"
)
