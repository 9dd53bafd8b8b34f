"""A synapse that sends its weight with each spike.

Variables
---------
``g``: weight, in the unit of the postsynaptic model's input; code never changes it.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarAccess, WeightUpdateModel

StaticPulse = WeightUpdateModel(
    "StaticPulse", vars=[("g", "scalar", VarAccess.READ_ONLY)], pre_spike_syn_code="addToPost(g);"
)
