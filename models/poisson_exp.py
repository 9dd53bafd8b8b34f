"""The current of a Poisson spike source of each neuron's own, through an exponential synapse.

Equation
--------
``tauSyn dI/dt = -I``; each of ``k`` spikes in a timestep, ``k ~ Poisson(rate dt / 1000)``, adds
``weight tauSyn (1 - exp(-dt / tauSyn)) / dt``, as with `snnlearn.models.ExpCurr`.

Parameters
----------
``weight`` [nA]; ``tauSyn`` [ms], positive; ``rate`` [Hz], not negative, of any size.

Variables
---------
``current`` [nA].

Source
------
Few spikes are counted by products of uniform numbers: Knuth (1969), The Art of Computer Programming 2, section 3.4.1.
Many, in a time that does not depend on their number, by transformed rejection: Hörmann (1993), The transformed
rejection method for generating Poisson random variables, Insurance: Mathematics and Economics 12, algorithm PTRS.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from snnlearn.declare import CurrentSourceModel, DerivedParam
from snnlearn.models.open_uniform import OPEN_UNIFORM

_MANY = 10.0  # spikes in a timestep, on average: from here on PTRS is valid
_METHODS = (0.001, 1.0, _MANY)  # from where on the next method counts the spikes


def _expected(pars: Mapping[str, float], dt: float) -> float:
    return pars["rate"] * dt / 1000.0


def _ptrs(constant: Callable[[float, float], float]) -> Callable[[Mapping[str, float], float], float]:
    """Return the function of a constant of PTRS, given as one of the expected number and the paper's b."""

    def func(pars: Mapping[str, float], dt: float) -> float:
        expected = max(_expected(pars, dt), _MANY)
        return constant(expected, 0.931 + 2.53 * math.sqrt(expected))

    return func


PoissonExp = CurrentSourceModel(
    "PoissonExp",
    params=["weight", ("tauSyn", "scalar", "(0, inf]"), ("rate", "scalar", "[0, inf)")],
    derived_params=[
        ("ExpDecay", lambda pars, dt: np.exp(-dt / pars["tauSyn"])),
        ("Init", lambda pars, dt: pars["weight"] * (1.0 - np.exp(-dt / pars["tauSyn"])) * pars["tauSyn"] / dt),
        ("ExpMinusLambda", lambda pars, dt: np.exp(-_expected(pars, dt))),
        ("anySpike", lambda pars, dt: -np.expm1(-_expected(pars, dt))),
        # Of populations of one method the kernels are alike, and have no code for the others.
        DerivedParam("method", lambda pars, dt: float(np.searchsorted(_METHODS, _expected(pars, dt), "right"))),
        DerivedParam("lambda", _expected, "double"),
        DerivedParam("logLambda", _ptrs(lambda expected, b: math.log(expected)), "double"),
        DerivedParam("a", _ptrs(lambda expected, b: -0.059 + 0.02483 * b), "double"),
        DerivedParam("b", _ptrs(lambda expected, b: b), "double"),
        DerivedParam("inverseAlpha", _ptrs(lambda expected, b: 1.1239 + 1.1328 / (b - 3.4)), "double"),
        DerivedParam("squeeze", _ptrs(lambda expected, b: 0.9277 - 3.6224 / (b - 2.0)), "double"),
    ],
    vars=["current"],
    injection_code=f"""
    scalar spikes = 0.0;
    // Drawn whatever comes: the numbers of many neurons can then be made ahead, in vectors.
    scalar u = gennrand_uniform();
    if (method < 2.0) {{
        // Few have any: 1 - u is uniform too, and 1 - exp(-lambda) keeps its precision where exp(-lambda) is nearly 1.
        if (method < 1.0 && u < 9.5367431640625e-07) {{
            u = 9.5367431640625e-07 * gennrand_uniform();  // 2^-20: finer than u is
        }}
        if (u < anySpike) {{
            spikes = 1.0;
            for (scalar p = (1.0 - u) * gennrand_uniform(); p > ExpMinusLambda; p *= gennrand_uniform()) {{
                spikes++;
            }}
        }}
    }} else if (method < 3.0) {{
        for (scalar p = u; p > ExpMinusLambda; p *= gennrand_uniform()) {{
            spikes++;
        }}
    }} else {{
        while (true) {{
            const double centred = {OPEN_UNIFORM} - 0.5;
            const double v = {OPEN_UNIFORM};
            const double rest = 0.5 - fabs(centred);
            const double count = floor((2.0 * a / rest + b) * centred + lambda + 0.43);
            spikes = count;
            if (rest >= 0.07 && v <= squeeze) {{
                break;
            }}
            if (count < 0.0 || (rest < 0.013 && v > rest)) {{
                continue;
            }}
            const double probability = exp(count * logLambda - lambda - lgamma(count + 1.0));
            if (v * inverseAlpha <= probability * (a / (rest * rest) + b)) {{
                break;
            }}
        }}
    }}
    current += Init * spikes;
    injectCurrent(current);
    current *= ExpDecay;
    """,
)
