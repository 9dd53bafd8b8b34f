"""Exponentially decaying synaptic current.

Equation
--------
``tau dI/dt = -I + sum_k w_k tau/dt (1 - exp(-dt/tau)) delta(t - t_k)``, exact between timesteps: a spike
of weight w adds ``w tau (1 - exp(-dt/tau)) / dt`` to the current, so that the charge it brings is
``w tau`` [nA ms] whatever the timestep.

Parameters
----------
``tau`` [ms]: time constant of the decay.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name. Input is injected before it decays.
"""

import numpy as np

from snnlearn.declare import PostsynapticModel

ExpCurr = PostsynapticModel(
    "ExpCurr",
    params=[("tau", "scalar", "(0, inf]")],
    derived_params=[
        ("expDecay", lambda pars, dt: np.exp(-dt / pars["tau"])),
        ("init", lambda pars, dt: pars["tau"] * (1.0 - np.exp(-dt / pars["tau"])) / dt),
    ],
    sim_code="""
    injectCurrent(init * inSyn);
    inSyn *= expDecay;
    """,
)
