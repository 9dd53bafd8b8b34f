"""The SuperSpike weight update: surrogate gradient x presynaptic trace x error.

Equations, forward Euler with step dt [ms]
------------------------------------------
``z``, ``zTilda``: double-exponential trace of the presynaptic spikes,
``tauRise dz/dt = -z + spikes``, ``tauDecay dzTilda/dt = -zTilda + z``;
``sigmaPrime``: surrogate derivative of the postsynaptic spike train,
``beta / (1 + |beta (V - Vthresh) / 1000|)^2`` (zero below -80 mV, i.e. far below threshold);
``e``, ``lambda``: the eligibility ``zTilda * sigmaPrime`` filtered with the same double exponential,
``tauRise de/dt = -e + tauRise zTilda sigmaPrime``, ``tauDecay dlambda/dt = -lambda + e``;
``m``: the gradient, summed over timesteps, ``m += lambda * errTilda``. An optimiser reads and clears it.

Parameters
----------
``tauRise``, ``tauDecay`` [ms]; ``beta`` [1/V], steepness of the surrogate; ``Vthresh`` [mV].

Variables
---------
``w`` weight [nA of ExpCurr]; ``V`` (reference) membrane potential [mV]; ``errTilda`` (reference) filtered error.

Source
------
Zenke & Ganguli (2018), SuperSpike: supervised learning in multilayer spiking neural networks, Neural
Computation 30(6), 1514-1541; as implemented for GeNN (superspike_demo).
"""

from snnlearn.declare import VarAccess, VarAccessMode, WeightUpdateModel

SuperSpike = WeightUpdateModel(
    "SuperSpike",
    params=[("tauRise", "scalar", "(0, inf]"), ("tauDecay", "scalar", "(0, inf]"), "beta", "Vthresh"],
    vars=[("w", "scalar", VarAccess.READ_ONLY), "e", "lambda", "m"],
    pre_vars=["z", "zTilda"],
    post_vars=["sigmaPrime"],
    post_neuron_var_refs=[
        ("V", "scalar", VarAccessMode.READ_ONLY),
        ("errTilda", "scalar", VarAccessMode.READ_ONLY),
    ],
    pre_spike_syn_code="addToPost(w);",
    pre_spike_code="z += 1.0;",
    pre_dynamics_code="""
    // filtered presynaptic trace
    z += (-z / tauRise) * dt;
    zTilda += ((-zTilda + z) / tauDecay) * dt;
    """,
    post_dynamics_code="""
    // surrogate derivative of the postsynaptic spike train
    if (V < -80.0) {
        sigmaPrime = 0.0;
    }
    else {
        const scalar onePlusHi = 1.0 + fabs(beta * 0.001 * (V - Vthresh));
        sigmaPrime = beta / (onePlusHi * onePlusHi);
    }
    """,
    synapse_dynamics_code="""
    // filtered eligibility
    e += (zTilda * sigmaPrime - e / tauRise) * dt;
    lambda += ((-lambda + e) / tauDecay) * dt;
    // gradient
    m += lambda * errTilda;
    """,
)
