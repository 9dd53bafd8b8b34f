"""The mean gradient of a batch: a reduction on the device, which the optimisers read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from snnlearn.declare import (
    CustomUpdateModel,
    CustomUpdateVar,
    CustomUpdateVarAccess,
    Param,
    VarAccessDim,
    VarAccessMode,
    VarRef,
)
from snnlearn.errors import LifecycleError, TrainingError
from snnlearn.training.arguments import TrainedConnection
from snnlearn.training.engine import CustomUpdateApi, EngineApi, GradientApi, ModelApi, SynapseGroupApi

GROUP = "BatchMean"

BatchMean = CustomUpdateModel(
    "BatchMean",
    params=(Param("present", "unsigned int"),),
    vars=(CustomUpdateVar("mean", "scalar", CustomUpdateVarAccess.REDUCE_BATCH_SUM),),
    var_refs=(VarRef("m", "scalar", VarAccessMode.READ_ONLY),),
    update_code="mean = (batch < present) ? m / (scalar)present : 0.0;",
)
"""The mean over the first ``present`` copies of a batch."""

ClearGradient = CustomUpdateModel("ClearGradient", var_refs=(VarRef("m"),), update_code="m = 0.0;")
"""What an optimiser does with the gradient that it reads, here with those that its mean is of."""


class GradientMeans:
    """Has the gradients of a batch be means over its examples.

    Those that each copy of the model sums up by itself are reduced on the device, and a pass back counts each example
    for its share. A reduction leaves the copies' gradients to the optimiser's own group to clear: an update that is
    interrupted in between can be done once more.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    model : GeNNModel
        Described, not built.
    gradient : Program or ForwardProgram, optional
    """

    def __init__(self, genn: EngineApi, model: ModelApi, gradient: GradientApi | None) -> None:
        self._genn, self._model, self._gradient = genn, model, gradient
        self._means: dict[str, CustomUpdateApi] = {}
        self._cleared: list[CustomUpdateApi] = []
        self._present = 0
        self._set: tuple[int, int] | None = None  # on the device: how many are present; states set until then

    @property
    def names(self) -> set[str]:
        """The names of the custom updates that it has added."""
        return {update.name for update in (*self._means.values(), *self._cleared)}

    def reference(self, connection: TrainedConnection, group: str) -> Any:
        """Return a reference to the gradient that an optimiser in this custom update group is to read."""
        synapses, name = connection.synapses, connection.gradient
        own = self._genn.create_wu_var_ref(synapses, name)
        if not _has_copies(synapses, name):  # a pass back adds them up
            return own
        if synapses.name not in self._means:
            mean = self._model.add_custom_update(
                f"{GROUP}_{synapses.name}", GROUP, BatchMean, {"present": 1}, {"mean": 0.0}, {"m": own}
            )
            mean.set_param_dynamic("present")
            self._means[synapses.name] = mean
        clear = f"Clear_{group}_{synapses.name}"
        self._cleared.append(self._model.add_custom_update(clear, group, ClearGradient, {}, {}, {"m": own}))
        return self._genn.create_wu_var_ref(self._means[synapses.name], "mean")

    def count(self, present: int) -> None:
        """Have the first so many copies count from now on, and no others."""
        if present != self._present:
            self._present = present
            if self._gradient is not None:
                weights = np.arange(self._model.batch_size) < present
                self._gradient.weigh_copies(weights / present)

    def take(self) -> None:
        """Take the means over the copies that count."""
        if not self._means:
            return
        now = self._present, self._model.states_set  # a state that is put back has a number of its own
        if self._set != now:
            for update in self._means.values():
                update.set_dynamic_param_value("present", self._present)
            self._set = now
        self._model.custom_update(GROUP)


def gradient_means(
    genn: EngineApi,
    model: ModelApi,
    connections: Sequence[TrainedConnection],
    gradient: GradientApi | None,
    size: int | None,
) -> GradientMeans | None:
    """Have a model run batches of this size; returns what takes their means, None where there is nothing to take.

    Raises
    ------
    TrainingError
        For a model that has another batch already, or was differentiated without one; and for weights of which each
        copy has its own.
    """
    if size is None:
        return None
    if model.batch_size != size:
        _set_batch_size(model, size, gradient)
    if size == 1:
        return None
    for connection in connections:
        _check_shared(connection.synapses, connection.weight)
        if connection.feedback is not None:
            _check_shared(connection.feedback, connection.feedback_weight)
    return GradientMeans(genn, model, gradient)


def _set_batch_size(model: ModelApi, size: int, gradient: GradientApi | None) -> None:
    if model.batch_size != 1 or gradient is not None:
        raise TrainingError(
            f"batch_size is {size}, and the network has a batch of {model.batch_size}: set model.batch_size = {size} "
            "right after the model is made"
        )
    try:
        model.batch_size = size
    except LifecycleError:
        raise TrainingError(f"batch_size is {size}, and the network is built for a batch of 1") from None


def _check_shared(synapses: SynapseGroupApi, name: str) -> None:
    """Raise TrainingError for weights of which each copy of a batch has its own."""
    if _has_copies(synapses, name):
        raise TrainingError(
            f"the weight '{name}' of '{synapses.name}' can be written in each copy of a batch, which is to share it: "
            f"declare it ('{name}', 'scalar', VarAccess.READ_ONLY), and leave it to the optimiser"
        )


def _has_copies(synapses: SynapseGroupApi, name: str) -> bool:
    """Return whether each copy of a batch has its own of a variable."""
    model = synapses.wu_initialiser.snippet
    variables = model.vars if hasattr(model, "vars") else model.get_vars()  # PyGeNN's
    found = [int(v.access) for v in variables if v.name == name]  # GeNN's numbers, on every engine
    return any(access & VarAccessDim.BATCH for access in found)
