"""Leaky integrate-and-fire neuron, integrated exactly for an input that is constant within a timestep.

Equation
--------
``TauM dV/dt = Vrest - V + R (Isyn + Ioffset)`` with ``R = TauM / C``. A neuron spikes at ``V >= Vthresh``; then
``V = Vreset`` and, for ``TauRefrac``, V stands still: for ``ceil(TauRefrac / dt)`` timesteps. What is within a
hundredth of a whole number of them is taken for that.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``TauM`` [ms]: its time constant. ``Vrest``, ``Vreset``, ``Vthresh`` [mV].
``Ioffset`` [nA]: a constant input. ``TauRefrac`` [ms]: the refractory period.

Variables
---------
``V`` [mV]; ``RefracTime`` [ms], what is left of the refractory period: V moves again in the first timestep that
begins without any. What is a whole number of timesteps stays one as it counts down.

Source
------
Lapicque (1907); exact integration: Rotter & Diesmann (1999), Biological Cybernetics 81.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name, whose ``RefracTime`` adds up what its
countdown rounds: periods of some lengths take a timestep longer.
"""

import numpy as np

from snnlearn.declare import NeuronModel

COUNT_DOWN = """
        // From a whole number of timesteps to the next: what subtracting one again and again loses would add up.
        const scalar timesteps = RefracTime / Timestep;
        const scalar whole = rint(timesteps);
        const scalar left = fabs(timesteps - whole) < 0.01 ? whole * Timestep : RefracTime;
        RefracTime = left - Timestep;"""

LIF = NeuronModel(
    "LIF",
    params=[
        ("C", "scalar", "(0, inf]"),
        ("TauM", "scalar", "(0, inf]"),
        "Vrest",
        "Vreset",
        "Vthresh",
        "Ioffset",
        "TauRefrac",
    ],
    derived_params=[
        ("ExpTC", lambda pars, dt: np.exp(-dt / pars["TauM"])),
        ("Rmembrane", lambda pars, dt: pars["TauM"] / pars["C"]),
        ("Timestep", lambda pars, dt: dt),  # as a scalar, whatever the precision of times
    ],
    vars=["V", "RefracTime"],
    sim_code=f"""
    if (RefracTime > 0.0) {{{COUNT_DOWN}
    }} else {{
        const scalar steady = Vrest + Rmembrane * (Isyn + Ioffset);  // where V would end up
        V = steady - ExpTC * (steady - V);
    }}
    """,
    threshold_condition_code="RefracTime <= 0.0 && V >= Vthresh",
    reset_code="""
    V = Vreset;
    RefracTime = TauRefrac;
    """,
)
