"""Numbers that are taken down on the device, and read by the host many at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snnlearn.calling import named_arguments
from snnlearn.models import KeepSum, NoteSum
from snnlearn.training.engine import EngineApi, ModelApi, NeuronGroupApi


class NotedSum:
    """A sum that has been noted, which is perhaps on the device alone."""

    def __init__(self, log: SumLog) -> None:
        self._log = log
        self._of_copies: NDArray[np.float64] | None = None

    def of_copies(self) -> NDArray[np.float64]:
        """Return the sum in each copy of a batch; the first call synchronises, and reads all sums that are unread."""
        if self._of_copies is None:
            self._log.read()
        assert self._of_copies is not None
        return self._of_copies

    def value(self) -> float:
        """Return the sum, over all copies of a batch."""
        return float(self.of_copies().sum())


@named_arguments
class SumLog:
    """Notes the sum of a variable over a population, on the device.

    Recording a sum is asynchronous. Reading synchronises, with one copy of as many numbers as the population has
    neurons, which is also the capacity: a further sum has all of them read.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API.
    model : GeNNModel
        Not built yet: two custom updates are added.
    population : neuron group
    variable : str
        In single or double precision; sums are in double precision.
    """

    def __init__(self, genn: EngineApi, model: ModelApi, population: NeuronGroupApi, variable: str) -> None:
        self._model = model
        self._capacity = int(population.num_neurons)
        self._turns = np.arange(1, self._capacity + 1, dtype=np.uint32)
        self._groups = f"{population.name}_{variable}_noted", f"{population.name}_{variable}_kept"
        noted, kept = self._groups
        note = model.add_custom_update(
            noted,
            noted,
            NoteSum,
            {},
            {"sum": 0.0, "turn": self._turns},
            {"value": genn.create_var_ref(population, variable)},
        )
        refs = {name: genn.create_var_ref(note, name) for name in ("sum", "turn")}
        keep = model.add_custom_update(kept, kept, KeepSum, {}, {"kept": 0.0}, refs)
        self._turn, self._kept = note.vars["turn"], keep.vars["kept"]
        self._unread: list[NotedSum] = []
        self._torn = False

    def note(self) -> NotedSum:
        """Note the sum as it is now."""
        if self._torn or len(self._unread) == self._capacity:
            self.read()
        # Where Ctrl-C comes in here, the device may have one more number than the host knows of.
        self._torn = True
        for group in self._groups:
            self._model.custom_update(group)
        self._unread.append(NotedSum(self))
        self._torn = False
        return self._unread[-1]

    def read(self) -> None:
        """Read all sums that are not read yet, if there are such."""
        if not self._unread and not self._torn:
            return
        self._kept.pull_from_device()
        kept = np.array(self._kept.view, np.float64).reshape(-1, self._capacity)
        for noted, values in zip(self._unread, kept.T, strict=False):
            noted._of_copies = values
        # Where Ctrl-C comes in from here on, the device begins anew and the host does not know yet.
        self._torn = True
        self._turn.view[:] = self._turns
        self._turn.push_to_device()
        self._unread, self._torn = [], False
