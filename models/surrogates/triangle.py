"""A triangle, e-prop's surrogate: ``beta max(0, 1 - beta |h|)``; zero at a distance of ``1 / beta`` and beyond.

Parameters
----------
``beta`` [1 / unit of h], steepness, and the height at the threshold.

Source
------
Bellec et al. (2020), A solution to the learning dilemma for recurrent networks of spiking neurons, Nature
Communications 11, 3625.
"""

from snnlearn.declare import Surrogate

Triangle = Surrogate(
    "Triangle",
    params=[("beta", "scalar", "(0, inf)")],
    derivative_code="beta * fmax(0.0, 1.0 - fabs(beta * h))",
    integral_code="""
    0.5 + fmax(-1.0, fmin(1.0, beta * h)) * (1.0 - 0.5 * fabs(fmax(-1.0, fmin(1.0, beta * h))))
    """,
)
