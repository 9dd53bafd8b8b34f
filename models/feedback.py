"""Continuous feedback of the output's error to the hidden layer.

Equation
--------
``e_j(t) = sum_i w_ij errTilda_i(t)``, sent in every timestep; with ``w`` the transpose of the forward
weights this is SuperSpike's *symmetric feedback*.

Variables
---------
``w`` feedback weight; ``errTilda`` (reference) filtered error of the presynaptic, i.e. output, neuron.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), section on credit assignment in hidden layers.
"""

from snnlearn.declare import VarAccess, VarAccessMode, WeightUpdateModel

Feedback = WeightUpdateModel(
    "Feedback",
    vars=[("w", "scalar", VarAccess.READ_ONLY)],
    pre_neuron_var_refs=[("errTilda", "scalar", VarAccessMode.READ_ONLY)],
    synapse_dynamics_code="addToPost(w * errTilda);",
)
