"""Izhikevich's simple model of spiking neurons.

Equation
--------
``dV/dt = 0.04 V^2 + 5 V + 140 - U + Isyn`` and ``dU/dt = a (b V - U)`` with V [mV] and time [ms]; at V = 30 mV
the neuron spikes, and ``V = c``, ``U = U + d`` before the next timestep. V takes two Euler steps of dt/2 in a
timestep and U one, as in the paper's program; V is cut off at 30 mV, so that a spike is as high as all others. A NaN
is not: it stays in V, and the neuron does not spike.

Parameters
----------
``a`` [1/ms]: rate of recovery. ``b``: its sensitivity to V. ``c`` [mV], ``d``: what a spike resets V to and adds to U.

Variables
---------
``V`` [mV], ``U``: recovery.

Source
------
Izhikevich (2003), IEEE Transactions on Neural Networks 14(6), equations 1 to 3 and the program in figure 2.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import NeuronModel

SIM_CODE = """
    if (V >= 30.0) {
        V = c;
        U += d;
    }
    for (int half = 0; half < 2; half++) {
        V += 0.5 * dt * ((0.04 * V + 5.0) * V + 140.0 - U + Isyn);
    }
    U += dt * a * (b * V - U);
    V = (V > 30.0) ? 30.0 : V;  // fmin would turn a NaN into a spike
    """
THRESHOLD_CONDITION_CODE = "V >= 29.99"

Izhikevich = NeuronModel(
    "Izhikevich",
    params=["a", "b", "c", "d"],
    vars=["V", "U"],
    sim_code=SIM_CODE,
    threshold_condition_code=THRESHOLD_CONDITION_CODE,
)
