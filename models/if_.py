"""Integrate-and-fire neuron without a leak, integrated exactly for an input that is constant within a timestep.

Equation
--------
``C dV/dt = Isyn + Ioffset``. A neuron spikes at ``V >= Vthresh``; then ``V = Vreset`` and, for ``TauRefrac``, V stands
still, as in LIF.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``Vreset``, ``Vthresh`` [mV]. ``Ioffset`` [nA]: a constant input.
``TauRefrac`` [ms]: the refractory period.

Variables
---------
``V`` [mV]; ``RefracTime`` [ms], what is left of the refractory period.

Source
------
Lapicque (1907), without a leak: the perfect integrator of Stein (1965), Biophysical Journal 5, and of Pedersen et al.
(2024), Nature Communications 15, 8122, table 1 (IF).
"""

from snnlearn.declare import NeuronModel
from snnlearn.models.lif import COUNT_DOWN

IF = NeuronModel(
    "IF",
    params=[("C", "scalar", "(0, inf]"), "Vreset", "Vthresh", "Ioffset", "TauRefrac"],
    derived_params=[
        ("PerCurrent", lambda pars, dt: dt / pars["C"]),
        ("Timestep", lambda pars, dt: dt),  # as a scalar, whatever the precision of times
    ],
    vars=["V", "RefracTime"],
    sim_code=f"""
    if (RefracTime > 0.0) {{{COUNT_DOWN}
    }} else {{
        V += PerCurrent * (Isyn + Ioffset);
    }}
    """,
    threshold_condition_code="RefracTime <= 0.0 && V >= Vthresh",
    reset_code="""
    V = Vreset;
    RefracTime = TauRefrac;
    """,
)
