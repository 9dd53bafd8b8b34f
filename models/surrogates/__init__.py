"""Surrogates: what stands for the derivative of a spike. Each has a steepness ``beta`` [1 / unit of h]."""

from snnlearn.declare import Surrogate
from snnlearn.errors import DeclarationError, did_you_mean
from snnlearn.models.surrogates.arctan import ArcTan
from snnlearn.models.surrogates.boxcar import Boxcar
from snnlearn.models.surrogates.fast_sigmoid import FastSigmoid
from snnlearn.models.surrogates.scaled_fast_sigmoid import ScaledFastSigmoid
from snnlearn.models.surrogates.sigmoid import Sigmoid
from snnlearn.models.surrogates.triangle import Triangle

ALL = (ArcTan, Boxcar, FastSigmoid, ScaledFastSigmoid, Sigmoid, Triangle)
"""Every surrogate of the library."""


def find(name: str) -> Surrogate:
    """Return the library's surrogate of this name.

    Raises
    ------
    DeclarationError
        If there is none; names the nearest.
    """
    known = {surrogate.name: surrogate for surrogate in ALL}
    if name not in known:
        raise DeclarationError(f"there is no surrogate called '{name}'{did_you_mean(name, known)}")
    return known[name]


__all__ = ["ALL", "ArcTan", "Boxcar", "FastSigmoid", "ScaledFastSigmoid", "Sigmoid", "Triangle", "find"]
