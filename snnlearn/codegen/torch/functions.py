"""The maths library as PyTorch has it, and where each function needs an operand that is safe to differentiate at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# How a call is spelt; `support` is the module of what PyTorch lacks.
_SAME = """cos sin tan acos asin atan cosh sinh tanh acosh asinh atanh exp expm1 exp2 log log1p log2 log10 sqrt ceil
    floor trunc erf erfc lgamma atan2 pow hypot fmod nextafter copysign fmax fmin"""
SPELLING: dict[str, str] = {name: f"torch.{name}" for name in _SAME.split()} | {
    "fabs": "torch.abs",
    "abs": "torch.abs",
    "rint": "torch.round",
    "nearbyint": "torch.round",
    **{
        name: f"support.{name}"
        for name in ["cbrt", "tgamma", "hypot", "remainder", "fdim", "fma", "scalbn", "ldexp", "ilogb"]
    },
    "round": "support.rounded",
    "pow": "support.power",
    "min": "support.least",
    "max": "support.greatest",
}

# In a branch that is not taken operands are replaced by these, as the derivative there, infinite or not a number, would
# otherwise be multiplied by zero. What is not in the table is differentiable everywhere, or constant in pieces.
SAFE_OPERAND: dict[str, float] = {
    **dict.fromkeys(["exp", "expm1", "exp2", "cosh", "sinh", "tan", "acos", "asin", "atanh", "erfc"], 0.0),
    **dict.fromkeys(
        [
            "log",
            "log1p",
            "log2",
            "log10",
            "sqrt",
            "cbrt",
            "tgamma",
            "lgamma",
            "atan2",
            "pow",
            "hypot",
            "fmod",
            "remainder",
        ],
        1.0,
    ),
    **dict.fromkeys(("scalbn", "ldexp"), 0.0),
    "acosh": 2.0,
}


def _guarded(function: Callable[..., Any]) -> Callable[..., float]:
    """Return a function of `math` that gives infinity and NaN instead of raising."""

    def call(*args: float) -> float:
        try:
            return float(function(*args))
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return call


_NUMPY = """cos sin tan sinh cosh tanh exp expm1 exp2 log log1p log2 log10 sqrt cbrt ceil floor rint trunc fabs hypot
    fmod fmax fmin copysign nextafter"""
_NUMBERS: dict[str, Callable[..., Any]] = {name: getattr(np, name) for name in _NUMPY.split()}
_ARCS = ("acos", "asin", "atan", "acosh", "asinh", "atanh", "atan2")
_NUMBERS |= {name: getattr(np, f"arc{name[1:]}") for name in _ARCS}
_NUMBERS |= {
    "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x) if math.isfinite(x) else x,
    "nearbyint": np.rint,
    "erf": math.erf,
    "erfc": math.erfc,
    "tgamma": _guarded(math.gamma),
    "lgamma": _guarded(math.lgamma),
    "pow": np.power,
    "remainder": _guarded(math.remainder),
    "fdim": lambda x, y: x - y if x > y else 0.0,
    "fma": lambda x, y, z: x * y + z,
    "scalbn": lambda x, n: np.ldexp(x, int(n)),
    "ldexp": lambda x, n: np.ldexp(x, int(n)),
    "ilogb": lambda x: math.frexp(x)[1] - 1,
    "min": lambda x, y: y if y < x else x,
    "max": lambda x, y: y if x < y else x,
    "abs": abs,
}


def evaluate(name: str, *args: float) -> Any:
    """Return what a function gives for numbers, in double precision."""
    with np.errstate(all="ignore"):
        values = [np.float64(a) if isinstance(a, float) else a for a in args]
        result = _NUMBERS[name](*values)
    return result.item() if isinstance(result, np.generic) else result
