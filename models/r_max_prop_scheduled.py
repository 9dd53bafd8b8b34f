"""RMaxProp for training schedules: all that a schedule may change is a parameter, read at every update.

Equations
---------
``g = gradientScale m``; ``upsilon <- max(upsilon sqrt(beta), |g|)``;
``variable <- clip(variable (1 - lr weightDecay) + lr g / (upsilon + epsilon), wMin, wMax)``; ``m <- 0``.

With ``beta = exp(-updateTime/tauRMS)``, ``gradientScale = dt/updateTime`` and no weight decay this is `RMaxPropSafe`
with ``r0 = lr``. There the two are derived parameters, which stay what they were when a parameter is changed.

Single precision: no gradient is squared, so they count down to 1e-38; a weight that never had a gradient stays.
``epsilon`` must not be 0, or such a weight becomes 0/0; steps do not depend on the gradient's unit while it is far
above ``epsilon``. A NaN passes through the maximum and the bounds, to be seen.

Parameters
----------
``lr`` learning rate (the largest step, in units of the weight); ``beta`` in [0, 1), the share of the largest
squared gradient kept from update to update; ``epsilon``; ``weightDecay``, the share of the weight that goes with
each update, per unit of ``lr`` (not in the paper; decoupled as in `AdamW`);
``gradientScale``, 1 / number of timesteps summed in ``m``; ``wMin``, ``wMax``.

Variables
---------
``upsilon``, 0 at first: the root of the paper's.

Source
------
Zenke & Ganguli (2018), Neural Computation 30(6), section on RMaxProp.
"""

import math

from snnlearn.declare import CustomUpdateModel
from snnlearn.declare.optimiser import COMMON_PARAMS, NO_ZERO, Optimiser

RMaxPropScheduled = CustomUpdateModel(
    "RMaxPropScheduled",
    params=[
        ("lr", "scalar", "[0, inf)"),
        ("beta", "scalar", "[0, 1)"),
        ("epsilon", "scalar", "(0, inf)"),
        ("weightDecay", "scalar", "[0, inf)"),
        ("gradientScale", "scalar", "(-inf, inf)"),
        ("wMin", "scalar", "(-inf, inf)"),
        ("wMax", "scalar", "(-inf, inf)"),
    ],
    vars=["upsilon"],
    var_refs=["m", "variable"],
    update_code="""
    // gradient, and the largest seen of late
    const scalar gradient = m * gradientScale;
    const scalar faded = upsilon * sqrt(beta);
    const scalar size = fabs(gradient);
    upsilon = (size > faded || size != size) ? size : faded;
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar decayed = variable - lr * weightDecay * variable;
    const scalar moved = decayed + lr * (gradient / (upsilon + epsilon));
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)

R_MAX_PROP_OPTIMISER = Optimiser(
    "RMaxProp",
    RMaxPropScheduled,
    {"lr": 1.0, "beta": math.exp(-0.5 / 30.0), "epsilon": NO_ZERO, **COMMON_PARAMS},
    beta_param="beta",
    decay_param="weightDecay",
)
"""RMaxProp with SuperSpike's rate and memory: r0 = 1, and tauRMS = 30 s at an update every 500 ms."""
