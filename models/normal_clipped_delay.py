"""Initial delays from a normal distribution without its tails, in ms, kept in whole timesteps.

``d = rint(x / dt)``, ``x ~ N(mean, sd^2)``, drawn again until ``min <= x <= max``.
Limits that hardly any number meets are refused, as in `NormalClipped`.

Parameters
----------
``mean``, ``sd``, ``min``, ``max`` [ms].

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet
from snnlearn.models.normal_clipped import limits_fault

NormalClippedDelay = VarInitSnippet(
    "NormalClippedDelay",
    params=["mean", "sd", "min", "max"],
    derived_params=[
        ("meanTimestep", lambda pars, dt: pars["mean"] / dt),
        ("sdTimestep", lambda pars, dt: pars["sd"] / dt),
        ("minTimestep", lambda pars, dt: pars["min"] / dt),
        ("maxTimestep", lambda pars, dt: pars["max"] / dt),
    ],
    var_init_code="""
    scalar delay;
    do {
        delay = meanTimestep + sdTimestep * gennrand_normal();
    } while (delay < minTimestep || delay > maxTimestep);
    value = rint(delay);
    """,
    check_params_func=limits_fault,
)
