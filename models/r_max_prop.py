"""RMaxProp: SuperSpike's optimiser, each weight's step scaled by the largest gradient it has seen.

Equations, once an update
-------------------------
``g = m / updateTimesteps``; ``upsilon <- max(upsilon exp(-updateTime/tauRMS), g^2)``;
``variable <- clip(variable + r0 g / (sqrt(upsilon) + epsilon), wMin, wMax)``; ``m <- 0``.

In single precision ``g * g`` of a gradient below about 1e-19 is zero, and with ``epsilon`` = 1e-32 such a
weight jumps to its bound. `RMaxPropSafe` is the same rule without that; this one is for comparisons.
A NaN passes through the maximum and the bounds, to be seen.

Parameters
----------
``updateTime`` [ms] between updates; ``tauRMS`` [ms]; ``epsilon``; ``wMin``, ``wMax``; ``r0`` learning rate
(the largest step, in units of the weight).

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), section on RMaxProp; as implemented for GeNN (superspike_demo).
"""

import numpy as np

from snnlearn.declare import CustomUpdateModel

RMaxProp = CustomUpdateModel(
    "RMaxProp",
    params=[
        ("updateTime", "scalar", "(0, inf)"),
        ("tauRMS", "scalar", "(0, inf)"),
        ("epsilon", "scalar", "(0, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
        ("r0", "scalar", "[0, inf)"),
    ],
    derived_params=[
        ("updateTimesteps", lambda pars, dt: pars["updateTime"] / dt),
        ("expRMS", lambda pars, dt: np.exp(-pars["updateTime"] / pars["tauRMS"])),
    ],
    vars=["upsilon"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient and learning rate
    const scalar gradient = m / updateTimesteps;
    const scalar faded = upsilon * expRMS;
    const scalar square = gradient * gradient;
    upsilon = (square > faded || square != square) ? square : faded;
    const scalar r = r0 / (sqrt(upsilon) + epsilon);
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + r * gradient;
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)
