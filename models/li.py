"""Leaky integrator: the membrane of LIF without spikes, such as that of a readout.

Equation
--------
``TauM dV/dt = Vrest - V + R (Isyn + Ioffset)`` with ``R = TauM / C``, exact for an input that is constant within a
timestep.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``TauM`` [ms]: its time constant. ``Vrest`` [mV]. ``Ioffset`` [nA]: a constant
input.

Variables
---------
``V`` [mV].

Source
------
Lapicque (1907); exact integration: Rotter & Diesmann (1999), Biological Cybernetics 81. The LI of Pedersen et al.
(2024), Nature Communications 15, 8122, table 1.
"""

import numpy as np

from snnlearn.declare import NeuronModel

LI = NeuronModel(
    "LI",
    params=[("C", "scalar", "(0, inf]"), ("TauM", "scalar", "(0, inf]"), "Vrest", "Ioffset"],
    derived_params=[
        ("ExpTC", lambda pars, dt: np.exp(-dt / pars["TauM"])),
        ("Rmembrane", lambda pars, dt: pars["TauM"] / pars["C"]),
    ],
    vars=["V"],
    sim_code="""
    const scalar steady = Vrest + Rmembrane * (Isyn + Ioffset);  // where V would end up
    V = steady - ExpTC * (steady - V);
    """,
)
