"""Exponentially decaying synaptic conductance.

Equation
--------
``I = g (E - V)`` and ``tau dg/dt = -g``, exact between timesteps; a spike of weight w adds w to g.

Parameters
----------
``tau`` [ms]: time constant of the decay. ``E`` [mV]: reversal potential.

Variables
---------
``V`` [mV] (reference): the neuron's membrane potential before its own update.

Source
------
Dayan & Abbott (2001), Theoretical Neuroscience, MIT Press, section 5.8.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
Input is injected before it decays.
"""

import numpy as np

from snnlearn.declare import PostsynapticModel, VarAccessMode

ExpCond = PostsynapticModel(
    "ExpCond",
    params=[("tau", "scalar", "(0, inf]"), "E"],
    derived_params=[("expDecay", lambda pars, dt: np.exp(-dt / pars["tau"]))],
    neuron_var_refs=[("V", "scalar", VarAccessMode.READ_ONLY)],
    sim_code="""
    injectCurrent(inSyn * (E - V));
    inSyn *= expDecay;
    """,
)
