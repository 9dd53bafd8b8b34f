"""RMaxProp that keeps the root of the largest squared gradient, so that nothing underflows.

Equations, once an update
-------------------------
``g = m / updateTimesteps``; ``upsilon <- max(upsilon exp(-updateTime/(2 tauRMS)), |g|)``;
``variable <- clip(variable + r0 g / (upsilon + epsilon), wMin, wMax)``; ``m <- 0``.

``upsilon`` is the square root of `RMaxProp`'s, and no gradient is squared; otherwise the rule is the same.
The fraction ``g / (upsilon + epsilon)`` is formed before ``r0`` multiplies it: it never passes 1.

Parameters and source
---------------------
As in `RMaxProp`: Zenke & Ganguli (2018).
"""

import numpy as np

from snnlearn.declare import CustomUpdateModel
from snnlearn.models.r_max_prop import RMaxProp

RMaxPropSafe = CustomUpdateModel(
    "RMaxPropSafe",
    params=RMaxProp.params,
    derived_params=[
        ("updateTimesteps", lambda pars, dt: pars["updateTime"] / dt),
        ("rootExpRMS", lambda pars, dt: np.exp(-0.5 * pars["updateTime"] / pars["tauRMS"])),
    ],
    vars=RMaxProp.vars,
    var_refs=RMaxProp.var_refs,
    update_code="""
    // gradient, and the largest seen of late
    const scalar gradient = m / updateTimesteps;
    const scalar faded = upsilon * rootExpRMS;
    const scalar size = fabs(gradient);
    upsilon = (size > faded || size != size) ? size : faded;
    // update the parameter; fmin and fmax would turn a NaN into a bound
    const scalar moved = variable + r0 * (gradient / (upsilon + epsilon));
    variable = (moved > wMax) ? wMax : ((moved < wMin) ? wMin : moved);
    m = 0.0;
    """,
)
