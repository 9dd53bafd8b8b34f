"""The derivative of an arc tangent: ``beta / (1 + (beta h)^2)``.

Parameters
----------
``beta`` [1 / unit of h], steepness, and the height at the threshold.

Source
------
Fang et al. (2021), Incorporating learnable membrane time constant to enhance learning of spiking neural networks,
ICCV, 2661-2671.
"""

from snnlearn.declare import Surrogate

ArcTan = Surrogate(
    "ArcTan",
    params=[("beta", "scalar", "(0, inf)")],
    derivative_code="beta / (1.0 + beta * h * (beta * h))",
    integral_code="atan(beta * h)",
)
