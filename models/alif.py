"""Leaky integrate-and-fire neuron with an adaptive threshold.

Equations
---------
``TauM dV/dt = Vrest - V + R (Isyn + Ioffset)`` with ``R = TauM / C``, and ``TauAdapt dA/dt = -A``: both exact for an
input that is constant within a timestep. A neuron spikes at ``V >= Vthresh + Beta A``, unless it is refractory. A
spike adds 1 to A and takes ``Vthresh - Vrest`` from V. V goes on in the refractory period ``TauRefrac``, which is
counted as in LIF.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``TauM`` [ms]: its time constant. ``Vrest``, ``Vthresh`` [mV]. ``Ioffset``
[nA]: a constant input. ``TauRefrac`` [ms]: the refractory period. ``TauAdapt`` [ms]: time constant of the adaptation.
``Beta`` [mV]: what a spike adds to the threshold.

Variables
---------
``V`` [mV]; ``A``, the spikes of the past, of which the older count less; ``RefracTime`` [ms], what is left of the
refractory period.

Source
------
Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS 31; Bellec
et al. (2020), Nature Communications 11, 3625, equations 6 to 8. There a spike counts in full in the next timestep,
here it has decayed by one: A and V are what the differential equations make of a spike at the end of its timestep.
"""

import numpy as np

from snnlearn.declare import NeuronModel
from snnlearn.models.lif import COUNT_DOWN

ALIF = NeuronModel(
    "ALIF",
    params=[
        ("C", "scalar", "(0, inf]"),
        ("TauM", "scalar", "(0, inf]"),
        "Vrest",
        "Vthresh",
        "Ioffset",
        "TauRefrac",
        ("TauAdapt", "scalar", "(0, inf]"),
        "Beta",
    ],
    derived_params=[
        ("ExpTC", lambda pars, dt: np.exp(-dt / pars["TauM"])),
        ("ExpTA", lambda pars, dt: np.exp(-dt / pars["TauAdapt"])),
        ("Rmembrane", lambda pars, dt: pars["TauM"] / pars["C"]),
        ("Timestep", lambda pars, dt: dt),  # as a scalar, whatever the precision of times
    ],
    vars=["V", "A", "RefracTime"],
    sim_code=f"""
    if (RefracTime > 0.0) {{{COUNT_DOWN}
    }}
    const scalar steady = Vrest + Rmembrane * (Isyn + Ioffset);  // where V would end up
    V = steady - ExpTC * (steady - V);
    A *= ExpTA;
    """,
    threshold_condition_code="RefracTime <= 0.0 && V >= Vthresh + Beta * A",
    reset_code="""
    V -= Vthresh - Vrest;
    A += 1.0;
    RefracTime = TauRefrac;
    """,
)
