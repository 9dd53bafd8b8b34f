"""The hidden neuron of SuperSpike: leaky integrate-and-fire with a second input for the error.

Equations
---------
``tauMem dV/dt = -(V - Vrest) + (tauMem / C) Isyn``, exact for input constant over a timestep; a spike when
``V >= Vthresh`` and not refractory; then V is held for ``tauRefrac`` and starts again from ``Vrest``.
``errTilda = ISynFeedback``, the error fed back from the output layer.

Parameters
----------
``C`` [nF], ``tauMem`` [ms], ``Vrest``, ``Vthresh`` [mV], ``tauRefrac`` [ms].

Variables
---------
``V`` [mV]; ``refracTime`` time left of the refractory period [ms], counted down in steps of dt
whose rounding adds up, as in GeNN's demo: at some dt it ends a timestep late; ``errTilda``.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), neuron model; as implemented for GeNN (superspike_demo).
"""

import numpy as np

from snnlearn.declare import NeuronModel

SuperSpikeHidden = NeuronModel(
    "SuperSpikeHidden",
    params=[("C", "scalar", "(0, inf]"), ("tauMem", "scalar", "(0, inf]"), "Vrest", "Vthresh", "tauRefrac"],
    derived_params=[
        ("ExpTC", lambda pars, dt: np.exp(-dt / pars["tauMem"])),
        ("Rmembrane", lambda pars, dt: pars["tauMem"] / pars["C"]),
    ],
    vars=["V", "refracTime", "errTilda"],
    additional_input_vars=[("ISynFeedback", "scalar", 0.0)],
    sim_code="""
    // membrane potential
    if (refracTime == tauRefrac) {
        V = Vrest;
    }
    if (refracTime <= 0.0) {
        const scalar alpha = (Isyn * Rmembrane) + Vrest;
        V = alpha - (ExpTC * (alpha - V));
    }
    else {
        refracTime -= dt;
    }
    // error
    errTilda = ISynFeedback;
    """,
    threshold_condition_code="refracTime <= 0.0 && V >= Vthresh",
    reset_code="refracTime = tauRefrac;",
)
