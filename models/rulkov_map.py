"""Rulkov's map: a neuron as a recurrence, without a differential equation.

Equation
--------
From one timestep to the next, whatever its length::

    V <= 0                     V -> Vspike^2 alpha / (Vspike - V - beta Isyn) + Vspike y
    0 < V < top, preV <= 0     V -> top = Vspike (alpha + y)
    otherwise                  V -> -Vspike

A neuron spikes in the timestep in which V reaches ``top``; it does so for one timestep only. A V that is NaN stays
so, and does not spike.

Parameters
----------
``Vspike`` [mV]: half the height of a spike. ``alpha``, ``y``: the map's shape and its distance from firing; ``beta``
[MOhm]: what input does.

Variables
---------
``V`` [mV], ``preV`` [mV]: V one timestep ago.

Source
------
Rulkov (2002), Physical Review E 65, 041922; in this form: Nowotny, Huerta, Abarbanel & Rabinovich (2005), Biological
Cybernetics 93. GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import NeuronModel

RulkovMap = NeuronModel(
    "RulkovMap",
    params=["Vspike", "alpha", "y", "beta"],
    derived_params=[
        ("ip0", lambda pars, dt: pars["Vspike"] ** 2 * pars["alpha"]),
        ("ip1", lambda pars, dt: pars["Vspike"] * pars["y"]),
        ("ip2", lambda pars, dt: pars["Vspike"] * (pars["alpha"] + pars["y"])),
    ],
    vars=["V", "preV"],
    sim_code="""
    const scalar last = V;
    // Where a comparison is of a NaN, what follows keeps it.
    if (V > 0.0) {
        V = V >= ip2 || preV > 0.0 ? -Vspike : ip2 + 0.0 * preV;
    } else {
        V = ip0 / (Vspike - V - beta * Isyn) + ip1;
    }
    preV = last;
    """,
    threshold_condition_code="V >= ip2",
)
