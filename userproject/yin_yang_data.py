"""Yin-Yang's patterns, shown from the device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlearn.declare import ExtraGlobalParam
from snnlearn.models import ShowLabel, ShowPattern
from snnlearn.training import Data

EXAMPLES = ExtraGlobalParam("examples", "unsigned int*")
ShowPatterns = replace(
    ShowPattern,
    name="ShowPatterns",
    params=tuple(p for p in ShowPattern.params if p.name != "pattern"),
    extra_global_params=(EXAMPLES,),
    update_code="""
    next = examples[batch] * numNeurons + id;
    last = next + 1;
    """,
)
"""As `snnlearn.models.ShowPattern`, a pattern to each copy of the batch: ``examples`` says which."""

ShowLabels = replace(
    ShowLabel,
    name="ShowLabels",
    params=(),
    extra_global_params=(*ShowLabel.extra_global_params, EXAMPLES),
    update_code="target = (labels[examples[batch]] == id) ? 1.0 : 0.0;",
)
"""As `snnlearn.models.ShowLabel`, a label to each copy of the batch."""


class Patterns(Data):
    """A stretch of the patterns that a network holds on the device; showing one takes no upload.

    Parameters
    ----------
    first, count : int
        The stretch.
    sources, labels : custom updates
        Of `ShowPattern` and `ShowLabel`, in the group ``"Show"``.
    batch : int
        How many patterns are shown at once: an example is a batch.
    """

    def __init__(self, first: int, count: int, sources: Any, labels: Any, batch: int = 1) -> None:
        self._first, self._count, self._batch = first, count // batch, batch
        self._updates = (sources, labels)

    def __len__(self) -> int:
        """Return how many batches of patterns there are."""
        return self._count

    def present(self, model: Any, index: int) -> None:
        """Let sources and class neurons show batch ``index`` of the stretch."""
        for update in self._updates:
            update.set_dynamic_param_value("pattern", self._first + index * self._batch)
        model.custom_update("Show")


class BatchedPatterns(Data):
    """The same for a learner with ``batch_size``: an upload of a number for each pattern.

    Parameters
    ----------
    first, count : int
        The stretch.
    sources, labels : custom updates
        Of `ShowPatterns` and `ShowLabels`, in the group ``"Show"``.
    """

    def __init__(self, first: int, count: int, sources: Any, labels: Any) -> None:
        self._first, self._count = first, count
        self._updates = (sources, labels)

    def __len__(self) -> int:
        """Return how many patterns there are."""
        return self._count

    def present_batch(self, model: Any, indices: NDArray[np.int64]) -> None:
        """Let sources and class neurons show these patterns of the stretch."""
        for update in self._updates:
            examples = update.extra_global_params["examples"]
            examples.view[:] = self._first + indices
            examples.push_to_device()
        model.custom_update("Show")
