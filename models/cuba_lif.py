"""Leaky integrate-and-fire neuron whose input is a synaptic current, a variable of the neuron itself.

Equations
---------
``TauSyn dI/dt = -I + WIn (Isyn + Ioffset)`` and ``TauM dV/dt = Vrest - V + R I`` with ``R = TauM / C``: both exact for
an Isyn that is constant within a timestep. A neuron spikes at ``V >= Vthresh``; then ``V = Vreset`` and, for
``TauRefrac``, V stands still, as in LIF; I does not.

A spike that a DeltaCurr synapse of weight w brings is an Isyn of w for one timestep, so I rises by
``WIn (1 - exp(-dt / TauSyn)) w``. With ``WIn = 1 / (1 - exp(-dt / TauSyn))`` that is w.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``TauM``, ``TauSyn`` [ms]: time constants of membrane and current. ``WIn``:
what the input is multiplied with. ``Vrest``, ``Vreset``, ``Vthresh`` [mV]. ``Ioffset`` [nA]: a constant input.
``TauRefrac`` [ms]: the refractory period.

Variables
---------
``V`` [mV]; ``I`` [nA], the synaptic current; ``RefracTime`` [ms], what is left of the refractory period.

Source
------
Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15, 8122, table 1 (CubaLIF);
exact integration: Rotter & Diesmann (1999), Biological Cybernetics 81.
"""

from collections.abc import Mapping

import numpy as np

from snnlearn.declare import NeuronModel
from snnlearn.models.lif import COUNT_DOWN


def _current_to_potential(pars: Mapping[str, float], dt: float) -> float:
    """Return how much of R I is added to V in a timestep, as I decays: exp(-t / TauSyn) through the membrane."""
    fast, slow = sorted((pars["TauM"], pars["TauSyn"]))
    x = dt / fast - dt / slow
    mean = 1.0 if x == 0.0 else -np.expm1(-x) / x  # of exp(-x u), u from 0 to 1: no gap where time constants are equal
    return float(dt / pars["TauM"] * np.exp(-dt / slow) * mean)


CubaLIF = NeuronModel(
    "CubaLIF",
    params=[
        ("C", "scalar", "(0, inf]"),
        ("TauM", "scalar", "(0, inf]"),
        ("TauSyn", "scalar", "(0, inf]"),
        "WIn",
        "Vrest",
        "Vreset",
        "Vthresh",
        "Ioffset",
        "TauRefrac",
    ],
    derived_params=[
        ("ExpTC", lambda pars, dt: np.exp(-dt / pars["TauM"])),
        ("ExpTS", lambda pars, dt: np.exp(-dt / pars["TauSyn"])),
        ("CurrentToV", _current_to_potential),
        ("Rmembrane", lambda pars, dt: pars["TauM"] / pars["C"]),
        ("Timestep", lambda pars, dt: dt),  # as a scalar, whatever the precision of times
    ],
    vars=["V", "I", "RefracTime"],
    sim_code=f"""
    const scalar drive = WIn * (Isyn + Ioffset);  // where I would end up
    const scalar above = I - drive;
    I = drive + ExpTS * above;
    if (RefracTime > 0.0) {{{COUNT_DOWN}
    }} else {{
        const scalar steady = Vrest + Rmembrane * drive;  // where V would
        V = steady - ExpTC * (steady - V) + Rmembrane * CurrentToV * above;
    }}
    """,
    threshold_condition_code="RefracTime <= 0.0 && V >= Vthresh",
    reset_code="""
    V = Vreset;
    RefracTime = TauRefrac;
    """,
)
