"""The derivative of a fast sigmoid with a height of its own: ``height / (1 + beta |h|)^2``.

With `FastSigmoid` a steeper surrogate is a higher one too, and gradients that go through many spikes, as in recurrent
networks, grow with each. With a height of 1 for each distance of the threshold from rest they do not.

Parameters
----------
``beta`` [1 / unit of h], steepness. ``height`` [1 / unit of h], at the threshold.

Source
------
Zenke & Vogels (2021), The remarkable robustness of surrogate gradient learning for instilling complex function in
spiking neural networks, Neural Computation 33(4), 899-925 (the "SuperSpike" surrogate, of height 1).
"""

from snnlearn.declare import Surrogate

ScaledFastSigmoid = Surrogate(
    "ScaledFastSigmoid",
    params=[("beta", "scalar", "(0, inf)"), ("height", "scalar", "(0, inf)")],
    derivative_code="height / ((1.0 + fabs(beta * h)) * (1.0 + fabs(beta * h)))",
    integral_code="height * h / (1.0 + fabs(beta * h))",
)
