"""The derivative of a logistic sigmoid: ``beta s (1 - s)`` with ``s = 1 / (1 + exp(-beta h))``.

Parameters
----------
``beta`` [1 / unit of h], steepness; the height at the threshold is a quarter of it.

Source
------
Zenke & Vogels (2021), The remarkable robustness of surrogate gradient learning for instilling complex function in
spiking neural networks, Neural Computation 33(4), 899-925.
"""

from snnlearn.declare import Surrogate

Sigmoid = Surrogate(
    "Sigmoid",
    params=[("beta", "scalar", "(0, inf)")],
    derivative_code="beta * exp(-fabs(beta * h)) / ((1.0 + exp(-fabs(beta * h))) * (1.0 + exp(-fabs(beta * h))))",
    integral_code="0.5 + 0.5 * tanh(0.5 * beta * h)",
)
