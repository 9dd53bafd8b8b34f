"""Yin-Yang's patterns, shown from the device."""

from __future__ import annotations

from typing import Any

from snnlearn.training import Data


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
