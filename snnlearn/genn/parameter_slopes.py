"""How derived parameters depend on parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snnlearn.declare import NeuronModel
from snnlearn.errors import GradientError

_SMALL = 1e-40  # an imaginary step: its square is nothing, whatever the parameter is
_STEP = 1e-6  # a real one, to see whether there is a dependence at all


def slopes(model: NeuronModel, params: Mapping[str, float], dt: float, parameter: str) -> dict[str, float]:
    """Return the derivative of each derived parameter with respect to a parameter.

    By a complex step, exact to rounding: Squire & Trapp (1998), SIAM Review 40(1), 110-112.

    Raises
    ------
    GradientError
        For a derived parameter whose function takes no complex numbers.
    """
    found = {}
    moved: Any = {**params, parameter: complex(params[parameter], _SMALL)}
    for derived in model.derived_params:
        try:
            value = derived.func(moved, dt)
            found[derived.name] = float(np.imag(value)) / _SMALL
            if not isinstance(value, (complex, np.complexfloating)) and value != derived.func(
                {**params, parameter: params[parameter] * (1 + _STEP) + _STEP}, dt
            ):
                raise TypeError("it returns a real number")
        except (TypeError, ValueError) as error:
            raise GradientError(
                f"'{derived.name}' of '{model.name}' has no derivative with respect to '{parameter}': its function "
                f"takes no complex number ({error}); use NumPy's functions in it"
            ) from None
    return {name: slope for name, slope in found.items() if slope}
