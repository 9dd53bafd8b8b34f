"""A boxcar: ``beta / 2`` within a distance of ``1 / beta`` from the threshold, zero elsewhere.

Parameters
----------
``beta`` [1 / unit of h], the inverse of the half width.

Source
------
Kaiser, Mostafa & Neftci (2020), Synaptic plasticity dynamics for deep continuous local learning (DECOLLE),
Frontiers in Neuroscience 14, 424.
"""

from snnlearn.declare import Surrogate

Boxcar = Surrogate(
    "Boxcar",
    params=[("beta", "scalar", "(0, inf)")],
    derivative_code="fabs(beta * h) < 1.0 ? 0.5 * beta : 0.0",
    integral_code="0.5 + 0.5 * fmax(-1.0, fmin(1.0, beta * h))",
)
