"""Adaptive exponential integrate-and-fire neuron.

Equations
---------
``C dV/dt = -gL (V - EL) + gL DeltaT exp((V - VT) / DeltaT) - W + Isyn + Ioffset`` and ``TauW dW/dt = a (V - EL) - W``.
At ``V >= Vpeak`` the neuron spikes; then ``V = Vreset`` and ``W = W + b``. A timestep is one of Euler's method, so 0.1
ms and shorter ones are usual. The exponential stops growing where V is 20 DeltaT above VT: from there V reaches any
peak within the timestep.

Parameters
----------
``C`` [nF]: capacitance of the membrane. ``gL`` [uS]: conductance of the leak. ``EL`` [mV]: its reversal potential.
``VT``, ``DeltaT`` [mV]: threshold and slope of the upswing. ``Vreset``, ``Vpeak`` [mV]. ``TauW`` [ms]: time constant
of the adaptation. ``a`` [uS], ``b`` [nA]: what of it the potential drives, and what each spike adds. ``Ioffset`` [nA]:
a constant input. The paper's values: 0.281, 0.03, -70.6; -50.4, 2; -70.6, 20; 144, 0.004, 0.0805.

Variables
---------
``V`` [mV]; ``W`` [nA], the current of the adaptation.

Learning
--------
The surrogate's derivative is that at ``V - Vpeak``, in the timestep that the upswing ends in: hardly any where that is
far beyond a high peak. A ``Vpeak`` a few DeltaT above VT changes spike times little.

Source
------
Brette & Gerstner (2005), Adaptive exponential integrate-and-fire model as an effective description of neuronal
activity, Journal of Neurophysiology 94(5), 3637-3642, equations 1 and 2 and table 1.
"""

from snnlearn.declare import NeuronModel

AdEx = NeuronModel(
    "AdEx",
    params=[
        ("C", "scalar", "(0, inf]"),
        "gL",
        "EL",
        "VT",
        ("DeltaT", "scalar", "(0, inf]"),
        "Vreset",
        "Vpeak",
        ("TauW", "scalar", "(0, inf]"),
        "a",
        "b",
        "Ioffset",
    ],
    vars=["V", "W"],
    sim_code="""
    const scalar above = V - EL;
    const scalar upswing = DeltaT * exp(fmin((V - VT) / DeltaT, 20.0));
    V += dt * (gL * (upswing - above) - W + Isyn + Ioffset) / C;
    W += dt * (a * above - W) / TauW;
    """,
    threshold_condition_code="V >= Vpeak",
    reset_code="""
    V = Vreset;
    W += b;
    """,
)
