"""Numbers of a model as they are now: on the device where it is loaded, else those that it begins with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.errors import ExchangeError
from snnlearn.genn import NeuronGroup, SynapseGroup
from snnlearn.models import Constant
from snnlearn.network import VarInit

Numbers = NDArray[np.float64]


def rounded(values: Any, precision: str) -> Numbers:
    """Return numbers as a model of a precision holds them."""
    return np.asarray(values, np.float32 if precision == "float" else np.float64).astype(np.float64)


def variable(group: NeuronGroup | SynapseGroup, name: str) -> Numbers:
    """Return a variable's values, flat; a single one where it begins as that everywhere.

    Raises
    ------
    ExchangeError
        If they are drawn when the model is loaded, and it is not.
    """
    precision, one = group.spec.precision, group.vars[name]
    if group._loaded:
        one.pull_from_device()
        return rounded(one.values, precision).ravel()
    held = group.spec.weight_update.vars if isinstance(group, SynapseGroup) else group.spec.vars
    first = held[name]
    try:
        if isinstance(first, VarInit) and first.snippet is Constant:  # what a number becomes
            first = first.params["constant"]
        return rounded(first, precision).ravel()
    except (TypeError, ValueError):
        raise ExchangeError(
            f"'{group.name}.{name}' gets its values when the model is loaded: call load() before to_nir()"
        ) from None


def neuron_values(group: NeuronGroup) -> dict[str, Numbers]:
    """Return the parameters of a population, shared or each neuron's own, each of shape (neurons,)."""
    precision, size = group.spec.precision, group.num_neurons
    found = {name: rounded(np.full(size, value), precision) for name, value in group.params.items()}
    for v in group.spec.model.vars:
        if not v.writable:
            found[v.name] = np.broadcast_to(variable(group, v.name), (size,))
    return found
