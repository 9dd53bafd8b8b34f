"""SuperSpike's weight update for a target that does not spike.

Equations, forward Euler with step dt [ms]
------------------------------------------
``tauRise dz/dt = -z + spikes``, ``tauDecay dzTilda/dt = -zTilda + z``; ``m += zTilda errTilda``: the target's potential
is linear in the weight, so the surrogate derivative and its filters drop out of `SuperSpike`.

Parameters
----------
``tauRise``, ``tauDecay`` [ms], best those of the synaptic current and of the target's membrane.

Variables
---------
``w``; ``m`` the gradient, summed over timesteps; ``errTilda`` (reference) the target's error.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), with a linear output.
"""

from snnlearn.declare import VarAccess, VarAccessMode, WeightUpdateModel
from snnlearn.models.superspike import SuperSpike

SuperSpikeReadout = WeightUpdateModel(
    "SuperSpikeReadout",
    params=[("tauRise", "scalar", "(0, inf]"), ("tauDecay", "scalar", "(0, inf]")],
    vars=[("w", "scalar", VarAccess.READ_ONLY), "m"],
    pre_vars=SuperSpike.pre_vars,
    post_neuron_var_refs=[("errTilda", "scalar", VarAccessMode.READ_ONLY)],
    pre_spike_syn_code=SuperSpike.pre_spike_syn_code,
    pre_spike_code=SuperSpike.pre_spike_code,
    pre_dynamics_code=SuperSpike.pre_dynamics_code,
    synapse_dynamics_code="m += zTilda * errTilda;",
)
