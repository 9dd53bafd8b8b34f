"""A synapse that sends its weight times the presynaptic neuron's value, in every timestep.

Variables
---------
``g``: weight; code never changes it. ``x`` (reference): the presynaptic neuron's value. With
`snnlearn.models.DeltaCurr` the current is ``sum g x`` [nA].
"""

from snnlearn.declare import VarAccess, VarAccessMode, WeightUpdateModel

StaticAnalog = WeightUpdateModel(
    "StaticAnalog",
    vars=[("g", "scalar", VarAccess.READ_ONLY)],
    pre_neuron_var_refs=[("x", "scalar", VarAccessMode.READ_ONLY)],
    synapse_dynamics_code="addToPost(g * x);",
)
