"""Initial values from a normal distribution without its tails.

``x ~ N(mean, sd^2)``, drawn again until ``min <= x <= max``; all in the variable's unit.

Limits that fewer than one in 2^32 numbers meets are refused: each value would take minutes, or for ever.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

import math
from collections.abc import Mapping

from snnlearn.declare import VarInitSnippet

_LEAST_SHARE = 2.0**-32


def limits_fault(params: Mapping[str, float]) -> str:
    """Return what is wrong with ``min`` and ``max`` of a clipped normal distribution; empty where nothing is."""
    mean, sd, low, high = (params[name] for name in ("mean", "sd", "min", "max"))
    if low > high:
        return f"min must not be above max, but {low:g} > {high:g}"
    if _share(mean, abs(sd), low, high) < _LEAST_SHARE:
        return f"hardly any number of mean {mean:g} and sd {sd:g} is between min {low:g} and max {high:g}"
    return ""


def _share(mean: float, sd: float, low: float, high: float) -> float:
    """Return which share of a normal distribution is within limits."""
    if sd == 0.0 or math.isinf(mean):
        return float(low <= mean <= high)
    if math.isinf(sd):
        return 0.5 * (math.isinf(low) + math.isinf(high))
    below, above = (low - mean) / (sd * math.sqrt(2.0)), (high - mean) / (sd * math.sqrt(2.0))
    # The difference of two tails on one side keeps its digits.
    return 0.5 * (math.erfc(-above) - math.erfc(-below) if above < 0.0 else math.erfc(below) - math.erfc(above))


NormalClipped = VarInitSnippet(
    "NormalClipped",
    params=["mean", "sd", "min", "max"],
    var_init_code="""
    scalar normal;
    do {
        normal = mean + (gennrand_normal() * sd);
    } while (normal > max || normal < min);
    value = normal;
    """,
    check_params_func=limits_fault,
)
