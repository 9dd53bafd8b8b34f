"""The current of a Poisson spike source of each neuron's own, through an exponential synapse.

Equation
--------
``tauSyn dI/dt = -I``; each of ``k`` spikes in a timestep, ``k ~ Poisson(rate dt / 1000)``, adds
``weight tauSyn (1 - exp(-dt / tauSyn)) / dt``, as with `snnlearn.models.ExpCurr`.

Parameters
----------
``weight`` [nA], ``tauSyn`` [ms], ``rate`` [Hz].

Variables
---------
``current`` [nA].

Source
------
Counting spikes by products of uniform numbers: Knuth (1969), The Art of Computer Programming 2, section 3.4.1.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

import numpy as np

from snnlearn.declare import CurrentSourceModel

PoissonExp = CurrentSourceModel(
    "PoissonExp",
    params=["weight", "tauSyn", "rate"],
    derived_params=[
        ("ExpDecay", lambda pars, dt: np.exp(-dt / pars["tauSyn"])),
        ("Init", lambda pars, dt: pars["weight"] * (1.0 - np.exp(-dt / pars["tauSyn"])) * pars["tauSyn"] / dt),
        ("ExpMinusLambda", lambda pars, dt: np.exp(-pars["rate"] * dt / 1000.0)),
    ],
    vars=["current"],
    injection_code="""
    unsigned int spikes = 0;
    for (scalar p = gennrand_uniform(); p > ExpMinusLambda; p *= gennrand_uniform()) {
        spikes++;
    }
    current += Init * spikes;
    injectCurrent(current);
    current *= ExpDecay;
    """,
)
