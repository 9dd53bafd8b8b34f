"""The derivative of a fast sigmoid, SuperSpike's surrogate: ``beta / (1 + beta |h|)^2``.

It falls off as the square of the distance from the threshold and is nowhere zero.

Parameters
----------
``beta`` [1 / unit of h], steepness, and the height at the threshold.

Source
------
Zenke & Ganguli (2018), SuperSpike: supervised learning in multilayer spiking neural networks, Neural
Computation 30(6), 1514-1541.
"""

from snnlearn.declare import Surrogate

FastSigmoid = Surrogate(
    "FastSigmoid",
    params=[("beta", "scalar", "(0, inf)")],
    derivative_code="beta / ((1.0 + fabs(beta * h)) * (1.0 + fabs(beta * h)))",
    integral_code="beta * h / (1.0 + fabs(beta * h))",
)
