"""Hodgkin-Huxley neuron with the currents of Traub and Miles.

Equation
--------
``C dV/dt = Isyn - gNa m^3 h (V - ENa) - gK n^4 (V - EK) - gl (V - El)`` and ``dx/dt = alpha_x (1 - x) - beta_x x``
for x = m, h, n, with V [mV] and rates [1/ms]::

    alpha_m = 0.32 (-52 - V) / (exp((-52 - V) / 4) - 1)     beta_m = 0.28 (V + 25) / (exp((V + 25) / 5) - 1)
    alpha_h = 0.128 exp((-48 - V) / 18)                     beta_h = 4 / (exp((-25 - V) / 5) + 1)
    alpha_n = 0.032 (-50 - V) / (exp((-50 - V) / 5) - 1)    beta_n = 0.5 exp((-55 - V) / 40)

A timestep is 25 Euler steps. Where a rate is 0/0 it takes its limit. The neuron counts as spiking
in every timestep with V >= 0 mV.

Parameters
----------
``gNa``, ``gK``, ``gl`` [uS]: conductances. ``ENa``, ``EK``, ``El`` [mV]: reversal potentials. ``C`` [nF]: capacitance.
Usual values: 7.15, 1.43, 0.02672; 50, -95, -63.563; 0.143.

Variables
---------
``V`` [mV]; ``m``, ``h``, ``n``: how far the gates of sodium (two) and potassium are open.

Source
------
Traub & Miles (1991), Neuronal Networks of the Hippocampus, Cambridge University Press.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import NeuronModel

TraubMiles = NeuronModel(
    "TraubMiles",
    params=["gNa", "ENa", "gK", "EK", "gl", "El", ("C", "scalar", "(0, inf]")],
    vars=["V", "m", "h", "n"],
    sim_code="""
    const scalar step = dt / 25.0;
    for (int i = 0; i < 25; i++) {
        const scalar sodium = gNa * m * m * m * h * (V - ENa);
        const scalar potassium = gK * n * n * n * n * (V - EK);
        const scalar leak = gl * (V - El);
        const scalar alphaM = V == -52.0 ? 1.28 : 0.32 * (-52.0 - V) / expm1((-52.0 - V) / 4.0);
        const scalar betaM = V == -25.0 ? 1.4 : 0.28 * (V + 25.0) / expm1((V + 25.0) / 5.0);
        const scalar alphaH = 0.128 * exp((-48.0 - V) / 18.0);
        const scalar betaH = 4.0 / (exp((-25.0 - V) / 5.0) + 1.0);
        const scalar alphaN = V == -50.0 ? 0.16 : 0.032 * (-50.0 - V) / expm1((-50.0 - V) / 5.0);
        const scalar betaN = 0.5 * exp((-55.0 - V) / 40.0);
        m += step * (alphaM * (1.0 - m) - betaM * m);
        h += step * (alphaH * (1.0 - h) - betaH * h);
        n += step * (alphaN * (1.0 - n) - betaN * n);
        V += step * (Isyn - sodium - potassium - leak) / C;
    }
    """,
    threshold_condition_code="V >= 0.0",
)
