"""A synapse that releases transmitter by how far the presynaptic neuron is depolarised, without spikes.

Equation
--------
In every timestep with ``V > Epre`` a synapse sends ``g tanh((V - Epre) / Vslope) dt``, or nothing where that is
negative.

Parameters
----------
``Epre`` [mV]: where release begins. ``Vslope`` [mV]: how fast it saturates.

Variables
---------
``g``: weight, in the unit of the postsynaptic model's input for each ms; code never changes it. ``V`` [mV]
(reference): the presynaptic neuron's membrane potential.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
That of GeNN 5.4 does not compile: its code says ``V_pre``, a name that it does not declare.
"""

from snnlearn.declare import VarAccess, VarAccessMode, WeightUpdateModel

StaticGraded = WeightUpdateModel(
    "StaticGraded",
    params=["Epre", "Vslope"],
    vars=[("g", "scalar", VarAccess.READ_ONLY)],
    pre_neuron_var_refs=[("V", "scalar", VarAccessMode.READ_ONLY)],
    pre_event_threshold_condition_code="V > Epre",
    pre_event_syn_code="""
    const scalar released = g * tanh((V - Epre) / Vslope) * dt;
    addToPost((released < 0.0) ? 0.0 : released);
    """,
)
