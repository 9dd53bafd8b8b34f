"""A synapse that sends its weight with each spike, some timesteps late.

Variables
---------
``g``: weight, in the unit of the postsynaptic model's input. ``d``: delay in timesteps, less than the connection's
``max_dendritic_delay_timesteps``. Code changes neither.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarAccess, WeightUpdateModel

StaticPulseDendriticDelay = WeightUpdateModel(
    "StaticPulseDendriticDelay",
    vars=[("g", "scalar", VarAccess.READ_ONLY), ("d", "uint8_t", VarAccess.READ_ONLY)],
    pre_spike_syn_code="addToPostDelay(g, d);",
)
